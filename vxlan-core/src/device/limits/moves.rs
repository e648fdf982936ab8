//! Who has moved how often: the memory of move damping.
//!
//! The rule is that for duplicate addresses in RFC 7432, section 15.1: the first move starts a
//! timer, and whoever moves too often before it ends is held where it is. A timer may end between
//! moves, so that twice as many are possible within its time.

use core::time::Duration;

use crate::Instant;
use crate::device::config::MoveDamping;
use crate::fdb::Key;

/// So many stations are told apart. What moves beside them is counted as one.
pub(in crate::device) const STATIONS: usize = 64;

/// The moves of late, in memory of a fixed size.
///
/// While more stations move than have a record, those without one share the last record: together
/// they may move as often as a single one. So nobody who fills the memory, by having many stations
/// move, makes another station move more freely; what suffers is how many move at all.
#[derive(Debug)]
pub(in crate::device) struct Moves {
    stations: [Station; STATIONS],
    others: Record,
}

#[derive(Clone, Copy, Debug)]
struct Station {
    key: Key,
    record: Record,
}

#[derive(Clone, Copy, Debug)]
struct Record {
    /// When the first move was counted, or the hold began.
    since: Instant,
    /// Zero for nothing to remember.
    moves: u32,
    held: bool,
}

/// What a station may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::device) enum Verdict {
    /// Move.
    Free,
    /// Not move, and be held from now on.
    TooOften,
    /// Not move for a while still.
    Held,
}

impl Record {
    const NONE: Self = Self {
        since: Instant::ZERO,
        moves: 0,
        held: false,
    };

    fn is_live(&self, damping: &MoveDamping, now: Instant) -> bool {
        let lasts = match self.held {
            true => damping.hold,
            false => damping.within,
        };
        self.moves > 0 && now.saturating_duration_since(self.since) < lasts
    }

    fn verdict(&self, damping: &MoveDamping, now: Instant) -> Verdict {
        if !self.is_live(damping, now) {
            Verdict::Free
        } else if self.held {
            Verdict::Held
        } else if self.moves < damping.moves.get() {
            Verdict::Free
        } else {
            Verdict::TooOften
        }
    }

    fn count(&mut self, damping: &MoveDamping, now: Instant) {
        if !self.is_live(damping, now) {
            *self = Self {
                since: now,
                ..Self::NONE
            };
        }
        self.moves = self.moves.saturating_add(1);
    }
}

impl Moves {
    pub(in crate::device) const fn new() -> Self {
        let station = Station {
            key: Key {
                mac: crate::Mac::ZERO,
                vni: 0,
            },
            record: Record::NONE,
        };
        Self {
            stations: [station; STATIONS],
            others: Record::NONE,
        }
    }

    /// Whether a station may move.
    pub(super) fn verdict(&self, damping: &MoveDamping, now: Instant, key: &Key) -> Verdict {
        let live = |station: &&Station| station.record.is_live(damping, now);
        let mut known = self.stations.iter().filter(live);
        if let Some(station) = known.find(|station| station.key == *key) {
            return station.record.verdict(damping, now);
        }
        match self.stations.iter().all(|station| live(&station)) {
            false => Verdict::Free,
            true => self.others.verdict(damping, now),
        }
    }

    /// Counts a move.
    pub(super) fn count(&mut self, damping: &MoveDamping, now: Instant, key: &Key) {
        self.record(damping, now, key).count(damping, now);
    }

    /// Holds a station where it is from now on.
    pub(super) fn hold(&mut self, damping: &MoveDamping, now: Instant, key: &Key) {
        let record = self.record(damping, now, key);
        record.count(damping, now);
        record.held = true;
        record.since = now;
    }

    /// The record that the moves of a station are counted in.
    fn record(&mut self, damping: &MoveDamping, now: Instant, key: &Key) -> &mut Record {
        let mut free = None;
        for station in &mut self.stations {
            if !station.record.is_live(damping, now) {
                free = Some(station);
            } else if station.key == *key {
                return &mut station.record;
            }
        }
        match free {
            Some(station) => {
                *station = Station {
                    key: *key,
                    record: Record::NONE,
                };
                &mut station.record
            }
            None => &mut self.others,
        }
    }
}

/// The shortest time that can be told from none.
pub(in crate::device) const SHORTEST: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Mac;
    use core::num::NonZeroU32;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    extern crate std;

    const DAMPING: MoveDamping = MoveDamping {
        moves: NonZeroU32::new(2).unwrap(),
        within: Duration::from_secs(10),
        hold: Duration::from_secs(30),
    };

    fn key(number: u8) -> Key {
        Key {
            mac: Mac::new([2, 0, 0, 0, 0, number]),
            vni: 42,
        }
    }

    /// What becomes of an attempt to move.
    fn attempt(moves: &mut Moves, millis: u64, number: u8) -> Verdict {
        let now = Instant::from_millis(millis);
        let verdict = moves.verdict(&DAMPING, now, &key(number));
        match verdict {
            Verdict::Free => moves.count(&DAMPING, now, &key(number)),
            Verdict::TooOften => moves.hold(&DAMPING, now, &key(number)),
            Verdict::Held => {}
        }
        verdict
    }

    #[test]
    fn the_third_move_is_too_many() {
        use Verdict::{Free, Held, TooOften};
        let mut moves = Moves::new();
        for (millis, want) in [
            (0, Free),
            (9_999, Free),
            (9_999, TooOften),
            (10_000, Held), // the timer would have ended, the hold has not
            (39_998, Held),
            (39_999, Free),
            (39_999, Free),
            (49_999, Free), // the timer has ended
            (49_999, Free),
            (50_000, TooOften),
        ] {
            assert_eq!(attempt(&mut moves, millis, 1), want, "{millis}");
        }
        assert_eq!(attempt(&mut moves, 50_000, 2), Free, "another station");
    }

    /// With every record taken the others may move as one; the known ones are as before.
    #[test]
    fn full_memory_frees_nobody() {
        let mut moves = Moves::new();
        let last = STATIONS as u8;
        for number in 0..last {
            assert_eq!(attempt(&mut moves, 0, number), Verdict::Free);
        }
        assert_eq!(attempt(&mut moves, 1, last), Verdict::Free);
        assert_eq!(attempt(&mut moves, 1, last + 1), Verdict::Free);
        assert_eq!(attempt(&mut moves, 1, last + 2), Verdict::TooOften);
        assert_eq!(attempt(&mut moves, 1, last), Verdict::Held);
        assert_eq!(attempt(&mut moves, 1, 0), Verdict::Free);
        // The timers of the known ones have ended, and with them their records.
        assert_eq!(attempt(&mut moves, 10_001, last), Verdict::Free);
    }

    proptest! {
        /// While the memory lasts every station is judged as if it had a record for ever.
        #[test]
        fn each_for_itself(
            attempts in prop::collection::vec((0u64..8_000, 0u8..STATIONS as u8), 0..300),
        ) {
            let mut moves = Moves::new();
            let mut alone: BTreeMap<u8, Moves> = BTreeMap::new();
            let mut now = 0;
            for (pause, number) in attempts {
                now += pause;
                let want = attempt(alone.entry(number).or_insert_with(Moves::new), now, number);
                prop_assert_eq!(attempt(&mut moves, now, number), want);
            }
        }

        /// However many stations move: none moves more often than twice what is allowed within
        /// the time, and none that is held.
        #[test]
        fn none_moves_too_often(
            attempts in prop::collection::vec((0u64..200, 0u8..=255), 0..2_000),
        ) {
            let mut moves = Moves::new();
            let mut moved: BTreeMap<u8, std::vec::Vec<u64>> = BTreeMap::new();
            let mut now = 0;
            for (pause, number) in attempts {
                now += pause;
                // Half of all attempts are one station's.
                let number = if number < 128 { 0 } else { number };
                if attempt(&mut moves, now, number) == Verdict::Free {
                    let times = moved.entry(number).or_default();
                    times.push(now);
                    let late = times.iter().filter(|then| now - **then < 10_000).count();
                    prop_assert!(late <= 4, "{number}: {times:?}");
                }
            }
        }
    }
}
