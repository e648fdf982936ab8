//! Entries of a forwarding database (`RTM_NEWNEIGH`, `RTM_DELNEIGH`, `RTM_GETNEIGH` of the bridge
//! family).
//!
//! ```text
//!  struct ndmsg: | family 8 | pad 24 | interface 32 | state 16 | flags 8 | type 8 |
//!  NDA_*:        DST 1, LLADDR 2, CACHEINFO 3, VLAN 5, PORT 6, VNI 7, IFINDEX 8, ..
//! ```
//! A request is read in two steps, since only its first part says which device it is about:
//! [`Message::parse`], then [`Message::request`] with the configuration of that device. What
//! comes out is for [`Device::fdb_update_as`](crate::Device::fdb_update_as),
//! [`fdb_remove_at`](crate::Device::fdb_remove_at) and the methods of the table itself.
//! [`Teller`] writes what is told: dumps, answers and notifications.

mod message;
mod request;
mod tell;
#[cfg(test)]
mod tests;

pub use message::{Message, Operation};
pub use request::{Host, Request};
pub use tell::Teller;

/// An entry is made, changed, or shown (`RTM_NEWNEIGH`).
pub const NEW: u16 = 28;
/// An entry goes (`RTM_DELNEIGH`).
pub const DELETE: u16 = 29;
/// An entry is asked for, or missed (`RTM_GETNEIGH`).
pub const GET: u16 = 30;
/// The family of forwarding databases (`PF_BRIDGE`).
pub const FAMILY: u8 = 7;

const DST: u16 = 1;
const LLADDR: u16 = 2;
const CACHEINFO: u16 = 3;
const VLAN: u16 = 5;
const PORT: u16 = 6;
const VNI: u16 = 7;
const IFINDEX: u16 = 8;
const MASTER: u16 = 9;
const LINK_NETNSID: u16 = 10;
const SRC_VNI: u16 = 11;
const NH_ID: u16 = 13;
const STATE_MASK: u16 = 16;
const FLAGS_MASK: u16 = 17;
/// One more than the highest number of `NDA_*`.
const COUNT: usize = 18;
