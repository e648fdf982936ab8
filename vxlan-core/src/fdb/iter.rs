//! The dump.

use core::iter::FusedIterator;

use super::cursor::Cursor;
use super::entry::Records;
use super::storage::Storage;
use super::{Entry, Fdb, Record};

/// The entries of a table, newest first.
#[derive(Debug)]
pub struct Entries<'a, S> {
    fdb: &'a Fdb<S>,
    below: u32,
    /// How many more places may be looked at.
    budget: u32,
}

// Not derived: that would ask for `S: Clone`.
impl<S> Clone for Entries<'_, S> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<'a, S: Storage> Iterator for Entries<'a, S> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            let below = self.below.checked_sub(1)?;
            self.budget = self.budget.checked_sub(1)?;
            self.below = below;
            if let Some(entry) = self.fdb.entry_at(self.below) {
                return Some(entry);
            }
        }
    }
}

impl<S: Storage> FusedIterator for Entries<'_, S> {}

/// The lines of a dump: entries newest first, one record for each remote in list order.
#[derive(Debug)]
pub struct Iter<'a, S> {
    entries: Entries<'a, S>,
    records: Option<Records<'a>>,
    /// How many lines of the entry at `entries.below` were told.
    told: u32,
}

impl<S> Clone for Iter<'_, S> {
    fn clone(&self) -> Self {
        Self {
            entries: self.entries.clone(),
            records: self.records.clone(),
            told: self.told,
        }
    }
}

impl<S: Storage> Iter<'_, S> {
    /// Where to go on after the lines told so far, with [`Fdb::iter_from`]: when the next message
    /// is asked for, whatever happened to the table in between.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        match &self.records {
            Some(_) => Cursor {
                below: self.entries.below.saturating_add(1),
                told: self.told,
            },
            None => Cursor {
                below: self.entries.below,
                told: 0,
            },
        }
    }

    /// How many more places it may look at ([`Fdb::iter_some`]).
    #[must_use]
    pub const fn budget(&self) -> u32 {
        self.entries.budget
    }

    /// The same as [`cursor`](Self::cursor); `None` if all lines were told.
    #[must_use]
    pub fn rest(&self) -> Option<Cursor> {
        let cursor = self.cursor();
        (cursor.below > 0).then_some(cursor)
    }
}

impl<S: Storage> Iterator for Iter<'_, S> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        loop {
            if let Some(record) = self.records.as_mut().and_then(Iterator::next) {
                self.told = self.told.saturating_add(1);
                return Some(record);
            }
            self.records = None;
            self.records = Some(self.entries.next()?.records());
            self.told = 0;
        }
    }
}

impl<S: Storage> FusedIterator for Iter<'_, S> {}

impl<S: Storage> Fdb<S> {
    /// All entries, newest first.
    #[must_use]
    pub fn entries(&self) -> Entries<'_, S> {
        Entries {
            fdb: self,
            below: self.head.entries.fresh,
            budget: u32::MAX,
        }
    }

    /// The lines of a dump (`vxlan_fdb_dump()`), newest entries first. A dump in several messages
    /// goes on with [`iter_from`](Self::iter_from).
    ///
    /// An entry keeps its place as long as it lives. When entries have gone, a new one may take
    /// the place of one of them rather than the first: in a table that has no other place left,
    /// or of which they make up more than an eighth, and more than a thousand.
    #[must_use]
    pub fn iter(&self) -> Iter<'_, S> {
        self.iter_from(Cursor::START)
    }

    /// The lines of a dump from `cursor` on.
    ///
    /// Entries that are in the table during the whole dump are told exactly once, whatever
    /// happens to others in between (Linux, which counts messages, may skip or repeat some).
    ///
    /// ```
    /// # use vxlan_core::{Instant, Salt, fdb};
    /// # let mut fdb = fdb::Fdb::new(fdb::Fixed::<1, 1, 1>::new(), Salt::default());
    /// let mut cursor = fdb::Cursor::START;
    /// loop {
    ///     let mut lines = fdb.iter_from(cursor);
    ///     let message: Vec<fdb::Record> = lines.by_ref().take(32).collect();
    ///     cursor = lines.cursor();
    ///     if message.is_empty() {
    ///         break;
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn iter_from(&self, cursor: Cursor) -> Iter<'_, S> {
        self.iter_some(cursor, u32::MAX)
    }

    /// The same, looking at `budget` places of entries at most, vacant ones included: a table that
    /// has been large has many of those. [`Iter::rest`] says where to go on.
    ///
    /// ```
    /// # use vxlan_core::{Instant, Salt, fdb};
    /// # let fdb = fdb::Fdb::new(fdb::Fixed::<1, 1, 1>::new(), Salt::default());
    /// let mut rest = Some(fdb::Cursor::START);
    /// while let Some(cursor) = rest {
    ///     let mut lines = fdb.iter_some(cursor, 1_000);
    ///     for record in lines.by_ref() {
    ///         println!("{record:?}");
    ///     }
    ///     rest = lines.rest(); // and now something else
    /// }
    /// ```
    #[must_use]
    pub fn iter_some(&self, cursor: Cursor, budget: u32) -> Iter<'_, S> {
        let below = cursor.below.min(self.head.entries.fresh);
        let mut iter = Iter {
            entries: Entries {
                fdb: self,
                below,
                budget,
            },
            records: None,
            told: 0,
        };
        if cursor.told > 0
            && below == cursor.below
            && let Some(at) = below.checked_sub(1)
        {
            iter.entries.below = at;
            if let Some(entry) = self.entry_at(at) {
                let mut records = entry.records();
                for _ in 0..cursor.told {
                    records.next();
                }
                (iter.records, iter.told) = (Some(records), cursor.told);
            }
        }
        iter
    }
}

impl<'a, S: Storage> IntoIterator for &'a Fdb<S> {
    type Item = Record;
    type IntoIter = Iter<'a, S>;

    fn into_iter(self) -> Iter<'a, S> {
        self.iter()
    }
}
