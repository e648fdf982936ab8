//! The index of a storage of fixed size: one array of buckets, in which entries are placed anew one
//! by one when another salt is taken.
//!
//! There is no room for a second index. While entries are placed anew, those with a lower number
//! than the cursor lie by the new hash and the others by the old one, all in the same buckets. That
//! is sound: each bucket counts who passed it, whichever hash led them there, and whoever is taken
//! out leaves a place for himself. A search looks along both ways. An ordinary look-up pays nothing
//! for that: it reads the whole passage of a bucket in any case, whose highest bit sends it to the
//! slow search.
//!
//! 1. Each bucket is marked: entries may lie elsewhere.
//! 2. Each entry is placed by the new hash. Some come to lie far from home, in between those that
//!    are still to go.
//! 3. Each entry is placed once more, and again: at home if there is room, or if one is there that is
//!    not at home itself, which then goes on. From here on there is one hash.
//! 4. Each bucket loses its mark. One that so many passed that it stopped counting counts anew.

use super::bucket::{Bucket, is_full_count};
use super::hash::{Hash, Hashed, Hasher, bucket as home};
use super::probe::{self, Buckets, Overflow};
use super::slot::EntrySlot;
use super::storage::Reseeded;

/// Buckets that are marked or unmarked in one step: 2 KiB.
const MARKS: usize = 64;
/// Entries that are placed anew in one step.
const MOVES: u32 = 8;
/// A bucket counts anew if no entry lies farther from home than this; else it is not worth it.
const NEAR: u32 = 64;

/// What is being done about the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing.
    Steady,
    /// The buckets before this one are marked.
    Marking(usize),
    /// The entries before this one lie by the new hash.
    Moving(u32),
    /// The entries before this one lie where they may stay, for the first time or the second.
    Settling(u32, Round),
    /// The buckets before this one are as they were.
    Clearing(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    First,
    /// Those that went on lie far away until those before them have settled.
    Second,
}

/// How entries lie in buckets, and what is being done about it.
#[derive(Debug)]
pub(super) struct Placing {
    phase: Phase,
    /// The hash that is being taken.
    hasher: Hasher,
    /// No entry has this number or a higher one.
    top: u32,
    /// Entries before the cursor of a phase that is about entries.
    done: Overflow,
    /// The others.
    rest: Overflow,
}

impl Placing {
    pub(super) const NEW: Self = Self {
        phase: Phase::Steady,
        hasher: Hasher::NONE,
        top: 0,
        done: Overflow::NONE,
        rest: Overflow::NONE,
    };

    pub(super) fn overflow(&self) -> Overflow {
        Overflow {
            entries: self.done.entries.saturating_add(self.rest.entries),
            deepest: self.done.deepest.max(self.rest.deepest),
        }
    }

    pub(super) fn is_moving(&self) -> bool {
        self.phase != Phase::Steady
    }

    pub(super) fn find(
        &self,
        buckets: &[Bucket],
        key: &Hashed,
        mut is: impl FnMut(u32) -> bool,
    ) -> Option<u32> {
        let found = probe::find(buckets, key.hash, &mut is);
        match (found, self.phase) {
            (None, Phase::Moving(_)) => {
                probe::find(buckets, self.hasher.hash(key.mac, key.vni), is)
            }
            _ => found,
        }
    }

    /// The hash by which the entry with this number lies, and who counts it if that is far from home.
    fn way(&mut self, key: &Hashed, number: u32) -> (Hash, &mut Overflow) {
        match self.phase {
            Phase::Moving(cursor) if number < cursor => {
                (self.hasher.hash(key.mac, key.vni), &mut self.done)
            }
            Phase::Settling(cursor, _) if number < cursor => (key.hash, &mut self.done),
            _ => (key.hash, &mut self.rest),
        }
    }

    /// Notes an entry. `None` if there is no room.
    pub(super) fn place(
        &mut self,
        buckets: &mut [Bucket],
        key: &Hashed,
        number: u32,
    ) -> Option<()> {
        self.top = self.top.max(number.saturating_add(1));
        let (hash, overflow) = self.way(key, number);
        probe::insert(buckets, overflow, hash, number)
    }

    /// Takes an entry out.
    pub(super) fn displace(&mut self, buckets: &mut [Bucket], key: &Hashed, number: u32) {
        let (hash, overflow) = self.way(key, number);
        probe::remove(buckets, overflow, hash, number);
    }

    /// Begins to place all entries by another hash, of which there are some. `None` while that is
    /// being done already.
    pub(super) fn reseed(&mut self, hasher: Hasher, fresh: u32) -> Option<Reseeded> {
        if self.is_moving() {
            return None;
        }
        if fresh == 0 {
            return Some(Reseeded::Done(hasher));
        }
        self.hasher = hasher;
        self.top = fresh;
        self.phase = Phase::Marking(0);
        Some(Reseeded::Begun)
    }

    /// One step. Says by which hash all entries lie from now on if that has changed.
    ///
    /// `hasher` is the one by which those lie that have not been moved.
    pub(super) fn tend(
        &mut self,
        buckets: &mut [Bucket],
        entries: &[EntrySlot],
        hasher: &Hasher,
    ) -> Option<Hasher> {
        match self.phase {
            Phase::Steady => None,
            Phase::Marking(cursor) => {
                self.phase = self.mark(buckets, cursor);
                None
            }
            Phase::Moving(_) => {
                self.replace(buckets, entries, hasher);
                let moved = matches!(self.phase, Phase::Settling(..));
                moved.then_some(self.hasher)
            }
            Phase::Settling(..) => {
                self.replace(buckets, entries, hasher);
                None
            }
            Phase::Clearing(cursor) => {
                self.phase = self.clear(buckets, entries, hasher, cursor);
                None
            }
        }
    }

    fn mark(&self, buckets: &mut [Bucket], cursor: usize) -> Phase {
        let step = buckets.iter_mut().skip(cursor).take(MARKS);
        step.for_each(Bucket::divert);
        let next = cursor.saturating_add(MARKS);
        match next < buckets.count() {
            true => Phase::Marking(next),
            false => Phase::Moving(0),
        }
    }

    /// Places some entries from the cursor on anew.
    fn replace(&mut self, buckets: &mut [Bucket], entries: &[EntrySlot], hasher: &Hasher) {
        for _ in 0..MOVES {
            let (Phase::Moving(number) | Phase::Settling(number, _)) = self.phase else {
                return;
            };
            let entry = entries.get(number as usize);
            if let Some(key) = entry.and_then(|entry| hashed(entry, hasher)) {
                self.replace_one(buckets, entries, (&key, number), hasher);
            }
            let next = number.saturating_add(1);
            if next >= self.top {
                self.turn();
                return; // The hash may be another one.
            }
            self.phase = match self.phase {
                Phase::Settling(_, round) => Phase::Settling(next, round),
                _ => Phase::Moving(next),
            };
        }
    }

    /// All entries were walked.
    fn turn(&mut self) {
        self.rest = core::mem::replace(&mut self.done, Overflow::NONE);
        self.phase = match self.phase {
            Phase::Moving(_) => Phase::Settling(0, Round::First),
            Phase::Settling(_, Round::First) => Phase::Settling(0, Round::Second),
            _ => Phase::Clearing(0),
        };
    }

    /// Places the entry at the cursor by the hash that it is to have.
    fn replace_one(
        &mut self,
        buckets: &mut [Bucket],
        entries: &[EntrySlot],
        (key, number): (&Hashed, u32),
        hasher: &Hasher,
    ) {
        let (hash, settles) = match self.phase {
            Phase::Moving(_) => (self.hasher.hash(key.mac, key.vni), false),
            _ => (key.hash, true),
        };
        // It was there, and leaves a place behind: nothing here can fail.
        let _ = probe::remove(buckets, &mut self.rest, key.hash, number);
        let guest = match settles {
            true => guest(buckets, entries, hash, hasher),
            false => None,
        };
        if let Some((key, number)) = &guest {
            self.displace(buckets, key, *number);
        }
        let _ = probe::insert(buckets, &mut self.done, hash, number);
        if let Some((key, number)) = &guest {
            let (hash, overflow) = self.way(key, *number);
            let _ = probe::insert(buckets, overflow, hash, *number);
        }
    }

    fn clear(
        &self,
        buckets: &mut [Bucket],
        entries: &[EntrySlot],
        hasher: &Hasher,
        cursor: usize,
    ) -> Phase {
        let count = buckets.count();
        let mut at = cursor;
        for _ in 0..MARKS {
            let Some(bucket) = Buckets::get_mut(buckets, at) else {
                break;
            };
            bucket.undivert();
            let full = is_full_count(bucket.passed());
            at += 1;
            if full && self.rest.deepest <= NEAR {
                let passed = passed(buckets, entries, hasher, at - 1, self.rest.deepest);
                if let Some(bucket) = Buckets::get_mut(buckets, at - 1) {
                    bucket.set_passed(passed);
                }
                break;
            }
        }
        match at < count {
            true => Phase::Clearing(at),
            false => Phase::Steady,
        }
    }
}

/// The key of an entry with its hash.
fn hashed(entry: &EntrySlot, hasher: &Hasher) -> Option<Hashed> {
    let (mac, vni) = (entry.mac(), entry.vni());
    let hash = hasher.hash(mac, vni);
    (!entry.is_vacant()).then_some(Hashed { mac, vni, hash })
}

/// Somebody in the full bucket of a hash who is not at home there.
fn guest(
    buckets: &[Bucket],
    entries: &[EntrySlot],
    hash: Hash,
    hasher: &Hasher,
) -> Option<(Hashed, u32)> {
    let count = buckets.count();
    let at = home(hash, count);
    let bucket = Buckets::get(buckets, at)?;
    if bucket.vacancy().is_some() {
        return None;
    }
    bucket.occupied().find_map(|(_, number)| {
        let key = hashed(entries.get(number as usize)?, hasher)?;
        (home(key.hash, count) != at).then_some((key, number))
    })
}

/// How many entries passed a bucket, none of which lies farther than `deepest` from home.
fn passed(
    buckets: &[Bucket],
    entries: &[EntrySlot],
    hasher: &Hasher,
    at: usize,
    deepest: u32,
) -> u32 {
    let count = buckets.count();
    let mut passed = 0;
    let mut behind = at;
    for distance in 1..=(deepest as usize).min(count.saturating_sub(1)) {
        behind = probe::next(behind, count);
        let Some(bucket) = Buckets::get(buckets, behind) else {
            break;
        };
        for (_, number) in bucket.occupied() {
            let Some(entry) = entries.get(number as usize) else {
                continue;
            };
            let start = home(hasher.hash(entry.mac(), entry.vni()), count);
            passed += u32::from(probe::distance(start, behind, count) >= distance);
        }
    }
    passed
}
