//! Deleting: one entry or remote by request, many by a filter.

use core::net::IpAddr;

use super::cursor::{Cursor, Sweep};
use super::storage::Storage;
use super::table::Dying;
use super::{Entry, Error, Fdb, Flags, Key, NexthopId, Record, Remote, State};

/// Which entries and remotes to flush. The default is everything, the default entry included.
///
/// An entry has to meet all that is given. If `vni`, `port` or `addr` is given, only its remotes
/// that meet all three go, and the entry with the last of them; nexthop entries then stay.
///
/// ```
/// use vxlan_core::fdb::{Filter, Keep, State};
///
/// # use vxlan_core::{Mac, Salt, fdb};
/// # let mut fdb = fdb::Fdb::new(fdb::Fixed::<1, 1, 1>::new(), Salt::default());
/// // What goes when a device goes down (`vxlan_stop()`): all that is neither permanent nor
/// // static, but for the default entry.
/// let stop = Filter {
///     state_mask: State::PERMANENT | State::NOARP,
///     keep: Keep::Entry(fdb::Key { mac: Mac::ZERO, vni: 42 }),
///     ..Filter::default()
/// };
/// for record in fdb.flush(stop) {
///     println!("gone: {record:?}");
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The state that the bits of `state_mask` have to have.
    pub state: State,
    /// The bits of the state that matter.
    pub state_mask: State,
    /// The flags that the bits of `flags_mask` have to have.
    pub flags: Flags,
    /// The bits of the flags that matter.
    pub flags_mask: Flags,
    /// The network of the entry (`NDA_SRC_VNI`).
    pub src_vni: Option<u32>,
    /// The nexthop group of the entry.
    pub nexthop: Option<NexthopId>,
    /// The VNI of the remote.
    pub vni: Option<u32>,
    /// The port of the remote.
    pub port: Option<u16>,
    /// The address of the remote.
    pub addr: Option<IpAddr>,
    /// What to spare whatever else is given.
    pub keep: Keep,
}

/// What a flush spares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Keep {
    /// Nothing.
    #[default]
    Nothing,
    /// This entry: the device's own default entry when it goes down.
    Entry(Key),
    /// The default entries of all networks, as Linux 4.3 does when a device goes down.
    ZeroMac,
}

impl Filter {
    fn meets(&self, entry: &Entry<'_>) -> bool {
        let key = entry.key();
        let spared = match self.keep {
            Keep::Nothing => false,
            Keep::Entry(kept) => key == kept,
            Keep::ZeroMac => key.mac.is_zero(),
        };
        !spared
            && (self.state_mask.is_empty() || entry.state() & self.state_mask == self.state)
            && (self.flags_mask.is_empty() || entry.flags() & self.flags_mask == self.flags)
            && self.src_vni.is_none_or(|vni| key.vni == vni)
            && self.nexthop.is_none_or(|id| entry.nexthop() == Some(id))
    }

    const fn names_remotes(&self) -> bool {
        self.vni.is_some() || self.port.is_some() || self.addr.is_some()
    }

    fn meets_remote(&self, remote: &Remote) -> bool {
        self.vni.is_none_or(|vni| remote.vni == vni)
            && self.port.is_none_or(|port| remote.port == port)
            && self.addr.is_none_or(|addr| remote.addr == addr)
    }
}

/// What a delete or a flush takes out, one record for each `RTM_DELNEIGH` that Linux sends.
///
/// The work is done as the iterator is driven; dropping it does the rest. (Leaking it leaves the
/// rest in the table, and slots of an entry that was being told without use.)
#[derive(Debug)]
pub struct Removed<'a, S: Storage> {
    sweep: Sweep<'a, S>,
    filter: Filter,
}

impl<S: Storage> Iterator for Removed<'_, S> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        loop {
            if let Some(record) = self.sweep.bury() {
                return Some(record);
            }
            let number = self.sweep.step()?;
            self.sweep.dying = self.visit(number);
        }
    }
}

impl<S: Storage> core::iter::FusedIterator for Removed<'_, S> {}

impl<S: Storage> Removed<'_, S> {
    fn visit(&mut self, number: u32) -> Option<Dying> {
        let fdb = &mut *self.sweep.fdb;
        if !self.filter.meets(&fdb.entry_at(number)?) {
            None
        } else if self.filter.names_remotes() {
            fdb.take_remotes(number, |remote| self.filter.meets_remote(remote))
        } else {
            fdb.take(number)
        }
    }
}

impl<S: Storage> Drop for Removed<'_, S> {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}

impl<S: Storage> Fdb<S> {
    /// Deletes an entry, or one remote of it. Kernel: `vxlan_fdb_delete()`.
    ///
    /// Without a remote, or if its address is unspecified, the whole entry goes; it also goes
    /// with its last remote. A remote that the entry does not have is no error: nothing happens.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such entry.
    pub fn remove(&mut self, key: &Key, remote: Option<&Remote>) -> Result<Removed<'_, S>, Error> {
        let number = self.number(key).ok_or(Error::NotFound)?;
        Ok(Removed::by_request(self, number, remote))
    }

    /// Like [`remove`](Self::remove), but a remote that the entry does not have is an error, as
    /// in Linux 4.3.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such entry or it lacks the remote.
    pub fn remove_strictly(
        &mut self,
        key: &Key,
        remote: Option<&Remote>,
    ) -> Result<Removed<'_, S>, Error> {
        let entry = self.find(key).ok_or(Error::NotFound)?;
        match remote {
            Some(remote)
                if !remote.addr.is_unspecified()
                    && !entry.remotes().any(|present| present == remote) =>
            {
                Err(Error::NotFound)
            }
            _ => self.remove(key, remote),
        }
    }

    /// Deletes whatever meets `filter`, newest entries first. Kernel: `vxlan_flush()`.
    pub fn flush(&mut self, filter: Filter) -> Removed<'_, S> {
        self.flush_some(filter, Cursor::START, u32::MAX)
    }

    /// The same from `cursor` on, looking at `budget` places of entries at most, vacant ones
    /// included. [`Removed::finish`] says where to go on.
    ///
    /// ```
    /// # use vxlan_core::{Instant, Salt, fdb};
    /// # let mut fdb = fdb::Fdb::new(fdb::Fixed::<1, 1, 1>::new(), Salt::default());
    /// let mut rest = Some(fdb::Cursor::START);
    /// while let Some(cursor) = rest {
    ///     let mut removed = fdb.flush_some(fdb::Filter::default(), cursor, 1_000);
    ///     for record in removed.by_ref() {
    ///         println!("gone: {record:?}");
    ///     }
    ///     rest = removed.finish(); // and now something else
    /// }
    /// ```
    pub fn flush_some(&mut self, filter: Filter, cursor: Cursor, budget: u32) -> Removed<'_, S> {
        Removed {
            sweep: Sweep::new(self, cursor, budget),
            filter,
        }
    }
}

impl<S: Storage> Removed<'_, S> {
    /// Finishes the work and says where a flush has to go on; `None` if it is done.
    pub fn finish(mut self) -> Option<Cursor> {
        self.by_ref().for_each(drop);
        self.sweep.cursor()
    }
}

impl<'a, S: Storage> Removed<'a, S> {
    fn by_request(fdb: &'a mut Fdb<S>, number: u32, remote: Option<&Remote>) -> Self {
        let dying = match remote {
            Some(remote) if !remote.addr.is_unspecified() => {
                // `migrate` may make two remotes equal: the first of them goes.
                let mut done = false;
                fdb.take_remotes(number, |present| {
                    let hit = !done && present == remote;
                    done |= hit;
                    hit
                })
            }
            _ => fdb.take(number),
        };
        Self {
            sweep: Sweep::of(fdb, dying),
            filter: Filter::default(),
        }
    }
}
