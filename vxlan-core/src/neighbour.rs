//! Neighbours: who has an IP address on the overlay. Asked for, never stored.

use core::net::IpAddr;

use crate::Mac;
use crate::fdb::State;

/// A neighbour (`struct neighbour`), as far as a device has to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Neighbour {
    /// Its MAC address; all zeros if it is not known, as of a failed entry.
    pub mac: Mac,
    /// NUD bits.
    pub state: State,
    /// Whether it is a router (`NTF_ROUTER`). Linux advertises what the FDB entry says instead;
    /// only [`Compat::rfc_neighbours`](crate::Compat::rfc_neighbours) looks here, too.
    pub router: bool,
}

impl Neighbour {
    /// The states in which an address may be relied on (`NUD_CONNECTED`).
    pub const CONNECTED: State = State::PERMANENT.union(State::NOARP).union(State::REACHABLE);

    /// A neighbour that somebody entered for good, no router.
    #[must_use]
    pub const fn permanent(mac: Mac) -> Self {
        Self {
            mac,
            state: State::PERMANENT,
            router: false,
        }
    }
}

/// What a neighbour table has about an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lookup {
    /// This neighbour, in whatever state.
    Found(Neighbour),
    /// Nothing: this may be told as [`Event::L3Miss`](crate::Event::L3Miss).
    Unknown,
    /// There is no table for addresses of this family, as on an interface without IPv6.
    NoTable,
}

impl From<Option<Neighbour>> for Lookup {
    fn from(found: Option<Neighbour>) -> Self {
        found.map_or(Self::Unknown, Self::Found)
    }
}

/// The neighbour table of an interface: `arp_tbl` for IPv4 addresses, `nd_tbl` for IPv6 ones.
///
/// A closure is one:
///
/// ```
/// use core::net::IpAddr;
/// use vxlan_core::neighbour::{Lookup, Neighbour, Neighbours};
/// use vxlan_core::Mac;
///
/// let only_ipv4 = |address: IpAddr| match address {
///     IpAddr::V4(_) => Lookup::Found(Neighbour::permanent(Mac::new([2, 0, 0, 0, 0, 7]))),
///     IpAddr::V6(_) => Lookup::NoTable,
/// };
/// assert_eq!(only_ipv4.look_up(IpAddr::from([0; 16])), Lookup::NoTable);
/// ```
pub trait Neighbours {
    /// Who has `address` on the overlay of the device that asks (`neigh_lookup()`).
    fn look_up(&self, address: IpAddr) -> Lookup;
}

impl<F: Fn(IpAddr) -> Lookup> Neighbours for F {
    fn look_up(&self, address: IpAddr) -> Lookup {
        self(address)
    }
}

/// No neighbour tables at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoNeighbours;

impl Neighbours for NoNeighbours {
    fn look_up(&self, _: IpAddr) -> Lookup {
        Lookup::NoTable
    }
}
