//! The cells a table is made of. All are opaque; a caller only provides empty ones.
//!
//! An empty cell is all zero bits, so a table in a `static` needs no image in flash.

use core::net::{IpAddr, Ipv4Addr};
use core::num::NonZeroU32;

use super::stamp::AtomicStamp;
use super::{Flags, Key, NexthopId, Remote, State};
use crate::Mac;

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

/// The head of a chain of entries whose hashes are close together.
#[derive(Debug)]
pub struct Bucket(pub(super) Link);

impl Bucket {
    /// A bucket without entries.
    pub const EMPTY: Self = Self(None);
}

/// Room for one entry.
#[derive(Debug)]
pub struct EntrySlot {
    /// The address as [`Mac::to_u64`](crate::Mac::to_u64) gives it.
    pub(super) mac: u64,
    pub(super) vni: u32,
    pub(super) state: State,
    pub(super) flags: Flags,
    pub(super) destination: Stored,
    pub(super) updated: AtomicStamp,
    pub(super) used: AtomicStamp,
    /// The next entry of the bucket; of the free slots while vacant.
    pub(super) chain: Link,
    pub(super) newer: Link,
    pub(super) older: Link,
}

impl EntrySlot {
    /// A slot without an entry.
    #[expect(
        clippy::declare_interior_mutable_const,
        reason = "a pattern to fill arrays with; every use is a slot of its own"
    )]
    pub const EMPTY: Self = Self {
        mac: 0,
        vni: 0,
        state: State::empty(),
        flags: Flags::empty(),
        destination: Stored::Vacant,
        updated: AtomicStamp::new(),
        used: AtomicStamp::new(),
        chain: None,
        newer: None,
        older: None,
    };

    pub(super) const fn key(&self) -> Key {
        let [_, _, a, b, c, d, e, f] = self.mac.to_be_bytes();
        Key {
            mac: Mac::new([a, b, c, d, e, f]),
            vni: self.vni,
        }
    }
}

/// Where an entry points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stored {
    /// There is no entry.
    Vacant,
    /// The first of a chain of remotes.
    Remotes(Index),
    Nexthop(NexthopId),
}

/// Room for one remote.
#[derive(Debug)]
pub struct RemoteSlot {
    pub(super) remote: Remote,
    /// The next remote of the entry; of the free slots while vacant.
    pub(super) next: Link,
}

impl RemoteSlot {
    /// A slot without a remote.
    pub const EMPTY: Self = Self {
        remote: Remote {
            addr: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            port: 0,
            vni: 0,
            ifindex: None,
        },
        next: None,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the documentation promises about memory.
    #[test]
    fn sizes() {
        assert_eq!(size_of::<Bucket>(), 4);
        assert_eq!(size_of::<EntrySlot>(), 48);
        assert_eq!(size_of::<RemoteSlot>(), 32);
    }

    #[test]
    fn positions_have_numbers_up_to_the_last() {
        for position in [0, 1, u32::MAX - 1] {
            assert_eq!(Index::new(position).unwrap().position(), position as usize);
        }
        assert_eq!(Index::new(u32::MAX), None);
    }
}
