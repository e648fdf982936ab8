//! What came of a frame or a datagram.

use vxlan_core::world::DeviceId;
use vxlan_core::{DropReason, Event};

/// What came of a frame that was [sent](super::Vtep::send).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Sent<'v> {
    /// Devices of this [`Vtep`](super::Vtep) that the frame is for: their overlays get
    /// [`Buffer::frame`](crate::Buffer::frame) (`vxlan_encap_bypass()`).
    pub local: &'v [DeviceId],
    /// How long that frame is. What was answered in a neighbour's place has become another one,
    /// for the overlay that it came from.
    pub len: usize,
    /// Frames for the overlay that this one came from: they tell its sender that it was too long
    /// for a path. Only from a [port of a bridge](vxlan_core::Device::set_bridge_port).
    pub replies: &'v Replies,
    /// What there is to tell.
    pub events: &'v [(DeviceId, Event)],
    /// Why the frame went nowhere, if the device had nowhere to send it.
    pub dropped: Option<DropReason>,
}

/// Frames that tell a sender of one that was too long, one for each path that is too narrow.
#[derive(Clone, Debug, Default)]
pub struct Replies {
    /// One behind the other.
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Replies {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    pub(super) fn push(&mut self, frame: &[u8]) {
        self.bytes.extend_from_slice(frame);
        self.ends.push(self.bytes.len());
    }

    /// Each, from its Ethernet header on.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let frame = self.bytes.get(start..end).unwrap_or_default();
            start = end;
            frame
        })
    }
}

/// What a socket brought.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Received<'b> {
    /// A frame for the overlay of a device.
    Frame {
        /// The device.
        device: DeviceId,
        /// The frame, from its Ethernet header on.
        frame: &'b [u8],
        /// What was learned from it.
        event: Option<Event>,
    },
    /// A datagram that ends here; already counted.
    Dropped {
        /// The device it was for, if any.
        device: Option<DeviceId>,
        /// Why, or `None` for a datagram longer than the buffer or one that is not VXLAN.
        reason: Option<DropReason>,
        /// What was learned from it all the same.
        event: Option<Event>,
    },
}

/// What grew old. Dropping it forgets the rest; the entries are gone already.
#[derive(Debug)]
pub struct Expired<'v>(std::vec::Drain<'v, (DeviceId, Event)>);

impl<'v> Expired<'v> {
    pub(super) fn new(events: &'v mut Vec<(DeviceId, Event)>) -> Self {
        Self(events.drain(..))
    }
}

impl Iterator for Expired<'_> {
    type Item = (DeviceId, Event);

    fn next(&mut self) -> Option<(DeviceId, Event)> {
        self.0.next()
    }
}

impl core::iter::FusedIterator for Expired<'_> {}
