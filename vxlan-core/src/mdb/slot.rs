//! The cells a table is made of. All are opaque; a caller only provides empty ones.
//!
//! An empty cell is all zero bits, so a table in a `static` needs no image in flash.

use core::net::{IpAddr, Ipv4Addr};
use core::num::NonZeroU32;

use super::{FilterMode, Key};
use crate::fdb::Remote;

const NOWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// The number of a slot, plus one: "none" is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Index(NonZeroU32);

/// The next slot of a chain, if any.
pub(super) type Link = Option<Index>;

impl Index {
    /// Slot `position`, or `None` for the one position that has no number.
    pub(super) const fn new(position: u32) -> Link {
        match NonZeroU32::MIN.checked_add(position) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    #[inline]
    pub(super) const fn position(self) -> usize {
        (self.0.get() - 1) as usize
    }
}

/// A cell that is in one chain at a time, if only in that of the vacant ones.
pub(super) trait Cell {
    const VACANT: Self;

    fn next(&self) -> Link;

    fn next_mut(&mut self) -> &mut Link;
}

/// The head of a chain of entries.
#[derive(Clone, Copy, Debug)]
pub struct Bucket(pub(super) Link);

impl Bucket {
    /// A bucket without entries.
    pub const EMPTY: Self = Self(None);
}

/// Room for one entry.
#[derive(Clone, Debug)]
pub struct GroupSlot {
    pub(super) key: Key,
    /// Larger than that of every entry made before. Zero while vacant.
    pub(super) serial: u64,
    /// The remote added last.
    pub(super) newest: Link,
    /// The next entry of the bucket; of the free slots while vacant.
    pub(super) chain: Link,
    pub(super) newer: Link,
    pub(super) older: Link,
}

impl GroupSlot {
    /// A slot without an entry.
    pub const EMPTY: Self = Self {
        key: Key {
            group: NOWHERE,
            source: None,
            vni: 0,
        },
        serial: 0,
        newest: None,
        chain: None,
        newer: None,
        older: None,
    };
}

impl Cell for GroupSlot {
    const VACANT: Self = Self::EMPTY;

    fn next(&self) -> Link {
        self.chain
    }

    fn next_mut(&mut self) -> &mut Link {
        &mut self.chain
    }
}

/// Room for one remote of an entry.
#[derive(Clone, Debug)]
pub struct RemoteSlot {
    /// As frames are sent there.
    pub(super) remote: Remote,
    /// The VNI was given as zero and stands for that of the entry.
    pub(super) vni_of_entry: bool,
    pub(super) blocked: bool,
    pub(super) filter: FilterMode,
    pub(super) protocol: u8,
    /// Larger than that of every remote made before.
    pub(super) serial: u64,
    /// The source added last.
    pub(super) sources: Link,
    /// The next older remote of the entry; of the free slots while vacant.
    pub(super) older: Link,
}

impl RemoteSlot {
    /// A slot without a remote.
    pub const EMPTY: Self = Self {
        remote: Remote {
            addr: NOWHERE,
            port: 0,
            vni: 0,
            ifindex: None,
        },
        vni_of_entry: false,
        blocked: false,
        filter: FilterMode::Exclude,
        protocol: 0,
        serial: 0,
        sources: None,
        older: None,
    };

    /// As it was asked for.
    pub(super) fn stated(&self) -> Remote {
        Remote {
            vni: if self.vni_of_entry {
                0
            } else {
                self.remote.vni
            },
            ..self.remote
        }
    }
}

impl Cell for RemoteSlot {
    const VACANT: Self = Self::EMPTY;

    fn next(&self) -> Link {
        self.older
    }

    fn next_mut(&mut self) -> &mut Link {
        &mut self.older
    }
}

/// Room for one source in the list of a remote.
#[derive(Clone, Debug)]
pub struct SourceSlot {
    pub(super) source: IpAddr,
    pub(super) mark: Mark,
    /// The next older source; of the free slots while vacant.
    pub(super) older: Link,
}

/// What a request that is being carried out says about a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// It was there and stays.
    Kept,
    /// It was there and has not been named yet.
    Unnamed,
    /// It came with the request.
    New,
}

impl SourceSlot {
    /// A slot without a source.
    pub const EMPTY: Self = Self {
        source: NOWHERE,
        mark: Mark::Kept,
        older: None,
    };
}

impl Cell for SourceSlot {
    const VACANT: Self = Self::EMPTY;

    fn next(&self) -> Link {
        self.older
    }

    fn next_mut(&mut self) -> &mut Link {
        &mut self.older
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the documentation promises about memory.
    #[test]
    fn sizes() {
        assert_eq!(size_of::<Bucket>(), 4);
        assert_eq!(size_of::<GroupSlot>(), 64);
        assert_eq!(size_of::<RemoteSlot>(), 48);
        assert_eq!(size_of::<SourceSlot>(), 24);
    }
}
