//! Frames that come back to the overlay they came from. Needs no privilege.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

#[path = "runner/ports.rs"]
mod ports;

use std::net::IpAddr;

use vxlan_core::fdb::{Flags, Key, Mode, State, Update};
use vxlan_core::{Config, Mac, Neighbour, Vni};
use vxlan_std::{Buffer, DeviceId, Vtep};

const OWN: Mac = Mac::new([2, 0, 0, 0, 1, 1]);
const HOST: Mac = Mac::new([2, 0, 0, 0, 0, 0xa]);
const ROUTER: Mac = Mac::new([2, 0, 0, 0, 0, 0xf]);
const STATION: Mac = Mac::new([2, 0, 0, 0, 0, 0xb]);
/// The longest IPv4 packet, which is what the loopback interface carries, less the 50 bytes that
/// VXLAN adds.
const ROOM: u16 = u16::MAX - 50;

/// An Ethernet frame with an IPv4 packet of `len` bytes, from 10.0.0.1 to 10.0.0.2, DF set.
fn frame(to: Mac, len: u16) -> Vec<u8> {
    let mut bytes = [&to.octets()[..], &HOST.octets(), &[8, 0, 0x45, 0]].concat();
    bytes.extend(len.to_be_bytes());
    bytes.extend([0, 0, 0x40, 0, 33, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    bytes.resize(14 + usize::from(len), 0x5a);
    bytes
}

fn device(change: impl Fn(Config) -> Config) -> (Vtep, DeviceId) {
    let config = Config::new(Vni::new(42).unwrap())
        .port(ports::free())
        .local(IpAddr::from([127, 0, 0, 1]))
        .local_bypass(false);
    let mut vtep = Vtep::new();
    let id = vtep.add(change(config), OWN).unwrap();
    (vtep, id)
}

/// T-28: each path that is too narrow is told of, and the frame is the same for the next remote
/// and for other devices of this host; no longer once the device has left its bridge.
#[test]
fn t28_a_reply_for_each_path_and_the_frame_stays() {
    let (mut vtep, id) = device(|config| config);
    for last in [2, 3, 4] {
        let remote = vtep.remote(id, IpAddr::from([127, 0, 0, last])).unwrap();
        vtep.fdb_append(id, Mac::ZERO, remote).unwrap();
    }
    let mut buffer = Buffer::new();
    let mut replies = |port, len| {
        vtep.device_mut(id).unwrap().set_bridge_port(port);
        let frame = frame(STATION, len);
        buffer
            .frame_area()
            .get_mut(..frame.len())
            .unwrap()
            .copy_from_slice(&frame);
        let sent = vtep.send(id, &mut buffer, frame.len());
        assert_eq!(
            (sent.len, sent.local, sent.dropped),
            (frame.len(), &[][..], None)
        );
        let replies: Vec<Vec<u8>> = sent.replies.iter().map(<[u8]>::to_vec).collect();
        assert!(buffer.frame(frame.len()) == frame, "it stays");
        let stats = vtep.stats(id).unwrap();
        (replies, stats.rx_packets)
    };
    assert_eq!(replies(true, ROOM), (vec![], 0), "just right");
    let (told, received) = replies(true, ROOM + 1);
    assert_eq!((told.len(), received), (3, 3));
    for reply in &told {
        assert_eq!(reply.len(), 14 + 576);
        let macs = [HOST.octets(), STATION.octets()].concat();
        assert_eq!(reply.get(..12), Some(&macs[..]));
        // Destination unreachable, fragmentation needed, and how long a packet may be.
        assert_eq!(reply.get(34..36), Some(&[3, 4][..]));
        assert_eq!(reply.get(40..42), Some(&ROOM.to_be_bytes()[..]));
        let quoted = &frame(STATION, ROOM + 1);
        assert_eq!(reply.get(42..), quoted.get(14..14 + 548));
    }
    assert_eq!(replies(false, ROOM + 1), (vec![], 3), "no port of a bridge");
    assert_eq!(replies(true, ROOM), (vec![], 3), "replies are not kept");
}

/// T-05, T-10: what went to a router comes back to the overlay if its receiver is there, from the
/// router's address; it is counted both ways, and its sender is not learned anew.
#[test]
fn t10_back_from_the_router() {
    let (mut vtep, id) = device(|config| config.route_short_circuit(true));
    let nowhere = vtep.remote(id, IpAddr::from([0, 0, 0, 0])).unwrap();
    let peer = vtep.remote(id, IpAddr::from([127, 0, 0, 2])).unwrap();
    for (mac, flags, remote) in [
        (ROUTER, Flags::SELF | Flags::ROUTER, peer),
        (STATION, Flags::SELF, nowhere),
    ] {
        let update = Update {
            key: Key { mac, vni: 42 },
            state: State::PERMANENT,
            flags,
            mode: Mode::CREATE,
            destination: remote.into(),
            limit: 0,
        };
        vtep.fdb_update(id, &update).unwrap();
    }
    let table = vtep.neighbours_mut(id).unwrap();
    table.insert(IpAddr::from([10, 0, 0, 2]), Neighbour::permanent(STATION));
    let mut buffer = Buffer::new();
    for (to, local) in [(ROUTER, &[id][..]), (STATION, &[])] {
        let sent_frame = frame(to, 100);
        buffer.frame_area()[..114].copy_from_slice(&sent_frame);
        let sent = vtep.send(id, &mut buffer, 114);
        assert_eq!((sent.len, sent.local), (114, local));
        assert_eq!(sent.replies.iter().count(), 0);
        if to == ROUTER {
            let macs = [STATION.octets(), ROUTER.octets()].concat();
            let want = [&macs, &sent_frame[12..]].concat();
            assert_eq!(buffer.frame(114), want);
        }
    }
    let stats = vtep.stats(id).unwrap();
    assert_eq!((stats.tx_packets, stats.rx_packets), (1, 1));
    assert_eq!((stats.tx_bytes, stats.rx_bytes), (114, 114));
    assert_eq!(stats.tx_dropped, 1, "straight to the station");
}
