//! Entries and remotes as chains of slots. Knows nothing about what requests mean.

use super::entry::Snapshot;
use super::hash::Hasher;
use super::slot::{Bucket, EntrySlot, Index, Link, Stored};
use super::stamp::Stamp;
use super::view::{SlotsMut, ViewMut};
use super::{Destination, Flags, Key, Record, Remote, RemoteSlot, State};
use crate::Instant;

/// The state of a table beside its slots.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) len: u32,
    /// The entry made last. Dump, flush and ageing start here.
    pub(super) newest: Link,
    pub(super) entries: Pool,
    pub(super) remotes: Pool,
    /// The time of the last change: near enough to tell what the 32-bit stamps stand for.
    pub(super) clock: Instant,
}

/// The vacant slots of one kind: a chain of used ones, then those that never were.
#[derive(Debug, Default)]
pub(super) struct Pool {
    free: Link,
    /// The position of the first slot that was never used.
    fresh: u32,
}

impl Pool {
    /// How many slots there have to be to take one more.
    pub(super) fn needed(&self) -> u32 {
        match self.free {
            Some(_) => self.fresh,
            None => self.fresh.saturating_add(1),
        }
    }
}

/// What a new entry starts with.
pub(super) struct NewEntry {
    pub(super) key: Key,
    pub(super) state: State,
    pub(super) flags: Flags,
    pub(super) destination: Stored,
    pub(super) now: Stamp,
}

/// A table to be changed.
#[derive(Debug)]
pub(super) struct TableMut<'a> {
    pub(super) view: ViewMut<'a>,
    pub(super) head: &'a mut Head,
    pub(super) hasher: &'a Hasher,
}

impl TableMut<'_> {
    pub(super) fn find(&self, key: &Key) -> Link {
        let view = self.view.read();
        let found = view.find(self.hasher.hash_key(key), key.mac.to_u64(), key.vni);
        found.map(|(index, _)| index)
    }

    pub(super) fn entry(&self, index: Index) -> Option<&EntrySlot> {
        self.view.entries.get(index)
    }

    pub(super) fn entry_mut(&mut self, index: Index) -> Option<&mut EntrySlot> {
        self.view.entries.get_mut(index)
    }

    /// The first remote of an entry, unless that has a nexthop group.
    pub(super) fn first_remote_mut(&mut self, index: Index) -> Option<&mut Remote> {
        let Stored::Remotes(first) = self.entry(index)?.destination else {
            return None;
        };
        Some(&mut self.view.remotes.get_mut(first)?.remote)
    }

    /// Takes a slot for a remote that belongs to no entry yet.
    pub(super) fn new_remote(&mut self, remote: Remote) -> Link {
        let pool = &mut self.head.remotes;
        let index = match pool.free {
            Some(index) => {
                pool.free = self.view.remotes.get(index)?.next;
                index
            }
            None => {
                let index = Index::new(pool.fresh)?;
                self.view.remotes.get(index)?;
                pool.fresh += 1;
                index
            }
        };
        *self.view.remotes.get_mut(index)? = RemoteSlot { remote, next: None };
        Some(index)
    }

    /// Takes a slot for an entry, links it into its bucket and makes it the newest.
    ///
    /// The caller has made room and knows that the key is new.
    pub(super) fn insert(&mut self, new: &NewEntry) -> Link {
        let mac = new.key.mac.to_u64();
        let bucket = self
            .view
            .buckets
            .get_mut(self.hasher.hash(mac, new.key.vni))?;
        let pool = &mut self.head.entries;
        let index = match pool.free {
            Some(index) => {
                pool.free = self.view.entries.get(index)?.chain;
                index
            }
            None => {
                let index = Index::new(pool.fresh)?;
                self.view.entries.get(index)?;
                pool.fresh += 1;
                index
            }
        };
        let slot = self.view.entries.get_mut(index)?;
        slot.mac = mac;
        slot.vni = new.key.vni;
        slot.state = new.state;
        slot.flags = new.flags;
        slot.destination = new.destination;
        slot.updated.set(new.now);
        slot.used.set(new.now);
        slot.chain = bucket.0.replace(index);
        slot.newer = None;
        slot.older = self.head.newest.replace(index);
        if let Some(older) = slot.older {
            self.view.entries.get_mut(older)?.newer = Some(index);
        }
        self.head.len = self.head.len.saturating_add(1);
        Some(index)
    }

    /// Takes an entry out; its remotes live on in what is returned.
    pub(super) fn take(&mut self, index: Index) -> Option<Dying> {
        let slot = self.view.entries.get_mut(index)?;
        let dying = Dying {
            entry: Snapshot::of(slot),
            left: core::mem::replace(&mut slot.destination, Stored::Vacant),
        };
        let (mac, vni, next) = (slot.mac, slot.vni, slot.chain.take());
        let (newer, older) = (slot.newer.take(), slot.older.take());

        let bucket = self.view.buckets.get_mut(self.hasher.hash(mac, vni))?;
        relink(bucket, &mut self.view.entries, index, next);
        match newer {
            Some(newer) => self.view.entries.get_mut(newer)?.older = older,
            None => self.head.newest = older,
        }
        if let Some(older) = older {
            self.view.entries.get_mut(older)?.newer = newer;
        }
        self.view.entries.get_mut(index)?.chain = self.head.entries.free.replace(index);
        self.head.len = self.head.len.saturating_sub(1);
        Some(dying)
    }

    /// Takes those remotes out of an entry that `condemned` names, in list order; the entry goes
    /// with the last one. `None` if there are none.
    pub(super) fn take_remotes(
        &mut self,
        index: Index,
        mut condemned: impl FnMut(&Remote) -> bool,
    ) -> Option<Dying> {
        let slot = self.view.entries.get(index)?;
        let entry = Snapshot::of(slot);
        let Stored::Remotes(first) = slot.destination else {
            return None;
        };
        let (mut kept, mut gone) = (Chain::default(), Chain::default());
        let mut link = Some(first);
        while let Some(at) = link {
            let slot = self.view.remotes.get_mut(at)?;
            link = slot.next.take();
            let to = match condemned(&slot.remote) {
                true => &mut gone,
                false => &mut kept,
            };
            to.push(&mut self.view.remotes, at);
        }
        match kept.first {
            Some(first) => self.view.entries.get_mut(index)?.destination = Stored::Remotes(first),
            // The entry still points to its old first remote, which is that of `gone`, too.
            None => return self.take(index),
        }
        Some(Dying {
            entry,
            left: Stored::Remotes(gone.first?),
        })
    }

    /// The next remote of what was taken out; its slot is vacant from now on.
    pub(super) fn bury(&mut self, dying: &mut Dying) -> Option<Record> {
        let destination = match dying.left {
            Stored::Vacant => return None,
            Stored::Nexthop(id) => {
                dying.left = Stored::Vacant;
                Destination::Nexthop(id)
            }
            Stored::Remotes(index) => {
                let slot = self.view.remotes.get_mut(index)?;
                let next = core::mem::replace(&mut slot.next, self.head.remotes.free);
                self.head.remotes.free = Some(index);
                dying.left = next.map_or(Stored::Vacant, Stored::Remotes);
                Destination::Remote(slot.remote)
            }
        };
        Some(dying.entry.record(destination, self.head.clock))
    }
}

/// What was taken out of the table and not yet told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dying {
    pub(super) entry: Snapshot,
    left: Stored,
}

/// A chain of remotes under construction.
#[derive(Default)]
struct Chain {
    first: Link,
    last: Link,
}

impl Chain {
    fn push(&mut self, remotes: &mut SlotsMut<'_, RemoteSlot>, index: Index) {
        match self.last.replace(index) {
            None => self.first = Some(index),
            Some(last) => {
                if let Some(slot) = remotes.get_mut(last) {
                    slot.next = Some(index);
                }
            }
        }
    }
}

/// Lets whatever points to `gone` within a bucket point to `next`.
fn relink(bucket: &mut Bucket, entries: &mut SlotsMut<'_, EntrySlot>, gone: Index, next: Link) {
    if bucket.0 == Some(gone) {
        bucket.0 = next;
        return;
    }
    let mut link = bucket.0;
    while let Some(index) = link {
        let Some(slot) = entries.get_mut(index) else {
            return;
        };
        if slot.chain == Some(gone) {
            slot.chain = next;
            return;
        }
        link = slot.chain;
    }
}
