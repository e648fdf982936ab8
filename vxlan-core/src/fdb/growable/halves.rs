//! The index: an array of buckets, and a larger one that replaces it step by step.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::EntrySlab;
use super::slab::chunk;
use crate::fdb::bucket::{Bucket, PLACES};
use crate::fdb::hash::{Hash, Hashed, Hasher, bucket as home};
use crate::fdb::probe::{self, Buckets, Overflow};
use crate::fdb::storage::Reseeded;

/// Buckets in one allocation: 2 KiB.
const CHUNK: usize = 64;
/// Buckets of the smallest index.
const START: usize = CHUNK;
/// The index is enlarged when this many entries come on four buckets: 22 of 32 places.
const FULL: u64 = 22 * PLACES as u64 / 8;
/// Entries of a directory that are made or dropped in one step: 4 KiB.
const DIRECTORY_STEP: usize = 512;
/// Old buckets that are moved in one step.
const MOVES: u32 = 2;

/// Buckets in chunks, some of which may be missing.
#[derive(Debug)]
struct Chunks {
    chunks: Vec<Option<Box<[Bucket; CHUNK]>>>,
    count: usize,
}

impl Chunks {
    const fn new() -> Self {
        Self {
            chunks: Vec::new(),
            count: 0,
        }
    }

    fn provide(&mut self, count: usize) {
        let chunks = count.div_ceil(CHUNK);
        let _ = self
            .chunks
            .try_reserve_exact(chunks.saturating_sub(self.chunks.len()));
    }

    /// How many entries the directory is to have.
    const fn directory(&self) -> usize {
        self.count.div_ceil(CHUNK)
    }

    /// Gets memory for the chunk with this number.
    fn make_chunk(&mut self, number: usize) -> Option<&mut Box<[Bucket; CHUNK]>> {
        match self.chunks.get_mut(number)? {
            Some(chunk) => Some(chunk),
            missing => Some(missing.insert(chunk(&|| Bucket::EMPTY)?)),
        }
    }
}

impl Buckets for Chunks {
    #[inline]
    fn count(&self) -> usize {
        self.count
    }

    #[inline]
    fn get(&self, at: usize) -> Option<&Bucket> {
        let chunk = self.chunks.get(at / CHUNK)?.as_ref()?;
        chunk.get(at % CHUNK)
    }

    fn get_mut(&mut self, at: usize) -> Option<&mut Bucket> {
        let chunk = self.chunks.get_mut(at / CHUNK)?.as_mut()?;
        chunk.get_mut(at % CHUNK)
    }

    fn make(&mut self, at: usize) -> Option<&mut Bucket> {
        let chunk = self.make_chunk(at / CHUNK)?;
        chunk.get_mut(at % CHUNK)
    }
}

/// An array in which the probing gets no memory for what is missing.
struct AsItIs<'a>(&'a mut Chunks);

impl Buckets for AsItIs<'_> {
    fn count(&self) -> usize {
        self.0.count
    }

    fn get(&self, at: usize) -> Option<&Bucket> {
        self.0.get(at)
    }

    fn get_mut(&mut self, at: usize) -> Option<&mut Bucket> {
        self.0.get_mut(at)
    }
}

/// What is being done about the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing.
    Steady,
    /// What an earlier index left is dropped.
    Clearing,
    /// The new directory is made.
    Directory,
    /// The chunks from this one on are made: entries will go anywhere in them.
    Chunks(usize),
    /// The old buckets before this one have been moved.
    Moving(usize),
}

/// The index, and the one that is to replace it.
///
/// All entries whose home is one of the old buckets before the cursor are in the new index. Those
/// buckets are marked, and whole chunks of them given back. An entry whose home was not moved is
/// in the old index, unless there was no room: then it is in the new one and its home marked.
#[derive(Debug)]
pub(super) struct Halves {
    old: Chunks,
    new: Chunks,
    phase: Phase,
    /// The hash by which entries lie in the new index, if it is another one.
    hasher: Option<Hasher>,
    old_overflow: Overflow,
    new_overflow: Overflow,
    /// The largest number of buckets.
    most: usize,
    #[cfg(test)]
    moved: usize,
}

impl Halves {
    pub(super) const fn new() -> Self {
        Self {
            old: Chunks::new(),
            new: Chunks::new(),
            phase: Phase::Steady,
            hasher: None,
            old_overflow: Overflow::NONE,
            new_overflow: Overflow::NONE,
            most: START,
            #[cfg(test)]
            moved: 0,
        }
    }

    /// An empty index that may grow until it is good for so many entries.
    pub(super) fn forget(&mut self, limit: u32) {
        let most = u64::from(limit) * 4 / FULL + 1;
        let most = usize::try_from(most).unwrap_or(START);
        let most = most.max(START).next_multiple_of(CHUNK);
        *self = Self {
            most,
            ..Self::new()
        };
        self.old.provide(most);
        self.new.provide(most);
    }

    pub(super) fn overflow(&self) -> Overflow {
        Overflow {
            entries: self.old_overflow.entries + self.new_overflow.entries,
            deepest: self.old_overflow.deepest.max(self.new_overflow.deepest),
        }
    }

    pub(super) fn allocated(&self) -> usize {
        let of = |chunks: &Chunks| {
            let present = chunks.chunks.iter().flatten().count();
            present * size_of::<[Bucket; CHUNK]>() + size_of_val(chunks.chunks.as_slice())
        };
        of(&self.old) + of(&self.new)
    }

    #[cfg(test)]
    pub(super) fn moved(&self) -> usize {
        self.moved
    }

    pub(super) fn is_moving(&self) -> bool {
        self.phase != Phase::Steady
    }

    #[inline]
    pub(super) fn home(&self, hash: Hash) -> Option<&Bucket> {
        self.old.get(home(hash, self.old.count))
    }

    #[inline]
    pub(super) fn near(&self, hash: Hash, steps: usize) -> Option<&Bucket> {
        let at = home(hash, self.old.count);
        match self.phase {
            Phase::Moving(cursor) if at < cursor => match self.hasher {
                None => self.new.get(home(hash, self.new.count) + steps),
                Some(_) => None,
            },
            _ => self.old.get(at + steps),
        }
    }

    /// The hash of a key in the new index.
    fn new_hash(&self, key: &Hashed) -> Hash {
        let other = self.hasher.map(|hasher| hasher.hash(key.mac, key.vni));
        other.unwrap_or(key.hash)
    }

    /// Where to look for a key: in the old index, in the new one.
    fn sides(&self, hash: Hash) -> (bool, bool) {
        match self.phase {
            Phase::Moving(cursor) => {
                let at = home(hash, self.old.count);
                let diverted = self.old.get(at).is_none_or(Bucket::is_diverted);
                (at >= cursor, diverted)
            }
            _ => (true, false),
        }
    }

    pub(super) fn search(&self, key: &Hashed, is: impl Fn(u32) -> bool) -> Option<u32> {
        if self.phase == Phase::Steady {
            return probe::find(&self.old, key.hash, is);
        }
        let (old, new) = self.sides(key.hash);
        let found = match old {
            true => probe::find(&self.old, key.hash, &is),
            false => None,
        };
        match found {
            None if new => probe::find(&self.new, self.new_hash(key), is),
            found => found,
        }
    }

    pub(super) fn place(&mut self, key: &Hashed, number: u32) -> Option<()> {
        if self.old.count == 0 {
            self.old.count = START;
            self.extend_old()?;
        }
        let Phase::Moving(cursor) = self.phase else {
            return probe::insert(&mut self.old, &mut self.old_overflow, key.hash, number);
        };
        let at = home(key.hash, self.old.count);
        if at >= cursor {
            let mut old = AsItIs(&mut self.old);
            let done = probe::insert(&mut old, &mut self.old_overflow, key.hash, number);
            if done.is_some() {
                return done;
            }
        }
        let hash = self.new_hash(key);
        probe::insert(&mut self.new, &mut self.new_overflow, hash, number)?;
        if let Some(bucket) = self.old.get_mut(at) {
            bucket.divert();
        }
        Some(())
    }

    /// The directory and the chunk of the smallest index.
    fn extend_old(&mut self) -> Option<()> {
        let done = self.old.chunks.try_reserve(1).ok().and_then(|()| {
            self.old.chunks.push(None);
            self.old.make_chunk(0).map(drop)
        });
        if done.is_none() {
            self.old.chunks.clear();
            self.old.count = 0;
        }
        done
    }

    pub(super) fn displace(&mut self, key: &Hashed, number: u32) {
        let (old, new) = self.sides(key.hash);
        if old && probe::remove(&mut self.old, &mut self.old_overflow, key.hash, number).is_some() {
            return;
        }
        if new {
            let hash = self.new_hash(key);
            probe::remove(&mut self.new, &mut self.new_overflow, hash, number);
        }
    }

    /// Begins to place all entries by another hash. `None` while the index is being rebuilt
    /// already.
    pub(super) fn reseed(&mut self, hasher: Hasher) -> Option<Reseeded> {
        if self.phase != Phase::Steady {
            return None;
        }
        if self.old.count == 0 {
            return Some(Reseeded::Done(hasher));
        }
        self.hasher = Some(hasher);
        self.begin(self.old.count);
        Some(Reseeded::Begun)
    }

    fn begin(&mut self, count: usize) {
        self.new.count = count;
        self.phase = Phase::Clearing;
    }

    /// One step of what is to be done before the index takes one more than `len` entries. Says by
    /// which hash the entries lie from now on if that has changed.
    pub(super) fn tend(
        &mut self,
        len: u32,
        hasher: &Hasher,
        entries: &EntrySlab,
    ) -> Option<Hasher> {
        match self.phase {
            Phase::Steady => {
                let count = self.old.count;
                // Whole chunks, so that there is no bucket behind the last.
                let more = count.saturating_add(count / 3 + 1);
                let more = more.next_multiple_of(CHUNK).min(self.most);
                if count > 0 && more > count && u64::from(len) * 4 >= count as u64 * FULL {
                    self.begin(more);
                }
            }
            Phase::Clearing => {
                let chunks = &mut self.new.chunks;
                chunks.truncate(chunks.len().saturating_sub(DIRECTORY_STEP));
                if chunks.is_empty() {
                    self.phase = Phase::Directory;
                }
            }
            Phase::Directory => {
                let (have, wanted) = (self.new.chunks.len(), self.new.directory());
                let step = DIRECTORY_STEP.min(wanted.saturating_sub(have));
                self.new.chunks.try_reserve(step).ok()?;
                self.new.chunks.resize_with(have + step, || None);
                if have + step == wanted {
                    self.phase = match self.hasher {
                        None => Phase::Moving(0),
                        Some(_) => Phase::Chunks(0),
                    };
                }
            }
            Phase::Chunks(number) => {
                if number < self.new.chunks.len() {
                    self.new.make_chunk(number)?;
                    self.phase = Phase::Chunks(number + 1);
                } else {
                    self.phase = Phase::Moving(0);
                }
            }
            Phase::Moving(_) => {
                // Without memory the next step tries again.
                for _ in 0..MOVES {
                    self.move_one(hasher, entries)?;
                    if self.phase == Phase::Steady {
                        return self.hasher.take();
                    }
                }
            }
        }
        None
    }

    /// Moves the entries whose home is the old bucket at the cursor. `None` if there is no memory;
    /// all are found in any case.
    fn move_one(&mut self, hasher: &Hasher, entries: &EntrySlab) -> Option<()> {
        let Phase::Moving(cursor) = self.phase else {
            return None;
        };
        let count = self.old.count;
        if let Some(bucket) = self.old.get_mut(cursor) {
            bucket.divert();
        }
        let mut at = cursor;
        for _ in 0..count {
            let bucket = self.old.get(at).copied().unwrap_or(Bucket::EMPTY);
            for (_, number) in bucket.occupied() {
                let entry = entries.get(number as usize)?;
                let hash = hasher.hash(entry.mac(), entry.vni());
                if home(hash, count) == cursor {
                    let other = self.hasher.map(|new| new.hash(entry.mac(), entry.vni()));
                    let new = other.unwrap_or(hash);
                    probe::insert(&mut self.new, &mut self.new_overflow, new, number)?;
                    probe::remove(&mut self.old, &mut self.old_overflow, hash, number);
                }
            }
            if self.old.get(at).is_some_and(|bucket| bucket.passed() == 0) {
                break;
            }
            at = if at + 1 < count { at + 1 } else { 0 };
        }
        #[cfg(test)]
        {
            self.moved += 1;
        }
        self.pass(cursor + 1);
        Some(())
    }

    /// The old buckets before `cursor` have been moved.
    fn pass(&mut self, cursor: usize) {
        self.phase = Phase::Moving(cursor);
        let chunk = (cursor / CHUNK)
            .checked_sub(1)
            .filter(|_| cursor.is_multiple_of(CHUNK))
            .and_then(|chunk| self.old.chunks.get_mut(chunk));
        // Give an empty chunk back now rather than all of them at the end. The first may hold
        // entries that found no room at the end.
        if let Some(chunk) = chunk
            && chunk
                .as_ref()
                .is_some_and(|chunk| chunk.iter().all(Bucket::is_vacant))
        {
            *chunk = None;
        }
        if cursor == self.old.count {
            core::mem::swap(&mut self.old, &mut self.new);
            self.old_overflow = core::mem::take(&mut self.new_overflow);
            self.phase = Phase::Steady;
        }
    }
}
