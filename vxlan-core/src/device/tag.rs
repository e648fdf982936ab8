//! A VLAN tag that came beside its frame.

use crate::packet::{ChecksumState, OutOfRoom};
use crate::wire::vlan::{self, Tag};
use crate::{Packet, wire::ethernet};

/// Where the addresses of a frame end and its tag begins.
const ADDRESSES: usize = 12;

/// Writes a VLAN tag into a frame, behind its addresses: network cards and stacks keep it beside the
/// frame, and the tunnel carries it inside (`__vlan_hwaccel_push_inside()`).
///
/// The frame begins 4 bytes earlier afterwards. To be called before
/// [`Device::transmit`](crate::Device::transmit).
///
/// ```
/// use vxlan_core::{Packet, device, wire::ethernet::EtherType, wire::vlan::Tag};
///
/// let mut buffer = [0; 4 + 14];
/// buffer[4..].copy_from_slice(&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x06]);
/// let mut frame = Packet::new(&mut buffer, 4, 14)?;
/// device::push_tag(&mut frame, Tag::from_tci(EtherType::new(0x8100), 100))?;
/// assert_eq!(frame.bytes()[12..], [0x81, 0, 0, 100, 0x08, 0x06]);
/// # Ok::<(), vxlan_core::packet::OutOfRoom>(())
/// ```
///
/// # Errors
/// [`OutOfRoom`] without headroom for the tag, or if the frame has no Ethernet header; nothing changes
/// then.
pub fn push_tag(frame: &mut Packet<'_>, tag: Tag) -> Result<(), OutOfRoom> {
    if frame.len() < ethernet::Header::LEN {
        return Err(OutOfRoom {
            need: ethernet::Header::LEN,
            have: frame.len(),
        });
    }
    frame.push(vlan::LEN)?;
    let bytes = frame.bytes_mut();
    if let Some(front) = bytes.get_mut(..ADDRESSES + vlan::LEN) {
        front.copy_within(vlan::LEN.., 0);
        if let Some(place) = front.last_chunk_mut() {
            *place = tag.to_bytes();
        }
    }
    if let ChecksumState::Partial { start, .. } = &mut frame.checksum {
        *start = start.saturating_add(vlan::LEN as u16);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::ethernet::EtherType;

    const FRAME: [u8; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x08, 0, 0x45, 0x46];

    fn tag() -> Tag {
        Tag::from_tci(EtherType::new(0x88a8), 0xe123)
    }

    /// T-22: addresses, tag, the rest; what is counted from the start of the frame moves along.
    #[test]
    fn t22_tag_beside_the_frame() {
        let mut buffer = [0; 32];
        let mut frame = Packet::new(&mut buffer, 4, FRAME.len()).unwrap();
        frame.bytes_mut().copy_from_slice(&FRAME);
        frame.checksum = ChecksumState::Partial {
            start: 34,
            offset: 6,
        };
        push_tag(&mut frame, tag()).unwrap();
        let (addresses, rest) = FRAME.split_at(ADDRESSES);
        let want = [addresses, &[0x88, 0xa8, 0xe1, 0x23], rest].concat();
        assert_eq!(frame.bytes(), want);
        assert_eq!(frame.headroom(), 0);
        let moved = ChecksumState::Partial {
            start: 38,
            offset: 6,
        };
        assert_eq!(frame.checksum, moved);
    }

    /// T-22: without room the frame stays as it is.
    #[test]
    fn t22_no_room() {
        for (headroom, len) in [(3, 16), (0, 16), (8, 13), (8, 0)] {
            let mut buffer = [7; 32];
            let mut frame = Packet::new(&mut buffer, headroom, len).unwrap();
            assert!(push_tag(&mut frame, tag()).is_err(), "{headroom} {len}");
            assert_eq!((frame.headroom(), frame.len()), (headroom, len));
            assert_eq!(frame.bytes(), [7; 32].get(..len).unwrap());
        }
    }
}
