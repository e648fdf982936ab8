//! The dump.

use core::iter::FusedIterator;

use super::entry::Records;
use super::slot::Link;
use super::storage::Storage;
use super::view::View;
use super::{Entry, Fdb, Record};
use crate::Instant;

/// The entries of a table, newest first.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    view: View<'a>,
    clock: Instant,
    next: Link,
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        let slot = self.view.entries.get(self.next?)?;
        self.next = slot.older;
        Some(Entry {
            slot,
            remotes: self.view.remotes,
            clock: self.clock,
        })
    }
}

impl FusedIterator for Entries<'_> {}

/// The lines of a dump: entries newest first, one record for each remote in list order.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    entries: Entries<'a>,
    records: Option<Records<'a>>,
}

impl Iterator for Iter<'_> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        loop {
            if let Some(record) = self.records.as_mut().and_then(Iterator::next) {
                return Some(record);
            }
            self.records = Some(self.entries.next()?.records());
        }
    }
}

impl FusedIterator for Iter<'_> {}

impl<S: Storage> Fdb<S> {
    /// All entries, newest first.
    #[must_use]
    pub fn entries(&self) -> Entries<'_> {
        Entries {
            view: self.storage.view(),
            clock: self.head.clock,
            next: self.head.newest,
        }
    }

    /// The lines of a dump (`vxlan_fdb_dump()`). A dump in several messages goes on with
    /// `iter().skip(n)` after `n` lines, as in Linux.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter {
            entries: self.entries(),
            records: None,
        }
    }
}

impl<'a, S: Storage> IntoIterator for &'a Fdb<S> {
    type Item = Record;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}
