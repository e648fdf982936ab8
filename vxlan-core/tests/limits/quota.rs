//! So many learned entries behind one VTEP, and no more.

use core::num::NonZeroU32;
use core::time::Duration;

use proptest::prelude::*;
use vxlan_core::fdb::{self, Filter, Fixed, Flags, Mode, State, Target, Update};
use vxlan_core::{Config, ConfigChange, Device, DropReason, Ingress, Instant, Unlearned};

use super::*;
use crate::common::{OWN, config, device};

fn quota(count: u32) -> Config {
    config().learn_quota(NonZeroU32::new(count))
}

fn refused(number: u16, through: u8, quota: u32) -> Option<Event> {
    Some(Event::QuotaReached {
        key: key(number),
        remote: vtep(through),
        quota: NonZeroU32::new(quota).unwrap(),
    })
}

/// The third is refused; what is known, other VTEPs and the operator are not.
#[test]
fn one_vtep_cannot_fill_the_table() {
    let mut device = device(quota(2));
    for number in [1, 2] {
        let event = talk(&mut device, 0, number, 9).event();
        assert!(event.as_ref().is_some_and(is_learned), "{event:?}");
    }
    for number in [3, 4] {
        let seen = talk(&mut device, 0, number, 9);
        assert!(seen.delivered(), "as when a device has as many as it may");
        assert_eq!(seen.event(), refused(number, 9, 2));
    }
    assert_eq!(talk(&mut device, 0, 1, 9).event(), None, "known");
    let event = talk(&mut device, 0, 3, 8).event();
    assert!(event.as_ref().is_some_and(is_learned), "{event:?}");
    let remote = device.remote(vtep(9));
    device.fdb_add(Instant::ZERO, station(5), remote).unwrap();
    assert_eq!(device.fdb().learned(vtep(9)), Some(2));
    assert_eq!(place(&device, 4), None);
}

/// Dropped and counted if that is asked for; a frame from a known source passes.
#[test]
fn frames_over_the_quota_are_dropped_on_request() {
    let mut device = device(quota(1).unlearned(Unlearned::Drop));
    assert!(talk(&mut device, 0, 1, 9).delivered());
    let seen = talk(&mut device, 0, 2, 9);
    assert_eq!(
        seen.ingress,
        Ingress::Drop(DropReason::LearnQuota, refused(2, 9, 1))
    );
    assert_eq!(seen.stats.drops(DropReason::LearnQuota), 1);
    assert_eq!(seen.stats.rx_packets, 0);
    assert!(talk(&mut device, 0, 1, 9).delivered());
}

/// A station does not move to where no more fit, and makes room where it leaves.
#[test]
fn moves_count() {
    let mut device = device(quota(2));
    for (number, through) in [(1, 8), (2, 9), (3, 9)] {
        assert!(talk(&mut device, 0, number, through).event().is_some());
    }
    assert_eq!(talk(&mut device, 0, 1, 9).event(), refused(1, 9, 2));
    assert_eq!(place(&device, 1), Some(vtep(8)));
    assert!(matches!(
        talk(&mut device, 0, 3, 8).event(),
        Some(Event::Migrated { .. })
    ));
    assert_eq!(device.fdb().learned(vtep(8)), Some(2));
    assert!(matches!(
        talk(&mut device, 0, 1, 9).event(),
        Some(Event::Migrated { .. })
    ));
    assert_eq!(device.fdb().learned(vtep(9)), Some(2));
}

/// A dynamic entry of a user is moved by traffic, and stays the user's.
#[test]
fn an_entry_of_a_user_moves_past_the_quota() {
    let mut device = device(quota(1));
    assert!(talk(&mut device, 0, 1, 9).event().is_some());
    let update = Update {
        key: key(2),
        state: State::REACHABLE,
        flags: Flags::SELF,
        mode: Mode::CREATE,
        destination: device.remote(vtep(8)).into(),
        limit: 0,
    };
    device.fdb_update(Instant::ZERO, &update).unwrap();
    assert!(matches!(
        talk(&mut device, 0, 2, 9).event(),
        Some(Event::Migrated { .. })
    ));
    assert_eq!(device.fdb().learned(vtep(9)), Some(1));
}

/// Ageing makes room again.
#[test]
fn the_old_make_room() {
    let mut device = device(quota(1));
    assert!(talk(&mut device, 0, 1, 9).event().is_some());
    assert_eq!(talk(&mut device, 0, 2, 9).event(), refused(2, 9, 1));
    let later = 301_000;
    assert_eq!(device.age(Instant::from_millis(later)).count(), 1);
    let event = talk(&mut device, later, 2, 9).event();
    assert!(event.as_ref().is_some_and(is_learned), "{event:?}");
}

/// A quota that comes later counts what is there; a lower one takes nothing away.
#[test]
fn a_quota_may_come_change_and_go() {
    let mut device = device(config());
    for number in 1..=3 {
        assert!(talk(&mut device, 0, number, 9).event().is_some());
    }
    assert_eq!(device.fdb().learned(vtep(9)), None, "nobody counts");
    let mut set = |quota, number| {
        let change = ConfigChange::new().learn_quota(NonZeroU32::new(quota));
        device.change(Instant::ZERO, &change, drop).unwrap();
        (
            talk(&mut device, 0, number, 9).event(),
            device.fdb().learned(vtep(9)),
        )
    };
    assert_eq!(set(2, 4), (refused(4, 9, 2), Some(3)));
    assert_eq!(set(3, 4), (refused(4, 9, 3), Some(3)));
    assert!(matches!(set(4, 4), (Some(Event::Learned(_)), Some(4))));
    assert!(matches!(set(0, 5), (Some(Event::Learned(_)), None)));
}

/// Where there is no room to count, there is no quota, and the device stays as it was.
#[test]
fn no_room_to_count() {
    // Two remotes: that of the default entry, and one that a station is behind.
    let storage = Fixed::<4, 16, 2>::new();
    let mut device = Device::new(config(), OWN, storage, Instant::ZERO).unwrap();
    let update = Update {
        key: key(1),
        state: State::REACHABLE,
        flags: Flags::SELF,
        mode: Mode::CREATE,
        destination: device.remote(vtep(9)).into(),
        limit: 0,
    };
    device.fdb_mut().update(Instant::ZERO, &update).unwrap();
    let before = device.config().clone();
    let change = ConfigChange::new().learn_quota(NonZeroU32::new(7));
    let error = device.change(Instant::ZERO, &change, drop).unwrap_err();
    assert_eq!(error.errno(), 12, "{error}");
    assert_eq!(device.config(), &before);
    assert_eq!(device.fdb().learned(vtep(9)), None);
    assert_eq!(device.fdb_mut().flush(Filter::default()).count(), 2);
    device.change(Instant::ZERO, &change, drop).unwrap();
    assert_eq!(device.fdb().learned(vtep(9)), Some(0));
}

/// What may happen to a table.
#[derive(Clone, Debug)]
enum Act {
    Talk(u16, u8),
    Request(u16, u8, bool, Mode),
    Nexthop(u16),
    Remove(u16),
    Flush(u8),
    Wait(u64),
    Down,
    Quota(u32),
}

fn any_act() -> impl Strategy<Value = Act> {
    let mode = prop::sample::select(vec![
        Mode::CREATE,
        Mode::CREATE | Mode::REPLACE,
        Mode::CREATE | Mode::APPEND,
        Mode::REPLACE,
    ]);
    prop_oneof![
        12 => (0..12u16, 1..4u8).prop_map(|(station, vtep)| Act::Talk(station, vtep)),
        3 => (0..12u16, 1..4u8, any::<bool>(), mode)
            .prop_map(|(station, vtep, lasts, mode)| Act::Request(station, vtep, lasts, mode)),
        1 => (0..12u16).prop_map(Act::Nexthop),
        2 => (0..12u16).prop_map(Act::Remove),
        1 => (1..4u8).prop_map(Act::Flush),
        2 => (0..200_000u64).prop_map(Act::Wait),
        1 => Just(Act::Down),
        1 => (0..4u32).prop_map(Act::Quota),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever happens, the count is what a walk over the table finds, and only a lower quota
    /// leaves more behind a VTEP than it allows.
    #[test]
    fn the_count_is_a_recount(acts in prop::collection::vec(any_act(), 0..80)) {
        let mut device = device(quota(3));
        let mut now = 0;
        let mut most = 3;
        for act in acts {
            let at = Instant::from_millis(now);
            match act.clone() {
                Act::Talk(number, through) => drop(talk(&mut device, now, number, through)),
                Act::Request(number, through, lasts, mode) => {
                    let state = if lasts { State::PERMANENT } else { State::REACHABLE };
                    let update = Update {
                        key: key(number),
                        state,
                        flags: Flags::SELF,
                        mode,
                        destination: device.remote(vtep(through)).into(),
                        limit: 0,
                    };
                    let _refused = device.fdb_update(at, &update);
                }
                Act::Nexthop(number) => {
                    let id = nexthop(7);
                    let update = Update {
                        key: key(number),
                        state: State::REACHABLE,
                        flags: Flags::SELF,
                        mode: Mode::CREATE | Mode::REPLACE,
                        destination: Target::Nexthop { id, validity: Ok(()) },
                        limit: 0,
                    };
                    let _refused = device.fdb_update(at, &update);
                }
                Act::Remove(number) => {
                    let _unknown = device.fdb_remove(station(number), None).map(drop);
                }
                Act::Flush(through) => {
                    let addr = Some(vtep(through));
                    drop(device.fdb_mut().flush(Filter { addr, ..Filter::default() }));
                }
                Act::Wait(millis) => {
                    now += millis;
                    drop(device.age(Instant::from_millis(now)));
                }
                Act::Down => {
                    drop(device.stop());
                    device.set_up(true);
                }
                Act::Quota(quota) => {
                    let change = ConfigChange::new().learn_quota(NonZeroU32::new(quota));
                    device.change(at, &change, drop).unwrap();
                    most = if quota == 0 { u32::MAX } else { most.max(quota) };
                }
            }
            for through in 1..4 {
                let addr = vtep(through);
                let here = |entry: &fdb::Entry<'_>| {
                    let first = entry.first_remote().map(|remote| remote.addr);
                    entry.is_learned() && first == Some(addr)
                };
                let recount = device.fdb().entries().filter(here).count() as u32;
                let counted = device.config().learn_quota().map(|_| recount);
                prop_assert_eq!(device.fdb().learned(addr), counted, "{:?}", act);
                prop_assert!(recount <= most, "{:?}", act);
            }
        }
        prop_assert!(device.config().ageing() == Duration::from_secs(300));
    }
}
