//! Entries in slots. Knows nothing about what requests mean.

use super::bucket::{ENTRIES_MAX, others, place};
use super::entry::Snapshot;
use super::hash::Hashed;
use super::remotes::Left;
use super::slot::{EntrySlot, Stored};
use super::stamp::Stamp;
use super::{Error, Fdb, Flags, Full, Key, Record, Remote, State, Storage};
use crate::Instant;

/// The state of a table beside its slots.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) len: u32,
    pub(super) entries: Entries,
    pub(super) remotes: super::remotes::Pool,
    /// Learned entries are counted by address.
    pub(super) counts_learned: bool,
    /// A round of ageing that goes on.
    pub(super) round: Option<super::age::Round>,
    /// The time of the last change: near enough to tell what the 32-bit stamps stand for.
    pub(super) clock: Instant,
}

/// Which entry slots are in use.
#[derive(Debug, Default)]
pub(super) struct Entries {
    /// The number of the slot that was vacated last, plus one; zero for none.
    vacant: u32,
    /// The number of the first slot that was never used.
    pub(super) fresh: u32,
}

/// Vacated slots that are left alone, so that numbers tell the age.
const SPARED: u32 = 1024;

/// The number of a vacant slot, and whether it was used before.
pub(super) struct Vacancy(u32, bool);

/// What a new entry starts with.
pub(super) struct NewEntry {
    pub(super) key: Hashed,
    pub(super) state: State,
    pub(super) flags: Flags,
    pub(super) now: Stamp,
}

impl<S: Storage> Fdb<S> {
    /// The entry with this key and its number.
    // Always, since a call would write the result to the stack.
    #[inline(always)]
    pub(super) fn locate(&self, key: &Hashed) -> Option<(u32, &EntrySlot)> {
        if let Some(bucket) = self.storage.home(key.hash) {
            if let Some(found) = bucket.matches(key.hash.tags) {
                let number = bucket.number(place(found));
                if let Some(slot) = self.storage.entry(number)
                    && slot.has_key(key.mac, key.vni)
                {
                    return Some((number, slot));
                }
            } else if bucket.is_whole() {
                return None;
            }
        }
        self.locate_slowly(key.mac, key.vni)
    }

    /// It is not the first with its tag, or not at home.
    // Not the hash, which would have to be kept for it in every look-up.
    #[cold]
    #[inline(never)]
    pub(super) fn locate_slowly(&self, mac: u64, vni: u32) -> Option<(u32, &EntrySlot)> {
        let hash = self.hasher.hash(mac, vni);
        for steps in 0..2 {
            let Some(bucket) = self.storage.near(hash, steps) else {
                break;
            };
            let mut found = bucket.matches(hash.tags);
            while let Some(places) = found {
                let number = bucket.number(place(places));
                if let Some(slot) = self.storage.entry(number)
                    && slot.has_key(mac, vni)
                {
                    return Some((number, slot));
                }
                found = others(places);
            }
        }
        self.locate_anywhere(mac, vni)
    }

    /// It is far away, or the index is being rebuilt.
    #[cold]
    #[inline(never)]
    fn locate_anywhere(&self, mac: u64, vni: u32) -> Option<(u32, &EntrySlot)> {
        let hash = self.hasher.hash(mac, vni);
        let number = self.storage.search(&Hashed { mac, vni, hash })?;
        Some((number, self.storage.entry(number)?))
    }

    pub(super) fn number(&self, key: &Key) -> Option<u32> {
        self.locate(&self.hasher.key(key)).map(|(number, _)| number)
    }

    /// Does its share of rebuilding the index, if that goes on.
    pub(super) fn tend(&mut self) {
        if let Some(hasher) = self.storage.tend(self.head.len, &self.hasher) {
            self.hasher = hasher;
        }
    }

    /// A slot for one more entry.
    ///
    /// Numbers grow with time, so that a walk from the highest is a walk from the newest. Only
    /// when gone entries make up an eighth of the table, or there is no other slot, is one of
    /// theirs taken again.
    pub(super) fn vacancy(&mut self) -> Result<Vacancy, Full> {
        let Entries { vacant, fresh } = self.head.entries;
        let used = vacant.checked_sub(1);
        let gone = fresh.saturating_sub(self.head.len);
        match used {
            Some(number) if gone > SPARED.max(self.head.len / 8) => {
                return Ok(Vacancy(number, true));
            }
            _ => {}
        }
        let reserved = match fresh < ENTRIES_MAX {
            true => self.storage.reserve(fresh + 1, 0),
            false => Err(Full::Entries),
        };
        match (reserved, used) {
            (Ok(()), _) => Ok(Vacancy(fresh, false)),
            (Err(_), Some(number)) => Ok(Vacancy(number, true)),
            (Err(full), None) => Err(full),
        }
    }

    /// Makes an entry without a destination. The caller knows that the key is new, and points it
    /// somewhere at once.
    pub(super) fn insert(&mut self, vacancy: Vacancy, new: &NewEntry) -> Result<u32, Full> {
        let Vacancy(number, used) = vacancy;
        self.storage.place(&new.key, number)?;
        let slot = self.storage.entry_mut(number).ok_or(Full::Entries)?;
        if used {
            self.head.entries.vacant = slot.next_vacant();
        } else {
            self.head.entries.fresh = number + 1;
        }
        slot.set_key(new.key.mac, new.key.vni);
        slot.set_state(new.state, new.flags);
        slot.updated.set(new.now);
        slot.used.set(new.now);
        self.head.len += 1;
        Ok(number)
    }

    /// Takes an entry out; its remotes live on in what is returned.
    pub(super) fn take(&mut self, number: u32) -> Option<Dying> {
        let entry = self.entry_at(number)?;
        let counted = self.counted(number);
        let dying = Dying {
            entry: Snapshot::of(&entry),
            left: self.left(number)?,
        };
        self.recount(counted, None);
        let key = self.hasher.key(&dying.entry.key);
        self.storage.displace(&key, number);
        let next = self.head.entries.vacant;
        self.storage.entry_mut(number)?.vacate(next);
        self.head.entries.vacant = number + 1;
        self.head.len = self.head.len.saturating_sub(1);
        if self.head.len == 0 {
            self.head.entries = Entries::default();
        }
        Some(dying)
    }

    /// Takes those remotes out of an entry that `condemned` names, in list order; the entry goes
    /// with the last one. `None` if there are none.
    pub(super) fn take_remotes(
        &mut self,
        number: u32,
        condemned: impl FnMut(&Remote) -> bool,
    ) -> Option<Dying> {
        let entry = Snapshot::of(&self.entry_at(number)?);
        match self.take_from_list(number, condemned)? {
            (_, true) => self.take(number),
            (left, false) => Some(Dying { entry, left }),
        }
    }

    /// The next remote of what was taken out; its slot is vacant from now on.
    pub(super) fn bury(&mut self, dying: &mut Dying) -> Option<Record> {
        let destination = self.bury_one(&mut dying.left)?;
        Some(dying.entry.record(destination, self.head.clock))
    }

    /// A live entry, to be changed.
    pub(super) fn slot_mut(&mut self, number: u32) -> Result<&mut EntrySlot, Error> {
        self.storage.entry_mut(number).ok_or(Error::NotFound)
    }

    pub(super) fn stored(&self, number: u32) -> Option<Stored> {
        self.storage.entry(number)?.stored()
    }
}

/// What was taken out of the table and not yet told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dying {
    pub(super) entry: Snapshot,
    pub(super) left: Left,
}
