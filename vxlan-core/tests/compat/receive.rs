//! Receive.

use std::net::IpAddr;

use crate::common::*;
use crate::{agree, differ};
use vxlan_core::fdb::{self, Destination, Key, Mode, NexthopId, State, Update};
use vxlan_core::wire::vxlan::ReservedBits;
use vxlan_core::{
    ChecksumState, Compat, Config, DropReason, Event, IfIndex, Ingress, Instant, Mac, Packet,
    Underlay, Vni, Worker,
};

const I: u32 = 0x0800_0000;
const G: u32 = 0x8000_0000;
const C: u32 = 0x0020_0000;
const VNI: u32 = 42 << 8;

/// How a datagram ended.
#[derive(Debug, PartialEq)]
enum End {
    Delivered,
    HandedBack,
    Dropped(DropReason),
}
use End::{Delivered, Dropped, HandedBack};

fn end(ingress: Ingress) -> End {
    match ingress {
        Ingress::Deliver(..) => Delivered,
        Ingress::NotVxlan => HandedBack,
        Ingress::Drop(reason, _) => Dropped(reason),
        other => panic!("{other:?}"),
    }
}

fn from() -> Underlay {
    Underlay::new(ip("192.0.2.2"))
}

fn inner() -> Vec<u8> {
    frame(OWN, mac(9), 0x88b5, &[1, 2, 3])
}

/// What becomes of one datagram.
fn one(config: Config, compat: Compat, from: &Underlay, payload: &[u8]) -> Received {
    receive(&mut device(config.compat(compat)), from, payload)
}

/// what is no VXLAN packet goes back to the socket, or ends here.
#[test]
fn r01_r02_r07_malformed() {
    for (row, payload, new) in [
        ("short", vec![8; 7], DropReason::PacketTooSmall),
        (
            "no I flag",
            datagram(0, VNI, &inner()),
            DropReason::InvalidHeader,
        ),
        (
            "bad flag",
            datagram(I | 1 << 16, VNI, &inner()),
            DropReason::ReservedBits,
        ),
        (
            "bad low byte",
            datagram(I, VNI | 4, &inner()),
            DropReason::ReservedBits,
        ),
    ] {
        let see = |compat| end(one(config(), compat, &from(), &payload).ingress);
        differ(row, see, HandedBack, Dropped(new));
    }
    let bad = datagram(I | 1, VNI, &inner());
    differ(
        "counters for bad flags",
        |compat| {
            let stats = one(config(), compat, &from(), &bad).stats;
            (stats.rx_errors, stats.rx_frame_errors)
        },
        (0, 0),
        (1, 1),
    );
}

/// remote checksum, then bits, then VNI; or the VNI first.
#[test]
fn r05_r07_r08_order() {
    let rco = || config().remote_checksum_rx(true);
    let other = 43 << 8;
    for (row, payload, old, new) in [
        (
            "bad flag, unknown VNI",
            datagram(I | 1, other, &inner()),
            HandedBack,
            Dropped(DropReason::VniNotFound),
        ),
        (
            "field beyond the packet, unknown VNI",
            datagram(I | C, other | 0x7f, &inner()),
            Dropped(DropReason::RemoteChecksum),
            Dropped(DropReason::VniNotFound),
        ),
        (
            "field beyond the packet, bad flag",
            datagram(I | C | 1, VNI | 0x7f, &inner()),
            Dropped(DropReason::RemoteChecksum),
            Dropped(DropReason::ReservedBits),
        ),
        (
            "cut inner header, bad flag",
            datagram(I | 1, VNI, &inner()[..13]),
            Dropped(DropReason::InnerTooShort),
            Dropped(DropReason::ReservedBits),
        ),
    ] {
        let see = |compat| end(one(rco(), compat, &from(), &payload).ingress);
        differ(row, see, old, new);
    }
}

/// which bits count as reserved.
#[test]
fn r05_r06_r07_reserved_bits() {
    let strict = Dropped(DropReason::ReservedBits);
    let lenient = || config().reserved_bits(ReservedBits::new([0; 8]));
    let payload = datagram(I | 0x1234, VNI, &inner());
    let see = |compat| end(one(lenient(), compat, &from(), &payload).ingress);
    differ("configurable mask", see, HandedBack, Delivered);
    let see = |compat| end(one(config().gbp(true), compat, &from(), &payload).ingress);
    differ("policy without G", see, HandedBack, Delivered);

    let payload = datagram(I, VNI | 0x11, &inner());
    let rco = || config().remote_checksum_rx(true);
    let see = |compat| end(one(rco(), compat, &from(), &payload).ingress);
    differ("low byte without C", see, HandedBack, Delivered);

    // The extension itself is the same in both.
    let payload = datagram(I | G | 0x40_0007, VNI, &inner());
    let see = |compat| one(config().gbp(true), compat, &from(), &payload).mark;
    agree("policy", see, 0x40_0007);
    let see = |compat| end(one(config(), compat, &from(), &payload).ingress);
    differ("policy, extension off", see, HandedBack, strict);

    // The generic protocol extension came later: its bits are reserved for whoever lacks it.
    let payload = datagram(I | 0x0400_0001, VNI, &inner());
    let see = |compat| end(one(config(), compat, &from(), &payload).ingress);
    differ(
        "next protocol",
        see,
        HandedBack,
        Dropped(DropReason::ReservedBits),
    );
}

/// the checksum is left open, or computed, in the same way.
#[test]
fn r05_remote_checksum() {
    let mut with = frame(OWN, mac(9), 0x88b5, &[0; 40]);
    with[34..].copy_from_slice(&[
        0, 1, 0, 2, 0, 0x14, 6, 0x25, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
    ]);
    let payload = datagram(I | C, VNI | 0x91, &with);
    let see = |compat| {
        let mut device = device(config().remote_checksum_rx(true).compat(compat));
        let mut bytes = payload.clone();
        let len = bytes.len();
        let mut packet = Packet::new(&mut bytes, 0, len).unwrap();
        let mut worker = Worker::new(Instant::ZERO);
        device.receive(&mut worker, &from(), &mut packet);
        packet.checksum
    };
    agree(
        "left open",
        see,
        ChecksumState::Partial {
            start: 34,
            offset: 6,
        },
    );
}

/// an external device has every VNI; a link-local one is bound to its interface.
#[test]
fn r08_look_up() {
    let external = || Config::new(Vni::MIN).external(true).port(4789);
    let payload = datagram(I, 77 << 8, &inner());
    let see = |compat| end(one(external(), compat, &from(), &payload).ingress);
    agree("VNI 0 in external mode", see, Delivered);

    let link_local = || {
        Config::new(vni())
            .local(ip("fe80::1"))
            .remote(ip("fe80::2"))
            .lower(IfIndex::new(10))
            .port(4789)
    };
    let elsewhere = Underlay::new(ip("fe80::2")).ifindex(IfIndex::new(12));
    let payload = datagram(I, VNI, &inner());
    let see = |compat| end(one(link_local(), compat, &elsewhere, &payload).ingress);
    differ(
        "arrival interface",
        see,
        Delivered,
        Dropped(DropReason::VniNotFound),
    );
}

/// the mark of a packet without policy.
#[test]
fn r13_mark() {
    let payload = datagram(I, VNI, &inner());
    for config in [config, || config().gbp(true)] {
        let see = |compat| one(config(), compat, &from(), &payload).mark;
        differ("mark", see, 0, 0x1111);
    }
}

/// What a device learned from one frame.
fn learned(compat: Compat, from: &Underlay, source: Mac) -> Option<(IpAddr, Option<IfIndex>)> {
    let config = if from.source.is_ipv6() {
        config6()
    } else {
        config()
    };
    let mut device = device(config.compat(compat));
    receive(
        &mut device,
        from,
        &datagram(I, VNI, &frame(OWN, source, 0x88b5, &[1])),
    );
    let key = device.key(source);
    let entry = device.fdb().find(&key)?;
    entry
        .first_remote()
        .map(|remote| (remote.addr, remote.ifindex))
}

/// R-11, L-03, L-04, L-05: what is learned, and with what.
#[test]
fn l04_l05_learning() {
    let remote = (ip("192.0.2.2"), None);
    let group = Mac::new([1, 0, 0x5e, 0, 0, 1]);
    agree(
        "a source",
        |compat| learned(compat, &from(), mac(9)),
        Some(remote),
    );
    differ(
        "source that is a group",
        |compat| learned(compat, &from(), group),
        Some(remote),
        None,
    );
    let payload = datagram(I, VNI, &frame(OWN, group, 0x88b5, &[1]));
    differ(
        "frame from a group",
        |compat| end(one(config(), compat, &from(), &payload).ingress),
        Delivered,
        Dropped(DropReason::InvalidSourceMac),
    );
    let there = Underlay::new(ip("fe80::2")).ifindex(IfIndex::new(12));
    differ(
        "interface of a link-local source",
        |compat| learned(compat, &there, mac(9)).unwrap().1,
        None,
        IfIndex::new(12),
    );
}

/// L-02: which entries traffic does not move.
#[test]
fn l02_pinned_entries() {
    let moved = |compat, state| {
        let mut device = device(config().compat(compat));
        let destination = device.remote(ip("192.0.2.7")).into();
        let key = device.key(mac(9));
        let update = Update {
            key,
            state,
            flags: fdb::Flags::SELF,
            mode: Mode::CREATE,
            destination,
            limit: 0,
        };
        device.fdb_mut().update(Instant::ZERO, &update).unwrap();
        let got = receive(&mut device, &from(), &datagram(I, VNI, &inner()));
        (
            end(got.ingress),
            got.event()
                .is_some_and(|event| matches!(event, Event::Migrated { .. })),
        )
    };
    let stays = || (Dropped(DropReason::EntryExists), false);
    agree("NOARP", |compat| moved(compat, State::NOARP), stays());
    differ(
        "PERMANENT",
        |compat| moved(compat, State::PERMANENT),
        (Delivered, true),
        stays(),
    );
    agree(
        "REACHABLE",
        |compat| moved(compat, State::REACHABLE),
        (Delivered, true),
    );

    // Entries of nexthop groups came later, and traffic never moves them.
    let see = |compat| {
        let mut device = device(config().compat(compat));
        let update = Update {
            key: device.key(mac(9)),
            state: State::REACHABLE,
            flags: fdb::Flags::SELF,
            mode: Mode::CREATE,
            destination: Destination::Nexthop(NexthopId::new(1).unwrap()).into(),
            limit: 0,
        };
        device.fdb_mut().update(Instant::ZERO, &update).unwrap();
        end(receive(&mut device, &from(), &datagram(I, VNI, &inner())).ingress)
    };
    agree("nexthop", see, Dropped(DropReason::EntryExists));
}

/// L-01: which clock hearing a known source again sets.
#[test]
fn l01_heard_again() {
    let see = |compat| {
        let mut device = device(config().compat(compat));
        for now in [1_000, 50_000] {
            receive_at(&mut device, now, &from(), &datagram(I, VNI, &inner()));
        }
        let key: Key = device.key(mac(9));
        let entry = device.fdb().find(&key).unwrap();
        let seconds = |at: Instant| at.as_millis() / 1000;
        (seconds(entry.updated()), seconds(entry.used()))
    };
    differ("updated, used", see, (1, 50), (50, 1));
}

/// an inner IP header that is cut off.
#[test]
fn r17_inner_length() {
    for (ethertype, cut) in [
        (0x0800, ipv4(0, 64)[..19].to_vec()),
        (0x86dd, ipv6(0, 64, 0)[..39].to_vec()),
    ] {
        let payload = datagram(I, VNI, &frame(OWN, mac(9), ethertype, &cut));
        differ(
            "cut inner header",
            |compat| {
                let got = one(config(), compat, &from(), &payload);
                (end(got.ingress), got.stats.rx_length_errors)
            },
            (Delivered, 0),
            (Dropped(DropReason::InnerHeaderTruncated), 1),
        );
    }
}

/// all 16 cells, for IPv4 and IPv6 inside and outside; one of them changed.
#[test]
fn r14_congestion() {
    for (ethertype, outer) in [
        (0x0800, "192.0.2.2"),
        (0x86dd, "192.0.2.2"),
        (0x0800, "2001:db8::2"),
        (0x86dd, "2001:db8::2"),
    ] {
        for cell in 0..16u8 {
            let (inside, outside) = (cell >> 2, cell & 3);
            let packet = if ethertype == 0x0800 {
                ipv4(inside, 64)
            } else {
                ipv6(inside, 64, 0)
            };
            let payload = datagram(I, VNI, &frame(OWN, mac(9), ethertype, &packet));
            let config = if outer.contains(':') {
                config6()
            } else {
                config()
            };
            let see = |compat| {
                let got = one(
                    config.clone(),
                    compat,
                    &Underlay::new(ip(outer)).tos(outside),
                    &payload,
                );
                match (got.delivered(), ethertype) {
                    (false, _) => None,
                    (true, 0x0800) => {
                        let (header, rest) =
                            vxlan_core::wire::ipv4::Header::split(&got.bytes[14..]).unwrap();
                        assert!(rest.is_empty() && header.verify_checksum(&[]), "{cell:#x}");
                        Some(header.tos())
                    }
                    (true, _) => Some(got.bytes[15] >> 4),
                }
            };
            let row = format!("{ethertype:04x} in {outer}, {inside:02b} under {outside:02b}");
            match (inside, outside) {
                (0b10, 0b01) => differ(&row, see, Some(0b10), Some(0b01)),
                (0b00, 0b11) => agree(&row, see, None),
                (_, 0b11) => agree(&row, see, Some(0b11)),
                (inside, _) => agree(&row, see, Some(inside)),
            }
        }
    }
    // Nobody looks through a tag, nor into what is not IP.
    let tagged = [&[0, 5, 8, 0][..], &ipv4(0, 64)].concat();
    for payload in [frame(OWN, mac(9), 0x8100, &tagged), inner()] {
        let see = |compat| {
            one(
                config(),
                compat,
                &from().tos(3),
                &datagram(I, VNI, &payload),
            )
            .bytes
        };
        agree("tagged and other frames", see, payload.clone());
    }
}

/// R-15, T-16: a device that is down.
#[test]
fn r15_device_down() {
    let see = |compat| {
        let mut device = device(config().compat(compat));
        device.set_up(false);
        let got = receive(&mut device, &from(), &datagram(I, VNI, &inner()));
        (end(got.ingress), got.stats.rx_dropped, got.stats.rx_bytes)
    };
    let down = (Dropped(DropReason::DeviceDown), 1, 0);
    differ("down", see, (Delivered, 0, 3), down);
    agree(
        "bytes of the inner packet",
        |compat| {
            one(config(), compat, &from(), &datagram(I, VNI, &inner()))
                .stats
                .rx_bytes
        },
        3,
    );
}
