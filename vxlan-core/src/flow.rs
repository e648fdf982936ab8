//! The hash of an inner flow, from which the outer source port is picked.
//!
//! RFC 7348 section 5 asks for a source port that follows the inner flow, so that equal-cost paths
//! and receive queues are used evenly and packets of one flow stay in order. Linux hashes with a
//! secret key (`skb_get_hash()`), so its ports cannot be foretold; neither can ours.

use core::net::Ipv6Addr;

use crate::Salt;
use crate::wire::ethernet::EtherType;
use crate::wire::{ethernet, ipv4, ipv6, vlan};

/// Hashes the flow that a frame belongs to, with a secret key.
///
/// A flow is: for IPv4 and IPv6, seen through VLAN tags, both addresses, the protocol and, where
/// they are in the packet, both ports of TCP, UDP, DCCP, SCTP and UDP-Lite; for anything else both
/// MAC addresses and the Ethernet type. Fragments are hashed without ports, so that all fragments
/// of a packet go the same way. Frames of any length are accepted.
#[derive(Clone, Copy, Debug)]
pub struct FlowHasher {
    keys: [u64; 4],
}

/// Names this use of the salt.
const PURPOSE: u64 = 0x666c_6f77;

impl FlowHasher {
    /// The hasher keyed by `salt`.
    #[must_use]
    pub const fn new(salt: Salt) -> Self {
        Self {
            keys: salt.words(PURPOSE),
        }
    }

    /// The hash of the flow of an Ethernet frame.
    #[must_use]
    #[inline]
    pub fn frame(&self, frame: &[u8]) -> u32 {
        let Ok((header, rest)) = ethernet::Header::parse(frame) else {
            return self.mix(frame.len() as u64, 0);
        };
        let l2 = |ethertype: EtherType| {
            self.mix(
                header.destination().to_u64() | u64::from(ethertype.get()) << 48,
                header.source().to_u64(),
            )
        };
        let (ethertype, packet) = match header.ethertype() {
            tag @ (EtherType::VLAN | EtherType::QINQ) => match vlan::walk(tag, rest) {
                Ok((inner, offset)) => (inner, rest.get(offset..).unwrap_or_default()),
                Err(_) => return l2(tag),
            },
            ethertype => (ethertype, rest),
        };
        match ethertype {
            EtherType::IPV4 => self.ipv4(packet),
            EtherType::IPV6 => self.ipv6(packet),
            _ => None,
        }
        .unwrap_or_else(|| l2(ethertype))
    }

    fn ipv4(&self, packet: &[u8]) -> Option<u32> {
        let (header, behind) = ipv4::Header::split(packet).ok()?;
        let options = header.header_len().saturating_sub(ipv4::Header::LEN);
        let ports = if header.is_fragment() {
            0
        } else {
            ports(header.protocol(), behind.get(options..))
        };
        Some(self.mix(
            u64::from(header.source().to_bits()) << 32 | u64::from(header.destination().to_bits()),
            u64::from(ports) | u64::from(header.protocol()) << 32,
        ))
    }

    fn ipv6(&self, packet: &[u8]) -> Option<u32> {
        let (header, payload) = ipv6::Header::split(packet).ok()?;
        let ports = ports(header.next_header(), Some(payload));
        let fold = |address: Ipv6Addr, salt: u64| {
            let bits = address.to_bits();
            fold(
                bits as u64 ^ salt,
                (bits >> 64) as u64 ^ salt.rotate_left(32),
            )
        };
        let [a, b, ..] = self.keys;
        Some(self.mix(
            fold(header.source(), a).rotate_left(1) ^ fold(header.destination(), b),
            u64::from(ports) | u64::from(header.next_header()) << 32,
        ))
    }

    /// Two folded multiplies with secret words (as in the FDB's hash).
    #[inline]
    fn mix(&self, x: u64, y: u64) -> u32 {
        let [a, b, c, d] = self.keys;
        let p = u128::from(x ^ a) * u128::from(y ^ b);
        let hash = fold(p as u64 ^ c, (p >> 64) as u64 ^ d);
        (hash ^ (hash >> 32)) as u32
    }
}

/// The two halves of the product, added without carry.
#[inline]
fn fold(x: u64, y: u64) -> u64 {
    let product = u128::from(x) * u128::from(y);
    product as u64 ^ (product >> 64) as u64
}

/// Source and destination port as one word, zero where there are none.
fn ports(protocol: u8, payload: Option<&[u8]>) -> u32 {
    const TCP: u8 = 6;
    const UDP: u8 = 17;
    const DCCP: u8 = 33;
    const SCTP: u8 = 132;
    const UDP_LITE: u8 = 136;
    match protocol {
        TCP | UDP | DCCP | SCTP | UDP_LITE => payload
            .and_then(<[u8]>::first_chunk)
            .map_or(0, |ports| u32::from_be_bytes(*ports)),
        _ => 0,
    }
}

/// The hash of both MAC addresses and the protocol that Linux falls back to where the flow's own
/// hash is zero (`udp_flow_src_port()`): Jenkins' lookup3 over the first twelve bytes.
///
/// The protocol enters as the two bytes read in the machine's own order.
#[must_use]
#[cold]
pub fn fallback(frame: &[u8]) -> u32 {
    let Some(head) = frame.first_chunk::<14>() else {
        return 0;
    };
    let &[a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, high, low] = head;
    let start = 0xdead_beef_u32
        .wrapping_add(12)
        .wrapping_add(u16::from_ne_bytes([high, low]).into());
    let mut a = start.wrapping_add(u32::from_le_bytes([a0, a1, a2, a3]));
    let mut b = start.wrapping_add(u32::from_le_bytes([b0, b1, b2, b3]));
    let mut c = start.wrapping_add(u32::from_le_bytes([c0, c1, c2, c3]));
    let step = |to: &mut u32, from: u32, turn: u32| {
        *to = (*to ^ from).wrapping_sub(from.rotate_left(turn));
    };
    step(&mut c, b, 14);
    step(&mut a, c, 11);
    step(&mut b, a, 25);
    step(&mut c, b, 16);
    step(&mut a, c, 4);
    step(&mut b, a, 14);
    step(&mut c, b, 24);
    c
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn frame(ethertype: [u8; 2], packet: &[u8]) -> Vec<u8> {
        let macs = [2, 0, 0, 0, 0x0c, 1, 2, 0, 0, 0, 0x0b, 0x64];
        [&macs[..], &ethertype, packet].concat()
    }

    fn udp4(flags: u8, offset: u8) -> Vec<u8> {
        let mut packet = Vec::from([
            0x46, 0, 0, 32, 0, 1, flags, offset, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
        ]);
        packet.extend([1, 1, 1, 1, 0x04, 0x00, 0, 53, 0, 8, 0, 0]);
        packet
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn t13_fallback_as_linux() {
        assert_eq!(fallback(&frame([8, 0], &[])), 0xb360_ceea);
        assert_eq!(fallback(&[0; 13]), 0);
    }

    /// T-13: what makes a flow, and what does not.
    #[test]
    fn t13_flows() {
        let hasher = FlowHasher::new(Salt::new([7; 16]));
        let base = hasher.frame(&frame([8, 0], &udp4(0, 0)));
        let change = |at: usize, value: u8| {
            let mut packet = udp4(0, 0);
            packet[at] = value;
            hasher.frame(&frame([8, 0], &packet))
        };
        for (name, at) in [
            ("source", 15),
            ("destination", 19),
            ("port", 24),
            ("to port", 27),
        ] {
            assert_ne!(change(at, 0x77), base, "{name}");
        }
        for (name, at) in [("id", 5), ("ttl", 8), ("options", 21), ("length", 29)] {
            assert_eq!(change(at, 0x77), base, "{name}");
        }
        let tagged = [&[0, 5, 8, 0][..], &udp4(0, 0)].concat();
        assert_eq!(
            hasher.frame(&frame([0x81, 0], &tagged)),
            base,
            "through a tag"
        );
        let first = hasher.frame(&frame([8, 0], &udp4(0x20, 0)));
        assert_eq!(
            hasher.frame(&frame([8, 0], &udp4(0, 9))),
            first,
            "fragments stay together"
        );
        assert_ne!(first, base);
        let other = FlowHasher::new(Salt::new([8; 16]));
        assert_ne!(other.frame(&frame([8, 0], &udp4(0, 0))), base, "keyed");
    }

    proptest! {
        #[test]
        fn any_bytes_have_a_hash(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let hasher = FlowHasher::new(Salt::default());
            prop_assert_eq!(hasher.frame(&bytes), hasher.frame(&bytes));
        }
    }
}
