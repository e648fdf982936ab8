//! Several devices behind one UDP port keep apart.

use crate::lab::Family::{V4, V6};
use crate::lab::Lab;
use crate::runner::Skip;
use crate::traffic::{ping, try_ping};
use crate::vtep::{PORT, Vtep, kernel};
use std::time::Duration;

/// two VNIs of one `vtep run`, each with a kernel of its own, and stations with the same MAC
/// address in both.
pub(crate) fn two_vnis(lab: &Lab) -> Result<(), Skip> {
    const SAME_MAC: &str = "02:00:00:00:00:99";
    let [ours, blue, green] = &lab.hosts[..] else {
        panic!("three hosts");
    };
    let options = |vni: u32, local, remote| {
        format!("id {vni} local {local} remote {remote} dev underlay dstport {PORT}")
    };
    for (host, vni, network) in [(blue, 42, 0), (green, 43, 1)] {
        let options = options(vni, host.underlay, ours.underlay);
        kernel(host, &[("vx0", &options)], &[]);
        host.join_overlay("vx0", network);
        host.ip(&format!("link set dev vx0 address {SAME_MAC}"));
    }
    let links = [
        ("vx0", options(42, ours.underlay, blue.underlay)),
        ("vx1", options(43, ours.underlay, green.underlay)),
    ];
    let links = [(links[0].0, &*links[0].1), (links[1].0, &*links[1].1)];
    let vtep = Vtep::run(ours, &links, &[]);
    ours.join_overlay("vx0", 0);
    ours.join_overlay("vx1", 1);

    let seen = lab.wire.during(|| {
        for family in [V4, V6] {
            for (host, network) in [(blue, 0), (green, 1), (blue, 0)] {
                ping(ours, host.overlay(family, network), 1400);
                ping(host, ours.overlay(family, network), 1400);
            }
        }
        // The kernel of one VNI does not answer in the other.
        green.add_address("vx0", blue.overlay(V4, 0));
        blue.ip("link set dev vx0 down");
        ours.ip("neigh flush dev vx0");
        let soon = Duration::from_millis(600);
        assert!(!try_ping(ours, blue.overlay(V4, 0), 64, soon), "a leak");
    });
    for datagram in seen
        .iter()
        .filter(|datagram| datagram.sender == ours.place())
    {
        let vni = match datagram.destination {
            destination if destination == blue.underlay => 42,
            _ => 43,
        };
        assert_eq!(datagram.vni(), Some(vni), "{datagram:?}");
    }
    vtep.wait_for_line(&format!("{SAME_MAC} dev vx0 dst {}", blue.underlay));
    vtep.wait_for_line(&format!("{SAME_MAC} dev vx1 dst {}", green.underlay));
    Ok(())
}
