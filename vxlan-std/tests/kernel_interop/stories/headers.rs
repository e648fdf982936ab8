//! The outer headers on the wire: what the options ask for, the same from both sides.

use crate::datagram::{Checksum, Datagram};
use crate::lab::Family::{V4, V6};
use crate::lab::{Family, Host, Lab};
use crate::runner::Skip;
use crate::traffic::{ping, udp_flows};
use crate::vtep::{VNI, Vtep, kernel, pair, point_to_point};
use std::collections::BTreeSet;

/// What is checked of an outer header: TTL, type of service, DF, and the checksum.
type Outer = (u8, u8, bool, Checksum);

/// T-11, T-12, T-17, T-24, T-28: TTL, type of service with ECN, DF and UDP checksum.
pub(crate) fn outer(lab: &Lab) -> Result<(), Skip> {
    use Checksum::{Absent, Valid};
    // The options, the type of service of the inner packet, the outer header.
    let cases: &[(&str, u8, Outer)] = match lab.family {
        V4 => &[
            ("", 0x00, (64, 0x00, false, Valid)),
            ("", 0x02, (64, 0x02, false, Valid)),
            ("ttl 33", 0xb9, (33, 0x01, false, Valid)),
            ("tos 0x10", 0xb8, (64, 0x10, false, Valid)),
            ("tos 0x10", 0x02, (64, 0x12, false, Valid)),
            // Congestion so far stays inside: the outer packet may meet its own (RFC 6040).
            ("tos 0x10", 0x03, (64, 0x12, false, Valid)),
            ("tos inherit", 0xba, (64, 0xba, false, Valid)),
            ("tos inherit ttl 1", 0x03, (1, 0x02, false, Valid)),
            ("df set", 0x00, (64, 0x00, true, Valid)),
            ("df unset", 0x00, (64, 0x00, false, Valid)),
            ("df inherit", 0x00, (64, 0x00, true, Valid)),
            ("noudpcsum", 0x00, (64, 0x00, false, Absent)),
        ],
        V6 => &[
            ("", 0x00, (64, 0x00, false, Valid)),
            ("", 0x02, (64, 0x02, false, Valid)),
            ("ttl 33", 0xb9, (33, 0x01, false, Valid)),
            ("tos 0x10", 0x03, (64, 0x12, false, Valid)),
            ("tos inherit", 0xba, (64, 0xba, false, Valid)),
            (
                "udp6zerocsumtx udp6zerocsumrx",
                0x00,
                (64, 0x00, false, Absent),
            ),
        ],
    };
    let (ours, theirs) = lab.pair();
    for (options, tos, expected) in cases {
        let vtep = pair(lab, options);
        ping(ours, theirs.overlay(V4, 0), 64);
        for (from, to) in [(ours, theirs), (theirs, ours)] {
            let outer = sent(lab, from, 1, || {
                udp_flows(from, to.overlay(V4, 0), 7000..7001, *tos)
            });
            let outer = outer.first().expect("the datagram on the wire");
            let found = (outer.ttl, outer.tos, outer.dont_fragment, outer.checksum);
            assert_eq!(
                found, *expected,
                "{options:?}, inner {tos:#x}, host {}",
                from.number
            );
            assert_eq!(
                (outer.source, outer.destination),
                (from.underlay, to.underlay)
            );
            assert_eq!((outer.destination_port, outer.vni()), (4789, Some(VNI)));
        }
        vtep.stop();
        theirs.ip("link del dev vx0");
    }
    Ok(())
}

/// T-13: source ports from the range, one for each flow; the port of the remote.
pub(crate) fn source_ports(lab: &Lab) -> Result<(), Skip> {
    let (ours, theirs) = lab.pair();
    let options = |host, remote| {
        let options = point_to_point(host, remote, "srcport 40000 40100");
        options.replace("dstport 4789", "dstport 8472")
    };
    kernel(theirs, &[("vx0", &options(theirs, ours))], &[]);
    theirs.join_overlay("vx0", 0);
    let _vtep = Vtep::run(ours, &[("vx0", &options(ours, theirs))], &[]);
    ours.join_overlay("vx0", 0);
    ping(ours, theirs.overlay(V4, 0), 64);

    for family in [V4, V6] {
        for (from, to) in [(ours, theirs), (theirs, ours)] {
            ping(from, to.overlay(family, 0), 64);
            let first = flows(lab, from, to, family);
            let again = flows(lab, from, to, family);
            assert_eq!(first.len(), 32, "flows of host {}", from.number);
            assert_eq!(first, again, "a flow keeps its port");
            let different: BTreeSet<u16> = first.iter().copied().collect();
            // A VTEP on sockets has 16 ports: 32 flows use 14 on average, and fewer than 8 once in
            // a million runs.
            assert!(different.len() >= 8, "{different:?}");
            assert!(different.iter().all(|port| (40000..=40100).contains(port)));
        }
    }
    Ok(())
}

/// The outer source ports of 32 flows.
fn flows(lab: &Lab, from: &Host, to: &Host, family: Family) -> Vec<u16> {
    let send = || udp_flows(from, to.overlay(family, 0), 7000..7032, 0);
    let outer = sent(lab, from, 32, send);
    assert!(
        outer
            .iter()
            .all(|datagram| datagram.destination_port == 8472)
    );
    outer.iter().map(|datagram| datagram.source_port).collect()
}

/// The datagrams with UDP inside, `count` of them, that `from` sends for `action`.
fn sent(lab: &Lab, from: &Host, count: usize, action: impl FnOnce()) -> Vec<Datagram> {
    let wanted = |datagram: &Datagram| {
        let inner = datagram.inner();
        let is_udp = match datagram.inner_ethertype() {
            Some(0x0800) => inner.get(23) == Some(&17),
            Some(0x86dd) => inner.get(20) == Some(&17),
            _ => false,
        };
        is_udp && datagram.sender == from.place()
    };
    let seen = lab.wire.passed(count, wanted, action).into_iter();
    seen.map(|(_, datagram)| datagram).collect()
}
