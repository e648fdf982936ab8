//! Entries as a look-up, a dump or a notification shows them.

use core::iter::{Chain, FusedIterator};
use core::net::IpAddr;
use core::option;

use super::slot::{GroupSlot, Index, Link, RemoteSlot};
use super::storage::View;
use super::{FilterMode, Key};
use crate::fdb::Remote;

/// An entry in the table. The kernel's `struct vxlan_mdb_entry`.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    pub(super) slot: &'a GroupSlot,
    pub(super) view: View<'a>,
}

impl<'a> Entry<'a> {
    /// What the entry is found by.
    #[must_use]
    pub fn key(&self) -> Key {
        self.slot.key
    }

    /// Its remotes, the newest first.
    #[must_use]
    pub fn records(&self) -> Records<'a> {
        Records {
            key: self.slot.key,
            view: self.view,
            next: self.slot.newest,
        }
    }

    /// The remotes that frames go to, in the order in which Linux sends the copies: all but the
    /// newest, from new to old, then that one, which gets the original.
    ///
    /// `None` if there are none: every remote is blocked, or takes other sources only.
    #[must_use]
    #[inline]
    pub fn copies(&self) -> Option<Copies<'a>> {
        let mut rest = Usable {
            view: self.view,
            any_source: self.slot.key.is_any_source(),
            next: self.slot.newest,
        };
        let first = rest.next()?;
        Some(Copies {
            order: rest.chain(Some(first)),
        })
    }
}

/// The remotes of an entry with all that belongs to them.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    key: Key,
    view: View<'a>,
    pub(super) next: Link,
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        let slot = self.view.remote(self.next?)?;
        self.next = slot.older;
        Some(Record::new(self.key, slot, self.view))
    }
}

impl FusedIterator for Records<'_> {}

/// One line of a dump and the content of one notification: an entry with one of its remotes.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// What the entry is found by.
    pub key: Key,
    /// Where frames are sent. A VNI of zero stands for that of the entry.
    pub remote: Remote,
    /// What the list of sources means.
    pub filter: FilterMode,
    /// Nothing is sent there (`MDB_FLAGS_BLOCKED`).
    pub blocked: bool,
    /// Who made it (`MDBE_ATTR_RTPROT`).
    pub protocol: u8,
    sources: Sources<'a>,
}

impl<'a> Record<'a> {
    pub(super) fn new(key: Key, slot: &RemoteSlot, view: View<'a>) -> Self {
        Self {
            key,
            remote: slot.stated(),
            filter: slot.filter,
            blocked: slot.blocked,
            protocol: slot.protocol,
            sources: Sources {
                view,
                next: slot.sources,
            },
        }
    }

    /// The list of sources, the newest first.
    #[must_use]
    pub fn sources(&self) -> Sources<'a> {
        self.sources
    }
}

/// The sources of a remote.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    view: View<'a>,
    next: Link,
}

impl Iterator for Sources<'_> {
    type Item = IpAddr;

    fn next(&mut self) -> Option<IpAddr> {
        let slot = self.view.source(self.next?)?;
        self.next = slot.older;
        Some(slot.source)
    }
}

impl FusedIterator for Sources<'_> {}

/// The remotes that a frame goes to, in the order in which Linux sends the copies.
#[derive(Clone, Debug)]
pub struct Copies<'a> {
    order: Chain<Usable<'a>, option::IntoIter<&'a Remote>>,
}

impl<'a> Iterator for Copies<'a> {
    type Item = &'a Remote;

    #[inline]
    fn next(&mut self) -> Option<&'a Remote> {
        self.order.next()
    }
}

#[derive(Clone, Debug)]
struct Usable<'a> {
    view: View<'a>,
    any_source: bool,
    next: Option<Index>,
}

impl<'a> Iterator for Usable<'a> {
    type Item = &'a Remote;

    #[inline]
    fn next(&mut self) -> Option<&'a Remote> {
        loop {
            let slot = self.view.remote(self.next?)?;
            self.next = slot.older;
            // What an INCLUDE remote takes has (S,G) entries of its own.
            let other = self.any_source && slot.filter == FilterMode::Include;
            if !slot.blocked && !other {
                return Some(&slot.remote);
            }
        }
    }
}
