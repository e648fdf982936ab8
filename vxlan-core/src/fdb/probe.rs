//! Search in an array of buckets.
//!
//! An entry is in the bucket that its hash names, its home, or, if that was full, in the first
//! later one that was not; behind the last bucket comes the first. Each full bucket on the way
//! counts who passed, so that a search ends at the first bucket that nobody has passed.

use super::bucket::{Bucket, others, place};
use super::hash::{Hash, bucket as home};

/// An array of buckets.
pub(super) trait Buckets {
    /// How many there are.
    fn count(&self) -> usize;

    /// The one at a position, unless there is no memory for it.
    fn get(&self, at: usize) -> Option<&Bucket>;

    /// The same, to be changed.
    fn get_mut(&mut self, at: usize) -> Option<&mut Bucket>;

    /// The same; gets memory for it if need be.
    fn make(&mut self, at: usize) -> Option<&mut Bucket> {
        self.get_mut(at)
    }
}

impl Buckets for [Bucket] {
    #[inline]
    fn count(&self) -> usize {
        self.len()
    }

    #[inline]
    fn get(&self, at: usize) -> Option<&Bucket> {
        self.get(at)
    }

    fn get_mut(&mut self, at: usize) -> Option<&mut Bucket> {
        self.get_mut(at)
    }
}

/// How entries lie: how many are not in the bucket of their hash, and how far away at most.
///
/// Random placement leaves about one entry in twenty-five away from home when the index is at its
/// fullest, most of them in the next bucket and none farther away than some dozens. Many more mean
/// that somebody knows the salt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overflow {
    /// Entries that are not in the bucket of their hash.
    pub entries: u32,
    /// The largest distance that any entry had since the index was last made anew, in buckets.
    pub deepest: u32,
}

impl Overflow {
    pub(super) const NONE: Self = Self {
        entries: 0,
        deepest: 0,
    };

    fn add(&mut self, depth: usize) {
        let depth = u32::try_from(depth).unwrap_or(u32::MAX);
        self.entries = self.entries.saturating_add(u32::from(depth > 0));
        self.deepest = self.deepest.max(depth);
    }

    fn remove(&mut self, depth: usize) {
        self.entries = self.entries.saturating_sub(u32::from(depth > 0));
    }
}

/// How far `at` is behind `start`.
pub(super) const fn distance(start: usize, at: usize, count: usize) -> usize {
    if at >= start {
        at - start
    } else {
        at + (count - start)
    }
}

/// The bucket behind `at`.
pub(super) const fn next(at: usize, count: usize) -> usize {
    if at + 1 < count { at + 1 } else { 0 }
}

/// The number of the entry with this hash that `is` says yes to. It may be asked about numbers
/// whose entries are gone.
pub(super) fn find(
    buckets: &(impl Buckets + ?Sized),
    hash: Hash,
    mut is: impl FnMut(u32) -> bool,
) -> Option<u32> {
    let count = buckets.count();
    let mut at = home(hash, count);
    for _ in 0..count {
        if let Some(bucket) = buckets.get(at) {
            let mut found = bucket.matches(hash.tags);
            while let Some(places) = found {
                let number = bucket.number(place(places));
                if is(number) {
                    return Some(number);
                }
                found = others(places);
            }
            if bucket.passed() == 0 {
                return None;
            }
        }
        at = next(at, count);
    }
    None
}

/// Puts an entry in. `None` if there is no room, or no memory for a bucket on the way; nothing
/// has changed then.
pub(super) fn insert(
    buckets: &mut (impl Buckets + ?Sized),
    overflow: &mut Overflow,
    hash: Hash,
    number: u32,
) -> Option<()> {
    let count = buckets.count();
    let start = home(hash, count);
    let mut at = start;
    for depth in 0..count {
        let bucket = buckets.make(at)?;
        if let Some(place) = bucket.vacancy() {
            bucket.set(place, hash.tags, number);
            overflow.add(depth);
            let mut at = start;
            for _ in 0..depth {
                if let Some(bucket) = buckets.get_mut(at) {
                    bucket.pass();
                }
                at = next(at, count);
            }
            return Some(());
        }
        at = next(at, count);
    }
    None
}

/// Takes an entry out. `None` if it is not there.
pub(super) fn remove(
    buckets: &mut (impl Buckets + ?Sized),
    overflow: &mut Overflow,
    hash: Hash,
    number: u32,
) -> Option<()> {
    let count = buckets.count();
    let start = home(hash, count);
    let mut at = start;
    for depth in 0..count {
        if let Some(bucket) = buckets.get_mut(at) {
            let mut occupied = bucket.occupied();
            if let Some((place, _)) = occupied.find(|(_, found)| *found == number) {
                bucket.clear(place);
                overflow.remove(depth);
                let mut at = start;
                for _ in 0..depth {
                    if let Some(bucket) = buckets.get_mut(at) {
                        bucket.unpass();
                    }
                    at = next(at, count);
                }
                return Some(());
            }
            if bucket.passed() == 0 {
                return None;
            }
        }
        at = next(at, count);
    }
    None
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// F-03: whatever collides, what was put in is found, and nothing else; full means full.
        #[test]
        fn f03_an_index_is_a_map_from_hashes_to_numbers(
            changes in proptest::collection::vec((0u64..4, 0u64..3, any::<bool>()), 0..120),
            count in 1usize..6,
        ) {
            // Hashes that share buckets, tags, or both.
            let hash = |(bucket, tag): (u64, u64)| Hash {
                place: bucket << 62,
                tags: tag * 0x0101_0101_0101_0101,
            };
            let mut buckets = std::vec![Bucket::EMPTY; count];
            let mut overflow = Overflow::NONE;
            let mut model: Vec<(Hash, u32)> = Vec::new();
            for (number, (bucket, tag, add)) in (0u32..).zip(changes) {
                let hash = hash((bucket, tag));
                if add {
                    let done = insert(buckets.as_mut_slice(), &mut overflow, hash, number);
                    prop_assert_eq!(done.is_some(), model.len() < 8 * count);
                    model.extend(done.map(|()| (hash, number)));
                } else if let Some(at) = model.iter().position(|(known, _)| *known == hash) {
                    let (_, gone) = model.remove(at);
                    prop_assert!(
                        remove(buckets.as_mut_slice(), &mut overflow, hash, gone).is_some()
                    );
                    prop_assert!(
                        remove(buckets.as_mut_slice(), &mut overflow, hash, gone).is_none()
                    );
                }
                for (hash, number) in &model {
                    let found = find(buckets.as_slice(), *hash, |found| found == *number);
                    prop_assert_eq!(found, Some(*number));
                }
                prop_assert_eq!(find(buckets.as_slice(), hash, |_| false), None);
            }
            let occupied = buckets.iter().map(|bucket| bucket.occupied().count());
            prop_assert_eq!(occupied.sum::<usize>(), model.len());
            let away = |(at, bucket): (usize, &Bucket)| {
                let away = |number: &u32| {
                    let (hash, _) = model.iter().find(|(_, known)| known == number).unwrap();
                    home(*hash, count) != at
                };
                bucket.occupied().filter(|(_, number)| away(number)).count()
            };
            let away: usize = buckets.iter().enumerate().map(away).sum();
            prop_assert_eq!(overflow.entries as usize, away);
            // Nobody is said to have passed once all are gone.
            for (hash, number) in model.drain(..) {
                remove(buckets.as_mut_slice(), &mut overflow, hash, number);
            }
            prop_assert!(buckets.iter().all(|bucket| bucket.is_vacant() && bucket.is_whole()));
        }
    }
}
