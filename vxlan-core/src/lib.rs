//! The Linux VXLAN driver as pure functions over byte buffers.

#![no_std]
#![forbid(unsafe_code)]

#[cfg(any(feature = "alloc", test))]
extern crate alloc;

pub mod checksum;
pub mod fdb;
pub mod wire;

mod ifindex;
mod mac;
mod port;
mod salt;
mod time;
mod vni;

pub use ifindex::IfIndex;
pub use mac::{Mac, ParseMacError};
pub use port::PortRange;
pub use salt::Salt;
pub use time::Instant;
pub use vni::Vni;
