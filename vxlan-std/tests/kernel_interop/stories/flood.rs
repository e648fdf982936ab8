//! Frames for nobody in particular reach everybody, others only their station.

use crate::lab::Family::V4;
use crate::lab::{Host, Lab};
use crate::runner::Skip;
use crate::traffic::ping;
use crate::vtep::{PORT, VNI, Vtep, flood_to, kernel};
use std::net::IpAddr;

/// T-07, T-27: every VTEP floods to both others; what is learned goes one way.
pub(crate) fn three_vteps(lab: &Lab) -> Result<(), Skip> {
    let options = |host: &Host| {
        format!(
            "id {VNI} local {} dev underlay dstport {PORT}",
            host.underlay
        )
    };
    let flood_list = |host: &Host| -> Vec<String> {
        let others = lab.hosts.iter().filter(|other| other.number != host.number);
        others
            .map(|other| flood_to("vx0", other.underlay))
            .collect()
    };
    let [ours, second, third] = &lab.hosts[..] else {
        panic!("three hosts");
    };
    for host in [second, third] {
        kernel(host, &[("vx0", &options(host))], &flood_list(host));
        host.join_overlay("vx0", 0);
    }
    let _vtep = Vtep::run(ours, &[("vx0", &options(ours))], &flood_list(ours));
    ours.join_overlay("vx0", 0);

    let seen = lab.wire.during(|| ping(ours, second.overlay(V4, 0), 64));
    let from_us = || {
        seen.iter()
            .filter(|datagram| datagram.sender == ours.place())
    };
    let broadcasts: Vec<IpAddr> = from_us()
        .filter(|datagram| datagram.inner().starts_with(&[0xff; 6]))
        .map(|datagram| datagram.destination)
        .collect();
    // The kernel sends the first of the list last.
    let order = [third.underlay, second.underlay];
    assert_eq!(
        broadcasts.get(..2),
        Some(&order[..]),
        "where ARP requests went"
    );
    let unicasts: Vec<IpAddr> = from_us()
        .filter(|datagram| datagram.inner_is_unicast())
        .map(|datagram| datagram.destination)
        .collect();
    assert!(!unicasts.is_empty(), "echo requests");
    assert!(
        unicasts.iter().all(|to| *to == second.underlay),
        "{unicasts:?}"
    );

    for (from, to) in [
        (second, ours),
        (third, ours),
        (ours, third),
        (second, third),
    ] {
        ping(from, to.overlay(V4, 0), 1400);
    }
    Ok(())
}
