//! A multicast group of the underlay in place of a flood list.

use crate::lab::Family::V4;
use crate::lab::Lab;
use crate::runner::Skip;
use crate::traffic::ping;
use crate::vtep::{PORT, VNI, Vtep, kernel};
use std::net::IpAddr;

/// M-21, T-11: both sides join the group, flood to it with TTL 1, and leave it for what they learn.
pub(crate) fn group(lab: &Lab, group: &str) -> Result<(), Skip> {
    let (ours, theirs) = lab.pair();
    let options = [ours, theirs].map(|host| {
        let local = host.underlay;
        format!("id {VNI} local {local} group {group} dev underlay dstport {PORT}")
    });
    kernel(theirs, &[("vx0", &options[1])], &[]);
    theirs.join_overlay("vx0", 0);
    let _vtep = Vtep::run(ours, &[("vx0", &options[0])], &[]);
    ours.join_overlay("vx0", 0);

    let group: IpAddr = group.parse().expect("a group");
    for (from, to) in [(ours, theirs), (theirs, ours)] {
        for host in [ours, theirs] {
            host.ip("neigh flush dev vx0");
        }
        let seen = lab.wire.during(|| ping(from, to.overlay(V4, 0), 64));
        let mut sent = seen
            .iter()
            .filter(|datagram| datagram.sender == from.place());
        let arp = sent
            .clone()
            .find(|datagram| datagram.inner_ethertype() == Some(0x0806))
            .expect("an ARP request");
        assert_eq!((arp.destination, arp.ttl), (group, 1), "{arp:?}");
        assert_eq!(arp.destination_mac, group_mac(group), "{arp:?}");
        assert_eq!(arp.source, from.underlay, "{arp:?}");
        let echo = sent
            .find(|datagram| datagram.inner_ethertype() == Some(0x0800))
            .expect("an echo request");
        assert_eq!((echo.destination, echo.ttl), (to.underlay, 64), "{echo:?}");
    }
    Ok(())
}

/// RFC 1112 section 6.4, RFC 2464 section 7.
fn group_mac(group: IpAddr) -> [u8; 6] {
    match group {
        IpAddr::V4(group) => {
            let [_, b, c, d] = group.octets();
            [0x01, 0x00, 0x5e, b & 0x7f, c, d]
        }
        IpAddr::V6(group) => {
            let [.., a, b, c, d] = group.octets();
            [0x33, 0x33, a, b, c, d]
        }
    }
}
