//! F-01, F-04: delete and flush.

use super::*;

/// A group with remotes 1, 2 and 3, a station behind 1, another one behind a nexthop group.
fn filled() -> Small {
    small_with(&[
        request(GROUP, ADD, remote(1)),
        request(GROUP, APPEND, remote(2)),
        request(GROUP, APPEND, remote(3)),
        request(STATION, ADD, remote(1)),
        request(OTHER, ADD, nexthop(7)),
    ])
}

fn told<S: Storage>(removed: Removed<'_, S>) -> Vec<(Mac, u32)> {
    let line = |record: Record| (record.key.mac, number(&record.destination));
    removed.map(line).collect()
}

#[test]
fn f01_f04_delete() {
    let any = Remote {
        addr: core::net::Ipv4Addr::UNSPECIFIED.into(),
        ..remote(0)
    };
    let any6 = Remote {
        addr: core::net::Ipv6Addr::UNSPECIFIED.into(),
        ..any
    };
    let other_port = Remote {
        port: 8472,
        ..remote(2)
    };
    // What is told and what stays, and whether the request fails if it is strict.
    for (name, mac, which, gone, left, strict) in [
        ("whole", GROUP, None, &[1, 2, 3][..], &[][..], true),
        ("any", GROUP, Some(any), &[1, 2, 3], &[], true),
        ("any, IPv6", STATION, Some(any6), &[1], &[], true),
        ("first", GROUP, Some(remote(1)), &[1], &[2, 3], true),
        ("middle", GROUP, Some(remote(2)), &[2], &[1, 3], true),
        ("last", GROUP, Some(remote(3)), &[3], &[1, 2], true),
        ("only", STATION, Some(remote(1)), &[1], &[], true),
        ("unknown", GROUP, Some(remote(9)), &[], &[1, 2, 3], false),
        (
            "another port",
            GROUP,
            Some(other_port),
            &[],
            &[1, 2, 3],
            false,
        ),
        ("of a nexthop", OTHER, Some(remote(1)), &[], &[1007], false),
        ("nexthop", OTHER, None, &[1007], &[], true),
        ("nexthop, any", OTHER, Some(any), &[1007], &[], true),
    ] {
        let gone: Vec<(Mac, u32)> = gone.iter().map(|number| (mac, *number)).collect();
        let mut fdb = filled();
        assert_eq!(
            told(fdb.remove(&key(mac), which.as_ref()).unwrap()),
            gone,
            "{name}"
        );
        assert_eq!(destinations(&fdb, mac), left, "{name}");

        let mut fdb = filled();
        let removed = fdb.remove_strictly(&key(mac), which.as_ref()).map(told);
        let want = if strict {
            Ok(gone)
        } else {
            Err(Error::NotFound)
        };
        assert_eq!(removed, want, "{name}");
        assert_eq!(destinations(&fdb, mac), left, "{name}");
    }
}

#[test]
fn f01_delete_of_what_is_not_there() {
    let mut fdb = small();
    let removed = fdb.remove(&key(STATION), Some(&remote(1)));
    assert_eq!(removed.err(), Some(Error::NotFound));
    let removed = fdb.remove_strictly(&key(STATION), None);
    assert_eq!(removed.err(), Some(Error::NotFound));
}

/// Of two remotes that `migrate` made equal, the first goes and the other stays.
#[test]
fn f02_delete_takes_one_of_two_equal_remotes() {
    let mut fdb = filled();
    fdb.migrate(Instant::ZERO, &key(GROUP), remote(2).addr)
        .unwrap();
    assert_eq!(destinations(&fdb, GROUP), [2, 2, 3]);
    let removed = fdb.remove(&key(GROUP), Some(&remote(2))).unwrap();
    assert_eq!(told(removed), [(GROUP, 2)]);
    assert_eq!(destinations(&fdb, GROUP), [2, 3]);
}

/// What is not looked at is removed all the same, and its room is free again.
#[test]
fn removal_is_finished_on_drop() {
    for looked_at in 0..4 {
        let mut fdb = filled();
        let mut removed = fdb.remove(&key(GROUP), None).unwrap();
        assert_eq!(removed.by_ref().take(looked_at).count(), looked_at.min(3));
        drop(removed);
        assert_eq!((fdb.len(), fdb.iter().count()), (2, 2));

        let mut flushed = fdb.flush(Filter::default());
        assert_eq!(flushed.by_ref().take(looked_at).count(), looked_at.min(2));
        drop(flushed);
        assert!(fdb.is_empty() && fdb.iter().next().is_none());
        for last in 1..=12 {
            let append = request(GROUP, APPEND, remote(last));
            fdb.update(Instant::ZERO, &append).unwrap();
        }
    }
}

#[test]
fn f01_f04_flush() {
    let nh = NexthopId::new(7);
    let all = Filter::default();
    for (name, filter, gone) in [
        (
            "all, newest first",
            all,
            &[
                (OTHER, 1007),
                (STATION, 1),
                (GROUP, 1),
                (GROUP, 2),
                (GROUP, 3),
            ][..],
        ),
        (
            "by nexthop",
            Filter { nexthop: nh, ..all },
            &[(OTHER, 1007)],
        ),
        (
            "by nexthop and port: nexthop entries have no remotes",
            Filter {
                nexthop: nh,
                port: Some(4789),
                ..all
            },
            &[],
        ),
        (
            "by address: the entry goes with its last remote",
            Filter {
                addr: Some(remote(1).addr),
                ..all
            },
            &[(STATION, 1), (GROUP, 1)],
        ),
        (
            "by port",
            Filter {
                port: Some(4789),
                ..all
            },
            &[(STATION, 1), (GROUP, 1), (GROUP, 2), (GROUP, 3)],
        ),
        (
            "by the remote's VNI",
            Filter {
                vni: Some(43),
                ..all
            },
            &[],
        ),
        (
            "by VNI and address",
            Filter {
                vni: Some(VNI),
                addr: Some(remote(3).addr),
                ..all
            },
            &[(GROUP, 3)],
        ),
        (
            "by network",
            Filter {
                src_vni: Some(43),
                ..all
            },
            &[],
        ),
        (
            "by state: permanent ones",
            Filter {
                state: State::PERMANENT,
                state_mask: State::PERMANENT | State::NOARP,
                nexthop: nh,
                ..all
            },
            &[(OTHER, 1007)],
        ),
        (
            "by state: none of the others",
            Filter {
                state_mask: State::PERMANENT,
                ..all
            },
            &[],
        ),
        (
            "by state outside the mask: never",
            Filter {
                state: State::REACHABLE,
                state_mask: State::PERMANENT,
                ..all
            },
            &[],
        ),
        (
            "by flags",
            Filter {
                flags_mask: Flags::ROUTER,
                keep: Keep::Entry(key(GROUP)),
                ..all
            },
            &[(OTHER, 1007), (STATION, 1)],
        ),
    ] {
        let mut fdb = filled();
        let lines = fdb.iter().count();
        assert_eq!(told(fdb.flush(filter)), gone, "{name}");
        assert_eq!(fdb.iter().count(), lines - gone.len(), "{name}");
    }
}

/// What `vxlan_stop()` leaves: the permanent, the static and the default entries.
#[test]
fn f01_flush_keeps_the_default_entry() {
    let state = |mac, vni, state| Update {
        key: Key { mac, vni },
        state,
        ..request(mac, ADD, remote(1))
    };
    for (keep, gone) in [
        (Keep::Nothing, 3),
        (Keep::Entry(key(Mac::ZERO)), 2),
        (Keep::ZeroMac, 1),
    ] {
        let mut fdb = small_with(&[
            state(Mac::ZERO, VNI, State::REACHABLE),
            state(Mac::ZERO, 5, State::REACHABLE),
            state(STATION, VNI, State::REACHABLE),
            state(STATION, 5, State::REACHABLE | State::NOARP),
            state(OTHER, VNI, State::REACHABLE | State::PERMANENT),
        ]);
        let filter = Filter {
            state_mask: State::PERMANENT | State::NOARP,
            keep,
            ..Filter::default()
        };
        assert_eq!(fdb.flush(filter).count(), gone, "{keep:?}");
        assert_eq!(fdb.len(), 5 - gone, "{keep:?}");
    }
}
