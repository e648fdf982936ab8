//! F-01, F-02, F-04: one case for each row of the kernel's rules about requests.

use super::*;

const LATER: Instant = Instant::from_millis(5_000);

struct Case {
    name: &'static str,
    before: &'static [fn() -> Update],
    request: Update,
    /// The destination told, if any.
    want: Result<Option<u32>, Error>,
    /// Destinations afterwards.
    after: &'static [u32],
    /// State afterwards, if the entry exists.
    state: Option<State>,
}

fn check(cases: &[Case]) {
    for case in cases {
        let before: Vec<Update> = case.before.iter().map(|make| make()).collect();
        let mut fdb = small_with(&before);
        let got = fdb.update(LATER, &case.request);
        let told = got.map(|record| record.map(|record| number(&record.destination)));
        assert_eq!(told, case.want, "{}", case.name);
        let mac = case.request.key.mac;
        assert_eq!(destinations(&fdb, mac), case.after, "{}", case.name);
        let state = fdb.find(&key(mac)).map(|entry| entry.state());
        assert_eq!(state, case.state, "{}", case.name);
        // F-04: what is told is what a dump shows, and only what is told refreshes the entry.
        if let Ok(Some(record)) = got {
            assert!(fdb.iter().any(|line| line == record), "{}", case.name);
            assert_eq!(record.updated, LATER, "{}", case.name);
        } else if let Some(entry) = fdb.find(&key(mac)) {
            assert_eq!(entry.updated(), Instant::ZERO, "{}", case.name);
        }
    }
}

fn station() -> Update {
    request(STATION, ADD, remote(1))
}

fn station_nexthop() -> Update {
    request(STATION, ADD, nexthop(7))
}

fn group() -> Update {
    request(GROUP, ADD, remote(1))
}

fn group_second() -> Update {
    request(GROUP, APPEND, remote(2))
}

fn group_nexthop() -> Update {
    request(GROUP, ADD, nexthop(7))
}

fn dynamic(update: Update) -> Update {
    Update {
        state: State::REACHABLE,
        ..update
    }
}

const KEPT: Option<State> = Some(State::PERMANENT);
const CHANGED: Option<State> = Some(State::REACHABLE);

#[test]
fn f01_f04_an_entry_that_exists() {
    let change = Mode::empty();
    check(&[
        Case {
            name: "1: exclusive",
            before: &[station],
            request: dynamic(request(STATION, ADD, remote(2))),
            want: Err(Error::Exists),
            after: &[1],
            state: KEPT,
        },
        Case {
            name: "1 before 2",
            before: &[station],
            request: dynamic(request(STATION, ADD, nexthop(7))),
            want: Err(Error::Exists),
            after: &[1],
            state: KEPT,
        },
        Case {
            name: "2: nexthop for an entry with remotes",
            before: &[station],
            request: dynamic(request(STATION, REPLACE, nexthop(7))),
            want: Err(Error::NotNexthop),
            after: &[1],
            state: KEPT,
        },
        Case {
            name: "2 before 3",
            before: &[group],
            request: dynamic(request(GROUP, APPEND, nexthop(7))),
            want: Err(Error::NotNexthop),
            after: &[1],
            state: KEPT,
        },
        Case {
            name: "3: nexthop appended",
            before: &[station_nexthop],
            request: dynamic(request(STATION, APPEND, nexthop(8))),
            want: Err(Error::AppendNexthop),
            after: &[1007],
            state: KEPT,
        },
        Case {
            name: "4: nothing new",
            before: &[station],
            request: request(STATION, change, remote(1)),
            want: Ok(None),
            after: &[1],
            state: KEPT,
        },
        Case {
            name: "4: another state",
            before: &[station],
            request: dynamic(request(STATION, change, remote(1))),
            want: Ok(Some(1)),
            after: &[1],
            state: CHANGED,
        },
        Case {
            name: "4: another flag",
            before: &[station],
            request: Update {
                flags: Flags::SELF,
                ..request(STATION, change, remote(1))
            },
            want: Ok(Some(1)),
            after: &[1],
            state: KEPT,
        },
        Case {
            name: "4: external learning leaves what a user gave",
            before: &[station],
            request: Update {
                flags: Flags::SELF | Flags::EXT_LEARNED,
                ..dynamic(request(STATION, change, remote(1)))
            },
            want: Ok(None),
            after: &[1],
            state: KEPT,
        },
        Case {
            name: "4: but external learning replaces the destination",
            before: &[station],
            request: Update {
                flags: Flags::SELF | Flags::EXT_LEARNED,
                ..dynamic(request(STATION, REPLACE, remote(2)))
            },
            want: Ok(Some(2)),
            after: &[2],
            state: KEPT,
        },
        Case {
            name: "5: replace",
            before: &[station],
            request: request(STATION, Mode::REPLACE, remote(2)),
            want: Ok(Some(2)),
            after: &[2],
            state: KEPT,
        },
        Case {
            name: "5: replace by the same",
            before: &[station],
            request: request(STATION, REPLACE, remote(1)),
            want: Ok(None),
            after: &[1],
            state: KEPT,
        },
        Case {
            name: "5: replace and append",
            before: &[station],
            request: request(STATION, REPLACE | Mode::APPEND, remote(2)),
            want: Ok(Some(2)),
            after: &[2],
            state: KEPT,
        },
        Case {
            name: "5: replace of a nexthop entry by a remote",
            before: &[station_nexthop],
            request: request(STATION, REPLACE, remote(2)),
            want: Ok(None),
            after: &[1007],
            state: KEPT,
        },
        Case {
            name: "5: the same, and another state",
            before: &[station_nexthop],
            request: dynamic(request(STATION, REPLACE, remote(2))),
            want: Ok(Some(1007)),
            after: &[1007],
            state: CHANGED,
        },
        Case {
            name: "5: another nexthop group",
            before: &[station_nexthop],
            request: request(STATION, REPLACE, nexthop(8)),
            want: Ok(Some(1008)),
            after: &[1008],
            state: KEPT,
        },
        Case {
            name: "5: the same nexthop group, usable or not",
            before: &[station_nexthop],
            request: request(STATION, REPLACE, unusable(7, NexthopError::Unknown)),
            want: Ok(None),
            after: &[1007],
            state: KEPT,
        },
        Case {
            name: "no REPLACE, no other nexthop group",
            before: &[station_nexthop],
            request: request(STATION, Mode::CREATE, unusable(8, NexthopError::Unknown)),
            want: Ok(None),
            after: &[1007],
            state: KEPT,
        },
        Case {
            name: "6: append to a group",
            before: &[group],
            request: request(GROUP, Mode::APPEND, remote(2)),
            want: Ok(Some(2)),
            after: &[1, 2],
            state: KEPT,
        },
        Case {
            name: "6: append at the tail, and another state",
            before: &[group, group_second],
            request: dynamic(request(GROUP, APPEND, remote(3))),
            want: Ok(Some(3)),
            after: &[1, 2, 3],
            state: CHANGED,
        },
        Case {
            name: "6: append what is there",
            before: &[group, group_second],
            request: request(GROUP, APPEND, remote(2)),
            want: Ok(None),
            after: &[1, 2],
            state: KEPT,
        },
        Case {
            name: "6: append what is there, and another state: the first is told",
            before: &[group, group_second],
            request: dynamic(request(GROUP, APPEND, remote(2))),
            want: Ok(Some(1)),
            after: &[1, 2],
            state: CHANGED,
        },
        Case {
            name: "6: append to a station",
            before: &[station],
            request: request(STATION, APPEND, remote(2)),
            want: Ok(None),
            after: &[1],
            state: KEPT,
        },
        Case {
            name: "6: append a remote to a nexthop group",
            before: &[group_nexthop],
            request: request(GROUP, APPEND, remote(2)),
            want: Ok(None),
            after: &[1007],
            state: KEPT,
        },
        Case {
            name: "create over another destination",
            before: &[station],
            request: request(STATION, Mode::CREATE, remote(2)),
            want: Ok(None),
            after: &[1],
            state: KEPT,
        },
    ]);
}

#[test]
fn f01_f04_a_refused_change_of_the_destination_leaves_the_new_state() {
    check(&[
        Case {
            name: "5: replace of a group",
            before: &[group],
            request: dynamic(request(GROUP, REPLACE, remote(2))),
            want: Err(Error::ReplaceGroup),
            after: &[1],
            state: CHANGED,
        },
        Case {
            name: "5: replace of a group by a nexthop",
            before: &[group_nexthop],
            request: dynamic(request(GROUP, REPLACE, nexthop(8))),
            want: Err(Error::ReplaceGroup),
            after: &[1007],
            state: CHANGED,
        },
        Case {
            name: "5: unusable nexthop group",
            before: &[station_nexthop],
            request: dynamic(request(STATION, REPLACE, unusable(8, NexthopError::Family))),
            want: Err(Error::Nexthop(NexthopError::Family)),
            after: &[1007],
            state: CHANGED,
        },
    ]);
}

#[test]
fn f01_f04_an_entry_that_does_not_exist() {
    let limited = |mut update: Update, limit| {
        update.limit = limit;
        update
    };
    check(&[
        Case {
            name: "1: no CREATE",
            before: &[],
            request: request(GROUP, Mode::REPLACE, remote(1)),
            want: Err(Error::NotFound),
            after: &[],
            state: None,
        },
        Case {
            name: "2 before 3: replace of a group",
            before: &[station],
            request: limited(request(GROUP, REPLACE, remote(1)), 1),
            want: Err(Error::ReplaceMissingGroup),
            after: &[],
            state: None,
        },
        Case {
            name: "2: replace of all zeros",
            before: &[],
            request: request(Mac::ZERO, REPLACE, remote(1)),
            want: Err(Error::ReplaceMissingGroup),
            after: &[],
            state: None,
        },
        Case {
            name: "3 before 5: limit",
            before: &[station],
            request: limited(request(GROUP, ADD, unusable(7, NexthopError::Unknown)), 1),
            want: Err(Error::LimitReached),
            after: &[],
            state: None,
        },
        Case {
            name: "3: the limit counts entries, not remotes",
            before: &[group, group_second],
            request: limited(request(STATION, ADD, remote(1)), 2),
            want: Ok(Some(1)),
            after: &[1],
            state: KEPT,
        },
        Case {
            name: "3: the limit is for new entries",
            before: &[group],
            request: limited(request(GROUP, APPEND, remote(2)), 1),
            want: Ok(Some(2)),
            after: &[1, 2],
            state: KEPT,
        },
        Case {
            name: "5: nexthop group that is none",
            before: &[],
            request: request(STATION, ADD, unusable(7, NexthopError::NotGroup)),
            want: Err(Error::Nexthop(NexthopError::NotGroup)),
            after: &[],
            state: None,
        },
        Case {
            name: "nexthop group, also for a group and by append",
            before: &[],
            request: request(GROUP, APPEND, nexthop(7)),
            want: Ok(Some(1007)),
            after: &[1007],
            state: KEPT,
        },
        Case {
            name: "replace creates a station",
            before: &[],
            request: request(STATION, REPLACE, remote(1)),
            want: Ok(Some(1)),
            after: &[1],
            state: KEPT,
        },
        Case {
            name: "append creates a station",
            before: &[],
            request: request(STATION, APPEND, remote(1)),
            want: Ok(Some(1)),
            after: &[1],
            state: KEPT,
        },
    ]);
}

/// F-01: NTF_USE is not stored, refreshes `updated` alone and tells nobody.
#[test]
fn f01_use_refreshes_and_is_not_stored() {
    let with_use = |mode| Update {
        flags: Flags::SELF | Flags::ADDED_BY_USER | Flags::USE,
        ..request(STATION, mode, remote(1))
    };
    let mut fdb = small();
    let created = fdb.update(Instant::ZERO, &with_use(ADD)).unwrap().unwrap();
    assert_eq!(created.flags, Flags::SELF | Flags::ADDED_BY_USER);

    assert_eq!(fdb.update(LATER, &with_use(Mode::empty())), Ok(None));
    let entry = fdb.find(&key(STATION)).unwrap();
    assert_eq!((entry.updated(), entry.used()), (LATER, Instant::ZERO));
    assert_eq!(entry.flags(), created.flags);
}

/// F-01: bits without a name are stored as given.
#[test]
fn f01_unknown_bits_stay() {
    let update = Update {
        state: State::from_bits_retain(0x8002),
        flags: Flags::from_bits_retain(0x1002),
        ..request(STATION, ADD, remote(1))
    };
    let record = small().update(Instant::ZERO, &update).unwrap().unwrap();
    assert_eq!((record.state.bits(), record.flags.bits()), (0x8002, 0x1002));
}

/// F-02: each field of a remote tells remotes apart.
#[test]
fn f02_remotes_differ_in_any_field() {
    let one = remote(1);
    let mut fdb = small_with(&[request(GROUP, ADD, one)]);
    for other in [
        remote(2),
        Remote { port: 8472, ..one },
        Remote { vni: 43, ..one },
        Remote {
            vni: 1 << 24 | VNI,
            ..one
        },
        Remote {
            ifindex: crate::IfIndex::new(10),
            ..one
        },
        Remote {
            addr: "::ffff:192.0.2.1".parse().unwrap(),
            ..one
        },
    ] {
        let append = request(GROUP, APPEND, other);
        let told = fdb.update(LATER, &append).unwrap().unwrap();
        assert_eq!(told.destination, other.into());
        assert_eq!(fdb.update(LATER, &append), Ok(None), "{other:?}");
    }
    assert_eq!(fdb.iter().count(), 7);
}

/// F-01: outside external mode an entry stored under another network is never found again.
#[test]
fn f01_a_source_vni_that_is_not_looked_up() {
    let mut fdb = small();
    let add = request(STATION, ADD, remote(1));
    let record = fdb.update_as(LATER, 77, &add).unwrap().unwrap();
    assert_eq!(
        record.key,
        Key {
            mac: STATION,
            vni: 77
        }
    );
    assert_eq!(fdb.update_as(LATER, 77, &add), Err(Error::Exists));
    assert_eq!(fdb.remove(&add.key, None).err(), Some(Error::NotFound));
    // Once there is one to be found, that one is meant.
    fdb.update(LATER, &add).unwrap();
    let change = request(STATION, REPLACE, remote(2));
    let record = fdb.update_as(LATER, 77, &change).unwrap().unwrap();
    assert_eq!(record.key, add.key);
    assert_eq!(fdb.len(), 2);
}

/// A full storage refuses and changes nothing, neither the state.
#[test]
fn full_changes_nothing() {
    let mut fdb = Fdb::new(Fixed::<2, 2, 2>::new(), Salt::default());
    fdb.update(LATER, &group()).unwrap();
    fdb.update(LATER, &group_second()).unwrap();
    let before: Vec<Record> = fdb.iter().collect();
    for (request, want) in [
        (dynamic(request(GROUP, APPEND, remote(3))), Full::Remotes),
        // A list shares nothing.
        (station(), Full::Remotes),
    ] {
        assert_eq!(fdb.update(LATER, &request), Err(Error::Full(want)));
        assert!(fdb.iter().eq(before.iter().copied()));
    }
    // A nexthop entry needs no remote.
    fdb.update(LATER, &station_nexthop()).unwrap();
    let third = request(OTHER, ADD, nexthop(7));
    assert_eq!(fdb.update(LATER, &third), Err(Error::Full(Full::Entries)));
    // What a remote leaves is taken again.
    fdb.remove(&key(GROUP), Some(&remote(1))).unwrap();
    fdb.update(LATER, &request(GROUP, APPEND, remote(3)))
        .unwrap();
    assert_eq!(destinations(&fdb, GROUP), [2, 3]);
}

#[test]
fn a_storage_of_nothing_is_full() {
    let mut none = Fdb::new(Fixed::<0, 0, 0>::new(), Salt::default());
    let mut no_buckets = Fdb::new(Fixed::<0, 1, 1>::new(), Salt::default());
    let full = Err(Error::Full(Full::Entries));
    assert_eq!(none.update(LATER, &station()), full);
    assert_eq!(no_buckets.update(LATER, &station()), full);
    assert!(no_buckets.find(&key(STATION)).is_none() && no_buckets.is_empty());
}

/// L-03: traffic moves the first remote's address, nothing else.
#[test]
fn l03_migrate_moves_the_first_address_only() {
    let first = Remote {
        port: 1,
        vni: 2,
        ifindex: crate::IfIndex::new(3),
        ..remote(1)
    };
    let mut fdb = small_with(&[
        request(GROUP, ADD, first),
        group_second(),
        station_nexthop(),
    ]);
    let record = fdb.migrate(LATER, &key(GROUP), remote(9).addr).unwrap();
    let moved = Remote {
        addr: remote(9).addr,
        ..first
    };
    assert_eq!(record.destination, moved.into());
    assert_eq!((record.updated, record.state), (LATER, State::PERMANENT));
    assert_eq!(destinations(&fdb, GROUP), [9, 2]);
    assert_eq!(fdb.migrate(LATER, &key(STATION), remote(9).addr), None);
    assert_eq!(fdb.migrate(LATER, &key(OTHER), remote(9).addr), None);
}

/// A nexthop entry has no first remote, and asking for one is no mistake.
#[test]
fn lesson_a_nexthop_entry_has_no_first_remote() {
    let fdb = small_with(&[station_nexthop()]);
    let entry = fdb.find(&key(STATION)).unwrap();
    assert_eq!(entry.first_remote(), None);
    assert_eq!(entry.remotes().next(), None);
    assert_eq!(entry.nexthop(), NexthopId::new(7));
}
