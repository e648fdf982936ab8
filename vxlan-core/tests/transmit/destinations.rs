//! Where frames go.

use super::*;

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
