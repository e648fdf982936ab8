//! Creating and changing entries.

use core::net::IpAddr;

use super::slot::Wide;
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
    Append(Remote),
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
        match self.number(&update.key) {
            Some(number) => self.change(now, number, update),
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
        let number = self.number(key)?;
        let entry = self.entry_at(number)?;
        let moved = Remote {
            addr,
            ..*entry.first_remote()?
        };
        let wide = Wide::of(entry.state(), entry.flags());
        let counted = self.counted(number);
        let needed = self.slots_to_set(number, &moved.into(), wide)
            + self.room_to_count(counted, counted.map(|_| addr));
        self.reserve_remotes(needed).ok()?;
        self.set_first(number, moved.into(), wide)?;
        self.recount(counted, self.counted(number));
        let entry = self.entry_at(number)?;
        entry.touch_updated(now);
        entry.records().next()
    }

    fn reserve_remotes(&mut self, count: u32) -> Result<(), Error> {
        if count > 0 {
            let remotes = self.head.remotes.needed(count);
            self.storage.reserve(0, remotes)?;
        }
        Ok(())
    }

    /// An entry that exists: `vxlan_fdb_update_existing()`.
    fn change(
        &mut self,
        now: Instant,
        number: u32,
        update: &Update,
    ) -> Result<Option<Record>, Error> {
        let change = self.plan(number, update)?;
        let entry = self.entry_at(number).ok_or(Error::NotFound)?;
        let before = (entry.state(), entry.flags());
        // What a user said stands against what a switch learned by itself.
        let flags = update.flags.difference(Flags::USE);
        let after =
            match flags.contains(Flags::EXT_LEARNED) && before.1.contains(Flags::ADDED_BY_USER) {
                true => before,
                false => (update.state, flags),
            };
        let first = match change {
            Change::First(remote) => remote.into(),
            Change::Nexthop(id) => Destination::Nexthop(id),
            _ => entry.destination().ok_or(Error::NotFound)?,
        };
        let wide = Wide::of(after.0, after.1);
        let needed = match change {
            Change::Append(_) => self.slots_to_append(number),
            _ => self.slots_to_set(number, &first, wide),
        };
        let counted = self.counted(number);
        let counts = match change {
            Change::Append(_) => None,
            _ if self.has_list(number) => None,
            _ => self.to_count(&first, after.0, after.1),
        };
        self.reserve_remotes(needed + self.room_to_count(counted, counts))?;

        let mut appended = None;
        if let Change::Append(remote) = change {
            self.append(number, remote);
            appended = Some(remote);
        }
        self.set_first(number, first, wide);
        self.slot_mut(number)?.set_state(after.0, after.1);
        self.recount(counted, counts);
        let notify = match change {
            Change::None => after != before,
            // As in Linux the state and flags have changed by now and nobody is told.
            Change::Refused(error) => return Err(error),
            Change::Nexthop(_) | Change::First(_) | Change::Append(_) => true,
        };
        let entry = self.entry_at(number).ok_or(Error::NotFound)?;
        if notify || update.flags.contains(Flags::USE) {
            entry.touch_updated(now);
        }
        if !notify {
            return Ok(None);
        }
        Ok(entry.records().next().map(|first| match appended {
            Some(remote) => Record {
                destination: remote.into(),
                ..first
            },
            None => first,
        }))
    }

    /// What the request does to the destination of an entry. Errors before the entry is touched.
    fn plan(&self, number: u32, update: &Update) -> Result<Change, Error> {
        if update.mode.contains(Mode::EXCL) {
            return Err(Error::Exists);
        }
        let entry = self.entry_at(number).ok_or(Error::NotFound)?;
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
                // A nexthop entry's group stands for all remotes.
                let has = entry.remotes().any(|present| *present == remote);
                Ok(match has || entry.nexthop().is_some() {
                    true => Change::None,
                    false => Change::Append(remote),
                })
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
        let held = match update.destination {
            Target::Remote(remote) => remote.into(),
            Target::Nexthop { id, .. } => Destination::Nexthop(id),
        };
        let flags = update.flags.difference(Flags::USE);
        let wide = Wide::of(update.state, flags);
        let vacancy = self.vacancy()?;
        self.tend();
        let counts = self.to_count(&held, update.state, flags);
        let needed = self.slots_for(&held, wide) + self.room_to_count(None, counts);
        self.reserve_remotes(needed)?;
        let new = NewEntry {
            key: self.hasher.key(&key),
            state: update.state,
            flags,
            now: Stamp::at(now),
        };
        let number = self.insert(vacancy, &new)?;
        self.point(number, held, wide);
        self.recount(None, counts);
        let at = new.now.instant(now);
        Ok(Record {
            key,
            state: new.state,
            flags: new.flags,
            destination: held,
            updated: at,
            used: at,
        })
    }
}
