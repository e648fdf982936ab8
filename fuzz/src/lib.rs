//! What the fuzz targets check, callable from anywhere.
//!
//! The first byte of an input chooses the configuration, the rest is the packet.

mod netlink;
mod suppress;
mod vni;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

pub use suppress::suppress;
use vxlan_core::device::{LearnRate, MoveDamping};
use vxlan_core::vni_filter::{Slot, WithVnis};
use vxlan_core::wire::ethernet::EtherType;
use vxlan_core::wire::{Addresses, ethernet, ipv4, ipv6, udp, vxlan};
use vxlan_core::{
    Compat, Config, ConfigChange, Device, Df, DropReason, Egress, Encapsulated, Event, Ingress,
    Instant, Mac, Packet, Route, Stats, Underlay, Unlearned, Vni, Worker, fdb, packet::HEADROOM,
};

pub use netlink::netlink;
pub use vni::vni;

type Table = Device<fdb::Fixed<8, 8, 16>>;

const WEST: Mac = Mac::new([2, 0, 0, 0, 0, 1]);
const EAST: Mac = Mac::new([2, 0, 0, 0, 0, 2]);

fn device(options: u8, mac: Mac, local: IpAddr, remote: IpAddr, vni: Vni) -> Table {
    let compat = match options & 3 {
        0 => Compat::LINUX_4_3,
        1 => Compat::RFC_7348,
        _ => Compat::LINUX_6,
    };
    // The old driver refuses the highest VNI.
    let config = Config::new(vni.min(compat.vni_max))
        .local(local)
        .remote(remote)
        .port(4789)
        .compat(compat)
        .learning(options & 4 != 0)
        .gbp(options & 8 != 0)
        .ttl_inherit(options & 16 != 0)
        .tos(u8::from(options & 32 != 0))
        .df(if options & 64 != 0 {
            Df::Inherit
        } else {
            Df::Unset
        });
    let mut device = Device::new(config, mac, fdb::Fixed::new(), Instant::ZERO)
        .expect("this configuration is legal");
    device.set_up(true);
    device
}

fn ends(stats: &Stats) -> u64 {
    DropReason::ALL
        .iter()
        .map(|reason| stats.drops(*reason))
        .sum()
}

/// The UDP payload and the TOS byte of an Ethernet frame, if it is one.
pub fn outer(frame: &[u8]) -> Option<(u8, IpAddr, &[u8])> {
    let (header, rest) = ethernet::Header::parse(frame).ok()?;
    let (tos, source, datagram) = match header.ethertype() {
        EtherType::IPV4 => {
            let (ip, _, payload) = ipv4::Header::parse(rest).ok()?;
            (ip.tos(), IpAddr::V4(ip.source()), payload)
        }
        EtherType::IPV6 => {
            let (ip, payload) = ipv6::Header::parse(rest).ok()?;
            (ip.traffic_class(), IpAddr::V6(ip.source()), payload)
        }
        _ => return None,
    };
    let (_, payload) = udp::Header::parse(datagram).ok()?;
    Some((tos, source, payload))
}

/// Any bytes from the underlay, for a device with a VNI filter: no VNI counts what the device does
/// not, and the VNI of a packet that is not in the list counts nothing at all.
fn receive_filtered(options: u8, from: &Underlay, payload: &[u8], named: Vni) {
    let config = Config::new(Vni::MIN)
        .external(true)
        .vni_filter(true)
        .learning(options & 4 != 0)
        .gbp(options & 8 != 0)
        .remote_checksum_rx(options & 16 != 0);
    let storage = WithVnis::new(fdb::Fixed::<4, 8, 16>::new(), [const { Slot::EMPTY }; 2]);
    let mut device =
        Device::new(config, WEST, storage, Instant::ZERO).expect("this configuration is legal");
    device.set_up(options & 32 == 0);
    let listed = options & 64 == 0;
    for vni in [7, if listed { named.get() } else { 8 }] {
        let changed = device.add_vni(Instant::ZERO, vni, None, false);
        assert!(changed.is_ok(), "there is room for two");
    }
    let mut worker = Worker::new(Instant::from_millis(1000));
    let mut copy = payload.to_vec();
    let mut datagram = Packet::new(&mut copy, 0, payload.len()).expect("it fits");
    device.receive(&mut worker, from, &mut datagram);
    let ours = &worker.stats;
    assert_eq!(ours.rx_packets + ends(ours), 1, "one end a packet");
    let mut counted = 0;
    for entry in device.vnis() {
        let theirs = entry.stats();
        let ended: u64 = DropReason::ALL.iter().map(|r| theirs.drops(*r)).sum();
        counted += theirs.rx_packets + ended;
        assert!(theirs.rx_packets <= ours.rx_packets && theirs.rx_bytes <= ours.rx_bytes);
        assert!(theirs.rx_errors <= ours.rx_errors && theirs.rx_drops <= ours.rx_dropped);
        assert_eq!(
            (theirs.tx_packets, theirs.tx_drops, theirs.tx_errors),
            (0, 0, 0)
        );
    }
    let known = !matches!(
        DropReason::ALL
            .iter()
            .find(|reason| ours.drops(**reason) > 0),
        Some(DropReason::PacketTooSmall | DropReason::InvalidHeader | DropReason::VniNotFound)
    );
    assert_eq!(
        counted,
        u64::from(known),
        "one VNI counts it, if it is listed"
    );
}

/// Any bytes from the underlay.
pub fn receive(input: &[u8]) {
    let Some((&options, frame)) = input.split_first() else {
        return;
    };
    let local = IpAddr::from([192, 0, 2, 1]);
    let (tos, source, payload) =
        outer(frame).unwrap_or((options, IpAddr::from([192, 0, 2, 2]), frame));
    // Most recorded packets are for VNI 42; take the packet's own to get further.
    let vni = vxlan::Header::split(payload).map_or(Vni::MIN, |(header, _)| header.vni());
    let mut device = device(options, WEST, local, IpAddr::from([192, 0, 2, 9]), vni);
    if options & 128 != 0 {
        limited(&mut device, tos, payload);
    }
    let from = Underlay::new(source).tos(tos);
    receive_filtered(options, &from, payload, vni);
    let mut worker = Worker::new(Instant::from_millis(1000));
    for round in 1..=2 {
        let mut copy = payload.to_vec();
        let mut datagram = Packet::new(&mut copy, 0, payload.len()).expect("it fits");
        let verdict = device.receive(&mut worker, &from, &mut datagram);
        match verdict {
            Ingress::Deliver(..) => {
                let inner = payload
                    .get(vxlan::Header::LEN..)
                    .expect("a header was there");
                assert_eq!(datagram.len(), inner.len());
                let changed = datagram.bytes().iter().zip(inner).filter(|(a, b)| a != b);
                assert!(changed.count() <= 3, "only the congestion bits may change");
            }
            Ingress::NotVxlan => {
                assert_eq!(datagram.bytes(), payload, "handed back unchanged");
                assert_eq!(options & 3, 0, "only the old driver hands back");
                return;
            }
            _ => {}
        }
        assert_eq!(
            worker.stats.rx_packets + ends(&worker.stats),
            round,
            "one end a packet"
        );
        assert!(device.fdb().len() <= 8);
    }
    assert!(device.age(Instant::from_millis(1_000_000)).count() <= 1);
}

/// The same from several VTEPs, with the least that limits to learning allow; what was learned is
/// gone afterwards.
fn limited(device: &mut Table, tos: u8, payload: &[u8]) {
    let once = LearnRate {
        per_second: NonZeroU32::MIN,
        burst: NonZeroU32::MIN,
    };
    let damping = MoveDamping {
        moves: NonZeroU32::MIN,
        within: Duration::from_secs(1),
        hold: Duration::from_secs(1),
    };
    let change = ConfigChange::new()
        .learn_quota(Some(NonZeroU32::MIN))
        .learn_rate(Some(once))
        .move_damping(Some(damping))
        .unlearned(Unlearned::Drop);
    let changed = device.change(Instant::ZERO, &change, drop);
    changed.expect("there is room to count");
    let mut worker = Worker::new(Instant::ZERO);
    let mut moves = 0;
    for last in [2, 3, 2, 3, 4, 2] {
        let from = Underlay::new(IpAddr::from([192, 0, 2, last])).tos(tos);
        let mut copy = payload.to_vec();
        let mut datagram = Packet::new(&mut copy, 0, payload.len()).expect("it fits");
        if let Ingress::Deliver(_, event) | Ingress::Drop(_, event) =
            device.receive(&mut worker, &from, &mut datagram)
        {
            moves += u32::from(matches!(event, Some(Event::Migrated { .. })));
        }
        let learned = device.fdb().learned(from.source).expect("it is counted");
        assert!(learned <= 1, "the quota holds");
    }
    assert!(moves <= 1, "the second move is one too many");
    drop(device.stop());
    device.set_up(true);
    for last in [2, 3, 4] {
        let left = device.fdb().learned(IpAddr::from([192, 0, 2, last]));
        assert_eq!(left, Some(0), "nothing is left to count");
    }
    let off = ConfigChange::new()
        .learn_quota(None)
        .learn_rate(None)
        .move_damping(None)
        .unlearned(Unlearned::Deliver);
    device
        .change(Instant::ZERO, &off, drop)
        .expect("it is as before");
}

/// Any frame from the overlay.
pub fn transmit(input: &[u8]) {
    let Some((&options, bytes)) = input.split_first() else {
        return;
    };
    let (west, east) = if options & 128 != 0 {
        (IpAddr::from([0xfd; 16]), IpAddr::from([0xfe; 16]))
    } else {
        (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]))
    };
    let vni = Vni::truncate(42);
    let mut sender = device(options, WEST, west, east, vni);
    let mut other = sender.remote(east);
    other.port = 8472;
    sender
        .fdb_append(Instant::ZERO, Mac::ZERO, other)
        .expect("there is room");
    let mut receiver = device(options, EAST, east, west, vni);
    let mut worker = Worker::new(Instant::ZERO);
    let mut buffer = vec![0; HEADROOM];
    buffer.extend_from_slice(bytes);
    let mut frame = Packet::new(&mut buffer, HEADROOM, bytes.len()).expect("it fits");
    frame.mark = u32::from(options) << 16 | 7;
    let Egress::Forward(remotes) = sender.transmit(&mut worker, &mut frame) else {
        assert!(bytes.len() < ethernet::Header::LEN);
        return;
    };
    let mut ports = Vec::new();
    for remote in remotes {
        let route = Ok(Route::new(west, 9000));
        let outer = match sender.encapsulate(&mut worker, &mut frame, remote, route) {
            Encapsulated::Send(outer) => outer,
            Encapsulated::Local(_) => unreachable!("the route is not local"),
            Encapsulated::Drop(_) => continue,
            _ => continue,
        };
        ports.push(outer.source_port());
        let addresses = Addresses::new(west, east).expect("one family");
        assert_ne!(
            udp::verify(addresses, outer.udp_datagram()),
            udp::Verdict::Invalid
        );
        let tos = if east.is_ipv4() {
            let (ip, options, _) = ipv4::Header::parse(outer.ip_packet()).expect("we built it");
            assert!(ip.verify_checksum(options));
            ip.tos()
        } else {
            let (ip, _) = ipv6::Header::parse(outer.ip_packet()).expect("we built it");
            ip.traffic_class()
        };
        let mut copy = outer.udp_payload().to_vec();
        let len = copy.len();
        let mut datagram = Packet::new(&mut copy, 0, len).expect("it fits");
        let mut far = Worker::new(Instant::ZERO);
        match receiver.receive(&mut far, &Underlay::new(west).tos(tos), &mut datagram) {
            Ingress::Deliver(..) => assert_eq!(datagram.bytes(), bytes),
            Ingress::Drop(reason, _) => assert!(
                matches!(reason, DropReason::LocalMac | DropReason::InvalidSourceMac),
                "{reason}"
            ),
            other => panic!("{other:?}"),
        }
    }
    assert!(
        ports.windows(2).all(|pair| pair[0] == pair[1]),
        "one port a flow"
    );
    assert_eq!(
        worker.stats.tx_packets + worker.stats.tx_dropped + worker.stats.tx_errors,
        2,
        "each copy counts once"
    );
}
