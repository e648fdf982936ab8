//! The destinations of entries: those with one share it with all that have the same, those with
//! several have a list of their own.

use super::slot::{Index, Link, RemoteSlot, Stored, Wide};
use super::{Destination, Fdb, NexthopId, Remote, Storage};

/// Which remote slots are in use.
#[derive(Debug, Default)]
pub(super) struct Pool {
    free: Link,
    /// How many are free.
    vacant: u32,
    /// The position of the first slot that was never used.
    fresh: u32,
}

impl Pool {
    /// How many slots there have to be to take `count` more.
    pub(super) const fn needed(&self, count: u32) -> u32 {
        self.fresh.saturating_add(count.saturating_sub(self.vacant))
    }
}

/// What was taken out of an entry and not yet told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Left {
    Nothing,
    Nexthop(NexthopId),
    Shared(Index),
    List(Index),
}

/// The position whose `head` a hash leads to, with the first `heads` in use: linear hashing, so
/// that one more head takes from one other only.
const fn address(hash: u32, heads: u32) -> u32 {
    let Some(last) = heads.checked_sub(1) else {
        return 0;
    };
    let mask = u32::MAX.unbounded_shr(last.leading_zeros());
    if hash & mask < heads {
        hash & mask
    } else {
        hash & (mask >> 1)
    }
}

impl<S: Storage> Fdb<S> {
    fn remote_slot(&self, index: Index) -> Option<&RemoteSlot> {
        self.storage.remotes().get(index)
    }

    pub(super) fn remote_slot_mut(&mut self, index: Index) -> Option<&mut RemoteSlot> {
        self.storage.remote_mut(index.position())
    }

    /// The shared slot that holds this.
    pub(super) fn shared(&self, held: &Destination, wide: Wide) -> Link {
        let heads = self.head.remotes.fresh;
        if heads == 0 {
            return None; // What is in the storage is of an earlier table.
        }
        let hash = self.remote_hasher.hash(held, wide.bits());
        let at = Index::new(address(hash, heads))?;
        let mut link = self.remote_slot(at)?.head;
        while let Some(index) = link {
            let slot = self.remote_slot(index)?;
            if slot.holds(held, wide) {
                return Some(index);
            }
            link = slot.chain;
        }
        None
    }

    /// How many slots it takes to let a new entry point there.
    pub(super) fn slots_for(&self, held: &Destination, wide: Wide) -> u32 {
        let inline = match held {
            Destination::Nexthop(id) => Stored::nexthop(*id, wide).is_some(),
            Destination::Remote(_) => false,
        };
        u32::from(!inline && self.shared(held, wide).is_none())
    }

    /// How many slots it takes to let an entry point there instead of to its first destination.
    pub(super) fn slots_to_set(&self, number: u32, held: &Destination, wide: Wide) -> u32 {
        if let Some(Stored::Slot(index)) = self.stored(number)
            && let Some(slot) = self.remote_slot(index)
            && (slot.sharers < 2 || (slot.holds(held, wide)))
        {
            return 0;
        }
        self.slots_for(held, wide)
    }

    /// How many slots it takes to add one to the remotes of an entry.
    pub(super) fn slots_to_append(&self, number: u32) -> u32 {
        match self.stored(number) {
            Some(Stored::Slot(index)) => {
                let sharers = self.remote_slot(index).map_or(0, |slot| slot.sharers);
                if sharers > 1 { 2 } else { 1 }
            }
            _ => 1,
        }
    }

    /// Whether the remotes of an entry are a list of its own, be it of one.
    pub(super) fn has_list(&self, number: u32) -> bool {
        match self.stored(number) {
            Some(Stored::Slot(index)) => self.remote_slot(index).is_some_and(|s| s.sharers == 0),
            _ => false,
        }
    }

    /// Lets an entry without destination point somewhere. The caller has made room.
    pub(super) fn point(&mut self, number: u32, held: Destination, wide: Wide) -> Option<()> {
        let inline = match held {
            Destination::Nexthop(id) => Stored::nexthop(id, wide),
            Destination::Remote(_) => None,
        };
        let stored = match inline {
            Some(stored) => stored,
            None => Stored::Slot(self.share(held, wide)?),
        };
        self.storage.entry_mut(number)?.set_stored(stored);
        Some(())
    }

    /// Lets an entry point there instead of to its first destination. The caller has made room.
    pub(super) fn set_first(&mut self, number: u32, held: Destination, wide: Wide) -> Option<()> {
        if let Some(Stored::Slot(index)) = self.stored(number) {
            let slot = self.remote_slot_mut(index)?;
            if slot.holds(&held, wide) {
                return Some(());
            }
            if slot.sharers == 0 {
                slot.hold(held, wide);
                return Some(());
            }
            // First, so that its own slot can be taken again.
            self.unshare(index);
        }
        self.point(number, held, wide)
    }

    /// Adds a remote to those of an entry, which become a list of its own. The caller has made
    /// room.
    pub(super) fn append(&mut self, number: u32, remote: Remote) -> Option<()> {
        let Stored::Slot(first) = self.stored(number)? else {
            return None;
        };
        let first = self.own(first)?;
        self.storage
            .entry_mut(number)?
            .set_stored(Stored::Slot(first));
        let mut last = first;
        while let Some(next) = self.remote_slot(last)?.next {
            last = next;
        }
        let new = self.take_slot(remote.into(), Wide::NONE)?;
        self.remote_slot_mut(last)?.next = Some(new);
        Some(())
    }

    /// A slot that nobody else shares, in the place of this one.
    fn own(&mut self, index: Index) -> Link {
        let slot = self.remote_slot(index)?;
        if slot.sharers == 0 {
            return Some(index);
        }
        let (held, wide) = (*slot.held(), slot.wide());
        self.unshare(index);
        self.take_slot(held, wide)
    }

    /// A shared slot that holds this, shared by one more.
    pub(super) fn share(&mut self, held: Destination, wide: Wide) -> Link {
        if let Some(index) = self.shared(&held, wide) {
            let slot = self.remote_slot_mut(index)?;
            slot.sharers = slot.sharers.saturating_add(1);
            return Some(index);
        }
        let index = self.take_slot(held, wide)?;
        let hash = self.remote_hasher.hash(&held, wide.bits());
        let at = Index::new(address(hash, self.head.remotes.fresh))?;
        let next = self.remote_slot_mut(at)?.head.replace(index);
        let slot = self.remote_slot_mut(index)?;
        slot.chain = next;
        slot.sharers = 1;
        Some(index)
    }

    /// One sharer less. The slot goes with the last.
    pub(super) fn unshare(&mut self, index: Index) -> Option<()> {
        let slot = self.remote_slot_mut(index)?;
        slot.sharers = slot.sharers.saturating_sub(1);
        if slot.sharers > 0 {
            return Some(());
        }
        let next = slot.chain.take();
        let (held, wide) = (*slot.held(), slot.wide());
        let hash = self.remote_hasher.hash(&held, wide.bits());
        let at = Index::new(address(hash, self.head.remotes.fresh))?;
        let head = &mut self.remote_slot_mut(at)?.head;
        if *head == Some(index) {
            *head = next;
        } else {
            let mut link = *head;
            while let Some(at) = link {
                let slot = self.remote_slot_mut(at)?;
                if slot.chain == Some(index) {
                    slot.chain = next;
                    break;
                }
                link = slot.chain;
            }
        }
        self.free_slot(index)
    }

    fn take_slot(&mut self, held: Destination, wide: Wide) -> Link {
        let index = match self.head.remotes.free {
            Some(index) => {
                self.head.remotes.free = self.remote_slot_mut(index)?.next.take();
                self.head.remotes.vacant = self.head.remotes.vacant.saturating_sub(1);
                index
            }
            None => {
                let index = Index::new(self.head.remotes.fresh)?;
                *self.remote_slot_mut(index)? = RemoteSlot::EMPTY;
                self.split(index)?;
                index
            }
        };
        let slot = self.remote_slot_mut(index)?;
        slot.hold(held, wide);
        (slot.next, slot.chain, slot.sharers) = (None, None, 0);
        Some(index)
    }

    /// Uses the head of one more slot.
    fn split(&mut self, new: Index) -> Option<()> {
        let position = self.head.remotes.fresh;
        self.head.remotes.fresh = position + 1;
        let Some(log) = position.checked_ilog2() else {
            return Some(());
        };
        let from = Index::new(position - (1 << log))?;
        let mut link = self.remote_slot_mut(from)?.head.take();
        while let Some(index) = link {
            let slot = self.remote_slot(index)?;
            link = slot.chain;
            let hash = self.remote_hasher.hash(slot.held(), slot.wide().bits());
            let to = match address(hash, position + 1) == position {
                true => new,
                false => from,
            };
            let next = self.remote_slot_mut(to)?.head.replace(index);
            self.remote_slot_mut(index)?.chain = next;
        }
        Some(())
    }

    fn free_slot(&mut self, index: Index) -> Option<()> {
        let free = self.head.remotes.free;
        self.remote_slot_mut(index)?.next = free;
        self.head.remotes.free = Some(index);
        self.head.remotes.vacant += 1;
        Some(())
    }

    /// All destinations of an entry that is about to go.
    pub(super) fn left(&self, number: u32) -> Option<Left> {
        Some(match self.stored(number)? {
            Stored::Nexthop(id) => Left::Nexthop(id),
            Stored::Slot(index) if self.remote_slot(index)?.sharers > 0 => Left::Shared(index),
            Stored::Slot(index) => Left::List(index),
        })
    }

    /// Takes the remotes out of an entry's list that `condemned` names. `None` if they are all of
    /// them, or none.
    pub(super) fn take_from_list(
        &mut self,
        number: u32,
        mut condemned: impl FnMut(&Remote) -> bool,
    ) -> Option<(Left, bool)> {
        let Stored::Slot(first) = self.stored(number)? else {
            return None;
        };
        let slot = self.remote_slot(first)?;
        if slot.sharers > 0 {
            let gone = slot.held().remote().is_some_and(&mut condemned);
            return gone.then_some((Left::Shared(first), true));
        }
        let wide = slot.wide();
        let (mut kept, mut gone) = (List::default(), List::default());
        let mut link = Some(first);
        while let Some(index) = link {
            let slot = self.remote_slot_mut(index)?;
            link = slot.next.take();
            let to = match slot.held().remote().is_some_and(&mut condemned) {
                true => &mut gone,
                false => &mut kept,
            };
            let before = to.push(index);
            if let Some(before) = before {
                self.remote_slot_mut(before)?.next = Some(index);
            }
        }
        if let Some(first) = kept.first {
            let slot = self.remote_slot_mut(first)?;
            slot.hold(*slot.held(), wide);
            self.storage
                .entry_mut(number)?
                .set_stored(Stored::Slot(first));
        }
        Some((Left::List(gone.first?), kept.first.is_none()))
    }

    /// The next destination of what was taken out; its slot is vacant from now on.
    pub(super) fn bury_one(&mut self, left: &mut Left) -> Option<Destination> {
        match *left {
            Left::Nothing => None,
            Left::Nexthop(id) => {
                *left = Left::Nothing;
                Some(Destination::Nexthop(id))
            }
            Left::Shared(index) => {
                *left = Left::Nothing;
                let held = *self.remote_slot(index)?.held();
                self.unshare(index);
                Some(held)
            }
            Left::List(index) => {
                let slot = self.remote_slot(index)?;
                let held = *slot.held();
                *left = slot.next.map_or(Left::Nothing, Left::List);
                self.free_slot(index);
                Some(held)
            }
        }
    }
}

/// A list of remotes under construction.
#[derive(Default)]
struct List {
    first: Link,
    last: Link,
}

impl List {
    /// Adds one; returns the one before it.
    fn push(&mut self, index: Index) -> Link {
        let before = self.last.replace(index);
        if before.is_none() {
            self.first = Some(index);
        }
        before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// One more head takes from one other, and from no third.
        #[test]
        fn heads_split_one_at_a_time(hash: u32, heads in 1u32..1 << 20) {
            let (before, after) = (address(hash, heads), address(hash, heads + 1));
            prop_assert!(before < heads);
            let split = heads - (1 << heads.ilog2());
            prop_assert!(after == before || (after == heads && before == split));
        }
    }
}
