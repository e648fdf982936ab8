//! What is counted for each VNI.

use crate::fdb::Storage;
use crate::{Device, DropReason};

/// The counters of a VNI (`vxlan_vnifilter_count()`). A VNI that is not in the list has none, and a
/// device without a filter asks no further.
impl<S: Storage> Device<S> {
    /// Counts a frame that is delivered.
    #[inline]
    pub(in crate::device) fn count_delivered(&self, vni: u32, bytes: u64) {
        if self.config.has_vni_filter() {
            self.delivered(vni, bytes);
        }
    }

    /// Counts a received packet that ends here.
    #[inline]
    pub(in crate::device) fn count_refused(&self, vni: u32, reason: DropReason) {
        if self.config.has_vni_filter() {
            self.refused(vni, reason);
        }
    }

    /// Counts a frame of `len` bytes that the underlay is handed.
    #[inline]
    pub(in crate::device) fn count_sent(&self, vni: u32, len: usize) {
        if self.config.has_vni_filter() {
            self.sent(vni, len);
        }
    }

    /// Counts a frame that is not sent.
    #[inline]
    pub(in crate::device) fn count_unsent(&self, vni: u32, reason: DropReason) {
        if self.config.has_vni_filter() {
            self.unsent(vni, reason);
        }
    }

    #[cold]
    fn delivered(&self, vni: u32, bytes: u64) {
        if let Some(entry) = self.vnis().find(vni) {
            entry.received(bytes);
        }
    }

    #[cold]
    fn refused(&self, vni: u32, reason: DropReason) {
        if let Some(entry) = self.vnis().find(vni) {
            entry.receive_dropped(reason);
        }
    }

    #[cold]
    fn sent(&self, vni: u32, len: usize) {
        if let Some(entry) = self.vnis().find(vni) {
            entry.transmitted(len as u64);
        }
    }

    #[cold]
    fn unsent(&self, vni: u32, reason: DropReason) {
        if let Some(entry) = self.vnis().find(vni) {
            entry.transmit_dropped(reason);
        }
    }
}
