//! A forwarding database as a list of lines that is too simple to be wrong.
//!
//! The tests of the table hold every storage to it; those against the live kernel include this file
//! and hold the kernel to it.

use core::net::IpAddr;
use core::time::Duration;
use std::collections::BTreeSet;
use std::vec;
use std::vec::Vec;

use super::*;

/// An entry of the model; the model is a list of them, newest first.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) key: Key,
    pub(super) state: State,
    pub(super) flags: Flags,
    pub(super) to: To,
    pub(super) updated: Instant,
    pub(super) used: Instant,
    /// A remote was added to it once.
    pub(super) listed: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum To {
    Remotes(Vec<Remote>),
    Nexthop(NexthopId),
}

impl Line {
    pub(super) fn records(&self) -> Vec<Record> {
        let destinations: Vec<Destination> = match &self.to {
            To::Remotes(remotes) => remotes.iter().copied().map(Destination::Remote).collect(),
            To::Nexthop(id) => vec![Destination::Nexthop(*id)],
        };
        let record = |destination| Record {
            key: self.key,
            state: self.state,
            flags: self.flags,
            destination,
            updated: self.updated,
            used: self.used,
        };
        destinations.into_iter().map(record).collect()
    }

    /// The address that the entry counts for as a learned one.
    pub(super) fn learned(&self) -> Option<IpAddr> {
        let touched = self.state.bits() & 0xc0 != 0 || self.flags.bits() & 0x110 != 0;
        match &self.to {
            To::Remotes(remotes) if !touched && !self.listed => Some(remotes[0].addr),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) entries: usize,
    pub(super) remotes: usize,
}

pub(super) struct Model {
    pub(super) lines: Vec<Line>,
    pub(super) room: Room,
    /// What the table says about the operation at hand: that there was no room for a remote, and
    /// where in the order a new entry came to be. Both are checked.
    pub(super) full: bool,
    pub(super) place: usize,
    /// Learned entries are counted.
    pub(super) counts: bool,
}

impl Model {
    /// Without entries.
    pub(super) const fn new(room: Room) -> Self {
        Self {
            lines: Vec::new(),
            room,
            full: false,
            place: 0,
            counts: false,
        }
    }

    pub(super) fn at(&self, key: &Key) -> Option<usize> {
        self.lines.iter().position(|line| line.key == *key)
    }

    /// How many learned entries there are behind an address.
    pub(super) fn learned(&self, addr: IpAddr) -> usize {
        let behind = |line: &&Line| line.learned() == Some(addr);
        self.lines.iter().filter(behind).count()
    }

    /// How many slots it takes to count the learned entries.
    pub(super) fn tallies(&self) -> usize {
        let learned: BTreeSet<_> = self.lines.iter().filter_map(Line::learned).collect();
        learned.len()
    }

    /// How many remote slots the entries need at most: equal ones may share.
    pub(super) fn slots(&self) -> usize {
        let count = |line: &Line| match &line.to {
            To::Remotes(remotes) => remotes.len(),
            To::Nexthop(_) => 1,
        };
        let tallies = if self.counts { self.tallies() } else { 0 };
        self.lines.iter().map(count).sum::<usize>() + tallies
    }

    pub(super) fn dump(&self) -> Vec<Record> {
        self.lines.iter().flat_map(Line::records).collect()
    }

    /// The two tables of `vxlan_fdb_update()`, row by row.
    pub(super) fn update(
        &mut self,
        now: Instant,
        src_vni: u32,
        u: &Update,
    ) -> Result<Option<Record>, Error> {
        let flags = u.flags - Flags::USE;
        let group = u.key.mac.is_multicast() || u.key.mac.is_zero();
        let (replace, append) = (
            u.mode.contains(Mode::REPLACE),
            u.mode.contains(Mode::APPEND),
        );
        let Some(at) = self.at(&u.key) else {
            let key = Key {
                mac: u.key.mac,
                vni: src_vni,
            };
            if !u.mode.contains(Mode::CREATE) {
                return Err(Error::NotFound);
            }
            if replace && group {
                return Err(Error::ReplaceMissingGroup);
            }
            if u.limit != 0 && self.lines.len() >= u.limit as usize {
                return Err(Error::LimitReached);
            }
            let to = match u.destination {
                Target::Remote(remote) => To::Remotes(vec![remote]),
                Target::Nexthop { id, validity } => {
                    validity?;
                    To::Nexthop(id)
                }
            };
            if self.at(&key).is_some() {
                return Err(Error::Exists);
            }
            if self.lines.len() == self.room.entries {
                return Err(Error::Full(Full::Entries));
            }
            if self.full {
                return Err(Error::Full(Full::Remotes));
            }
            let line = Line {
                key,
                state: u.state,
                flags,
                to,
                updated: now,
                used: now,
                listed: false,
            };
            let told = line.records()[0];
            self.lines.insert(self.place.min(self.lines.len()), line);
            return Ok(Some(told));
        };

        let line = &mut self.lines[at];
        if u.mode.contains(Mode::EXCL) {
            return Err(Error::Exists);
        }
        if let (Target::Nexthop { .. }, To::Remotes(_)) = (&u.destination, &line.to) {
            return Err(Error::NotNexthop);
        }
        if matches!(u.destination, Target::Nexthop { .. }) && append {
            return Err(Error::AppendNexthop);
        }
        // Room is looked for before anything changes.
        if self.full {
            return Err(Error::Full(Full::Remotes));
        }
        let mut told = None;
        if !(flags.contains(Flags::EXT_LEARNED) && line.flags.contains(Flags::ADDED_BY_USER)) {
            if line.state != u.state || line.flags != flags {
                told = Some(0);
            }
            line.state = u.state;
            line.flags = flags;
        }
        if replace {
            if group {
                return Err(Error::ReplaceGroup);
            }
            match (&u.destination, &mut line.to) {
                (Target::Nexthop { id, validity }, To::Nexthop(old)) if id != old => {
                    (*validity)?;
                    *old = *id;
                    told = Some(0);
                }
                (Target::Remote(remote), To::Remotes(remotes)) if !remotes.contains(remote) => {
                    remotes[0] = *remote;
                    told = Some(0);
                }
                _ => {}
            }
        }
        if append
            && group
            && let (Target::Remote(remote), To::Remotes(remotes)) = (&u.destination, &mut line.to)
            && !remotes.contains(remote)
        {
            remotes.push(*remote);
            line.listed = true;
            told = Some(remotes.len() - 1);
        }
        if u.flags.contains(Flags::USE) || told.is_some() {
            line.updated = now;
        }
        Ok(told.map(|which| line.records()[which]))
    }

    pub(super) fn remove(
        &mut self,
        key: &Key,
        remote: Option<&Remote>,
        strict: bool,
    ) -> Result<Vec<Record>, Error> {
        let at = self.at(key).ok_or(Error::NotFound)?;
        let records = self.lines[at].records();
        if let Some(remote) = remote.filter(|remote| !remote.addr.is_unspecified()) {
            let is = |record: &Record| record.destination == Destination::Remote(*remote);
            let Some(which) = records.iter().position(is) else {
                return if strict {
                    Err(Error::NotFound)
                } else {
                    Ok(vec![])
                };
            };
            if let To::Remotes(remotes) = &mut self.lines[at].to
                && remotes.len() > 1
            {
                remotes.remove(which);
                return Ok(vec![records[which]]);
            }
        }
        self.lines.remove(at);
        Ok(records)
    }

    pub(super) fn migrate(&mut self, now: Instant, key: &Key, addr: IpAddr) -> Option<Record> {
        let at = self.at(key)?;
        let line = &mut self.lines[at];
        let To::Remotes(remotes) = &mut line.to else {
            return None;
        };
        if self.full {
            return None;
        }
        remotes[0].addr = addr;
        line.updated = now;
        Some(line.records()[0])
    }

    pub(super) fn age(&mut self, now: Instant, ageing: &Ageing) -> (Vec<Record>, Instant) {
        let mut gone = vec![];
        let mut next = now + Duration::from_secs(10);
        self.lines.retain_mut(|line| {
            if line.state.intersects(ageing.exempt_state)
                || line.flags.intersects(ageing.exempt_flags)
            {
                return true;
            }
            let since = match ageing.clock {
                Clock::Updated => line.updated,
                Clock::Used => line.used,
            };
            let due = since + ageing.interval;
            if due <= now {
                line.state = State::STALE;
                gone.extend(line.records());
                return false;
            }
            next = next.min(due);
            true
        });
        (gone, next)
    }

    pub(super) fn flush(&mut self, f: &Filter) -> Vec<Record> {
        let mut gone = vec![];
        self.lines.retain_mut(|line| {
            let nexthop = match line.to {
                To::Nexthop(id) => Some(id),
                To::Remotes(_) => None,
            };
            let kept = f.keep == Keep::Entry(line.key)
                || f.keep == Keep::ZeroMac && line.key.mac == Mac::ZERO;
            let meets = !kept
                && (f.state_mask.bits() == 0 || line.state & f.state_mask == f.state)
                && (f.flags_mask.bits() == 0 || line.flags & f.flags_mask == f.flags)
                && (f.src_vni.is_none() || f.src_vni == Some(line.key.vni))
                && (f.nexthop.is_none() || f.nexthop == nexthop);
            if !meets {
                return true;
            }
            let records = line.records();
            if f.vni.is_none() && f.port.is_none() && f.addr.is_none() {
                gone.extend(records);
                return false;
            }
            let To::Remotes(remotes) = &mut line.to else {
                return true;
            };
            let before = remotes.len();
            remotes.retain(|remote| {
                let meets = (f.vni.is_none() || f.vni == Some(remote.vni))
                    && (f.port.is_none() || f.port == Some(remote.port))
                    && (f.addr.is_none() || f.addr == Some(remote.addr));
                if meets {
                    let is = |r: &&Record| r.destination == Destination::Remote(*remote);
                    gone.extend(records.iter().find(is));
                }
                !meets
            });
            before == remotes.len() || !remotes.is_empty()
        });
        gone
    }
}
