//! Random choices that can be had again.

use std::env;

/// A generator of numbers (SplitMix64).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// From the seed in the environment, or always the same.
    pub(crate) fn new() -> Self {
        let given = env::var("VXLAN_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok());
        Self(given.unwrap_or(1))
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        (self.number() % count as u64) as usize
    }

    /// True once in so many times.
    pub(crate) fn once_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub(crate) fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.number() as u8).collect()
    }
}

/// How many requests are made: so many, or what the environment says.
pub(crate) fn requests(usual: usize) -> usize {
    let given = env::var("VXLAN_REQUESTS").ok();
    given.and_then(|count| count.parse().ok()).unwrap_or(usual)
}
