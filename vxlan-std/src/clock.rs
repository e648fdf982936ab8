//! The one place that reads a clock.

use core::time::Duration;
use std::time;

use vxlan_core::Instant;

/// What a clock shows when it is made.
const START: Duration = Duration::from_secs(30 * 24 * 3600);

/// A monotonic clock. It shows thirty days when it is made, so that there are instants for what
/// happened before: entries of the forwarding database may be older than the process.
///
/// ```
/// let clock = vxlan_std::Clock::new();
/// let first = clock.now();
/// assert!(clock.now() >= first);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Clock(time::Instant);

impl Clock {
    /// A clock that is thirty days past its origin now.
    #[must_use]
    pub fn new() -> Self {
        Self(time::Instant::now())
    }

    /// The time since the origin, in whole milliseconds.
    #[must_use]
    pub fn now(&self) -> Instant {
        Instant::ZERO + START + self.0.elapsed()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}
