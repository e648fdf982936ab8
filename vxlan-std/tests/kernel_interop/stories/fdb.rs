//! Both sides learn, follow a station that moves, and forget one that is silent.

use crate::lab::Family::V4;
use crate::lab::{Host, Lab};
use crate::runner::{PATIENCE, Skip, wait_for};
use crate::traffic::ping;
use crate::vtep::{PORT, VNI, Vtep, flood_to, kernel, pair};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// L-04: the source of a frame is learned behind the address it came from, on both sides.
pub(crate) fn learning(lab: &Lab) -> Result<(), Skip> {
    let vtep = pair(lab, "");
    let (ours, theirs) = lab.pair();
    ping(theirs, ours.overlay(V4, 0), 64);
    vtep.wait_for_line(&entry(&theirs.mac(), theirs.underlay));
    assert_kernel_knows(theirs, &ours.mac(), ours.underlay);
    Ok(())
}

/// L-03: a station that speaks from another VTEP is followed there.
pub(crate) fn migration(lab: &Lab) -> Result<(), Skip> {
    let [ours, before, after] = &lab.hosts[..] else {
        panic!("three hosts");
    };
    let options = |host: &Host| {
        format!(
            "id {VNI} local {} dev underlay dstport {PORT}",
            host.underlay
        )
    };
    for host in [before, after] {
        let entry = flood_to("vx0", ours.underlay);
        kernel(host, &[("vx0", &options(host))], &[entry]);
        host.join_overlay("vx0", 0);
    }
    let flood = [before, after].map(|host| flood_to("vx0", host.underlay));
    let vtep = Vtep::run(ours, &[("vx0", &options(ours))], &flood);
    ours.join_overlay("vx0", 0);

    let station = before.mac();
    ping(before, ours.overlay(V4, 0), 64);
    vtep.wait_for_line(&entry(&station, before.underlay));

    before.ip("link set dev vx0 down");
    after.ip(&format!("link set dev vx0 address {station}"));
    ping(after, ours.overlay(V4, 0), 64);
    vtep.wait_for_line(&entry(&station, after.underlay));
    // What is for the station now goes to its new place, and only there.
    let seen = lab.wire.during(|| ping(ours, after.overlay(V4, 0), 64));
    let unicast = seen
        .iter()
        .filter(|seen| seen.sender == ours.place() && seen.inner_is_unicast());
    assert!(unicast.clone().count() > 0, "our frames to the station");
    for datagram in unicast {
        assert_eq!(datagram.destination, after.underlay, "{datagram:?}");
    }
    Ok(())
}

/// L-06: an entry goes after the ageing time without traffic, at the latest one sweep later.
pub(crate) fn ageing(lab: &Lab) -> Result<(), Skip> {
    const AGEING: Duration = Duration::from_secs(11);
    const SWEEP: Duration = Duration::from_secs(10);
    const SOON: Duration = Duration::from_secs(3);
    let vtep = pair(lab, "ageing 11");
    let (ours, theirs) = lab.pair();
    let before_the_last = Instant::now();
    ping(theirs, ours.overlay(V4, 0), 64);
    let learned = entry(&theirs.mac(), theirs.underlay);
    vtep.wait_for_line(&learned);
    // Silence: from here on the kernel's side sends nothing.
    theirs.ip("link set dev vx0 down");
    let deleted = format!("Deleted {learned}");
    vtep.wait_longer_for_line(&deleted, AGEING + SWEEP + SOON);
    let aged = before_the_last.elapsed();
    // The clock of entries ticks every 10 ms or less.
    let tick = Duration::from_millis(10);
    assert!(aged + tick >= AGEING, "gone after {aged:?}");
    // And it is learned again.
    theirs.ip("link set dev vx0 up");
    ping(ours, theirs.overlay(V4, 0), 64);
    wait_for("a second entry", PATIENCE, || {
        let lines = vtep.lines();
        let deleted = lines.iter().position(|line| line.starts_with("Deleted"))?;
        let again = lines[deleted + 1..]
            .iter()
            .find(|line| line.starts_with(&learned));
        again.cloned()
    });
    Ok(())
}

/// How an entry is printed, up to the flags.
fn entry(mac: &str, remote: IpAddr) -> String {
    format!("{mac} dev vx0 dst {remote}")
}

/// Waits until `bridge fdb` on a kernel's host has `mac` behind `remote`.
fn assert_kernel_knows(host: &Host, mac: &str, remote: IpAddr) {
    wait_for(format!("{mac} in the kernel's table"), PATIENCE, || {
        let table = host.bridge("fdb show dev vx0");
        let wanted = format!("{mac} dst {remote} ");
        table
            .lines()
            .any(|line| line.starts_with(&wanted))
            .then_some(())
    });
}
