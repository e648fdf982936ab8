//! Which networks a device in external mode accepts: the VNI filter.
//!
//! Behaves as that of Linux 6.18 (`vxlan_vnifilter.c`), which `bridge vni` shows and changes: a
//! sorted list of VNIs, each with a remote or group of its own, if it has one, and with counters.
//! It knows no packets and no devices; [`Device`](crate::Device) keeps one and
//! [changes it](crate::Device::add_vni).
//!
//! Its memory is part of the device's [`Storage`](crate::fdb::Storage): that of
//! [`fdb::Growable`](crate::fdb) grows as VNIs come, and [`WithVnis`] adds memory of the caller's to
//! any other.
//!
//! ```
//! use vxlan_core::vni_filter::{Slot, WithVnis};
//! use vxlan_core::{Config, Device, Instant, Mac, Vni, fdb};
//!
//! let tables = fdb::Fixed::<16, 16, 16>::new();
//! let storage = WithVnis::new(tables, [const { Slot::EMPTY }; 8]);
//! let config = Config::new(Vni::MIN).external(true).vni_filter(true);
//! let mac = Mac::new([2, 0, 0, 0, 0, 1]);
//! let mut device = Device::new(config, mac, storage, Instant::ZERO)?;
//! for vni in 10..13 {
//!     device.add_vni(Instant::ZERO, vni, None, false)?;
//! }
//! let span = device.vnis().spans().next().ok_or("no VNI")?;
//! assert_eq!((span.start, span.end, span.group), (10, 12, None));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod counter;
mod error;
mod event;
mod list;
mod request;
mod slot;
mod span;
mod stats;
mod storage;

pub use error::{Error, Full};
pub use event::Event;
pub use list::{Entry, Iter, Vnis};
pub(crate) use list::{Head, VnisMut};
pub use request::Request;
pub use slot::Slot;
pub use span::{Span, Spans};
pub use stats::Stats;
pub use storage::WithVnis;
