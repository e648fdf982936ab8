//! Learning from received frames: look at a source address, decide, commit.

use core::net::IpAddr;

use super::limits::Refusal;
use crate::fdb::{self, Entry, Key, Mode, Remote, State, Storage, Update};
use crate::{Device, DropReason, Event, IfIndex, Instant, Mac, Underlay, Vni};

/// What snooping at a source address asks for. Decided on `&self`, applied by
/// [`Device::commit`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "a new source is learned by `Device::commit`"]
pub struct Snooped(pub(super) Option<Change>);

impl Snooped {
    /// Nothing to commit.
    pub const NOTHING: Self = Self(None);

    /// Whether there is nothing to commit: the hot case.
    #[must_use]
    #[inline]
    pub const fn is_nothing(&self) -> bool {
        self.0.is_none()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// The source is new.
    Learn(Key, Remote),
    /// The source is now behind this address.
    Migrate(Key, IpAddr),
}

impl<S: Storage> Device<S> {
    /// Looks at the source of a received frame. Kernel: `vxlan_snoop()`.
    #[inline]
    pub(super) fn snoop(
        &self,
        now: Instant,
        from: &Underlay,
        source: Mac,
        vni: Vni,
        snooped: &mut Snooped,
    ) -> Result<(), DropReason> {
        let compat = self.config.compat();
        // Before the look-up: the default entry has the all-zeros address, others may be groups'.
        if compat.refuse_invalid_source && !source.is_unicast() {
            return Err(DropReason::InvalidSourceMac);
        }
        let key = self.key_in(source, vni.get());
        let ifindex = match from.source {
            IpAddr::V6(address) if compat.learn_interface && address.is_unicast_link_local() => {
                from.ifindex
            }
            _ => None,
        };
        let Some(entry) = self.fdb.find(&key) else {
            return self.snoop_unknown(now, key, from.source, ifindex, snooped);
        };
        if compat.age_by_updated {
            entry.touch_updated(now);
        } else {
            entry.touch_used(now);
        }
        if entry.is_behind(from.source, ifindex) {
            return Ok(());
        }
        if entry.first_remote().is_none() {
            return Err(DropReason::EntryExists);
        }
        let pinned = if compat.pin_permanent {
            State::PERMANENT | State::NOARP
        } else {
            State::NOARP
        };
        if entry.state().intersects(pinned) {
            return Err(DropReason::EntryExists);
        }
        self.snoop_moved(now, &entry, from.source, snooped)
    }

    #[cold]
    fn snoop_moved(
        &self,
        now: Instant,
        entry: &Entry<'_>,
        addr: IpAddr,
        snooped: &mut Snooped,
    ) -> Result<(), DropReason> {
        let refusal = self.may_move(now, entry, addr).err();
        if refusal != Some(Refusal::Held) {
            *snooped = Snooped(Some(Change::Migrate(entry.key(), addr)));
        }
        refusal.map_or(Ok(()), |refusal| self.frame_of(refusal))
    }

    #[cold]
    fn snoop_unknown(
        &self,
        now: Instant,
        key: Key,
        source: IpAddr,
        ifindex: Option<IfIndex>,
        snooped: &mut Snooped,
    ) -> Result<(), DropReason> {
        if !self.is_up() {
            return Ok(());
        }
        let remote = Remote {
            addr: source,
            port: self.config.port(),
            vni: self.config.vni().get(),
            ifindex,
        };
        *snooped = Snooped(Some(Change::Learn(key, remote)));
        match self.may_learn(now, source) {
            Ok(()) => Ok(()),
            Err(refusal) => self.frame_of(refusal),
        }
    }

    /// Applies what was snooped and says what came of it.
    ///
    /// A source that cannot be learned, for instance because the table is full, is told as
    /// [`Event::LearnRefused`]; its frame is delivered all the same. A limit that Linux does not
    /// have is told as an event of its own. A device that has gone down
    /// since learns nothing, and nothing is learned in a network that has left its VNI filter.
    pub fn commit(&mut self, now: Instant, snooped: Snooped) -> Option<Event> {
        match snooped.0? {
            Change::Learn(..) if !self.is_up() => None,
            Change::Learn(key, _)
                if self.config.has_vni_filter() && self.vnis().find(key.vni).is_none() =>
            {
                None
            }
            Change::Learn(key, remote) => {
                if let Err(refusal) = self.may_learn(now, remote.addr) {
                    if self.fdb.find(&key).is_some() {
                        return None; // Another worker was first.
                    }
                    return self.refuse(now, refusal, key, remote.addr, None);
                }
                let update = Update {
                    key,
                    state: State::REACHABLE,
                    flags: fdb::Flags::SELF,
                    mode: Mode::CREATE | Mode::EXCL,
                    destination: remote.into(),
                    limit: self.limit(),
                };
                match self.fdb.update(now, &update) {
                    Ok(record) => {
                        self.has_learned(now);
                        record.map(Event::Learned)
                    }
                    // Another worker was first.
                    Err(fdb::Error::Exists) => None,
                    Err(error) => Some(Event::LearnRefused { key, error }),
                }
            }
            Change::Migrate(key, addr) => {
                let entry = self.fdb.find(&key)?;
                let from = entry.first_remote()?.addr;
                if let Err(refusal) = self.may_move(now, &entry, addr) {
                    return self.refuse(now, refusal, key, addr, Some(from));
                }
                // It has a remote, so what was missing can only be room for another one.
                let error = fdb::Error::Full(fdb::Full::Remotes);
                Some(match self.fdb.migrate(now, &key, addr) {
                    Some(record) => {
                        if from != addr {
                            self.has_moved(now, &key);
                        }
                        Event::Migrated { record, from }
                    }
                    None => Event::LearnRefused { key, error },
                })
            }
        }
    }
}
