//! What an entry is found by.

use crate::Mac;

/// An address in a network. Linux compares both since it has a source VNI (`struct
/// vxlan_fdb_key`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The inner destination address; all zeros for the default entry.
    pub mac: Mac,
    /// The network. Not a [`Vni`](crate::Vni): Linux checks no range here, so a control plane may
    /// store any 32 bits.
    pub vni: u32,
}

impl Key {
    /// The octets of the address as a number, as a little-endian machine reads them.
    #[inline]
    pub(super) const fn word(&self) -> u64 {
        let [a, b, c, d, e, f] = self.mac.octets();
        u64::from_le_bytes([a, b, c, d, e, f, 0, 0])
    }
}
