//! What the packets of all files add up to.

use std::collections::BTreeMap;

use super::layers::Decoded;
use super::verdict::Verdict;

/// Counts of packets.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Summary {
    /// All.
    pub(super) packets: u64,
    /// With a VXLAN port.
    pub(super) vxlan: u64,
    /// By VNI; of VXLAN packets long enough to have one.
    pub(super) vnis: BTreeMap<u32, u64>,
    /// By action and reason.
    pub(super) verdicts: BTreeMap<String, u64>,
}

impl Summary {
    pub(super) fn add(&mut self, decoded: &Decoded<'_>, verdict: Option<&Verdict>) {
        self.packets += 1;
        if let Some(datagram) = decoded.vxlan {
            self.vxlan += 1;
            if let Some(vni) = datagram.vni {
                *self.vnis.entry(vni).or_default() += 1;
            }
        }
        if let Some(verdict) = verdict {
            *self.verdicts.entry(verdict.headline()).or_default() += 1;
        }
    }
}
