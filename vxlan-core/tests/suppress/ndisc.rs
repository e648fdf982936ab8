//! Neighbour discovery.

use std::net::{IpAddr, Ipv6Addr};

use vxlan_core::fdb::{Flags, State};
use vxlan_core::neighbour::Lookup;
use vxlan_core::wire::{Addresses, ipv6, ndisc};
use vxlan_core::{ChecksumState, Compat, Event, Mac, Neighbour, Stats};

use super::lab::{ASKER, End, KNOWN, entry, in_state, known, nexthop_entry, run, table};
use crate::common::{Table, config, device, frame, ip};

/// Group and solicited address of fd00::2.
const GROUP: &str = "ff02::1:ff00:2";

fn proxy() -> Table {
    device(config().proxy(true).l3miss(true))
}

fn addr(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

struct Ask<'a> {
    from: &'a str,
    to: &'a str,
    target: &'a str,
    options: &'a [u8],
    class: u8,
    hops: u8,
    kind: [u8; 2],
    next: u8,
}

const ASK: Ask<'static> = Ask {
    from: "fd00::1",
    to: GROUP,
    target: "fd00::2",
    options: &[1, 1, 2, 0, 0, 0, 0x0b, 0x64],
    class: 0,
    hops: 255,
    kind: [135, 0],
    next: 58,
};

impl Ask<'_> {
    /// The frame, its checksum right.
    fn frame(&self) -> Vec<u8> {
        let (source, destination) = (addr(self.from), addr(self.to));
        let mut message = [
            &self.kind[..],
            &[0; 6],
            &addr(self.target).octets(),
            self.options,
        ]
        .concat();
        let sum = Addresses::V6 {
            source,
            destination,
        }
        .pseudo_header_sum(58, message.len() as u32)
        .add_bytes(&message)
        .complement();
        message[2..4].copy_from_slice(&sum.to_be_bytes());
        let ip = ipv6::Header::new(&ipv6::Fields {
            traffic_class: self.class,
            flow_label: 0xf_ffff,
            payload_length: message.len() as u16,
            next_header: self.next,
            hop_limit: self.hops,
            source,
            destination,
        });
        let mac = Mac::new([0x33, 0x33, 0xff, 0, 0, 2]);
        frame(mac, ASKER, 0x86dd, &[&ip.to_bytes()[..], &message].concat())
    }
}

/// What an advertisement says: Ethernet destination, first word, destination, flags.
fn said(bytes: &[u8]) -> (Mac, u32, Ipv6Addr, u8) {
    assert_eq!(bytes.len(), 86);
    let (ip, message) = ipv6::Header::parse(&bytes[14..]).unwrap();
    assert!(ndisc::checksum_is_valid(ip.addresses(), message));
    assert_eq!(ip.source(), addr("fd00::2"));
    assert_eq!((ip.hop_limit(), ip.next_header()), (255, 58));
    assert_eq!(message[..2], [136, 0]);
    assert_eq!(message[5..8], [0; 3]);
    assert_eq!(message[8..24], addr("fd00::2").octets());
    assert_eq!(message[24..], [&[2, 1][..], &KNOWN.octets()].concat());
    assert_eq!(bytes[6..12], KNOWN.octets());
    (
        Mac::new(*bytes.first_chunk().unwrap()),
        u32::from_be_bytes(bytes[14..18].try_into().unwrap()),
        ip.destination(),
        message[4],
    )
}

/// what the advertisement copies and what it does not.
#[test]
fn a09_the_advertisement() {
    let one = addr("fd00::1");
    for (name, ask, want) in [
        ("plain", ASK, (ASKER, 0x6000_0000, one, 0x60)),
        (
            "no option",
            Ask {
                options: &[],
                ..ASK
            },
            (ASKER, 0x6000_0000, one, 0x60),
        ),
        (
            "upper half of the class",
            Ask { class: 0xbf, ..ASK },
            (ASKER, 0x6b00_0000, one, 0x60),
        ),
        (
            "no source",
            Ask {
                from: "::",
                options: &[],
                ..ASK
            },
            (ASKER, 0x6000_0000, addr("::"), 0x60),
        ),
        (
            "another address in the option",
            Ask {
                options: &[1, 1, 2, 9, 9, 9, 9, 9],
                ..ASK
            },
            (Mac::new([2, 9, 9, 9, 9, 9]), 0x6000_0000, one, 0x60),
        ),
        (
            "forwarded",
            Ask { hops: 64, ..ASK },
            (ASKER, 0x6000_0000, one, 0x60),
        ),
    ] {
        let outcome = run(&proxy(), &ask.frame(), &known());
        assert_eq!(outcome.end, End::Reply, "{name}");
        assert_eq!(said(&outcome.bytes), want, "{name}");
        assert_eq!(outcome.checksum, ChecksumState::Verified);
        assert_eq!((outcome.stats, outcome.miss), (Stats::new(), None));
    }
    // Neither a wrong checksum nor a wrong length matters to Linux.
    for at in [57, 19] {
        let mut frame = ASK.frame();
        frame[at] ^= 0xff;
        assert_eq!(run(&proxy(), &frame, &known()).end, End::Reply);
    }
}

/// the router flag is that of the FDB entry; a nexthop object has it as well.
#[test]
fn a09_routers() {
    for (flags, want) in [(Flags::ROUTER, 0xe0), (Flags::empty(), 0x60)] {
        let (mut with_remote, mut with_nexthop) = (proxy(), proxy());
        entry(&mut with_remote, KNOWN, "192.0.2.9", flags);
        nexthop_entry(&mut with_nexthop, KNOWN, flags);
        for device in [with_remote, with_nexthop] {
            let outcome = run(&device, &ASK.frame(), &known());
            assert_eq!(said(&outcome.bytes).3, want);
        }
    }
    // The table's own flag counts by the RFC only.
    let router = Neighbour {
        router: true,
        ..Neighbour::permanent(KNOWN)
    };
    for (compat, want) in [(Compat::LINUX_6, 0x60), (Compat::RFC_7348, 0xe0)] {
        let device = device(config().compat(compat).proxy(true));
        let outcome = run(&device, &ASK.frame(), &table(&[("fd00::2", router)]));
        assert_eq!(said(&outcome.bytes).3, want);
    }
}

/// who is not answered for, and when that is told.
#[test]
fn a09_silence() {
    let miss = |text| Some(Event::L3Miss(ip(text)));
    for (name, ask, want) in [
        (
            "unknown",
            Ask {
                target: "fd00::9",
                ..ASK
            },
            miss("fd00::9"),
        ),
        (
            "link-local",
            Ask {
                target: "fe80::9",
                ..ASK
            },
            miss("fe80::9"),
        ),
        (
            "loopback target",
            Ask {
                target: "::1",
                ..ASK
            },
            miss("::1"),
        ),
        (
            "unspecified",
            Ask {
                target: "::",
                ..ASK
            },
            miss("::"),
        ),
        (
            "group",
            Ask {
                target: "ff02::1",
                ..ASK
            },
            None,
        ),
        (
            "to the loopback",
            Ask {
                to: "::1",
                target: "fd00::9",
                ..ASK
            },
            None,
        ),
        ("known, to the loopback", Ask { to: "::1", ..ASK }, None),
    ] {
        let outcome = run(&proxy(), &ask.frame(), &known());
        assert_eq!((outcome.end, outcome.miss), (End::Consumed, want), "{name}");
        let silent = device(config().proxy(true));
        let outcome = run(&silent, &ask.frame(), &known());
        assert_eq!((outcome.end, outcome.miss), (End::Consumed, None), "{name}");
    }
    // Without IPv6 on the device nobody is missed.
    let no_ipv6 = |address: IpAddr| match address {
        IpAddr::V4(_) => Lookup::Unknown,
        IpAddr::V6(_) => Lookup::NoTable,
    };
    let outcome = run(&proxy(), &ASK.frame(), &no_ipv6);
    assert_eq!((outcome.end, outcome.miss), (End::Consumed, None));

    let mut local = proxy();
    entry(&mut local, KNOWN, "0.0.0.0", Flags::ROUTER);
    assert_eq!(run(&local, &ASK.frame(), &known()).end, End::Consumed);
    for (state, want) in [(State::STALE, End::Consumed), (State::NOARP, End::Reply)] {
        assert_eq!(run(&proxy(), &ASK.frame(), &in_state(state)).end, want);
    }
    // ARP being off is no matter of IPv6.
    let mut off = proxy();
    off.set_arp(false);
    assert_eq!(run(&off, &ASK.frame(), &known()).end, End::Reply);
}

/// options that cannot be read bring no answer.
#[test]
fn a10_unreadable_options() {
    for (options, want) in [
        (&[1, 0, 2, 0, 0, 0, 0, 1][..], End::Consumed),
        (&[1, 2, 2, 0, 0, 0, 0, 1], End::Consumed),
        (
            &[9, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 0, 0, 0, 0, 1],
            End::Consumed,
        ),
        (
            &[9, 1, 0, 0, 0, 0, 0, 0, 1, 1, 2, 0, 0, 0, 0, 1],
            End::Reply,
        ),
        (&[1, 1, 2, 0, 0, 0, 0, 1, 9, 0], End::Reply),
        (&[9], End::Reply),
    ] {
        let outcome = run(&proxy(), &Ask { options, ..ASK }.frame(), &known());
        assert_eq!(outcome.end, want, "{options:?}");
    }
}

/// T-02: what is no solicitation goes on unchanged.
#[test]
fn t02_other_packets_are_forwarded() {
    let whole = ASK.frame();
    let forwarded = |name: &str, frame: &[u8]| {
        let outcome = run(&proxy(), frame, &known());
        assert!(
            matches!(outcome.end, End::Forward(_)),
            "{name}: {:?}",
            outcome.end
        );
        assert_eq!(outcome.bytes, frame, "{name}");
    };
    for len in 54..78 {
        forwarded("cut off", &whole[..len]);
    }
    assert_eq!(run(&proxy(), &whole[..78], &known()).end, End::Reply);
    for kind in [[135, 1], [136, 0], [133, 0], [128, 0]] {
        forwarded("another type", &Ask { kind, ..ASK }.frame());
    }
    for next in [0, 44, 59, 17] {
        forwarded("another header", &Ask { next, ..ASK }.frame());
    }
    let tagged = [&whole[..12], &[0x81, 0, 0, 5], &whole[12..]].concat();
    forwarded("tagged", &tagged);
    let plain = run(&device(config()), &whole, &known());
    assert!(matches!(plain.end, End::Forward(_)));
}

/// RFC 4861 sections 7.1.1 and 7.2.4.
#[test]
fn duplicate_address_detection_by_the_rfc() {
    let probe = Ask {
        from: "::",
        options: &[],
        ..ASK
    };
    let rfc = device(config().compat(Compat::RFC_7348).proxy(true).l3miss(true));
    let outcome = run(&rfc, &probe.frame(), &known());
    let all = Mac::new([0x33, 0x33, 0, 0, 0, 1]);
    assert_eq!(
        said(&outcome.bytes),
        (all, 0x6000_0000, addr("ff02::1"), 0x20)
    );

    // The neighbour itself is not told that its address is taken.
    let mut own = probe.frame();
    own[6..12].copy_from_slice(&KNOWN.octets());
    assert_eq!(run(&rfc, &own, &known()).end, End::Consumed);
    // With an address to answer to, all is as in Linux.
    let outcome = run(&rfc, &ASK.frame(), &known());
    assert_eq!(
        said(&outcome.bytes),
        (ASKER, 0x6000_0000, addr("fd00::1"), 0x60)
    );

    let mut checksum = ASK.frame();
    checksum[57] ^= 1;
    let mut length = ASK.frame();
    length[19] = 23;
    let mut longer = ASK.frame();
    longer[19] = 33;
    let mut padded = Ask {
        options: &[],
        ..ASK
    }
    .frame();
    padded.extend([9, 0, 0, 0]); // no option: it is behind the packet
    for (name, frame, end) in [
        ("hop limit", Ask { hops: 64, ..ASK }.frame(), End::Consumed),
        ("checksum", checksum, End::Consumed),
        ("length below the header's", length, End::Consumed),
        ("length beyond the frame", longer, End::Consumed),
        (
            "source option in a probe",
            Ask { from: "::", ..ASK }.frame(),
            End::Consumed,
        ),
        (
            "probe to the node",
            Ask {
                from: "::",
                options: &[],
                to: "fd00::2",
                ..ASK
            }
            .frame(),
            End::Consumed,
        ),
        (
            "option of length 0",
            Ask {
                options: &[9, 0, 0, 0, 0, 0, 0, 0],
                ..ASK
            }
            .frame(),
            End::Consumed,
        ),
        ("padding", padded, End::Reply),
    ] {
        assert_eq!(run(&rfc, &frame, &known()).end, end, "{name}");
    }
    // What is malformed says nothing about a neighbour either.
    let unknown = Ask {
        hops: 64,
        target: "fd00::9",
        ..ASK
    }
    .frame();
    assert_eq!(run(&rfc, &unknown, &known()).miss, None);
}
