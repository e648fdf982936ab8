//! A storage on the heap that grows in small steps.

mod halves;
mod slab;

use alloc::vec::Vec;

use super::bucket::ENTRIES_MAX;
use super::hash::{Hash, Hashed, Hasher};
use super::probe::Overflow;
use super::storage::{RemoteSlots, Reseeded, Slots, Storage};
use super::{Bucket, EntrySlot, Full, RemoteSlot};
use crate::vni_filter;
use halves::Halves;
use slab::Slab;

/// Entries in one allocation: 3 KiB.
const ENTRY_CHUNK: usize = 128;
/// Remotes in one allocation: 2 KiB.
const REMOTE_CHUNK: usize = 32;

type EntrySlab = Slab<EntrySlot, ENTRY_CHUNK>;
pub(super) type RemoteSlab = Slab<RemoteSlot, REMOTE_CHUNK>;

/// Memory on the heap that grows as entries come (feature `alloc`).
///
/// No insert pauses: slots are allocated in small chunks and never move; when the index is full
/// to three quarters, a larger one is filled from its front, two buckets of the old one an insert,
/// and the old one given back behind. An insert allocates 8 KiB at most. A lack of memory is a
/// [`Full`] error, not an abort. The memory of entries and remotes is kept until the storage is
/// dropped.
///
/// With a million entries behind a thousand VTEPs an entry costs 32 bytes at most, everything
/// included. The limit costs a sixth of a byte for each entry that there might be, reserved when
/// the table is made and not touched before it is needed.
///
/// ```
/// use vxlan_core::{Salt, fdb};
///
/// let fdb = fdb::Fdb::new(fdb::Growable::new(), Salt::default());
/// assert!(fdb.is_empty());
/// ```
#[derive(Debug)]
pub struct Growable {
    limit: u32,
    index: Halves,
    entries: EntrySlab,
    remotes: RemoteSlab,
    vnis: Vec<vni_filter::Slot>,
}

impl Growable {
    /// How many entries [`new`](Self::new) allows: four million.
    pub const LIMIT_DEFAULT: u32 = 1 << 22;
    /// How many entries there can be at most: eight million.
    pub const LIMIT_MAX: u32 = ENTRIES_MAX;

    /// Memory for up to [`LIMIT_DEFAULT`](Self::LIMIT_DEFAULT) entries. Nothing is allocated yet.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_limit(Self::LIMIT_DEFAULT)
    }

    /// Memory for up to so many entries, [`LIMIT_MAX`](Self::LIMIT_MAX) at most. Nothing is
    /// allocated yet.
    #[must_use]
    pub const fn with_limit(entries: u32) -> Self {
        Self {
            limit: if entries < Self::LIMIT_MAX {
                entries
            } else {
                Self::LIMIT_MAX
            },
            index: Halves::new(),
            entries: Slab::new(),
            remotes: Slab::new(),
            vnis: Vec::new(),
        }
    }

    /// How many bytes the table has allocated, directories included, but not what the allocator
    /// adds, nor what directories have reserved and not reached.
    #[must_use]
    pub fn allocated(&self) -> usize {
        self.index.allocated() + self.entries.allocated() + self.remotes.allocated()
    }
}

impl Default for Growable {
    fn default() -> Self {
        Self::new()
    }
}

impl Storage for Growable {
    #[inline]
    fn home(&self, hash: Hash) -> Option<&Bucket> {
        self.index.home(hash)
    }

    #[inline]
    fn near(&self, hash: Hash, steps: usize) -> Option<&Bucket> {
        self.index.near(hash, steps)
    }

    fn search(&self, key: &Hashed) -> Option<u32> {
        self.index.search(key, |number| {
            let entry = self.entries.get(number as usize);
            entry.is_some_and(|entry| entry.is(key.mac, key.vni))
        })
    }

    #[inline]
    fn entry(&self, number: u32) -> Option<&EntrySlot> {
        self.entries.get(number as usize)
    }

    fn entry_mut(&mut self, number: u32) -> Option<&mut EntrySlot> {
        self.entries.get_mut(number as usize)
    }

    #[inline]
    fn remotes(&self) -> RemoteSlots<'_> {
        RemoteSlots(Slots::Chunked(&self.remotes))
    }

    fn remote_mut(&mut self, position: usize) -> Option<&mut RemoteSlot> {
        self.remotes.get_mut(position + 1)
    }

    fn capacity(&self) -> usize {
        self.entries.len()
    }

    fn overflow(&self) -> Overflow {
        self.index.overflow()
    }

    fn forget(&mut self) {
        // Directories that cannot be had now are asked for again, chunk by chunk.
        self.index.forget(self.limit);
        self.entries.provide(self.limit as usize);
        // Most remotes are shared. A table in which more of them differ copies their directory, a
        // quarter of a byte for each entry that there might be, and then half of one.
        self.remotes.provide(self.limit as usize / 4);
    }

    fn reserve(&mut self, entries: u32, remotes: u32) -> Result<(), Full> {
        if entries > self.limit {
            return Err(Full::Entries);
        }
        let entries = self.entries.grow(entries as usize, || EntrySlot::EMPTY);
        entries.ok_or(Full::Entries)?;
        let wanted = remotes as usize + usize::from(remotes > 0);
        let remotes = self.remotes.grow(wanted, || RemoteSlot::EMPTY);
        remotes.ok_or(Full::Remotes)
    }

    fn tend(&mut self, len: u32, hasher: &Hasher) -> Option<Hasher> {
        self.index.tend(len, hasher, &self.entries)
    }

    fn is_moving(&self) -> bool {
        self.index.is_moving()
    }

    fn place(&mut self, key: &Hashed, number: u32) -> Result<(), Full> {
        self.index.place(key, number).ok_or(Full::Entries)
    }

    fn displace(&mut self, key: &Hashed, number: u32) {
        self.index.displace(key, number);
    }

    fn reseed(&mut self, hasher: Hasher, _: u32) -> Option<Reseeded> {
        self.index.reseed(hasher)
    }

    fn vnis(&self) -> &[vni_filter::Slot] {
        &self.vnis
    }

    fn vnis_mut(&mut self) -> &mut [vni_filter::Slot] {
        &mut self.vnis
    }

    fn reserve_vnis(&mut self, count: usize) -> Result<(), vni_filter::Full> {
        let capacity = self.vnis.len();
        let more = count.saturating_sub(capacity);
        let full = vni_filter::Full { capacity };
        self.vnis.try_reserve(more).map_err(|_| full)?;
        // Within the capacity reserved above.
        let slots = core::iter::repeat_with(|| vni_filter::Slot::EMPTY);
        self.vnis.extend(slots.take(more));
        Ok(())
    }
}

/// What growing has cost so far.
#[cfg(test)]
#[derive(Clone, Copy, Debug)]
pub(super) struct Work {
    pub(super) buckets_moved: usize,
    pub(super) allocated: usize,
}

#[cfg(test)]
impl Growable {
    pub(super) fn work(&self) -> Work {
        Work {
            buckets_moved: self.index.moved(),
            allocated: self.allocated(),
        }
    }
}
