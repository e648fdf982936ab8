//! A proxy and a short-circuit between any bytes and any neighbour.

use std::net::IpAddr;

use vxlan_core::fdb::{Flags, Key, Mode, State, Update};
use vxlan_core::neighbour::{Lookup, Neighbour};
use vxlan_core::wire::ethernet::{self, EtherType};
use vxlan_core::wire::{ipv6, ndisc};
use vxlan_core::{
    Compat, Config, Device, DropReason, Egress, Encapsulated, Event, Instant, Mac, Packet, Route,
    Vni, Worker, fdb, packet::HEADROOM,
};

/// The neighbour, behind what its number makes of the entry: a tunnel, the bridge, nothing.
const NEIGHBOUR: Mac = Mac::new([2, 0, 0, 0, 0, 7]);
const LOCAL: [u8; 4] = [192, 0, 2, 1];

/// Options, the neighbour table's answer, the room before the frame; then the frame.
pub fn suppress(input: &[u8]) {
    let [options, kind, state, room, bytes @ ..] = input else {
        return;
    };
    let on = |bit: u8| options & 1 << bit != 0;
    let compat = if on(0) {
        Compat::RFC_7348
    } else {
        Compat::LINUX_6
    };
    let config = Config::new(Vni::truncate(42))
        .local(LOCAL.into())
        .remote([192, 0, 2, 2].into())
        .compat(compat)
        .proxy(on(1))
        .route_short_circuit(on(2))
        .l3miss(on(3));
    let storage = fdb::Fixed::<8, 8, 16>::new();
    let mut device =
        Device::new(config, Mac::new([2, 0, 0, 0, 0, 1]), storage, Instant::ZERO).expect("legal");
    device.set_up(true);
    device.set_arp(!on(4));
    let mut enter = |mac, last: u8, flags| {
        let to = if last == 0 { [0; 4] } else { [192, 0, 2, last] };
        let update = Update {
            key: Key { mac, vni: 42 },
            state: State::PERMANENT,
            flags,
            mode: Mode::CREATE,
            destination: device.remote(to.into()).into(),
            limit: 0,
        };
        device
            .fdb_mut()
            .update(Instant::ZERO, &update)
            .expect("there is room");
    };
    // Whatever the frame is for is a router.
    if let Some(mac) = bytes.first_chunk().copied().map(Mac::new).filter(|_| on(5)) {
        enter(mac, 3, Flags::ROUTER);
    }
    match kind >> 4 & 3 {
        0 => {}
        1 => enter(NEIGHBOUR, 0, Flags::empty()),
        2 => enter(NEIGHBOUR, 4, Flags::ROUTER),
        _ => enter(NEIGHBOUR, 4, Flags::empty()),
    }
    let answer = match kind & 3 {
        0 => Lookup::NoTable,
        1 => Lookup::Unknown,
        _ => Lookup::Found(Neighbour {
            mac: NEIGHBOUR,
            state: State::from_bits_retain((*state).into()),
            router: kind & 4 != 0,
        }),
    };
    let room = if on(6) { HEADROOM } else { usize::from(*room) };
    let mut buffer = vec![0; room];
    buffer.extend_from_slice(bytes);
    let mut frame = Packet::new(&mut buffer, room, bytes.len()).expect("it fits");
    let mut worker = Worker::new(Instant::ZERO);
    let table = |_: IpAddr| answer;
    let (egress, miss) = device.transmit_with(&mut worker, &mut frame, &table);
    match miss {
        None => {}
        Some(Event::L3Miss(_)) => assert!(on(3) && answer == Lookup::Unknown),
        Some(other) => panic!("{other:?}"),
    }
    match egress {
        Egress::Reply(_) => {
            assert!(on(1) && miss.is_none());
            check_reply(frame.bytes());
        }
        Egress::Consumed => assert!(on(1)),
        Egress::Drop(reason, _) => {
            assert!(matches!(
                reason,
                DropReason::InnerHeaderTruncated
                    | DropReason::ArpTruncated
                    | DropReason::NoHeadroom
            ));
            assert_eq!(worker.stats.tx_dropped, 1);
        }
        Egress::Forward(remotes) => {
            let short = frame.bytes() != bytes;
            assert!(!short || on(2) && frame.bytes()[12..] == bytes[12..]);
            let remotes: Vec<_> = remotes.copied().collect();
            for remote in remotes {
                let route = Ok(Route::new(LOCAL.into(), 9000));
                let own = matches!(
                    device.encapsulate(&mut worker, &mut frame, &remote, route),
                    Encapsulated::Own(_)
                );
                assert!(!own || on(2));
            }
        }
        other => panic!("{other:?}"),
    }
}

/// An answer is whole and true.
fn check_reply(bytes: &[u8]) {
    let (header, packet) = ethernet::Header::parse(bytes).expect("a frame");
    assert_eq!(header.source(), NEIGHBOUR);
    if header.ethertype() == EtherType::ARP {
        assert_eq!((bytes.len(), &packet[8..14]), (42, &NEIGHBOUR.octets()[..]));
        return;
    }
    let (ip, message) = ipv6::Header::parse(packet).expect("a packet");
    assert_eq!((bytes.len(), ip.hop_limit()), (86, 255));
    assert!(ndisc::checksum_is_valid(ip.addresses(), message));
}
