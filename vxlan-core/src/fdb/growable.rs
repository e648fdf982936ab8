//! A storage on the heap that grows in small steps.

use alloc::vec::Vec;

use super::Full;
use super::hash::{Hasher, bucket};
use super::slot::{Bucket, EntrySlot, Link, RemoteSlot};
use super::storage::Storage;
use super::view::{Buckets, BucketsMut, Slots, SlotsMut, View, ViewMut};

/// Memory on the heap that grows as entries come (feature `alloc`).
///
/// No insert pauses: slots are allocated in chunks of 256 and never move; when the entries
/// outnumber the buckets, a second array of buckets is filled, two old buckets an insert. A lack
/// of memory is a [`Full`] error, not an abort. Memory is kept until the storage is dropped.
///
/// ```
/// use vxlan_core::{Salt, fdb};
///
/// let fdb = fdb::Fdb::new(fdb::Growable::new(), Salt::default());
/// assert!(fdb.is_empty());
/// ```
#[derive(Debug, Default)]
pub struct Growable {
    buckets: Halves,
    entries: Chunks<EntrySlot>,
    remotes: Chunks<RemoteSlot>,
}

impl Growable {
    /// Memory without any slots. Nothing is allocated yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            buckets: Halves::new(),
            entries: Chunks::new(),
            remotes: Chunks::new(),
        }
    }
}

impl Storage for Growable {
    #[inline]
    fn view(&self) -> View<'_> {
        View {
            buckets: Buckets::Split(&self.buckets),
            entries: Slots::Chunked(&self.entries),
            remotes: Slots::Chunked(&self.remotes),
        }
    }

    fn view_mut(&mut self) -> ViewMut<'_> {
        ViewMut {
            buckets: BucketsMut::Split(&mut self.buckets),
            entries: SlotsMut::Chunked(&mut self.entries),
            remotes: SlotsMut::Chunked(&mut self.remotes),
        }
    }

    fn reserve(&mut self, entries: u32, remotes: u32) -> Result<(), Full> {
        while self.entries.len() < entries as usize {
            self.entries.push(EntrySlot::EMPTY).ok_or(Full::Entries)?;
        }
        while self.remotes.len() < remotes as usize {
            self.remotes.push(RemoteSlot::EMPTY).ok_or(Full::Remotes)?;
        }
        Ok(())
    }

    fn spread(&mut self, len: u32, hasher: &Hasher) -> Result<(), Full> {
        if self.buckets.len == 0 {
            return self.buckets.start().ok_or(Full::Entries);
        }
        if len >= self.buckets.len {
            // Two an insert: done before the entries have doubled. Without memory for it chains
            // are longer, and the next insert tries again.
            for _ in 0..2 {
                self.buckets.split_one(&mut self.entries, hasher);
            }
        }
        Ok(())
    }
}

/// How many items one allocation of [`Chunks`] holds.
const CHUNK: usize = 256;
/// How many buckets one allocation of [`Halves`] holds: 4 KiB.
const BUCKET_CHUNK: usize = 1024;
/// Buckets of the smallest table.
const BUCKETS_MIN: u32 = 64;
/// Twice as many would not fit the arithmetic.
const BUCKETS_MAX: u32 = 1 << 30;

/// A list that grows without moving its items: only the directory of chunks is ever copied, 24
/// bytes for 256 items.
#[derive(Debug)]
pub(super) struct Chunks<T>(Vec<Vec<T>>);

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Chunks<T> {
    const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn len(&self) -> usize {
        match self.0.split_last() {
            Some((last, full)) => full.len() * CHUNK + last.len(),
            None => 0,
        }
    }

    #[inline]
    pub(super) fn get(&self, position: usize) -> Option<&T> {
        self.0.get(position / CHUNK)?.get(position % CHUNK)
    }

    pub(super) fn get_mut(&mut self, position: usize) -> Option<&mut T> {
        self.0.get_mut(position / CHUNK)?.get_mut(position % CHUNK)
    }

    /// `None` if there is no memory.
    fn push(&mut self, item: T) -> Option<()> {
        if self.0.last().is_none_or(|last| last.len() == CHUNK) {
            self.0.try_reserve(1).ok()?;
            let mut chunk = Vec::new();
            chunk.try_reserve_exact(CHUNK).ok()?;
            self.0.push(chunk);
        }
        // Within the capacity reserved above.
        self.0.last_mut()?.push(item);
        Some(())
    }
}

/// The buckets: `len` old ones, and, while the table grows, the first `2 * moved` of twice as
/// many new ones, which replace the first `moved` old ones.
#[derive(Debug, Default)]
pub(super) struct Halves {
    old: Vec<Vec<Bucket>>,
    new: Vec<Vec<Bucket>>,
    len: u32,
    moved: u32,
}

impl Halves {
    const fn new() -> Self {
        Self {
            old: Vec::new(),
            new: Vec::new(),
            len: 0,
            moved: 0,
        }
    }

    #[inline]
    pub(super) fn first(&self, hash: u64) -> Link {
        let old = bucket(hash, self.len);
        if old < self.moved {
            at(&self.new, bucket(hash, self.len * 2))?.0
        } else {
            at(&self.old, old)?.0
        }
    }

    pub(super) fn get_mut(&mut self, hash: u64) -> Option<&mut Bucket> {
        let old = bucket(hash, self.len);
        if old < self.moved {
            at_mut(&mut self.new, bucket(hash, self.len * 2))
        } else {
            at_mut(&mut self.old, old)
        }
    }

    /// The first buckets. `None` if there is no memory.
    fn start(&mut self) -> Option<()> {
        let mut chunk = Vec::new();
        chunk.try_reserve_exact(BUCKETS_MIN as usize).ok()?;
        chunk.extend((0..BUCKETS_MIN).map(|_| Bucket::EMPTY));
        self.old.try_reserve_exact(1).ok()?;
        self.old.push(chunk);
        self.len = BUCKETS_MIN;
        Some(())
    }

    /// Moves the entries of one old bucket to its two new ones. `None` if there is no memory or
    /// nothing left to do; the table is whole in any case.
    fn split_one(&mut self, entries: &mut Chunks<EntrySlot>, hasher: &Hasher) -> Option<()> {
        if self.len >= BUCKETS_MAX {
            return None;
        }
        let twice = self.len * 2;
        self.make_room(twice)?;

        let mut pair = [Bucket::EMPTY, Bucket::EMPTY];
        let mut link = at_mut(&mut self.old, self.moved)?.0.take();
        while let Some(index) = link {
            let Some(slot) = entries.get_mut(index.position()) else {
                break;
            };
            link = slot.chain;
            let [even, odd] = &mut pair;
            let to = match bucket(hasher.hash(slot.mac, slot.vni), twice) % 2 {
                0 => even,
                _ => odd,
            };
            slot.chain = to.0.replace(index);
        }
        self.new.last_mut()?.extend(pair);
        self.moved += 1;

        if self.moved == self.len {
            self.old = core::mem::take(&mut self.new);
            self.len = twice;
            self.moved = 0;
        } else if (self.moved as usize).is_multiple_of(BUCKET_CHUNK) {
            // Give the emptied chunk back now rather than all of them at the end.
            if let Some(chunk) = self.old.get_mut(self.moved as usize / BUCKET_CHUNK - 1) {
                *chunk = Vec::new();
            }
        }
        Some(())
    }

    /// Room for two more new buckets. `None` if there is no memory.
    fn make_room(&mut self, total: u32) -> Option<()> {
        if self.new.capacity() == 0 {
            let chunks = (total as usize).div_ceil(BUCKET_CHUNK);
            self.new.try_reserve_exact(chunks).ok()?;
        }
        if self
            .new
            .last()
            .is_none_or(|last| last.len() == BUCKET_CHUNK)
        {
            let mut chunk = Vec::new();
            chunk
                .try_reserve_exact(BUCKET_CHUNK.min(total as usize))
                .ok()?;
            self.new.push(chunk);
        }
        Some(())
    }
}

#[inline]
fn at(chunks: &[Vec<Bucket>], position: u32) -> Option<&Bucket> {
    let position = position as usize;
    chunks
        .get(position / BUCKET_CHUNK)?
        .get(position % BUCKET_CHUNK)
}

fn at_mut(chunks: &mut [Vec<Bucket>], position: u32) -> Option<&mut Bucket> {
    let position = position as usize;
    chunks
        .get_mut(position / BUCKET_CHUNK)?
        .get_mut(position % BUCKET_CHUNK)
}

/// What growing has cost so far, and what it is good for.
#[cfg(test)]
#[derive(Clone, Copy, Debug)]
pub(super) struct Work {
    pub(super) buckets_moved: usize,
    pub(super) chunks: usize,
}

#[cfg(test)]
impl Growable {
    pub(super) fn work(&self) -> Work {
        Work {
            // To have 2n buckets, n had to move; before them n / 2, and so on.
            buckets_moved: (self.buckets.len.saturating_sub(BUCKETS_MIN) + self.buckets.moved)
                as usize,
            chunks: self.entries.0.len() + self.remotes.0.len(),
        }
    }

    pub(super) fn longest_chain(&self) -> usize {
        let buckets = self.buckets.old.iter().chain(&self.buckets.new).flatten();
        let length = |bucket: &Bucket| {
            let next = |slot: &&EntrySlot| self.entries.get(slot.chain?.position());
            let first = bucket
                .0
                .and_then(|index| self.entries.get(index.position()));
            core::iter::successors(first, next).count()
        };
        buckets.map(length).max().unwrap_or(0)
    }
}
