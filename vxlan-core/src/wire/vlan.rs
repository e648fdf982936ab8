//! VLAN tags (IEEE 802.1Q; `struct vlan_hdr` in Linux).
//!
//! ```text
//!   12     14                              16
//!  | TPID | priority 3 | DEI 1 | VLAN 12 | ethertype of what is tagged |
//! ```
//!
//! The TPID stands in the place of the ethertype, so the four bytes behind it are the tag's control
//! information (TCI) and the next ethertype.

use super::ethernet::EtherType;
use core::fmt;

/// The length that a tag adds to a frame, in bytes.
pub const LEN: usize = 4;

/// How many tags [`walk`] passes at most (`VLAN_MAX_DEPTH` in Linux is the one it stops at).
pub const MAX_DEPTH: usize = 7;

/// One VLAN tag.
///
/// ```
/// use vxlan_core::wire::ethernet::EtherType;
/// use vxlan_core::wire::vlan::Tag;
///
/// let tag = Tag::from_tci(EtherType::VLAN, 0x6064);
/// assert_eq!((tag.priority(), tag.drop_eligible(), tag.vid()), (3, false, 100));
/// assert_eq!(tag.to_bytes(), [0x81, 0x00, 0x60, 0x64]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tag {
    tpid: EtherType,
    tci: u16,
}

impl Tag {
    /// The tag with this protocol identifier and this control information.
    #[must_use]
    pub const fn from_tci(tpid: EtherType, tci: u16) -> Self {
        Self { tpid, tci }
    }

    /// The protocol identifier: [`EtherType::VLAN`] or [`EtherType::QINQ`], as a rule.
    #[must_use]
    pub const fn tpid(self) -> EtherType {
        self.tpid
    }

    /// The control information: all 16 bits.
    #[must_use]
    pub const fn tci(self) -> u16 {
        self.tci
    }

    /// The priority code point, 0 to 7.
    #[must_use]
    pub const fn priority(self) -> u8 {
        (self.tci >> 13) as u8
    }

    /// The drop eligible indicator.
    #[must_use]
    pub const fn drop_eligible(self) -> bool {
        self.tci & 0x1000 != 0
    }

    /// The VLAN identifier, 0 to 4095.
    #[must_use]
    pub const fn vid(self) -> u16 {
        self.tci & 0x0fff
    }

    /// The bytes that go between the MAC addresses and the ethertype.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; LEN] {
        let [a, b] = self.tpid.get().to_be_bytes();
        let [c, d] = self.tci.to_be_bytes();
        [a, b, c, d]
    }
}

/// A walk over VLAN tags that ended without an ethertype: a tag is cut off, or there are more than
/// [`MAX_DEPTH`]. The kernel then treats the frame as neither IPv4 nor IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GaveUp;

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VLAN tags are cut off or too many")
    }
}

impl core::error::Error for GaveUp {}

/// Passes the VLAN tags at the front of `bytes` (`__vlan_get_protocol()`).
///
/// `ethertype` is the one in the Ethernet header and `bytes` is what follows it. Returns the
/// ethertype of what is tagged and its offset in `bytes`: 0 if `ethertype` is no tag.
///
/// ```
/// use vxlan_core::wire::ethernet::EtherType;
/// use vxlan_core::wire::vlan;
///
/// let bytes = [0x00, 0x64, 0x08, 0x00, 0x45];
/// assert_eq!(vlan::walk(EtherType::VLAN, &bytes), Ok((EtherType::IPV4, 4)));
/// assert_eq!(vlan::walk(EtherType::IPV6, &bytes), Ok((EtherType::IPV6, 0)));
/// assert_eq!(vlan::walk(EtherType::VLAN, &bytes[..3]), Err(vlan::GaveUp));
/// ```
///
/// # Errors
///
/// [`GaveUp`] if a tag is cut off, and at the eighth tag.
#[inline]
pub fn walk(ethertype: EtherType, bytes: &[u8]) -> Result<(EtherType, usize), GaveUp> {
    let mut ethertype = ethertype;
    let mut offset = 0;
    let mut rest = bytes;
    while ethertype.is_vlan() {
        let (&[_, _, high, low], behind) = rest.split_first_chunk::<LEN>().ok_or(GaveUp)?;
        if offset == MAX_DEPTH * LEN {
            return Err(GaveUp);
        }
        ethertype = EtherType::new(u16::from_be_bytes([high, low]));
        offset += LEN;
        rest = behind;
    }
    Ok((ethertype, offset))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn tags(count: usize, behind: EtherType) -> Vec<u8> {
        let mut bytes = Vec::new();
        for left in (0..count).rev() {
            let next = if left == 0 { behind } else { EtherType::QINQ };
            bytes.extend([0, 1]);
            bytes.extend(next.get().to_be_bytes());
        }
        bytes
    }

    #[test]
    fn the_eighth_tag_is_too_many() {
        for count in 1..=10 {
            let want = match count {
                0..=7 => Ok((EtherType::IPV6, 4 * count)),
                _ => Err(GaveUp),
            };
            let bytes = tags(count, EtherType::IPV6);
            assert_eq!(walk(EtherType::VLAN, &bytes), want, "{count} tags");
        }
    }

    #[test]
    fn a_cut_tag_gives_up() {
        let bytes = tags(3, EtherType::ARP);
        for len in 0..bytes.len() {
            assert_eq!(walk(EtherType::QINQ, &bytes[..len]), Err(GaveUp), "{len}");
        }
        assert_eq!(walk(EtherType::QINQ, &bytes), Ok((EtherType::ARP, 12)));
    }

    #[test]
    fn other_tag_types_are_not_passed() {
        let outdated = EtherType::new(0x9100);
        assert_eq!(walk(outdated, &[]), Ok((outdated, 0)));
    }

    #[test]
    fn tag_fields() {
        for (tci, priority, drop_eligible, vid) in [
            (0x0000, 0, false, 0),
            (0xffff, 7, true, 0x0fff),
            (0x1000, 0, true, 0),
            (0xa123, 5, false, 0x123),
        ] {
            let tag = Tag::from_tci(EtherType::QINQ, tci);
            assert_eq!(tag.priority(), priority, "{tci:#06x}");
            assert_eq!(tag.drop_eligible(), drop_eligible, "{tci:#06x}");
            assert_eq!(tag.vid(), vid, "{tci:#06x}");
        }
    }

    proptest! {
        #[test]
        fn ends_inside_the_bytes(ethertype: u16, bytes in vec(any::<u8>(), 0..64)) {
            if let Ok((found, offset)) = walk(EtherType::new(ethertype), &bytes) {
                prop_assert!(offset <= bytes.len() && offset <= MAX_DEPTH * LEN);
                prop_assert!(!found.is_vlan());
            }
        }
    }
}
