//! Ageing.

use core::time::Duration;

use super::cursor::{Cursor, Sweep};
use super::stamp::{self, Stamp};
use super::storage::Storage;
use super::table::Dying;
use super::{Fdb, Flags, Record, State};
use crate::Instant;

/// The longest pause between two sweeps (`FDB_AGE_INTERVAL`).
pub const SWEEP_INTERVAL: Duration = Duration::from_secs(10);

/// Which entries are too old. [`Ageing::new`] gives the rules of Linux 6.18.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ageing {
    /// How long an entry lives; counted in steps of 10 ms. Zero: all that may age is too old.
    /// An entry keeps 32-bit times: intervals of 248 days and more never end.
    pub interval: Duration,
    /// Since when.
    pub clock: Clock,
    /// Entries with any of these bits do not age.
    pub exempt_state: State,
    /// Entries with any of these flags do not age.
    pub exempt_flags: Flags,
}

/// Which time of an entry its age counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Clock {
    /// [`Entry::updated`](super::Entry::updated): traffic from there and changes keep it alive.
    Updated,
    /// [`Entry::used`](super::Entry::used), as in Linux 4.3: traffic to there as well.
    Used,
}

impl Ageing {
    /// As Linux 6.18 does: entries last heard of `interval` ago, but for permanent, static
    /// (NOARP) and externally learned ones.
    #[must_use]
    pub const fn new(interval: Duration) -> Self {
        Self {
            interval,
            clock: Clock::Updated,
            exempt_state: State::PERMANENT.union(State::NOARP),
            exempt_flags: Flags::EXT_LEARNED,
        }
    }
}

/// What a sweep takes out: one record for each `RTM_DELNEIGH` that Linux sends. Its state is
/// STALE.
///
/// The work is done as the iterator is driven; dropping it does the rest.
#[derive(Debug)]
pub struct Aged<'a, S: Storage> {
    sweep: Sweep<'a, S>,
    ageing: Ageing,
    now: Instant,
    /// `now` and the interval as entries keep times.
    stamp: Stamp,
    interval: u64,
    /// How long the first of the entries seen has to live.
    left: u64,
    /// The latest time of the next sweep.
    deadline: Instant,
}

impl<S: Storage> Fdb<S> {
    /// Takes out the entries that are too old, newest first. Kernel: `vxlan_cleanup()`.
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use vxlan_core::{Instant, Salt, fdb};
    /// # let mut fdb = fdb::Fdb::new(fdb::Fixed::<1, 1, 1>::new(), Salt::default());
    /// let ageing = fdb::Ageing::new(Duration::from_secs(300));
    /// let mut aged = fdb.age(Instant::ZERO, ageing);
    /// for record in &mut aged {
    ///     println!("gone: {record:?}");
    /// }
    /// assert_eq!(aged.deadline(), Instant::from_millis(10_000));
    /// ```
    pub fn age(&mut self, now: Instant, ageing: Ageing) -> Aged<'_, S> {
        self.head.round = None;
        self.age_some(now, ageing, u32::MAX)
    }

    /// The same in pieces: looks at `budget` places of entries at most, vacant ones included, and
    /// goes on where the last piece ended. With other rules it starts again.
    ///
    /// [`Aged::deadline`] is `now` until the round is over.
    pub fn age_some(&mut self, now: Instant, ageing: Ageing, budget: u32) -> Aged<'_, S> {
        self.head.clock = now;
        let round = match self.head.round {
            Some(round) if round.ageing == ageing => round,
            _ => Round {
                cursor: Cursor::START,
                deadline: Instant::MAX,
                ageing,
            },
        };
        Aged {
            sweep: Sweep::new(self, round.cursor, budget),
            ageing,
            stamp: Stamp::at(now),
            interval: stamp::units(ageing.interval),
            left: u64::MAX,
            now,
            deadline: round.deadline.min(now + SWEEP_INTERVAL),
        }
    }
}

/// A round of ageing that is not over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    cursor: Cursor,
    /// When the first of the entries seen so far expires.
    deadline: Instant,
    ageing: Ageing,
}

impl<S: Storage> Aged<'_, S> {
    /// Finishes the sweep and says when the next one is due: when the first entry expires, in
    /// [`SWEEP_INTERVAL`] at the latest; at once if this was but a piece of a round.
    #[must_use]
    pub fn deadline(mut self) -> Instant {
        self.by_ref().for_each(drop);
        match self.sweep.cursor() {
            None => self.due(),
            Some(_) => self.now,
        }
    }

    // Inlined, since this is the loop over the whole table.
    #[inline(always)]
    fn visit(&mut self, number: u32) -> Option<Dying> {
        let slot = self.sweep.fdb.storage.entry(number)?;
        if slot.is_vacant()
            || slot.state().intersects(self.ageing.exempt_state)
            || slot.flags().intersects(self.ageing.exempt_flags)
        {
            return None;
        }
        let since = match self.ageing.clock {
            Clock::Updated => slot.updated.get(),
            Clock::Used => slot.used.get(),
        };
        // A time ahead of `now` is a negative age: it takes longer than the interval.
        let left = self.interval.saturating_sub_signed(self.stamp.since(since));
        if left == 0 {
            return self.expire(number);
        }
        self.left = self.left.min(left);
        None
    }

    #[cold]
    fn expire(&mut self, number: u32) -> Option<Dying> {
        let entry = self.sweep.fdb.entry_at(number)?;
        if entry.state().intersects(self.ageing.exempt_state)
            || entry.flags().intersects(self.ageing.exempt_flags)
        {
            return None; // By a bit that is not in the slot.
        }
        let mut dying = self.sweep.fdb.take(number)?;
        dying.entry.state = State::STALE;
        Some(dying)
    }

    /// When the first of the entries seen expires, or the next sweep is due in any case.
    fn due(&self) -> Instant {
        let first = self.stamp.instant(self.now) + stamp::duration(self.left);
        self.deadline.min(first)
    }
}

impl<S: Storage> Iterator for Aged<'_, S> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        loop {
            if let Some(record) = self.sweep.bury() {
                return Some(record);
            }
            self.sweep.dying = loop {
                let number = self.sweep.step()?;
                if let Some(dying) = self.visit(number) {
                    break Some(dying);
                }
            };
        }
    }
}

impl<S: Storage> core::iter::FusedIterator for Aged<'_, S> {}

impl<S: Storage> Drop for Aged<'_, S> {
    fn drop(&mut self) {
        self.for_each(drop);
        let deadline = self.due();
        self.sweep.fdb.head.round = self.sweep.cursor().map(|cursor| Round {
            cursor,
            deadline,
            ageing: self.ageing,
        });
    }
}
