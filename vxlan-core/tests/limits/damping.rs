//! Who moves too often is held where it is.

use core::num::NonZeroU32;
use core::time::Duration;

use vxlan_core::device::MoveDamping;
use vxlan_core::fdb::{Fixed, Flags, Mode, State, Update};
use vxlan_core::{
    Config, ConfigChange, ConfigError, Device, DropReason, IfIndex, Ingress, Instant, Unlearned,
};

use super::*;
use crate::common::{OWN, config, config6, device, vni};

/// Two moves in ten seconds; then held for thirty.
const DAMPING: MoveDamping = MoveDamping {
    moves: NonZeroU32::new(2).unwrap(),
    within: Duration::from_secs(10),
    hold: Duration::from_secs(30),
};

fn damped() -> Config {
    config().move_damping(Some(DAMPING))
}

const fn moved(seen: &Received) -> bool {
    matches!(
        seen.ingress,
        Ingress::Deliver(_, Some(Event::Migrated { .. }))
    )
}

/// A tug of war: the third move is refused and told once, and then only one side is heard.
#[test]
fn a_tug_of_war_ends() {
    let mut device = device(damped());
    talk(&mut device, 0, 1, 8);
    assert!(moved(&talk(&mut device, 1_000, 1, 9)));
    assert!(moved(&talk(&mut device, 2_000, 1, 8)));
    let seen = talk(&mut device, 3_000, 1, 9);
    let told = Event::MoveDamped {
        key: key(1),
        remote: vtep(8),
        seen: vtep(9),
    };
    assert_eq!(
        seen.ingress,
        Ingress::Drop(DropReason::MoveDamped, Some(told))
    );
    assert_eq!(
        (
            seen.stats.drops(DropReason::MoveDamped),
            seen.stats.rx_dropped
        ),
        (1, 1)
    );
    for now in [3_000, 20_000, 32_999] {
        let seen = talk(&mut device, now, 1, 9);
        assert_eq!(
            seen.ingress,
            Ingress::Drop(DropReason::MoveDamped, None),
            "{now}"
        );
        assert!(talk(&mut device, now, 1, 8).delivered(), "{now}");
    }
    assert_eq!(place(&device, 1), Some(vtep(8)));
    assert!(moved(&talk(&mut device, 33_000, 1, 9)), "the hold is over");
    assert_eq!(place(&device, 1), Some(vtep(9)));
}

/// A station that really moves, now and then, is not held; nor is anybody for another.
#[test]
fn slow_movers_are_free() {
    let mut device = device(damped());
    for number in [1, 2] {
        talk(&mut device, 0, number, 7);
    }
    for (now, number, through) in [
        (1_000, 1, 8),
        (2_000, 1, 9),
        (2_500, 2, 8),
        (11_000, 1, 8),
        (12_000, 1, 9),
        (12_400, 2, 9),
        (21_000, 1, 7),
    ] {
        assert!(moved(&talk(&mut device, now, number, through)), "{now}");
    }
}

/// Whatever the choice for what is not learned: a move that is refused drops the frame, as a pinned
/// entry does.
#[test]
fn a_refused_move_drops_the_frame() {
    for unlearned in [Unlearned::Deliver, Unlearned::Drop] {
        let mut device = device(damped().unlearned(unlearned));
        for through in [7, 8, 9] {
            assert!(talk(&mut device, 0, 1, through).delivered());
        }
        assert!(!talk(&mut device, 0, 1, 7).delivered());
    }
}

/// A move that a quota refuses is none.
#[test]
fn what_does_not_move_does_not_count() {
    let mut device = device(damped().learn_quota(NonZeroU32::new(1)));
    talk(&mut device, 0, 1, 8);
    talk(&mut device, 0, 2, 9);
    for _ in 0..9 {
        let seen = talk(&mut device, 0, 1, 9);
        assert!(seen.delivered());
        assert!(matches!(seen.event(), Some(Event::QuotaReached { .. })));
    }
    assert!(moved(&talk(&mut device, 0, 1, 7)));
}

/// The operator moves what he likes, and an entry of his that traffic may move is damped as well.
#[test]
fn the_operator_is_free() {
    let mut device = device(damped());
    for last in [7, 8, 9, 7, 8, 9] {
        let update = Update {
            key: key(1),
            state: State::REACHABLE,
            flags: Flags::SELF,
            mode: Mode::CREATE | Mode::REPLACE,
            destination: device.remote(vtep(last)).into(),
            limit: 0,
        };
        device.fdb_update(Instant::ZERO, &update).unwrap();
    }
    for through in [8, 9] {
        assert!(moved(&talk(&mut device, 0, 1, through)));
    }
    assert!(!talk(&mut device, 0, 1, 7).delivered());
}

/// L-03: a source on another interface is told as moved with each packet, as in Linux, though it has
/// the same address. That is no move.
#[test]
fn another_interface_is_no_move() {
    let mut device = device(config6().move_damping(Some(DAMPING)));
    let from = |address: &str, ifindex| {
        let from = Underlay::new(address.parse().unwrap());
        from.ifindex(IfIndex::new(ifindex))
    };
    let payload = datagram(
        I,
        42 << 8,
        &frame(Mac::BROADCAST, station(1), 0x88b5, b"hello"),
    );
    assert!(receive_at(&mut device, 0, &from("fe80::9", 10), &payload).delivered());
    for _ in 0..9 {
        assert!(moved(&receive_at(
            &mut device,
            0,
            &from("fe80::9", 12),
            &payload
        )));
    }
    for address in ["fe80::8", "fe80::7"] {
        assert!(moved(&receive_at(
            &mut device,
            0,
            &from(address, 12),
            &payload
        )));
    }
    assert!(!receive_at(&mut device, 0, &from("fe80::9", 12), &payload).delivered());
}

/// With the memory full of stations that move, the others are damped as one, and none gets free.
#[test]
fn many_movers_free_nobody() {
    let mut device = device(damped());
    for number in 0..70 {
        talk(&mut device, 0, number, 8);
    }
    let moves = (0..70).filter(|number| moved(&talk(&mut device, 0, *number, 9)));
    assert_eq!(moves.count(), 64 + 2);
    assert!(moved(&talk(&mut device, 0, 1, 8)), "one that is known");
    // The timers have ended; the hold of the others has not, and concerns nobody.
    assert!(moved(&talk(&mut device, 10_000, 69, 9)));
}

/// A change of the rule forgets who is held; one of something else does not.
#[test]
fn damping_may_come_change_and_go() {
    let mut device = device(damped());
    let mut held = |change: Option<Option<MoveDamping>>, at| {
        let mut asked = ConfigChange::new();
        if let Some(damping) = change {
            asked = asked.move_damping(damping);
        }
        device.change(Instant::ZERO, &asked, drop).unwrap();
        (0..3u8)
            .filter(|n| !talk(&mut device, 0, 1, at + n).delivered())
            .count()
    };
    let other = MoveDamping {
        hold: Duration::from_secs(1),
        ..DAMPING
    };
    assert_eq!(held(None, 1), 0);
    assert_eq!(held(None, 10), 3);
    assert_eq!(held(Some(Some(DAMPING)), 20), 3);
    assert_eq!(held(Some(Some(other)), 30), 1);
    assert_eq!(held(Some(None), 40), 0);
    assert_eq!(held(Some(Some(DAMPING)), 50), 1);
}

#[test]
fn a_time_is_needed() {
    let none = Duration::from_micros(999);
    for damping in [
        MoveDamping {
            within: none,
            ..DAMPING
        },
        MoveDamping {
            hold: none,
            ..DAMPING
        },
    ] {
        let config = Config::new(vni()).move_damping(Some(damping));
        assert_eq!(config.validate().err(), Some(ConfigError::MoveDamping));
        let storage = Fixed::<4, 4, 4>::new();
        let mut device = Device::new(common::config(), OWN, storage, Instant::ZERO).unwrap();
        let change = ConfigChange::new().move_damping(Some(damping));
        let error = device.change(Instant::ZERO, &change, drop).unwrap_err();
        assert_eq!((error, error.errno()), (ConfigError::MoveDamping, 22));
        assert_eq!(device.config().move_damping(), None);
    }
}
