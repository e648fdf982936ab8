//! The dump, which may go on after the table has changed.

use core::iter::FusedIterator;

use super::Table;
use super::entry::{Entry, Record, Records};
use super::slot::{Index, Link};
use super::storage::View;

/// Where a dump stands. The default is its start.
///
/// Entries and remotes are dumped from new to old. What is there all the time shows exactly once,
/// however much comes and goes in between; nothing shows twice. Of what is made meanwhile only a
/// remote of an entry that the dump has not reached shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// The entry of the last line, with the serial that tells whether it is still the same.
    at: Option<(Index, u64)>,
    /// The serial of the last line's remote.
    remote: u64,
}

/// The lines of a dump: entries and within them remotes, newest first.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    view: View<'a>,
    next: Link,
    records: Option<Records<'a>>,
    cursor: Cursor,
}

impl Iter<'_> {
    /// Where the dump stands: behind the last line that was taken.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        self.cursor
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        loop {
            if let Some(records) = &mut self.records
                && let Some(at) = records.next
                && let Some(record) = records.next()
            {
                self.cursor.remote = self.view.remote(at)?.serial;
                return Some(record);
            }
            let index = self.next?;
            let slot = self.view.group(index)?;
            self.next = slot.older;
            self.cursor = Cursor {
                at: Some((index, slot.serial)),
                remote: u64::MAX,
            };
            self.records = Some(
                Entry {
                    slot,
                    view: self.view,
                }
                .records(),
            );
        }
    }
}

impl FusedIterator for Iter<'_> {}

impl<'a> Table<'a> {
    /// The lines of a dump (`vxlan_mdb_dump()`).
    #[must_use]
    pub fn iter(self) -> Iter<'a> {
        self.resume(Cursor::default())
    }

    /// The lines of a dump behind `cursor`, which an earlier dump of this table gave.
    ///
    /// If the entry of the last line is gone, its place is searched for: one pass over the table.
    #[must_use]
    pub fn resume(self, cursor: Cursor) -> Iter<'a> {
        let view = self.view;
        let mut iter = Iter {
            view,
            next: self.head.newest,
            records: None,
            cursor,
        };
        let Some((index, serial)) = cursor.at else {
            return iter;
        };
        if let Some(slot) = view.group(index)
            && slot.serial == serial
        {
            let mut records = Entry { slot, view }.records();
            // What the dump has not told yet is older than what it told last.
            while let Some(at) = records.next
                && let Some(remote) = view.remote(at)
                && remote.serial >= cursor.remote
            {
                records.next = remote.older;
            }
            iter.records = Some(records);
            iter.next = slot.older;
            return iter;
        }
        while let Some(at) = iter.next
            && let Some(slot) = view.group(at)
            && slot.serial >= serial
        {
            iter.next = slot.older;
        }
        iter
    }
}
