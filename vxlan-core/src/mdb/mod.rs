//! The multicast database: which remote VTEPs want a group, and from which sources.
//!
//! Behaves as that of Linux 6.18 (`vxlan_mdb.c`), which `bridge mdb` shows and changes: entries
//! for (*,G), (S,G) and "all other groups" with a list of remotes each, filter modes and lists of
//! sources; the same answers to the same requests, the same notifications, the same order (newest
//! first). A frame for a group is sent to those remotes instead of being flooded.
//!
//! It knows no packets, no devices and no clock. What it needs for a look-up is shared; changes
//! take `&mut self`. A device has one if its caller gives it memory ([`With`]); without, frames do
//! not pay for it.
//!
//! ```
//! use core::net::IpAddr;
//! use vxlan_core::fdb::Mode;
//! use vxlan_core::mdb::{Defaults, Fixed, Mdb, Request};
//!
//! let mut mdb = Mdb::new(Fixed::<16, 16, 16, 16>::new(), Default::default());
//! let group = IpAddr::from([239, 1, 1, 1]);
//! let request = Request::new(group)
//!     .remote(IpAddr::from([192, 0, 2, 2]))
//!     .mode(Mode::CREATE);
//! mdb.add(&request, Defaults { vni: 42, port: 4789 }, &mut |message, record| {
//!     println!("{message:?} {record:?}");
//! })?;
//! let entry = mdb.table().lookup([10, 0, 0, 1].into(), group, 42).ok_or("not found")?;
//! let mut copies = entry.copies().ok_or("nobody wants it")?;
//! assert_eq!(copies.next().map(|remote| remote.addr), request.remote);
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod dump;
mod entry;
mod error;
#[cfg(feature = "alloc")]
mod growable;
mod key;
mod remove;
mod request;
mod slot;
mod storage;
mod table;
#[cfg(test)]
mod tests;
mod update;
mod with;

use core::fmt;
use core::net::IpAddr;

pub use dump::{Cursor, Iter};
pub use entry::{Copies, Entry, Record, Records, Sources};
pub use error::Error;
#[cfg(feature = "alloc")]
pub use growable::Growable;
pub use key::{FilterMode, Key};
pub use remove::{Filter, check_flush};
pub use request::{Header, PROTOCOL_STATIC, Request, check_group};
pub use slot::{Bucket, GroupSlot, RemoteSlot, SourceSlot};
pub use storage::{Borrowed, Fixed, Full, Needed, Storage, View, ViewMut};
pub use with::With;

use crate::Salt;
pub(crate) use table::Head;

/// What stands for whatever a request leaves out: the device's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Defaults {
    /// The VNI, both of the entry and of the remote.
    pub vni: u32,
    /// The UDP destination port, host order.
    pub port: u16,
}

/// The kind of message that Linux sends about a [`Record`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Message {
    /// `RTM_NEWMDB`.
    New,
    /// `RTM_DELMDB`.
    Delete,
}

/// A multicast database to be read.
#[derive(Clone, Copy)]
pub struct Table<'a> {
    view: View<'a>,
    head: &'a Head,
}

impl<'a> Table<'a> {
    pub(crate) const fn new(head: &'a Head, view: View<'a>) -> Self {
        Self { view, head }
    }

    /// The number of entries. Remotes do not count.
    #[must_use]
    pub fn len(self) -> usize {
        self.head.len as usize
    }

    /// Whether there is no entry. Frames ask the table only if there is one (`VXLAN_F_MDB`).
    #[must_use]
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.head.len == 0
    }

    /// The entry with exactly this key.
    #[must_use]
    pub fn find(self, key: &Key) -> Option<Entry<'a>> {
        let view = self.view;
        let slot = view.group(view.find(&self.head.hasher, key)?)?;
        Some(Entry { slot, view })
    }

    /// The entry for a packet from `source` to `group` in the network `vni`
    /// (`vxlan_mdb_entry_skb_get()`): (S,G), else (*,G), else, unless the group is one of
    /// 224.0.0.0/24 or of link-local scope, the one for all other groups.
    #[must_use]
    pub fn lookup(self, source: IpAddr, group: IpAddr, vni: u32) -> Option<Entry<'a>> {
        let key = |source, group| Key { group, source, vni };
        self.find(&key(Some(source), group))
            .or_else(|| self.find(&key(None, group)))
            .or_else(|| {
                let all: IpAddr = match group {
                    _ if request::is_local(group) => return None,
                    IpAddr::V4(_) => IpAddr::from([0; 4]),
                    IpAddr::V6(_) => IpAddr::from([0; 16]),
                };
                self.find(&key(None, all))
            })
    }

    /// The entry that a request to show one names (`vxlan_mdb_get()`): group, source and network.
    ///
    /// # Errors
    /// For a source that cannot be one, and [`Error::NothingToGet`].
    pub fn get(self, request: &Request<'_>, defaults: Defaults) -> Result<Entry<'a>, Error> {
        request.check_source_alone()?;
        self.find(&request.key(defaults.vni))
            .ok_or(Error::NothingToGet)
    }
}

impl fmt::Debug for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("len", &self.head.len)
            .finish_non_exhaustive()
    }
}

/// A multicast database on its own. That of a [`Device`](crate::Device) lives in the storage of
/// the device, see [`With`].
#[derive(Clone)]
pub struct Mdb<M> {
    storage: M,
    head: Head,
}

impl<M: Storage> Mdb<M> {
    /// An empty table in `storage`. The salt decides about nothing but the order within the
    /// memory.
    pub fn new(mut storage: M, salt: Salt) -> Self {
        storage.view_mut().clear();
        Self {
            storage,
            head: Head::new(salt),
        }
    }

    /// The table, to be read.
    #[must_use]
    pub fn table(&self) -> Table<'_> {
        Table::new(&self.head, self.storage.view())
    }

    /// Adds a remote to an entry, or changes it. Kernel: `vxlan_mdb_add()`.
    ///
    /// Each source in the list of a (*,G) remote makes the same remote of the (S,G) entry, blocked
    /// if the list excludes it; a request with [`Mode::REPLACE`](crate::fdb::Mode::REPLACE) takes those away that it no longer
    /// names. `tell` is called for each `RTM_NEWMDB` and `RTM_DELMDB` that Linux sends, in its
    /// order, while it happens: one request may have any number of consequences.
    ///
    /// ```
    /// use vxlan_core::fdb::Mode;
    /// use vxlan_core::mdb::{Defaults, FilterMode, Fixed, Mdb, Request};
    ///
    /// let mut mdb = Mdb::new(Fixed::<8, 8, 8, 8>::new(), Default::default());
    /// let sources = ["192.0.2.7".parse()?];
    /// let request = Request::new("239.1.1.1".parse()?)
    ///     .remote("198.51.100.2".parse()?)
    ///     .sources(FilterMode::Include, &sources)
    ///     .mode(Mode::CREATE);
    /// let mut told = 0;
    /// mdb.add(&request, Defaults { vni: 42, port: 4789 }, &mut |_, _| told += 1)?;
    /// assert_eq!((told, mdb.table().len()), (2, 2), "(S,G) and (*,G)");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// See [`Request::check`] and [`Error`]. [`Error::Full`] changes nothing.
    pub fn add(
        &mut self,
        request: &Request<'_>,
        defaults: Defaults,
        tell: &mut dyn FnMut(Message, &Record<'_>),
    ) -> Result<(), Error> {
        self.head.add(&mut self.storage, request, defaults, tell)
    }

    /// Deletes a remote, its (S,G) remotes with it, and the entry with its last one. Kernel:
    /// `vxlan_mdb_del()`.
    ///
    /// Only group, source, network and address of the request name what goes, but all of it is
    /// checked. `tell` is called for each `RTM_DELMDB`.
    ///
    /// # Errors
    /// See [`Request::check`]; [`Error::NotFound`], [`Error::RemoteNotFound`].
    pub fn remove(
        &mut self,
        request: &Request<'_>,
        defaults: Defaults,
        tell: &mut dyn FnMut(Message, &Record<'_>),
    ) -> Result<(), Error> {
        self.head.remove(&mut self.storage, request, defaults, tell)
    }

    /// Deletes all remotes that meet `filter`, newest entries first (`vxlan_mdb_del_bulk()`).
    ///
    /// The work is bounded by the length of the table. `tell` is called for each `RTM_DELMDB`.
    pub fn flush(&mut self, filter: &Filter, tell: &mut dyn FnMut(Message, &Record<'_>)) {
        self.head.flush(&mut self.storage, filter, tell);
    }
}

impl<M> fmt::Debug for Mdb<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mdb")
            .field("len", &self.head.len)
            .finish_non_exhaustive()
    }
}
