//! Clock, sockets, TAP and loop around [`vxlan_core`].
//!
//! Nothing is decided here. The core says what becomes of a frame; this crate reads the clock,
//! asks the host for routes, and carries bytes to and from UDP sockets and TAP devices. A
//! [`Vtep`] does all of it for several devices:
//!
//! ```no_run
//! use vxlan_core::{Config, Mac, Vni};
//! use vxlan_std::{Buffer, Received, Vtep};
//!
//! let mut vtep = Vtep::new();
//! let config = Config::new(Vni::new(42).ok_or("a VNI has 24 bits")?);
//! let blue = vtep.add(config, Mac::new([2, 0, 0, 0, 0, 1]))?;
//! let peer = vtep.remote(blue, "192.0.2.2".parse()?).ok_or("no such device")?;
//! vtep.fdb_append(blue, Mac::ZERO, peer)?;
//!
//! let mut buffer = Buffer::new(); // one frame, headroom included
//! # let (tap_read, tap_write) = (|_: &mut [u8]| 60, |_: &[u8]| ());
//! loop {
//!     let len = tap_read(buffer.frame_area());
//!     vtep.send(blue, &mut buffer, len);
//!     while let Some(received) = vtep.recv(&mut buffer)? {
//!         if let Received::Frame { frame, .. } = received {
//!             tap_write(frame);
//!         }
//!     }
//!     for (_device, event) in vtep.expire() {
//!         println!("{event:?}");
//!     }
//! }
//! # #[allow(unreachable_code)]
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Linux only, no privilege needed but for TAP devices. The outer headers are the kernel's work: it
//! computes checksums and cuts packets into fragments. So packets differ from those of the
//! kernel's own VXLAN device in the IPv4 identification and in the source port, which follows the
//! inner flow but is one of a few ([`socket::Sender`]).

#![forbid(unsafe_code)]

mod buffer;
mod clock;
mod error;
pub mod interface;
mod neighbours;
pub mod nexthops;
mod routes;
#[cfg(feature = "shared")]
pub mod shared;
#[cfg(feature = "smoltcp")]
pub mod smoltcp;
#[cfg(feature = "snapshot")]
pub mod snapshot;
pub mod socket;
#[cfg(feature = "tap")]
mod tap;
mod vtep;

pub use buffer::Buffer;
pub use clock::Clock;
pub use error::AddError;
pub use neighbours::NeighbourTable;
pub use routes::Routes;
#[cfg(feature = "snapshot")]
pub use snapshot::Snapshot;
#[cfg(feature = "tap")]
pub use tap::{Tap, TapError};
pub use vtep::{Departure, Expired, Interfaces, Memory, Received, Replies, Sent, Vtep};
pub use vxlan_core;
pub use vxlan_core::world::DeviceId;
