//! Transmit.

use std::net::IpAddr;

use crate::common::*;
use crate::{agree, differ};
use vxlan_core::packet::HEADROOM;
use vxlan_core::{
    ChecksumState, Compat, Config, Df, DropReason, Encapsulated, FlowLabel, IfIndex, Ingress,
    Instant, Mac, Packet, PortRange, Route, RouteError, RouteKind, Stats, Worker,
};

fn inner() -> Vec<u8> {
    frame(mac(9), mac(8), 0x0800, &ipv4(0xb9, 33))
}

fn one(config: Config, compat: Compat, frame: &[u8]) -> (Vec<u8>, Stats) {
    let (mut sent, stats) = transmit(&device(config.compat(compat)), frame, any_route);
    (sent.pop().unwrap_or_default(), stats)
}

/// T-06, T-07, T-10: the way to the remotes is the same.
#[test]
fn t06_t07_t10_remotes() {
    let see = |compat| {
        let mut device = device(config().compat(compat));
        for last in 3..=5u8 {
            let remote = device.remote(IpAddr::from([192, 0, 2, last]));
            device.fdb_append(Instant::ZERO, Mac::ZERO, remote).unwrap();
        }
        let (sent, stats) = transmit(&device, &inner(), any_route);
        let order: Vec<u8> = sent.iter().map(|outer| outer[19]).collect();
        (order, stats.tx_packets)
    };
    agree("order of the copies", see, (vec![3, 4, 5, 2], 4));
    let see = |compat| {
        let mut device = device(config().remote(ip("0.0.0.0")).compat(compat));
        let remote = device.remote(ip("0.0.0.0"));
        device.fdb_append(Instant::ZERO, Mac::ZERO, remote).unwrap();
        let (sent, stats) = transmit(&device, &inner(), any_route);
        (
            sent.len(),
            stats.tx_dropped,
            stats.drops(DropReason::AnyRemote),
        )
    };
    agree("unspecified remote", see, (0, 1, 1));
    let see = |compat| {
        let device = device(config().remote(ip("0.0.0.0")).compat(compat));
        let (sent, stats) = transmit(&device, &inner(), any_route);
        (
            sent.len(),
            stats.tx_dropped,
            stats.drops(DropReason::NoRemote),
        )
    };
    agree("no entry", see, (0, 1, 1));
}

/// T-11, T-12, T-17, T-19, T-28: what the outer header says. What an option asks for that the old
/// driver did not have is done by both; where nothing is asked for they agree.
#[test]
fn t11_t12_t17_t19_outer_header() {
    let group = || config().remote(ip("239.0.0.1")).lower(IfIndex::new(10));
    let ttl = |outer: Vec<u8>| outer[8];
    agree("TTL", |compat| ttl(one(config(), compat, &inner()).0), 64);
    agree(
        "TTL to a group",
        |compat| ttl(one(group(), compat, &inner()).0),
        1,
    );
    agree(
        "DF",
        |compat| one(config(), compat, &inner()).0[6] & 0x40,
        0,
    );
    agree(
        "DF set",
        |compat| one(config().df(Df::Set), compat, &inner()).0[6] & 0x40,
        0x40,
    );
    agree(
        "TOS with the inner ECN",
        |compat| one(config().tos(0x10), compat, &inner()).0[1],
        0x11,
    );
    let first = |config: Config| {
        move |compat| {
            let (outer, _) = one(config.clone(), compat, &inner());
            u32::from_be_bytes(*outer.first_chunk().unwrap())
        }
    };
    differ(
        "traffic class",
        first(config6().tos(0x10)),
        0x6000_0000,
        0x6110_0000,
    );
    differ("ECN over IPv6", first(config6()), 0x6000_0000, 0x6010_0000);
    agree("label", |compat| first(config6())(compat) & 0xf_ffff, 0);
    let label = || config6().flow_label(FlowLabel::Fixed(0x54321));
    agree(
        "label asked for",
        |compat| first(label())(compat) & 0xf_ffff,
        0x54321,
    );
}

/// T-13: the source port follows the same formula, its upper end excluded.
#[test]
fn t13_source_port() {
    let see = |compat| {
        let config = config().port_range(PortRange::new(50000, 50001).unwrap());
        let (outer, _) = one(config, compat, &inner());
        u16::from_be_bytes([outer[20], outer[21]])
    };
    agree("source port", see, 50000);
}

/// T-14: what the routing table is asked, and its answers.
#[test]
fn t14_routes() {
    let see = |compat| {
        let device = device(config().tos(0x10).compat(compat));
        let mut bytes = inner();
        let len = bytes.len();
        let mut packet = Packet::new(&mut bytes, 0, len).unwrap();
        packet.mark = 7;
        let remote = device.remote(ip("192.0.2.2"));
        let query = device.route_query(&packet, &remote);
        assert_eq!(
            (query.tos, query.mark, query.source),
            (0x10, 7, ip("192.0.2.1"))
        );
        (query.source_port != 0, query.destination_port)
    };
    differ("ports", see, (false, 0), (true, 4789));
    for (row, error, reason, carrier, collisions) in [
        (
            "no route",
            RouteError::Unreachable,
            DropReason::NoRoute,
            1,
            0,
        ),
        ("loop", RouteError::Loop, DropReason::RouteLoop, 0, 1),
    ] {
        let see = |compat| {
            let (_, stats) = transmit(&device(config().compat(compat)), &inner(), |_| Err(error));
            (
                stats.tx_errors,
                stats.tx_carrier_errors,
                stats.collisions,
                stats.drops(reason),
            )
        };
        agree(row, see, (1, carrier, collisions, 1));
    }
}

/// What becomes of a frame to this host.
fn local(config: Config) -> Option<(Option<IfIndex>, u16)> {
    let device = device(config);
    let mut buffer = [&[0; HEADROOM][..], &inner()].concat();
    let len = buffer.len() - HEADROOM;
    let mut packet = Packet::new(&mut buffer, HEADROOM, len).unwrap();
    let mut remote = device.remote(ip("192.0.2.2"));
    remote.ifindex = IfIndex::new(10);
    let mut worker = Worker::new(Instant::ZERO);
    let route = Route::new(ip("192.0.2.1"), 1500).kind(RouteKind::Local);
    match device.encapsulate(&mut worker, &mut packet, &remote, Ok(route)) {
        Encapsulated::Local(bypass) => Some((bypass.ifindex, bypass.port)),
        Encapsulated::Send(_) => None,
        other => panic!("{other:?}"),
    }
}

/// T-15: bypass, and the device it leads to.
#[test]
fn t15_local_bypass() {
    let off = |compat| local(config().local_bypass(false).compat(compat));
    differ("switched off", off, Some((None, 4789)), None);
    let on = |compat| local(config().compat(compat));
    differ(
        "interface",
        on,
        Some((None, 4789)),
        Some((IfIndex::new(10), 4789)),
    );
}

/// T-16: what the receiving device makes of a frame that bypassed.
#[test]
fn t16_bypassed_frames() {
    let take = |compat, up| {
        let mut target = device(config().compat(compat));
        target.set_up(up);
        let mut bytes = inner();
        let len = bytes.len();
        let packet = Packet::new(&mut bytes, 0, len).unwrap();
        let mut worker = Worker::new(Instant::ZERO);
        let ingress = target.receive_local(&mut worker, vni(), &packet);
        target.bypassed(&mut worker, &packet);
        let key = target.key(mac(8));
        let learned = target
            .fdb()
            .find(&key)
            .and_then(|entry| entry.first_remote().copied());
        let stats = worker.stats;
        (
            matches!(ingress, Ingress::Deliver(..)),
            learned.map(|remote| remote.addr),
            (stats.rx_bytes, stats.tx_bytes, stats.rx_dropped),
        )
    };
    let loopback = Some(ip("127.0.0.1"));
    differ(
        "bytes",
        |compat| take(compat, true),
        (true, loopback, (20, 20, 0)),
        (true, loopback, (34, 34, 0)),
    );
    differ("target down", |compat| take(compat, false).0, true, false);
    assert_eq!(take(Compat::LINUX_6, false).2, (0, 34, 1));
}

/// T-20, T-24: checksums.
#[test]
fn t20_t24_checksums() {
    let field =
        |config: Config| move |compat| one(config.clone(), compat, &inner()).0[26..28] != [0, 0];
    differ("IPv4, not asked for", field(config()), false, true);
    // What is asked for is asked for after the driver is chosen.
    let asked = |compat| {
        let device = device(config().compat(compat).udp_checksum(true));
        transmit(&device, &inner(), any_route).0[0][26..28] != [0, 0]
    };
    agree("IPv4, asked for", asked, true);
    agree(
        "IPv6",
        |compat| one(config6(), compat, &inner()).0[46..48] != [0, 0],
        true,
    );

    let see = |compat| {
        let device = device(
            config()
                .compat(compat)
                .remote_checksum_tx(true)
                .udp_checksum(true),
        );
        let mut frame = inner();
        frame.extend([0; 8]);
        let mut buffer = [&[0; HEADROOM][..], &frame].concat();
        let mut packet = Packet::new(&mut buffer, HEADROOM, frame.len()).unwrap();
        packet.checksum = ChecksumState::Partial {
            start: 34,
            offset: 6,
        };
        let remote = device.remote(ip("192.0.2.2"));
        let mut worker = Worker::new(Instant::ZERO);
        let route = any_route(remote.addr);
        match device.encapsulate(&mut worker, &mut packet, &remote, route) {
            Encapsulated::Send(outer) => {
                let bytes = outer.ip_packet();
                (bytes[28..36].to_vec(), bytes[26..28] != [0, 0])
            }
            other => panic!("{other:?}"),
        }
    };
    agree(
        "remote checksum",
        see,
        (vec![8, 0x20, 0, 0, 0, 0, 42, 0x91], true),
    );
}

/// T-26: how what leaves is counted.
#[test]
fn t26_counters() {
    let bytes = |config: Config| {
        move |compat| {
            let stats = one(config.clone(), compat, &inner()).1;
            (stats.tx_packets, stats.tx_bytes)
        }
    };
    differ("IPv4", bytes(config()), (1, 8 + 8 + 34), (1, 20));
    agree("IPv6", bytes(config6()), (1, 20));
    // A frame with nothing behind its Ethernet header has the length 0 for the newer driver.
    let nothing = frame(mac(9), mac(8), 0x88b5, &[]);
    let see = |compat| {
        let (outer, stats) = one(config(), compat, &nothing);
        (!outer.is_empty(), stats.tx_packets, stats.tx_dropped)
    };
    differ("14 bytes", see, (true, 1, 0), (true, 0, 1));

    let refused = |config: Config| {
        move |compat| {
            let device = device(config.clone().df(Df::Set).compat(compat));
            let big = frame(mac(9), mac(8), 0x88b5, &[0; 2000]);
            let (sent, stats) = transmit(&device, &big, any_route);
            assert_eq!((sent.len(), stats.tx_packets), (0, 0));
            (stats.tx_dropped, stats.tx_errors, stats.tx_aborted_errors)
        }
    };
    agree("refused over IPv4", refused(config()), (1, 0, 0));
    agree("refused over IPv6", refused(config6()), (0, 1, 1));
}

/// T-28: a frame too long for the path, on a bridge port.
#[test]
fn t28_path_mtu() {
    let see = |compat| {
        let mut device = device(config().compat(compat));
        device.set_bridge_port(true);
        let mut packet = ipv4(0, 64);
        packet.extend([0; 1600]);
        packet[2..4].copy_from_slice(&1620u16.to_be_bytes());
        packet[6] = 0x40;
        let frame = frame(mac(9), mac(8), 0x0800, &packet);
        let mut buffer = [&[0; HEADROOM][..], &frame].concat();
        let mut packet = Packet::new(&mut buffer, HEADROOM, frame.len()).unwrap();
        let remote = device.remote(ip("192.0.2.2"));
        let mut worker = Worker::new(Instant::ZERO);
        let route = any_route(remote.addr);
        match device.encapsulate(&mut worker, &mut packet, &remote, route) {
            Encapsulated::Send(outer) => ("fragments", outer.needs_fragments().is_some()),
            Encapsulated::Reply(_) => ("reply", true),
            other => panic!("{other:?}"),
        }
    };
    differ("too long", see, ("fragments", true), ("reply", true));
}
