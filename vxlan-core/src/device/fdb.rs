//! The device's door to its forwarding database: defaults filled in, results told as events.

use core::iter::FusedIterator;

use crate::fdb::{
    self, Aged, Ageing, Clock, Cursor, Filter, Keep, Key, Mode, NexthopId, Remote, Removed, State,
    Storage, Target, Update,
};
use crate::{Device, Event, Instant, Mac};

impl<S: Storage> Device<S> {
    /// Adds a remote to the entry of a MAC address: `bridge fdb append MAC dev .. dst ..`.
    ///
    /// The entry is made if it does not exist; an existing one takes several remotes only if its
    /// address is a group or all zeros, otherwise nothing changes, as in Linux. Entries made here
    /// are permanent.
    ///
    /// ```
    /// use vxlan_core::{Config, Device, Instant, Mac, Vni, fdb};
    ///
    /// let mac = Mac::new([2, 0, 0, 0, 0, 1]);
    /// let storage = fdb::Fixed::<16, 16, 16>::new();
    /// let mut device = Device::new(Config::new(Vni::MIN), mac, storage, Instant::ZERO)?;
    /// for peer in ["192.0.2.2", "192.0.2.3"] {
    ///     let remote = device.remote(peer.parse()?);
    ///     device.fdb_append(Instant::ZERO, Mac::ZERO, remote)?; // flood to both
    /// }
    /// assert_eq!(device.fdb().iter().count(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// See [`fdb::Fdb::update`].
    pub fn fdb_append(
        &mut self,
        now: Instant,
        mac: Mac,
        remote: Remote,
    ) -> Result<Option<Event>, fdb::Error> {
        self.fdb_permanent(now, mac, remote, Mode::APPEND)
    }

    /// Makes the entry of a MAC address point to this remote instead of its first one:
    /// `bridge fdb replace MAC dev .. dst ..`. The entry is made if it does not exist.
    ///
    /// # Errors
    /// See [`fdb::Fdb::update`]: groups and the all-zeros address cannot be replaced.
    pub fn fdb_replace(
        &mut self,
        now: Instant,
        mac: Mac,
        remote: Remote,
    ) -> Result<Option<Event>, fdb::Error> {
        self.fdb_permanent(now, mac, remote, Mode::REPLACE)
    }

    /// Makes an entry that does not exist yet: `bridge fdb add MAC dev .. dst ..`.
    ///
    /// # Errors
    /// [`fdb::Error::Exists`] if it does; see [`fdb::Fdb::update`].
    pub fn fdb_add(
        &mut self,
        now: Instant,
        mac: Mac,
        remote: Remote,
    ) -> Result<Option<Event>, fdb::Error> {
        self.fdb_permanent(now, mac, remote, Mode::EXCL)
    }

    fn fdb_permanent(
        &mut self,
        now: Instant,
        mac: Mac,
        remote: Remote,
        mode: Mode,
    ) -> Result<Option<Event>, fdb::Error> {
        self.fdb_update(
            now,
            &Update {
                key: self.key(mac),
                state: State::PERMANENT | State::REACHABLE,
                flags: fdb::Flags::SELF,
                mode: Mode::CREATE | mode,
                destination: remote.into(),
                limit: self.limit(),
            },
        )
    }

    /// Makes or changes an entry exactly as asked, on behalf of the operator (`vxlan_fdb_add()`).
    /// The device's own limit holds, whatever the request says.
    ///
    /// # Errors
    /// [`fdb::Error::State`] unless the state is permanent or reachable, [`fdb::Error::Family`] for
    /// a remote of the other IP version; otherwise see [`fdb::Fdb::update`].
    pub fn fdb_update(
        &mut self,
        now: Instant,
        update: &Update,
    ) -> Result<Option<Event>, fdb::Error> {
        self.fdb_update_as(now, update.key.vni, update)
    }

    /// The same for a request that names a network (`NDA_SRC_VNI`): outside external mode the
    /// entry is looked for by the device's own and stored for this one, see
    /// [`fdb::Fdb::update_as`].
    ///
    /// # Errors
    /// See [`fdb_update`](Self::fdb_update).
    pub fn fdb_update_as(
        &mut self,
        now: Instant,
        src_vni: u32,
        update: &Update,
    ) -> Result<Option<Event>, fdb::Error> {
        if !update.state.intersects(State::PERMANENT | State::REACHABLE) {
            return Err(fdb::Error::State);
        }
        if matches!(update.destination, Target::Nexthop { .. }) && !self.config.compat().nexthops {
            return Err(fdb::Error::NoRemote);
        }
        if let Target::Remote(remote) = update.destination
            && remote.addr.is_ipv6() != self.config.is_ipv6()
        {
            return Err(fdb::Error::Family);
        }
        let update = Update {
            flags: update.flags | fdb::Flags::ADDED_BY_USER,
            limit: self.limit(),
            ..*update
        };
        let changed = self.fdb.update_as(now, src_vni, &update)?;
        Ok(changed.map(Event::Changed))
    }

    /// Deletes one remote of an entry, or the whole entry: `bridge fdb del MAC dev .. [dst ..]`.
    ///
    /// # Errors
    /// [`fdb::Error::NotFound`] without such an entry; for the old driver also if the entry lacks
    /// the remote.
    pub fn fdb_remove(
        &mut self,
        mac: Mac,
        remote: Option<&Remote>,
    ) -> Result<Removals<Removed<'_, S>>, fdb::Error> {
        self.fdb_remove_at(&self.key(mac), remote)
    }

    /// The same for a network of external mode.
    ///
    /// # Errors
    /// See [`fdb_remove`](Self::fdb_remove).
    pub fn fdb_remove_at(
        &mut self,
        key: &Key,
        remote: Option<&Remote>,
    ) -> Result<Removals<Removed<'_, S>>, fdb::Error> {
        let removed = if self.config.compat().strict_delete {
            self.fdb.remove_strictly(key, remote)?
        } else {
            self.fdb.remove(key, remote)?
        };
        Ok(Removals(removed))
    }

    /// Removes the entries that have not been heard of for the ageing time (`vxlan_cleanup()`).
    ///
    /// No call walks a large table: it looks at 8,192 entries at most.
    /// [`Removals::next_sweep`] says when to call it again, which is at once while there is more
    /// to look at.
    pub fn age(&mut self, now: Instant) -> Removals<Aged<'_, S>> {
        const BUDGET: u32 = 8_192;
        let ageing = self.ageing();
        Removals(self.fdb.age_some(now, ageing, BUDGET))
    }

    /// Takes the device down: entries that traffic made are flushed, the operator's stay
    /// (`vxlan_stop()`). Walks the whole table: see [`stop_some`](Self::stop_some).
    pub fn stop(&mut self) -> Removals<Removed<'_, S>> {
        self.stop_some(Cursor::START, u32::MAX)
    }

    /// The same in pieces: takes the device down and flushes from `cursor` on, looking at `budget`
    /// places of entries at most, vacant ones included. [`Removals::finish`] says where to go on.
    ///
    /// A device that is down still learns (see [`receive`](Self::receive)), behind the cursor as
    /// well: let nothing come in between the pieces.
    pub fn stop_some(&mut self, cursor: Cursor, budget: u32) -> Removals<Removed<'_, S>> {
        self.set_up(false);
        let filter = if self.config.compat().flush_spares_static {
            Filter {
                state_mask: State::PERMANENT | State::NOARP,
                keep: Keep::Entry(self.key(Mac::ZERO)),
                ..Filter::default()
            }
        } else {
            Filter {
                keep: Keep::ZeroMac,
                ..Filter::default()
            }
        };
        Removals(self.fdb.flush_some(filter, cursor, budget))
    }

    /// Removes the entries of a nexthop group that is gone and says how many there were. Nobody is
    /// told, as in Linux (`vxlan_fdb_nh_flush()`).
    pub fn nexthop_gone(&mut self, id: NexthopId) -> usize {
        let filter = Filter {
            nexthop: Some(id),
            ..Filter::default()
        };
        self.fdb.flush(filter).count()
    }

    /// Removes every entry, the default one included, as when the device is deleted
    /// (`vxlan_dellink()`). Walks the whole table: see [`clear_some`](Self::clear_some).
    pub fn clear(&mut self) -> Removals<Removed<'_, S>> {
        self.clear_some(Cursor::START, u32::MAX)
    }

    /// The same in pieces: from `cursor` on, looking at `budget` places of entries at most, vacant
    /// ones included. [`Removals::finish`] says where to go on.
    ///
    /// ```
    /// # use vxlan_core::{Config, Device, Instant, Mac, Vni, fdb};
    /// # let storage = fdb::Fixed::<1, 1, 1>::new();
    /// # let mac = Mac::new([2, 0, 0, 0, 0, 1]);
    /// # let mut device = Device::new(Config::new(Vni::MIN), mac, storage, Instant::ZERO)?;
    /// let mut rest = Some(fdb::Cursor::START);
    /// while let Some(cursor) = rest {
    ///     let mut removed = device.clear_some(cursor, 1_000);
    ///     for event in removed.by_ref() {
    ///         println!("{event:?}");
    ///     }
    ///     rest = removed.finish(); // and now something else
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn clear_some(&mut self, cursor: Cursor, budget: u32) -> Removals<Removed<'_, S>> {
        Removals(self.fdb.flush_some(Filter::default(), cursor, budget))
    }

    fn ageing(&self) -> Ageing {
        let compat = self.config.compat();
        let mut ageing = Ageing::new(self.config.ageing());
        if !compat.age_by_updated {
            ageing.clock = Clock::Used;
        }
        if !compat.age_spares_static {
            ageing.exempt_state = State::PERMANENT;
            ageing.exempt_flags = fdb::Flags::empty();
        }
        ageing
    }
}

/// What was removed, one event for each remote. Dropping it finishes the work.
#[derive(Debug)]
pub struct Removals<I>(I);

impl<I: Iterator<Item = fdb::Record>> Iterator for Removals<I> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        self.0.next().map(Event::Removed)
    }
}

impl<I: FusedIterator<Item = fdb::Record>> FusedIterator for Removals<I> {}

impl<S: Storage> Removals<Removed<'_, S>> {
    /// Finishes the work and says where to go on; `None` if it is done.
    pub fn finish(self) -> Option<Cursor> {
        self.0.finish()
    }
}

impl<S: Storage> Removals<Aged<'_, S>> {
    /// Finishes the sweep and says when the next one is due: when the first entry expires, in ten
    /// seconds at the latest; at once if the table is larger than one call looks at.
    #[must_use]
    pub fn next_sweep(self) -> Instant {
        self.0.deadline()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Vni};
    use core::net::IpAddr;

    fn device() -> Device<fdb::Fixed<8, 8, 8>> {
        let config = Config::new(Vni::MIN).remote(IpAddr::from([192, 0, 2, 1]));
        let mac = Mac::new([2, 0, 0, 0, 0, 1]);
        Device::new(config, mac, fdb::Fixed::new(), Instant::ZERO).unwrap()
    }

    fn update(device: &Device<fdb::Fixed<8, 8, 8>>, state: State, addr: IpAddr) -> Update {
        Update {
            key: device.key(Mac::new([2, 0, 0, 0, 0, 9])),
            state,
            flags: fdb::Flags::SELF,
            mode: Mode::CREATE,
            destination: device.remote(addr).into(),
            limit: 0,
        }
    }

    /// F-01: the checks before the table, in the kernel's order.
    #[test]
    fn f01_state_then_family() {
        let (v4, v6) = (IpAddr::from([192, 0, 2, 9]), IpAddr::from([0xfd; 16]));
        for (state, addr, want) in [
            (State::empty(), v6, Err(fdb::Error::State)),
            (State::NOARP, v4, Err(fdb::Error::State)),
            (State::PERMANENT, v6, Err(fdb::Error::Family)),
            (State::NOARP | State::REACHABLE, v4, Ok(())),
            (State::PERMANENT, v4, Ok(())),
        ] {
            let mut device = device();
            let update = update(&device, state, addr);
            let got = device.fdb_update(Instant::ZERO, &update).map(drop);
            assert_eq!(got, want, "{state:?} {addr}");
            assert_eq!(device.fdb().len(), 1 + usize::from(want.is_ok()));
        }
    }

    /// F-01: with a nexthop group its entries go, and only those.
    #[test]
    fn f01_nexthop_gone() {
        let mut device = device();
        for (last, id) in [(1, 7), (2, 8), (3, 7)] {
            let id = NexthopId::new(id).unwrap();
            let request = Update {
                key: device.key(Mac::new([2, 0, 0, 0, 0, last])),
                destination: fdb::Destination::Nexthop(id).into(),
                ..update(&device, State::PERMANENT, IpAddr::from([192, 0, 2, 9]))
            };
            device.fdb_update(Instant::ZERO, &request).unwrap();
        }
        assert_eq!(device.nexthop_gone(NexthopId::new(9).unwrap()), 0);
        assert_eq!(device.nexthop_gone(NexthopId::new(7).unwrap()), 2);
        let left: heapless::Vec<_, 4> = device
            .fdb()
            .iter()
            .map(|record| record.destination)
            .collect();
        assert!(left.contains(&fdb::Destination::Nexthop(NexthopId::new(8).unwrap())));
        assert_eq!(left.len(), 2, "and the default entry: {left:?}");
    }

    /// M-22, M-18: down keeps what the operator made and the default entry; gone keeps nothing.
    #[test]
    fn m22_stop_and_clear() {
        let mut device = device();
        let peer = IpAddr::from([192, 0, 2, 9]);
        for (last, state) in [
            (1, State::PERMANENT),
            (2, State::REACHABLE),
            (3, State::NOARP | State::REACHABLE),
        ] {
            let key = device.key(Mac::new([2, 0, 0, 0, 0, last]));
            let update = Update {
                key,
                ..update(&device, state, peer)
            };
            device.fdb_update(Instant::ZERO, &update).unwrap();
        }
        assert_eq!(device.stop().count(), 1);
        assert_eq!(device.fdb().len(), 3);
        assert_eq!(device.clear().count(), 3);
        assert!(device.fdb().is_empty());
    }

    /// L-03: two stations share the only remote; there is no room for one of them to move.
    #[test]
    fn l03_a_move_without_room_is_told() {
        let config = Config::new(Vni::MIN);
        let own = Mac::new([2, 0, 0, 0, 0, 1]);
        let storage = fdb::Fixed::<1, 4, 1>::new();
        let mut device = Device::new(config, own, storage, Instant::ZERO).unwrap();
        device.set_up(true);
        let from = |last| crate::Underlay::new(IpAddr::from([192, 0, 2, last]));
        let station = |last| Mac::new([2, 0, 0, 0, 1, last]);
        let see = |device: &mut Device<_>, from: &_, station| {
            let mut snooped = crate::device::Snooped::NOTHING;
            let seen = device.snoop(Instant::ZERO, from, station, Vni::MIN, &mut snooped);
            seen.unwrap();
            device.commit(Instant::ZERO, snooped)
        };
        for last in [1, 2] {
            let event = see(&mut device, &from(1), station(last));
            assert!(matches!(event, Some(Event::Learned(_))), "{event:?}");
        }
        let event = see(&mut device, &from(2), station(1));
        let key = device.key(station(1));
        let error = fdb::Error::Full(fdb::Full::Remotes);
        assert_eq!(event, Some(Event::LearnRefused { key, error }));
        let entry = device.fdb().find(&key).unwrap();
        assert_eq!(
            entry.first_remote().unwrap().addr,
            IpAddr::from([192, 0, 2, 1])
        );
    }
}
