//! Times as an entry keeps them: 32 bits.

use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

use crate::Instant;

/// Milliseconds in one unit: those of `USER_HZ`, in which Linux reports the ages.
const UNIT: u64 = 10;

/// A time in units of 10 ms since the origin of [`Instant`], modulo 2^32 (497 days).
///
/// Only differences mean something, and only up to 2^31 units (248 days) either way: what is
/// older looks as if it lay ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp(u32);

impl Stamp {
    #[inline]
    pub(super) const fn at(now: Instant) -> Self {
        Self((now.as_millis() / UNIT) as u32)
    }

    /// How many units `earlier` lies back; negative if it lies ahead.
    pub(super) const fn since(self, earlier: Self) -> i64 {
        self.0.wrapping_sub(earlier.0).cast_signed() as i64
    }

    /// The instant nearest to `near` that has this stamp.
    pub(super) const fn instant(self, near: Instant) -> Instant {
        let ahead = self.since(Self::at(near));
        let units = (near.as_millis() / UNIT).saturating_add_signed(ahead);
        Instant::from_millis(units.saturating_mul(UNIT))
    }
}

/// A duration in whole units, rounded down.
pub(super) fn units(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis() / u128::from(UNIT)).unwrap_or(u64::MAX)
}

/// A duration of so many units.
pub(super) const fn duration(units: u64) -> Duration {
    Duration::from_millis(units.saturating_mul(UNIT))
}

/// A stamp that a look-up may set through a shared reference. All accesses are relaxed: a stamp
/// orders nothing else.
#[derive(Debug)]
pub(super) struct AtomicStamp(AtomicU32);

impl AtomicStamp {
    pub(super) const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    #[inline]
    pub(super) fn get(&self) -> Stamp {
        Stamp(self.0.load(Ordering::Relaxed))
    }

    /// Writes only a new value, so that the cache line of a busy entry stays shared.
    #[inline]
    pub(super) fn set(&self, stamp: Stamp) {
        if self.0.load(Ordering::Relaxed) != stamp.0 {
            self.0.store(stamp.0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// L-06: differences survive the wrap of the 32 bits.
    #[test]
    fn l06_differences_wrap() {
        let wrap = (1u64 << 32) * UNIT;
        for (now, then, want) in [
            (0, 0, 0),
            (9, 0, 0),
            (10, 0, 1),
            (0, 10, -1),
            (wrap, wrap - 10, 1),
            (wrap + 500, wrap - 500, 100),
            (wrap - 500, wrap + 500, -100),
            ((1 << 31) * UNIT - UNIT, 0, (1 << 31) - 1),
            ((1 << 31) * UNIT, 0, -(1 << 31)),
        ] {
            let (now, then) = (Instant::from_millis(now), Instant::from_millis(then));
            assert_eq!(Stamp::at(now).since(Stamp::at(then)), want, "{now} {then}");
        }
    }

    #[test]
    fn the_nearest_instant_is_restored() {
        let wrap = (1u64 << 32) * UNIT;
        for (then, near, want) in [
            (1_234, 5_000, 1_230),
            (5_000, 1_234, 5_000),
            (wrap - 10, wrap + 10, wrap - 10),
            (3 * wrap + 70, 3 * wrap - 70, 3 * wrap + 70),
        ] {
            let stamp = Stamp::at(Instant::from_millis(then));
            let near = Instant::from_millis(near);
            assert_eq!(stamp.instant(near).as_millis(), want, "{then} {near}");
        }
    }
}
