//! The sorted list of VNIs.

use core::fmt;
use core::net::IpAddr;

use super::slot::{Line, Node, Slot};
use super::span::Spans;
use super::{Full, Stats};
use crate::DropReason;

/// What a device keeps beside the slots.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Head {
    len: usize,
}

/// The VNIs that a device accepts, in ascending order.
///
/// A number above 2^24 may be among them, as in Linux; no packet can carry it.
#[derive(Clone, Copy, Debug)]
pub struct Vnis<'d> {
    slots: &'d [Slot],
    len: usize,
}

/// One VNI of the list.
#[derive(Clone, Copy)]
pub struct Entry<'d> {
    vni: u32,
    node: &'d Node,
}

impl<'d> Vnis<'d> {
    pub(crate) const fn new(slots: &'d [Slot], head: Head) -> Self {
        Self {
            slots,
            len: head.len,
        }
    }

    /// How many VNIs there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none, so that nothing is accepted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The VNI, if the device accepts it.
    #[must_use]
    pub fn find(&self, vni: u32) -> Option<Entry<'d>> {
        let at = place(self.lines(), vni).ok()?;
        self.nth(at)
    }

    /// Whether the device accepts the VNI.
    #[must_use]
    pub fn contains(&self, vni: u32) -> bool {
        place(self.lines(), vni).is_ok()
    }

    /// All of them, in ascending order.
    #[must_use]
    pub const fn iter(&self) -> Iter<'d> {
        Iter { vnis: *self, at: 0 }
    }

    /// All of them with neighbours that have the same group put together: a dump without counters
    /// (`vxlan_vnifilter_dump_dev()`). One with counters has a line for each VNI of
    /// [`iter`](Self::iter).
    #[must_use]
    pub const fn spans(&self) -> Spans<'d> {
        Spans::new(self.iter())
    }

    pub(crate) fn nth(&self, at: usize) -> Option<Entry<'d>> {
        let line = self.lines().get(at)?.line;
        let node = &self.slots.get(line.node as usize)?.node;
        Some(Entry {
            vni: line.vni,
            node,
        })
    }

    fn lines(&self) -> &'d [Slot] {
        self.slots.get(..self.len).unwrap_or_default()
    }
}

impl<'d> IntoIterator for Vnis<'d> {
    type Item = Entry<'d>;
    type IntoIter = Iter<'d>;

    fn into_iter(self) -> Iter<'d> {
        self.iter()
    }
}

/// Where a VNI is, or where it would have to be.
fn place(lines: &[Slot], vni: u32) -> Result<usize, usize> {
    let at = lines.partition_point(|slot| slot.line.vni < vni);
    match lines.get(at) {
        Some(slot) if slot.line.vni == vni => Ok(at),
        _ => Err(at),
    }
}

/// The VNIs of a device, in ascending order.
#[derive(Clone, Debug)]
pub struct Iter<'d> {
    vnis: Vnis<'d>,
    at: usize,
}

impl<'d> Iterator for Iter<'d> {
    type Item = Entry<'d>;

    fn next(&mut self) -> Option<Entry<'d>> {
        let entry = self.vnis.nth(self.at)?;
        self.at += 1;
        Some(entry)
    }
}

impl core::iter::FusedIterator for Iter<'_> {}

impl Entry<'_> {
    /// The VNI.
    #[must_use]
    pub const fn vni(&self) -> u32 {
        self.vni
    }

    /// Where frames of this VNI go that match no entry, if that is not the device's default
    /// remote. May be a multicast group.
    #[must_use]
    pub const fn group(&self) -> Option<IpAddr> {
        self.node.group
    }

    /// What was counted since the VNI was added.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.node.counters.read()
    }

    pub(crate) fn received(&self, bytes: u64) {
        self.node.counters.received(bytes);
    }

    pub(crate) fn transmitted(&self, bytes: u64) {
        self.node.counters.transmitted(bytes);
    }

    pub(crate) fn receive_dropped(&self, reason: DropReason) {
        self.node.counters.receive_dropped(reason);
    }

    pub(crate) fn transmit_dropped(&self, reason: DropReason) {
        self.node.counters.transmit_dropped(reason);
    }
}

impl fmt::Debug for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("vni", &self.vni)
            .field("group", &self.node.group)
            .finish_non_exhaustive()
    }
}

/// The list, to be changed.
pub(crate) struct VnisMut<'d> {
    pub(crate) slots: &'d mut [Slot],
    pub(crate) head: &'d mut Head,
}

impl VnisMut<'_> {
    /// Makes vacant slots of whatever those from `first` on were.
    pub(crate) fn prepare(&mut self, first: usize) {
        for (node, slot) in (0..).zip(self.slots.iter_mut()).skip(first) {
            *slot = Slot {
                line: Line { vni: 0, node },
                node: Node::EMPTY,
            };
        }
    }

    /// Takes a VNI in, with counters at zero. It must not be in the list.
    pub(crate) fn insert(&mut self, vni: u32) -> Result<(), Full> {
        let full = Full {
            capacity: self.slots.len(),
        };
        let len = self.head.len;
        let vacant = self.slots.get(len).ok_or(full)?.line.node;
        let (Ok(at) | Err(at)) = place(self.slots.get(..len).unwrap_or_default(), vni);
        let mut line = Line { vni, node: vacant };
        for slot in self.slots.get_mut(at..=len).unwrap_or_default() {
            core::mem::swap(&mut slot.line, &mut line);
        }
        if let Some(slot) = self.slots.get_mut(vacant as usize) {
            slot.node = Node::EMPTY;
        }
        self.head.len = len + 1;
        Ok(())
    }

    /// Takes a VNI off. Says whether it was in the list.
    pub(crate) fn remove(&mut self, vni: u32) -> bool {
        let lines = self.slots.get_mut(..self.head.len).unwrap_or_default();
        let Ok(at) = place(lines, vni) else {
            return false;
        };
        // What is taken out lands behind the others, and so among the vacant ones.
        let mut behind = None;
        for slot in lines.get_mut(at..).unwrap_or_default().iter_mut().rev() {
            behind = Some(match behind {
                None => slot.line,
                Some(next) => core::mem::replace(&mut slot.line, next),
            });
        }
        if let (Some(taken), Some(last)) = (behind, lines.last_mut()) {
            last.line = taken;
        }
        self.head.len -= 1;
        true
    }

    /// Gives a VNI a group, or takes it.
    pub(crate) fn set_group(&mut self, vni: u32, group: Option<IpAddr>) {
        let lines = self.slots.get(..self.head.len).unwrap_or_default();
        let Ok(at) = place(lines, vni) else {
            return;
        };
        let node = lines.get(at).map_or(0, |slot| slot.line.node as usize);
        if let Some(slot) = self.slots.get_mut(node) {
            slot.node.group = group;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    const CAPACITY: usize = 6;

    proptest! {
        /// A map tells the same story: order, groups, counters, and what is full.
        #[test]
        fn m15_like_a_sorted_map(
            steps in prop::collection::vec((0_u32..9, 0_u8..4), 0..60),
        ) {
            let mut slots: [Slot; CAPACITY] = [const { Slot::EMPTY }; CAPACITY];
            let mut head = Head::default();
            VnisMut { slots: &mut slots, head: &mut head }.prepare(0);
            let mut model: BTreeMap<u32, (Option<IpAddr>, u64)> = BTreeMap::new();
            for (vni, act) in steps {
                let mut list = VnisMut { slots: &mut slots, head: &mut head };
                match act {
                    0 if !model.contains_key(&vni) => {
                        let full = Full { capacity: CAPACITY };
                        let room = model.len() < CAPACITY;
                        prop_assert_eq!(list.insert(vni), room.then_some(()).ok_or(full));
                        if room {
                            model.insert(vni, (None, 0));
                        }
                    }
                    1 => prop_assert_eq!(list.remove(vni), model.remove(&vni).is_some()),
                    2 => {
                        let group = Some(IpAddr::from([239, 0, 0, vni as u8]));
                        list.set_group(vni, group);
                        model.entry(vni).and_modify(|(own, _)| *own = group);
                    }
                    _ => {
                        if let Some(entry) = Vnis::new(&slots, head).find(vni) {
                            entry.received(7);
                        }
                        model.entry(vni).and_modify(|(_, packets)| *packets += 1);
                    }
                }
                let vnis = Vnis::new(&slots, head);
                let found: Vec<_> = vnis
                    .iter()
                    .map(|entry| (entry.vni(), (entry.group(), entry.stats().rx_packets)))
                    .collect();
                prop_assert_eq!(&found, &model.iter().map(|(v, e)| (*v, *e)).collect::<Vec<_>>());
                for vni in 0..9 {
                    prop_assert_eq!(vnis.contains(vni), model.contains_key(&vni));
                }
            }
        }
    }
}
