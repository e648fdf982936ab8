//! What one thread brings along.

use crate::{DropReason, Instant, Stats};

/// One thread's clock reading and its share of one device's counters.
///
/// Counters that nobody shares need no synchronisation; add the shares up to read them
/// ([`Stats`] has `+=`), like the kernel's per-CPU counters.
#[derive(Clone, Debug)]
pub struct Worker {
    /// The time, read by the caller once per batch.
    pub now: Instant,
    /// What this thread counted.
    pub stats: Stats,
    identification: u16,
}

impl Worker {
    /// A worker that starts at `now` with all counters at zero.
    #[must_use]
    pub const fn new(now: Instant) -> Self {
        Self {
            now,
            stats: Stats::new(),
            identification: 0,
        }
    }

    /// Where the identifications of outer IPv4 headers start; they count up from here. Threads
    /// that send to the same remote should start apart.
    #[must_use]
    pub const fn identification(mut self, first: u16) -> Self {
        self.identification = first;
        self
    }

    /// The identification of the next outer IPv4 header; `count` of them are used up
    /// (`__ip_select_ident()`).
    #[inline]
    pub(crate) fn next_identifications(&mut self, count: usize) -> u16 {
        let id = self.identification;
        self.identification = id.wrapping_add(count as u16);
        id
    }

    /// A received packet that ends here. What Linux drops without a counter shows in the reason
    /// alone.
    #[cold]
    pub(crate) fn rx_drop(&mut self, reason: DropReason) -> DropReason {
        match reason {
            DropReason::ReservedBits | DropReason::TunnelEcn => {
                self.stats.rx_errors += 1;
                self.stats.rx_frame_errors += 1;
            }
            DropReason::InnerHeaderTruncated => {
                self.stats.rx_errors += 1;
                self.stats.rx_length_errors += 1;
            }
            DropReason::DeviceDown
            | DropReason::LearnQuota
            | DropReason::LearnRate
            | DropReason::MoveDamped => self.stats.rx_dropped += 1,
            _ => {}
        }
        self.stats.count_drop(reason);
        reason
    }

    /// A transmitted frame that had nowhere to go.
    #[inline]
    pub(crate) fn tx_dropped(&mut self, reason: DropReason) -> DropReason {
        self.stats.tx_dropped += 1;
        self.stats.count_drop(reason);
        reason
    }

    /// A transmitted frame that failed.
    pub(crate) fn tx_error(&mut self, reason: DropReason) -> DropReason {
        self.stats.tx_errors += 1;
        match reason {
            DropReason::NoRoute => self.stats.tx_carrier_errors += 1,
            DropReason::RouteLoop => self.stats.collisions += 1,
            _ => {}
        }
        self.stats.count_drop(reason);
        reason
    }
}
