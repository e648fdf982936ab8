//! Counters.

use core::ops::AddAssign;

use crate::DropReason;

/// The counters of one device, or of one thread's share of it.
///
/// The names are those of Linux `struct rtnl_link_stats64`, and they count what the driver counts:
/// received bytes without the inner Ethernet header, transmitted bytes from the inner network
/// header on. [`drops`](Self::drops) counts every lost packet by reason, also those that Linux
/// drops without a counter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Frames delivered to the overlay.
    pub rx_packets: u64,
    /// Their bytes, Ethernet header left out.
    pub rx_bytes: u64,
    /// Frames dropped because the device is down or the stack refused them.
    pub rx_dropped: u64,
    /// Malformed packets; each also counts in one of the next two.
    pub rx_errors: u64,
    /// Reserved bits or a forbidden ECN combination.
    pub rx_frame_errors: u64,
    /// An inner IP header that is cut off.
    pub rx_length_errors: u64,
    /// Packets handed to the underlay.
    pub tx_packets: u64,
    /// Their inner bytes from the network header on.
    pub tx_bytes: u64,
    /// Frames with nowhere to go, or refused by the underlay.
    pub tx_dropped: u64,
    /// Frames that failed for want of a route or of room.
    pub tx_errors: u64,
    /// With `tx_errors`: the underlay refused an IPv6 packet.
    pub tx_aborted_errors: u64,
    /// With `tx_errors`: no route.
    pub tx_carrier_errors: u64,
    /// With `tx_errors`: the route leads back into the device.
    pub collisions: u64,
    drops: [u64; DropReason::COUNT],
}

impl Stats {
    /// All counters at zero.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            rx_packets: 0,
            rx_bytes: 0,
            rx_dropped: 0,
            rx_errors: 0,
            rx_frame_errors: 0,
            rx_length_errors: 0,
            tx_packets: 0,
            tx_bytes: 0,
            tx_dropped: 0,
            tx_errors: 0,
            tx_aborted_errors: 0,
            tx_carrier_errors: 0,
            collisions: 0,
            drops: [0; DropReason::COUNT],
        }
    }

    /// How many packets ended for `reason`.
    #[must_use]
    pub fn drops(&self, reason: DropReason) -> u64 {
        self.drops.get(reason.index()).copied().unwrap_or(0)
    }

    /// Counts one packet that ended for `reason`. The other counters are the caller's business.
    #[inline]
    pub fn count_drop(&mut self, reason: DropReason) {
        if let Some(count) = self.drops.get_mut(reason.index()) {
            *count = count.wrapping_add(1);
        }
    }

    /// The counters named as in Linux, in the order of [`Stats`]'s fields.
    pub fn named(&self) -> [(&'static str, u64); 13] {
        [
            ("rx_packets", self.rx_packets),
            ("rx_bytes", self.rx_bytes),
            ("rx_dropped", self.rx_dropped),
            ("rx_errors", self.rx_errors),
            ("rx_frame_errors", self.rx_frame_errors),
            ("rx_length_errors", self.rx_length_errors),
            ("tx_packets", self.tx_packets),
            ("tx_bytes", self.tx_bytes),
            ("tx_dropped", self.tx_dropped),
            ("tx_errors", self.tx_errors),
            ("tx_aborted_errors", self.tx_aborted_errors),
            ("tx_carrier_errors", self.tx_carrier_errors),
            ("collisions", self.collisions),
        ]
    }
}

impl Default for Stats {
    fn default() -> Self {
        Self::new()
    }
}

impl AddAssign<&Self> for Stats {
    /// Adds another thread's share.
    fn add_assign(&mut self, rhs: &Self) {
        let Self {
            rx_packets,
            rx_bytes,
            rx_dropped,
            rx_errors,
            rx_frame_errors,
            rx_length_errors,
            tx_packets,
            tx_bytes,
            tx_dropped,
            tx_errors,
            tx_aborted_errors,
            tx_carrier_errors,
            collisions,
            drops,
        } = rhs;
        for (sum, value) in [
            (&mut self.rx_packets, rx_packets),
            (&mut self.rx_bytes, rx_bytes),
            (&mut self.rx_dropped, rx_dropped),
            (&mut self.rx_errors, rx_errors),
            (&mut self.rx_frame_errors, rx_frame_errors),
            (&mut self.rx_length_errors, rx_length_errors),
            (&mut self.tx_packets, tx_packets),
            (&mut self.tx_bytes, tx_bytes),
            (&mut self.tx_dropped, tx_dropped),
            (&mut self.tx_errors, tx_errors),
            (&mut self.tx_aborted_errors, tx_aborted_errors),
            (&mut self.tx_carrier_errors, tx_carrier_errors),
            (&mut self.collisions, collisions),
        ]
        .into_iter()
        .chain(self.drops.iter_mut().zip(drops))
        {
            *sum = sum.wrapping_add(*value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S-01: the sum of all workers' shares is exact.
    #[test]
    fn s01_shares_add_up() {
        let mut one = Stats::new();
        one.rx_packets = 3;
        one.collisions = 1;
        one.count_drop(DropReason::NoRoute);
        let mut two = Stats::new();
        two.rx_packets = 4;
        two.tx_bytes = 9;
        two.count_drop(DropReason::NoRoute);
        two.count_drop(DropReason::ArpTruncated);
        one += &two;
        assert_eq!((one.rx_packets, one.tx_bytes, one.collisions), (7, 9, 1));
        assert_eq!(one.drops(DropReason::NoRoute), 2);
        assert_eq!(one.drops(DropReason::ArpTruncated), 1);
        assert_eq!(one.named().iter().map(|(_, count)| count).sum::<u64>(), 17);
    }
}
