//! F-03, M-03: an index of fixed size whose entries are placed anew, against a plain map.

use std::collections::BTreeMap;
use std::vec;

use proptest::prelude::*;

use super::*;
use crate::fdb::bucket::{Bucket, PLACES, is_full_count};
use crate::fdb::hash::{Hasher, bucket as home};
use crate::fdb::placing::Placing;
use crate::fdb::probe;
use crate::fdb::slot::Stored;
use crate::fdb::storage::Reseeded;

const ENTRIES: u32 = 64;

#[derive(Clone, Copy, Debug)]
enum Step {
    Add(u32),
    Remove(u32),
    Reseed(u8),
    Tend(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..ENTRIES).prop_map(Step::Add),
        2 => (0..ENTRIES).prop_map(Step::Remove),
        1 => any::<u8>().prop_map(Step::Reseed),
        4 => (1u8..8).prop_map(Step::Tend),
    ];
    proptest::collection::vec(step, 0..200)
}

/// An index with its entries, as a storage holds them.
struct Index {
    buckets: Vec<Bucket>,
    entries: Vec<EntrySlot>,
    placing: Placing,
    hasher: Hasher,
    /// Which numbers are taken.
    model: BTreeMap<u32, Key>,
}

fn nth(number: u32) -> Key {
    let [.., a, b] = number.to_be_bytes();
    key(Mac::new([2, 0, 0, 9, a, b]))
}

impl Index {
    fn new(buckets: usize, hostile: bool) -> Self {
        let mut index = Self {
            buckets: vec![Bucket::EMPTY; buckets],
            entries: (0..ENTRIES).map(|_| EntrySlot::EMPTY).collect(),
            placing: Placing::NEW,
            // All keys have one home and one tag.
            hasher: Hasher::NONE,
            model: BTreeMap::new(),
        };
        if !hostile {
            index.hasher = Hasher::new(Salt::new([1; 16]));
        }
        index
    }

    fn add(&mut self, number: u32) -> Result<(), TestCaseError> {
        let key = nth(number);
        let hashed = self.hasher.key(&key);
        let room = self.model.len() < PLACES as usize * self.buckets.len();
        let placed = self.placing.place(&mut self.buckets, &hashed, number);
        prop_assert_eq!(placed.is_some(), room);
        if room {
            let slot = &mut self.entries[number as usize];
            slot.set_key(hashed.mac, hashed.vni);
            slot.set_stored(Stored::Nexthop(NexthopId::new(1).unwrap()));
            self.model.insert(number, key);
        }
        Ok(())
    }

    fn remove(&mut self, number: u32) {
        if let Some(key) = self.model.remove(&number) {
            let hashed = self.hasher.key(&key);
            self.placing.displace(&mut self.buckets, &hashed, number);
            self.entries[number as usize].vacate(0);
        }
    }

    fn tend(&mut self) {
        let tended = self
            .placing
            .tend(&mut self.buckets, &self.entries, &self.hasher);
        self.hasher = tended.unwrap_or(self.hasher);
    }

    /// Every entry is found, nothing else is, each once.
    fn check(&self) -> Result<(), TestCaseError> {
        for number in 0..ENTRIES {
            let key = self.hasher.key(&nth(number));
            let is = |found: u32| self.entries[found as usize].is(key.mac, key.vni);
            let found = self.placing.find(&self.buckets, &key, is);
            let want = self.model.contains_key(&number).then_some(number);
            prop_assert_eq!(found, want);
            // What an ordinary look-up reads first: it may only end there if nobody is elsewhere.
            let first = &self.buckets[home(key.hash, self.buckets.len())];
            let here = first.occupied().any(|(_, number)| Some(number) == want);
            prop_assert!(want.is_none() || here || !first.is_whole());
        }
        let occupied = self.buckets.iter().map(|bucket| bucket.occupied().count());
        prop_assert_eq!(occupied.sum::<usize>(), self.model.len());
        Ok(())
    }

    /// At rest the buckets say exactly who passed, and nobody is sent elsewhere.
    fn check_counts(&self) -> Result<(), TestCaseError> {
        let count = self.buckets.len();
        let mut passed = vec![0u32; self.buckets.len()];
        let mut away = 0;
        for (at, bucket) in self.buckets.iter().enumerate() {
            prop_assert!(!bucket.is_diverted());
            for (_, number) in bucket.occupied() {
                let start = home(self.hasher.key(&self.model[&number]).hash, count);
                let distance = probe::distance(start, at, count);
                prop_assert!(distance as u32 <= self.placing.overflow().deepest);
                away += u32::from(distance > 0);
                for step in 0..distance {
                    passed[(start + step) % count] += 1;
                }
            }
        }
        prop_assert_eq!(self.placing.overflow().entries, away);
        for (bucket, passed) in self.buckets.iter().zip(passed) {
            if !is_full_count(bucket.passed()) {
                prop_assert_eq!(u32::from(bucket.passed()), passed);
            }
        }
        Ok(())
    }
}

proptest! {
    /// F-03, M-03: whatever comes and goes while entries are placed anew, up to a full table, every
    /// entry is found all the time. Afterwards the counts are those of the new placement.
    #[test]
    fn f03_m03_placed_anew_in_place(buckets in 1usize..11, hostile: bool, steps in steps()) {
        let mut index = Index::new(buckets, hostile);
        for step in steps {
            match step {
                Step::Add(number) if !index.model.contains_key(&number) => index.add(number)?,
                Step::Add(_) => {}
                Step::Remove(number) => index.remove(number),
                Step::Reseed(salt) => {
                    let hasher = Hasher::new(Salt::new([salt; 16]));
                    let fresh = index.model.keys().next_back().map_or(0, |last| last + 1);
                    let moving = index.placing.is_moving();
                    match index.placing.reseed(hasher, fresh) {
                        None => prop_assert!(moving),
                        Some(Reseeded::Begun) => prop_assert!(!moving && fresh > 0),
                        Some(Reseeded::Done(hasher)) => {
                            prop_assert!(!moving && fresh == 0);
                            index.hasher = hasher;
                        }
                    }
                }
                Step::Tend(times) => (0..times).for_each(|_| index.tend()),
            }
            index.check()?;
            if !index.placing.is_moving() {
                index.check_counts()?;
            }
        }
        let mut steps = 0;
        while index.placing.is_moving() {
            index.tend();
            index.check()?;
            steps += 1;
            prop_assert!(steps < 128, "it comes to an end");
        }
        index.check_counts()?;
        for number in 0..ENTRIES {
            index.remove(number);
        }
        prop_assert!(index.buckets.iter().all(|bucket| bucket.is_whole() && bucket.vacancy() == Some(0)));
    }
}

/// F-03: a bucket that stopped counting who passed it counts again under the new salt, so that
/// look-ups that miss are short again.
#[test]
fn f03_counts_that_overflowed_are_made_anew() {
    let hasher = Hasher::NONE;
    let mut buckets = vec![Bucket::EMPTY; 100];
    let mut entries: Vec<_> = (0..400).map(|_| EntrySlot::EMPTY).collect();
    let mut placing = Placing::NEW;
    for (number, slot) in (0u32..).zip(&mut entries) {
        let key = hasher.key(&nth(number));
        placing.place(&mut buckets, &key, number).unwrap();
        slot.set_key(key.mac, key.vni);
        slot.set_stored(Stored::Nexthop(NexthopId::new(1).unwrap()));
    }
    let full = |buckets: &[Bucket]| {
        let full = buckets
            .iter()
            .filter(|bucket| is_full_count(bucket.passed()));
        full.count()
    };
    assert!(full(&buckets) > 30, "one chain: {}", full(&buckets));
    let mut now = hasher;
    placing.reseed(Hasher::new(Salt::new([5; 16])), 400);
    while placing.is_moving() {
        now = placing.tend(&mut buckets, &entries, &now).unwrap_or(now);
    }
    assert_eq!(full(&buckets), 0);
}
