//! The cells a table is made of beside its index. All are opaque; a caller only provides empty
//! ones.
//!
//! An empty cell is all zero bits, so a table in a `static` needs no image in flash.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::num::NonZeroU32;

use super::stamp::AtomicStamp;
use super::{Destination, Flags, Key, NexthopId, Remote, State};
use crate::{IfIndex, Mac};

/// The number of a remote slot, plus one: "none" is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Index(NonZeroU32);

/// The next slot of a chain, if any.
pub(super) type Link = Option<Index>;

impl Index {
    /// Slot `position`, or `None` beyond the positions that have a number.
    pub(super) const fn new(position: u32) -> Link {
        match NonZeroU32::MIN.checked_add(position) {
            Some(number) if number.get() < NEXTHOP => Some(Self(number)),
            _ => None,
        }
    }

    #[inline]
    pub(super) const fn position(self) -> usize {
        (self.0.get() - 1) as usize
    }

    #[inline]
    pub(super) const fn number(self) -> u32 {
        self.0.get()
    }
}

/// In the destination of an entry: the other bits are the number of a nexthop group.
const NEXTHOP: u32 = 1 << 31;

/// Room for one entry: 24 bytes.
///
/// Most bits of state and flags that exist are in `head`: the low byte of the state, and that of
/// the flags with [`Flags::ADDED_BY_USER`] in the place of [`Flags::USE`], which is never stored.
/// The others, `Wide`, are kept with the remote, since nobody uses them.
#[derive(Debug)]
#[repr(C)]
pub struct EntrySlot {
    /// The address as [`Key::word`] gives it, 48 bits; state, 8 bits; flags, 8 bits.
    head: u64,
    /// The network; while vacant, the number of the next vacant slot, plus one.
    vni: u32,
    /// The number of a remote slot, or a nexthop group; zero while vacant.
    destination: u32,
    pub(super) updated: AtomicStamp,
    pub(super) used: AtomicStamp,
}

/// Where an entry points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stored {
    /// The slot of its only or first remote, or of its nexthop group.
    Slot(Index),
    /// A nexthop group with a small number needs no slot.
    Nexthop(NexthopId),
}

impl Stored {
    /// A nexthop group without slot, if that is possible.
    pub(super) fn nexthop(id: NexthopId, wide: Wide) -> Option<Self> {
        (id.get() < NEXTHOP && wide == Wide::NONE).then_some(Self::Nexthop(id))
    }
}

impl EntrySlot {
    /// A slot without an entry.
    #[expect(
        clippy::declare_interior_mutable_const,
        reason = "a pattern to fill arrays with; every use is a slot of its own"
    )]
    pub const EMPTY: Self = Self {
        head: 0,
        vni: 0,
        destination: 0,
        updated: AtomicStamp::new(),
        used: AtomicStamp::new(),
    };

    /// Whether this is the entry with this key. A vacant slot may say so too.
    #[inline]
    pub(super) const fn has_key(&self, mac: u64, vni: u32) -> bool {
        self.head >> 16 == mac && self.vni == vni
    }

    /// The same, and never a vacant slot.
    #[inline]
    pub(super) const fn is(&self, mac: u64, vni: u32) -> bool {
        self.has_key(mac, vni) && !self.is_vacant()
    }

    #[inline]
    pub(super) const fn is_vacant(&self) -> bool {
        self.destination == 0
    }

    #[inline]
    pub(super) const fn mac(&self) -> u64 {
        self.head >> 16
    }

    #[inline]
    pub(super) const fn vni(&self) -> u32 {
        self.vni
    }

    pub(super) const fn key(&self) -> Key {
        let [_, _, a, b, c, d, e, f] = self.head.to_le_bytes();
        Key {
            mac: Mac::new([a, b, c, d, e, f]),
            vni: self.vni,
        }
    }

    /// The state without its wide part.
    #[inline]
    pub(super) const fn state(&self) -> State {
        State::from_bits_retain((self.head >> 8) as u16 & 0xff)
    }

    /// The flags without their wide part.
    #[inline]
    pub(super) const fn flags(&self) -> Flags {
        let low = self.head as u16 & 0xff;
        Flags::from_bits_retain(low & 0xfe | (low & 1) << 8)
    }

    /// All but the wide part.
    pub(super) fn set_state(&mut self, state: State, flags: Flags) {
        let user = flags.contains(Flags::ADDED_BY_USER) as u64;
        let flags = u64::from(flags.bits()) & 0xfe | user;
        let state = u64::from(state.bits()) & 0xff;
        self.head = self.head & !0xffff | state << 8 | flags;
    }

    pub(super) fn set_key(&mut self, mac: u64, vni: u32) {
        self.head = mac << 16 | self.head & 0xffff;
        self.vni = vni;
    }

    /// `None` while vacant.
    #[inline]
    pub(super) const fn stored(&self) -> Option<Stored> {
        match NonZeroU32::new(self.destination) {
            None => None,
            Some(number) if number.get() & NEXTHOP == 0 => Some(Stored::Slot(Index(number))),
            Some(number) => match NexthopId::new(number.get() & !NEXTHOP) {
                Some(id) => Some(Stored::Nexthop(id)),
                None => None,
            },
        }
    }

    /// The number of the slot of its only or first remote. No remote has the number that a vacant
    /// slot, or a nexthop group without slot, gives.
    #[inline]
    pub(super) const fn number(&self) -> u32 {
        self.destination
    }

    pub(super) const fn set_stored(&mut self, stored: Stored) {
        self.destination = match stored {
            Stored::Slot(index) => index.0.get(),
            Stored::Nexthop(id) => id.get() | NEXTHOP,
        };
    }

    /// Vacates the slot; `next` is the number of the next vacant one, plus one.
    pub(super) const fn vacate(&mut self, next: u32) {
        self.head = 0;
        self.destination = 0;
        self.vni = next;
    }

    /// The number of the next vacant slot, plus one.
    pub(super) const fn next_vacant(&self) -> u32 {
        self.vni
    }
}

/// The bits of state and flags beyond those that Linux names. Stored as given, like all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wide(u16);

impl Wide {
    pub(super) const NONE: Self = Self(0);
    /// Marks a shared slot that no entry points to: the place of
    /// [`Flags::ADDED_BY_USER`], which the slot of an entry has.
    pub(super) const TALLY: Self = Self(1);

    pub(super) const fn of(state: State, flags: Flags) -> Self {
        Self(state.bits() & 0xff00 | flags.bits() >> 8 & 0xfe)
    }

    #[inline]
    pub(super) const fn state(self) -> State {
        State::from_bits_retain(self.0 & 0xff00)
    }

    #[inline]
    pub(super) const fn flags(self) -> Flags {
        Flags::from_bits_retain((self.0 & 0xff) << 8)
    }

    pub(super) const fn bits(self) -> u16 {
        self.0
    }
}

/// Room for one remote: 64 bytes.
///
/// Entries with one remote share the slot with all others that have the same; a list of several
/// is a chain of slots of its own.
#[derive(Debug)]
#[repr(align(64))]
pub struct RemoteSlot {
    /// What to compare the source of a frame with: see [`Source`].
    source: Source,
    held: Destination,
    /// The next remote of the list; of the free slots while vacant.
    pub(super) next: Link,
    /// How many entries share this; zero for those of a list.
    pub(super) sharers: u32,
    /// The next shared slot whose hash is close.
    pub(super) chain: Link,
    /// The first shared slot of those whose hash leads to *this* position. Has nothing to do with
    /// what else is here.
    pub(super) head: Link,
    /// Belongs to the entries that share this, or to the entry with the list that starts here.
    wide: Wide,
}

/// Where a frame comes from, as one number: the IPv4 address and the interface. Others have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Source(u64);

impl Source {
    /// No IPv4 source: the broadcast address by the last interface.
    const OTHER: Self = Self(u64::MAX);

    #[inline]
    fn of(addr: Ipv4Addr, ifindex: Option<IfIndex>) -> Self {
        let addr = u32::from_ne_bytes(addr.octets());
        Self(u64::from(ifindex.map_or(0, IfIndex::get)) << 32 | u64::from(addr))
    }
}

impl RemoteSlot {
    #[inline]
    pub(super) const fn held(&self) -> &Destination {
        &self.held
    }

    #[inline]
    pub(super) const fn wide(&self) -> Wide {
        self.wide
    }

    #[inline]
    pub(super) fn holds(&self, held: &Destination, wide: Wide) -> bool {
        self.held == *held && self.wide == wide
    }

    pub(super) fn hold(&mut self, held: Destination, wide: Wide) {
        (self.held, self.wide) = (held, wide);
        self.source = match held {
            Destination::Remote(Remote {
                addr: IpAddr::V4(addr),
                ifindex,
                ..
            }) => Source::of(addr, ifindex),
            _ => Source::OTHER,
        };
    }

    /// Whether this is a remote with this address and interface, which says where frames come from
    /// as well as where they go.
    #[inline]
    pub(super) fn is_at(&self, addr: IpAddr, ifindex: Option<IfIndex>) -> bool {
        match addr {
            IpAddr::V4(addr) => self.source == Source::of(addr, ifindex),
            IpAddr::V6(addr) => self.is_at_v6(addr, ifindex),
        }
    }

    // Apart, so that the comparison of an IPv4 address is one of four bytes.
    #[inline(never)]
    fn is_at_v6(&self, addr: Ipv6Addr, ifindex: Option<IfIndex>) -> bool {
        let remote = self.held.remote();
        remote.is_some_and(|remote| remote.addr == addr && remote.ifindex == ifindex)
    }

    /// A slot without a remote.
    pub const EMPTY: Self = Self {
        source: Source(0),
        held: Destination::Remote(Remote {
            addr: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            port: 0,
            vni: 0,
            ifindex: None,
        }),
        next: None,
        sharers: 0,
        chain: None,
        head: None,
        wide: Wide::NONE,
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the documentation promises about memory.
    #[test]
    fn sizes() {
        assert_eq!(size_of::<EntrySlot>(), 24);
        assert_eq!(size_of::<RemoteSlot>(), 64);
    }

    #[test]
    fn positions_have_numbers_up_to_the_last() {
        for position in [0, 1, NEXTHOP - 2] {
            assert_eq!(Index::new(position).unwrap().position(), position as usize);
        }
        assert_eq!(Index::new(NEXTHOP - 1), None);
    }

    proptest! {
        /// F-01: every bit comes back, but for the one that is never stored.
        #[test]
        fn f01_a_slot_keeps_every_bit(
            mac in 0u64..1 << 48,
            vni: u32,
            state: u16,
            flags: u16,
            id in 1u32..,
        ) {
            let (state, flags) = (State::from_bits_retain(state), Flags::from_bits_retain(flags));
            let flags = flags - Flags::USE;
            let mut slot = EntrySlot::EMPTY;
            prop_assert!(slot.is_vacant());
            slot.set_state(state, flags);
            slot.set_key(mac, vni);
            let wide = Wide::of(state, flags);
            prop_assert_eq!(slot.state() | wide.state(), state);
            prop_assert_eq!(slot.flags() | wide.flags(), flags);
            prop_assert!(slot.has_key(mac, vni));
            prop_assert_eq!((slot.mac(), slot.key().word(), slot.key().vni), (mac, mac, vni));
            slot.set_stored(Stored::Slot(Index::new(5).unwrap()));
            prop_assert_eq!(slot.stored(), Some(Stored::Slot(Index::new(5).unwrap())));
            let id = NexthopId::new(id).unwrap();
            match Stored::nexthop(id, Wide::NONE) {
                Some(stored) => {
                    slot.set_stored(stored);
                    prop_assert_eq!(slot.stored(), Some(Stored::Nexthop(id)));
                }
                None => prop_assert!(id.get() >= NEXTHOP),
            }
        }
    }
}
