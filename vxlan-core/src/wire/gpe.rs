//! The generic protocol extension: which protocol follows the VXLAN header
//! (draft-ietf-nvo3-vxlan-gpe; `vxlan_parse_gpe_proto()` in Linux).

use super::ethernet::EtherType;
use super::vxlan::{Flags, Header};

/// The numbers that stand for a protocol, beside its Ethernet type.
const PROTOCOLS: [(u8, EtherType); 5] = [
    (0x01, EtherType::IPV4),
    (0x02, EtherType::IPV6),
    (0x03, EtherType::TEB),
    (0x04, EtherType::NSH),
    (0x05, EtherType::MPLS),
];

/// The Ethernet type of what follows a GPE header (`vxlan_parse_gpe_hdr()`).
///
/// `None` unless the P flag is set, the version is 0, the O flag is clear and the next protocol is
/// known.
///
/// ```
/// use vxlan_core::Vni;
/// use vxlan_core::wire::ethernet::EtherType;
/// use vxlan_core::wire::{gpe, vxlan::Header};
///
/// let plain = Header::new(Vni::MIN);
/// assert_eq!(gpe::protocol(&plain), None);
/// let number = gpe::number(EtherType::IPV6).ok_or("it has one")?;
/// assert_eq!(gpe::protocol(&plain.with_next_protocol(number)), Some(EtherType::IPV6));
/// # Ok::<(), &str>(())
/// ```
#[must_use]
pub fn protocol(header: &Header) -> Option<EtherType> {
    let flags = header.flags();
    if !flags.contains(Flags::NEXT_PROTOCOL) || flags.intersects(Flags::VERSION | Flags::OAM) {
        return None;
    }
    PROTOCOLS
        .iter()
        .find(|(number, _)| *number == header.next_protocol())
        .map(|(_, protocol)| *protocol)
}

/// The number that stands for a protocol, if it has one.
#[must_use]
pub fn number(protocol: EtherType) -> Option<u8> {
    PROTOCOLS
        .iter()
        .find(|(_, known)| *known == protocol)
        .map(|(number, _)| *number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Vni;

    /// T-23, R-07: what is built is parsed, and everything odd is refused.
    #[test]
    fn t23_next_protocols() {
        let plain = Header::new(Vni::MIN);
        for next in 0..=255 {
            let header = plain.with_next_protocol(next);
            assert_eq!(
                protocol(&header).is_some(),
                (1..=5).contains(&next),
                "{next}"
            );
            if let Some(known) = protocol(&header) {
                assert_eq!(number(known), Some(next));
            }
        }
        assert_eq!(number(EtherType::ARP), None);
        for odd in [0x1000_0000u32, 0x2000_0000, 0x0100_0000] {
            let (flags, vni) = plain.with_next_protocol(1).words();
            let bytes = (u64::from(flags | odd) << 32 | u64::from(vni)).to_be_bytes();
            let (header, _) = Header::split(&bytes).unwrap();
            assert_eq!(protocol(&header), None, "{odd:#x}");
        }
    }
}
