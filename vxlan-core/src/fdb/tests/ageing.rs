//! L-06: which entries age, when, and when to look again.

use core::time::Duration;

use super::*;

const START: Instant = Instant::from_millis(1_000);

fn after(millis: u64) -> Instant {
    START + Duration::from_millis(millis)
}

fn learned(mac: Mac, state: State, flags: Flags) -> Update {
    Update {
        state,
        flags,
        ..request(mac, ADD, remote(1))
    }
}

#[test]
fn l06_what_ages() {
    let (linux, classic) = (
        Ageing::new(Duration::from_secs(11)),
        Ageing {
            clock: Clock::Used,
            exempt_state: State::PERMANENT,
            exempt_flags: Flags::empty(),
            ..Ageing::new(Duration::from_secs(11))
        },
    );
    let user = Flags::SELF | Flags::ADDED_BY_USER;
    for (name, state, flags, by_linux, by_classic) in [
        ("learned", State::REACHABLE, Flags::SELF, true, true),
        ("dynamic, of a user", State::REACHABLE, user, true, true),
        ("router", State::REACHABLE, user | Flags::ROUTER, true, true),
        ("offloaded", State::REACHABLE, Flags::OFFLOADED, true, true),
        ("permanent", State::PERMANENT, user, false, false),
        ("static", State::NOARP | State::REACHABLE, user, false, true),
        (
            "external",
            State::REACHABLE,
            Flags::EXT_LEARNED,
            false,
            true,
        ),
    ] {
        for (ageing, ages) in [(linux, by_linux), (classic, by_classic)] {
            let mut fdb = small();
            fdb.update(START, &learned(STATION, state, flags)).unwrap();
            // The last unit before, then the very moment.
            assert_eq!(fdb.age(after(10_990), ageing).count(), 0, "{name}");
            let gone: Vec<Record> = fdb.age(after(11_000), ageing).collect();
            assert_eq!(gone.len(), usize::from(ages), "{name}");
            for record in gone {
                assert_eq!(
                    (record.state, record.flags),
                    (State::STALE, flags),
                    "{name}"
                );
                assert_eq!(record.updated, START, "{name}");
            }
            assert_eq!(fdb.is_empty(), ages, "{name}");
        }
    }
}

#[test]
fn l06_the_clock_decides_what_keeps_an_entry_alive() {
    type Touch = fn(&Entry<'_>, Instant);
    let touches: [(&str, Touch, usize, usize); 2] = [
        ("source", |entry, now| entry.touch_updated(now), 0, 1),
        ("destination", |entry, now| entry.touch_used(now), 1, 0),
    ];
    for (name, touch, updated_gone, used_gone) in touches {
        for (clock, gone) in [(Clock::Updated, updated_gone), (Clock::Used, used_gone)] {
            let mut fdb = small();
            let update = learned(STATION, State::REACHABLE, Flags::SELF);
            fdb.update(START, &update).unwrap();
            touch(&fdb.find(&key(STATION)).unwrap(), after(10_000));
            let ageing = Ageing {
                clock,
                ..Ageing::new(Duration::from_secs(11))
            };
            assert_eq!(
                fdb.age(after(12_000), ageing).count(),
                gone,
                "{name} {clock:?}"
            );
        }
    }
}

#[test]
fn l06_the_next_sweep() {
    let mut fdb = small();
    fdb.update(START, &learned(STATION, State::REACHABLE, Flags::SELF))
        .unwrap();
    fdb.update(after(3_000), &learned(OTHER, State::REACHABLE, Flags::SELF))
        .unwrap();
    fdb.update(START, &learned(GROUP, State::PERMANENT, Flags::SELF))
        .unwrap();
    let ageing = Ageing::new(Duration::from_secs(15));
    for (now, gone, next) in [
        (0, 0, 10_000),
        (10_000, 0, 15_000),
        (15_000, 1, 18_000),
        (18_000, 1, 28_000),
        (28_000, 0, 38_000),
    ] {
        let mut aged = fdb.age(after(now), ageing);
        assert_eq!(aged.by_ref().count(), gone, "{now}");
        assert_eq!(aged.deadline(), after(next), "{now}");
    }
    assert_eq!(fdb.len(), 1);
    // The same without looking at what goes.
    fdb.update(
        after(28_000),
        &learned(OTHER, State::REACHABLE, Flags::SELF),
    )
    .unwrap();
    let soon = Ageing::new(Duration::from_secs(2));
    assert_eq!(fdb.age(after(28_500), soon).deadline(), after(30_000));
    drop(fdb.age(after(30_000), soon));
    assert_eq!(fdb.len(), 1);
}

/// L-06: the 32 bits of the times wrap after 497 days; nothing ages early or late for it.
#[test]
fn l06_times_wrap() {
    let wrap = (1u64 << 32) * 10;
    let ageing = Ageing::new(Duration::from_secs(300));
    for start in [
        wrap - 400_000,
        wrap - 150_000,
        wrap - 10,
        wrap,
        3 * wrap - 10,
    ] {
        let at = |millis| Instant::from_millis(start + millis);
        let mut fdb = small();
        let update = learned(STATION, State::REACHABLE, Flags::SELF);
        let record = fdb.update(at(0), &update).unwrap().unwrap();
        assert_eq!(record.updated, at(0), "{start}");
        let aged = fdb.age(at(295_000), ageing);
        assert_eq!(aged.deadline(), at(300_000), "{start}");
        assert_eq!(fdb.find(&key(STATION)).unwrap().updated(), at(0), "{start}");
        assert_eq!(fdb.age(at(299_990), ageing).count(), 0, "{start}");
        assert_eq!(fdb.age(at(300_000), ageing).count(), 1, "{start}");
    }
}

/// L-06: a clock that jumps back makes entries younger; the end of time is no trap.
#[test]
fn l06_odd_clocks() {
    let ageing = Ageing::new(Duration::from_secs(1));
    let update = learned(STATION, State::REACHABLE, Flags::SELF);
    let mut fdb = small();
    fdb.update(after(60_000), &update).unwrap();
    assert_eq!(fdb.age(after(0), ageing).count(), 0);
    assert_eq!(fdb.age(after(60_990), ageing).count(), 0);
    assert_eq!(fdb.age(after(61_000), ageing).count(), 1);

    fdb.update(Instant::MAX, &update).unwrap();
    assert_eq!(fdb.age(Instant::MAX, ageing).deadline(), Instant::MAX);
    let forever = Ageing::new(Duration::MAX);
    fdb.update(
        after(0),
        &Update {
            mode: Mode::empty(),
            ..update
        },
    )
    .unwrap();
    assert_eq!(fdb.age(after(0), forever).deadline(), after(10_000));
    // No interval: at once.
    assert_eq!(fdb.age(after(0), Ageing::new(Duration::ZERO)).count(), 1);
}
