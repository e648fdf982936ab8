//! Failures injected at every step leave no trace.

use vxlan_core::world::{Errno, Error, NewDevice, Service};
use vxlan_core::{Config, ConfigChange, Instant, World, fdb};

use super::host::{Host, Small, config, eth, grouped, picture, plain, vni, with, world};

const BROKEN: Errno = Errno::new(5);

/// Runs `request` once for each of its steps, that step failing, and checks that nothing changes;
/// then lets it succeed. Returns how many steps it takes.
fn every_step(
    world: &mut Small,
    host: &mut Host,
    mut request: impl FnMut(&mut Small, &mut Host) -> Result<(), Error>,
) -> usize {
    for step in 0..32 {
        let (before, kept) = (picture(world), host.kept.clone());
        host.fail = Some((step, BROKEN));
        let outcome = request(world, host);
        if host.fail.take().is_some() {
            assert_eq!(outcome, Ok(()));
            return step;
        }
        assert_eq!(outcome, Err(Error::Host(BROKEN)), "step {step}");
        assert_eq!(picture(world), before, "step {step}");
        assert_eq!(host.kept, kept, "step {step}");
    }
    panic!("does not end")
}

fn create(new: NewDevice) -> impl FnMut(&mut Small, &mut Host) -> Result<(), Error> {
    move |world, host| host.create(world, new.clone()).map(drop)
}

/// M-02: services start in order; a failure ends those before, the last first. The same salt and
/// the same calls give the same state.
#[test]
fn m02_start() {
    for (services, steps) in [(Service::LINUX_6, 5), (Service::LINUX_4_3, 4)] {
        let (mut world, mut host) = (world(), Host::default());
        let start = |world: &mut Small, host: &mut Host| {
            let task = world.start(services);
            host.run(world, task)
        };
        assert_eq!(every_step(&mut world, &mut host, start), steps);
        assert_eq!(host.kept.services, services);
        let task = world.exit(|_, _| {}).unwrap();
        host.run(&mut world, task).unwrap();
        assert!(host.kept.services.is_empty());
    }
    let run = || {
        let (mut world, mut host) = (world(), Host::default());
        let vx0 = host.up(&mut world, grouped(1, "239.0.0.1")).unwrap();
        let device = world.device_mut(vx0).unwrap().device_mut();
        let remote = device.remote([192, 0, 2, 9].into());
        device
            .fdb_append(Instant::ZERO, super::host::mac(9), remote)
            .unwrap();
        // The tables' memory included.
        format!("{world:?}")
    };
    assert_eq!(run(), run());
}

/// M-17, M-19: a device that cannot be made leaves nothing behind, its default entry included.
#[test]
fn m17_create() {
    let (mut world, mut host) = (world(), Host::default());
    host.up(&mut world, plain(1)).unwrap();
    assert_eq!(every_step(&mut world, &mut host, create(plain(2))), 1);
    let above = config(3).remote([192, 0, 2, 2].into()).lower(Some(eth(10)));
    assert_eq!(every_step(&mut world, &mut host, create(with(above))), 2);
}

/// M-19: no memory is an error like any other.
#[test]
fn m19_no_memory() {
    use vxlan_core::world::Fixed;
    let memory = Fixed::<fdb::Fixed<1, 1, 1>, 1, 1, 1>::new();
    let mut world = World::new(memory, vxlan_core::Salt::default());
    let perform = |_: &World<_>, _: &_| Ok(());
    let new = |world: &mut World<_>, id| {
        let task = world.create(plain(id), fdb::Fixed::new(), Instant::ZERO)?;
        let device = task.device();
        world.run(task, perform, |_, _| {})?;
        Ok::<_, Error>(device.unwrap())
    };
    let vx0 = new(&mut world, 1).unwrap();
    let full = new(&mut world, 2).unwrap_err();
    assert_eq!((full, full.errno()), (Error::Full, Errno::ENOMEM));
    assert_eq!(world.devices().count(), 1);
    // Two sockets do not fit: what came before is undone.
    let task = world.delete(vx0, |_, _| {}).unwrap();
    world.run(task, perform, |_, _| {}).unwrap();
    let task = world
        .create(
            NewDevice::new(config(1).external(true), super::host::mac(1)),
            fdb::Fixed::new(),
            Instant::ZERO,
        )
        .unwrap();
    let vx0 = task.device().unwrap();
    world.run(task, perform, |_, _| {}).unwrap();
    let task = world.open(vx0, None, Instant::ZERO).unwrap();
    assert_eq!(world.run(task, perform, |_, _| {}), Err(Error::Full));
    assert_eq!(world.sockets().count(), 0);
    assert!(!world.device(vx0).unwrap().is_busy());
}

/// M-21, M-24: a device that cannot go up is down, registered, with its default entry; sockets that
/// were opened for it are closed, groups left.
#[test]
fn m21_open() {
    for (name, new, steps) in [
        ("IPv4", plain(1), 3),
        ("group", grouped(1, "239.0.0.1"), 4),
        ("IPv6 group", grouped(1, "ff05::1"), 4),
        ("both families", with(config(1).external(true)), 6),
        (
            "both families, group",
            with(
                Config::new(vni(1))
                    .remote([239, 0, 0, 1].into())
                    .lower(Some(eth(10)))
                    .external(true),
            ),
            7,
        ),
    ] {
        let (mut world, mut host) = (world(), Host::default());
        let vx0 = host.create(&mut world, new).unwrap();
        let open = |world: &mut Small, host: &mut Host| host.open(world, vx0);
        assert_eq!(every_step(&mut world, &mut host, open), steps, "{name}");
        assert!(world.device(vx0).unwrap().device().is_up());
    }
}

/// M-21: the socket and the groups of others stay as they are.
#[test]
fn m21_open_on_a_shared_socket() {
    let (mut world, mut host) = (world(), Host::default());
    host.up(&mut world, grouped(1, "239.0.0.1")).unwrap();
    let vx1 = host.create(&mut world, grouped(2, "239.0.0.2")).unwrap();
    let open = |world: &mut Small, host: &mut Host| host.open(world, vx1);
    assert_eq!(every_step(&mut world, &mut host, open), 1, "only its group");
    assert_eq!(host.kept.groups.len(), 2);
}

/// A change fails as a whole before the groups; as in Linux it stays if the new group cannot be
/// joined.
#[test]
fn lesson_change_fails_as_a_whole() {
    let (mut world, mut host) = (world(), Host::default());
    let vx0 = host.up(&mut world, grouped(1, "239.0.0.1")).unwrap();
    let change = ConfigChange::new()
        .remote([239, 0, 0, 2].into())
        .lower(Some(eth(12)));
    let lower = vxlan_core::world::Lower::ethernet(eth(12));
    let (before, kept) = (picture(&world), host.kept.clone());
    host.fail = Some((0, BROKEN));
    let task = world
        .change(vx0, &change, Some(lower), Instant::ZERO)
        .unwrap();
    assert_eq!(host.run(&mut world, task), Err(Error::Host(BROKEN)));
    assert_eq!((picture(&world), &host.kept), (before, &kept));
    host.done();

    host.fail = Some((2, BROKEN));
    let task = world
        .change(vx0, &change, Some(lower), Instant::ZERO)
        .unwrap();
    assert_eq!(host.run(&mut world, task), Err(Error::Host(BROKEN)));
    assert_eq!(host.done(), ["link", "leave", "join"]);
    let config = world.device(vx0).unwrap().device().config();
    assert_eq!(config.remote(), std::net::IpAddr::from([239, 0, 0, 2]));
    assert_eq!(host.kept.above[&vx0], eth(12));
    assert!(host.kept.groups.is_empty());
}
