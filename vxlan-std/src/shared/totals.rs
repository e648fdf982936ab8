//! Counters of several threads.

use std::sync::{Mutex, MutexGuard, PoisonError};

use vxlan_core::{Stats, Worker};

/// The sum of what several threads have counted.
///
/// Each thread counts in its own [`Worker`] and adds that up now and then, say once a batch: no
/// packet waits for it.
#[derive(Debug, Default)]
pub struct Totals(Mutex<Stats>);

impl Totals {
    /// All counters at zero.
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(Stats::new()))
    }

    /// Adds what `worker` has counted since the last time; it starts again at zero.
    pub fn add(&self, worker: &mut Worker) {
        let share = core::mem::take(&mut worker.stats);
        *self.sum() += &share;
    }

    /// What has been added so far.
    #[must_use]
    pub fn read(&self) -> Stats {
        self.sum().clone()
    }

    fn sum(&self) -> MutexGuard<'_, Stats> {
        // Counters that were added in part are still counters.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
