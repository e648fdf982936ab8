//! Entries, remotes and sources as chains of slots. Knows nothing about what requests mean.

use core::fmt;
use core::net::IpAddr;

use super::Key;
use super::slot::{Cell, GroupSlot, Index, Link, Mark, RemoteSlot, SourceSlot};
use super::storage::{Needed, Storage, View, ViewMut};
use crate::Salt;

/// The state of a table beside its slots.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(super) len: u32,
    /// The entry made last. Dump and flush start here.
    pub(super) newest: Link,
    /// Where a flush goes on. Moves on by itself if that entry goes.
    pub(super) walk: Link,
    groups: Pool,
    remotes: Pool,
    sources: Pool,
    pub(super) hasher: Hasher,
    /// The number of entries and remotes made so far.
    serial: u64,
}

impl Head {
    /// That of an empty table. The buckets have to be empty as well.
    pub(crate) fn new(salt: Salt) -> Self {
        Self {
            len: 0,
            newest: None,
            walk: None,
            groups: Pool::default(),
            remotes: Pool::default(),
            sources: Pool::default(),
            hasher: Hasher::new(salt),
            serial: 0,
        }
    }

    /// The slots that there have to be to take so many more.
    pub(super) fn needed(&self, groups: u32, remotes: u32, sources: u32) -> Needed {
        Needed {
            groups: self.groups.needed(groups),
            remotes: self.remotes.needed(remotes),
            sources: self.sources.needed(sources),
        }
    }

    fn next_serial(&mut self) -> u64 {
        self.serial = self.serial.saturating_add(1);
        self.serial
    }
}

/// The vacant slots of one kind: a chain of used ones, then those that never were.
#[derive(Clone, Debug, Default)]
struct Pool {
    free: Link,
    /// The length of that chain.
    vacant: u32,
    /// The position of the first slot that was never used.
    fresh: u32,
}

impl Pool {
    fn needed(&self, more: u32) -> u32 {
        self.fresh.saturating_add(more.saturating_sub(self.vacant))
    }

    fn take<T: Cell>(&mut self, slots: &mut [T], value: T) -> Link {
        let index = match self.free {
            Some(index) => {
                self.free = slots.get(index.position())?.next();
                self.vacant = self.vacant.saturating_sub(1);
                index
            }
            None => {
                let index = Index::new(self.fresh)?;
                slots.get(index.position())?;
                self.fresh += 1;
                index
            }
        };
        *slots.get_mut(index.position())? = value;
        Some(index)
    }

    fn give<T: Cell>(&mut self, slots: &mut [T], index: Index) {
        if let Some(slot) = slots.get_mut(index.position()) {
            *slot = T::VACANT;
            *slot.next_mut() = self.free.replace(index);
            self.vacant = self.vacant.saturating_add(1);
        }
    }
}

/// The keyed hash that spreads entries over buckets.
///
/// Only the operator chooses keys; the salt keeps their order from showing all the same.
#[derive(Clone)]
pub(super) struct Hasher([u64; 4]);

impl Hasher {
    /// Separates these words from those of the other hashes of one salt.
    const PURPOSE: u64 = 3;

    pub(super) const fn new(salt: Salt) -> Self {
        Self(salt.words(Self::PURPOSE))
    }

    #[inline]
    fn hash(&self, key: &Key) -> u64 {
        let [a, b, c, d] = self.0;
        let (high, low) = halves(key.group);
        let group = fold(high ^ a, low ^ b);
        let source = match key.source {
            None => group,
            Some(source) => {
                let (high, low) = halves(source);
                fold(group ^ high ^ c, low ^ b)
            }
        };
        fold(source ^ d, u64::from(key.vni) ^ c)
    }
}

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

fn halves(addr: IpAddr) -> (u64, u64) {
    match addr {
        IpAddr::V4(addr) => (0, addr.to_bits().into()),
        IpAddr::V6(addr) => ((addr.to_bits() >> 64) as u64, addr.to_bits() as u64),
    }
}

/// The bucket of `hash` among `buckets`, by its upper half.
fn bucket(hash: u64, buckets: usize) -> usize {
    let buckets = u32::try_from(buckets).unwrap_or(u32::MAX);
    (((hash >> 32) * u64::from(buckets)) >> 32) as usize
}

impl fmt::Debug for Hasher {
    /// Never prints the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher(..)")
    }
}

impl<'a> View<'a> {
    pub(super) fn group(&self, index: Index) -> Option<&'a GroupSlot> {
        self.groups.get(index.position())
    }

    pub(super) fn remote(&self, index: Index) -> Option<&'a RemoteSlot> {
        self.remotes.get(index.position())
    }

    pub(super) fn source(&self, index: Index) -> Option<&'a SourceSlot> {
        self.sources.get(index.position())
    }

    pub(super) fn find(&self, hasher: &Hasher, key: &Key) -> Link {
        let at = bucket(hasher.hash(key), self.buckets.len());
        let mut link = self.buckets.get(at)?.0;
        while let Some(index) = link {
            let slot = self.group(index)?;
            if slot.key == *key {
                return Some(index);
            }
            link = slot.chain;
        }
        None
    }

    /// The remote of an entry with this address, whatever else it has.
    pub(super) fn find_remote(&self, group: Index, addr: IpAddr) -> Link {
        let mut link = self.group(group)?.newest;
        while let Some(index) = link {
            let slot = self.remote(index)?;
            if slot.remote.addr == addr {
                return Some(index);
            }
            link = slot.older;
        }
        None
    }

    /// The place of a source in the list of a remote.
    pub(super) fn find_source(&self, remote: Index, source: IpAddr) -> Link {
        let mut link = self.remote(remote)?.sources;
        while let Some(index) = link {
            let slot = self.source(index)?;
            if slot.source == source {
                return Some(index);
            }
            link = slot.older;
        }
        None
    }
}

/// A table to be changed.
pub(super) struct TableMut<'a> {
    pub(super) view: ViewMut<'a>,
    pub(super) head: &'a mut Head,
}

impl<'a> TableMut<'a> {
    pub(super) fn new<M: Storage + ?Sized>(head: &'a mut Head, memory: &'a mut M) -> Self {
        Self {
            view: memory.view_mut(),
            head,
        }
    }

    pub(super) fn find(&self, key: &Key) -> Link {
        self.view.read().find(&self.head.hasher, key)
    }

    pub(super) fn remote_mut(&mut self, index: Index) -> Option<&mut RemoteSlot> {
        self.view.remotes.get_mut(index.position())
    }

    pub(super) fn source_mut(&mut self, index: Index) -> Option<&mut SourceSlot> {
        self.view.sources.get_mut(index.position())
    }

    fn group_mut(&mut self, index: Index) -> Option<&mut GroupSlot> {
        self.view.groups.get_mut(index.position())
    }

    /// Takes a slot for an entry without remotes, the newest from now on.
    ///
    /// The caller has made room and knows that the key is new.
    pub(super) fn insert(&mut self, key: Key) -> Link {
        let at = bucket(self.head.hasher.hash(&key), self.view.buckets.len());
        let first = self.view.buckets.get_mut(at)?;
        let older = self.head.newest;
        let slot = GroupSlot {
            key,
            serial: self.head.next_serial(),
            newest: None,
            chain: first.0,
            newer: None,
            older,
        };
        let index = self.head.groups.take(self.view.groups, slot)?;
        first.0 = Some(index);
        if let Some(older) = older {
            self.group_mut(older)?.newer = Some(index);
        }
        self.head.newest = Some(index);
        self.head.len = self.head.len.saturating_add(1);
        Some(index)
    }

    /// Puts all entries into the buckets, which are empty.
    pub(super) fn relink_all(&mut self) {
        let mut link = self.head.newest;
        while let Some(index) = link {
            let Some(slot) = self.view.groups.get_mut(index.position()) else {
                return;
            };
            link = slot.older;
            let at = bucket(self.head.hasher.hash(&slot.key), self.view.buckets.len());
            if let Some(bucket) = self.view.buckets.get_mut(at) {
                slot.chain = bucket.0.replace(index);
            }
        }
    }

    /// Takes an entry out if it has no remote left.
    pub(super) fn remove_if_empty(&mut self, index: Index) -> Option<()> {
        let slot = self.view.groups.get(index.position())?;
        if slot.newest.is_some() {
            return None;
        }
        let (newer, older, chain) = (slot.newer, slot.older, slot.chain);
        let at = bucket(self.head.hasher.hash(&slot.key), self.view.buckets.len());
        if self.head.walk == Some(index) {
            self.head.walk = older;
        }
        match newer {
            Some(newer) => self.group_mut(newer)?.older = older,
            None => self.head.newest = older,
        }
        if let Some(older) = older {
            self.group_mut(older)?.newer = newer;
        }
        let bucket = self.view.buckets.get_mut(at)?;
        unlink(&mut bucket.0, self.view.groups, index, chain);
        self.head.groups.give(self.view.groups, index);
        self.head.len = self.head.len.saturating_sub(1);
        Some(())
    }

    /// Adds a remote to an entry, in front of the others.
    pub(super) fn push_remote(&mut self, group: Index, mut remote: RemoteSlot) -> Link {
        remote.serial = self.head.next_serial();
        let slot = self.view.groups.get_mut(group.position())?;
        remote.older = slot.newest;
        let index = self.head.remotes.take(self.view.remotes, remote)?;
        slot.newest = Some(index);
        Some(index)
    }

    /// Takes a remote out of its entry. The slot stays as it is until [`bury`](Self::bury).
    pub(super) fn unlink_remote(&mut self, group: Index, remote: Index) -> Option<()> {
        let older = self.view.remotes.get(remote.position())?.older;
        let slot = self.view.groups.get_mut(group.position())?;
        unlink(&mut slot.newest, self.view.remotes, remote, older);
        Some(())
    }

    /// Gives the slot of an unlinked remote back. Its sources are gone by now.
    pub(super) fn bury(&mut self, remote: Index) {
        self.head.remotes.give(self.view.remotes, remote);
    }

    /// Adds a source to the list of a remote, in front of the others.
    pub(super) fn push_source(&mut self, remote: Index, source: IpAddr) -> Link {
        let slot = self.view.remotes.get_mut(remote.position())?;
        let new = SourceSlot {
            source,
            mark: Mark::New,
            older: slot.sources,
        };
        let index = self.head.sources.take(self.view.sources, new)?;
        slot.sources = Some(index);
        Some(index)
    }

    /// Takes a source out of the list of a remote.
    pub(super) fn remove_source(&mut self, remote: Index, source: Index) -> Option<()> {
        let older = self.view.sources.get(source.position())?.older;
        let slot = self.view.remotes.get_mut(remote.position())?;
        unlink(&mut slot.sources, self.view.sources, source, older);
        self.head.sources.give(self.view.sources, source);
        Some(())
    }
}

/// Lets whatever points to `gone` within a chain point to `next`.
fn unlink<T: Cell>(first: &mut Link, slots: &mut [T], gone: Index, next: Link) {
    if *first == Some(gone) {
        *first = next;
        return;
    }
    let mut link = *first;
    while let Some(index) = link {
        let Some(slot) = slots.get_mut(index.position()) else {
            return;
        };
        if slot.next() == Some(gone) {
            *slot.next_mut() = next;
            return;
        }
        link = slot.next();
    }
}
