//! Entries as a look-up, a dump or a notification shows them.

use core::net::IpAddr;

use super::slot::{EntrySlot, Link, RemoteSlot, Stored, Wide};
use super::stamp::Stamp;
use super::storage::RemoteSlots;
use super::{Destination, Flags, Key, NexthopId, Remote, State};
use crate::{IfIndex, Instant};

/// An entry in the table. The kernel's `struct vxlan_fdb`.
///
/// Shared, so that frames are decided about on a shared table; only the two times can be set.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    pub(super) slot: &'a EntrySlot,
    pub(super) remotes: RemoteSlots<'a>,
    pub(super) clock: Instant,
}

impl<'a> Entry<'a> {
    /// What the entry is found by.
    #[must_use]
    pub fn key(&self) -> Key {
        self.slot.key()
    }

    /// NUD bits.
    #[must_use]
    #[inline]
    pub fn state(&self) -> State {
        self.slot.state() | self.wide().state()
    }

    /// NTF bits and [`Flags::ADDED_BY_USER`].
    #[must_use]
    #[inline]
    pub fn flags(&self) -> Flags {
        self.slot.flags() | self.wide().flags()
    }

    /// When the entry was made, changed, or its address last seen as a source. In steps of 10 ms.
    ///
    /// An entry keeps 32 bits; the instant is the one within 248 days of the last change of the
    /// table.
    #[must_use]
    pub fn updated(&self) -> Instant {
        self.slot.updated.get().instant(self.clock)
    }

    /// When a frame was last sent here. In steps of 10 ms, see [`updated`](Self::updated).
    #[must_use]
    pub fn used(&self) -> Instant {
        self.slot.used.get().instant(self.clock)
    }

    /// The first remote; `None` if the entry has a nexthop group.
    #[must_use]
    #[inline]
    pub fn first_remote(&self) -> Option<&'a Remote> {
        self.first()?.held().remote()
    }

    /// Whether the first remote has this address and interface, as `vxlan_snoop()` asks of where a
    /// frame came from.
    #[must_use]
    #[inline]
    pub fn is_behind(&self, addr: IpAddr, ifindex: Option<IfIndex>) -> bool {
        self.first().is_some_and(|slot| slot.is_at(addr, ifindex))
    }

    /// All remotes, in the order in which they were added; none if the entry has a nexthop group.
    #[must_use]
    #[inline]
    pub fn remotes(&self) -> Remotes<'a> {
        Remotes {
            remotes: self.remotes,
            next: match self.slot.stored() {
                Some(Stored::Slot(first)) => Some(first),
                _ => None,
            },
        }
    }

    /// The nexthop group, if the entry has one instead of remotes.
    #[must_use]
    #[inline]
    pub fn nexthop(&self) -> Option<NexthopId> {
        match self.slot.stored()? {
            Stored::Nexthop(id) => Some(id),
            Stored::Slot(first) => match *self.remotes.get(first)?.held() {
                Destination::Nexthop(id) => Some(id),
                Destination::Remote(_) => None,
            },
        }
    }

    /// The slot of the first remote, or of a nexthop group that needs one.
    #[inline]
    fn first(&self) -> Option<&'a RemoteSlot> {
        self.remotes.at(self.slot.number())
    }

    /// The bits of state and flags that nobody uses.
    #[inline]
    fn wide(&self) -> Wide {
        self.first().map_or(Wide::NONE, RemoteSlot::wide)
    }

    /// The first remote or the nexthop group.
    pub(super) fn destination(&self) -> Option<Destination> {
        match self.slot.stored()? {
            Stored::Nexthop(id) => Some(Destination::Nexthop(id)),
            Stored::Slot(first) => Some(*self.remotes.get(first)?.held()),
        }
    }

    /// Notes that a frame was sent here (`vxlan_find_mac_tx()`).
    #[inline]
    pub fn touch_used(&self, now: Instant) {
        self.slot.used.set(Stamp::at(now));
    }

    /// Notes that a frame came from here (`vxlan_snoop()`). Writes only if the time has moved on
    /// by 10 ms.
    #[inline]
    pub fn touch_updated(&self, now: Instant) {
        self.slot.updated.set(Stamp::at(now));
    }

    /// One record for each remote, or the one for the nexthop group.
    pub(super) fn records(&self) -> Records<'a> {
        Records {
            entry: Snapshot::of(self),
            clock: self.clock,
            nexthop: self.nexthop(),
            remotes: self.remotes(),
        }
    }
}

/// The remotes of an entry.
#[derive(Clone, Debug)]
pub struct Remotes<'a> {
    remotes: RemoteSlots<'a>,
    next: Link,
}

impl<'a> Iterator for Remotes<'a> {
    type Item = &'a Remote;

    #[inline]
    fn next(&mut self) -> Option<&'a Remote> {
        let slot = self.remotes.get(self.next?)?;
        self.next = slot.next;
        slot.held().remote()
    }
}

impl core::iter::FusedIterator for Remotes<'_> {}

/// One line of a dump and the content of one notification: an entry with one of its destinations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    /// What the entry is found by.
    pub key: Key,
    /// NUD bits.
    pub state: State,
    /// NTF bits and [`Flags::ADDED_BY_USER`].
    pub flags: Flags,
    /// A remote or the nexthop group.
    pub destination: Destination,
    /// See [`Entry::updated`].
    pub updated: Instant,
    /// See [`Entry::used`].
    pub used: Instant,
}

/// What the records of an entry have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Snapshot {
    pub(super) key: Key,
    pub(super) state: State,
    pub(super) flags: Flags,
    pub(super) updated: Stamp,
    pub(super) used: Stamp,
}

impl Snapshot {
    pub(super) fn of(entry: &Entry<'_>) -> Self {
        Self {
            key: entry.key(),
            state: entry.state(),
            flags: entry.flags(),
            updated: entry.slot.updated.get(),
            used: entry.slot.used.get(),
        }
    }

    pub(super) fn record(&self, destination: Destination, clock: Instant) -> Record {
        Record {
            key: self.key,
            state: self.state,
            flags: self.flags,
            destination,
            updated: self.updated.instant(clock),
            used: self.used.instant(clock),
        }
    }
}

/// The records of one entry.
#[derive(Clone, Debug)]
pub(super) struct Records<'a> {
    entry: Snapshot,
    clock: Instant,
    nexthop: Option<NexthopId>,
    remotes: Remotes<'a>,
}

impl Iterator for Records<'_> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        let destination = match self.nexthop.take() {
            Some(id) => Destination::Nexthop(id),
            None => Destination::Remote(*self.remotes.next()?),
        };
        Some(self.entry.record(destination, self.clock))
    }
}
