//! Packets and captures made by code.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use vxlan_core::wire::ethernet::{self, EtherType};
use vxlan_core::wire::{Addresses, ipv4, ipv6, protocol, udp, vxlan};
use vxlan_core::{Mac, Vni};

pub(super) const A: Mac = Mac::new([2, 0, 0, 0, 0, 0xa]);
pub(super) const B: Mac = Mac::new([2, 0, 0, 0, 0, 0xb]);

pub(super) fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

pub(super) fn ethernet(kind: EtherType, payload: &[u8]) -> Vec<u8> {
    join(&[&ethernet::Header::new(B, A, kind).to_bytes(), payload])
}

pub(super) fn v4(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 0, 2, last)
}

pub(super) fn v6(last: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last)
}

/// An IPv4 packet from .1 to .2.
pub(super) fn ipv4(protocol: u8, tos: u8, payload: &[u8]) -> Vec<u8> {
    let header = ipv4::Header::new(&ipv4::Fields {
        tos,
        total_length: (20 + payload.len()) as u16,
        identification: 7,
        dont_fragment: false,
        ttl: 64,
        protocol,
        source: v4(1),
        destination: v4(2),
    });
    join(&[&header.to_bytes(), payload])
}

/// An IPv6 packet from ::1 to ::2.
pub(super) fn ipv6(next_header: u8, payload: &[u8]) -> Vec<u8> {
    let header = ipv6::Header::new(&ipv6::Fields {
        traffic_class: 0,
        flow_label: 0,
        payload_length: payload.len() as u16,
        next_header,
        hop_limit: 64,
        source: v6(1),
        destination: v6(2),
    });
    join(&[&header.to_bytes(), payload])
}

/// A datagram without checksum from port 50000.
pub(super) fn udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let header = udp::Header::new(50000, port, (8 + payload.len()) as u16);
    join(&[&header.to_bytes(), payload])
}

/// The same with a checksum, right for [`ipv4`] or [`ipv6`].
pub(super) fn summed(six: bool, port: u16, payload: &[u8]) -> Vec<u8> {
    let mut datagram = udp(port, payload);
    let (source, destination): (IpAddr, IpAddr) = match six {
        true => (v6(1).into(), v6(2).into()),
        false => (v4(1).into(), v4(2).into()),
    };
    let addresses = Addresses::new(source, destination).unwrap();
    let sum = udp::checksum(addresses, &datagram);
    datagram[6..8].copy_from_slice(&sum.to_be_bytes());
    datagram
}

pub(super) fn vxlan(vni: u32, frame: &[u8]) -> Vec<u8> {
    join(&[&vxlan::Header::new(Vni::truncate(vni)).to_bytes(), frame])
}

/// An ARP request of A for 198.51.100.2.
pub(super) fn arp() -> Vec<u8> {
    let message = join(&[
        &[0, 1, 8, 0, 6, 4, 0, 1],
        &A.octets(),
        &[198, 51, 100, 1],
        &[0; 6],
        &[198, 51, 100, 2],
    ]);
    let header = ethernet::Header::new(Mac::BROADCAST, A, EtherType::ARP);
    join(&[&header.to_bytes(), &message])
}

/// An Ethernet frame with VXLAN over IPv4 to `port`, an ARP request inside.
pub(super) fn overlay(port: u16, vni: u32) -> Vec<u8> {
    outer(&summed(false, port, &vxlan(vni, &arp())))
}

/// `datagram` in IPv4 and Ethernet.
pub(super) fn outer(datagram: &[u8]) -> Vec<u8> {
    ethernet(EtherType::IPV4, &ipv4(protocol::UDP, 0, datagram))
}

/// The byte order and the time unit of a pcap file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub(super) big: bool,
    pub(super) nanoseconds: bool,
}

impl Style {
    pub(super) const ALL: [Self; 4] = [
        Self {
            big: false,
            nanoseconds: false,
        },
        Self {
            big: false,
            nanoseconds: true,
        },
        Self {
            big: true,
            nanoseconds: false,
        },
        Self {
            big: true,
            nanoseconds: true,
        },
    ];

    fn u32(self, value: u32) -> [u8; 4] {
        if self.big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }

    fn u16(self, value: u16) -> [u8; 2] {
        if self.big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }

    fn words(self, words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| self.u32(*word)).collect()
    }

    pub(super) fn pcap_header(self, link_type: u32) -> Vec<u8> {
        let magic = if self.nanoseconds {
            0xa1b2_3c4d
        } else {
            0xa1b2_c3d4
        };
        join(&[
            &self.u32(magic),
            &self.u16(2),
            &self.u16(4),
            &self.words(&[0, 0, 262_144, link_type]),
        ])
    }

    /// A record of 1.5 seconds past 1970, `length` bytes long before the capture.
    pub(super) fn pcap_record(self, data: &[u8], length: usize) -> Vec<u8> {
        let half = if self.nanoseconds {
            500_000_000
        } else {
            500_000
        };
        let header = self.words(&[1, half, data.len() as u32, length as u32]);
        join(&[&header, data])
    }

    /// A pcapng block, padded.
    pub(super) fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let mut body = body.to_vec();
        body.resize(body.len().next_multiple_of(4), 0);
        let length = (body.len() + 12) as u32;
        join(&[&self.words(&[kind, length]), &body, &self.u32(length)])
    }

    pub(super) fn section(self) -> Vec<u8> {
        let body = join(&[
            &self.words(&[0x1a2b_3c4d]),
            &self.u16(1),
            &self.u16(0),
            &[0xff; 8],
        ]);
        self.block(0x0a0d_0d0a, &body)
    }

    pub(super) fn interface(self, link_type: u16, snap: u32, options: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = join(&[&self.u16(link_type), &self.u16(0), &self.u32(snap)]);
        for (code, value) in options {
            body.extend(self.u16(*code));
            body.extend(self.u16(value.len() as u16));
            body.extend(*value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        self.block(1, &body)
    }

    pub(super) fn enhanced(self, interface: u32, time: u64, data: &[u8]) -> Vec<u8> {
        let length = data.len() as u32;
        let words = [interface, (time >> 32) as u32, time as u32, length, length];
        self.block(6, &join(&[&self.words(&words), data]))
    }

    pub(super) fn obsolete(self, interface: u16, time: u64, data: &[u8]) -> Vec<u8> {
        let length = data.len() as u32;
        let words = [(time >> 32) as u32, time as u32, length, length];
        let id = join(&[&self.u16(interface), &self.u16(9)]);
        self.block(2, &join(&[&id, &self.words(&words), data]))
    }

    pub(super) fn simple(self, length: u32, data: &[u8]) -> Vec<u8> {
        self.block(3, &join(&[&self.u32(length), data]))
    }
}

/// A little-endian pcap file of Ethernet frames.
pub(super) fn pcap(frames: &[Vec<u8>]) -> Vec<u8> {
    let style = Style::ALL[0];
    let mut file = style.pcap_header(1);
    for frame in frames {
        file.extend(style.pcap_record(frame, frame.len()));
    }
    file
}
