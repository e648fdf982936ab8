//! Devices go up, down and away.

use std::time::Duration;

use vxlan_core::device::Group;
use vxlan_core::fdb::{Mode, State, Update};
use vxlan_core::world::{Action, DeviceId, Errno, Error, Lower, LowerEvent};
use vxlan_core::{Compat, Config, Event, Flags, Instant, Mac, fdb};

use super::host::{Host, Small, config, eth, grouped, ip, mac, picture, plain, vni, with, world};

fn group(text: &str) -> Group {
    Group {
        address: ip(text),
        ifindex: Some(eth(10)),
    }
}

fn groups(host: &Host) -> Vec<Group> {
    host.kept.groups.iter().map(|(_, group)| *group).collect()
}

/// M-18: a device is found once; deleting it takes its entries, its groups and its socket along.
#[test]
fn m18_from_first_to_last() {
    let (mut world, mut host) = (world(), Host::default());
    let vx0 = host.up(&mut world, grouped(1, "239.0.0.1")).unwrap();
    assert_eq!(world.devices().filter(|(id, _)| *id == vx0).count(), 1);
    assert_eq!(
        host.done(),
        ["register", "link", "open", "bind", "announce", "join"]
    );
    let mut told = Vec::new();
    let task = world.delete(vx0, |_, event| told.push(event)).unwrap();
    assert!(matches!(told[..], [Event::Removed(_)]), "{told:?}");
    host.run(&mut world, task).unwrap();
    assert_eq!(
        host.done(),
        ["unlink", "leave", "withdraw", "close", "unregister"]
    );
    assert_eq!(world.devices().count() + world.sockets().count(), 0);
    assert_eq!(host.kept, super::host::Kept::default());
    // The handle is of no use any more, even when the place is taken again.
    let vx1 = host.up(&mut world, plain(1)).unwrap();
    assert_eq!(vx1.place(), vx0.place());
    assert!(world.device(vx0).is_none());
    for refused in [
        world.open(vx0, None, Instant::ZERO).err(),
        world.stop(vx0).err(),
        world.delete(vx0, |_, _| {}).err(),
        world.set_mtu(vx0, 1400, None).err(),
    ] {
        assert_eq!(refused, Some(Error::NoDevice));
    }
}

/// M-21: the socket, then the VNI, then the group; the timer is due in ten seconds.
#[test]
fn m21_up() {
    let (mut world, mut host) = (world(), Host::default());
    let vx0 = host.create(&mut world, grouped(1, "239.0.0.1")).unwrap();
    host.done();
    let now = Instant::from_millis(500);
    let mut task = world.open(vx0, None, now).unwrap();
    while let Some(action) = world.next(&mut task, |_, _| {}) {
        assert_eq!(
            world.next(&mut task, |_, _| {}),
            Some(action),
            "until reported"
        );
        let attached = world.sockets().any(|(_, socket)| !socket.vtep().is_empty());
        assert_eq!(attached, matches!(action, Action::Join { .. }));
        assert!(!world.device(vx0).unwrap().device().is_up());
        let done = host.perform(&action);
        world.report(&mut task, done);
    }
    assert!(task.is_done());
    assert_eq!(task.outcome(), Ok(()));
    let netdev = world.device(vx0).unwrap();
    assert!(netdev.device().is_up());
    assert_eq!(netdev.next_sweep(), Some(now + Duration::from_secs(10)));
    assert_eq!(groups(&host), [group("239.0.0.1")]);
    // Up already.
    host.done();
    host.open(&mut world, vx0).unwrap();
    assert!(host.done().is_empty());
}

/// M-21: that the group is joined already is no failure.
#[test]
fn m21_joined_already() {
    let (mut world, mut host) = (world(), Host::default());
    let vx0 = host.create(&mut world, grouped(1, "239.0.0.1")).unwrap();
    host.fail = Some((3, Errno::EADDRINUSE));
    host.open(&mut world, vx0).unwrap();
    assert!(world.device(vx0).unwrap().device().is_up());
}

/// M-21: only a group is joined, not a remote that is one host.
#[test]
fn m21_no_group() {
    let (mut world, mut host) = (world(), Host::default());
    let new = with(config(1).remote([192, 0, 2, 2].into()).lower(Some(eth(10))));
    host.up(&mut world, new).unwrap();
    assert!(host.kept.groups.is_empty());
}

/// A group without interface, which only the old driver has: the route decides.
#[test]
fn m21_old_driver_group() {
    let (mut world, mut host) = (world(), Host::default());
    let config = Config::new(vni(1))
        .remote(ip("239.0.0.1"))
        .compat(Compat::LINUX_4_3);
    host.up(&mut world, with(config)).unwrap();
    assert_eq!(groups(&host)[0].ifindex, None);
}

/// In external mode a device has a socket of each family, IPv6 first; without IPv6 one.
#[test]
fn m21_both_families() {
    for (without_ipv6, want) in [
        (
            false,
            &["open6", "bind", "announce", "open", "bind", "announce"][..],
        ),
        (true, &["open6", "open", "bind", "announce"]),
    ] {
        let (mut world, mut host) = (world(), Host::default());
        host.without_ipv6 = without_ipv6;
        let vx0 = host
            .create(&mut world, with(config(1).external(true)))
            .unwrap();
        host.done();
        host.open(&mut world, vx0).unwrap();
        assert_eq!(host.done(), want);
        host.stop(&mut world, vx0).unwrap();
        assert_eq!(host.done().len(), if without_ipv6 { 2 } else { 4 });
        assert_eq!(world.sockets().count(), 0);
    }
    // A device that needs IPv6 fails without.
    let (mut world, mut host) = (world(), Host::default());
    host.without_ipv6 = true;
    let v6 = with(Config::new(vni(1)).local(ip("2001:db8::1")));
    let vx0 = host.create(&mut world, v6).unwrap();
    let error = host.open(&mut world, vx0).unwrap_err();
    assert_eq!(error, Error::Host(Errno::EAFNOSUPPORT));
    assert_eq!(world.sockets().count(), 0);
}

fn entry(world: &mut Small, device: DeviceId, last: u8, state: State) {
    let device = world.device_mut(device).unwrap().device_mut();
    let update = Update {
        key: device.key(mac(last)),
        state,
        flags: fdb::Flags::SELF,
        mode: Mode::CREATE,
        destination: device.remote(ip("192.0.2.9")).into(),
        limit: 0,
    };
    device.fdb_update(Instant::ZERO, &update).unwrap();
}

/// M-22: the group is left, the timer stops, entries are flushed, the socket is let go, in this
/// order. What stays: entries that do not age, for the old driver the default entry alone.
#[test]
fn m22_down() {
    for (compat, gone) in [
        (Compat::LINUX_6, vec![3]),
        (Compat::LINUX_4_3, vec![3, 2, 1]),
    ] {
        let (mut world, mut host) = (world(), Host::default());
        let mut new = grouped(1, "239.0.0.1");
        new.config = new.config.compat(compat);
        let vx0 = host.up(&mut world, new).unwrap();
        entry(&mut world, vx0, 1, State::PERMANENT);
        entry(&mut world, vx0, 2, State::NOARP | State::REACHABLE);
        entry(&mut world, vx0, 3, State::REACHABLE);
        host.done();
        let mut task = world.stop(vx0).unwrap();
        let mut story = Vec::new();
        loop {
            let tell = |_, event| match event {
                Event::Removed(record) => story.push(record.key.mac.octets()[5].to_string()),
                other => panic!("{other:?}"),
            };
            let Some(action) = world.next(&mut task, tell) else {
                break;
            };
            let result = host.perform(&action);
            world.report(&mut task, result);
            story.extend(host.done().into_iter().map(str::to_owned));
        }
        let flushed = gone.iter().map(i32::to_string);
        let want: Vec<String> = core::iter::once("leave".to_owned())
            .chain(flushed)
            .chain(["withdraw".to_owned(), "close".to_owned()])
            .collect();
        assert_eq!(story, want);
        let netdev = world.device(vx0).unwrap();
        assert_eq!(netdev.next_sweep(), None);
        assert_eq!(netdev.device().fdb().len(), 4 - gone.len());
        assert!(
            netdev
                .device()
                .fdb()
                .find(&netdev.device().key(Mac::ZERO))
                .is_some()
        );
        // Down already.
        host.stop(&mut world, vx0).unwrap();
        assert!(host.done().is_empty());
    }
}

/// Enters `count` stations at once.
fn stations(world: &mut Small, device: DeviceId, count: u32) {
    let device = world.device_mut(device).unwrap().device_mut();
    for number in 0..count {
        let [_, a, b, c] = number.to_be_bytes();
        let update = Update {
            key: device.key(Mac::new([2, 0, 1, a, b, c])),
            state: State::REACHABLE,
            flags: fdb::Flags::SELF,
            mode: Mode::CREATE,
            destination: device.remote(ip("192.0.2.9")).into(),
            limit: 0,
        };
        device.fdb_update(Instant::ZERO, &update).unwrap();
    }
}

/// M-22, M-18: of a large table no step looks at more than 1,024 entries. Between the steps nothing
/// comes in that would be learned, and other devices on the socket go on. A pause cannot fail.
#[test]
fn m22_down_and_away_step_by_step() {
    const STATIONS: u32 = 10_000;
    for delete in [false, true] {
        let (mut world, mut host) = (world(), Host::default());
        let vx0 = host.up(&mut world, grouped(1, "239.0.0.1")).unwrap();
        let vx1 = host.up(&mut world, plain(2)).unwrap();
        stations(&mut world, vx0, STATIONS);
        stations(&mut world, vx1, 1);
        let (socket, _) = world.sockets().next().unwrap();
        host.done();
        let mut steps = vec![0];
        let mut task = match delete {
            true => world.delete(vx0, |_, _| steps[0] += 1).unwrap(),
            false => world.stop(vx0).unwrap(),
        };
        loop {
            let mut told = 0;
            let action = world.next(&mut task, |id, _| {
                assert_eq!(id, vx0);
                told += 1;
            });
            steps.push(told);
            let Some(action) = action else { break };
            if action == Action::Pause(vx0) {
                let find = |id| world.sockets().next().unwrap().1.vtep().find(vni(id), None);
                assert_eq!((find(1), find(2)), (None, Some(vx1.place())));
                assert!(world.socket(socket).is_some());
                assert_eq!(world.stop(vx0).err(), Some(Error::Unfinished));
                // Behind the cursor: nothing is received, but somebody else may enter it.
                if delete {
                    stations(&mut world, vx0, STATIONS + 1);
                }
                world.report(&mut task, Err(Errno::EINVAL));
                continue;
            }
            let done = host.perform(&action);
            world.report(&mut task, done);
        }
        assert_eq!(task.outcome(), Ok(()));
        assert!(steps.iter().all(|step| *step <= 1_024), "{steps:?}");
        let told: u32 = steps.iter().sum();
        assert!(told >= STATIONS && steps.len() >= 10, "{steps:?}");
        match delete {
            true => assert!(world.device(vx0).is_none()),
            // The default entry stays.
            false => assert_eq!(world.device(vx0).unwrap().device().fdb().len(), 1),
        }
        assert_eq!(world.device(vx1).unwrap().device().fdb().len(), 1);
    }
}

/// M-22: nothing stops a device from going down; the old driver tells that a group was not left.
#[test]
fn m22_never_fails() {
    for (compat, want) in [
        (Compat::LINUX_6, Ok(())),
        (Compat::LINUX_4_3, Err(Error::Host(Errno::new(5)))),
    ] {
        for step in 0..3 {
            let (mut world, mut host) = (world(), Host::default());
            let mut new = grouped(1, "239.0.0.1");
            new.config = new.config.compat(compat);
            let vx0 = host.up(&mut world, new).unwrap();
            host.fail = Some((step, Errno::new(5)));
            let outcome = host.stop(&mut world, vx0);
            assert_eq!(
                outcome,
                if step == 0 { want } else { Ok(()) },
                "step {step}"
            );
            assert!(!world.device(vx0).unwrap().device().is_up());
            assert_eq!(world.sockets().count(), 0);
        }
    }
}

/// M-22: a group is left by the last running device on the socket that has it on that interface.
#[test]
fn m22_group_used_by_another() {
    let elsewhere = || {
        let mut new = grouped(3, "239.0.0.1");
        new.config = new.config.lower(Some(eth(12)));
        new.lower = Some(Lower::ethernet(eth(12)));
        new
    };
    let mut other_port = grouped(3, "239.0.0.1");
    other_port.config = other_port.config.port(4790);
    for (name, other, up, left) in [
        ("same group", grouped(3, "239.0.0.1"), true, false),
        ("down", grouped(3, "239.0.0.1"), false, true),
        ("other group", grouped(3, "239.0.0.2"), true, true),
        ("other interface", elsewhere(), true, true),
        ("other socket", other_port, true, true),
    ] {
        let (mut world, mut host) = (world(), Host::default());
        let vx0 = host.up(&mut world, grouped(1, "239.0.0.1")).unwrap();
        let vx1 = host.create(&mut world, other).unwrap();
        if up {
            host.open(&mut world, vx1).unwrap();
        }
        host.done();
        host.stop(&mut world, vx0).unwrap();
        assert_eq!(host.done().contains(&"leave"), left, "{name}");
        let stays = if up { 1 } else { 0 };
        assert_eq!(host.kept.groups.len(), stays, "{name}");
        host.stop(&mut world, vx1).unwrap();
        assert!(host.kept.groups.is_empty(), "{name}");
    }
}

/// M-24: a new socket has no VNIs, only receive flags, and an error of the host is returned.
#[test]
fn m24_new_socket() {
    let (mut world, mut host) = (world(), Host::default());
    let config = config(1).gbp(true).udp_checksum(false).l2miss(true);
    let vx0 = host.create(&mut world, with(config)).unwrap();
    let mut task = world.open(vx0, None, Instant::ZERO).unwrap();
    let Some(Action::Open { socket, key }) = world.next(&mut task, |_, _| {}) else {
        panic!("a socket first");
    };
    assert_eq!(key.flags, Flags::GBP);
    assert_eq!((key.ipv6, key.port, key.interface), (false, 4789, None));
    assert!(world.socket(socket).unwrap().vtep().is_empty());
    assert!(!world.socket(socket).unwrap().is_ready());
    world.report(&mut task, Ok(()));
    assert!(matches!(
        world.next(&mut task, |_, _| {}),
        Some(Action::Bind { .. })
    ));
    world.report(&mut task, Err(Errno::EADDRINUSE));
    assert_eq!(
        world.next(&mut task, |_, _| {}),
        Some(Action::Close(socket))
    );
    world.report(&mut task, Ok(()));
    assert_eq!(world.next(&mut task, |_, _| {}), None);
    assert_eq!(task.outcome(), Err(Error::Host(Errno::EADDRINUSE)));
    assert!(world.socket(socket).is_none());
}

/// M-25: how the host sets a socket up; one that is closed takes nothing more.
#[test]
fn m25_socket() {
    let v6 = |on| {
        Config::new(vni(1))
            .local(ip("2001:db8::1"))
            .udp_zero_checksum6_rx(on)
    };
    for (config, unchecked) in [(config(1), true), (v6(false), false), (v6(true), true)] {
        let (mut world, mut host) = (world(), Host::default());
        let vx0 = host.up(&mut world, with(config)).unwrap();
        let (id, socket) = world.sockets().next().unwrap();
        assert_eq!(socket.key().accepts_unchecked(), unchecked);
        assert_eq!(socket.key().tunnel_port().kind(), 1);
        let ours = [8, 0, 0, 0, 0, 0, 1, 0];
        assert_eq!(world.demultiplex(id, &ours, None), Ok(vx0));
        host.stop(&mut world, vx0).unwrap();
        assert!(world.demultiplex(id, &ours, None).is_err());
        // Nor does the next socket in the same place answer to the old handle.
        host.open(&mut world, vx0).unwrap();
        assert!(world.demultiplex(id, &ours, None).is_err());
    }
}

/// M-05: a lower interface that goes takes the devices above it along, the newest first, as one
/// batch; other interfaces and other events change nothing.
#[test]
fn m05_lower_interface_goes() {
    let (mut world, mut host) = (world(), Host::default());
    let other = {
        let mut new = grouped(4, "239.0.0.1");
        new.config = new.config.lower(Some(eth(12)));
        new.lower = Some(Lower::ethernet(eth(12)));
        new
    };
    let one = host.up(&mut world, grouped(1, "239.0.0.1")).unwrap();
    let alone = host.up(&mut world, plain(2)).unwrap();
    let two = host.create(&mut world, grouped(3, "239.0.0.1")).unwrap();
    let elsewhere = host.up(&mut world, other).unwrap();
    let three = host.up(&mut world, grouped(5, "239.0.0.2")).unwrap();
    host.done();
    let before = picture(&world);
    for (event, index) in [
        (LowerEvent::Other, 10),
        (LowerEvent::Unregister, 11),
        (LowerEvent::PushPorts, 10),
        (LowerEvent::DropPorts, 10),
    ] {
        let task = world
            .lower_event(event, eth(index), |_, _| panic!("told"))
            .unwrap();
        host.run(&mut world, task).unwrap();
        assert_eq!(picture(&world), before, "{event:?}");
    }
    assert_eq!(host.done(), ["announce", "withdraw"]);

    let mut told = Vec::new();
    let task = world
        .lower_event(LowerEvent::Unregister, eth(10), |id, _| told.push(id))
        .unwrap();
    assert_eq!(told, [three, two, one]);
    host.run(&mut world, task).unwrap();
    let gone = |action: &Action| match action {
        Action::Unregister(device) => Some(*device),
        _ => None,
    };
    assert_eq!(
        host.log.iter().filter_map(gone).collect::<Vec<_>>(),
        [three, two, one]
    );
    let names = host.done();
    assert_eq!(names[..3], ["unlink"; 3]);
    assert_eq!(names[3..5], ["leave"; 2]);
    assert_eq!(names[5..], ["unregister"; 3]);
    let mut left: Vec<DeviceId> = world.devices().map(|(id, _)| id).collect();
    left.sort();
    assert_eq!(left, [alone, elsewhere]);
    assert_eq!(
        groups(&host),
        [Group {
            ifindex: Some(eth(12)),
            ..group("239.0.0.1")
        }]
    );
}

/// A device that something is being done with answers EBUSY, and the batch leaves all as it was.
#[test]
fn m05_unfinished_tasks() {
    let (mut world, mut host) = (world(), Host::default());
    let vx0 = host.create(&mut world, grouped(1, "239.0.0.1")).unwrap();
    let vx1 = host.create(&mut world, grouped(2, "239.0.0.1")).unwrap();
    let mut task = world.open(vx0, None, Instant::ZERO).unwrap();
    let before = picture(&world);
    for refused in [
        world.open(vx0, None, Instant::ZERO).err(),
        world.stop(vx0).err(),
        world.delete(vx0, |_, _| {}).err(),
        world
            .lower_event(LowerEvent::Unregister, eth(10), |_, _| {})
            .err(),
        world.exit(|_, _| {}).err(),
    ] {
        assert_eq!(refused, Some(Error::Unfinished));
        assert_eq!(Error::Unfinished.errno(), Errno::EBUSY);
    }
    assert_eq!(picture(&world), before);
    while let Some(action) = world.next(&mut task, |_, _| {}) {
        let result = host.perform(&action);
        world.report(&mut task, result);
    }
    let task = world.exit(|_, _| {}).unwrap();
    host.run(&mut world, task).unwrap();
    assert!(world.device(vx0).is_none() && world.device(vx1).is_none());
}

/// L-06, M-21: the timer runs for all devices that are up, when the first is due.
#[test]
fn l06_age() {
    let (mut world, mut host) = (world(), Host::default());
    let vx0 = host
        .up(&mut world, with(config(1).ageing(Duration::from_secs(15))))
        .unwrap();
    let vx1 = host.create(&mut world, plain(2)).unwrap();
    entry(&mut world, vx0, 3, State::REACHABLE);
    entry(&mut world, vx1, 3, State::REACHABLE);
    let mut told = Vec::new();
    for (seconds, next, gone) in [
        (9, 10, 0),
        (10, 15, 0),
        (14, 15, 0),
        (15, 25, 1),
        (99, 109, 1),
    ] {
        let now = Instant::ZERO + Duration::from_secs(seconds);
        world.age(now, |id, _| told.push(id));
        let due = Instant::ZERO + Duration::from_secs(next);
        assert_eq!(world.next_sweep(), Some(due), "at {seconds} s");
        assert_eq!(told.len(), gone, "at {seconds} s");
    }
    assert_eq!(told, [vx0], "the other device is down");
    host.stop(&mut world, vx0).unwrap();
    assert_eq!(world.next_sweep(), None);
}
