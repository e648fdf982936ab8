//! Tests that need whole packets.

mod coalesce;
mod round_trip;
mod segment;

use alloc::vec::Vec;

use super::*;
use crate::packet::{Gso, GsoKind};
use crate::wire::rco::RemoteChecksum;
use crate::wire::{Addresses, ipv4, ipv6, protocol, tcp, udp, vxlan};
use crate::{ChecksumState, Vni};

/// A TCP packet, all its headers and checksums in place. The fields are those that tell flows apart.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Spec {
    extension: Extension,
    outer: Outer,
    vni: u32,
    /// Bytes between the MAC addresses and the ethertype.
    tags: Vec<u8>,
    v6: bool,
    tos: u8,
    ttl: u8,
    dont_fragment: bool,
    id: u16,
    port: u16,
    sequence: u32,
    acknowledgment: u32,
    flags: tcp::Flags,
    options: Vec<u8>,
    payload: Vec<u8>,
}

/// What the VXLAN header says beside the VNI.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Extension {
    #[default]
    Plain,
    /// The TCP checksum is left to the remote.
    LeftOpen,
    /// No inner Ethernet header.
    Generic,
}

/// The outer headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Outer {
    v6: bool,
    last: u8,
    tos: u8,
    dont_fragment: bool,
    id: u16,
    port: u16,
    checksum: bool,
}

impl Spec {
    fn new(payload: &[u8]) -> Self {
        Self {
            extension: Extension::Plain,
            outer: Outer {
                v6: false,
                last: 1,
                tos: 0,
                dont_fragment: false,
                id: 0xfffe,
                port: 50_000,
                checksum: true,
            },
            vni: 42,
            tags: Vec::new(),
            v6: false,
            tos: 0,
            ttl: 64,
            dont_fragment: true,
            id: 7,
            port: 40_000,
            sequence: 0xffff_fff0,
            acknowledgment: 1,
            flags: tcp::Flags::ACK,
            options: Vec::new(),
            payload: payload.to_vec(),
        }
    }

    /// The packet of the same flow behind this one.
    fn next(&self, payload: &[u8]) -> Self {
        let mut next = self.clone();
        next.sequence = next.sequence.wrapping_add(self.payload.len() as u32);
        next.id = next.id.wrapping_add(1);
        next.outer.id = next.outer.id.wrapping_add(1);
        next.payload = payload.to_vec();
        next
    }

    /// The Ethernet frame.
    fn frame(&self) -> Vec<u8> {
        let mut segment = Vec::new();
        segment.extend(self.port.to_be_bytes());
        segment.extend([0x01, 0xbb]);
        segment.extend(self.sequence.to_be_bytes());
        segment.extend(self.acknowledgment.to_be_bytes());
        let words = (20 + self.options.len()) / 4;
        segment.extend([(words as u8) << 4, self.flags.bits(), 1, 0xf6, 0, 0, 0, 0]);
        segment.extend(&self.options);
        segment.extend(&self.payload);
        let mut bytes = [2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8].to_vec();
        bytes.extend(&self.tags);
        bytes.extend(if self.v6 { [0x86, 0xdd] } else { [8, 0] });
        let header = ip(
            self.v6,
            [10, self.tos, self.ttl, 1],
            self.id,
            self.dont_fragment,
            (protocol::TCP, segment.len()),
        );
        let sum = header
            .1
            .pseudo_header_sum(protocol::TCP, segment.len() as u32);
        let checksum = match self.extension {
            Extension::LeftOpen => sum.fold(),
            _ => sum.add_bytes(&segment).complement(),
        };
        segment[16..18].copy_from_slice(&checksum.to_be_bytes());
        bytes.extend(header.0);
        bytes.extend(segment);
        bytes
    }

    /// The outer IP packet.
    fn packet(&self) -> Vec<u8> {
        let header = vxlan::Header::new(Vni::new(self.vni).unwrap());
        let frame = self.frame();
        let link = 14 + self.tags.len();
        match self.extension {
            Extension::Plain => tunnelled(&self.outer, header, &frame),
            Extension::LeftOpen => {
                let network = if self.v6 { 40 } else { 20 };
                let place = RemoteChecksum::new((link + network) as u16, 16).unwrap();
                let header = header.with_remote_checksum(place.low_byte());
                tunnelled(&self.outer, header, &frame)
            }
            Extension::Generic => {
                let header = header.with_next_protocol(if self.v6 { 2 } else { 1 });
                tunnelled(&self.outer, header, &frame[link..])
            }
        }
    }
}

/// A frame behind outer headers.
fn encapsulated(outer: &Outer, vni: u32, frame: &[u8]) -> Vec<u8> {
    tunnelled(outer, vxlan::Header::new(Vni::new(vni).unwrap()), frame)
}

/// The same with any VXLAN header.
fn tunnelled(outer: &Outer, header: vxlan::Header, frame: &[u8]) -> Vec<u8> {
    let length = 16 + frame.len();
    let (mut bytes, addresses) = ip(
        outer.v6,
        [192, outer.tos, 64, outer.last],
        outer.id,
        outer.dont_fragment,
        (protocol::UDP, length),
    );
    let mut datagram = udp::Header::new(outer.port, 4789, length as u16)
        .to_bytes()
        .to_vec();
    datagram.extend(header.to_bytes());
    datagram.extend(frame);
    if outer.checksum {
        let checksum = udp::checksum(addresses, &datagram);
        datagram[6..8].copy_from_slice(&checksum.to_be_bytes());
    }
    bytes.extend(datagram);
    bytes
}

/// An IP header: network, TOS, TTL and host in one array, then protocol and length of the payload.
fn ip(
    v6: bool,
    [network, tos, ttl, host]: [u8; 4],
    identification: u16,
    dont_fragment: bool,
    (protocol, length): (u8, usize),
) -> (Vec<u8>, Addresses) {
    if v6 {
        let header = ipv6::Header::new(&ipv6::Fields {
            traffic_class: tos,
            flow_label: 0x12345,
            payload_length: length as u16,
            next_header: protocol,
            hop_limit: ttl,
            source: [network; 16].into(),
            destination: [host; 16].into(),
        });
        (header.to_bytes().to_vec(), header.addresses())
    } else {
        let header = ipv4::Header::new(&ipv4::Fields {
            tos,
            total_length: (20 + length) as u16,
            identification,
            dont_fragment,
            ttl,
            protocol,
            source: [network, 0, 0, 1].into(),
            destination: [network, 0, 0, host].into(),
        });
        (header.to_bytes().to_vec(), header.addresses())
    }
}

/// All segments, written.
fn written(segments: Segments<'_>) -> Vec<Vec<u8>> {
    segments
        .map(|segment| {
            let mut out = alloc::vec![0xaa; segment.len() + 3];
            assert_eq!(segment.write(&mut out), Ok(segment.len()));
            assert_eq!(out.split_off(segment.len()), [0xaa; 3]);
            out
        })
        .collect()
}

/// Asserts that every length and checksum of an encapsulated TCP packet is right; its payload.
fn sound(packet: &[u8]) -> Vec<u8> {
    let (addresses, datagram) = if packet[0] >> 4 == 4 {
        let (header, options, datagram) = ipv4::Header::parse(packet).unwrap();
        assert!(header.verify_checksum(options));
        assert_eq!(usize::from(header.total_length()), packet.len());
        (header.addresses(), datagram)
    } else {
        let (header, datagram) = ipv6::Header::parse(packet).unwrap();
        assert_eq!(datagram.len() + 40, packet.len());
        (header.addresses(), datagram)
    };
    let (header, payload) = udp::Header::parse(datagram).unwrap();
    assert_eq!(usize::from(header.length()), datagram.len());
    assert_ne!(udp::verify(addresses, datagram), udp::Verdict::Invalid);
    sound_frame(&payload[8..])
}

/// The same for the inner frame.
fn sound_frame(frame: &[u8]) -> Vec<u8> {
    let layout = layout::Layout::of(frame, crate::wire::ethernet::EtherType::TEB).unwrap();
    let packet = &frame[layout.network..];
    if layout.is_ipv4() {
        let (header, options, _) = ipv4::Header::parse(packet).unwrap();
        assert!(header.verify_checksum(options));
        assert_eq!(usize::from(header.total_length()), packet.len());
    } else {
        let (_, payload) = ipv6::Header::parse(packet).unwrap();
        assert_eq!(payload.len() + 40, packet.len());
    }
    let datagram = &frame[layout.transport..];
    let pseudo = layout
        .addresses
        .pseudo_header_sum(layout.protocol(), datagram.len() as u32);
    assert_eq!(pseudo.add_bytes(datagram).fold(), 0xffff);
    frame[layout.payload..].to_vec()
}
