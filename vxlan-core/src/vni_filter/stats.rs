//! The counters of one VNI.

use super::counter::Counter;
use crate::DropReason;

/// What was counted for one VNI since it was added (`struct vxlan_vni_stats`).
///
/// Received bytes are counted as for the device, transmitted ones with the inner Ethernet header.
/// A packet that the underlay refuses still counts as transmitted here, and a drop that Linux does
/// not count shows in the reason alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Bytes delivered to the overlay.
    pub rx_bytes: u64,
    /// Frames delivered to the overlay.
    pub rx_packets: u64,
    /// Frames dropped because the device is down or the stack refused them.
    pub rx_drops: u64,
    /// Malformed packets.
    pub rx_errors: u64,
    /// Bytes handed to the underlay.
    pub tx_bytes: u64,
    /// Frames handed to the underlay.
    pub tx_packets: u64,
    /// Frames with nowhere to go.
    pub tx_drops: u64,
    /// Frames that failed for want of a route or of room.
    pub tx_errors: u64,
    drops: Drops,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Drops([u64; DropReason::COUNT]);

impl Default for Drops {
    fn default() -> Self {
        Self([0; DropReason::COUNT])
    }
}

impl Stats {
    /// How many packets of this VNI ended for `reason`. What ends before the VNI is known, or
    /// because it is not in the filter, counts for the device alone.
    #[must_use]
    pub fn drops(&self, reason: DropReason) -> u64 {
        self.drops.0.get(reason.index()).copied().unwrap_or(0)
    }

    /// The counters in the order of their numbers in netlink (`VNIFILTER_ENTRY_STATS_*`), 1 to 8.
    #[must_use]
    pub const fn named(&self) -> [(&'static str, u64); 8] {
        [
            ("rx_bytes", self.rx_bytes),
            ("rx_packets", self.rx_packets),
            ("rx_drops", self.rx_drops),
            ("rx_errors", self.rx_errors),
            ("tx_bytes", self.tx_bytes),
            ("tx_packets", self.tx_packets),
            ("tx_drops", self.tx_drops),
            ("tx_errors", self.tx_errors),
        ]
    }
}

/// Counters that are added to through a shared reference.
#[derive(Debug)]
pub(super) struct Counters {
    rx_bytes: Counter,
    rx_packets: Counter,
    rx_drops: Counter,
    rx_errors: Counter,
    tx_bytes: Counter,
    tx_packets: Counter,
    tx_drops: Counter,
    tx_errors: Counter,
    drops: [Counter; DropReason::COUNT],
}

impl Counters {
    pub(super) const fn new() -> Self {
        Self {
            rx_bytes: Counter::new(),
            rx_packets: Counter::new(),
            rx_drops: Counter::new(),
            rx_errors: Counter::new(),
            tx_bytes: Counter::new(),
            tx_packets: Counter::new(),
            tx_drops: Counter::new(),
            tx_errors: Counter::new(),
            drops: [const { Counter::new() }; DropReason::COUNT],
        }
    }

    pub(super) fn read(&self) -> Stats {
        let mut stats = Stats {
            rx_bytes: self.rx_bytes.get(),
            rx_packets: self.rx_packets.get(),
            rx_drops: self.rx_drops.get(),
            rx_errors: self.rx_errors.get(),
            tx_bytes: self.tx_bytes.get(),
            tx_packets: self.tx_packets.get(),
            tx_drops: self.tx_drops.get(),
            tx_errors: self.tx_errors.get(),
            drops: Drops::default(),
        };
        for (value, counter) in stats.drops.0.iter_mut().zip(&self.drops) {
            *value = counter.get();
        }
        stats
    }

    pub(super) fn received(&self, bytes: u64) {
        self.rx_packets.add(1);
        self.rx_bytes.add(bytes);
    }

    pub(super) fn transmitted(&self, bytes: u64) {
        self.tx_packets.add(1);
        self.tx_bytes.add(bytes);
    }

    pub(super) fn receive_dropped(&self, reason: DropReason) {
        match reason {
            DropReason::ReservedBits | DropReason::InnerHeaderTruncated | DropReason::TunnelEcn => {
                self.rx_errors.add(1)
            }
            DropReason::DeviceDown
            | DropReason::LearnQuota
            | DropReason::LearnRate
            | DropReason::MoveDamped => self.rx_drops.add(1),
            _ => {}
        }
        self.dropped(reason);
    }

    pub(super) fn transmit_dropped(&self, reason: DropReason) {
        match reason {
            DropReason::InnerHeaderTruncated
            | DropReason::AnyRemote
            | DropReason::ArpTruncated
            | DropReason::NoRemote
            | DropReason::NoNexthopPath => self.tx_drops.add(1),
            DropReason::NoRoute
            | DropReason::RouteLoop
            | DropReason::NoSocket
            | DropReason::LocalVniNotFound
            | DropReason::NoHeadroom
            | DropReason::AddressFamily
            | DropReason::UnknownProtocol => self.tx_errors.add(1),
            _ => {}
        }
        self.dropped(reason);
    }

    fn dropped(&self, reason: DropReason) {
        if let Some(counter) = self.drops.get(reason.index()) {
            counter.add(1);
        }
    }
}
