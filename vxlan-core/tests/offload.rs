//! Frames that stand for several, through a device: what leaves, and what is counted.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

mod common;

use common::*;
use vxlan_core::offload::{Coalesced, Coalescer, segments_of_frame};
use vxlan_core::packet::{Gso, GsoKind, HEADROOM};
use vxlan_core::wire::{ipv4 as ip4, ipv6 as ip6, protocol, udp};
use vxlan_core::{
    ChecksumState, Config, Df, DropReason, Egress, Encapsulated, Ingress, Instant, Mac, Packet,
    Route, Stats, Underlay, Worker,
};

/// Ethernet, IPv4 and TCP.
const HEADERS: usize = 14 + 20 + 20;
/// What a tunnel over IPv4 adds.
const TUNNEL: usize = 36;

/// A TCP frame over IPv4 with `len` bytes of payload, its checksum still to be filled in.
fn whole(len: usize) -> Vec<u8> {
    let header = ip4::Header::new(&ip4::Fields {
        tos: 0,
        total_length: u16::try_from(40 + len).unwrap_or(0),
        identification: 9,
        dont_fragment: true,
        ttl: 64,
        protocol: protocol::TCP,
        source: [10, 0, 0, 1].into(),
        destination: [10, 0, 0, 2].into(),
    });
    let mut segment = [0; 20];
    segment[7] = 100; // sequence number
    segment[12] = 0x50;
    segment[13] = 0x18; // ACK, PSH
    let pseudo = header
        .addresses()
        .pseudo_header_sum(protocol::TCP, 20 + len as u32);
    segment[16..18].copy_from_slice(&pseudo.fold().to_be_bytes());
    let payload: Vec<u8> = (0..len).map(|at| at as u8).collect();
    let packet = [&header.to_bytes()[..], &segment, &payload].concat();
    frame(mac(9), mac(8), 0x0800, &packet)
}

/// What became of one frame, copy by copy.
#[derive(Debug)]
struct Sent {
    /// Each packet with the MTU that it is to be fragmented for.
    packets: Vec<(Vec<u8>, Option<u32>)>,
    /// The whole, as it was encapsulated.
    outer: Vec<Vec<u8>>,
    stats: Stats,
    next_id: u16,
}

impl Sent {
    fn lengths(&self) -> Vec<usize> {
        self.packets
            .iter()
            .map(|(packet, _)| packet.len())
            .collect()
    }
}

fn send(device: &Table, frame: &[u8], kind: GsoKind, size: u16, mtu: u32) -> Sent {
    let gso = Gso { kind, size };
    let mut worker = Worker::new(Instant::ZERO).identification(0xffff);
    let mut buffer = [&[0; HEADROOM][..], frame].concat();
    let mut packet = Packet::new(&mut buffer, HEADROOM, frame.len()).unwrap();
    packet.gso = Some(gso);
    let partial = ChecksumState::Partial {
        start: 34,
        offset: 16,
    };
    packet.checksum = partial;
    let (mut packets, mut whole) = (Vec::new(), Vec::new());
    let Egress::Forward(remotes) = device.transmit(&mut worker, &mut packet) else {
        panic!("there is a default entry");
    };
    for remote in remotes {
        let route = any_route(remote.addr).map(|route| Route::new(route.source, mtu));
        match device.encapsulate(&mut worker, &mut packet, remote, route) {
            Encapsulated::Send(outer) => {
                assert_eq!(outer.gso(), Some(gso));
                assert_eq!(outer.needs_fragments(), None, "segments say it themselves");
                whole.push(outer.ip_packet().to_vec());
                for segment in outer.segments() {
                    let mut out = vec![0; segment.len()];
                    segment.write(&mut out).unwrap();
                    packets.push((out, segment.needs_fragments()));
                }
            }
            Encapsulated::Drop(_) => {}
            other => panic!("{other:?}"),
        }
        assert_eq!(packet.checksum, partial, "nobody fills it in");
    }
    assert_eq!(packet.bytes(), frame, "the frame itself never changes");
    // The next packet tells how many identifications were used up.
    let mut next_id = 0;
    let mut buffer = [0; HEADROOM + 20];
    let mut packet = Packet::new(&mut buffer, HEADROOM, 20).unwrap();
    let stats = worker.stats.clone();
    let remote = device.remote(ip("192.0.2.77"));
    if let Encapsulated::Send(outer) =
        device.encapsulate(&mut worker, &mut packet, &remote, any_route(remote.addr))
    {
        next_id = u16::from_be_bytes([outer.ip_packet()[4], outer.ip_packet()[5]]);
    }
    Sent {
        packets,
        outer: whole,
        stats,
        next_id,
    }
}

fn counted(stats: &Stats) -> [u64; 5] {
    [
        stats.tx_packets,
        stats.tx_bytes,
        stats.tx_dropped,
        stats.tx_errors,
        stats.tx_aborted_errors,
    ]
}

/// T-26: one packet is counted, with the bytes of the whole.
#[test]
fn t26_a_whole_counts_once() {
    let sent = send(&device(config()), &whole(2500), GsoKind::TcpV4, 1000, 1500);
    assert_eq!(
        sent.lengths(),
        [
            TUNNEL + HEADERS + 1000,
            TUNNEL + HEADERS + 1000,
            TUNNEL + HEADERS + 500
        ]
    );
    assert_eq!(counted(&sent.stats), [1, 2540, 0, 0, 0]);
    assert_eq!(
        sent.next_id, 2,
        "three identifications are used up: ffff, 0, 1"
    );
    let ids: Vec<u8> = sent.packets.iter().map(|(packet, _)| packet[5]).collect();
    assert_eq!(ids, [0xff, 0, 1]);
    assert!(sent.packets.iter().all(|(_, fragment)| fragment.is_none()));
}

/// The outer checksum of the whole is the sum of its pseudo header, or absent.
#[test]
fn the_whole_has_the_pseudo_header_sum() {
    let packet = send(&device(config()), &whole(2500), GsoKind::TcpV4, 1000, 1500)
        .outer
        .remove(0);
    let (header, _, datagram) = ip4::Header::parse(&packet).unwrap();
    let pseudo = udp::pseudo_header_sum(header.addresses(), datagram.len());
    assert_eq!(datagram[6..8], pseudo.fold().to_be_bytes());
    let config = config().udp_checksum(false);
    let sent = send(&device(config), &whole(2500), GsoKind::TcpV4, 1000, 1500);
    assert_eq!(sent.outer[0][26..28], [0, 0]);
    assert!(
        sent.packets
            .iter()
            .all(|(packet, _)| packet[26..28] == [0, 0])
    );
}

/// T-26, T-28: each segment is judged by its own length, and the packet counts as refused if one
/// of them is, though the others leave.
#[test]
fn t26_t28_segments_are_judged_one_by_one() {
    let v4 = TUNNEL + HEADERS;
    let v6 = v4 + 20;
    let both = |full: usize, last: usize| vec![full + 1000, full + 1000, last + 500];
    for (name, config, mtu, lengths, fragments, counters) in [
        (
            "they fit",
            config().df(Df::Set),
            v4 + 1000,
            both(v4, v4),
            0,
            [1, 2540, 0, 0, 0],
        ),
        (
            "fragments",
            config(),
            v4 + 999,
            both(v4, v4),
            2,
            [1, 2540, 0, 0, 0],
        ),
        (
            "all in fragments",
            config(),
            v4 + 499,
            both(v4, v4),
            3,
            [1, 2540, 0, 0, 0],
        ),
        (
            "DF, the last fits",
            config().df(Df::Set),
            v4 + 999,
            vec![v4 + 500],
            0,
            [0, 0, 1, 0, 0],
        ),
        (
            "DF, none fits",
            config().df(Df::Set),
            v4 + 499,
            vec![],
            0,
            [0, 0, 1, 0, 0],
        ),
        (
            "DF inherited",
            config().df(Df::Inherit),
            v4 + 999,
            vec![v4 + 500],
            0,
            [0, 0, 1, 0, 0],
        ),
        (
            "IPv6, they fit",
            config6(),
            v6 + 1000,
            both(v6, v6),
            0,
            [1, 2540, 0, 0, 0],
        ),
        (
            "IPv6, the last fits",
            config6(),
            v6 + 999,
            vec![v6 + 500],
            0,
            [0, 0, 0, 1, 1],
        ),
        (
            "IPv6, none fits",
            config6(),
            v6 + 499,
            vec![],
            0,
            [0, 0, 0, 1, 1],
        ),
    ]
        as [(&str, Config, usize, Vec<usize>, usize, [u64; 5]); 9]
    {
        let mtu = mtu as u32;
        let sent = send(&device(config), &whole(2500), GsoKind::TcpV4, 1000, mtu);
        assert_eq!(sent.lengths(), lengths, "{name}");
        assert_eq!(counted(&sent.stats), counters, "{name}");
        let refused = counters[0] == 0;
        assert_eq!(
            sent.stats.drops(DropReason::PacketTooBig),
            refused.into(),
            "{name}"
        );
        let too_long = sent.packets.iter().filter(|(_, mtu)| mtu.is_some());
        assert_eq!(too_long.count(), fragments, "{name}");
        for (packet, fragment) in &sent.packets {
            let Some(mtu) = *fragment else { continue };
            let parts = ip4::fragments(packet, mtu as usize).unwrap();
            assert!(parts.count() > 1, "{name}");
        }
    }
}

/// The longest frame that a sender may hand over does not fit the length fields once it is
/// encapsulated; its segments do.
#[test]
fn the_longest_whole() {
    for config in [config(), config6()] {
        let sent = send(
            &device(config),
            &whole(65_535 - 40),
            GsoKind::TcpV4,
            1390,
            1500,
        );
        assert_eq!(sent.packets.len(), 48);
        assert_eq!(sent.stats.tx_bytes, 65_535);
        for (packet, _) in &sent.packets {
            let stated = match packet[0] >> 4 {
                4 => ip4::Header::parse(packet)
                    .map(|(header, ..)| usize::from(header.total_length())),
                _ => ip6::Header::parse(packet).map(|(_, payload)| 40 + payload.len()),
            };
            assert_eq!(stated, Ok(packet.len()));
        }
    }
}

/// A frame that cannot be cut is refused like one that the underlay refuses.
#[test]
fn what_cannot_be_cut_is_dropped() {
    for (config, counters) in [(config(), [0, 0, 1, 0, 0]), (config6(), [0, 0, 0, 1, 1])] {
        for (kind, size) in [
            (GsoKind::TcpV6, 100),
            (GsoKind::Udp, 100),
            (GsoKind::TcpV4, 0),
        ] {
            let sent = send(&device(config.clone()), &whole(300), kind, size, 1500);
            assert_eq!(sent.packets, []);
            assert_eq!(counted(&sent.stats), counters, "{kind:?}");
            assert_eq!(sent.stats.drops(DropReason::Unsegmentable), 1);
        }
    }
}

/// Copies to several remotes have nothing in common but the frame.
#[test]
fn lesson_replicas_share_no_writable_buffer() {
    let mut device = device(config());
    for last in 3..6 {
        let remote = device.remote([192, 0, 2, last].into());
        device.fdb_append(Instant::ZERO, Mac::ZERO, remote).unwrap();
    }
    let sent = send(&device, &whole(2500), GsoKind::TcpV4, 1000, 1500);
    assert_eq!((sent.packets.len(), sent.stats.tx_packets), (12, 4));
    let inner = |(packet, _): &(Vec<u8>, _)| packet[TUNNEL..].to_vec();
    let first: Vec<Vec<u8>> = sent.packets[..3].iter().map(inner).collect();
    for copy in sent.packets.chunks(3) {
        assert_eq!(copy.iter().map(inner).collect::<Vec<_>>(), first);
    }
    let ids: Vec<u8> = sent.packets.iter().map(|(packet, _)| packet[5]).collect();
    assert_eq!(ids, [0xff, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
}

/// segments from one device, put together, pass another one as a whole and leave it as the
/// frame that was sent.
#[test]
fn r18_a_whole_across_two_devices() {
    let frame = whole(2500);
    let sent = send(&device(config()), &frame, GsoKind::TcpV4, 1000, 1500);
    let mut buffer = [0; 4000];
    let mut coalescer = Coalescer::of_packets(&mut buffer, 0);
    for (packet, _) in &sent.packets {
        let outcome = coalescer.push(packet, ChecksumState::None);
        assert_ne!(outcome, Coalesced::Alone);
    }
    let mut whole = coalescer.take().unwrap();
    assert_eq!(whole.segments, 3);
    whole.packet.pull(whole.vxlan).unwrap();
    let mut east = device(config());
    let mut worker = Worker::new(Instant::ZERO);
    let from = Underlay::new(ip("192.0.2.1"));
    let ingress = east.receive(&mut worker, &from, &mut whole.packet);
    assert!(matches!(ingress, Ingress::Deliver(..)), "{ingress:?}");
    assert_eq!(whole.packet.bytes(), frame);
    let partial = ChecksumState::Partial {
        start: 34,
        offset: 16,
    };
    assert_eq!(whole.packet.checksum, partial);
    let gso = whole.packet.gso.unwrap();
    assert_eq!((gso.kind, gso.size), (GsoKind::TcpV4, 1000));
    assert_eq!((worker.stats.rx_packets, worker.stats.rx_bytes), (1, 2540));
    // Towards a card that cannot cut.
    let lengths: Vec<usize> = segments_of_frame(whole.packet.bytes(), gso)
        .unwrap()
        .map(|segment| segment.len())
        .collect();
    assert_eq!(lengths, [HEADERS + 1000, HEADERS + 1000, HEADERS + 500]);
}

/// A packet that stands for itself leaves as it is, in fragments if need be.
#[test]
fn a_plain_packet_is_its_only_segment() {
    let device = device(config());
    let frame = whole(1000);
    for (mtu, fragment) in [(1500, None), (1000, Some(1000))] {
        let mut worker = Worker::new(Instant::ZERO);
        let mut buffer = [&[0; HEADROOM][..], &frame].concat();
        let mut packet = Packet::new(&mut buffer, HEADROOM, frame.len()).unwrap();
        let remote = device.remote(ip("192.0.2.2"));
        let route = Ok(Route::new(ip("192.0.2.1"), mtu));
        let Encapsulated::Send(outer) =
            device.encapsulate(&mut worker, &mut packet, &remote, route)
        else {
            panic!("nothing forbids it");
        };
        assert_eq!(outer.needs_fragments(), fragment);
        let mut segments = outer.segments();
        let only = segments.next().unwrap();
        assert!(segments.next().is_none());
        assert_eq!(only.needs_fragments(), fragment);
        let mut out = vec![0; only.len()];
        only.write(&mut out).unwrap();
        assert_eq!(out, outer.ip_packet());
    }
}
