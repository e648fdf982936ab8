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
