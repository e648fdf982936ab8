//! Requests and messages in Linux's own language: the bytes of netlink, read and written.
//!
//! [`link`] is devices (`RTM_NEWLINK`), [`neighbour`] entries of the forwarding database
//! (`RTM_NEWNEIGH`), [`vni`] VNI filters (`RTM_NEWTUNNEL`). Everything here is pure: bytes in, typed requests for
//! [`Device`](crate::Device) and [`World`](crate::World) out, and the other way round. What Linux
//! refuses is refused here, in its order of checks, with its error number and its message
//! ([`Error`]); what the tables refuse later converts into the same [`Error`].
//!
//! A lenient reader (most messages are old enough to have one) skips what it does not know and
//! takes attributes that are longer than they should be.

mod attribute;
mod error;
mod header;
pub mod link;
pub mod neighbour;
mod policy;
pub mod vni;

pub use attribute::{Attribute, Attributes, NESTED, Nest, Writer};
pub use error::{Error, Message};
pub use header::Header;
