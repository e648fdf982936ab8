//! Transmit: where frames go, what the outer headers say, what is counted.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

mod common;

use std::collections::BTreeSet;

use common::*;
use proptest::prelude::*;
use vxlan_core::device::Bypass;
use vxlan_core::packet::HEADROOM;
use vxlan_core::wire::{Addresses, ipv4 as ip4, ipv6 as ip6, udp, vxlan};
use vxlan_core::{
    Compat, Device, Df, DropReason, Egress, Encapsulated, Event, FlowLabel, IfIndex, Instant, Mac,
    Packet, PortRange, Route, RouteError, RouteKind, Underlay, Vni, Worker, fdb,
};

fn inner() -> Vec<u8> {
    frame(mac(9), mac(8), 0x0800, &ipv4(0xb9, 33))
}

fn only(device: &Table, frame: &[u8]) -> Vec<u8> {
    let (mut sent, stats) = transmit(device, frame, any_route);
    assert_eq!((sent.len(), stats.tx_packets), (1, 1));
    sent.remove(0)
}

/// The UDP datagram of an outer packet; both checksums are looked at.
fn datagram_of(outer: &[u8]) -> (udp::Header, &[u8]) {
    let (addresses, datagram): (Addresses, &[u8]) = if outer[0] >> 4 == 4 {
        let (header, options, payload) = ip4::Header::parse(outer).unwrap();
        assert!(header.verify_checksum(options));
        (header.addresses(), payload)
    } else {
        let (header, payload) = ip6::Header::parse(outer).unwrap();
        (header.addresses(), payload)
    };
    assert_ne!(udp::verify(addresses, datagram), udp::Verdict::Invalid);
    udp::Header::parse(datagram).unwrap()
}

/// T-27: the article's list, one line each; T-23 to T-25 in the bytes of a recorded packet.
#[test]
fn t27_the_whole_outer_header() {
    let config = config().port_range(PortRange::new(50000, 50001).unwrap());
    let outer = only(&device(config), &inner());
    let head = [
        0x45,
        0x01,
        0,
        20 + 8 + 8 + 34,
        0,
        0,
        0,
        0,
        64,
        17,
        0xf6,
        0x84,
        192,
        0,
        2,
        1,
        192,
        0,
        2,
        2,
        0xc3,
        0x50,
        0x12,
        0xb5,
        0,
        8 + 8 + 34,
    ];
    assert_eq!(outer[..10], head[..10]);
    assert_eq!(outer[12..26], head[12..]);
    assert_eq!(outer[28..36], [8, 0, 0, 0, 0, 0, 42, 0]);
    assert_eq!(outer[36..], inner());
    datagram_of(&outer);

    let config = config6().port_range(PortRange::new(50000, 50001).unwrap());
    let outer = only(&device(config), &inner());
    assert_eq!(outer[..8], [0x60, 0x10, 0, 0, 0, 8 + 8 + 34, 17, 64]);
    assert_eq!(outer[40..46], [0xc3, 0x50, 0x12, 0xb5, 0, 8 + 8 + 34]);
    assert_eq!(outer[56..], inner());
    datagram_of(&outer);
}

/// T-06: no entry and no default entry; a miss is told only where asked for, never for groups.
#[test]
fn t06_no_remote() {
    for (l2miss, to, want) in [
        (true, mac(9), Some(Event::L2Miss(mac(9)))),
        (true, Mac::BROADCAST, None),
        (false, mac(9), None),
    ] {
        let device = device(config().remote(ip("0.0.0.0")).l2miss(l2miss));
        let mut worker = Worker::new(Instant::ZERO);
        let mut bytes = frame(to, mac(8), 0x88b5, &[0; 4]);
        let len = bytes.len();
        let mut packet = Packet::new(&mut bytes, 0, len).unwrap();
        match device.transmit(&mut worker, &mut packet) {
            Egress::Drop(DropReason::NoRemote, event) => assert_eq!(event, want),
            other => panic!("{other:?}"),
        }
        assert_eq!(worker.stats.tx_dropped, 1);
        assert_eq!(worker.stats.drops(DropReason::NoRemote), 1);
    }
}

/// T-07: the copies leave in the order 2, 3, .., n, 1; one that fails is skipped; all carry the
/// same frame and the same source port.
#[test]
fn t07_lesson_fan_out_order() {
    let mut device = device(config());
    for last in 3..6 {
        let remote = device.remote([192, 0, 2, last].into());
        device.fdb_append(Instant::ZERO, Mac::ZERO, remote).unwrap();
    }
    let (sent, stats) = transmit(&device, &inner(), |to| match to {
        to if to == ip("192.0.2.4") => Err(RouteError::Unreachable),
        to => any_route(to),
    });
    let order: Vec<u8> = sent.iter().map(|outer| outer[19]).collect();
    assert_eq!(order, [3, 5, 2]);
    assert_eq!((stats.tx_packets, stats.tx_bytes), (3, 3 * 20));
    assert_eq!((stats.tx_errors, stats.tx_carrier_errors), (1, 1));
    let ports: BTreeSet<u16> = sent
        .iter()
        .map(|outer| datagram_of(outer).0.source())
        .collect();
    assert_eq!(ports.len(), 1);
    for outer in &sent {
        assert_eq!(outer[36..], inner());
    }
}

/// T-03: a known destination goes to its own remote and remembers that it was used.
#[test]
fn t03_known_destinations() {
    let mut device = device(config());
    let remote = fdb::Remote {
        port: 8472,
        vni: 77,
        ifindex: IfIndex::new(3),
        ..device.remote(ip("192.0.2.9"))
    };
    device.fdb_append(Instant::ZERO, mac(9), remote).unwrap();
    let mut bytes = inner();
    let len = bytes.len();
    let mut packet = Packet::new(&mut bytes, 0, len).unwrap();
    let mut worker = Worker::new(Instant::from_millis(5_000));
    let Egress::Forward(mut remotes) = device.transmit(&mut worker, &mut packet) else {
        panic!("the entry is there");
    };
    assert_eq!(remotes.next(), Some(&remote));
    assert_eq!(remotes.next(), None);
    let entry = device.fdb().find(&device.key(mac(9))).unwrap();
    assert_eq!(entry.used(), Instant::from_millis(5_000));
    assert_eq!(entry.updated(), Instant::ZERO);
    // T-09: the remote's own port and VNI are on the wire.
    let outer = only(&device, &inner());
    assert_eq!(datagram_of(&outer).0.destination(), 8472);
    assert_eq!(outer[32..36], [0, 0, 77, 0]);
}

/// T-09: port and VNI of the remote. Port 0 means that of the device, VNI 0 is VNI 0.
#[test]
fn t09_port_and_vni() {
    for (port, id, want) in [
        (4789, 42, (4789, 42)),
        (8472, 77, (8472, 77)),
        (0, 77, (4789, 77)),
        (8472, 0, (8472, 0)),
        (0, 0, (4789, 0)),
    ] {
        let mut device = device(config());
        let remote = fdb::Remote {
            port,
            vni: id,
            ..device.remote(ip("192.0.2.9"))
        };
        device.fdb_append(Instant::ZERO, mac(9), remote).unwrap();
        let outer = only(&device, &inner());
        let (header, payload) = datagram_of(&outer);
        let (vxlan, _) = vxlan::Header::parse(payload).unwrap();
        assert_eq!(
            (header.destination(), vxlan.vni().get()),
            want,
            "{port} {id}"
        );
    }
}

/// T-08: no entry is ever without remotes: the last one takes the entry along, and the frame goes
/// where the default entry says; without that it counts as dropped.
#[test]
fn t08_no_remotes() {
    let mut device = device(config());
    let peers = [ip("192.0.2.8"), ip("192.0.2.9")].map(|addr| device.remote(addr));
    let group = Mac::new([1, 0, 0x5e, 0, 0, 1]);
    let frame = frame(group, mac(8), 0x0800, &ipv4(0, 33));
    for peer in peers {
        device.fdb_append(Instant::ZERO, group, peer).unwrap();
    }
    for (left, peer) in [(1, peers[0]), (0, peers[1])] {
        device
            .fdb_remove(group, Some(&peer))
            .unwrap()
            .for_each(drop);
        let entry = device.fdb().find(&device.key(group));
        let remotes = entry.map_or(0, |entry| entry.remotes().count());
        assert_eq!(remotes, left);
        assert_eq!(transmit(&device, &frame, any_route).0.len(), 1);
    }
    device.fdb_remove(Mac::ZERO, None).unwrap().for_each(drop);
    let (sent, stats) = transmit(&device, &frame, any_route);
    assert_eq!((sent.len(), stats.tx_dropped), (0, 1));
}

/// T-10, T-14: each failure has its counters.
#[test]
fn t14_failures_are_counted() {
    use DropReason as D;
    let reach = RouteError::Unreachable;
    for (name, addr, route, reason, counters) in [
        // tx_dropped, tx_errors, tx_carrier_errors, collisions
        ("any", "0.0.0.0", Err(reach), D::AnyRemote, [1, 0, 0, 0]),
        (
            "no route",
            "192.0.2.9",
            Err(reach),
            D::NoRoute,
            [0, 1, 1, 0],
        ),
        (
            "loop",
            "192.0.2.9",
            Err(RouteError::Loop),
            D::RouteLoop,
            [0, 1, 0, 1],
        ),
        (
            "no socket",
            "192.0.2.9",
            Err(RouteError::NoSocket),
            D::NoSocket,
            [0, 1, 0, 0],
        ),
        (
            "family",
            "192.0.2.9",
            any_route(ip("::1")),
            D::AddressFamily,
            [0, 1, 0, 0],
        ),
    ] {
        let mut device = device(config().remote(ip("0.0.0.0")));
        let remote = device.remote(ip(addr));
        device.fdb_append(Instant::ZERO, mac(9), remote).unwrap();
        let (sent, stats) = transmit(&device, &inner(), |_| route);
        assert!(sent.is_empty(), "{name}");
        let got = [
            stats.tx_dropped,
            stats.tx_errors,
            stats.tx_carrier_errors,
            stats.collisions,
        ];
        assert_eq!(got, counters, "{name}");
        assert_eq!((stats.drops(reason), stats.tx_packets), (1, 0), "{name}");
    }
}

/// A truncated inner IP header is dropped before the route matters; 14 bytes of another type are
/// sent and counted as dropped (T-26).
#[test]
fn t26_short_frames() {
    let device = device(config());
    for (name, bytes, sent, dropped) in [
        ("13 bytes", inner()[..13].to_vec(), 0, 1),
        ("IPv4 without header", inner()[..14].to_vec(), 0, 1),
        ("IPv4 cut", inner()[..33].to_vec(), 0, 1),
        ("IPv6 cut", frame(mac(9), mac(8), 0x86dd, &[0; 39]), 0, 1),
        (
            "nothing behind Ethernet",
            frame(mac(9), mac(8), 0x88b5, &[]),
            1,
            1,
        ),
        ("one byte", frame(mac(9), mac(8), 0x88b5, &[0]), 1, 0),
        (
            "a tag cut off",
            frame(mac(9), mac(8), 0x8100, &[0, 1]),
            1,
            0,
        ),
    ] {
        let (packets, stats) = transmit(&device, &bytes, any_route);
        assert_eq!(packets.len(), sent, "{name}");
        assert_eq!(stats.tx_dropped, dropped, "{name}");
        let counted = u64::from(sent == 1 && dropped == 0);
        assert_eq!(stats.tx_packets, counted, "{name}");
    }
}

/// T-11, T-12, T-17, T-19, T-28: TTL, TOS, label and DF by policy.
#[test]
fn t11_t12_t28_header_policies() {
    let v4 = inner();
    let v6 = frame(mac(9), mac(8), 0x86dd, &ipv6(0xb9, 7, 0x12345));
    let arp = frame(mac(9), mac(8), 0x0806, &[0; 28]);
    let tagged = frame(
        mac(9),
        mac(8),
        0x8100,
        &[&[0, 5, 0x08, 0x00][..], &ipv4(0xb9, 33)].concat(),
    );
    let mut no_fragments = v4.clone();
    no_fragments[20] = 0x40;
    let group = ip("239.1.1.1");
    let eth = IfIndex::new(3);
    for (name, config, frame, tos, df, ttl) in [
        ("plain", config(), &v4, 0x01, 0, 64),
        ("ttl", config().ttl(5), &v4, 0x01, 0, 5),
        ("ttl inherit", config().ttl_inherit(true), &v4, 0x01, 0, 33),
        (
            "ttl inherit, v6",
            config().ttl_inherit(true),
            &v6,
            0x01,
            0,
            7,
        ),
        (
            "ttl inherit, ARP",
            config().ttl_inherit(true),
            &arp,
            0,
            0,
            64,
        ),
        ("group", config().remote(group).lower(eth), &v4, 0x01, 0, 1),
        (
            "group, ttl",
            config().remote(group).lower(eth).ttl(9),
            &v4,
            0x01,
            0,
            9,
        ),
        ("tos", config().tos(0x13), &v4, 0x11, 0, 64),
        ("tos inherit", config().tos(1), &v4, 0xb9, 0, 64),
        ("tos inherit, tagged", config().tos(1), &tagged, 0xb9, 0, 64),
        ("tos inherit, ARP", config().tos(1), &arp, 0, 0, 64),
        ("df", config().df(Df::Set), &v4, 0x01, 0x40, 64),
        (
            "df inherit, clear",
            config().df(Df::Inherit),
            &v4,
            0x01,
            0,
            64,
        ),
        (
            "df inherit, set",
            config().df(Df::Inherit),
            &no_fragments,
            0x01,
            0x40,
            64,
        ),
        (
            "df inherit, v6",
            config().df(Df::Inherit),
            &v6,
            0x01,
            0x40,
            64,
        ),
        (
            "df inherit, tagged",
            config().df(Df::Inherit),
            &tagged,
            0x01,
            0,
            64,
        ),
    ] {
        let outer = only(&device(config), frame);
        assert_eq!((outer[1], outer[6], outer[8]), (tos, df, ttl), "{name}");
    }
    let inherit = FlowLabel::Inherit(0);
    for (name, config, frame, first, hops) in [
        ("plain", config6(), &v6, 0x6010_0000, 64),
        (
            "label",
            config6().flow_label(FlowLabel::Fixed(0x54321)),
            &v6,
            0x6015_4321,
            64,
        ),
        (
            "inherit",
            config6().flow_label(inherit).tos(1),
            &v6,
            0x6b91_2345,
            64,
        ),
        (
            "inherit, v4",
            config6().flow_label(inherit),
            &v4,
            0x6010_0000,
            64,
        ),
        ("hops", config6().ttl_inherit(true), &v4, 0x6010_0000, 33),
        (
            "old driver",
            config6().tos(0xb8).compat(Compat::LINUX_4_3),
            &v6,
            0x6000_0000,
            64,
        ),
    ] {
        let outer = only(&device(config), frame);
        let word = u32::from_be_bytes(*outer.first_chunk().unwrap());
        assert_eq!((word, outer[7]), (first, hops), "{name}");
    }
}

/// T-24: checksums on and off, per family and per driver.
#[test]
fn t24_udp_checksums() {
    for (name, config, at, zero) in [
        ("v4", config(), 26, false),
        ("v4 off", config().udp_checksum(false), 26, true),
        (
            "v4, v6 switch",
            config().udp_zero_checksum6_tx(true),
            26,
            false,
        ),
        (
            "v4, old driver",
            config().compat(Compat::LINUX_4_3),
            26,
            true,
        ),
        ("v6", config6(), 46, false),
        ("v6 off", config6().udp_zero_checksum6_tx(true), 46, true),
        ("v6, v4 switch", config6().udp_checksum(false), 46, false),
    ] {
        let outer = only(&device(config), &inner());
        datagram_of(&outer);
        assert_eq!(outer[at..at + 2] == [0, 0], zero, "{name}");
    }
    // Left to the card: the sum of the pseudo header, for it to go on from.
    let (sent, _) = transmit(&device(config()), &inner(), |to| {
        any_route(to).map(|route| route.checksum_offload(true))
    });
    let (header, _, datagram) = ip4::Header::parse(&sent[0]).unwrap();
    let mut datagram = datagram.to_vec();
    let seed = udp::pseudo_header_sum(header.addresses(), datagram.len()).fold();
    assert_eq!(datagram[6..8], seed.to_be_bytes());
    assert!(vxlan_core::checksum::fill(&mut datagram, 0, 6));
    assert_eq!(
        udp::verify(header.addresses(), &datagram),
        udp::Verdict::Valid
    );
}

/// T-28: outer IPv4 over the MTU is cut or refused, outer IPv6 always refused.
#[test]
fn t28_over_the_mtu() {
    let frame = frame(mac(9), mac(8), 0x88b5, &[7; 1400]);
    let small = |to| any_route(to).map(|route| Route::new(route.source, 1400));
    let locked = |to| small(to).map(|route| route.mtu_locked(true));

    let (sent, stats) = transmit(&device(config()), &frame, small);
    assert_eq!((sent.len(), stats.tx_packets), (1, 1));
    let pieces: Vec<_> = ip4::fragments(&sent[0], 1400).unwrap().collect();
    assert_eq!(pieces.len(), 2);

    let (sent, stats) = transmit(&device(config().df(Df::Set)), &frame, small);
    assert_eq!((sent.len(), stats.tx_dropped, stats.tx_errors), (0, 1, 0));
    assert_eq!(stats.drops(DropReason::PacketTooBig), 1);
    let (sent, _) = transmit(&device(config().df(Df::Set)), &frame, locked);
    assert_eq!(sent[0][6], 0, "a locked MTU never forbids fragmentation");

    let (sent, stats) = transmit(&device(config6()), &frame, small);
    assert_eq!(
        (sent.len(), stats.tx_errors, stats.tx_aborted_errors),
        (0, 1, 1)
    );
    assert_eq!(stats.tx_dropped, 0);
}

/// T-13: equal flows share a port; 10,000 flows spread over the range as chance would have it.
#[test]
fn t13_source_ports() {
    let range = PortRange::new(32768, 60999).unwrap();
    let device = device(config().port_range(range).udp_checksum(false));
    let flow = |number: u16, payload: u8| {
        let mut packet = ipv4(0, 64);
        packet.extend_from_slice(&number.to_be_bytes());
        packet.extend_from_slice(&[0, 53, 0, 9, 0, 0, payload]);
        let outer = only(&device, &frame(mac(payload), mac(8), 0x0800, &packet));
        datagram_of(&outer).0.source()
    };
    let mut seen = BTreeSet::new();
    for number in 0..10_000 {
        let port = flow(number, 1);
        assert!((range.low()..range.high()).contains(&port));
        seen.insert(port);
    }
    for number in 0..50 {
        assert_eq!(
            flow(number, 1),
            flow(number, 2),
            "payload and MAC do not matter"
        );
    }
    // n throws into m bins hit m (1 - (1 - 1/m)^n) of them.
    let m = f64::from(range.high() - range.low());
    let expected = m * (1.0 - (1.0 - 1.0 / m).powi(10_000));
    assert!(
        seen.len() as f64 >= 0.95 * expected,
        "{} of {expected}",
        seen.len()
    );
}

/// T-15, T-16: a local destination bypasses the encapsulation, unless that is switched off.
#[test]
fn t15_t16_local_bypass() {
    let local = |to| any_route(to).map(|route| route.kind(RouteKind::Local));
    let mut worker = Worker::new(Instant::ZERO);
    let sender = device(config());
    let mut buffer = [&[0; HEADROOM][..], &inner()].concat();
    let mut packet = Packet::new(&mut buffer, HEADROOM, 34).unwrap();
    let remote = sender.remote(ip("192.0.2.2"));
    let route = local(remote.addr);
    match sender.encapsulate(&mut worker, &mut packet, &remote, route) {
        Encapsulated::Local(Bypass {
            vni: to,
            port,
            ipv6,
            ..
        }) => {
            assert_eq!((to, port, ipv6), (vni(), 4789, false));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(
        worker.stats,
        vxlan_core::Stats::new(),
        "nothing counted yet"
    );

    let mut target = device(config());
    let mut at_target = Worker::new(Instant::ZERO);
    let taken = target.receive_local(&mut at_target, vni(), &packet);
    assert!(matches!(
        taken,
        vxlan_core::Ingress::Deliver(_, Some(Event::Learned(_)))
    ));
    sender.bypassed(&mut worker, &packet);
    assert_eq!((worker.stats.tx_packets, worker.stats.tx_bytes), (1, 34));
    assert_eq!(
        (at_target.stats.rx_packets, at_target.stats.rx_bytes),
        (1, 34)
    );
    let learned = target.fdb().find(&target.key(mac(8))).unwrap();
    assert_eq!(learned.first_remote().unwrap().addr, ip("127.0.0.1"));

    target.stop().for_each(drop);
    target.receive_local(&mut at_target, vni(), &packet);
    assert_eq!(at_target.stats.rx_dropped, 1);
    sender.drop_local(&mut worker);
    assert_eq!(worker.stats.drops(DropReason::LocalVniNotFound), 1);
    assert_eq!(worker.stats.tx_errors, 1);

    let (sent, _) = transmit(&device(config().local_bypass(false)), &inner(), local);
    assert_eq!(sent.len(), 1);
}

/// T-18, T-23: the mark travels in the header of a policy device.
#[test]
fn t18_t23_group_policy() {
    for (gbp, mark, want) in [
        (true, 0, [0x08, 0, 0, 0]),
        (true, 0x0048_1234, [0x88, 0x48, 0x12, 0x34]),
        (true, 0x0001_0000, [0x88, 0, 0, 0]),
        (true, u32::MAX, [0x88, 0x48, 0xff, 0xff]),
        (false, 0x1234, [0x08, 0, 0, 0]),
    ] {
        let device = device(config().gbp(gbp));
        let mut worker = Worker::new(Instant::ZERO);
        let mut buffer = [&[0; HEADROOM][..], &inner()].concat();
        let mut packet = Packet::new(&mut buffer, HEADROOM, 34).unwrap();
        packet.mark = mark;
        let remote = device.remote(ip("192.0.2.2"));
        let Encapsulated::Send(outer) =
            device.encapsulate(&mut worker, &mut packet, &remote, any_route(remote.addr))
        else {
            panic!("nothing forbids it");
        };
        assert_eq!(outer.udp_payload()[..4], want, "{mark:#x}");
    }
}

/// T-21: exactly as much headroom as the headers need; short of it nothing is moved or lost.
#[test]
fn t21_headroom() {
    for (config, need) in [(config(), 36), (config6(), 56)] {
        let device = device(config);
        let remote = device.remote(device.config().remote());
        for headroom in 0..need + 20 {
            let mut buffer = [&vec![0; headroom][..], &inner()].concat();
            let mut packet = Packet::new(&mut buffer, headroom, 34).unwrap();
            let mut worker = Worker::new(Instant::ZERO);
            let route = any_route(remote.addr);
            match device.encapsulate(&mut worker, &mut packet, &remote, route) {
                Encapsulated::Send(outer) => {
                    assert!(headroom >= need);
                    assert_eq!(outer.ip_packet().len(), need + 34);
                    let framed = outer.ethernet(mac(1), mac(2)).is_ok();
                    assert_eq!(framed, headroom >= need + 14);
                }
                Encapsulated::Drop(reason) => {
                    assert!(headroom < need);
                    assert_eq!(reason, DropReason::NoHeadroom);
                    assert_eq!(worker.stats.tx_errors, 1);
                }
                other => panic!("{other:?}"),
            }
            assert_eq!(packet.bytes(), inner());
        }
    }
}

proptest! {
    /// What we encapsulate we can receive: any frame, either family, any legal options.
    #[test]
    fn t23_encapsulate_then_receive_is_the_identity(
        payload in proptest::collection::vec(any::<u8>(), 0..300),
        ethertype in prop_oneof![Just(0x0800u16), Just(0x86dd), Just(0x8100), any::<u16>()],
        number in 0u32..1 << 24,
        v6 in any::<bool>(),
        tos in any::<u8>(),
        ttl in any::<u8>(),
        inherit in any::<bool>(),
        gbp in any::<bool>(),
        checksum in any::<bool>(),
        mark in any::<u32>(),
        port in 1u16..,
    ) {
        let vni = Vni::new(number).unwrap();
        let family = |west: bool| match (v6, west) {
            (false, true) => config(),
            (false, false) => config().local(ip("192.0.2.2")).remote(ip("192.0.2.1")),
            (true, true) => config6(),
            (true, false) => config6().local(ip("2001:db8::2")).remote(ip("2001:db8::1")),
        };
        let side = |west| {
            let config = family(west)
                .vni(vni)
                .port(port)
                .tos(tos)
                .ttl(ttl)
                .ttl_inherit(inherit)
                .gbp(gbp)
                .udp_checksum(checksum);
            let own = if west { OWN } else { mac(2) };
            let mut device = Device::new(config, own, fdb::Growable::new(), Instant::ZERO).unwrap();
            device.set_up(true);
            device
        };
        let (west, mut east) = (side(true), side(false));
        let frame = frame(mac(9), mac(8), ethertype, &payload);
        let mut buffer = [&[0; HEADROOM][..], &frame].concat();
        let mut packet = Packet::new(&mut buffer, HEADROOM, frame.len()).unwrap();
        packet.mark = mark;
        let mut worker = Worker::new(Instant::ZERO);
        let remote = west.remote(west.config().remote());
        let route = any_route(remote.addr);
        match west.encapsulate(&mut worker, &mut packet, &remote, route) {
            Encapsulated::Send(outer) => {
                let (header, payload) = datagram_of(outer.ip_packet());
                prop_assert_eq!(header.destination(), port);
                prop_assert_eq!(vxlan::Header::parse(payload).unwrap().0.vni(), vni);
                let from = Underlay::new(west.config().local()).tos(outer.tos());
                let got = receive(&mut east, &from, payload);
                prop_assert!(got.delivered(), "{:?}", got.ingress);
                prop_assert_eq!(got.bytes, frame);
                if gbp && mark != 0 {
                    prop_assert_eq!(got.mark, mark & vxlan::GBP_MASK);
                }
            }
            Encapsulated::Drop(reason) => {
                prop_assert_eq!(reason, DropReason::InnerHeaderTruncated);
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }
}
