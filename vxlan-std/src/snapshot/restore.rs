//! A snapshot back into a device.

use core::time::Duration;
use std::collections::HashSet;
use std::time::SystemTime;

use vxlan_core::fdb::{self, Key, Mode, NexthopError, NexthopId, Record, Remote, Storage, Update};
use vxlan_core::{Device, Event, Instant};

use super::{Line, RestoreError, Snapshot, Target};
use crate::interface;

impl Snapshot {
    /// Gives `device` the entries of the snapshot that it does not have, and returns what there is
    /// to tell: a record for each line that was new. Entries that it has stay as they are; those of
    /// groups and the default entry get the remotes they lack. The time since the snapshot was taken
    /// counts as age. [`Restoring`] does it piece by piece.
    ///
    /// `nexthop` says whether a nexthop group can be used.
    ///
    /// # Errors
    /// A [`RestoreError`] for the first line that cannot be had; the table is as it was before.
    pub fn restore<S: Storage>(
        &self,
        device: &mut Device<S>,
        now: Instant,
        wall: SystemTime,
        mut nexthop: impl FnMut(NexthopId) -> Result<(), NexthopError>,
    ) -> Result<Vec<Record>, RestoreError> {
        let mut records = Vec::new();
        let mut restoring = Restoring::of(self);
        let all = (self, usize::MAX);
        while restoring.more(all, device, (now, wall), &mut nexthop, |event| {
            if let Event::Changed(record) = event {
                records.push(record);
            }
        })? {}
        Ok(records)
    }

    /// The same for a device that may have been configured otherwise since: what cannot be had is
    /// left out and returned as the second list.
    pub fn restore_fitting<S: Storage>(
        &self,
        device: &mut Device<S>,
        now: Instant,
        wall: SystemTime,
        mut nexthop: impl FnMut(NexthopId) -> Result<(), NexthopError>,
    ) -> (Vec<Record>, Vec<RestoreError>) {
        let (mut records, mut left) = (Vec::new(), Vec::new());
        if let Err(error) = self.check_vni(device) {
            return (records, vec![error]);
        }
        let away = wall.duration_since(self.taken).unwrap_or_default();
        let mut new = HashSet::new();
        for line in &self.lines {
            let target = line.target(device, &mut nexthop);
            match target.and_then(|target| line.restore(device, now, away, target, &mut new)) {
                Ok(record) => records.extend(record),
                Err(error) => left.push(error),
            }
        }
        (records, left)
    }

    fn check_vni<S: Storage>(&self, device: &Device<S>) -> Result<(), RestoreError> {
        let (snapshot, device) = (self.vni, device.config().vni());
        if snapshot == device {
            Ok(())
        } else {
            Err(RestoreError::Vni { snapshot, device })
        }
    }
}

/// A snapshot on its way back into a device, piece by piece, while the device is in use.
///
/// First all lines are looked at, then they are entered. If one cannot be had, those before it are
/// taken out again; what others change meanwhile stays.
#[derive(Debug)]
pub struct Restoring {
    /// Where the lines lead, as far as they have been looked at.
    targets: Vec<fdb::Target>,
    entered: usize,
    /// Which of them were new.
    added: Vec<usize>,
    /// Entries that came from the snapshot.
    new: HashSet<Key>,
    /// Why all of it is taken out again.
    failed: Option<RestoreError>,
}

impl Restoring {
    /// The start of it, with memory for all of `snapshot`.
    #[must_use]
    pub fn of(snapshot: &Snapshot) -> Self {
        Self {
            targets: Vec::with_capacity(snapshot.len()),
            entered: 0,
            added: Vec::with_capacity(snapshot.len()),
            new: HashSet::with_capacity(snapshot.len()),
            failed: None,
        }
    }

    /// Goes on for so many more lines of the snapshot, the same in each call. False once all of them
    /// are in the table. See [`Snapshot::restore`]; what changes is told at once, in both directions.
    ///
    /// # Errors
    /// A [`RestoreError`] for the first line that cannot be had, once nothing of the snapshot is
    /// left in the table. Not to be called again then.
    pub fn more<S: Storage>(
        &mut self,
        (snapshot, budget): (&Snapshot, usize),
        device: &mut Device<S>,
        (now, wall): (Instant, SystemTime),
        mut nexthop: impl FnMut(NexthopId) -> Result<(), NexthopError>,
        mut tell: impl FnMut(Event),
    ) -> Result<bool, RestoreError> {
        if self.failed.is_some() {
            self.undo(snapshot, budget, device, tell);
            let done = self.failed.take_if(|_| self.added.is_empty());
            return done.map_or(Ok(true), Err);
        }
        let known = self.targets.len();
        if known == 0 {
            snapshot.check_vni(device)?;
        }
        if known < snapshot.len() {
            // All that can be known beforehand, before anything changes.
            for line in snapshot.lines.iter().skip(known).take(budget) {
                self.targets.push(line.target(device, &mut nexthop)?);
            }
            return Ok(true);
        }
        let away = wall.duration_since(snapshot.taken).unwrap_or_default();
        let lines = snapshot.lines.iter().zip(&self.targets).enumerate();
        for (at, (line, target)) in lines.skip(self.entered).take(budget) {
            match line.restore(device, now, away, *target, &mut self.new) {
                Ok(Some(record)) => {
                    self.added.push(at);
                    tell(Event::Changed(record));
                }
                Ok(None) => {}
                Err(error) => {
                    self.failed = Some(error);
                    return Ok(true);
                }
            }
            self.entered = at + 1;
        }
        Ok(self.entered < snapshot.len())
    }

    /// Takes out again what was added, with its last destination an entry that is new.
    fn undo<S: Storage>(
        &mut self,
        snapshot: &Snapshot,
        budget: usize,
        device: &mut Device<S>,
        mut tell: impl FnMut(Event),
    ) {
        let kept = self.added.len().saturating_sub(budget);
        for at in self.added.drain(kept..).rev() {
            let (Some(line), Some(target)) = (snapshot.lines.get(at), self.targets.get(at)) else {
                continue;
            };
            let entry = device.fdb().find(&line.key);
            let new = self.new.contains(&line.key);
            if !entry.is_some_and(|entry| line.is_in(&entry, target, new)) {
                continue; // Somebody has made something else of it.
            }
            let remote = match target {
                fdb::Target::Remote(remote) => Some(remote),
                fdb::Target::Nexthop { .. } => None,
            };
            if let Ok(removed) = device.fdb_mut().remove(&line.key, remote) {
                removed.map(Event::Removed).for_each(&mut tell);
            }
        }
    }
}

impl Line {
    /// Adds the line, as old as it is if its entry is new; what there is to tell. `new` are the
    /// entries that came from this snapshot.
    fn restore<S: Storage>(
        &self,
        device: &mut Device<S>,
        now: Instant,
        away: Duration,
        target: fdb::Target,
        new: &mut HashSet<Key>,
    ) -> Result<Option<Record>, RestoreError> {
        let mac = self.key.mac;
        let added = self.add(device, now, target, new);
        let told = added.map_err(|error| RestoreError::Entry { mac, error })?;
        if told.is_some() && new.contains(&self.key) {
            self.date(device, now, away);
        }
        Ok(told)
    }

    /// Whether an entry still has what this line added; a new one, with nothing changed of it.
    fn is_in(&self, entry: &fdb::Entry<'_>, target: &fdb::Target, new: bool) -> bool {
        let leads = match target {
            fdb::Target::Remote(remote) => entry.remotes().any(|has| has == remote),
            fdb::Target::Nexthop { id, .. } => entry.nexthop() == Some(*id),
        };
        leads && (!new || entry.state() == self.state && entry.flags() == self.flags)
    }

    fn target<S: Storage>(
        &self,
        device: &Device<S>,
        nexthop: &mut impl FnMut(NexthopId) -> Result<(), NexthopError>,
    ) -> Result<fdb::Target, RestoreError> {
        let Key { mac, vni } = self.key;
        if device.key_in(mac, vni) != self.key {
            return Err(RestoreError::Network { mac, vni });
        }
        match &self.target {
            Target::Nexthop(id) => match nexthop(*id) {
                Ok(()) => Ok(fdb::Target::Nexthop {
                    id: *id,
                    validity: Ok(()),
                }),
                Err(error) => Err(RestoreError::Nexthop {
                    mac,
                    id: *id,
                    error,
                }),
            },
            Target::Remote {
                addr,
                port,
                vni,
                interface: name,
            } => {
                if addr.is_ipv6() != device.config().is_ipv6() {
                    return Err(RestoreError::Family(mac));
                }
                let ifindex = match name {
                    None => None,
                    Some(name) => Some(interface::index(name).ok_or_else(|| {
                        let name = name.clone();
                        RestoreError::Interface { mac, name }
                    })?),
                };
                Ok(fdb::Target::Remote(Remote {
                    addr: *addr,
                    port: *port,
                    vni: *vni,
                    ifindex,
                }))
            }
        }
    }

    /// What there is to tell if the line is new. `new` are the entries that came from this snapshot.
    fn add<S: Storage>(
        &self,
        device: &mut Device<S>,
        now: Instant,
        destination: fdb::Target,
        new: &mut HashSet<Key>,
    ) -> Result<Option<Record>, fdb::Error> {
        let key = self.key;
        let (made, state, flags, mode) = match device.fdb().find(&key) {
            None => (true, self.state, self.flags, Mode::EXCL),
            Some(entry) => {
                let floods = !key.mac.is_unicast() && entry.nexthop().is_none();
                if !floods || !matches!(destination, fdb::Target::Remote(_)) {
                    return Ok(None);
                }
                // Otherwise the entry would take the state and the flags of the snapshot.
                (false, entry.state(), entry.flags(), Mode::APPEND)
            }
        };
        let update = Update {
            key,
            state,
            flags,
            mode: Mode::CREATE | mode,
            destination,
            limit: device.config().limit().map_or(0, core::num::NonZero::get),
        };
        let told = device.fdb_mut().update(now, &update)?;
        if made {
            new.insert(key);
        }
        Ok(told)
    }

    /// Makes the entry as old as it is.
    fn date<S: Storage>(&self, device: &Device<S>, now: Instant, away: Duration) {
        let ago = |age: Duration| {
            let age = u64::try_from(age.saturating_add(away).as_millis()).unwrap_or(u64::MAX);
            Instant::from_millis(now.as_millis().saturating_sub(age))
        };
        if let Some(entry) = device.fdb().find(&self.key) {
            entry.touch_updated(ago(self.updated));
            entry.touch_used(ago(self.used));
        }
    }
}
