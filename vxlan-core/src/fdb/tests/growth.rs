//! The growing storage.

use super::*;

const COUNT: u64 = 100_000;

fn nth(i: u64) -> Key {
    let [.., a, b, c, d] = i.to_be_bytes();
    Key {
        mac: Mac::new([2, 0, a, b, c, d]),
        vni: VNI,
    }
}

fn add(i: u64) -> Update {
    Update {
        key: nth(i),
        ..request(STATION, ADD, remote(i as u8))
    }
}

fn holds(fdb: &Fdb<Growable>, i: u64) -> bool {
    fdb.find(&nth(i))
        .is_some_and(|entry| entry.first_remote() == Some(&remote(i as u8)))
}

/// T-03, F-03: a hundred thousand entries, all found at any size, none at any other key, no long
/// chain, and a bounded piece of work for each.
#[test]
fn t03_f03_grows_in_small_steps() {
    let mut fdb = Fdb::new(Growable::new(), Salt::new([9; 16]));
    for i in 0..COUNT {
        let before = fdb.storage.work();
        fdb.update(Instant::ZERO, &add(i)).unwrap();
        let after = fdb.storage.work();
        assert!(after.buckets_moved - before.buckets_moved <= 2, "{i}");
        let allocated = after.allocated.saturating_sub(before.allocated);
        assert!(allocated <= 8192, "{i}: {allocated}");
        // Old and new places, whatever the state of the move.
        for probe in [0, i / 2, i] {
            assert!(holds(&fdb, probe), "{probe} of {i}");
        }
        assert!(!holds(&fdb, i + 1), "{i}");
    }
    assert!((0..COUNT).all(|i| holds(&fdb, i)));
    assert!(fdb.overflow().deepest < 128, "{:?}", fdb.overflow());
    assert_eq!(fdb.len(), COUNT as usize);
    let newest_first = (0..COUNT).rev().map(nth);
    assert!(fdb.iter().map(|record| record.key).eq(newest_first));

    for i in (0..COUNT).step_by(2) {
        assert_eq!(fdb.remove(&nth(i), None).unwrap().count(), 1);
    }
    assert!((0..COUNT).all(|i| holds(&fdb, i) == (i % 2 == 1)));
    // Most of their slots are taken again before new ones are made.
    let capacity = fdb.capacity();
    for i in (0..COUNT).step_by(2) {
        fdb.update(Instant::ZERO, &add(i)).unwrap();
    }
    assert!(fdb.capacity() <= capacity + capacity / 8);
    assert!((0..COUNT).all(|i| holds(&fdb, i)));
    assert_eq!(fdb.flush(Filter::default()).count(), COUNT as usize);
    assert!(fdb.is_empty());
}

/// A storage that served before is as good as a new one.
#[test]
fn a_used_storage_starts_empty() {
    let mut storage = Growable::new();
    for round in 0..3 {
        let mut fdb = Fdb::new(&mut storage, Salt::new([round; 16]));
        assert!(fdb.is_empty() && fdb.find(&nth(1)).is_none());
        for i in 0..1_000 {
            fdb.update(Instant::ZERO, &add(i)).unwrap();
        }
        assert_eq!(fdb.iter().count(), 1_000);
    }
    let mut storage = Fixed::<4, 4, 4>::new();
    for _ in 0..2 {
        let mut fdb = Fdb::new(&mut storage, Salt::default());
        assert!(fdb.find(&nth(0)).is_none());
        for i in 0..4 {
            fdb.update(Instant::ZERO, &add(i)).unwrap();
        }
    }
}

/// T-03: a batch says what single look-ups say, whatever its length and whoever is missing.
#[test]
fn t03_batches_are_look_ups() {
    let mut fdb = Fdb::new(Growable::new(), Salt::new([9; 16]));
    for i in 0..3_000 {
        fdb.update(Instant::ZERO, &add(i)).unwrap();
    }
    let keys: Vec<Key> = (0..4_000).map(|i| nth(i * 7 % 4_000)).collect();
    let single = |key: &Key| fdb.find(key).map(|entry| entry.key());
    let want: Vec<Option<Key>> = keys.iter().map(single).collect();
    assert_eq!(want.iter().flatten().count(), 3_000);
    for len in [0, 1, 31, 32, 33, 4_000] {
        let mut found = std::vec![None; len];
        fdb.find_batch(&keys[..len], &mut found);
        let got = found.iter().map(|entry| entry.as_ref().map(Entry::key));
        assert!(got.eq(want[..len].iter().copied()), "{len}");
        #[cfg(feature = "prefetch")]
        {
            let mut hinted = std::vec![None; len];
            fdb.find_batch_prefetched(&keys[..len], &mut hinted);
            let got = hinted.iter().map(|entry| entry.as_ref().map(Entry::key));
            assert!(got.eq(want[..len].iter().copied()), "{len}");
        }
    }
}
