//! Questions for MAC addresses, and answers, as they pass.

use smoltcp::wire::{
    ArpOperation, ArpPacket, EthernetFrame, EthernetProtocol, Icmpv6Message, Icmpv6Packet,
    IpProtocol, Ipv6Packet,
};

/// How often one host asked and answered, by ARP or neighbour discovery (ND).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Resolution {
    /// ARP requests and neighbour solicitations.
    pub(super) asked: u64,
    /// ARP replies and neighbour advertisements.
    pub(super) answered: u64,
}

impl Resolution {
    /// Counts a frame if it is a question or an answer.
    pub(super) fn look_at(&mut self, frame: &[u8]) {
        match question(frame) {
            Some(true) => self.asked += 1,
            Some(false) => self.answered += 1,
            None => {}
        }
    }
}

/// Whether a frame asks (true) or answers (false).
fn question(frame: &[u8]) -> Option<bool> {
    let frame = EthernetFrame::new_checked(frame).ok()?;
    match frame.ethertype() {
        EthernetProtocol::Arp => match ArpPacket::new_checked(frame.payload()).ok()?.operation() {
            ArpOperation::Request => Some(true),
            ArpOperation::Reply => Some(false),
            ArpOperation::Unknown(_) => None,
        },
        EthernetProtocol::Ipv6 => {
            let ip = Ipv6Packet::new_checked(frame.payload()).ok()?;
            if ip.next_header() != IpProtocol::Icmpv6 {
                return None;
            }
            match Icmpv6Packet::new_checked(ip.payload()).ok()?.msg_type() {
                Icmpv6Message::NeighborSolicit => Some(true),
                Icmpv6Message::NeighborAdvert => Some(false),
                _ => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arp(operation: u8) -> Vec<u8> {
        let mut frame = vec![0; 14 + 28];
        frame[12..14].copy_from_slice(&[0x08, 0x06]);
        frame[14..22].copy_from_slice(&[0, 1, 8, 0, 6, 4, 0, operation]);
        frame
    }

    fn icmpv6(kind: u8) -> Vec<u8> {
        let mut frame = vec![0; 14 + 40 + 24];
        frame[12..14].copy_from_slice(&[0x86, 0xdd]);
        frame[14] = 0x60;
        frame[19] = 24; // payload length
        frame[20] = 58; // next header
        frame[54] = kind;
        frame
    }

    #[test]
    fn questions_and_answers_are_told_apart() {
        for (name, frame, want) in [
            ("ARP request", arp(1), Some(true)),
            ("ARP reply", arp(2), Some(false)),
            ("reverse ARP", arp(3), None),
            ("cut ARP", arp(1)[..41].to_vec(), None),
            ("solicitation", icmpv6(135), Some(true)),
            ("advertisement", icmpv6(136), Some(false)),
            ("echo", icmpv6(128), None),
            ("nothing", Vec::new(), None),
        ] {
            assert_eq!(question(&frame), want, "{name}");
        }
    }
}
