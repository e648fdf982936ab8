//! What requests do to the table, as a Linux 6.18 kernel did it.

use super::*;

const G: [u8; 4] = [239, 1, 1, 1];

fn group() -> Request<'static> {
    Request::new(G.into())
}

fn remote(last: u8) -> IpAddr {
    [192, 0, 2, last].into()
}

fn source(last: u8) -> IpAddr {
    [10, 0, 0, last].into()
}

/// T-28: (*,G) without sources: create, exist, replace, delete.
#[test]
fn t28_create_and_replace_flags() {
    let mut told = Told::new(Growable::new());
    let to = |last, mode| group().remote(remote(last)).mode(mode);
    let none = Mode::empty();
    for (request, want) in [
        (to(2, none), Err(Error::NotCreated)),
        (to(2, REPLACE), Err(Error::NotCreated)),
        (to(2, CREATE), Ok(())),
        (to(2, none), Err(Error::Exists)),
        (to(2, CREATE), Err(Error::Exists)),
        (to(2, CREATE | Mode::EXCL), Err(Error::Exists)),
        (to(2, REPLACE), Ok(())),
        (to(2, CREATE | REPLACE | Mode::EXCL), Ok(())),
        (to(9, none), Err(Error::NotCreated)),
        (to(9, REPLACE), Err(Error::NotCreated)),
    ] {
        assert_eq!(told.add(&request), want, "{request:?}");
    }
    assert_eq!(told.story(), ["+* r2 ex []"; 3]);
    assert_eq!(told.remove(&to(9, none)), Err(Error::RemoteNotFound));
    assert_eq!(told.remove(&to(2, none)), Ok(()));
    assert_eq!(told.remove(&to(2, none)), Err(Error::NotFound));
    assert_eq!(told.story(), ["-* r2 ex []"]);
}

/// T-28: what is not given is the device's; a VNI of zero is that of the entry.
#[test]
fn t28_defaults() {
    let mut told = Told::new(Growable::new());
    let plain = group().remote(remote(2)).mode(CREATE);
    told.add(&plain).unwrap();
    let zero = Request {
        vni: Some(0),
        network: Some(7),
        port: Some(9),
        protocol: 5,
        ..plain
    };
    told.add(&zero).unwrap();
    let [in_7, in_42] = &lines(&told.mdb)[..] else {
        panic!("two lines");
    };
    assert_eq!(
        (in_42.key.vni, in_42.remote.vni, in_42.remote.port),
        (42, 42, 4789)
    );
    assert_eq!(in_42.protocol, PROTOCOL_STATIC);
    assert_eq!((in_7.key.vni, in_7.remote.vni, in_7.remote.port), (7, 0, 9));
    let entry = told.mdb.table().lookup(source(1), G.into(), 7).unwrap();
    assert_eq!(entry.copies().unwrap().next().unwrap().vni, 7);
}

/// T-28: a list of sources makes and takes (S,G) entries.
#[test]
fn t28_sources() {
    let mut told = Told::new(Growable::new());
    let (s12, s42) = ([source(1), source(2), source(3)], [source(4), source(2)]);
    let to = group().remote(remote(2));
    told.add(&to.sources(FilterMode::Exclude, &s12).mode(CREATE))
        .unwrap();
    assert_eq!(
        told.story(),
        [
            "+s1 r2 in blocked []",
            "+s2 r2 in blocked []",
            "+s3 r2 in blocked []",
            "+* r2 ex [3, 2, 1]",
        ]
    );
    // The next list: what it names is told, what it no longer names goes, newest first.
    told.add(&to.sources(FilterMode::Include, &s42).mode(CREATE | REPLACE))
        .unwrap();
    assert_eq!(
        told.story(),
        [
            "+s4 r2 in []",
            "+s2 r2 in []",
            "-s3 r2 in blocked []",
            "-s1 r2 in blocked []",
            "+* r2 in [4, 2]",
        ]
    );
    // Without a list none is left.
    told.add(&to.mode(REPLACE)).unwrap();
    assert_eq!(
        told.story(),
        ["-s4 r2 in []", "-s2 r2 in []", "+* r2 ex []"]
    );
    // A source named twice is told twice, if it may be replaced.
    let twice = [source(5), source(5)];
    told.add(
        &to.sources(FilterMode::Exclude, &twice)
            .mode(CREATE | REPLACE),
    )
    .unwrap();
    assert_eq!(
        told.story(),
        [
            "+s5 r2 in blocked []",
            "+s5 r2 in blocked []",
            "+* r2 ex [5]"
        ]
    );
    // With the remote they go.
    told.remove(&to).unwrap();
    assert_eq!(told.story(), ["-* r2 ex [5]", "-s5 r2 in blocked []"]);
    assert!(told.mdb.table().is_empty());
}

/// T-28: the operator's own (S,G) entries and those of lists are the same.
#[test]
fn t28_sources_of_the_operator() {
    let mut told = Told::new(Growable::new());
    let to = group().remote(remote(2));
    let list = [source(8), source(1)];
    told.add(&to.source(source(1)).mode(CREATE)).unwrap();
    told.story();
    // One of the list is there: what was made for the other goes again.
    let both = to.sources(FilterMode::Exclude, &list);
    assert_eq!(told.add(&both.mode(CREATE)), Err(Error::Exists));
    assert_eq!(
        told.story(),
        ["+s8 r2 in blocked []", "-s8 r2 in blocked []"]
    );
    assert_eq!(lines(&told.mdb).len(), 1);
    // A list takes it over, and takes it along.
    told.add(&both.mode(CREATE | REPLACE)).unwrap();
    told.story();
    told.remove(&to.source(source(8))).unwrap();
    assert_eq!(told.story(), ["-s8 r2 in blocked []"]);
    told.remove(&to).unwrap();
    assert_eq!(told.story(), ["-* r2 ex [1, 8]", "-s1 r2 in blocked []"]);
    assert!(told.mdb.table().is_empty());
    // Twice in a list that may replace nothing.
    let twice = [source(5), source(5)];
    let twice = to.sources(FilterMode::Exclude, &twice).mode(CREATE);
    assert_eq!(told.add(&twice), Err(Error::SourceExists));
    assert_eq!(
        told.story(),
        ["+s5 r2 in blocked []", "-s5 r2 in blocked []"]
    );
    assert!(told.mdb.table().is_empty());
}

/// T-28: a replacement that fails half-way keeps what it had replaced, and nothing it had made.
#[test]
fn t28_half_a_replacement() {
    let mut told = Told::new(Growable::new());
    let to = group().remote(remote(1));
    let (old, new) = ([source(1), source(2)], [source(1), source(3)]);
    told.add(&to.sources(FilterMode::Include, &old).mode(CREATE))
        .unwrap();
    told.story();
    let request = Request {
        port: Some(77),
        ..to.sources(FilterMode::Exclude, &new).mode(REPLACE)
    };
    assert_eq!(told.add(&request), Err(Error::NotCreated));
    assert_eq!(told.story(), ["+s1 r1 in blocked []"]);
    let state: Vec<_> = lines(&told.mdb)
        .into_iter()
        .map(|line| (line.key.source, line.remote.port, line.filter, line.sources))
        .collect();
    let include = FilterMode::Include;
    assert_eq!(
        state,
        [
            (Some(source(2)), 4789, include, Vec::new()),
            (Some(source(1)), 77, include, Vec::new()),
            (None, 4789, include, [source(2), source(1)].into()),
        ]
    );
}

/// T-28: frames ask for (S,G), then (*,G), then the rest, which link-local groups never are.
#[test]
fn t28_lookup() {
    let mut told = Told::new(Growable::new());
    let any4 = ip("0.0.0.0");
    for request in [
        group().source(source(1)).remote(remote(1)),
        group().remote(remote(2)),
        Request::new(any4).remote(remote(3)),
        Request::new(ip("::")).remote(remote(4)),
        Request::new(ip("ff02::2")).remote(remote(5)),
        group().source(any4).remote(remote(6)),
    ] {
        told.add(&request.mode(CREATE)).unwrap();
    }
    let v6 = ip("2001:db8::1");
    for (from, to, vni, want) in [
        (source(1), G.into(), 42, Some(1)),
        (source(2), G.into(), 42, Some(2)),
        (any4, G.into(), 42, Some(6)),
        (source(1), G.into(), 43, None),
        (source(1), ip("239.9.9.9"), 42, Some(3)),
        (source(1), ip("10.0.0.9"), 42, Some(3)),
        (source(1), ip("224.0.0.5"), 42, None),
        (source(1), ip("224.0.1.5"), 42, Some(3)),
        (v6, ip("ff0e::1"), 42, Some(4)),
        (v6, ip("ff01::1"), 42, Some(4)),
        (v6, ip("ff02::5"), 42, None),
        (v6, ip("ff12::5"), 42, None),
        (v6, ip("ff02::2"), 42, Some(5)),
    ] {
        let found = told.mdb.table().lookup(from, to, vni);
        let first = found.and_then(|entry| entry.copies()?.next().copied());
        assert_eq!(
            first.map(|first| first.addr),
            want.map(remote),
            "{from} {to} {vni}"
        );
    }
}

/// T-28: all usable remotes, the newest last.
#[test]
fn t28_copies() {
    let mut told = Told::new(Growable::new());
    let list = [source(1)];
    for last in 1..=4 {
        told.add(&group().remote(remote(last)).mode(CREATE))
            .unwrap();
    }
    told.add(
        &group()
            .remote(remote(5))
            .sources(FilterMode::Include, &list)
            .mode(CREATE),
    )
    .unwrap();
    told.add(
        &group()
            .remote(remote(6))
            .sources(FilterMode::Exclude, &list)
            .mode(CREATE),
    )
    .unwrap();
    let copies = |from| -> Option<Vec<IpAddr>> {
        let entry = told.mdb.table().lookup(from, G.into(), 42)?;
        Some(entry.copies()?.map(|remote| remote.addr).collect())
    };
    // From 10.0.0.1: 5 wants it, 6 does not. (The others have said nothing about it.)
    assert_eq!(copies(source(1)), Some([remote(5)].into()));
    // From others: 5 does not want it.
    assert_eq!(copies(source(2)), Some([4, 3, 2, 1, 6].map(remote).into()));
    told.remove(&group().remote(remote(5))).unwrap();
    let entry = told.mdb.table().lookup(source(1), G.into(), 42).unwrap();
    assert!(
        entry.copies().is_none(),
        "blocked for the only one that said anything"
    );
}

/// T-28: a flush takes what meets all that is given, and what goes along with it.
#[test]
fn t28_flush() {
    let fill = || {
        let mut told = Told::new(Growable::new());
        let list = [source(1), source(2)];
        let to = group().remote(remote(1));
        for request in [
            Request {
                port: Some(7),
                vni: Some(9),
                protocol: 5,
                ..to
            },
            Request {
                network: Some(66),
                ..group().remote(remote(3))
            },
            // The operator's own entry is older than the one whose list takes it over.
            Request::new(ip("239.1.1.2"))
                .source(source(1))
                .remote(remote(2)),
            Request::new(ip("239.1.1.2"))
                .remote(remote(2))
                .sources(FilterMode::Exclude, &list),
        ] {
            told.add(&request.mode(CREATE | REPLACE)).unwrap();
        }
        told.story();
        told
    };
    for (filter, want) in [
        (
            Filter {
                addr: Some(remote(9)),
                ..Filter::default()
            },
            &[][..],
        ),
        (
            Filter {
                port: Some(7),
                vni: Some(8),
                ..Filter::default()
            },
            &[],
        ),
        (
            Filter {
                port: Some(7),
                vni: Some(9),
                ..Filter::default()
            },
            &["-* r1 ex []"],
        ),
        (
            Filter {
                network: Some(66),
                ..Filter::default()
            },
            &["-* r3 ex []"],
        ),
        (
            Filter {
                protocol: Some(5),
                ..Filter::default()
            },
            &["-* r1 ex []"],
        ),
        (
            Filter {
                addr: Some(remote(2)),
                ..Filter::default()
            },
            &[
                "-s2 r2 in blocked []",
                "-* r2 ex [2, 1]",
                "-s1 r2 in blocked []",
            ],
        ),
        (
            Filter::default(),
            &[
                "-s2 r2 in blocked []",
                "-* r2 ex [2, 1]",
                "-s1 r2 in blocked []",
                "-* r3 ex []",
                "-* r1 ex []",
            ],
        ),
    ] {
        let mut told = fill();
        told.flush(&filter);
        assert_eq!(told.story(), want, "{filter:?}");
    }
}

/// T-28: a table without room refuses and stays as it is; what was given back serves again.
#[test]
fn t28_full() {
    let list = [source(1), source(2), source(3)];
    let to = |last| group().remote(remote(last)).mode(CREATE);
    let with_list = to(1).sources(FilterMode::Include, &list);
    for (full, mut told) in [
        (Full::Groups, Told::new(Growable::limited(3, 9, 9))),
        (Full::Remotes, Told::new(Growable::limited(9, 3, 9))),
        (Full::Sources, Told::new(Growable::limited(9, 9, 2))),
    ] {
        assert_eq!(told.add(&with_list), Err(Error::Full(full)));
        assert!(told.mdb.table().is_empty() && told.notices.is_empty());
        assert_eq!(told.add(&to(1)), Ok(()));
    }
    let mut told = Told::new(Fixed::<1, 4, 4, 3>::new());
    for _ in 0..3 {
        assert_eq!(told.add(&with_list), Ok(()), "just fits");
        assert_eq!(told.add(&to(2)), Err(Error::Full(Full::Remotes)));
        assert_eq!(told.mdb.table().len(), 4);
        told.remove(&to(1)).unwrap();
        for last in 1..=4 {
            assert_eq!(told.add(&to(last)), Ok(()));
        }
        told.flush(&Filter::default());
        assert!(told.mdb.table().is_empty());
    }
    let (mut groups, mut remotes) = ([GroupSlot::EMPTY], [RemoteSlot::EMPTY]);
    let mut told = Told::new(Borrowed::new(&mut [], &mut groups, &mut remotes, &mut []));
    assert_eq!(
        told.add(&to(1)),
        Err(Error::Full(Full::Groups)),
        "no bucket"
    );
}
