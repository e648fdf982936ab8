//! Who shares a socket with whom, and who may have a VNI.

use vxlan_core::world::{Errno, Error, Lower, NewDevice};
use vxlan_core::{Config, Instant};

use super::host::{Host, config, eth, mac, picture, plain, world};

fn new(config: Config) -> NewDevice {
    NewDevice::new(config, mac(1))
}

/// M-23: devices that agree in family, port and receive flags have one socket.
#[test]
fn m23_same_socket() {
    let v6 = |id| {
        Config::new(super::host::vni(id))
            .local(super::host::ip("2001:db8::1"))
            .port(4789)
    };
    for (name, other, shared) in [
        ("same", config(2), true),
        ("other transmit flags", config(2).udp_checksum(false), true),
        (
            "other remote",
            config(2).remote([192, 0, 2, 7].into()),
            true,
        ),
        ("other port", config(2).port(4790), false),
        ("IPv6", v6(2), false),
    ] {
        let (mut world, mut host) = (world(), Host::default());
        let vx0 = host.up(&mut world, plain(1)).unwrap();
        let vx1 = host.up(&mut world, new(other)).unwrap();
        let users: Vec<_> = world.sockets().map(|(_, socket)| socket.users()).collect();
        assert_eq!(users, if shared { vec![2] } else { vec![1, 1] }, "{name}");
        for device in [vx0, vx1] {
            host.stop(&mut world, device).unwrap();
        }
        assert_eq!(world.sockets().count(), 0, "{name}");
    }
}

/// M-26: a socket with other receive flags has the port. The device is made, cannot go up, and
/// stays, down, with its default entry.
#[test]
fn m26_other_receive_flags() {
    for other in [
        config(2).gbp(true),
        config(2).remote_checksum_rx(true),
        config(2).external(true),
    ] {
        let (mut world, mut host) = (world(), Host::default());
        host.up(&mut world, plain(1)).unwrap();
        let vx1 = host.create(&mut world, new(other)).unwrap();
        let before = picture(&world);
        let refused = host.open(&mut world, vx1).unwrap_err();
        assert_eq!(refused, Error::PortInUse);
        assert_eq!(
            (refused.errno(), refused.message()),
            (Errno::EADDRINUSE, None)
        );
        assert_eq!(picture(&world), before);
        assert!(!world.device(vx1).unwrap().device().is_up());
    }
}

/// M-23: sockets that are being opened or closed cannot be shared.
#[test]
fn m23_busy_socket() {
    let (mut world, mut host) = (world(), Host::default());
    let vx0 = host.create(&mut world, plain(1)).unwrap();
    let vx1 = host.create(&mut world, plain(2)).unwrap();
    let nobody = |_, _| {};
    let mut opening = world.open(vx0, None, Instant::ZERO).unwrap();
    while let Some(action) = world.next(&mut opening, nobody) {
        let busy = host.open(&mut world, vx1).unwrap_err();
        assert_eq!((busy, busy.errno()), (Error::SocketBusy, Errno::EBUSY));
        let result = host.perform(&action);
        world.report(&mut opening, result);
    }
    let mut stopping = world.stop(vx0).unwrap();
    let mut steps = 0;
    while let Some(action) = world.next(&mut stopping, nobody) {
        assert_eq!(host.open(&mut world, vx1), Err(Error::SocketBusy));
        let result = host.perform(&action);
        world.report(&mut stopping, result);
        steps += 1;
    }
    assert_eq!(steps, 2, "withdrawn, closed");
    assert_eq!(host.open(&mut world, vx1), Ok(()));
}

/// M-23: with `no_share` a device looks for no socket to share.
#[test]
fn m23_no_share() {
    let (mut world, mut host) = (world(), Host::default());
    host.up(&mut world, plain(1)).unwrap();
    let mut alone = plain(2);
    alone.no_share = true;
    let vx1 = host.create(&mut world, alone).unwrap();
    assert_eq!(host.open(&mut world, vx1), Err(Error::PortInUse));
    // In a routing domain of its own it has one.
    let (mut world, mut host) = (super::host::world(), Host::default());
    let vrf = |index| Lower {
        l3_master: Some(eth(index)),
        ..Lower::ethernet(eth(10))
    };
    for (id, master) in [(1, 100), (2, 101)] {
        let mut alone = super::host::with(config(id).lower(Some(eth(10))));
        alone.no_share = true;
        let device = host.create(&mut world, alone).unwrap();
        let task = world
            .open(device, Some(&vrf(master)), Instant::ZERO)
            .unwrap();
        assert_eq!(host.run(&mut world, task), Ok(()));
    }
    assert_eq!(world.sockets().count(), 2);
}

/// M-15: the same VNI, family, port and receive flags is taken; with any difference it is not.
#[test]
fn m15_duplicate_vni() {
    for (name, other, taken) in [
        ("same", config(1), true),
        (
            "other addresses",
            config(1).remote([192, 0, 2, 7].into()),
            true,
        ),
        ("other transmit flags", config(1).udp_checksum(false), true),
        ("other lower", config(1).lower(Some(eth(10))), true),
        ("other VNI", config(2), false),
        ("other port", config(1).port(4790), false),
        ("other receive flags", config(1).gbp(true), false),
    ] {
        for up in [true, false] {
            let (mut world, mut host) = (world(), Host::default());
            let vx0 = host.create(&mut world, plain(1)).unwrap();
            if up {
                host.open(&mut world, vx0).unwrap();
            }
            let before = picture(&world);
            let made = host.create(&mut world, super::host::with(other.clone()));
            if taken {
                assert_eq!(made, Err(Error::VniInUse), "{name}");
                assert_eq!(picture(&world), before, "{name}");
            } else {
                assert!(made.is_ok(), "{name}");
            }
        }
    }
    assert_eq!(Error::VniInUse.errno(), Errno::EEXIST);
}

/// M-15 in Linux 4.1 and 4.2: only devices that are up have their VNI.
#[test]
fn m15_old_driver() {
    let mut compat = vxlan_core::Compat::LINUX_4_3;
    compat.down_devices_own_vni = false;
    let (mut world, mut host) = (world(), Host::default());
    let vx0 = host
        .create(&mut world, new(config(1).compat(compat)))
        .unwrap();
    let vx1 = host
        .create(&mut world, new(config(1).compat(compat)))
        .unwrap();
    host.open(&mut world, vx0).unwrap();
    let third = host.create(&mut world, new(config(1).compat(compat)));
    assert_eq!(third, Err(Error::VniInUse));
    host.open(&mut world, vx1).unwrap();
}

/// a socket that no device is on any more, or not yet, drops what comes.
#[test]
fn r04_socket_without_device() {
    let (mut world, mut host) = (world(), Host::default());
    let vx0 = host.create(&mut world, plain(1)).unwrap();
    let ours = [8, 0, 0, 0, 0, 0, 1, 0];
    let mut opening = world.open(vx0, None, Instant::ZERO).unwrap();
    while let Some(action) = world.next(&mut opening, |_, _| {}) {
        for (socket, _) in world.sockets() {
            let dropped = world.demultiplex(socket, &ours, None);
            assert_eq!(dropped, Err(vxlan_core::DropReason::VniNotFound));
        }
        let result = host.perform(&action);
        world.report(&mut opening, result);
    }
    let (socket, _) = world.sockets().next().unwrap();
    assert_eq!(world.demultiplex(socket, &ours, None), Ok(vx0));
    let mut stopping = world.stop(vx0).unwrap();
    while let Some(action) = world.next(&mut stopping, |_, _| {}) {
        let dropped = world.demultiplex(socket, &ours, None);
        assert_eq!(dropped, Err(vxlan_core::DropReason::VniNotFound));
        let result = host.perform(&action);
        world.report(&mut stopping, result);
    }
}

/// M-04: two worlds share nothing.
#[test]
fn m04_two_worlds() {
    let (mut one, mut two) = (world(), world());
    let (mut host_one, mut host_two) = (Host::default(), Host::default());
    let first = host_one.up(&mut one, plain(1)).unwrap();
    let before = picture(&one);
    let second = host_two.up(&mut two, plain(1)).unwrap();
    host_two.delete(&mut two, second).unwrap();
    assert_eq!(picture(&one), before);
    assert!(one.device(first).is_some() && two.device(second).is_none());
}

/// M-23: nor can a group be joined that the host has just been asked to leave. One that it has just
/// been asked to join is not left.
#[test]
fn m23_group_in_between() {
    use super::host::grouped;
    use vxlan_core::world::Action;

    let (mut world, mut host) = (world(), Host::default());
    let nobody = |_, _| {};
    let vx0 = host.up(&mut world, grouped(1, "239.0.0.1")).unwrap();
    let vx1 = host.create(&mut world, grouped(2, "239.0.0.1")).unwrap();
    // Something that keeps the socket.
    host.up(&mut world, plain(3)).unwrap();
    let mut leaving = world.stop(vx0).unwrap();
    let action = world.next(&mut leaving, nobody).unwrap();
    assert!(matches!(action, Action::Leave { .. }));
    assert_eq!(host.open(&mut world, vx1), Err(Error::SocketBusy));
    let result = host.perform(&action);
    world.report(&mut leaving, result);
    host.run(&mut world, leaving).unwrap();

    host.open(&mut world, vx0).unwrap();
    let mut joining = world.open(vx1, None, Instant::ZERO).unwrap();
    let action = world.next(&mut joining, nobody).unwrap();
    assert!(matches!(action, Action::Join { .. }));
    host.stop(&mut world, vx0).unwrap();
    assert_eq!(host.kept.groups.len(), 1);
    let result = host.perform(&action);
    world.report(&mut joining, result);
    host.run(&mut world, joining).unwrap();
    assert_eq!(host.kept.groups.len(), 1);
    host.stop(&mut world, vx1).unwrap();
    assert!(host.kept.groups.is_empty());
}
