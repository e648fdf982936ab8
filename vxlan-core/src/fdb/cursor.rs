//! Places in a walk over the table that stay right while the table changes.

use super::table::Dying;
use super::{Fdb, Record, Storage};

/// How far a walk over the table has come: a plain value that survives any change of the table,
/// since an entry keeps its place as long as it lives.
///
/// Entries that come while the walk goes on may be met or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The entries below this number are still to be met.
    pub(super) below: u32,
    /// How many lines of the first of them were told.
    pub(super) told: u32,
}

impl Cursor {
    /// Before the newest entry.
    pub const START: Self = Self {
        below: u32::MAX,
        told: 0,
    };
}

/// A walk over the entries, newest first, that may take out the one it is at.
#[derive(Debug)]
pub(super) struct Sweep<'a, S> {
    pub(super) fdb: &'a mut Fdb<S>,
    below: u32,
    /// How many more slots may be visited.
    budget: u32,
    pub(super) dying: Option<Dying>,
}

impl<'a, S: Storage> Sweep<'a, S> {
    /// Over the entries from `cursor` on, so many slots at most.
    pub(super) fn new(fdb: &'a mut Fdb<S>, cursor: Cursor, budget: u32) -> Self {
        Self {
            below: cursor.below.min(fdb.head.entries.fresh),
            fdb,
            budget,
            dying: None,
        }
    }

    /// Over none, with something to bury.
    pub(super) fn of(fdb: &'a mut Fdb<S>, dying: Option<Dying>) -> Self {
        Self {
            below: 0,
            fdb,
            budget: 0,
            dying,
        }
    }

    /// The next record of what was taken out last.
    pub(super) fn bury(&mut self) -> Option<Record> {
        let record = self.fdb.bury(self.dying.as_mut()?);
        if record.is_none() {
            self.dying = None;
        }
        record
    }

    /// The number of the next slot. The walk is past it already, so what is there may go.
    #[inline]
    pub(super) fn step(&mut self) -> Option<u32> {
        let below = self.below.checked_sub(1)?;
        self.budget = self.budget.checked_sub(1)?;
        self.below = below;
        Some(below)
    }

    /// Where to go on; `None` at the end.
    pub(super) const fn cursor(&self) -> Option<Cursor> {
        match self.below {
            0 => None,
            below => Some(Cursor { below, told: 0 }),
        }
    }
}
