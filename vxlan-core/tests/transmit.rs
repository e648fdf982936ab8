//! Transmit: where frames go, what the outer headers say, what is counted.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

mod common;
#[path = "transmit/destinations.rs"]
mod destinations;
#[path = "transmit/headers.rs"]
mod headers;

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
