//! So many new sources in a second, and no more.

use core::num::NonZeroU32;

use vxlan_core::device::LearnRate;
use vxlan_core::{Config, ConfigChange, DropReason, Ingress, Instant, Unlearned};

use super::*;
use crate::common::{config, device};

fn rate(per_second: u32, burst: u32) -> LearnRate {
    LearnRate {
        per_second: NonZeroU32::new(per_second).unwrap(),
        burst: NonZeroU32::new(burst).unwrap(),
    }
}

fn limited(per_second: u32, burst: u32) -> Config {
    config().learn_rate(Some(rate(per_second, burst)))
}

fn refused(number: u16, rate: LearnRate) -> Option<Event> {
    Some(Event::LearnRateReached {
        key: key(number),
        remote: vtep(9),
        rate,
    })
}

/// A burst is learned, then one each 500 ms, whatever VTEP they are behind.
#[test]
fn a_flood_of_sources_is_learned_slowly() {
    let mut device = device(limited(2, 3));
    let mut learned = Vec::new();
    for number in 0..30 {
        let now = u64::from(number) * 100;
        let seen = talk(&mut device, now, number, number as u8 % 3);
        assert!(seen.delivered());
        match seen.event() {
            Some(Event::Learned(_)) => learned.push(now),
            Some(Event::LearnRateReached { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(learned, [0, 100, 200, 500, 1000, 1500, 2000, 2500]);
}

/// Who is known talks and moves; only what is new is refused, and dropped if that is asked for.
#[test]
fn the_known_are_spared() {
    let mut device = device(limited(1, 1).unlearned(Unlearned::Drop));
    assert!(talk(&mut device, 0, 1, 9).delivered());
    let seen = talk(&mut device, 0, 2, 9);
    let dropped = Ingress::Drop(DropReason::LearnRate, refused(2, rate(1, 1)));
    assert_eq!(seen.ingress, dropped);
    assert_eq!(
        (
            seen.stats.drops(DropReason::LearnRate),
            seen.stats.rx_dropped
        ),
        (1, 1)
    );
    assert!(talk(&mut device, 0, 1, 9).delivered());
    let moved = talk(&mut device, 0, 1, 8);
    assert!(moved.delivered() && matches!(moved.event(), Some(Event::Migrated { .. })));
    assert!(talk(&mut device, 1_000, 2, 9).delivered());
    assert_eq!(place(&device, 2), Some(vtep(9)));
}

/// What the quota or the device's limit refuses takes no token.
#[test]
fn only_what_is_learned_counts() {
    let one = NonZeroU32::new(1);
    for (name, config) in [
        ("quota", limited(1, 2).learn_quota(one)),
        ("limit", limited(1, 2).limit(NonZeroU32::new(2))),
    ] {
        let mut device = device(config);
        for number in 1..10 {
            let event = talk(&mut device, 0, number, 9).event();
            let rate = matches!(event, Some(Event::LearnRateReached { .. }));
            assert!(event.is_some() && !rate, "{name}: {event:?}");
        }
        drop(device.fdb_remove(station(1), None));
        let event = talk(&mut device, 0, 1, 9).event();
        assert!(event.as_ref().is_some_and(is_learned), "{name}: {event:?}");
    }
}

/// Another rate starts afresh; the same one, given again, does not.
#[test]
fn a_rate_may_come_change_and_go() {
    let mut device = device(config());
    let mut set = |to: Option<LearnRate>, number| {
        let change = ConfigChange::new().learn_rate(to);
        device.change(Instant::ZERO, &change, drop).unwrap();
        [number, number + 1].map(|number| talk(&mut device, 0, number, 9).event())
    };
    let (slow, fast) = (rate(1, 1), rate(2, 1));
    for (to, number, want) in [
        (None, 0, [true, true]),
        (Some(slow), 10, [true, false]),
        (Some(slow), 20, [false, false]),
        (Some(fast), 30, [true, false]),
        (None, 40, [true, true]),
    ] {
        let learned = set(to, number).map(|event| event.as_ref().is_some_and(is_learned));
        assert_eq!(learned, want, "{to:?}");
    }
}
