//! What a new device is like.

use std::net::IpAddr;

use vxlan_core::fdb::{Destination, Flags, State};
use vxlan_core::world::{Errno, Error, Lower, NewDevice, Setup};
use vxlan_core::{
    Compat, Config, ConfigError, Event, Instant, Mac, PortRange, Stats, Vni, Worker, fdb,
};

use super::host::{Host, config, eth, ip, mac, picture, plain, vni, with, world};

/// M-06: a MAC address that is no station's is refused, also for a device that exists.
/// M-20: so no device has one when it goes up.
#[test]
fn m06_m20_mac() {
    for bad in [Mac::ZERO, Mac::BROADCAST, Mac::new([1, 0, 0, 0, 0, 1])] {
        let (mut world, mut host) = (world(), Host::default());
        let refused = host.create(&mut world, NewDevice::new(config(1), bad));
        let error = refused.unwrap_err();
        assert_eq!(error, Error::Config(ConfigError::InvalidMac));
        assert_eq!(error.errno(), Errno::EADDRNOTAVAIL);
        assert_eq!(world.devices().count(), 0);

        let vx0 = host.create(&mut world, plain(1)).unwrap();
        let error = world.set_mac(vx0, bad).unwrap_err();
        assert_eq!(
            (error.errno(), error.message()),
            (Errno::EADDRNOTAVAIL, None)
        );
        assert_eq!(world.device(vx0).unwrap().device().mac(), mac(1));
        world.set_mac(vx0, mac(9)).unwrap();
        assert_eq!(world.device(vx0).unwrap().device().mac(), mac(9));
    }
}

/// M-08: the highest VNI of each driver.
#[test]
fn m08_highest_vni() {
    for (compat, highest) in [
        (Compat::LINUX_6, 0xff_ffff),
        (Compat::LINUX_4_3, 0xff_fffe),
        (Compat::RFC_7348, 0xff_ffff),
    ] {
        for id in [0, 0xff_fffe, 0xff_ffff] {
            let (mut world, mut host) = (world(), Host::default());
            let new = with(config(id).compat(compat));
            let made = host.create(&mut world, new).map(drop);
            let want = match id > highest {
                true => Err(Errno::new(34)),
                false => Ok(()),
            };
            assert_eq!(made.map_err(|error| error.errno()), want, "{id:#x}");
        }
    }
    assert_eq!(
        Vni::new(0x100_0000),
        None,
        "no device can even be asked for"
    );
}

/// M-09: a range of source ports that ends before it begins does not exist; one port is one.
#[test]
fn m09_port_range() {
    assert_eq!(PortRange::new(2000, 1999), None);
    assert!(PortRange::new(2000, 2000).is_some());
    assert!(PortRange::new(2000, 2001).is_some());
}

/// M-10: the interface as it is made.
#[test]
fn m10_setup() {
    let gpe = Config::new(vni(1)).gpe(true).external(true).learning(false);
    let v6 = Config::new(vni(1)).local(ip("2001:db8::1"));
    for (name, config, port, flags, header, headroom) in [
        ("IPv4", Config::new(vni(1)), 8472, 0x1002, 14, 14 + 50),
        ("IPv6", v6, 8472, 0x1002, 14, 14 + 70),
        ("GPE", gpe, 4790, 0x1090, 0, 14 + 56),
    ] {
        let (mut world, mut host) = (world(), Host::default());
        let vx0 = host.create(&mut world, with(config)).unwrap();
        let netdev = world.device(vx0).unwrap();
        let config = netdev.device().config();
        let setup = Setup::of(config);
        assert_eq!((config.port(), setup.flags), (port, flags), "{name}");
        assert_eq!((setup.header_len, setup.queue_len), (header, 0), "{name}");
        assert_eq!((setup.min_mtu, setup.max_mtu), (68, 65535), "{name}");
        assert_eq!(
            (netdev.headroom(), netdev.mtu()),
            (headroom, 1500),
            "{name}"
        );
        assert_eq!(setup.kind, if header == 0 { 0xfffe } else { 1 }, "{name}");
        assert!(netdev.device().fdb().is_empty(), "{name}");
        assert_eq!(netdev.next_sweep(), None, "{name}: the timer rests");
        assert!(!netdev.device().is_up(), "{name}");
    }
    // Whatever the random numbers are: locally administered, one station.
    for first in 0..=u8::MAX {
        let made = Mac::local([first, 1, 2, 3, 4, 5]);
        assert!(made.is_unicast() && made.octets()[0] & 2 != 0);
        assert_eq!(made.octets()[1..], [1, 2, 3, 4, 5]);
    }
}

/// M-12: IPv6 where there is none.
#[test]
fn m12_no_ipv6() {
    let mut world = world().without_ipv6();
    let mut host = Host::default();
    let v6 = Config::new(vni(1)).local(ip("2001:db8::1"));
    let error = host.create(&mut world, with(v6)).unwrap_err();
    assert_eq!((error, error.errno()), (Error::NoIpv6, Errno::EPFNOSUPPORT));
    assert!(host.create(&mut world, plain(1)).is_ok());
}

/// M-13: the lower interface has to be there and to speak IPv6.
#[test]
fn m13_lower_interface() {
    let v4 = config(1).lower(Some(eth(10)));
    let v6 = Config::new(vni(1))
        .local(ip("2001:db8::1"))
        .lower(Some(eth(10)));
    let here = Lower::ethernet(eth(10));
    let other = Lower::ethernet(eth(11));
    let mute = Lower {
        ipv6: false,
        ..here
    };
    for (name, config, lower, want) in [
        ("there", &v4, Some(here), Ok(())),
        ("gone", &v4, None, Err((Error::NoLower, Errno::ENODEV))),
        (
            "another",
            &v4,
            Some(other),
            Err((Error::NoLower, Errno::ENODEV)),
        ),
        ("IPv4 alone", &v4, Some(mute), Ok(())),
        ("IPv6", &v6, Some(here), Ok(())),
        (
            "IPv6 off",
            &v6,
            Some(mute),
            Err((Error::LowerWithoutIpv6, Errno::EPERM)),
        ),
    ] {
        let (mut world, mut host) = (world(), Host::default());
        let mut new = NewDevice::new(config.clone(), mac(1));
        new.lower = lower;
        let made = host.create(&mut world, new).map(drop);
        assert_eq!(made.map_err(|error| (error, error.errno())), want, "{name}");
        assert_eq!(world.devices().count(), usize::from(want.is_ok()), "{name}");
    }
}

/// M-13: MTU and headroom follow from the lower interface.
#[test]
fn m13_mtu_and_headroom() {
    let old = Compat::LINUX_4_3;
    let v6 = || Config::new(vni(1)).local(ip("2001:db8::1"));
    let gpe = Config::new(vni(1)).gpe(true).external(true).learning(false);
    for (name, config, mtu, asked, want, headroom) in [
        ("IPv4", config(1), 1500, None, 1450, 14 + 50 + 2),
        ("IPv6", v6(), 1500, None, 1430, 14 + 70 + 2),
        (
            "external",
            config(1).external(true),
            1500,
            None,
            1450,
            14 + 70 + 2,
        ),
        ("GPE", gpe, 1500, None, 1464, 14 + 56 + 2),
        ("low", config(1), 100, None, 68, 14 + 50 + 2),
        ("asked", config(1), 1500, Some(1400), 1400, 14 + 50 + 2),
        ("cut", config(1), 1500, Some(9000), 1450, 14 + 50 + 2),
        ("old", config(1).compat(old), 1500, None, 1450, 14 + 50),
        (
            "old, uncut",
            config(1).compat(old),
            1500,
            Some(9000),
            9000,
            14 + 50,
        ),
        (
            "old, unchecked",
            config(1).compat(old),
            1500,
            Some(40),
            40,
            14 + 50,
        ),
    ] {
        let (mut world, mut host) = (world(), Host::default());
        let mut new = NewDevice::new(config.lower(Some(eth(10))), mac(1));
        new.mtu = asked;
        new.lower = Some(Lower {
            mtu,
            needed_headroom: 2,
            needed_tailroom: 3,
            ..Lower::ethernet(eth(10))
        });
        let vx0 = host.create(&mut world, new).unwrap();
        let netdev = world.device(vx0).unwrap();
        assert_eq!(
            (netdev.mtu(), netdev.headroom()),
            (want, headroom),
            "{name}"
        );
        assert_eq!(netdev.tailroom(), 3, "{name}");
    }
}

/// The MTU of a device that exists (`vxlan_change_mtu()`), and of one that does not yet.
#[test]
fn m13_change_mtu() {
    let lower = Lower::ethernet(eth(10));
    let above = || with(config(1).lower(Some(eth(10))));
    let old = |mut new: NewDevice| {
        new.config = new.config.compat(Compat::LINUX_4_3);
        new
    };
    let low = Err(Error::MtuTooSmall);
    let high = Err(Error::MtuTooLarge);
    let lower_says = Err(Error::MtuAboveLower);
    for (name, new, cases) in [
        (
            "alone",
            plain(1),
            [(67, low), (68, Ok(())), (65535, Ok(())), (65536, high)],
        ),
        (
            "above",
            above(),
            [(67, low), (68, Ok(())), (1450, Ok(())), (1451, lower_says)],
        ),
        (
            "old",
            old(plain(1)),
            [
                (67, low),
                (68, Ok(())),
                (65485, Ok(())),
                (65486, lower_says),
            ],
        ),
        (
            "old, above",
            old(above()),
            [(67, low), (68, Ok(())), (1450, Ok(())), (1451, lower_says)],
        ),
    ] {
        let (mut world, mut host) = (world(), Host::default());
        let vx0 = host.create(&mut world, new).unwrap();
        for (mtu, want) in cases {
            let before = picture(&world);
            assert_eq!(world.set_mtu(vx0, mtu, Some(&lower)), want, "{name} {mtu}");
            match want {
                Ok(()) => assert_eq!(world.device(vx0).unwrap().mtu(), mtu, "{name}"),
                Err(_) => assert_eq!(picture(&world), before, "{name}"),
            }
        }
    }
    for mtu in [67, 65536] {
        let (mut world, mut host) = (world(), Host::default());
        let mut new = plain(1);
        new.mtu = Some(mtu);
        assert_eq!(host.create(&mut world, new), Err(Error::NewMtu));
    }
}

/// M-16: the default entry exists only with a default remote, and is told.
#[test]
fn m16_default_entry() {
    let group = with(
        Config::new(vni(7))
            .remote([239, 0, 0, 1].into())
            .lower(Some(eth(10)))
            .port(4789),
    );
    let mut world = world();
    let mut told = Vec::new();
    let task = world
        .create(group, fdb::Growable::new(), Instant::ZERO)
        .unwrap();
    let vx0 = task.device().unwrap();
    let tell = |id, event| told.push((id, event));
    world.run(task, |_, _| Ok(()), tell).unwrap();
    let records: Vec<_> = world.device(vx0).unwrap().device().fdb().iter().collect();
    let [record] = records[..] else {
        panic!("{records:?}");
    };
    assert_eq!(record.key.mac, Mac::ZERO);
    assert_eq!(record.state, State::REACHABLE | State::PERMANENT);
    assert_eq!(record.flags, Flags::SELF);
    let Destination::Remote(remote) = record.destination else {
        panic!("{record:?}");
    };
    assert_eq!(remote.addr, IpAddr::from([239, 0, 0, 1]));
    assert_eq!((remote.port, remote.vni), (4789, 7));
    assert_eq!(remote.ifindex, Some(eth(10)));
    assert_eq!(told, [(vx0, Event::Changed(record))]);

    // No remote, or one that is none.
    for config in [config(1), config(1).remote([0; 4].into())] {
        let (mut world, mut host) = (super::host::world(), Host::default());
        let vx0 = host.create(&mut world, with(config)).unwrap();
        assert!(world.device(vx0).unwrap().device().fdb().is_empty());
    }
}

/// M-19: nothing has been counted yet.
#[test]
fn m19_counters() {
    let worker = Worker::new(Instant::ZERO);
    assert_eq!(worker.stats, Stats::default());
    assert!(worker.stats.named().iter().all(|(_, count)| *count == 0));
}
