//! Adding and replacing remotes, with the (S,G) entries that lists of sources ask for.

use core::net::IpAddr;

use super::slot::{Index, Link, Mark, RemoteSlot};
use super::storage::Storage;
use super::table::{Head, TableMut};
use super::{Defaults, Error, FilterMode, Key, Message, Record, Request};
use crate::fdb::{Mode, Remote};

/// Whoever is told about each visible change.
pub(crate) type Tell<'t> = &'t mut dyn FnMut(Message, &Record<'_>);

/// What a request comes to for one remote of one entry.
struct Wanted {
    key: Key,
    remote: Remote,
    filter: FilterMode,
    blocked: bool,
    protocol: u8,
    mode: Mode,
}

impl Wanted {
    /// The (S,G) entry that a source in the list of this remote asks for.
    fn forward(&self, source: IpAddr) -> Self {
        Self {
            key: Key {
                source: Some(source),
                ..self.key
            },
            filter: FilterMode::Include,
            blocked: self.filter == FilterMode::Exclude,
            ..*self
        }
    }

    fn slot(&self) -> RemoteSlot {
        RemoteSlot {
            remote: self.as_sent(),
            vni_of_entry: self.remote.vni == 0,
            blocked: self.blocked,
            filter: self.filter,
            protocol: self.protocol,
            ..RemoteSlot::EMPTY
        }
    }

    fn as_sent(&self) -> Remote {
        Remote {
            vni: match self.remote.vni {
                0 => self.key.vni,
                vni => vni,
            },
            ..self.remote
        }
    }

    fn allows(&self, mode: Mode) -> bool {
        self.mode.contains(mode)
    }
}

impl Head {
    /// See [`Mdb::add`](super::Mdb::add).
    pub(crate) fn add<M: Storage + ?Sized>(
        &mut self,
        memory: &mut M,
        request: &Request<'_>,
        defaults: Defaults,
        tell: Tell<'_>,
    ) -> Result<(), Error> {
        request.check()?;
        let key = request.key(defaults.vni);
        let wanted = Wanted {
            key,
            remote: request.stated_remote(defaults.port, defaults.vni)?,
            filter: request.filter_for(&key),
            blocked: false,
            protocol: request.protocol,
            mode: request.mode,
        };
        let sources = request.sources.unwrap_or_default();
        let view = memory.view();
        let there = view
            .find(&self.hasher, &key)
            .and_then(|group| view.find_remote(group, wanted.remote.addr));
        match there {
            Some(_) if !wanted.allows(Mode::REPLACE) => return Err(Error::Exists),
            None if !wanted.allows(Mode::CREATE) => return Err(Error::NotCreated),
            _ => {}
        }
        self.make_room(memory, &wanted, there, sources)?;
        let mut table = TableMut::new(self, memory);
        match there {
            Some(remote) => table.replace(&wanted, remote, sources, tell),
            None => table.create(&wanted, sources, tell),
        }
    }

    /// Reserves all that the request can need, so that nothing has to be undone for want of room.
    fn make_room<M: Storage + ?Sized>(
        &mut self,
        memory: &mut M,
        wanted: &Wanted,
        there: Link,
        sources: &[IpAddr],
    ) -> Result<(), Error> {
        let view = memory.view();
        let missing = |key: &Key| match view.find(&self.hasher, key) {
            None => (1u32, 1u32),
            Some(group) => (
                0,
                u32::from(view.find_remote(group, wanted.remote.addr).is_none()),
            ),
        };
        let (mut groups, mut remotes) = missing(&wanted.key);
        let mut listed = 0u32;
        for source in sources {
            if there.is_none_or(|remote| view.find_source(remote, *source).is_none()) {
                listed = listed.saturating_add(1);
            }
            let (group, remote) = missing(&wanted.forward(*source).key);
            groups = groups.saturating_add(group);
            remotes = remotes.saturating_add(remote);
        }
        memory.reserve(self.needed(groups, remotes, listed))?;
        let mut spread = false;
        while memory.spread(self.len.saturating_add(groups)) {
            spread = true;
        }
        if spread {
            TableMut::new(self, memory).relink_all();
        }
        Ok(())
    }
}

impl TableMut<'_> {
    /// A remote that does not exist (`vxlan_mdb_remote_add()`).
    fn create(&mut self, wanted: &Wanted, sources: &[IpAddr], tell: Tell<'_>) -> Result<(), Error> {
        let group = match self.find(&wanted.key) {
            Some(group) => group,
            None => self.insert(wanted.key).ok_or(super::Full::Groups)?,
        };
        let remote = self
            .push_remote(group, wanted.slot())
            .ok_or(super::Full::Remotes)?;
        if let Err(error) = self.add_sources(wanted, remote, sources, tell) {
            self.unlink_remote(group, remote);
            self.bury(remote);
            self.remove_if_empty(group);
            return Err(error);
        }
        self.tell(Message::New, &wanted.key, remote, tell);
        Ok(())
    }

    /// A remote that exists (`vxlan_mdb_remote_replace()`).
    fn replace(
        &mut self,
        wanted: &Wanted,
        remote: Index,
        sources: &[IpAddr],
        tell: Tell<'_>,
    ) -> Result<(), Error> {
        self.mark_sources(remote, Mark::Unnamed);
        self.add_sources(wanted, remote, sources, tell)?;
        self.drop_sources(&wanted.key, remote, Mark::Unnamed, tell);
        self.mark_sources(remote, Mark::Kept);
        self.overwrite(wanted, remote, tell);
        Ok(())
    }

    /// Adds the sources of a list and the (S,G) entries for them. If one fails, what was made for
    /// the others goes again.
    fn add_sources(
        &mut self,
        wanted: &Wanted,
        remote: Index,
        sources: &[IpAddr],
        tell: Tell<'_>,
    ) -> Result<(), Error> {
        for source in sources {
            let result = self.add_source(wanted, remote, *source, tell);
            if result.is_err() {
                self.drop_sources(&wanted.key, remote, Mark::New, tell);
                self.mark_sources(remote, Mark::Kept);
                return result;
            }
        }
        Ok(())
    }

    fn add_source(
        &mut self,
        wanted: &Wanted,
        remote: Index,
        source: IpAddr,
        tell: Tell<'_>,
    ) -> Result<(), Error> {
        let forward = wanted.forward(source);
        match self.view.read().find_source(remote, source) {
            Some(_) if !wanted.allows(Mode::REPLACE) => Err(Error::SourceExists),
            Some(known) => {
                self.forward(&forward, tell)?;
                if let Some(slot) = self.source_mut(known)
                    && slot.mark == Mark::Unnamed
                {
                    slot.mark = Mark::Kept;
                }
                Ok(())
            }
            None => {
                let new = self
                    .push_source(remote, source)
                    .ok_or(super::Full::Sources)?;
                let result = self.forward(&forward, tell);
                if result.is_err() {
                    self.remove_source(remote, new);
                }
                result
            }
        }
    }

    /// The (S,G) remote of a source; it has no sources itself.
    fn forward(&mut self, wanted: &Wanted, tell: Tell<'_>) -> Result<(), Error> {
        let there = self
            .find(&wanted.key)
            .and_then(|group| self.view.read().find_remote(group, wanted.remote.addr));
        match there {
            Some(_) if !wanted.allows(Mode::REPLACE) => Err(Error::Exists),
            Some(remote) => {
                self.overwrite(wanted, remote, tell);
                Ok(())
            }
            None if !wanted.allows(Mode::CREATE) => Err(Error::NotCreated),
            None => {
                let group = match self.find(&wanted.key) {
                    Some(group) => group,
                    None => self.insert(wanted.key).ok_or(super::Full::Groups)?,
                };
                let remote = self
                    .push_remote(group, wanted.slot())
                    .ok_or(super::Full::Remotes)?;
                self.tell(Message::New, &wanted.key, remote, tell);
                Ok(())
            }
        }
    }

    /// Gives a remote all but its place and its sources.
    fn overwrite(&mut self, wanted: &Wanted, remote: Index, tell: Tell<'_>) {
        if let Some(slot) = self.remote_mut(remote) {
            *slot = RemoteSlot {
                serial: slot.serial,
                sources: slot.sources,
                older: slot.older,
                ..wanted.slot()
            };
        }
        self.tell(Message::New, &wanted.key, remote, tell);
    }

    fn mark_sources(&mut self, remote: Index, mark: Mark) {
        let mut link = self
            .view
            .read()
            .remote(remote)
            .and_then(|slot| slot.sources);
        while let Some(index) = link {
            let Some(slot) = self.source_mut(index) else {
                return;
            };
            slot.mark = mark;
            link = slot.older;
        }
    }

    /// Removes the sources that bear this mark, newest first, and their (S,G) remotes.
    fn drop_sources(&mut self, key: &Key, remote: Index, mark: Mark, tell: Tell<'_>) {
        let mut link = self
            .view
            .read()
            .remote(remote)
            .and_then(|slot| slot.sources);
        while let Some(index) = link {
            let Some(slot) = self.view.read().source(index) else {
                return;
            };
            let (source, found) = (slot.source, slot.mark == mark);
            link = slot.older;
            if found {
                self.remove_forward(key, remote, source, tell);
                self.remove_source(remote, index);
            }
        }
    }

    pub(super) fn tell(&self, message: Message, key: &Key, remote: Index, tell: Tell<'_>) {
        let view = self.view.read();
        if let Some(slot) = view.remote(remote) {
            tell(message, &Record::new(*key, slot, view));
        }
    }
}
