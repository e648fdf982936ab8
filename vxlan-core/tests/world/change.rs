//! Devices change while they are up.

use vxlan_core::world::{Error, Lower, NewDevice};
use vxlan_core::{Config, ConfigChange, ConfigError, DropReason, Instant};

use super::host::{Host, Small, eth, grouped, ip, mac, picture, vni, world};

/// A link-local device, which hears one interface only.
fn link_local(index: u32) -> NewDevice {
    let config = Config::new(vni(1))
        .local(ip("fe80::1"))
        .port(4789)
        .lower(Some(eth(index)));
    let mut new = NewDevice::new(config, mac(1));
    new.lower = Some(Lower::ethernet(eth(index)));
    new
}

fn to_interface(
    world: &mut Small,
    host: &mut Host,
    id: vxlan_core::world::DeviceId,
    index: u32,
) -> Result<(), Error> {
    let change = ConfigChange::new().lower(Some(eth(index)));
    let lower = Lower::ethernet(eth(index));
    let task = world.change(id, &change, Some(lower), Instant::ZERO)?;
    host.run(world, task)
}

/// M-15: link-local devices have one VNI side by side, each on its interface, and none can move to
/// that of another. One that moves hears the new interface at once.
#[test]
fn m15_link_local_devices_move() {
    let (mut world, mut host) = (world(), Host::default());
    let vx0 = host.up(&mut world, link_local(10)).unwrap();
    let vx1 = host.up(&mut world, link_local(11)).unwrap();
    assert_eq!(
        host.create(&mut world, link_local(10)),
        Err(Error::VniInUse)
    );
    let before = picture(&world);
    let moved = to_interface(&mut world, &mut host, vx0, 11);
    assert_eq!(moved, Err(Error::VniInUse));
    assert_eq!(picture(&world), before);

    let (socket, _) = world.sockets().next().unwrap();
    let payload = [8, 0, 0, 0, 0, 0, 1, 0];
    let heard = |world: &Small, index| world.demultiplex(socket, &payload, Some(eth(index)));
    assert_eq!((heard(&world, 10), heard(&world, 11)), (Ok(vx0), Ok(vx1)));
    to_interface(&mut world, &mut host, vx0, 12).unwrap();
    assert_eq!((heard(&world, 12), heard(&world, 11)), (Ok(vx0), Ok(vx1)));
    assert_eq!(heard(&world, 10), Err(DropReason::VniNotFound));
}

/// A device that lost its place while the host was asked: the interface is put back.
#[test]
fn lesson_change_overtaken() {
    let (mut world, mut host) = (world(), Host::default());
    let vx0 = host.up(&mut world, link_local(10)).unwrap();
    let change = ConfigChange::new().lower(Some(eth(11)));
    let lower = Some(Lower::ethernet(eth(11)));
    let mut task = world.change(vx0, &change, lower, Instant::ZERO).unwrap();
    let action = world.next(&mut task, |_, _| {}).unwrap();
    host.up(&mut world, link_local(11)).unwrap();
    host.done();
    let result = host.perform(&action);
    world.report(&mut task, result);
    assert_eq!(host.run(&mut world, task), Err(Error::VniInUse));
    assert_eq!(host.done(), ["link", "link"], "there and back");
    assert_eq!(host.kept.above[&vx0], eth(10));
    let config = world.device(vx0).unwrap().device().config();
    assert_eq!(config.lower(), Some(eth(10)));
    assert!(!world.device(vx0).unwrap().is_busy());
}

/// What is refused at once, in the kernel's order, changes nothing.
#[test]
fn lesson_refused_change() {
    let (mut world, mut host) = (world(), Host::default());
    let vx0 = host.up(&mut world, grouped(1, "239.0.0.1")).unwrap();
    let before = picture(&world);
    let here = Some(Lower::ethernet(eth(12)));
    for (change, lower, want) in [
        (
            ConfigChange::new().vni(vni(2)).lower(Some(eth(12))),
            None,
            Error::Config(ConfigError::VniFixed),
        ),
        (
            ConfigChange::new()
                .local(ip("239.0.0.9"))
                .lower(Some(eth(12))),
            here,
            Error::Config(ConfigError::LocalMulticast),
        ),
        (
            ConfigChange::new().lower(Some(eth(12))),
            None,
            Error::NoLower,
        ),
    ] {
        let refused = world.change(vx0, &change, lower, Instant::ZERO);
        assert_eq!(refused.err(), Some(want));
        assert_eq!(picture(&world), before);
    }
}

/// The MTU is cut to what a new lower interface can carry; headroom follows.
#[test]
fn m13_mtu_after_a_change() {
    let (mut world, mut host) = (world(), Host::default());
    let vx0 = host.up(&mut world, grouped(1, "239.0.0.1")).unwrap();
    let change = ConfigChange::new().lower(Some(eth(12)));
    let lower = Lower {
        mtu: 1400,
        needed_headroom: 16,
        ..Lower::ethernet(eth(12))
    };
    let task = world
        .change(vx0, &change, Some(lower), Instant::ZERO)
        .unwrap();
    host.run(&mut world, task).unwrap();
    let netdev = world.device(vx0).unwrap();
    assert_eq!((netdev.mtu(), netdev.headroom()), (1350, 14 + 16 + 50));
    // Back to a wider one: it stays.
    let task = world.change(
        vx0,
        &ConfigChange::new().lower(Some(eth(10))),
        Some(Lower::ethernet(eth(10))),
        Instant::ZERO,
    );
    host.run(&mut world, task.unwrap()).unwrap();
    assert_eq!(world.device(vx0).unwrap().mtu(), 1350);
}
