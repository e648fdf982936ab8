//! The Linux VXLAN driver as pure functions over byte buffers.

#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;

mod ifindex;
mod mac;
mod port;
mod time;
mod vni;

pub use ifindex::IfIndex;
pub use mac::{Mac, ParseMacError};
pub use port::PortRange;
pub use time::Instant;
pub use vni::Vni;
