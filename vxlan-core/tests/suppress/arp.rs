//! ARP.

use vxlan_core::fdb::{Flags, State};
use vxlan_core::{ChecksumState, Compat, DropReason, Event, Mac, Stats};

use super::lab::{ASKER, End, KNOWN, entry, in_state, known, nexthop_entry, run};
use crate::common::{Table, config, device, frame, ip};

/// The request of the specification: 192.168.7.1 asks for 192.168.7.2.
const REQUEST: [u8; 28] = [
    0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0x0b, 0x64, 192, 168, 7, 1, 0, 0, 0, 0, 0, 0, 192, 168, 7,
    2,
];

fn proxy() -> Table {
    device(config().proxy(true).l3miss(true))
}

fn request(changes: &[(usize, &[u8])]) -> Vec<u8> {
    let mut message = REQUEST;
    for (at, bytes) in changes {
        message[*at..at + bytes.len()].copy_from_slice(bytes);
    }
    frame(Mac::BROADCAST, ASKER, 0x0806, &message)
}

fn for_target(target: [u8; 4]) -> Vec<u8> {
    request(&[(24, &target)])
}

/// the reply byte by byte, whatever the Ethernet source and the hardware type; nothing is
/// counted.
#[test]
fn a07_the_reply() {
    let want = [
        2, 0, 0, 0, 0x0b, 0x64, 2, 0, 0, 0, 0x0c, 7, 8, 6, 0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0,
        0x0c, 7, 192, 168, 7, 2, 2, 0, 0, 0, 0x0b, 0x64, 192, 168, 7, 1,
    ];
    let mut padded = request(&[]);
    padded.resize(60, 0xee);
    let mut foreign = request(&[]);
    foreign[6..12].copy_from_slice(&[2, 9, 9, 9, 9, 9]);
    for frame in [request(&[]), request(&[(1, &[6])]), padded, foreign] {
        let outcome = run(&proxy(), &frame, &known());
        assert_eq!(outcome.end, End::Reply);
        assert_eq!(outcome.bytes, want);
        assert_eq!(outcome.checksum, ChecksumState::Verified);
        assert_eq!((outcome.stats, outcome.miss), (Stats::new(), None));
    }
}

/// T-01: no ARP frame leaves a proxy; without proxy all do.
#[test]
fn t01_every_arp_frame_is_taken() {
    let plain = device(config());
    for operation in 0..=9 {
        let frame = request(&[(7, &[operation])]);
        let end = run(&proxy(), &frame, &known()).end;
        let want = match operation {
            1 => End::Reply,
            _ => End::Consumed,
        };
        assert_eq!(end, want, "operation {operation}");
        let plain = run(&plain, &frame, &known());
        assert!(matches!(plain.end, End::Forward(_)));
        assert_eq!(plain.bytes, frame);
    }
    // Behind a tag it is no ARP frame to the proxy.
    let tagged = [&request(&[])[..12], &[0x81, 0, 0, 5], &request(&[])[12..]].concat();
    assert!(matches!(
        run(&proxy(), &tagged, &known()).end,
        End::Forward(_)
    ));
}

/// with ARP off requests vanish, short ones too.
#[test]
fn a01_arp_off() {
    let mut device = proxy();
    device.set_arp(false);
    for len in [14, 20, 42] {
        let outcome = run(&device, &request(&[])[..len], &known());
        assert_eq!((outcome.end, outcome.miss), (End::Consumed, None));
        assert_eq!(outcome.stats, Stats::new());
    }
    device.set_arp(true);
    assert_eq!(run(&device, &request(&[]), &known()).end, End::Reply);
}

/// 27 bytes of a message are a drop that counts, 28 are a message.
#[test]
fn a02_short_messages() {
    for len in 14..42 {
        let outcome = run(&proxy(), &request(&[])[..len], &known());
        assert!(matches!(outcome.end, End::Other(_)), "{len}");
        assert_eq!(outcome.stats.tx_dropped, 1);
        assert_eq!(outcome.stats.drops(DropReason::ArpTruncated), 1);
    }
    assert_eq!(run(&proxy(), &request(&[]), &known()).end, End::Reply);
}

/// the form of a request; anything else brings neither reply nor miss.
#[test]
fn a03_the_form_of_a_request() {
    for (name, at, bytes, taken) in [
        ("hardware type 6", 0, &[0, 6][..], true),
        ("hardware type 0", 0, &[0, 0], false),
        ("hardware type 2", 0, &[0, 2], false),
        ("protocol IPv6", 2, &[0x86, 0xdd], false),
        ("hardware length 5", 4, &[5], false),
        ("hardware length 8", 4, &[8], false),
        ("protocol length 16", 5, &[16], false),
        ("reply", 6, &[0, 2], false),
        ("operation 256", 6, &[1, 0], false),
        ("a target MAC", 18, &[9; 6], true),
    ] {
        let outcome = run(&proxy(), &request(&[(at, bytes)]), &known());
        let want = if taken { End::Reply } else { End::Consumed };
        assert_eq!((outcome.end, outcome.miss), (want, None), "{name}");
        // Of an unknown neighbour: the form decides before the table is asked.
        let frame = request(&[(at, bytes), (24, &[10, 9, 9, 9])]);
        let miss = run(&proxy(), &frame, &known()).miss;
        assert_eq!(miss.is_some(), taken, "{name}");
    }
}

/// loopback and group addresses are nobody's; all others are asked for, claims too.
#[test]
fn a04_targets() {
    for (target, asked) in [
        ([127, 0, 0, 1], false),
        ([127, 255, 255, 255], false),
        ([224, 0, 0, 0], false),
        ([239, 255, 255, 255], false),
        ([0, 0, 0, 0], true),
        ([126, 255, 255, 255], true),
        ([128, 0, 0, 0], true),
        ([223, 255, 255, 255], true),
        ([240, 0, 0, 0], true),
        ([255, 255, 255, 255], true),
        ([192, 168, 7, 1], true),
    ] {
        let outcome = run(&proxy(), &for_target(target), &known());
        assert_eq!(outcome.end, End::Consumed);
        let want = asked.then_some(Event::L3Miss(target.into()));
        assert_eq!(outcome.miss, want, "{target:?}");
    }
}

/// of all states only those with PERMANENT, NOARP or REACHABLE in them are answered for.
#[test]
fn a05_states() {
    for bits in 0..=0x1ff {
        let state = State::from_bits_retain(bits);
        let outcome = run(&proxy(), &request(&[]), &in_state(state));
        let want = match bits & 0xc2 {
            0 => End::Consumed,
            _ => End::Reply,
        };
        assert_eq!((outcome.end, outcome.miss), (want, None), "{bits:#x}");
    }
}

/// a neighbour whose entry has no address is behind the local bridge and answers for itself;
/// only its own entry counts.
#[test]
fn a06_behind_the_local_bridge() {
    for (name, mac, to, end) in [
        ("behind a tunnel", KNOWN, "192.0.2.9", End::Reply),
        ("behind the bridge", KNOWN, "0.0.0.0", End::Consumed),
        ("somebody else", ASKER, "0.0.0.0", End::Reply),
    ] {
        let mut device = proxy();
        entry(&mut device, mac, to, Flags::empty());
        let outcome = run(&device, &request(&[]), &known());
        assert_eq!((outcome.end, outcome.miss), (end, None), "{name}");
        if mac == KNOWN {
            let used = device.fdb().find(&device.key(mac)).unwrap().used();
            assert_eq!(used.as_millis(), 5_000, "{name}: the look-up is a use");
        }
    }
}

/// an entry with a nexthop object has no first remote to look at; the neighbour is answered
/// for.
#[test]
fn lesson_first_remote_absent() {
    let mut device = proxy();
    nexthop_entry(&mut device, KNOWN, Flags::empty());
    assert_eq!(run(&device, &request(&[]), &known()).end, End::Reply);
}

/// an unknown neighbour is one miss, if the device tells them.
#[test]
fn a08_misses() {
    let frame = for_target([10, 1, 2, 3]);
    for (tells, want) in [(true, Some(Event::L3Miss(ip("10.1.2.3")))), (false, None)] {
        let device = device(config().proxy(true).l2miss(true).l3miss(tells));
        let outcome = run(&device, &frame, &known());
        assert_eq!((outcome.end, outcome.miss), (End::Consumed, want));
        assert_eq!(outcome.stats, Stats::new());
    }
}

/// a miss is the message that asks (`RTM_GETNEIGH`).
#[test]
fn a11_a_miss_is_a_question() {
    for event in [Event::L2Miss(KNOWN), Event::L3Miss(ip("fd00::2"))] {
        assert_eq!(event.message(), Some(vxlan_core::Message::Miss));
    }
}

/// RFC 5227: an answer to a probe or a claim says that the address is taken. It is for others than
/// the neighbour itself, and a claim is no question.
#[test]
fn claims_and_probes_by_the_rfc() {
    let own = KNOWN.octets();
    let (known_ip, new_ip) = ([192, 168, 7, 2], [10, 9, 9, 9]);
    let none = [0; 4];
    for (name, mac, from, target, linux, rfc) in [
        (
            "a question",
            ASKER.octets(),
            [192, 168, 7, 1],
            known_ip,
            End::Reply,
            End::Reply,
        ),
        (
            "probe by somebody",
            ASKER.octets(),
            none,
            known_ip,
            End::Reply,
            End::Reply,
        ),
        (
            "probe by the neighbour",
            own,
            none,
            known_ip,
            End::Reply,
            End::Consumed,
        ),
        (
            "claim by somebody",
            ASKER.octets(),
            known_ip,
            known_ip,
            End::Reply,
            End::Reply,
        ),
        (
            "claim by the neighbour",
            own,
            known_ip,
            known_ip,
            End::Reply,
            End::Consumed,
        ),
        (
            "claim of a new address",
            own,
            new_ip,
            new_ip,
            End::Consumed,
            End::Consumed,
        ),
    ] {
        let frame = request(&[(8, &mac), (14, &from), (24, &target)]);
        for (compat, want) in [(Compat::LINUX_6, &linux), (Compat::RFC_7348, &rfc)] {
            let device = device(config().compat(compat).proxy(true).l3miss(true));
            let outcome = run(&device, &frame, &known());
            assert_eq!(outcome.end, *want, "{name}");
            let miss = target == new_ip && compat == Compat::LINUX_6;
            assert_eq!(outcome.miss.is_some(), miss, "{name}");
        }
    }
}
