//! A token bucket: what is learned takes a token, and time brings new ones.

use crate::Instant;
use crate::device::config::LearnRate;

/// A token, so that a millisecond brings whole parts of it.
const TOKEN: u64 = 1000;

/// What is left in the bucket.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::device) struct Bucket {
    /// In thousandths of a token.
    level: u64,
    /// When it was so full.
    at: Instant,
}

impl Bucket {
    pub(in crate::device) const fn full(rate: LearnRate, now: Instant) -> Self {
        Self {
            level: depth(rate),
            at: now,
        }
    }

    pub(super) const fn has_token(&self, rate: LearnRate, now: Instant) -> bool {
        self.level(rate, now) >= TOKEN
    }

    /// Takes a token. A time before that of the last one brings none, and takes none back.
    pub(super) fn take(&mut self, rate: LearnRate, now: Instant) {
        self.level = self.level(rate, now).saturating_sub(TOKEN);
        self.at = self.at.max(now);
    }

    const fn level(&self, rate: LearnRate, now: Instant) -> u64 {
        let millis = now.as_millis().saturating_sub(self.at.as_millis());
        let level = self
            .level
            .saturating_add(millis.saturating_mul(rate.per_second.get() as u64));
        let depth = depth(rate);
        if level < depth { level } else { depth }
    }
}

const fn depth(rate: LearnRate) -> u64 {
    rate.burst.get() as u64 * TOKEN
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::num::NonZeroU32;
    use proptest::prelude::*;

    fn rate(per_second: u32, burst: u32) -> LearnRate {
        LearnRate {
            per_second: NonZeroU32::new(per_second).unwrap(),
            burst: NonZeroU32::new(burst).unwrap(),
        }
    }

    /// How many of those who ask every so many milliseconds get a token.
    fn granted(rate: LearnRate, asked: u64, every: u64) -> u64 {
        let mut bucket = Bucket::full(rate, Instant::ZERO);
        let mut granted = 0;
        for number in 0..asked {
            let now = Instant::from_millis(number * every);
            if bucket.has_token(rate, now) {
                bucket.take(rate, now);
                granted += 1;
            }
        }
        granted
    }

    #[test]
    fn tokens_come_at_the_rate() {
        for (name, rate, asked, every, want) in [
            ("the burst at once", rate(10, 5), 100, 0, 5),
            ("then one each 100 ms", rate(10, 5), 1001, 1, 5 + 10),
            ("slower than the rate", rate(10, 1), 50, 100, 50),
            ("many in a millisecond", rate(5_000, 1), 11, 1, 11),
            ("a burst of one keeps no fraction", rate(1, 1), 4, 999, 2),
            ("the largest", rate(u32::MAX, u32::MAX), 1_000, 0, 1_000),
        ] {
            assert_eq!(granted(rate, asked, every), want, "{name}");
        }
    }

    proptest! {
        /// Never more than the burst and what the time has brought, whatever the clock does; never
        /// fewer than the rate allows to those who ask at it.
        #[test]
        fn no_more_than_the_rate_allows(
            per_second in 1u32..2_000,
            burst in 1u32..100,
            times in prop::collection::vec(0u64..5_000, 1..200),
        ) {
            let rate = rate(per_second, burst);
            let mut bucket = Bucket::full(rate, Instant::ZERO);
            let (mut granted, mut latest) = (0u64, 0);
            for millis in times {
                let now = Instant::from_millis(millis);
                latest = latest.max(millis);
                if bucket.has_token(rate, now) {
                    bucket.take(rate, now);
                    granted += 1;
                }
                let allowed = u64::from(burst) * 1000 + latest * u64::from(per_second);
                prop_assert!(granted * 1000 <= allowed);
            }
        }
    }
}
