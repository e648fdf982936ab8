//! A counter that several threads may add to.

#[cfg(target_has_atomic = "64")]
pub(super) use whole::Counter;

#[cfg(not(target_has_atomic = "64"))]
pub(super) use halves::Counter;

#[cfg(target_has_atomic = "64")]
mod whole {
    use core::sync::atomic::{AtomicU64, Ordering};

    /// 64 bits. All accesses are relaxed: a counter orders nothing else.
    #[derive(Debug)]
    pub(in super::super) struct Counter(AtomicU64);

    impl Counter {
        pub(in super::super) const fn new() -> Self {
            Self(AtomicU64::new(0))
        }

        #[inline]
        pub(in super::super) fn add(&self, count: u64) {
            self.0.fetch_add(count, Ordering::Relaxed);
        }

        pub(in super::super) fn get(&self) -> u64 {
            self.0.load(Ordering::Relaxed)
        }
    }
}

/// For machines without 64-bit atomics. Two threads that add at the same moment may lose a count
/// there.
#[cfg(any(test, not(target_has_atomic = "64")))]
mod halves {
    use core::sync::atomic::{AtomicU32, Ordering};

    #[derive(Debug)]
    pub(in super::super) struct Counter {
        low: AtomicU32,
        high: AtomicU32,
    }

    impl Counter {
        pub(in super::super) const fn new() -> Self {
            Self {
                low: AtomicU32::new(0),
                high: AtomicU32::new(0),
            }
        }

        pub(in super::super) fn add(&self, count: u64) {
            let sum = self.get().wrapping_add(count);
            self.low.store(sum as u32, Ordering::Relaxed);
            self.high.store((sum >> 32) as u32, Ordering::Relaxed);
        }

        pub(in super::super) fn get(&self) -> u64 {
            let high = self.high.load(Ordering::Relaxed);
            u64::from(high) << 32 | u64::from(self.low.load(Ordering::Relaxed))
        }
    }
}

#[cfg(test)]
mod tests {
    /// Both kinds count alike, over the middle and over the end.
    #[test]
    fn carries_and_wraps() {
        let halves = super::halves::Counter::new();
        #[cfg(target_has_atomic = "64")]
        let whole = super::whole::Counter::new();
        for (count, want) in [
            (0xffff_ffff, 0xffff_ffff),
            (1, 0x1_0000_0000),
            (u64::MAX, 0xffff_ffff),
            (3, 0x1_0000_0002),
        ] {
            halves.add(count);
            assert_eq!(halves.get(), want);
            #[cfg(target_has_atomic = "64")]
            {
                whole.add(count);
                assert_eq!(whole.get(), want);
            }
        }
    }
}
