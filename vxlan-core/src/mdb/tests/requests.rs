//! The checks before the table, as a Linux 6.18 kernel answered.

use super::*;
use crate::IfIndex;

/// T-28: what contradicts itself, in the kernel's order, with its numbers and messages.
#[test]
fn t28_checks_in_order() {
    use Error as E;
    let v4 = [ip("10.0.0.1")];
    let v6 = [ip("2001:db8::1")];
    let group4 = [ip("239.0.0.1")];
    let group6 = [ip("ff02::1")];
    let mixed = [ip("10.0.0.7"), ip("224.0.0.1")];
    let base = |group: &str| Request::new(ip(group)).remote(ip("192.0.2.2"));
    let include = |request: Request<'static>| Request {
        filter: Some(FilterMode::Include),
        ..request
    };
    let all_wrong = Request {
        source: Some(ip("239.0.0.9")),
        filter: Some(FilterMode::Include),
        sources: Some(&group4),
        remote: None,
        ..Request::new(ip("2001:db8::1"))
    };
    let remote = all_wrong.remote(ip("192.0.2.1"));
    let source6 = remote.source(ip("ff02::3"));
    let unicast = source6.source(ip("2001:db8::1"));
    let zero = Request {
        group: ip("::"),
        ..unicast
    };
    let group = Request {
        group: ip("ff0e::1"),
        ..unicast
    };
    let without_mode = Request {
        filter: None,
        ..group
    };
    let without_source = Request {
        source: None,
        ..without_mode
    };
    let table: &[(&str, Request<'_>, Result<(), Error>)] = &[
        ("unicast group", base("10.0.0.1"), Err(E::NotMulticastV4)),
        (
            "broadcast group",
            base("255.255.255.255"),
            Err(E::NotMulticastV4),
        ),
        ("class E group", base("240.0.0.1"), Err(E::NotMulticastV4)),
        ("local group", base("224.0.0.1"), Err(E::LocalMulticastV4)),
        (
            "last local group",
            base("224.0.0.255"),
            Err(E::LocalMulticastV4),
        ),
        ("first other group", base("224.0.1.0"), Ok(())),
        ("all nodes", base("ff02::1"), Err(E::AllNodesV6)),
        ("all routers", base("ff02::2"), Ok(())),
        ("interface-local", base("ff01::1"), Ok(())),
        ("unicast IPv6", base("2001:db8::1"), Err(E::NotMulticastV6)),
        ("all other groups", base("0.0.0.0"), Ok(())),
        ("all other IPv6 groups", base("::"), Ok(())),
        ("no remote", Request::new(ip("239.1.1.1")), Err(E::NoRemote)),
        ("everything wrong", all_wrong, Err(E::NoRemote)),
        ("then the source's family", remote, Err(E::SourceNotV6)),
        ("then the source", source6, Err(E::SourceMulticastV6)),
        ("then the group", unicast, Err(E::NotMulticastV6)),
        ("then the source of all", zero, Err(E::CatchAllSource)),
        ("then the mode", group, Err(E::FilterMode)),
        ("then the list", without_mode, Err(E::SourceList)),
        (
            "then the mode of the list",
            without_source,
            Err(E::SourceListWithoutMode),
        ),
        (
            "then its members",
            without_source.sources(FilterMode::Exclude, &group6),
            Err(E::SourceMulticastV6),
        ),
        (
            "of the right family",
            without_source.sources(FilterMode::Exclude, &v4),
            Err(E::SourceNotV6),
        ),
        (
            "all right",
            without_source.sources(FilterMode::Exclude, &v6),
            Ok(()),
        ),
        (
            "only nobody",
            include(base("239.1.1.1")),
            Err(E::IncludeNone),
        ),
        (
            "only nobody, listed",
            base("239.1.1.1").sources(FilterMode::Include, &[]),
            Err(E::IncludeNone),
        ),
        (
            "all but nobody",
            base("239.1.1.1").sources(FilterMode::Exclude, &[]),
            Ok(()),
        ),
        (
            "the second source",
            base("239.1.1.1").sources(FilterMode::Exclude, &mixed),
            Err(E::SourceMulticastV4),
        ),
        (
            "IPv6 source",
            base("239.1.1.1").sources(FilterMode::Exclude, &v6),
            Err(E::SourceNotV4),
        ),
        (
            "IPv6 source of one",
            base("239.1.1.1").source(v6[0]),
            Err(E::SourceNotV4),
        ),
        (
            "group as source",
            base("239.1.1.1").source(group4[0]),
            Err(E::SourceMulticastV4),
        ),
        (
            "broadcast as source",
            base("239.1.1.1").source(ip("255.255.255.255")),
            Ok(()),
        ),
        (
            "loopback as source",
            base("239.1.1.1").source(ip("127.0.0.1")),
            Ok(()),
        ),
        (
            "no source as source",
            base("239.1.1.1").source(ip("0.0.0.0")),
            Ok(()),
        ),
        (
            "which is any source",
            Request {
                filter: Some(FilterMode::Exclude),
                ..base("239.1.1.1").source(ip("0.0.0.0"))
            },
            Ok(()),
        ),
        // Linux takes it: the one deviation.
        (
            "but has no list",
            base("239.1.1.1")
                .source(ip("0.0.0.0"))
                .sources(FilterMode::Exclude, &v4),
            Err(E::SourceList),
        ),
        (
            "source of all others",
            base("0.0.0.0").source(v4[0]),
            Err(E::CatchAllSource),
        ),
        (
            "no source of all others",
            base("0.0.0.0").source(ip("0.0.0.0")),
            Err(E::CatchAllSource),
        ),
        (
            "mode of all others",
            base("0.0.0.0").sources(FilterMode::Exclude, &v4),
            Err(E::FilterMode),
        ),
        (
            "IPv6 remote of an IPv4 group",
            Request::new(ip("239.1.1.1")).remote(ip("2001:db8::2")),
            Ok(()),
        ),
        (
            "no remote at all",
            Request::new(ip("239.1.1.1")).remote(ip("0.0.0.0")),
            Ok(()),
        ),
    ];
    for (name, request, want) in table {
        assert_eq!(request.check(), *want, "{name}");
        // Adding and deleting check alike, and a refused request changes nothing.
        let mut told = Told::new(Fixed::<8, 8, 8, 8>::new());
        let mode = request.mode(CREATE);
        if want.is_err() {
            assert_eq!(told.add(&mode), *want, "{name}");
            assert_eq!(told.remove(&mode), *want, "{name}");
        } else {
            assert_eq!(told.remove(&mode), Err(E::NotFound), "{name}");
            assert_eq!(told.add(&mode), Ok(()), "{name}");
            assert_eq!(told.remove(&mode), Ok(()), "{name}");
        }
        assert!(told.mdb.table().is_empty(), "{name}");
    }
}

/// T-28: the fixed part of a message.
#[test]
fn t28_header() {
    let (device, other) = (IfIndex::new(2).unwrap(), IfIndex::new(1).unwrap());
    let wrong = Header {
        port: other,
        permanent: false,
        flags: 1,
        vid: 5,
    };
    let port = Header {
        port: device,
        ..wrong
    };
    let permanent = Header {
        permanent: true,
        ..port
    };
    let plain = Header {
        flags: 0,
        ..permanent
    };
    let right = Header { vid: 0, ..plain };
    for (header, add, delete) in [
        (wrong, Err(Error::Port), Err(Error::Port)),
        (port, Err(Error::NotPermanent), Err(Error::Flags)),
        (permanent, Err(Error::Flags), Err(Error::Flags)),
        (plain, Err(Error::Vlan), Err(Error::Vlan)),
        (right, Ok(()), Ok(())),
        (
            Header {
                permanent: false,
                ..right
            },
            Err(Error::NotPermanent),
            Ok(()),
        ),
    ] {
        assert_eq!(header.check(device, true), add, "{header:?}");
        assert_eq!(header.check(device, false), delete, "{header:?}");
    }
}

/// T-28: error numbers and messages.
#[test]
fn t28_numbers_and_messages() {
    for (error, errno, message) in [
        (
            Error::NotSupported,
            95,
            "Device does not support MDB operations",
        ),
        (
            Error::Port,
            22,
            "vxlan: Port net device must be the VXLAN net device",
        ),
        (
            Error::NoRemote,
            22,
            "vxlan: Missing remote destination IP address",
        ),
        (
            Error::LocalMulticastV4,
            22,
            "IPv4 entry group address is local multicast",
        ),
        (Error::Interface, 22, "vxlan: Outgoing interface not found"),
        (
            Error::Exists,
            17,
            "vxlan: Replace not specified and MDB remote entry already exists",
        ),
        (
            Error::SourceExists,
            17,
            "vxlan: Source entry already exists",
        ),
        (
            Error::NotCreated,
            2,
            "vxlan: Create not specified and entry does not exist",
        ),
        (Error::NotFound, 2, "vxlan: Did not find MDB entry"),
        (
            Error::RemoteNotFound,
            2,
            "vxlan: Did not find MDB remote entry",
        ),
        (Error::NothingToGet, 2, "vxlan: MDB entry not found"),
    ] {
        assert_eq!((error.errno(), error.message()), (errno, Some(message)));
    }
    for full in [Full::Groups, Full::Remotes, Full::Sources] {
        assert_eq!(
            (Error::Full(full).errno(), Error::Full(full).message()),
            (12, None)
        );
    }
}

/// T-28: showing one entry.
#[test]
fn t28_get() {
    let mut told = Told::new(Growable::new());
    let group = Request::new(ip("239.1.1.1"));
    told.add(&group.remote(ip("192.0.2.2")).mode(CREATE))
        .unwrap();
    told.add(&group.remote(ip("192.0.2.3")).mode(CREATE))
        .unwrap();
    let got = told.mdb.table().get(&group, DEFAULTS).unwrap();
    assert_eq!(got.records().count(), 2);
    for (request, want) in [
        (group.source(ip("10.0.0.1")), Error::NothingToGet),
        (group.source(ip("239.1.1.1")), Error::SourceMulticastV4),
        (Request::new(ip("10.0.0.1")), Error::NothingToGet),
        (
            Request {
                network: Some(1),
                ..group
            },
            Error::NothingToGet,
        ),
    ] {
        assert_eq!(told.mdb.table().get(&request, DEFAULTS).err(), Some(want));
    }
}
