//! Frames of every size arrive, both ways.

use crate::lab::Family::{V4, V6};
use crate::lab::Lab;
use crate::runner::{PATIENCE, Skip};
use crate::traffic;
use crate::vtep::{Vtep, kernel, pair, point_to_point};
use std::time::Duration;

/// Small packets, full ones, and such as the overlay has to fragment.
pub(crate) fn ping(lab: &Lab) -> Result<(), Skip> {
    let _vtep = pair(lab, "");
    let (ours, theirs) = lab.pair();
    assert_eq!(theirs.mtu("vx0"), Some(lab.overlay_mtu()), "the kernel's");
    assert_eq!(ours.mtu("vx0"), Some(lab.overlay_mtu()), "ours");
    for family in [V4, V6] {
        for size in [64, 1400, 8000] {
            traffic::ping(ours, theirs.overlay(family, 0), size);
            traffic::ping(theirs, ours.overlay(family, 0), size);
        }
    }
    Ok(())
}

/// A few megabytes each way at once, from either side.
pub(crate) fn tcp(lab: &Lab) -> Result<(), Skip> {
    tcp_with(lab, "")
}

/// T-20, T-23: the same with options on both sides.
pub(crate) fn tcp_with(lab: &Lab, options: &str) -> Result<(), Skip> {
    const LEN: usize = 4 << 20;
    let _vtep = pair(lab, options);
    let (ours, theirs) = lab.pair();
    traffic::tcp_exchange(ours, theirs, theirs.overlay(V4, 0), LEN);
    traffic::tcp_exchange(theirs, ours, ours.overlay(V6, 0), LEN);
    Ok(())
}

/// T-28: an outer IPv4 packet beyond the MTU is cut into fragments, unless DF is set; an outer IPv6
/// packet never.
pub(crate) fn outer_fragments(lab: &Lab) -> Result<(), Skip> {
    const FULL: usize = 1500 - 28; // inner IPv4 and ICMP header less
    let (ours, theirs) = lab.pair();
    for (more, fragments) in [("df unset", lab.family == V4), ("df set", false)] {
        // Without a lower device both have room for 1,500 bytes, whatever the underlay has.
        let options =
            |host, remote| point_to_point(host, remote, more).replace("dev underlay ", "");
        kernel(theirs, &[("vx0", &options(theirs, ours))], &[]);
        theirs.join_overlay("vx0", 0);
        let vtep = Vtep::run(ours, &[("vx0", &options(ours, theirs))], &[]);
        ours.join_overlay("vx0", 0);
        assert_eq!(
            (ours.mtu("vx0"), theirs.mtu("vx0")),
            (Some(1500), Some(1500))
        );
        let to = theirs.overlay(V4, 0);
        traffic::ping(ours, to, 64);
        // The kernel's own device also tells the host's routes, so that its second packet comes in
        // inner fragments and is answered. No TAP device can do that.
        let before = [ours, theirs].map(|host| lab.wire.fragments_of(host));
        let patience = if fragments {
            PATIENCE
        } else {
            Duration::from_secs(1)
        };
        let answered = traffic::try_ping(ours, to, FULL, patience);
        assert!(answered || !fragments, "{more:?}: no answer");
        for (host, before) in [ours, theirs].into_iter().zip(before) {
            let sent = lab.wire.fragments_of(host) - before;
            assert_eq!(
                sent > 0,
                fragments,
                "{more:?}: {sent} from host {}",
                host.number
            );
        }
        vtep.stop();
        theirs.ip("link del dev vx0");
    }
    Ok(())
}
