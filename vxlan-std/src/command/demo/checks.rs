//! What has to hold, each as a line of its own.

use core::net::IpAddr;
use std::time::Duration;

use vxlan_core::{DropReason, Vni};

use super::format::{bytes, count, rate};
use super::outcome::{Pings, Side, Transfer};

/// One thing that holds or does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Check {
    /// In a word or two.
    pub(super) name: &'static str,
    /// What was seen.
    pub(super) seen: String,
    /// Whether it is as it should be.
    pub(super) ok: bool,
}

/// A asked for B's MAC address and B answered.
pub(super) fn resolution([a, b]: &[Side; 2]) -> Check {
    let name = if a.host.is_ipv4() { "ARP" } else { "ND" };
    let ok = a.resolution.asked > 0 && b.resolution.answered > 0;
    let seen = if ok {
        format!("{} asked who has {}, and was told", a.host, b.host)
    } else {
        format!(
            "{} asked {} times, {} answered {} times",
            a.host, a.resolution.asked, b.host, b.resolution.answered
        )
    };
    Check { name, seen, ok }
}

/// Every echo request was answered.
pub(super) fn ping(pings: &Pings) -> Check {
    let answered = pings.times.len();
    let total: Duration = pings.times.iter().sum();
    let mean = total
        .checked_div(u32::try_from(answered).unwrap_or(u32::MAX))
        .unwrap_or_default();
    let mut seen = format!("{answered} of {} answered", pings.sent);
    if answered > 0 {
        seen += &format!(", {} µs on average", mean.as_micros());
    }
    Check {
        name: "ping",
        seen,
        ok: pings.sent > 0 && answered == usize::from(pings.sent),
    }
}

/// The stream arrived as it was sent, all of it, and the connection was closed by both.
pub(super) fn transfer(transfer: &Transfer) -> Check {
    let Transfer {
        size,
        received,
        first_difference,
        closed,
        elapsed,
    } = *transfer;
    let seen = if let Some(at) = first_difference {
        format!("byte {} of {} arrived changed", count(at), count(size))
    } else if received != size {
        format!("{} of {} bytes arrived", count(received), count(size))
    } else if !closed {
        format!("{} arrived, then the end was missing", bytes(size))
    } else {
        format!(
            "{} in {:.2} s, {}, each byte compared",
            bytes(size),
            elapsed.as_secs_f64(),
            rate(size, elapsed)
        )
    };
    Check {
        name: "TCP",
        seen,
        ok: first_difference.is_none() && received == size && closed,
    }
}

/// Each VTEP has learned the other host's MAC address, and that it is behind the other VTEP.
pub(super) fn learning([a, b]: &[Side; 2]) -> Check {
    let wrong: Vec<String> = [(a, b), (b, a)]
        .into_iter()
        .filter(|(own, other)| {
            own.learned != Some(own.ends.peer) || own.ends.peer != other.ends.local
        })
        .map(|(own, other)| match own.learned {
            None => format!("VTEP {} has not learned {}", own.name, other.mac),
            Some(at) => format!("VTEP {} learned {} at {at}", own.name, other.mac),
        })
        .collect();
    Check {
        name: "learning",
        ok: wrong.is_empty(),
        seen: if wrong.is_empty() {
            "each VTEP knows the MAC address behind the other one".to_owned()
        } else {
            wrong.join(", ")
        },
    }
}

/// A frame of another VNI got no further than the VTEP.
pub(super) fn isolation(to: &Side, stray: Vni) -> Check {
    let dropped = to.stats.drops(DropReason::VniNotFound);
    Check {
        name: "isolation",
        ok: dropped > 0,
        seen: if dropped > 0 {
            format!("a frame of VNI {} was kept out", stray.get())
        } else {
            format!("nobody dropped the frame of VNI {}", stray.get())
        },
    }
}

/// No VTEP lost a packet for a reason of its own, but for the frame of the other VNI. What the
/// underlay loses is told, not judged: that is what TCP is for.
pub(super) fn drops(sides: &[Side; 2]) -> Check {
    let lost: Vec<String> = sides
        .iter()
        .flat_map(|side| side.drops.iter().map(move |drop| (side.name, drop)))
        .filter(|(_, (reason, _))| *reason != DropReason::VniNotFound.as_str())
        .map(|(name, (reason, times))| format!("VTEP {name}: {} {reason}", count(*times)))
        .collect();
    Check {
        name: "drops",
        ok: lost.is_empty(),
        seen: if lost.is_empty() {
            "no other packet was dropped by a VTEP".to_owned()
        } else {
            lost.join(", ")
        },
    }
}

/// Whether an address is of the family of loopback that a host may lack.
pub(super) fn may_be_missing(address: IpAddr, error: &std::io::Error) -> bool {
    // EAFNOSUPPORT has no kind of its own; a kernel without IPv6 says it.
    const EAFNOSUPPORT: i32 = 97;
    address.is_ipv6()
        && (error.kind() == std::io::ErrorKind::AddrNotAvailable
            || error.raw_os_error() == Some(EAFNOSUPPORT))
}

#[cfg(test)]
mod tests {
    use super::super::outcome::examples;
    use super::super::resolution::Resolution;
    use super::*;

    #[test]
    fn everything_holds_in_a_good_run() {
        let sides = examples::sides();
        for check in [
            resolution(&sides),
            ping(&examples::pings()),
            transfer(&examples::transfer()),
            learning(&sides),
            isolation(&sides[1], Vni::truncate(43)),
            drops(&sides),
        ] {
            assert!(check.ok, "{check:?}");
        }
    }

    #[test]
    fn silence_fails() {
        let mut sides = examples::sides();
        sides[1].resolution = Resolution::default();
        assert!(!resolution(&sides).ok);
        assert!(!ping(&Pings::default()).ok);
        let mut pings = examples::pings();
        pings.times.pop();
        assert!(!ping(&pings).ok);
    }

    #[test]
    fn a_transfer_fails_for_a_byte() {
        type Spoil = fn(&mut Transfer);
        let cases: [(&str, Spoil, &str); 3] = [
            (
                "changed",
                |transfer| transfer.first_difference = Some(4095),
                "byte 4,095 of 1,048,576 arrived changed",
            ),
            (
                "missing",
                |transfer| transfer.received -= 1,
                "1,048,575 of 1,048,576 bytes arrived",
            ),
            (
                "open end",
                |transfer| transfer.closed = false,
                "1 MiB arrived, then the end was missing",
            ),
        ];
        for (name, spoil, want) in cases {
            let mut run = examples::transfer();
            spoil(&mut run);
            let check = transfer(&run);
            assert!(!check.ok, "{name}");
            assert_eq!(check.seen, want, "{name}");
        }
    }

    #[test]
    fn learning_nothing_or_the_wrong_place_fails() {
        let mut sides = examples::sides();
        sides[0].learned = None;
        sides[1].learned = Some("127.0.0.9:4789".parse().unwrap());
        let check = learning(&sides);
        assert!(!check.ok);
        assert_eq!(
            check.seen,
            "VTEP a has not learned 02:00:00:00:00:0b, \
             VTEP b learned 02:00:00:00:00:0a at 127.0.0.9:4789"
        );
    }

    #[test]
    fn a_leak_between_networks_fails() {
        let sides = examples::sides();
        assert!(!isolation(&sides[0], Vni::truncate(43)).ok);
    }

    #[test]
    fn other_drops_fail() {
        let mut sides = examples::sides();
        sides[0].drops.push(("tunnel-ecn", 2));
        let check = drops(&sides);
        assert!(!check.ok);
        assert_eq!(check.seen, "VTEP a: 2 tunnel-ecn");
    }

    #[test]
    fn only_ipv6_may_be_missing() {
        let missing = std::io::Error::from(std::io::ErrorKind::AddrNotAvailable);
        assert!(may_be_missing("::1".parse().unwrap(), &missing));
        assert!(!may_be_missing("127.0.0.2".parse().unwrap(), &missing));
        let busy = std::io::Error::from(std::io::ErrorKind::AddrInUse);
        assert!(!may_be_missing("::1".parse().unwrap(), &busy));
    }
}
