//! Devices with a VNI filter.

use std::net::IpAddr;

use vxlan_core::vni_filter::{self, Request, WithVnis};
use vxlan_core::world::{Action, DeviceId, Errno, Error, Fixed, NewDevice};
use vxlan_core::{Config, Event, Instant, Salt, World, fdb};

use super::host::{Host, Small, eth, ip, mac, picture, vni, with, world};

/// A device with a filter above interface 10.
fn filtering(remote: Option<&str>) -> NewDevice {
    let config = Config::new(vni(0))
        .external(true)
        .vni_filter(true)
        .port(4789)
        .lower(Some(eth(10)));
    with(match remote {
        Some(remote) => config.remote(ip(remote)),
        None => config,
    })
}

fn range(start: u32, end: u32, group: Option<&str>) -> Request {
    Request {
        start: Some(start),
        end: Some(end),
        group: group.map(ip),
    }
}

fn add(host: &mut Host, world: &mut Small, id: DeviceId, request: &Request) -> Result<(), Error> {
    let task = world.add_vnis(id, request, Instant::ZERO)?;
    host.run(world, task)
}

fn remove(
    host: &mut Host,
    world: &mut Small,
    id: DeviceId,
    request: &Request,
) -> Result<(), Error> {
    let task = world.remove_vnis(id, request)?;
    host.run(world, task)
}

/// Which VNIs a device receives on its sockets, one list a socket.
fn received(world: &Small, id: DeviceId) -> Vec<Vec<u32>> {
    let of = |numbers: &dyn Fn(u32) -> bool| (0..64).filter(|number| numbers(*number)).collect();
    let sockets = world
        .sockets()
        .map(|(_, socket)| of(&|number| socket.vtep().find(vni(number), None) == Some(id.place())));
    sockets.collect()
}

fn groups(host: &Host) -> Vec<IpAddr> {
    host.kept
        .groups
        .iter()
        .map(|(_, group)| group.address)
        .collect()
}

/// A device that goes up receives all VNIs of its filter on both sockets and joins all groups; one
/// that is up receives what is added, and no more what is taken off.
#[test]
fn m21_vnis_of_a_filter() {
    let (mut world, mut host) = (world(), Host::default());
    let vx0 = host
        .create(&mut world, filtering(Some("239.0.0.1")))
        .unwrap();
    add(&mut host, &mut world, vx0, &range(10, 12, None)).unwrap();
    add(
        &mut host,
        &mut world,
        vx0,
        &range(20, 20, Some("239.0.0.2")),
    )
    .unwrap();
    assert!(host.kept.groups.is_empty(), "it is down");
    host.open(&mut world, vx0).unwrap();
    assert_eq!(received(&world, vx0), [[10, 11, 12, 20]; 2]);
    assert_eq!(groups(&host), [ip("239.0.0.1"), ip("239.0.0.2")]);

    host.done();
    add(&mut host, &mut world, vx0, &range(5, 6, Some("239.0.0.3"))).unwrap();
    assert_eq!(host.done(), ["join", "join"], "one a VNI");
    remove(&mut host, &mut world, vx0, &range(11, 12, None)).unwrap();
    assert_eq!(received(&world, vx0), [[5, 6, 10, 20]; 2]);
    // Another group: the old one is left, the new one joined.
    add(
        &mut host,
        &mut world,
        vx0,
        &range(20, 20, Some("239.0.0.4")),
    )
    .unwrap();
    assert_eq!(host.done(), ["leave", "join"]);
    // Other VNIs of the same device do not keep a group.
    remove(&mut host, &mut world, vx0, &range(5, 5, None)).unwrap();
    assert_eq!(host.done(), ["leave"]);
    assert_eq!(groups(&host), [ip("239.0.0.1"), ip("239.0.0.4")]);

    host.stop(&mut world, vx0).unwrap();
    assert!(host.kept.groups.is_empty() && world.sockets().count() == 0);
    let vnis = world.device(vx0).unwrap().device().vnis();
    assert_eq!(vnis.len(), 3, "the filter stays");
}

/// M-15: a VNI in the filter of another device on the same port is taken. A range stops there, and
/// what came before it stays.
#[test]
fn m15_vni_of_another_filter() {
    let (mut world, mut host) = (world(), Host::default());
    let vx0 = host.up(&mut world, filtering(None)).unwrap();
    let vx1 = host.up(&mut world, filtering(None)).unwrap();
    add(&mut host, &mut world, vx0, &range(12, 12, None)).unwrap();
    let refused = add(&mut host, &mut world, vx1, &range(10, 20, None)).unwrap_err();
    assert_eq!(refused, Error::Vnis(vni_filter::Error::InUse));
    assert_eq!(refused.errno(), Errno::EEXIST);
    assert_eq!(received(&world, vx1), [[10, 11]; 2]);
    assert_eq!(received(&world, vx0), [[12]; 2]);
    // Adding what is there is no conflict with oneself.
    add(
        &mut host,
        &mut world,
        vx0,
        &range(12, 12, Some("239.0.0.2")),
    )
    .unwrap();
    let before = picture(&world);
    let refused = remove(&mut host, &mut world, vx0, &range(13, 13, None));
    assert_eq!(refused, Err(Error::Vnis(vni_filter::Error::NotFound)));
    assert_eq!(picture(&world), before);
}

/// A request that makes no sense is refused before anything is under way.
#[test]
fn requests_without_sense() {
    let (mut world, mut host) = (world(), Host::default());
    let plain = host.create(&mut world, super::host::plain(1)).unwrap();
    let mut alone = filtering(None);
    (alone.config, alone.lower) = (alone.config.lower(None), None);
    let vx0 = host.create(&mut world, alone).unwrap();
    for (id, request, error) in [
        (plain, range(1, 1, None), vni_filter::Error::NoFilter),
        (vx0, range(0, 0, None), vni_filter::Error::NoVni),
        (
            vx0,
            range(1, 1, Some("239.0.0.1")),
            vni_filter::Error::GroupWithoutLower,
        ),
    ] {
        let refused = world.add_vnis(id, &request, Instant::ZERO).unwrap_err();
        assert_eq!(refused, Error::Vnis(error));
        assert!(!world.device(id).unwrap().is_busy());
    }
    // None at all.
    assert_eq!(add(&mut host, &mut world, vx0, &range(5, 4, None)), Ok(()));
}

/// A group is kept as long as another running device on the socket has it for any of its VNIs.
#[test]
fn m22_group_of_another_filter() {
    let (mut world, mut host) = (world(), Host::default());
    let vx0 = host.up(&mut world, filtering(None)).unwrap();
    let vx1 = host.up(&mut world, filtering(None)).unwrap();
    add(&mut host, &mut world, vx0, &range(1, 1, Some("239.0.0.1"))).unwrap();
    add(&mut host, &mut world, vx1, &range(2, 2, Some("239.0.0.1"))).unwrap();
    host.done();
    remove(&mut host, &mut world, vx0, &range(1, 1, None)).unwrap();
    assert!(host.done().is_empty());
    host.stop(&mut world, vx1).unwrap();
    assert_eq!(host.done(), ["leave"]);
}

/// A device that cannot join one of its groups leaves those it has joined, the last first.
#[test]
fn m21_failure_at_any_group() {
    for step in 0..9 {
        let (mut world, mut host) = (world(), Host::default());
        // It keeps the sockets open.
        host.up(&mut world, filtering(None)).unwrap();
        let vx1 = host
            .create(&mut world, filtering(Some("239.0.0.1")))
            .unwrap();
        for number in 2..5 {
            let group = format!("239.0.0.{number}");
            let request = range(number, number, Some(group.as_str()));
            add(&mut host, &mut world, vx1, &request).unwrap();
        }
        let (before, kept) = (picture(&world), host.kept.clone());
        host.done();
        host.fail = Some((step, Errno::new(5)));
        let outcome = host.open(&mut world, vx1);
        if step < 4 {
            assert_eq!(outcome, Err(Error::Host(Errno::new(5))));
            assert_eq!((picture(&world), &host.kept), (before, &kept));
            let (joins, leaves) = (step + 1, step);
            let want: Vec<_> = [vec!["join"; joins], vec!["leave"; leaves]].concat();
            assert_eq!(host.done(), want);
        } else {
            assert_eq!(outcome, Ok(()));
            assert_eq!(host.kept.groups.len(), 4);
        }
    }
}

/// As in Linux a VNI stays although its group cannot be joined; the rest of the range is not looked
/// at.
#[test]
fn a_vni_stays_without_its_group() {
    let (mut world, mut host) = (world(), Host::default());
    let vx0 = host.up(&mut world, filtering(None)).unwrap();
    host.fail = Some((1, Errno::new(5)));
    let outcome = add(&mut host, &mut world, vx0, &range(1, 9, Some("239.0.0.1")));
    assert_eq!(outcome, Err(Error::Host(Errno::new(5))));
    assert_eq!(received(&world, vx0), [[1, 2]; 2]);
    assert!(!world.device(vx0).unwrap().is_busy());
}

/// M-19: where a socket has no place for another VNI, the filter stays as it was.
#[test]
fn m19_no_place_for_a_vni() {
    type Tables = WithVnis<fdb::Fixed<8, 8, 8>, [vni_filter::Slot; 4]>;
    let storage = || Tables::new(fdb::Fixed::new(), [const { vni_filter::Slot::EMPTY }; 4]);
    let mut world = World::new(Fixed::<Tables, 1, 2, 2>::new(), Salt::default());
    let perform = |_: &World<_>, _: &Action| Ok(());
    let task = world
        .create(filtering(None), storage(), Instant::ZERO)
        .unwrap();
    let vx0 = task.device().unwrap();
    world.run(task, perform, |_, _| {}).unwrap();
    let task = world.open(vx0, None, Instant::ZERO).unwrap();
    world.run(task, perform, |_, _| {}).unwrap();
    let task = world
        .add_vnis(vx0, &range(1, 4, None), Instant::ZERO)
        .unwrap();
    assert_eq!(world.run(task, perform, |_, _| {}), Err(Error::Full));
    assert_eq!(world.device(vx0).unwrap().device().vnis().len(), 2);
    for (_, socket) in world.sockets() {
        assert_eq!(socket.vtep().len(), 2);
    }
}

/// M-18: what happens to the filter is told, also when the device goes.
#[test]
fn m18_events_of_the_filter() {
    let (mut world, mut host) = (world(), Host::default());
    let vx0 = host.up(&mut world, filtering(None)).unwrap();
    let group = Some(ip("239.0.0.1"));
    let mut told = Vec::new();
    let mut note = |_, event| {
        if let Event::Vnis(event) = event {
            told.push(event);
        }
    };
    let task = world.add_vnis(vx0, &range(1, 2, Some("239.0.0.1")), Instant::ZERO);
    world.run(task.unwrap(), |_, _| Ok(()), &mut note).unwrap();
    let task = world.remove_vnis(vx0, &range(2, 2, None)).unwrap();
    world.run(task, |_, _| Ok(()), &mut note).unwrap();
    let task = world.delete(vx0, &mut note).unwrap();
    let perform = |world: &Small, action: &Action| {
        assert!(world.device(vx0).is_some(), "{action:?}");
        Ok(())
    };
    world.run(task, perform, &mut note).unwrap();
    assert_eq!(
        told,
        [
            vni_filter::Event::Changed { vni: 1, group },
            vni_filter::Event::Changed { vni: 2, group },
            vni_filter::Event::Removed { vni: 2, group },
            vni_filter::Event::Removed { vni: 1, group },
        ]
    );
}

/// A device with a filter shares no socket with one without (M-26), and both know whom a packet is
/// for.
#[test]
fn m26_filter_and_none() {
    let (mut world, mut host) = (world(), Host::default());
    let vx0 = host.up(&mut world, filtering(None)).unwrap();
    add(&mut host, &mut world, vx0, &range(7, 7, None)).unwrap();
    let external = NewDevice::new(Config::new(vni(0)).external(true).port(4789), mac(1));
    let vx1 = host.create(&mut world, external).unwrap();
    assert_eq!(host.open(&mut world, vx1), Err(Error::PortInUse));
    for (socket, _) in world.sockets() {
        let payload = |number| [8, 0, 0, 0, 0, 0, number, 0];
        assert_eq!(world.demultiplex(socket, &payload(7), None), Ok(vx0));
        assert!(world.demultiplex(socket, &payload(0), None).is_err());
    }
}
