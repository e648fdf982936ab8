//! Receive, check by check, in the kernel's order.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

mod common;

use common::*;
use proptest::prelude::*;
use vxlan_core::device::PacketType;
use vxlan_core::wire::vxlan::ReservedBits;
use vxlan_core::{Compat, DropReason, Event, IfIndex, Ingress, Mac, Underlay};

const I: u32 = 0x0800_0000;
const VNI: u32 = 42 << 8;

fn from() -> Underlay {
    Underlay::new(ip("192.0.2.2"))
}

fn plain_frame() -> Vec<u8> {
    frame(OWN, mac(9), 0x0800, &ipv4(0, 64))
}

/// the first failing check decides, and only some count.
#[test]
fn r15_one_reason_each() {
    let good = plain_frame();
    let own = frame(OWN, OWN, 0x88b5, &[]);
    let zero = frame(OWN, Mac::ZERO, 0x88b5, &[]);
    let cut4 = frame(OWN, mac(9), 0x0800, &ipv4(0, 64)[..19]);
    let cut6 = frame(OWN, mac(9), 0x86dd, &ipv6(0, 64, 0)[..39]);
    let not_ect = frame(OWN, mac(9), 0x0800, &ipv4(0, 64));
    use DropReason as D;
    for (name, payload, tos, reason, errors) in [
        (
            "no header",
            datagram(I, VNI, &[])[..7].to_vec(),
            0,
            D::PacketTooSmall,
            (0, 0, 0),
        ),
        (
            "no I flag",
            datagram(!I, VNI, &good),
            0,
            D::InvalidHeader,
            (0, 0, 0),
        ),
        (
            "other VNI",
            datagram(!0, 43 << 8, &good),
            0,
            D::VniNotFound,
            (0, 0, 0),
        ),
        (
            "reserved flag",
            datagram(I | 1, VNI, &[]),
            0,
            D::ReservedBits,
            (1, 1, 0),
        ),
        (
            "reserved byte",
            datagram(I, VNI | 1, &good),
            0,
            D::ReservedBits,
            (1, 1, 0),
        ),
        (
            "13 bytes",
            datagram(I, VNI, &good[..13]),
            0,
            D::InnerTooShort,
            (0, 0, 0),
        ),
        (
            "own source",
            datagram(I, VNI, &own),
            0,
            D::LocalMac,
            (0, 0, 0),
        ),
        (
            "zero source",
            datagram(I, VNI, &zero),
            0,
            D::InvalidSourceMac,
            (0, 0, 0),
        ),
        (
            "IPv4 cut",
            datagram(I, VNI, &cut4),
            3,
            D::InnerHeaderTruncated,
            (1, 0, 1),
        ),
        (
            "IPv6 cut",
            datagram(I, VNI, &cut6),
            3,
            D::InnerHeaderTruncated,
            (1, 0, 1),
        ),
        (
            "not ECT under CE",
            datagram(I, VNI, &not_ect),
            3,
            D::TunnelEcn,
            (1, 1, 0),
        ),
    ] {
        let mut device = device(config());
        let got = receive(&mut device, &from().tos(tos), &payload);
        let Ingress::Drop(was, _) = got.ingress else {
            panic!("{name}: {:?}", got.ingress);
        };
        assert_eq!(was, reason, "{name}");
        let stats = got.stats;
        let counted = (
            stats.rx_errors,
            stats.rx_frame_errors,
            stats.rx_length_errors,
        );
        assert_eq!(counted, errors, "{name}");
        assert_eq!(stats.rx_packets + stats.rx_dropped, 0, "{name}");
        for other in DropReason::ALL {
            assert_eq!(
                stats.drops(other),
                u64::from(other == reason),
                "{name}: {other}"
            );
        }
    }
}

/// what is delivered is the inner frame, counted without its Ethernet header.
#[test]
fn r16_delivered_frames() {
    let mut device = device(config().learning(false));
    for (name, destination, source, want) in [
        ("host", OWN, mac(9), PacketType::Host),
        ("other", mac(7), mac(9), PacketType::OtherHost),
        ("broadcast", Mac::BROADCAST, mac(9), PacketType::Broadcast),
        (
            "group",
            Mac::new([1, 0, 0x5e, 0, 0, 1]),
            mac(9),
            PacketType::Multicast,
        ),
        (
            "group source, not learning",
            OWN,
            Mac::BROADCAST,
            PacketType::Host,
        ),
    ] {
        let inner = frame(destination, source, 0x0040, &[1, 2, 3]);
        let got = receive(&mut device, &from(), &datagram(I, VNI, &inner));
        let Ingress::Deliver(metadata, None) = got.ingress else {
            panic!("{name}: {:?}", got.ingress);
        };
        assert_eq!(
            (metadata.packet_type, metadata.vni),
            (want, vni()),
            "{name}"
        );
        assert_eq!(got.bytes, inner, "{name}");
        assert_eq!((got.stats.rx_packets, got.stats.rx_bytes), (1, 3), "{name}");
    }
    let shortest = frame(OWN, mac(9), 0x88b5, &[]);
    assert!(receive(&mut device, &from(), &datagram(I, VNI, &shortest)).delivered());
}

/// each of the bits outside of I and VNI, under three rules.
#[test]
fn r07_lesson_reserved_bits_in_three_modes() {
    let inner = plain_frame();
    let mut released = [0u8; 8];
    released.copy_from_slice(&ReservedBits::PLAIN.octets());
    released[1] = 0x7f; // bit 23 is allowed
    let mut linux = device(config());
    let mut some = device(config().reserved_bits(ReservedBits::new(released)));
    let mut rfc = device(config().compat(Compat::RFC_7348).port(4789));
    let mut old = device(config().compat(Compat::LINUX_4_3).port(4789));
    for bit in 0..64 {
        let header = u64::from(I) << 32 | u64::from(VNI);
        if bit == 59 || (8..32).contains(&bit) {
            continue; // I, VNI
        }
        let flipped = (header | 1 << bit).to_be_bytes();
        let payload = [&flipped[..], &inner].concat();
        let strict = receive(&mut linux, &from(), &payload);
        assert!(
            matches!(
                strict.ingress,
                Ingress::Drop(DropReason::ReservedBits, None)
            ),
            "{bit}"
        );
        assert_eq!(
            receive(&mut some, &from(), &payload).delivered(),
            bit == 55,
            "{bit}"
        );
        assert!(receive(&mut rfc, &from(), &payload).delivered(), "{bit}");
        let handed_back = receive(&mut old, &from(), &payload);
        assert_eq!(handed_back.ingress, Ingress::NotVxlan, "{bit}");
        assert_eq!(handed_back.bytes, payload, "handed back unchanged");
    }
}

/// the old driver hands back what is no VXLAN packet.
#[test]
fn r01_r02_handed_back_by_linux_4_3() {
    let mut old = device(config().compat(Compat::LINUX_4_3).port(4789));
    for payload in [vec![8; 7], datagram(0, VNI, &plain_frame())] {
        let got = receive(&mut old, &from(), &payload);
        assert_eq!(got.ingress, Ingress::NotVxlan);
        assert_eq!(got.bytes, payload);
    }
    let short = receive(&mut old, &from(), &datagram(I, VNI, &[0; 13]));
    assert!(matches!(
        short.ingress,
        Ingress::Drop(DropReason::InnerTooShort, None)
    ));
}

/// the mark follows the policy if there is one.
#[test]
fn r06_r13_group_policy() {
    let g = 0x8000_0000;
    for (name, compat, gbp, flags, want) in [
        (
            "policy",
            Compat::LINUX_6,
            true,
            I | g | 0x0048_1234,
            Some(0x0048_1234),
        ),
        (
            "other bits of its byte",
            Compat::LINUX_6,
            true,
            I | g | 0x00b7_0001,
            Some(1),
        ),
        (
            "policy without G",
            Compat::LINUX_6,
            true,
            I | 0x1234,
            Some(0x1111),
        ),
        ("plain packet", Compat::LINUX_6, true, I, Some(0x1111)),
        ("not a policy device", Compat::LINUX_6, false, I | g, None),
        ("old driver, no policy", Compat::LINUX_4_3, true, I, Some(0)),
        (
            "old driver, policy",
            Compat::LINUX_4_3,
            true,
            I | g | 7,
            Some(7),
        ),
        (
            "old driver, policy without G",
            Compat::LINUX_4_3,
            true,
            I | 7,
            None,
        ),
    ] {
        let mut device = device(config().compat(compat).port(4789).gbp(gbp));
        let got = receive(&mut device, &from(), &datagram(flags, VNI, &plain_frame()));
        assert_eq!(got.delivered().then_some(got.mark), want, "{name}");
    }
}

/// the don't-learn bit is passed on in the mark and has no influence on learning, as in
/// Linux.
#[test]
fn r12_dont_learn_does_not_stop_learning() {
    let mut device = device(config().gbp(true));
    let payload = datagram(I | 0x8040_0000, VNI, &plain_frame());
    let got = receive(&mut device, &from(), &payload);
    assert_eq!(got.mark, 0x0040_0000);
    assert!(matches!(got.event(), Some(Event::Learned(_))));
}

/// a frame that is dropped for its congestion bits or its length was learned before.
#[test]
fn r11_learned_though_dropped() {
    for (tos, inner) in [(3, ipv4(0, 64)), (0, vec![0x45])] {
        let mut device = device(config());
        let payload = datagram(I, VNI, &frame(OWN, mac(9), 0x0800, &inner));
        let got = receive(&mut device, &from().tos(tos), &payload);
        assert!(!got.delivered());
        assert!(matches!(got.event(), Some(Event::Learned(_))));
        assert!(device.fdb().find(&device.key(mac(9))).is_some());
    }
}

/// the bits change inside, IPv4 and IPv6; tagged and other frames stay as they are.
#[test]
fn r14_congestion_bits() {
    let tagged = [&[0, 5, 0x08, 0x00][..], &ipv4(0, 64)].concat();
    for (name, ethertype, payload, outer, want) in [
        ("v4 CE", 0x0800, ipv4(2, 64), 3, Some(3)),
        ("v4 ECT(1)", 0x0800, ipv4(2, 64), 1, Some(1)),
        ("v4 kept", 0x0800, ipv4(1, 64), 2, Some(1)),
        ("v6 CE", 0x86dd, ipv6(1, 64, 5), 3, Some(3)),
        ("v6 dropped", 0x86dd, ipv6(0, 64, 5), 3, None),
        ("tagged", 0x8100, tagged, 3, Some(0)),
        ("not IP", 0x88b5, vec![0; 20], 3, Some(0)),
    ] {
        let mut device = device(config());
        let inner = frame(OWN, mac(9), ethertype, &payload);
        let got = receive(&mut device, &from().tos(outer), &datagram(I, VNI, &inner));
        let ecn = got.delivered().then(|| match ethertype {
            0x0800 => {
                assert_eq!(
                    vxlan_core::checksum::sum(&got.bytes[14..34]),
                    0xffff,
                    "{name}"
                );
                got.bytes[15] & 3
            }
            0x86dd => got.bytes[15] >> 4 & 3,
            _ => {
                assert_eq!(got.bytes, inner, "{name}");
                0
            }
        });
        assert_eq!(ecn, want, "{name}");
    }
    let mut device = device(config().compat(Compat::LINUX_4_3).port(4789));
    let inner = frame(OWN, mac(9), 0x0800, &ipv4(2, 64));
    let got = receive(&mut device, &from().tos(1), &datagram(I, VNI, &inner));
    assert_eq!(got.bytes[15] & 3, 2, "the old driver leaves ECT(0)");
}

/// L-01: a known source at its place brings no event and changes no more than when it was last heard.
#[test]
fn l01_known_source() {
    let mut device = device(config());
    let payload = datagram(I, VNI, &plain_frame());
    let learned = receive_at(&mut device, 1_000, &from(), &payload);
    assert!(matches!(learned.event(), Some(Event::Learned(_))));
    let (key, before) = (device.key(mac(9)), device.fdb().iter().count());
    let first = device
        .fdb()
        .iter()
        .find(|record| record.key == key)
        .unwrap();
    let again = receive_at(&mut device, 61_000, &from(), &payload);
    assert!(again.delivered());
    assert_eq!(again.event(), None);
    assert_eq!(device.fdb().iter().count(), before);
    let record = device
        .fdb()
        .iter()
        .find(|record| record.key == key)
        .unwrap();
    assert_eq!((record.state, record.flags), (first.state, first.flags));
    assert_eq!(record.destination, first.destination);
    let entry = device.fdb().find(&key).unwrap();
    assert_eq!(entry.updated(), vxlan_core::Instant::from_millis(61_000));
    assert_eq!(entry.used(), vxlan_core::Instant::from_millis(1_000));
}

/// L-05: an odd source is dropped only where it would be learned; the old driver learns it.
#[test]
fn l05_lesson_invalid_source() {
    for source in [Mac::ZERO, Mac::BROADCAST, Mac::new([1, 2, 3, 4, 5, 6])] {
        let payload = datagram(I, VNI, &frame(OWN, source, 0x88b5, &[]));
        assert!(!receive(&mut device(config()), &from(), &payload).delivered());
        assert!(receive(&mut device(config().learning(false)), &from(), &payload).delivered());
        let old = Compat::LINUX_4_3;
        // The default entry would be taken for the all-zeros source.
        let mut old = device(config().compat(old).port(4789).remote(ip("0.0.0.0")));
        let got = receive(&mut old, &from(), &payload);
        assert!(matches!(got.event(), Some(Event::Learned(_))), "{source}");
    }
}

/// A device with a link-local address hears only its own interface.
#[test]
fn r08_link_local_devices_hear_one_interface() {
    let eth = IfIndex::new(10);
    let mut device = device(
        config6()
            .local(ip("fe80::1"))
            .remote(ip("fe80::2"))
            .lower(eth),
    );
    let payload = datagram(I, VNI, &plain_frame());
    let from = Underlay::new(ip("fe80::2"));
    assert!(receive(&mut device, &from.ifindex(eth), &payload).delivered());
    assert!(!receive(&mut device, &from.ifindex(IfIndex::new(12)), &payload).delivered());
    assert!(!receive(&mut device, &from, &payload).delivered());
}

#[test]
fn a_device_that_is_down_drops_and_counts() {
    let mut device = device(config());
    device.stop().for_each(drop);
    let got = receive(&mut device, &from(), &datagram(I, VNI, &plain_frame()));
    assert!(matches!(
        got.ingress,
        Ingress::Drop(DropReason::DeviceDown, None)
    ));
    assert_eq!(got.stats.rx_dropped, 1);
    assert!(
        device.fdb().find(&device.key(mac(9))).is_none(),
        "nothing learned"
    );
}

proptest! {
    /// R-01 and the truncation lessons: any bytes end in exactly one way.
    #[test]
    fn r15_lesson_any_bytes_have_one_end(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        valid in any::<bool>(),
        learning in any::<bool>(),
        tos in any::<u8>(),
    ) {
        let payload = if valid { datagram(I, VNI, &bytes) } else { bytes };
        let mut device = device(config().learning(learning));
        let got = receive(&mut device, &from().tos(tos), &payload);
        let drops: u64 = DropReason::ALL.iter().map(|reason| got.stats.drops(*reason)).sum();
        prop_assert_eq!(drops + got.stats.rx_packets, 1);
        prop_assert_eq!(got.delivered(), got.stats.rx_packets == 1);
    }
}
