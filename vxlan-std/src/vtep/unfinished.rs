//! Inner checksums that were left to hardware.
//!
//! The kernel leaves the checksum of an inner TCP or UDP packet to the network card. A pair of
//! veth devices is none and computes nothing: a receiver in the kernel knows that such a packet
//! never was on a wire, but a UDP socket gets its bytes, in which the field still holds the sum of
//! the pseudo header alone (`CHECKSUM_PARTIAL`). Without help no TCP connection through veth to a
//! kernel VXLAN device comes about.

use core::ops::Range;

use vxlan_core::checksum;
use vxlan_core::wire::ethernet::EtherType;
use vxlan_core::wire::{Addresses, ethernet, ipv4, ipv6, protocol, vlan};

/// A TCP or UDP packet within a frame.
struct Transport {
    /// Where in the frame.
    place: Range<usize>,
    addresses: Addresses,
    protocol: u8,
}

/// Fills in the TCP or UDP checksum of a frame if it holds the sum of the pseudo header alone, and
/// is not right as it is. Other frames, fragments and extension headers among them, stay.
pub(super) fn fill(frame: &mut [u8]) {
    if let Some((place, offset)) = find(frame)
        && let Some(segment) = frame.get_mut(place)
    {
        // The field was found, so it is there.
        let _ = checksum::fill(segment, 0, offset);
    }
}

/// The packet with the unfinished checksum, and where in it the field is.
fn find(frame: &[u8]) -> Option<(Range<usize>, usize)> {
    let transport = Transport::find(frame)?;
    let segment = frame.get(transport.place.clone())?;
    let offset = match transport.protocol {
        protocol::TCP => 16,
        protocol::UDP => 6,
        _ => return None,
    };
    let field = u16::from_be_bytes(*segment.get(offset..)?.first_chunk()?);
    let len = u32::try_from(segment.len()).ok()?;
    let pseudo = transport
        .addresses
        .pseudo_header_sum(transport.protocol, len);
    let unfinished = field == pseudo.fold() && pseudo.add_bytes(segment).fold() != 0xffff;
    unfinished.then_some((transport.place, offset))
}

impl Transport {
    fn find(frame: &[u8]) -> Option<Self> {
        let (header, rest) = ethernet::Header::parse(frame).ok()?;
        let (ethertype, tags) = vlan::walk(header.ethertype(), rest).ok()?;
        let packet = rest.get(tags..)?;
        let (addresses, protocol, headers, payload) = match ethertype {
            EtherType::IPV4 => {
                let (header, _, payload) = ipv4::Header::parse(packet).ok()?;
                if header.is_fragment() {
                    return None;
                }
                let headers = header.header_len();
                (header.addresses(), header.protocol(), headers, payload)
            }
            EtherType::IPV6 => {
                let (header, payload) = ipv6::Header::parse(packet).ok()?;
                let headers = ipv6::Header::LEN;
                (header.addresses(), header.next_header(), headers, payload)
            }
            _ => return None,
        };
        let start = frame.len() - packet.len() + headers;
        Some(Self {
            place: start..start + payload.len(),
            addresses,
            protocol,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use vxlan_core::Mac;

    /// A frame with a packet whose checksum field holds the pseudo-header sum, and padding.
    fn unfinished(ipv6: bool, tagged: bool, number: u8, payload: &[u8]) -> Vec<u8> {
        let (headers, field) = match number {
            protocol::TCP => (20, 16),
            _ => (8, 6),
        };
        let mut segment = [&vec![0x11; headers][..], payload].concat();
        let len = u16::try_from(segment.len()).unwrap();
        let ip = if ipv6 {
            let fields = ipv6::Fields {
                source: "2001:db8::1".parse().unwrap(),
                destination: "2001:db8::2".parse().unwrap(),
                traffic_class: 0,
                flow_label: 0,
                payload_length: len,
                next_header: number,
                hop_limit: 64,
            };
            let header = ipv6::Header::new(&fields);
            let sum = header.addresses().pseudo_header_sum(number, len.into());
            segment[field..field + 2].copy_from_slice(&sum.fold().to_be_bytes());
            header.to_bytes().to_vec()
        } else {
            let fields = ipv4::Fields {
                tos: 0,
                total_length: len + 20,
                identification: 0,
                dont_fragment: true,
                ttl: 64,
                protocol: number,
                source: [192, 0, 2, 1].into(),
                destination: [192, 0, 2, 2].into(),
            };
            let header = ipv4::Header::new(&fields);
            let sum = header.addresses().pseudo_header_sum(number, len.into());
            segment[field..field + 2].copy_from_slice(&sum.fold().to_be_bytes());
            header.to_bytes().to_vec()
        };
        let ethertype = if ipv6 {
            EtherType::IPV6
        } else {
            EtherType::IPV4
        };
        let tag: &[u8] = if tagged {
            &[0x81, 0x00, 0x00, 0x64]
        } else {
            &[]
        };
        let macs = ethernet::Header::new(Mac::BROADCAST, Mac::new([2, 0, 0, 0, 0, 1]), ethertype);
        let macs = macs.to_bytes();
        let kind = &macs[12..];
        [&macs[..12], tag, kind, &ip, &segment, &[0xa5; 7]].concat()
    }

    fn is_right(frame: &[u8]) -> bool {
        let transport = Transport::find(frame).unwrap();
        let segment = &frame[transport.place];
        let len = u32::try_from(segment.len()).unwrap();
        let pseudo = transport
            .addresses
            .pseudo_header_sum(transport.protocol, len);
        pseudo.add_bytes(segment).fold() == 0xffff
    }

    proptest! {
        #[test]
        fn the_checksum_comes_right_and_stays(
            (ipv6, tagged, tcp) in any::<(bool, bool, bool)>(),
            payload in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let number = if tcp { protocol::TCP } else { protocol::UDP };
            let mut frame = unfinished(ipv6, tagged, number, &payload);
            let before = frame.clone();
            fill(&mut frame);
            prop_assert!(is_right(&frame));
            let changed = frame.iter().zip(&before).filter(|(new, old)| new != old).count();
            prop_assert!(changed <= 2, "only the field");
            let once = frame.clone();
            fill(&mut frame);
            prop_assert_eq!(frame, once);
        }

        #[test]
        fn any_bytes_are_accepted(mut frame in proptest::collection::vec(any::<u8>(), 0..120)) {
            fill(&mut frame);
        }
    }

    #[test]
    fn other_frames_stay() {
        let good = unfinished(false, false, protocol::UDP, b"payload");
        let with = |at: usize, value: u8| {
            let mut frame = good.clone();
            frame[at] ^= value;
            frame
        };
        for (name, frame) in [
            ("a wrong checksum is not ours to hide", with(41, 0x01)),
            ("more fragments", with(20, 0x20)),
            ("a later fragment", with(21, 0x01)),
            ("another protocol", with(23, 0x80)),
            ("another Ethernet type", with(13, 0x01)),
            ("cut off", good[..40].to_vec()),
            ("nothing", Vec::new()),
        ] {
            let mut after = frame.clone();
            fill(&mut after);
            assert_eq!(after, frame, "{name}");
        }
    }
}
