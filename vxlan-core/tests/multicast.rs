//! Frames for groups, and flows over nexthop groups.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

mod common;

use std::collections::BTreeSet;
use std::net::IpAddr;

use common::*;
use vxlan_core::fdb::{Mode, NexthopId};
use vxlan_core::mdb::{Filter, FilterMode, Request};
use vxlan_core::nexthop::{Group, Path};
use vxlan_core::packet::HEADROOM;
use vxlan_core::{
    Config, Device, DropReason, Egress, Encapsulated, Instant, Mac, Packet, Stats, TunnelInfo,
    Worker, fdb, mdb,
};

type Table = Device<mdb::With<fdb::Growable, mdb::Growable>>;

const TO_GROUP: Mac = Mac::new([1, 0, 0x5e, 1, 1, 1]);

fn device(config: Config) -> Table {
    let mut device = Device::new(config, OWN, mdb::With::default(), Instant::ZERO).unwrap();
    device.set_up(true);
    device
}

fn add(device: &mut Table, request: Request<'_>) {
    let request = request.mode(Mode::CREATE);
    device.mdb_add(&request, &mut |_, _| {}).unwrap();
}

/// From 10.0.0.1 to 239.1.1.1.
fn packet() -> Vec<u8> {
    let mut packet = ipv4(0, 33);
    packet[12..20].copy_from_slice(&[10, 0, 0, 1, 239, 1, 1, 1]);
    packet
}

/// Whom a frame would be sent to, by the table of groups or by the FDB.
#[derive(Debug, PartialEq, Eq)]
enum To {
    Group(Vec<IpAddr>),
    Fdb(Vec<IpAddr>),
    Nobody(DropReason),
}

fn to(device: &Table, bytes: &[u8], tunnel: Option<TunnelInfo>) -> (To, Stats) {
    let mut buffer = [vec![0; HEADROOM], bytes.to_vec()].concat();
    let mut packet = Packet::new(&mut buffer, HEADROOM, bytes.len()).unwrap();
    packet.tunnel = tunnel;
    let mut worker = Worker::new(Instant::ZERO);
    let to = match device.transmit(&mut worker, &mut packet) {
        Egress::Multicast(copies) => To::Group(copies.map(|remote| remote.addr).collect()),
        Egress::Forward(remotes) => To::Fdb(remotes.map(|remote| remote.addr).collect()),
        Egress::Drop(reason, None) => To::Nobody(reason),
        other => panic!("{other:?}"),
    };
    (to, worker.stats)
}

/// T-28: what asks the table of groups, and what is left to the FDB.
#[test]
fn t28_which_frames_ask() {
    let mut device = device(config());
    let flooded = || To::Fdb(vec![ip("192.0.2.2")]);
    let inner = packet();
    let plain = frame(TO_GROUP, mac(8), 0x0800, &inner);
    assert_eq!(to(&device, &plain, None).0, flooded(), "an empty table");
    add(
        &mut device,
        Request::new(ip("239.1.1.1")).remote(ip("192.0.2.3")),
    );
    add(&mut device, Request::new(ip("::")).remote(ip("192.0.2.4")));
    let for_us = || To::Group(vec![ip("192.0.2.3")]);
    let mut v6 = vec![0; 40];
    v6[0] = 0x60;
    v6[24..26].copy_from_slice(&[0xff, 0x0e]);
    let mut tagged = vec![0, 7, 8, 0];
    tagged.extend(&inner);
    for (name, frame, want) in [
        ("the group", plain, for_us()),
        (
            "cut off",
            frame(TO_GROUP, mac(8), 0x0800, &inner[..19]),
            flooded(),
        ),
        (
            "just a header",
            frame(TO_GROUP, mac(8), 0x0800, &inner[..20]),
            for_us(),
        ),
        (
            "broadcast",
            frame(Mac::BROADCAST, mac(8), 0x0800, &inner),
            flooded(),
        ),
        ("unicast", frame(mac(9), mac(8), 0x0800, &inner), flooded()),
        ("ARP", frame(TO_GROUP, mac(8), 0x0806, &inner), flooded()),
        (
            "tagged",
            frame(TO_GROUP, mac(8), 0x8100, &tagged),
            flooded(),
        ),
        (
            "IPv6",
            frame(TO_GROUP, mac(8), 0x86dd, &v6),
            To::Group(vec![ip("192.0.2.4")]),
        ),
        (
            "IPv6 cut off",
            frame(TO_GROUP, mac(8), 0x86dd, &v6[..39]),
            flooded(),
        ),
    ] {
        assert_eq!(to(&device, &frame, None).0, want, "{name}");
    }
    // Down and up again: the entries stay. Deleted: they go.
    assert_eq!(device.stop().count(), 0);
    device.set_up(true);
    assert_eq!(device.mdb().len(), 2);
    let mut told = 0;
    device.mdb_flush(&Filter::default(), &mut |_, _| told += 1);
    assert_eq!((told, device.mdb().len()), (2, 0));
}

/// T-28: nobody wants it: it ends there, and Linux counts nothing.
#[test]
fn t28_blocked_everywhere() {
    let mut device = device(config());
    let sources = [ip("10.0.0.1")];
    let request = Request::new(ip("239.1.1.1")).remote(ip("192.0.2.3"));
    add(&mut device, request.sources(FilterMode::Exclude, &sources));
    let (to, stats) = to(&device, &frame(TO_GROUP, mac(8), 0x0800, &packet()), None);
    assert_eq!(to, To::Nobody(DropReason::NoGroupRemote));
    assert_eq!(stats.drops(DropReason::NoGroupRemote), 1);
    assert!(stats.named().iter().all(|(_, count)| *count == 0));
}

/// T-28, T-07: every copy is a packet of its own, with the entry's VNI where none is given.
#[test]
fn t28_copies_on_the_wire() {
    let mut device = device(config());
    for (last, vni) in [(3, Some(0)), (4, Some(7)), (5, None)] {
        let mut request = Request::new(ip("239.1.1.1")).remote([192, 0, 2, last].into());
        request.vni = vni;
        add(&mut device, request);
    }
    let bytes = frame(TO_GROUP, mac(8), 0x0800, &packet());
    let mut buffer = [vec![0; HEADROOM], bytes.clone()].concat();
    let mut packet = Packet::new(&mut buffer, HEADROOM, bytes.len()).unwrap();
    let mut worker = Worker::new(Instant::ZERO);
    let Egress::Multicast(copies) = device.transmit(&mut worker, &mut packet) else {
        panic!("not for the group");
    };
    let mut sent = Vec::new();
    for remote in copies {
        let route = any_route(remote.addr);
        let Encapsulated::Send(outer) = device.encapsulate(&mut worker, &mut packet, remote, route)
        else {
            panic!("not sent");
        };
        let payload = outer.udp_payload();
        assert_eq!(payload[8..], bytes);
        sent.push((outer.destination(), payload[6]));
    }
    let to = |last| IpAddr::from([192, 0, 2, last]);
    assert_eq!(sent, [(to(4), 7), (to(3), 42), (to(5), 42)]);
    assert_eq!(worker.stats.tx_packets, 3);
}

/// T-28: in external mode the network is that of the frame.
#[test]
fn t28_external() {
    let config = Config::new(vxlan_core::Vni::MIN).external(true);
    let mut device = device(config);
    for (network, last) in [(5, 3), (6, 4)] {
        let mut request = Request::new(ip("239.1.1.1")).remote([192, 0, 2, last].into());
        request.network = Some(network);
        request.vni = Some(0);
        add(&mut device, request);
    }
    let bytes = frame(TO_GROUP, mac(8), 0x0800, &packet());
    for (network, want) in [
        (5, To::Group(vec![ip("192.0.2.3")])),
        (6, To::Group(vec![ip("192.0.2.4")])),
        (7, To::Nobody(DropReason::NoRemote)),
    ] {
        let mut info = TunnelInfo::new(network, ip("0.0.0.0"));
        info.bridge = true;
        assert_eq!(to(&device, &bytes, Some(info)).0, want, "{network}");
    }
}

/// T-28: a device that carries no Ethernet frames, or has no memory for it, has no such table.
#[test]
fn t28_not_for_every_device() {
    let request = Request::new(ip("239.1.1.1")).remote(ip("192.0.2.3"));
    let mut without = common::device(config());
    assert_eq!(
        without.mdb_add(&request, &mut |_, _| {}),
        Err(mdb::Error::NotSupported)
    );
    assert!(without.mdb().is_empty());
    let mut device = device(
        Config::new(vxlan_core::Vni::MIN)
            .gpe(true)
            .external(true)
            .learning(false),
    );
    let request = Request::new(ip("239.1.1.1")).remote(ip("192.0.2.3"));
    let refused = Err(mdb::Error::NotSupported);
    assert_eq!(device.mdb_add(&request, &mut |_, _| {}), refused);
    assert_eq!(device.mdb_remove(&request, &mut |_, _| {}), refused);
    assert_eq!(device.mdb_get(&request).err(), refused.err());
}

/// F-01, T-13: the flows of an entry with a nexthop group spread over all of its paths, each flow
/// over one; a path of the other IP version is none.
#[test]
fn f01_flows_over_a_nexthop_group() {
    let mut device = device(config());
    let id = NexthopId::new(7).unwrap();
    let update = fdb::Update {
        key: device.key(mac(9)),
        state: fdb::State::PERMANENT,
        flags: fdb::Flags::SELF,
        mode: Mode::CREATE,
        destination: fdb::Destination::Nexthop(id).into(),
        limit: 0,
    };
    device.fdb_update(Instant::ZERO, &update).unwrap();
    let paths: Vec<Path> = (1..=8)
        .map(|last| Path::new([192, 0, 2, last].into()))
        .collect();
    let mut seen = BTreeSet::new();
    for flow in 0..=255u8 {
        let mut inner = packet();
        inner[15] = flow;
        let bytes = frame(mac(9), mac(8), 0x0800, &inner);
        let mut buffer = [vec![0; HEADROOM], bytes.clone()].concat();
        let mut packet = Packet::new(&mut buffer, HEADROOM, bytes.len()).unwrap();
        let mut worker = Worker::new(Instant::ZERO);
        let Egress::Nexthop(found) = device.transmit(&mut worker, &mut packet) else {
            panic!("not for the nexthop group");
        };
        assert_eq!(found, id);
        let remote = device.remote_in(Group(&paths), &packet).unwrap();
        assert_eq!(device.remote_in(Group(&paths), &packet), Some(remote));
        assert_eq!((remote.port, remote.vni), (4789, 42));
        seen.insert(remote.addr);
        let other = [Path::new(ip("2001:db8::1"))];
        assert_eq!(device.remote_in(Group(&other), &packet), None);
        assert_eq!(device.remote_in(Group(&[]), &packet), None);
        device.drop_without_path(&mut worker, &packet);
        assert_eq!(worker.stats.tx_dropped, 1);
    }
    assert_eq!(seen.len(), paths.len());
}
