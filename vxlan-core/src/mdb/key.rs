//! What an entry is found by.

use core::net::IpAddr;

/// The key of an entry. The kernel's `struct vxlan_mdb_entry_key`.
///
/// Ordered by group, then source, then network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The group; the unspecified address of a family catches all groups that no other entry has.
    pub group: IpAddr,
    /// The source, or `None` for any.
    ///
    /// As in Linux an unspecified address is not the same as `None`: it is found by frames from
    /// that very address, but otherwise counts as "any source".
    pub source: Option<IpAddr>,
    /// The network: the device's VNI, or in external mode the one of the frame.
    pub vni: u32,
}

impl Key {
    fn names_source(&self) -> bool {
        self.source.is_some_and(|source| !source.is_unspecified())
    }

    /// Whether it is (*,G): one group from any source.
    #[must_use]
    pub fn is_any_source(&self) -> bool {
        !self.group.is_unspecified() && !self.names_source()
    }

    /// Whether it is (S,G): one group from one source.
    #[must_use]
    pub fn is_one_source(&self) -> bool {
        !self.group.is_unspecified() && self.names_source()
    }

    /// Whether it catches the groups that no other entry has.
    #[must_use]
    pub fn is_catch_all(&self) -> bool {
        self.group.is_unspecified()
    }
}

/// What a list of sources means (`MDBE_ATTR_GROUP_MODE`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum FilterMode {
    /// All sources but these.
    #[default]
    Exclude = 0,
    /// Only these sources.
    Include = 1,
}
