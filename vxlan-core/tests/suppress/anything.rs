//! Any bytes, any answer of the neighbour table.

use std::net::IpAddr;

use proptest::prelude::*;
use vxlan_core::fdb::{Flags, State};
use vxlan_core::neighbour::Lookup;
use vxlan_core::packet::HEADROOM;
use vxlan_core::{
    Compat, DropReason, Egress, Event, Instant, Mac, Neighbour, Packet, TunnelInfo, Worker,
};

use super::lab::{ASKER, End, KNOWN, entry, known, run};
use crate::common::{OWN, config, device, frame, ip, mac};

fn answer() -> impl Strategy<Value = Lookup> {
    let neighbour =
        (any::<[u8; 6]>(), any::<u16>(), any::<bool>()).prop_map(|(mac, state, router)| {
            Lookup::Found(Neighbour {
                mac: Mac::new(mac),
                state: State::from_bits_retain(state),
                router,
            })
        });
    prop_oneof![
        4 => neighbour,
        4 => (0u8..5).prop_map(|last| Lookup::Found(Neighbour::permanent(mac(last)))),
        1 => Just(Lookup::Unknown),
        1 => Just(Lookup::NoTable),
    ]
}

/// Mostly what concerns a proxy or a router.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let arp = (any::<[u8; 20]>(), 0u16..3).prop_map(|(rest, operation)| {
        let head = [&[0, 1, 8, 0, 6, 4][..], &operation.to_be_bytes(), &rest].concat();
        frame(Mac::BROADCAST, ASKER, 0x0806, &head)
    });
    let solicitation = (
        any::<[u8; 8]>(),
        any::<[u8; 32]>(),
        any::<[u8; 16]>(),
        proptest::collection::vec(0u8..4, 0..40),
    )
        .prop_map(|(mut head, addresses, target, options)| {
            head[6] = 58;
            let message = [&[135, 0, 0, 0, 0, 0, 0, 0][..], &target, &options].concat();
            let packet = [&head[..], &addresses, &message].concat();
            frame(mac(3), ASKER, 0x86dd, &packet)
        });
    let routed = (
        0u8..5,
        prop_oneof![Just(0x0800), Just(0x86dd), any::<u16>()],
        proptest::collection::vec(any::<u8>(), 0..60),
    )
        .prop_map(|(to, ethertype, rest)| frame(mac(to), OWN, ethertype, &rest));
    let noise = proptest::collection::vec(any::<u8>(), 0..120);
    let cut = any::<prop::sample::Index>();
    (
        prop_oneof![3 => arp, 3 => solicitation, 3 => routed, 1 => noise],
        cut,
        any::<bool>(),
    )
        .prop_map(|(mut bytes, cut, whole)| {
            if !whole {
                bytes.truncate(cut.index(bytes.len() + 1));
            }
            bytes
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    /// T-01, T-02, T-05, A-08, A-10: every frame has one end; what leaves is what came but for
    /// two MAC addresses, what is answered is an answer, and at most one miss is told.
    #[test]
    fn every_frame_has_one_end(
        bytes in bytes(),
        answer in answer(),
        flags in 0u8..64,
        room in 0usize..100,
    ) {
        let flag = |bit: u8| flags & 1 << bit != 0;
        let compat = if flag(0) { Compat::RFC_7348 } else { Compat::LINUX_6 };
        let mut device = device(
            config().compat(compat).proxy(flag(1)).route_short_circuit(flag(2)).l3miss(flag(3)),
        );
        device.set_arp(!flag(4));
        entry(&mut device, mac(1), "192.0.2.3", Flags::ROUTER);
        entry(&mut device, mac(2), "0.0.0.0", Flags::empty());
        entry(&mut device, mac(4), "0.0.0.0", Flags::ROUTER);
        let room = if flag(5) { HEADROOM } else { room };
        let mut buffer = [&vec![0; room][..], &bytes].concat();
        let mut packet = Packet::new(&mut buffer, room, bytes.len()).unwrap();
        let mut worker = Worker::new(Instant::ZERO);
        let table = |_: IpAddr| answer;
        let (egress, miss) = device.transmit_with(&mut worker, &mut packet, &table);
        let forwarded = matches!(egress, Egress::Forward(_));
        let is_arp = bytes.get(12..14) == Some(&[8, 6]);
        match egress {
            Egress::Forward(_) => {
                prop_assert!(!(flag(1) && is_arp));
                let same = packet.bytes() == bytes;
                prop_assert!(same || flag(2) && packet.bytes()[12..] == bytes[12..]);
            }
            Egress::Reply(_) => {
                prop_assert!(flag(1) && miss.is_none());
                prop_assert_eq!(packet.len(), if is_arp { 42 } else { 86 });
                let Lookup::Found(neighbour) = answer else {
                    panic!("an answer for nobody");
                };
                prop_assert_eq!(&packet.bytes()[6..12], &neighbour.mac.octets());
                prop_assert!(neighbour.state.intersects(Neighbour::CONNECTED));
            }
            Egress::Consumed => prop_assert!(flag(1)),
            Egress::Drop(reason, None) => {
                prop_assert_eq!(worker.stats.tx_dropped, 1);
                match reason {
                    DropReason::InnerHeaderTruncated => prop_assert!(bytes.len() < 14),
                    DropReason::ArpTruncated => prop_assert!(is_arp && bytes.len() < 42),
                    DropReason::NoHeadroom => prop_assert!(room + bytes.len() < 86),
                    other => panic!("{other}"),
                }
            }
            other => panic!("{other:?}"),
        }
        if let Some(Event::L3Miss(_)) = miss {
            prop_assert!(flag(3) && answer == Lookup::Unknown);
            prop_assert!(!forwarded || packet.bytes() == bytes);
        } else {
            prop_assert!(miss.is_none());
        }
        prop_assert_eq!(worker.stats.rx_packets, 0);
    }
}

/// An answer longer than the question grows into the tailroom, else into the headroom; without
/// either the frame is dropped.
#[test]
fn room_for_the_answer() {
    let device = device(config().proxy(true));
    let mut ask = [
        &[0; 6][..],
        &ASKER.octets(),
        &[0x86, 0xdd, 0x60, 0, 0, 0, 0, 24, 58, 255],
    ]
    .concat();
    for address in ["fd00::1", "fd00::2"] {
        let IpAddr::V6(address) = ip(address) else {
            panic!("IPv6");
        };
        ask.extend(address.octets());
    }
    ask.extend([135, 0, 0, 0, 0, 0, 0, 0]);
    ask.extend_from_within(38..54); // the target is the destination
    assert_eq!(ask.len(), 78);
    let table = known();
    for (headroom, tailroom, start) in [
        (0, 8, Some(0)),
        (8, 0, Some(0)),
        (100, 9, Some(100)),
        (100, 3, Some(95)),
        (100, 0, Some(92)),
        (4, 3, None),
        (0, 0, None),
    ] {
        let mut buffer = [&vec![0; headroom][..], &ask, &vec![0; tailroom]].concat();
        let mut packet = Packet::new(&mut buffer, headroom, ask.len()).unwrap();
        let mut worker = Worker::new(Instant::ZERO);
        let (egress, _) = device.transmit_with(&mut worker, &mut packet, &table);
        match start {
            Some(start) => {
                assert!(matches!(egress, Egress::Reply(_)), "{headroom} {tailroom}");
                assert_eq!((packet.headroom(), packet.len()), (start, 86));
                assert_eq!(packet.bytes()[80..], KNOWN.octets());
            }
            None => {
                assert!(matches!(egress, Egress::Drop(DropReason::NoHeadroom, None)));
                assert_eq!(worker.stats.tx_dropped, 1);
            }
        }
    }
}

/// T-01: in external mode the proxy comes before the nexthop object of the metadata, and looks in
/// the network of the metadata; a frame that names its own remote passes it by.
#[test]
fn t01_the_proxy_in_external_mode() {
    let config = vxlan_core::Config::new(vxlan_core::Vni::MIN)
        .external(true)
        .proxy(true);
    let mut device = device(config);
    let behind_the_bridge = vxlan_core::fdb::Update {
        key: vxlan_core::fdb::Key {
            mac: KNOWN,
            vni: 77,
        },
        state: State::PERMANENT,
        flags: Flags::SELF,
        mode: vxlan_core::fdb::Mode::CREATE,
        destination: device.remote(ip("0.0.0.0")).into(),
        limit: 0,
    };
    device
        .fdb_mut()
        .update(Instant::ZERO, &behind_the_bridge)
        .unwrap();
    let request = [
        0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0x0b, 0x64, 192, 168, 7, 1, 0, 0, 0, 0, 0, 0, 192, 168,
        7, 2,
    ];
    let request = frame(Mac::BROADCAST, ASKER, 0x0806, &request);
    for (vni, bridge, want) in [
        (77, true, "Consumed"),
        (78, true, "Reply"),
        (78, false, "Tunnel"),
    ] {
        let mut buffer = request.clone();
        let mut packet = Packet::new(&mut buffer, 0, request.len()).unwrap();
        let mut info = TunnelInfo::new(vni, ip("192.0.2.9"));
        info.bridge = bridge;
        info.nexthop = vxlan_core::fdb::NexthopId::new(5);
        packet.tunnel = Some(info);
        let mut worker = Worker::new(Instant::ZERO);
        let table = known();
        let (egress, _) = device.transmit_with(&mut worker, &mut packet, &table);
        assert!(
            format!("{egress:?}").starts_with(want),
            "{vni} {bridge}: {egress:?}"
        );
    }
    let mut plain = [0; 60];
    plain[12..14].copy_from_slice(&[8, 0]);
    let mut packet = Packet::new(&mut plain, 0, 60).unwrap();
    let mut info = TunnelInfo::new(78, ip("192.0.2.9"));
    info.bridge = true;
    info.nexthop = vxlan_core::fdb::NexthopId::new(5);
    packet.tunnel = Some(info);
    let mut worker = Worker::new(Instant::ZERO);
    let (egress, _) = device.transmit_with(&mut worker, &mut packet, &known());
    assert!(matches!(egress, Egress::Nexthop(_)));
}

/// A proxy of which nobody asks for neighbours knows none.
#[test]
fn without_a_table_nobody_is_answered_for() {
    let device = device(config().proxy(true).l3miss(true));
    let mut worker = Worker::new(Instant::ZERO);
    let mut bytes = frame(Mac::BROADCAST, ASKER, 0x0806, &[0, 1, 8, 0, 6, 4, 0, 1]);
    bytes.resize(60, 1);
    let mut packet = Packet::new(&mut bytes, 0, 60).unwrap();
    assert!(matches!(
        device.transmit(&mut worker, &mut packet),
        Egress::Consumed
    ));
    let down = {
        let mut device = crate::common::device(config().proxy(true));
        device.set_up(false);
        device
    };
    assert!(matches!(run(&down, &bytes, &known()).end, End::Other(_)));
}
