//! How many learned entries there are behind each remote address.
//!
//! The count of an address is the number of sharers of a remote slot that stands for the address
//! alone: no memory but that slot, one for each address, and none while nobody counts. It changes
//! with the entry, never by a walk.

use core::net::IpAddr;

use super::slot::{Stored, Wide};
use super::{Destination, Entry, Fdb, Flags, Full, Remote, State, Storage};

/// What stands for an address in the shared slots. No entry points there.
const fn tally(addr: IpAddr) -> Destination {
    Destination::Remote(Remote {
        addr,
        port: 0,
        vni: 0,
        ifindex: None,
    })
}

/// The address that an entry with one destination counts for.
fn address(held: &Destination, state: State, flags: Flags) -> Option<IpAddr> {
    let learned = !state.intersects(State::PERMANENT | State::NOARP)
        && !flags.intersects(Flags::ADDED_BY_USER | Flags::EXT_LEARNED);
    held.remote().filter(|_| learned).map(|remote| remote.addr)
}

impl Entry<'_> {
    /// Whether the entry is what traffic made and nobody has laid a hand on: neither permanent nor
    /// static, given neither by a user nor by a control plane, with one remote.
    ///
    /// A request through the device's door makes it the user's, whatever it changes; traffic that
    /// moves it does not. An entry that has got a list of remotes does not become a learned one
    /// again, though it may have lost all but one of them.
    #[must_use]
    pub fn is_learned(&self) -> bool {
        self.learned_behind().is_some()
    }

    /// The address that it counts for.
    fn learned_behind(&self) -> Option<IpAddr> {
        let Some(Stored::Slot(index)) = self.slot.stored() else {
            return None;
        };
        let slot = self.remotes.get(index)?;
        // All bits that matter are in the slot of the entry.
        let single = slot.sharers > 0;
        address(slot.held(), self.slot.state(), self.slot.flags()).filter(|_| single)
    }
}

impl<S: Storage> Fdb<S> {
    /// Counts the [learned](Entry::is_learned) entries behind each remote address from now on, or
    /// no longer. Walks over the table if that is news.
    ///
    /// While it counts, each address that has learned entries takes one more remote slot.
    ///
    /// # Errors
    /// [`Full::Remotes`] if there is no room for those; nothing is counted then.
    pub fn count_learned(&mut self, on: bool) -> Result<(), Full> {
        if on == self.head.counts_learned {
            return Ok(());
        }
        self.head.counts_learned = on;
        let all = self.head.entries.fresh;
        if !on {
            self.forget_learned(all);
            return Ok(());
        }
        for number in 0..all {
            let addr = self
                .entry_at(number)
                .and_then(|entry| entry.learned_behind());
            let room = self.room_to_count(None, addr);
            if room > 0
                && self
                    .storage
                    .reserve(0, self.head.remotes.needed(room))
                    .is_err()
            {
                self.forget_learned(number);
                self.head.counts_learned = false;
                return Err(Full::Remotes);
            }
            self.recount(None, addr);
        }
        Ok(())
    }

    /// How many learned entries there are behind this address; `None` while nobody counts.
    #[must_use]
    pub fn learned(&self, addr: IpAddr) -> Option<u32> {
        if !self.head.counts_learned {
            return None;
        }
        let tally = self.shared(&tally(addr), Wide::TALLY);
        let slot = tally.and_then(|index| self.storage.remotes().get(index));
        Some(slot.map_or(0, |slot| slot.sharers))
    }

    /// The first `end` entries no longer count.
    fn forget_learned(&mut self, end: u32) {
        for number in 0..end {
            let addr = self
                .entry_at(number)
                .and_then(|entry| entry.learned_behind());
            self.uncount(addr);
        }
    }

    /// The address that an entry counts for, if anybody counts.
    pub(super) fn counted(&self, number: u32) -> Option<IpAddr> {
        if !self.head.counts_learned {
            return None;
        }
        self.entry_at(number)?.learned_behind()
    }

    /// The address that a new entry is going to count for, or one that has no list.
    pub(super) fn to_count(
        &self,
        held: &Destination,
        state: State,
        flags: Flags,
    ) -> Option<IpAddr> {
        address(held, state, flags).filter(|_| self.head.counts_learned)
    }

    /// How many slots it takes to count an entry for the second address instead of the first.
    pub(super) fn room_to_count(&self, before: Option<IpAddr>, after: Option<IpAddr>) -> u32 {
        let Some(addr) = after.filter(|_| before != after) else {
            return 0;
        };
        let leaves = |addr| self.learned(addr) == Some(1);
        u32::from(self.learned(addr) == Some(0) && !before.is_some_and(leaves))
    }

    /// Counts an entry for the second address instead of the first. The caller has made room.
    pub(super) fn recount(&mut self, before: Option<IpAddr>, after: Option<IpAddr>) {
        if before == after {
            return;
        }
        // First, so that its slot can be taken again.
        self.uncount(before);
        if let Some(addr) = after {
            self.share(tally(addr), Wide::TALLY);
        }
    }

    fn uncount(&mut self, addr: Option<IpAddr>) {
        let shared = addr.and_then(|addr| self.shared(&tally(addr), Wide::TALLY));
        if let Some(index) = shared {
            self.unshare(index);
        }
    }
}
