//! The one place that reads a clock.

use std::time;

use vxlan_core::Instant;

/// A monotonic clock that starts at zero when it is made.
///
/// ```
/// let clock = vxlan_std::Clock::new();
/// let first = clock.now();
/// assert!(clock.now() >= first);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Clock(time::Instant);

impl Clock {
    /// A clock whose origin is now.
    #[must_use]
    pub fn new() -> Self {
        Self(time::Instant::now())
    }

    /// The time since the origin, in whole milliseconds.
    #[must_use]
    pub fn now(&self) -> Instant {
        let millis = self.0.elapsed().as_millis();
        Instant::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}
