//! Creating and changing entries.

use core::net::IpAddr;

use super::slot::{Index, Stored};
use super::stamp::Stamp;
use super::storage::Storage;
use super::table::NewEntry;
use super::{
    Destination, Error, Fdb, Flags, Key, Mode, NexthopError, NexthopId, Record, Remote, State,
};
use crate::Instant;

/// A request to create or change an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Update {
    /// Which entry.
    pub key: Key,
    /// Its state from now on.
    pub state: State,
    /// Its flags from now on. [`Flags::USE`] is not stored; it refreshes `updated` of an entry
    /// that exists.
    pub flags: Flags,
    /// How to treat what is there and what is not.
    pub mode: Mode,
    /// Where it is to point to.
    pub destination: Target,
    /// How many entries there may be, 0 for no limit. Entries count, remotes do not.
    pub limit: u32,
}

/// The destination that a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A remote.
    Remote(Remote),
    /// A nexthop group.
    Nexthop {
        /// Its number.
        id: NexthopId,
        /// Whether it can be used: the table knows no nexthops.
        validity: Result<(), NexthopError>,
    },
}

impl From<Remote> for Target {
    fn from(remote: Remote) -> Self {
        Self::Remote(remote)
    }
}

impl From<Destination> for Target {
    /// A nexthop group is taken to be usable.
    fn from(destination: Destination) -> Self {
        match destination {
            Destination::Remote(remote) => Self::Remote(remote),
            Destination::Nexthop(id) => Self::Nexthop {
                id,
                validity: Ok(()),
            },
        }
    }
}

/// What becomes of the destination of an entry that exists.
enum Change {
    None,
    Refused(Error),
    Nexthop(NexthopId),
    First(Remote),
    Append { last: Index, remote: Remote },
}

impl<S: Storage> Fdb<S> {
    /// Creates or changes an entry. Kernel: `vxlan_fdb_update()`, in its order of checks.
    ///
    /// The record is the content of the one `RTM_NEWNEIGH` that Linux sends; `None` means that
    /// nothing changed.
    ///
    /// An entry that exists takes the state and the flags (those that a user gave are not changed
    /// by external learning). Its destination changes only with [`Mode::REPLACE`], for unicast
    /// addresses, or [`Mode::APPEND`], for groups and the all-zeros address; otherwise the request
    /// succeeds and leaves it. Appending looks at all remotes of the entry.
    ///
    /// A remote for a nexthop entry succeeds and leaves the nexthop group. (Linux keeps a remote
    /// *appended* to one out of sight and tells about it once; here nothing is kept or told.)
    ///
    /// # Errors
    /// [`Error`] names the reasons and says where Linux changes something all the same.
    /// [`Error::Full`] changes nothing.
    pub fn update(&mut self, now: Instant, update: &Update) -> Result<Option<Record>, Error> {
        self.update_as(now, update.key.vni, update)
    }

    /// Like [`update`](Self::update), but a new entry belongs to the network `src_vni`
    /// (`NDA_SRC_VNI`).
    ///
    /// Outside external mode Linux looks entries up by the device's VNI whatever was asked, and
    /// stores what was asked. Such an entry is never found again, and creating it twice is
    /// [`Error::Exists`].
    ///
    /// # Errors
    /// See [`update`](Self::update).
    pub fn update_as(
        &mut self,
        now: Instant,
        src_vni: u32,
        update: &Update,
    ) -> Result<Option<Record>, Error> {
        self.head.clock = now;
        match self.table_mut().find(&update.key) {
            Some(index) => self.change(now, index, update),
            None => {
                let key = Key {
                    mac: update.key.mac,
                    vni: src_vni,
                };
                self.create(now, key, update).map(Some)
            }
        }
    }

    /// Points the first remote of an entry to another address; all else of it stays. Kernel:
    /// `vxlan_snoop()`, when traffic says that a station has moved.
    ///
    /// `None` if there is no such entry or it has a nexthop group. The caller decides whether the
    /// entry may move. As in Linux nobody looks whether a later remote has that address already;
    /// only groups have several, and no station sends from a group address.
    pub fn migrate(&mut self, now: Instant, key: &Key, addr: IpAddr) -> Option<Record> {
        self.head.clock = now;
        let mut table = self.table_mut();
        let index = table.find(key)?;
        let first = table.first_remote_mut(index)?;
        first.addr = addr;
        table.entry(index)?.updated.set(Stamp::at(now));
        self.entry_at(index)?.records().next()
    }

    /// An entry that exists: `vxlan_fdb_update_existing()`.
    fn change(
        &mut self,
        now: Instant,
        index: Index,
        update: &Update,
    ) -> Result<Option<Record>, Error> {
        let change = self.plan(index, update)?;
        if let Change::Append { .. } = change {
            let (entries, remotes) = (0, self.head.remotes.needed());
            self.storage.reserve(entries, remotes)?;
        }

        let mut table = self.table_mut();
        let slot = table.entry_mut(index).ok_or(Error::NotFound)?;
        let flags = update.flags.difference(Flags::USE);
        let mut notify = false;
        // What a user said stands against what a switch learned by itself.
        if !(flags.contains(Flags::EXT_LEARNED) && slot.flags.contains(Flags::ADDED_BY_USER)) {
            notify = slot.state != update.state || slot.flags != flags;
            slot.state = update.state;
            slot.flags = flags;
        }
        let mut appended = None;
        match change {
            Change::None => {}
            // As in Linux the state and flags have changed by now and nobody is told.
            Change::Refused(error) => return Err(error),
            Change::Nexthop(id) => {
                slot.destination = Stored::Nexthop(id);
                notify = true;
            }
            Change::First(remote) => {
                if let Some(first) = table.first_remote_mut(index) {
                    *first = remote;
                }
                notify = true;
            }
            Change::Append { last, remote } => {
                let new = table.new_remote(remote);
                if let Some(slot) = table.view.remotes.get_mut(last) {
                    slot.next = new;
                }
                appended = Some(remote);
                notify = true;
            }
        }
        if (notify || update.flags.contains(Flags::USE))
            && let Some(slot) = table.entry(index)
        {
            slot.updated.set(Stamp::at(now));
        }
        if !notify {
            return Ok(None);
        }
        let record = self
            .entry_at(index)
            .and_then(|entry| entry.records().next());
        Ok(record.map(|first| match appended {
            Some(remote) => Record {
                destination: remote.into(),
                ..first
            },
            None => first,
        }))
    }

    /// What the request does to the destination of an entry. Errors before the entry is touched.
    fn plan(&self, index: Index, update: &Update) -> Result<Change, Error> {
        if update.mode.contains(Mode::EXCL) {
            return Err(Error::Exists);
        }
        let entry = self.entry_at(index).ok_or(Error::NotFound)?;
        if let Target::Nexthop { .. } = update.destination {
            if entry.nexthop().is_none() {
                return Err(Error::NotNexthop);
            }
            if update.mode.contains(Mode::APPEND) {
                return Err(Error::AppendNexthop);
            }
        }
        let unicast = update.key.mac.is_unicast();
        if update.mode.contains(Mode::REPLACE) {
            return Ok(match update.destination {
                _ if !unicast => Change::Refused(Error::ReplaceGroup),
                Target::Nexthop { id, .. } if entry.nexthop() == Some(id) => Change::None,
                Target::Nexthop { id, validity } => match validity {
                    Ok(()) => Change::Nexthop(id),
                    Err(error) => Change::Refused(error.into()),
                },
                Target::Remote(remote) => {
                    if entry.nexthop().is_some() || entry.remotes().any(|r| *r == remote) {
                        Change::None
                    } else {
                        Change::First(remote)
                    }
                }
            });
        }
        match update.destination {
            Target::Remote(remote) if update.mode.contains(Mode::APPEND) && !unicast => {
                // No last remote means a nexthop entry, whose group stands for all of them.
                let mut last = None;
                let mut remotes = entry.remotes();
                while let Some(index) = remotes.next {
                    if remotes.next() == Some(&remote) {
                        return Ok(Change::None);
                    }
                    last = Some(index);
                }
                Ok(last.map_or(Change::None, |last| Change::Append { last, remote }))
            }
            _ => Ok(Change::None),
        }
    }

    /// An entry that does not exist: `vxlan_fdb_update_create()`.
    fn create(&mut self, now: Instant, key: Key, update: &Update) -> Result<Record, Error> {
        if !update.mode.contains(Mode::CREATE) {
            return Err(Error::NotFound);
        }
        if update.mode.contains(Mode::REPLACE) && !key.mac.is_unicast() {
            return Err(Error::ReplaceMissingGroup);
        }
        if update.limit != 0 && self.head.len >= update.limit {
            return Err(Error::LimitReached);
        }
        if let Target::Nexthop { validity, .. } = update.destination {
            validity?;
        }
        // Not found, yet there: see `update_as`.
        if key != update.key && self.find(&key).is_some() {
            return Err(Error::Exists);
        }
        let remotes = match update.destination {
            Target::Remote(_) => self.head.remotes.needed(),
            Target::Nexthop { .. } => 0,
        };
        self.storage.reserve(self.head.entries.needed(), remotes)?;
        self.storage.spread(self.head.len, &self.hasher)?;

        let mut table = self.table_mut();
        let (destination, stored) = match update.destination {
            Target::Remote(remote) => {
                let first = table.new_remote(remote).ok_or(super::Full::Remotes)?;
                (remote.into(), Stored::Remotes(first))
            }
            Target::Nexthop { id, .. } => (Destination::Nexthop(id), Stored::Nexthop(id)),
        };
        let new = NewEntry {
            key,
            state: update.state,
            flags: update.flags.difference(Flags::USE),
            destination: stored,
            now: Stamp::at(now),
        };
        table.insert(&new).ok_or(super::Full::Entries)?;
        let at = new.now.instant(now);
        Ok(Record {
            key,
            state: new.state,
            flags: new.flags,
            destination,
            updated: at,
            used: at,
        })
    }
}
