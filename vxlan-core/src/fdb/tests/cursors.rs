//! F-01, L-06: dumps, flushes and ageing in pieces, with changes in between.

use core::time::Duration;
use std::collections::BTreeSet;
use std::vec;

use proptest::prelude::*;

use super::*;

fn nth(i: u8) -> Key {
    key(Mac::new([2, 0, 0, 0, 1, i]))
}

fn learned(i: u8) -> Update {
    Update {
        key: nth(i),
        state: State::REACHABLE,
        flags: Flags::SELF,
        ..request(STATION, ADD, remote(i % 3))
    }
}

/// Dumps in messages of `size` lines and makes a change after each. Those that are there from
/// beginning to end must be told exactly once.
fn dump_while_changing<S: Storage>(
    mut fdb: Fdb<S>,
    known: u8,
    size: usize,
    budget: u32,
    changes: &[(u8, bool)],
) -> Result<(), TestCaseError> {
    for i in 0..known {
        fdb.update(Instant::ZERO, &learned(i)).unwrap();
    }
    for last in 1..4 {
        let mode = if last == 1 { ADD } else { APPEND };
        fdb.update(Instant::ZERO, &request(GROUP, mode, remote(last)))
            .unwrap();
    }
    let mut unchanged: Vec<Record> = fdb.iter().collect();
    let (mut told, mut rest) = (vec![], Some(Cursor::START));
    let mut changes = changes.iter();
    while let Some(cursor) = rest {
        let mut lines = fdb.iter_some(cursor, budget);
        let message: Vec<Record> = lines.by_ref().take(size).collect();
        rest = lines.rest();
        let places: BTreeSet<Key> = message.iter().map(|record| record.key).collect();
        // One more if it begins within an entry.
        prop_assert!(places.len() as u64 <= u64::from(budget) + 1);
        told.extend(message);
        if let Some((i, add)) = changes.next() {
            if *add {
                // Refused if it is there or there is no room.
                let _ = fdb.update(Instant::ZERO, &learned(*i));
            } else if let Ok(removed) = fdb.remove(&nth(*i), None) {
                removed.for_each(drop);
                unchanged.retain(|record| record.key != nth(*i));
            }
        }
    }
    for record in &unchanged {
        let times = told.iter().filter(|line| line == &record).count();
        prop_assert_eq!(times, 1, "{:?}", record);
    }
    Ok(())
}

proptest! {
    /// F-01: a dump can go on after any line, whatever happened to other entries.
    #[test]
    fn f01_dumps_resume_after_any_line(
        known in 0u8..24,
        size in 1usize..6,
        budget in prop_oneof![1u32..6, Just(u32::MAX)],
        changes in proptest::collection::vec((0u8..32, any::<bool>()), 0..40),
    ) {
        dump_while_changing(Fdb::new(Growable::new(), Salt::default()), known, size, budget, &changes)?;
        let fixed = Fixed::<5, 28, 8>::new();
        dump_while_changing(Fdb::new(fixed, Salt::default()), known, size, budget, &changes)?;
    }

    /// L-06, F-01: in pieces the same goes as at once, in the same order, and the next sweep is
    /// due at the same time.
    #[test]
    fn l06_f01_pieces_make_a_whole(
        ages in proptest::collection::vec(0u64..30, 0..40),
        gone in proptest::collection::vec(0u8..40, 0..10),
        budget in 1u32..12,
    ) {
        let fill = || {
            let mut fdb = Fdb::new(Growable::new(), Salt::default());
            for (i, age) in (0u8..).zip(&ages) {
                fdb.update(Instant::from_millis(1_000 * age), &learned(i)).unwrap();
            }
            for i in &gone {
                fdb.remove(&nth(*i), None).into_iter().flatten().for_each(drop);
            }
            fdb
        };
        let now = Instant::from_millis(30_000);
        let ageing = Ageing::new(Duration::from_secs(15));
        let (mut whole, mut pieces) = (fill(), fill());
        let mut aged = whole.age(now, ageing);
        let want: Vec<Record> = aged.by_ref().collect();
        let due = aged.deadline();
        let mut got = vec![];
        let slots = ages.len() as u32;
        for calls in 0.. {
            prop_assert!(calls <= slots / budget + 1);
            let mut aged = pieces.age_some(now, ageing, budget);
            got.extend(aged.by_ref());
            let next = aged.deadline();
            if next > now {
                prop_assert_eq!(next, due);
                break;
            }
        }
        prop_assert_eq!(got, want);

        let filter = Filter { addr: Some(remote(1).addr), ..Filter::default() };
        let want: Vec<Record> = whole.flush(filter).collect();
        let (mut got, mut rest) = (vec![], Some(Cursor::START));
        while let Some(cursor) = rest {
            let mut removed = pieces.flush_some(filter, cursor, budget);
            got.extend(removed.by_ref());
            rest = removed.finish();
        }
        prop_assert_eq!(got, want);
        prop_assert!(whole.iter().eq(pieces.iter()));
    }
}

/// L-06: a piece looks at no more than it may, and with other rules the round starts again.
#[test]
fn l06_a_round_keeps_its_budget_and_its_rules() {
    let mut fdb = Fdb::new(Growable::new(), Salt::default());
    for i in 0..100 {
        fdb.update(Instant::ZERO, &learned(i)).unwrap();
    }
    let now = Instant::from_millis(20_000);
    let (long, short) = (
        Ageing::new(Duration::from_secs(60)),
        Ageing::new(Duration::from_secs(15)),
    );
    assert_eq!(fdb.age_some(now, long, 90).deadline(), now);
    // The ninety newest were spared by the old rules; the new ones take them first.
    assert_eq!(fdb.age_some(now, short, 30).count(), 30);
    assert_eq!(fdb.len(), 70);
    assert!(fdb.find(&nth(99)).is_none() && fdb.find(&nth(69)).is_some());
    assert_eq!(fdb.age_some(now, short, 30).count(), 30);
    assert_eq!(fdb.age_some(now, short, u32::MAX).count(), 40);
}

/// F-01: places without an entry count as well, so that no piece of a dump is long in a table that
/// has been large.
#[test]
fn f01_vacant_places_are_counted() {
    let mut fdb = Fdb::new(Growable::new(), Salt::default());
    for i in 0..100 {
        fdb.update(Instant::ZERO, &learned(i)).unwrap();
    }
    for i in 1..100 {
        fdb.remove(&nth(i), None).unwrap().for_each(drop);
    }
    let (mut pieces, mut rest) = (vec![], Some(Cursor::START));
    while let Some(cursor) = rest {
        let mut lines = fdb.iter_some(cursor, 40);
        let told = lines.by_ref().count();
        pieces.push((told, lines.budget()));
        rest = lines.rest();
    }
    assert_eq!(pieces, [(0, 0), (0, 0), (1, 20)]);
    assert_eq!(fdb.iter_some(Cursor::START, 99).count(), 0);
    assert_eq!(fdb.iter_some(Cursor::START, 100).count(), 1);
}
