//! Dumps that go on after the table has changed.

use proptest::prelude::*;

use super::*;

fn request(group: u8, remote: u8) -> Request<'static> {
    Request::new([239, 0, 0, group].into()).remote([192, 0, 2, remote].into())
}

/// One message of at most `size` lines.
fn message<M: Storage>(mdb: &Mdb<M>, cursor: &mut Cursor, size: usize) -> Vec<Line> {
    let mut iter = mdb.table().resume(*cursor);
    let lines = iter
        .by_ref()
        .take(size)
        .map(|record| Line::from(&record))
        .collect();
    *cursor = iter.cursor();
    lines
}

proptest! {
    /// F-01: whatever the size of the messages, together they are the dump.
    #[test]
    fn f01_messages_of_any_size(
        pairs in prop::collection::vec((0u8..6, 0u8..5), 0..30),
        size in 1usize..8,
    ) {
        let mut told = Told::new(Growable::new());
        for (group, remote) in pairs {
            let _ = told.add(&request(group, remote).mode(CREATE));
        }
        let (mut cursor, mut all) = (Cursor::default(), Vec::new());
        loop {
            let some = message(&told.mdb, &mut cursor, size);
            if some.is_empty() {
                break;
            }
            prop_assert!(some.len() <= size);
            all.extend(some);
        }
        prop_assert_eq!(all, lines(&told.mdb));
    }

    /// F-01: what is there all the time shows exactly once, nothing twice, in the order of the
    /// start; an entry that came after the start never.
    #[test]
    fn f01_changes_between_messages(
        stay in prop::collection::btree_set((0u8..6, 0u8..5), 0..20),
        go in prop::collection::btree_set((0u8..8, 5u8..9), 0..20),
        changes in prop::collection::vec((any::<bool>(), 0u8..8, 5u8..12), 0..40),
        size in 1usize..4,
    ) {
        let mut told = Told::new(Growable::new());
        let mut both: Vec<_> = stay.iter().chain(&go).copied().collect();
        // Those that stay and those that go are neighbours in the list.
        both.sort_by_key(|(group, remote)| (remote.wrapping_mul(37), *group));
        for (group, remote) in both {
            told.add(&request(group, remote).mode(CREATE)).unwrap();
        }
        let at_start = lines(&told.mdb);
        let (mut cursor, mut seen) = (Cursor::default(), Vec::new());
        let mut changes = changes.into_iter();
        loop {
            let some = message(&told.mdb, &mut cursor, size);
            if some.is_empty() {
                break;
            }
            seen.extend(some);
            for (add, group, remote) in changes.by_ref().take(3) {
                let request = request(group, remote).mode(CREATE);
                let _ = if add { told.add(&request) } else { told.remove(&request) };
            }
        }
        for (at, line) in seen.iter().enumerate() {
            prop_assert!(!seen[..at].contains(line), "twice: {line:?}");
        }
        for (group, remote) in stay.iter().copied() {
            let wanted = request(group, remote);
            let shown = seen.iter().filter(|line| {
                line.key.group == wanted.group && Some(line.remote.addr) == wanted.remote
            });
            prop_assert_eq!(shown.count(), 1);
        }
        let order = |line: &Line| at_start.iter().position(|other| other == line);
        let stayed = seen.iter().filter(|line| stay.iter().any(|(group, remote)| {
            let wanted = request(*group, *remote);
            line.key.group == wanted.group && Some(line.remote.addr) == wanted.remote
        }));
        prop_assert!(stayed.filter_map(order).is_sorted());
        for line in &seen {
            let known = at_start.iter().any(|other| other.key == line.key);
            prop_assert!(known, "made after the start: {line:?}");
        }
    }
}

/// F-01: a cursor at an entry whose slot now holds another one.
#[test]
fn f01_the_slot_was_taken_again() {
    let mut told = Told::new(Growable::new());
    for group in 1..=3 {
        told.add(&request(group, 1).mode(CREATE)).unwrap();
    }
    let mut cursor = Cursor::default();
    let first = message(&told.mdb, &mut cursor, 1);
    assert_eq!(first[0].key.group, request(3, 1).group);
    told.remove(&request(3, 1)).unwrap();
    told.add(&request(9, 1).mode(CREATE)).unwrap();
    let rest = message(&told.mdb, &mut cursor, 9);
    let groups: Vec<_> = rest.iter().map(|line| line.key.group).collect();
    assert_eq!(groups, [request(2, 1).group, request(1, 1).group]);
}
