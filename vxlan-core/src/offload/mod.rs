//! Frames that stand for several: cut into segments on the way out, put together on the way in.
//!
//! A sender may hand over one TCP frame (or several UDP datagrams in one) that is longer than any
//! link allows, to go through the tunnel once ([`Gso`](crate::packet::Gso); `skb_is_gso()` in
//! Linux). [`segments`] makes the packets that go over the wire out of the encapsulated whole, as
//! the kernel does below its driver. On the way in [`Coalescer`] puts packets of one flow together
//! again, to go through the tunnel and the stack above once (GRO).
//!
//! The two undo each other: what was put together and is cut again gives the same bytes.
//!
//! Neither allocates. The whole is never changed by being cut, so it can go to any number of
//! remotes.

mod candidate;
mod coalesce;
mod layout;
mod segment;

pub use coalesce::{Coalesced, Coalescer, Whole};
pub use segment::{FixedIds, Segment, SegmentError, Segments, segments, segments_of_frame};

pub(crate) use segment::{Measure, measure};

#[cfg(test)]
mod tests;
