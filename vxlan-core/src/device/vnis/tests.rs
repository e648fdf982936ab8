use super::*;
use crate::fdb::{Fixed, Record};
use crate::vni_filter::{Full, Slot, WithVnis};
use crate::{Config, ConfigChange, IfIndex, Vni, fdb};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use proptest::prelude::*;

type Small = Device<WithVnis<Fixed<64, 64, 64>, [Slot; 8]>>;

fn peer(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

fn group(last: u8) -> IpAddr {
    IpAddr::from([239, 0, 0, last])
}

fn filter() -> Config {
    Config::new(Vni::MIN).external(true).vni_filter(true)
}

fn device(config: Config) -> Small {
    let storage = WithVnis::new(Fixed::new(), [const { Slot::EMPTY }; 8]);
    let mac = Mac::new([2, 0, 0, 0, 0, 1]);
    Device::new(config, mac, storage, Instant::ZERO).unwrap()
}

fn add(device: &mut Small, vni: u32, group: Option<IpAddr>) -> Result<VniChanged, Error> {
    device.add_vni(Instant::ZERO, vni, group, false)
}

fn remotes(device: &Small, vni: u32) -> Vec<IpAddr> {
    let entry = device.fdb().find(&Small::vni_entry(vni));
    let remotes = entry.into_iter().flat_map(|entry| entry.remotes());
    remotes.map(|remote| remote.addr).collect()
}

/// The checks in the kernel's order: filter, VNI, interface, other devices, room.
#[test]
fn the_first_fault_is_named() {
    let everything = Request {
        start: None,
        end: None,
        group: Some(group(1)),
    };
    let named = Request {
        start: Some(7),
        ..everything
    };
    let plain = device(Config::new(Vni::MIN));
    assert_eq!(plain.vni_range(&everything), Err(Error::NoFilter));
    let mut listed = device(filter());
    assert_eq!(listed.vni_range(&everything), Err(Error::NoVni));
    assert_eq!(listed.vni_range(&named), Err(Error::GroupWithoutLower));
    let lower = device(filter().lower(IfIndex::new(10)));
    assert_eq!(lower.vni_range(&named), Ok(7..=7));
    for vni in 0..8 {
        add(&mut listed, vni, None).unwrap();
    }
    let in_use = listed.add_vni(Instant::ZERO, 8, None, true);
    assert_eq!(in_use, Err(Error::InUse));
    let full = Error::Full(Full { capacity: 8 });
    assert_eq!(add(&mut listed, 8, None), Err(full));
    assert_eq!(listed.remove_vni(8), Err(Error::NotFound));
    for (error, errno, message) in [
        (Error::NoFilter, 95, None),
        (Error::NotFound, 2, None),
        (Error::InUse, 17, Some("VNI in use")),
        (full, 12, None),
        (fdb::Error::LimitReached.into(), 28, None),
    ] {
        assert_eq!((error.errno(), error.message()), (errno, message));
    }
}

/// What Linux 6.18 tells `bridge monitor vni` about, seen live: not of a VNI that is there and
/// stays without remote, but of one that is given again what it has.
#[test]
fn what_is_told() {
    let mut own = device(filter());
    let mut shared = device(filter().remote(peer(9)));
    let three = Some(peer(3));
    for (name, group, of_own, of_shared) in [
        ("new", None, true, true),
        ("again", None, false, true),
        ("a remote", three, true, true),
        ("the same", three, true, true),
        ("taken away", None, true, true),
        ("nothing to take", None, false, true),
    ] {
        for (device, told) in [(&mut own, of_own), (&mut shared, of_shared)] {
            let changed = add(device, 7, group).unwrap();
            let event = VniEvent::Changed { vni: 7, group };
            assert_eq!(changed.event, told.then_some(event), "{name}");
        }
    }
    assert!(remotes(&own, 7).is_empty());
    assert_eq!(remotes(&shared, 7), [peer(9), peer(3)], "the old one stays");
    shared.remove_vni(7).unwrap();
    assert_eq!(remotes(&shared, 7), [peer(3)], "as in Linux");
}

/// M-15, seen live: a VNI whose default entry cannot be made is in the filter all the same.
#[test]
fn m15_no_room_for_the_default_entry() {
    let mut small = device(filter().limit(core::num::NonZeroU32::new(1)));
    let changed = add(&mut small, 5, Some(peer(5))).unwrap();
    assert_eq!(changed.failure, None);
    small.set_up(true);
    let changed = add(&mut small, 6, Some(peer(5))).unwrap();
    let limit = Error::Fdb(fdb::Error::LimitReached);
    assert_eq!((changed.failure, changed.event), (Some(limit), None));
    assert!(changed.attach && changed.join.is_none());
    assert_eq!(small.vnis().find(6).unwrap().group(), None);
    assert_eq!(add(&mut small, 6, Some(peer(9))), Err(limit));
}

/// M-15: a device with a filter is in the way of those that want a VNI of its list, whatever its
/// own VNI; the lists of two devices must differ.
#[test]
fn m15_who_is_in_the_way() {
    let mut listed = device(filter().port(4789));
    add(&mut listed, 7, None).unwrap();
    let other = |config: Config| config.port(4789).validate().unwrap();
    let same = other(filter());
    let port = filter().port(4790).validate().unwrap();
    let external = other(Config::new(Vni::MIN).external(true));
    let ipv6 = other(filter().local(IpAddr::from([0xfd; 16])));
    for (name, vni, new, want) in [
        ("in the list", 7_u32, &same, true),
        ("not in it", 8, &same, false),
        ("its own VNI", 0, &same, false),
        ("another port", 7, &port, false),
        ("no filter", 7, &external, false),
        ("another family", 7, &ipv6, false),
    ] {
        assert_eq!(listed.occupies(vni, new), want, "{name}");
    }
    let plain = device(Config::new(Vni::MIN).external(true).port(4789));
    assert!(plain.occupies(Vni::MIN, &external));
    assert!(!plain.occupies(Vni::MIN, &same));
}

/// Groups of a device that is up: joined and left one by one, all of them with the device.
#[test]
fn groups_come_and_go_with_their_vnis() {
    let ten = IfIndex::new(10).unwrap();
    let at = |last| {
        Some(Group {
            address: group(last),
            ifindex: Some(ten),
        })
    };
    let mut device = device(filter().remote(group(1)).lower(Some(ten)));
    let changed = add(&mut device, 1, Some(group(2))).unwrap();
    assert_eq!((changed.attach, changed.join), (false, None), "still down");
    device.set_up(true);
    for (vni, own, leave, join) in [
        (1, Some(group(2)), at(2), at(2)),
        (2, None, None, None),
        (3, Some(group(1)), None, at(1)),
        (1, Some(group(3)), at(2), at(3)),
        (1, Some(peer(1)), at(3), None),
        (1, None, None, None),
        (1, Some(group(4)), None, at(4)),
    ] {
        let changed = add(&mut device, vni, own).unwrap();
        assert_eq!(
            (changed.leave, changed.join),
            (leave, join),
            "{vni} {own:?}"
        );
    }
    assert!(device.groups().eq(at(1).into_iter().chain(at(4))));
    let changed = device.remove_vni(3).unwrap();
    assert!(changed.detach && changed.leave == at(1));
    let changed = device.remove_vni(2).unwrap();
    assert!(changed.detach && changed.leave.is_none());
}

/// A change of the default remote reaches the VNIs without one of their own, in order.
#[test]
fn changelink_moves_the_vnis_that_follow() {
    let mut device = device(filter().remote(peer(1)));
    add(&mut device, 20, None).unwrap();
    add(&mut device, 21, Some(peer(4))).unwrap();
    add(&mut device, 22, None).unwrap();
    let mut told = Vec::new();
    let to = |last| ConfigChange::new().remote(peer(last));
    let mut tell = |event: Event| match event {
        Event::Changed(record) => told.push((true, record.key.vni)),
        Event::Removed(record) => told.push((false, record.key.vni)),
        other => panic!("{other:?}"),
    };
    device.change(Instant::ZERO, &to(2), &mut tell).unwrap();
    let each = |vni| [(true, vni), (false, vni)];
    assert_eq!(told, [each(0), each(20), each(22)].concat());
    for (vni, want) in [(20, 2), (21, 4), (22, 2)] {
        assert_eq!(remotes(&device, vni), [peer(want)]);
    }
    let none = ConfigChange::new().remote(IpAddr::from([0; 4]));
    device.change(Instant::ZERO, &none, drop).unwrap();
    assert_eq!(
        (remotes(&device, 20), remotes(&device, 22)),
        (Vec::new(), Vec::new())
    );
}

#[derive(Clone, Debug)]
enum Act {
    Add(u32, Option<u8>),
    Remove(u32),
    Learn(u32, u8),
    Append(u32, u8),
    Age(u64),
    Default(u8),
}

fn act() -> impl Strategy<Value = Act> {
    let vni = || 0_u32..6;
    prop_oneof![
        (vni(), prop::option::of(1_u8..4)).prop_map(|(vni, own)| Act::Add(vni, own)),
        vni().prop_map(Act::Remove),
        (vni(), 1_u8..4).prop_map(|(vni, mac)| Act::Learn(vni, mac)),
        (vni(), 100_u8..104).prop_map(|(vni, last)| Act::Append(vni, last)),
        (0_u64..700).prop_map(Act::Age),
        (0_u8..4).prop_map(Act::Default),
    ]
}

proptest! {
    /// CVE-2025-37921: deleting a VNI raced with everything else that works on the FDB. In
    /// whatever order, it takes what the filter made for this VNI, spares every entry of other
    /// VNIs, and leaves no default entry of a VNI that is in no list, except for what an
    /// operator or an earlier group has put there.
    #[test]
    fn lesson_vni_delete_takes_its_entry_and_no_other(
        acts in prop::collection::vec(act(), 0..40),
    ) {
        let mut device = device(filter());
        // What the default entry of each VNI holds besides the filter's own remote.
        let mut left: BTreeMap<u32, Vec<IpAddr>> = BTreeMap::new();
        let mut now = Instant::ZERO;
        for act in acts {
            let others = |device: &Small, vni| -> Vec<Record> {
                let records = device.fdb().iter();
                records.filter(|record| record.key.vni != vni).collect()
            };
            match act {
                Act::Add(vni, own) => {
                    let before = device.vnis().find(vni).and_then(|entry| entry.group());
                    let own = own.map(peer);
                    let spared = others(&device, vni);
                    device.add_vni(now, vni, own, false).unwrap();
                    prop_assert_eq!(others(&device, vni), spared);
                    let stays = left.entry(vni).or_default();
                    let replaced = own.is_some() || device.default_address().is_some();
                    let old = before.or(device.default_address()).filter(|_| replaced);
                    stays.extend(old);
                }
                Act::Remove(vni) => {
                    let spared = others(&device, vni);
                    let removed = device.remove_vni(vni);
                    prop_assert_eq!(others(&device, vni), spared);
                    if let Ok(VniChanged { event: Some(VniEvent::Removed { group, .. }), .. }) = removed {
                        let own = group.or(device.default_address());
                        if let Some(own) = own {
                            prop_assert!(!remotes(&device, vni).contains(&own));
                            left.entry(vni).or_default().retain(|addr| *addr != own);
                        }
                    }
                }
                Act::Learn(vni, mac) => {
                    let key = Key { mac: Mac::new([2, 0, 0, 0, 9, mac]), vni };
                    let update = Update {
                        key,
                        state: fdb::State::REACHABLE,
                        mode: Mode::CREATE,
                        ..device.vni_default(vni, device.vni_remote(vni, peer(50)))
                    };
                    device.fdb.update(now, &update).unwrap();
                }
                Act::Append(vni, last) => {
                    let update = device.vni_default(vni, device.vni_remote(vni, peer(last)));
                    device.fdb.update(now, &update).unwrap();
                    left.entry(vni).or_default().push(peer(last));
                }
                Act::Age(seconds) => {
                    now = now + core::time::Duration::from_secs(seconds);
                    device.age(now).for_each(drop);
                }
                Act::Default(last) => {
                    let remote = if last == 0 { IpAddr::from([0; 4]) } else { peer(10 + last) };
                    device.change(now, &ConfigChange::new().remote(remote), drop).unwrap();
                }
            }
            for vni in 1..6 {
                if !device.vnis().contains(vni) {
                    let stays = left.get(&vni).cloned().unwrap_or_default();
                    let found = remotes(&device, vni);
                    prop_assert!(found.iter().all(|addr| stays.contains(addr)), "{} {:?}", vni, found);
                }
            }
        }
    }
}
