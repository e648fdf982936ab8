//! What a run has seen: plain data that the checks judge and the summary shows.

use core::net::{IpAddr, SocketAddr};
use std::time::Duration;

use vxlan_core::{Mac, Stats};

use super::host::Host;
use super::link::{self, Ends};
use super::resolution::Resolution;

/// One VTEP and its host, at the end.
#[derive(Clone, Debug)]
pub(super) struct Side {
    /// `a` or `b`.
    pub(super) name: char,
    pub(super) ends: Ends,
    pub(super) host: IpAddr,
    pub(super) mac: Mac,
    /// Where it learned the other host's MAC address to be.
    pub(super) learned: Option<SocketAddr>,
    pub(super) resolution: Resolution,
    pub(super) stats: Stats,
    /// What it lost, by reason.
    pub(super) drops: Vec<(&'static str, u64)>,
}

/// Echo requests and how long the answers took.
#[derive(Clone, Debug, Default)]
pub(super) struct Pings {
    pub(super) sent: u16,
    pub(super) times: Vec<Duration>,
}

/// A transfer of `size` bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transfer {
    pub(super) size: u64,
    pub(super) received: u64,
    pub(super) first_difference: Option<u64>,
    /// Both hosts closed the connection.
    pub(super) closed: bool,
    pub(super) elapsed: Duration,
}

impl Side {
    /// What there is to tell about a host, called `name`, whose peer has the address `other`.
    pub(super) fn of(name: char, host: &Host, other: Mac) -> Self {
        let link = host.link();
        Self {
            name,
            ends: link.ends(),
            host: host.address,
            mac: link.mac(),
            learned: link.learned(other),
            resolution: link.resolution(),
            stats: link.stats().clone(),
            drops: link::drops(link.stats(), link.refused()),
        }
    }

    /// Packets that the other side sent and this side never saw: lost on the way.
    pub(super) fn missed(&self, from: &Self) -> u64 {
        let received = self.stats.rx_packets + self.dropped(|name| !is_refusal(name));
        let refused = from.dropped(is_refusal);
        from.stats.tx_packets.saturating_sub(received + refused)
    }

    fn dropped(&self, wanted: fn(&str) -> bool) -> u64 {
        let drops = self.drops.iter().filter(|(name, _)| wanted(name));
        drops.map(|(_, count)| count).sum()
    }
}

/// Whether a drop is the kernel's refusal to send ([`vxlan_std::socket::SendError`]); the core has
/// counted the packet as sent.
fn is_refusal(name: &str) -> bool {
    name.starts_with("send-")
}

/// Outcomes as they should be.
#[cfg(test)]
pub(super) mod examples {
    use super::*;
    use vxlan_core::DropReason;

    pub(in super::super) fn sides() -> [Side; 2] {
        let [a, b] = ["127.0.0.1:4789", "127.0.0.2:4789"].map(|text| text.parse().unwrap());
        let mut stats = Stats::new();
        (stats.tx_packets, stats.tx_bytes) = (801, 1_100_000);
        (stats.rx_packets, stats.rx_bytes) = (400, 20_000);
        let mut back = Stats::new();
        (back.tx_packets, back.tx_bytes) = (400, 20_000);
        (back.rx_packets, back.rx_bytes) = (800, 1_100_000);
        back.count_drop(DropReason::VniNotFound);
        let resolution = Resolution {
            asked: 1,
            answered: 1,
        };
        let side = |name, local, peer, host: &str, mac, stats: Stats| Side {
            name,
            ends: Ends { local, peer },
            host: host.parse().unwrap(),
            mac: Mac::new([2, 0, 0, 0, 0, mac]),
            learned: Some(peer),
            resolution,
            drops: link::drops(&stats, core::iter::empty()),
            stats,
        };
        [
            side('a', a, b, "192.0.2.1", 0x0a, stats),
            side('b', b, a, "192.0.2.2", 0x0b, back),
        ]
    }

    pub(in super::super) fn pings() -> Pings {
        Pings {
            sent: 2,
            times: vec![Duration::from_micros(30), Duration::from_micros(40)],
        }
    }

    pub(in super::super) fn transfer() -> Transfer {
        Transfer {
            size: 1 << 20,
            received: 1 << 20,
            first_difference: None,
            closed: true,
            elapsed: Duration::from_millis(10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missed_is_sent_less_received_and_dropped() {
        let [mut a, b] = examples::sides();
        assert_eq!((a.missed(&b), b.missed(&a)), (0, 0));
        a.stats.tx_packets += 3;
        assert_eq!(b.missed(&a), 3);
        a.drops.push(("send-congested", 2));
        assert_eq!(b.missed(&a), 1);
    }
}
