//! What table code sees of its memory: slots by index, buckets by hash.

use super::hash::bucket;
use super::slot::{Bucket, EntrySlot, Index, Link, RemoteSlot};

#[cfg(feature = "alloc")]
use super::growable::{Chunks, Halves};

/// A storage seen by a reader. Opaque: only the storages of this module make one.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    pub(super) buckets: Buckets<'a>,
    pub(super) entries: Slots<'a, EntrySlot>,
    pub(super) remotes: Slots<'a, RemoteSlot>,
}

/// A storage seen by a writer. Opaque: only the storages of this module make one.
#[derive(Debug)]
pub struct ViewMut<'a> {
    pub(super) buckets: BucketsMut<'a>,
    pub(super) entries: SlotsMut<'a, EntrySlot>,
    pub(super) remotes: SlotsMut<'a, RemoteSlot>,
}

#[derive(Debug)]
pub(super) enum Slots<'a, T> {
    Flat(&'a [T]),
    #[cfg(feature = "alloc")]
    Chunked(&'a Chunks<T>),
}

#[derive(Debug)]
pub(super) enum SlotsMut<'a, T> {
    Flat(&'a mut [T]),
    #[cfg(feature = "alloc")]
    Chunked(&'a mut Chunks<T>),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Buckets<'a> {
    Flat(&'a [Bucket]),
    #[cfg(feature = "alloc")]
    Split(&'a Halves),
}

#[derive(Debug)]
pub(super) enum BucketsMut<'a> {
    Flat(&'a mut [Bucket]),
    #[cfg(feature = "alloc")]
    Split(&'a mut Halves),
}

impl<'a> View<'a> {
    /// The entry with this address and network.
    // Always, since only where the storage is known does the choice between the kinds of slots
    // vanish; a call would also write the view to the stack.
    #[inline(always)]
    pub(super) fn find(&self, hash: u64, mac: u64, vni: u32) -> Option<(Index, &'a EntrySlot)> {
        let mut link = self.buckets.first(hash);
        while let Some(index) = link {
            let slot = self.entries.get(index)?;
            if slot.mac == mac && slot.vni == vni {
                return Some((index, slot));
            }
            link = slot.chain;
        }
        None
    }
}

impl ViewMut<'_> {
    /// The same storage, to be read.
    pub(super) fn read(&self) -> View<'_> {
        View {
            buckets: match &self.buckets {
                BucketsMut::Flat(buckets) => Buckets::Flat(buckets),
                #[cfg(feature = "alloc")]
                BucketsMut::Split(halves) => Buckets::Split(halves),
            },
            entries: self.entries.read(),
            remotes: self.remotes.read(),
        }
    }
}

// Not derived: that would ask for `T: Clone`.
impl<T> Clone for Slots<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Slots<'_, T> {}

impl<'a, T> Slots<'a, T> {
    #[inline]
    pub(super) fn get(self, index: Index) -> Option<&'a T> {
        match self {
            Self::Flat(slots) => slots.get(index.position()),
            #[cfg(feature = "alloc")]
            Self::Chunked(chunks) => chunks.get(index.position()),
        }
    }

    pub(super) fn len(self) -> usize {
        match self {
            Self::Flat(slots) => slots.len(),
            #[cfg(feature = "alloc")]
            Self::Chunked(chunks) => chunks.len(),
        }
    }
}

impl<T> SlotsMut<'_, T> {
    fn read(&self) -> Slots<'_, T> {
        match self {
            Self::Flat(slots) => Slots::Flat(slots),
            #[cfg(feature = "alloc")]
            Self::Chunked(chunks) => Slots::Chunked(chunks),
        }
    }

    pub(super) fn get(&self, index: Index) -> Option<&T> {
        self.read().get(index)
    }

    pub(super) fn get_mut(&mut self, index: Index) -> Option<&mut T> {
        match self {
            Self::Flat(slots) => slots.get_mut(index.position()),
            #[cfg(feature = "alloc")]
            Self::Chunked(chunks) => chunks.get_mut(index.position()),
        }
    }
}

impl Buckets<'_> {
    #[inline]
    fn first(&self, hash: u64) -> Link {
        match self {
            Self::Flat(buckets) => buckets.get(flat(hash, buckets.len()))?.0,
            #[cfg(feature = "alloc")]
            Self::Split(halves) => halves.first(hash),
        }
    }
}

impl BucketsMut<'_> {
    /// Forgets whatever an earlier table left.
    pub(super) fn clear(&mut self) {
        match self {
            Self::Flat(buckets) => buckets.fill_with(|| Bucket::EMPTY),
            #[cfg(feature = "alloc")]
            Self::Split(halves) => **halves = Halves::default(),
        }
    }

    /// The bucket of `hash`. `None` if there are no buckets at all.
    pub(super) fn get_mut(&mut self, hash: u64) -> Option<&mut Bucket> {
        match self {
            Self::Flat(buckets) => buckets.get_mut(flat(hash, buckets.len())),
            #[cfg(feature = "alloc")]
            Self::Split(halves) => halves.get_mut(hash),
        }
    }
}

/// Buckets beyond 2^32 - 1 would be of no use: there are not more slots.
#[inline]
fn flat(hash: u64, len: usize) -> usize {
    let len = u32::try_from(len).unwrap_or(u32::MAX);
    bucket(hash, len) as usize
}
