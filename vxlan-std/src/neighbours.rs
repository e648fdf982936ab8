//! The neighbour table of a device: who has an IP address on its overlay.

use core::net::IpAddr;
use std::collections::BTreeMap;

use vxlan_core::neighbour::Lookup;
use vxlan_core::{Neighbour, Neighbours};

/// The neighbours of one device, entered by hand or by a control plane (`ip neigh … dev DEV`).
///
/// It asks nobody and forgets nothing by itself.
///
/// ```
/// use vxlan_core::{Mac, Neighbour};
/// use vxlan_std::NeighbourTable;
///
/// let mut table = NeighbourTable::default();
/// let address = "192.168.7.2".parse()?;
/// table.insert(address, Neighbour::permanent(Mac::new([2, 0, 0, 0, 0, 7])));
/// assert_eq!(table.iter().count(), 1);
/// assert!(table.remove(address).is_some());
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeighbourTable {
    entries: BTreeMap<IpAddr, Neighbour>,
    ipv6: bool,
}

impl Default for NeighbourTable {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            ipv6: true,
        }
    }
}

impl NeighbourTable {
    /// The neighbour that has `address`.
    #[must_use]
    pub fn get(&self, address: IpAddr) -> Option<&Neighbour> {
        self.entries.get(&address)
    }

    /// Enters or replaces a neighbour; the former one is returned.
    pub fn insert(&mut self, address: IpAddr, neighbour: Neighbour) -> Option<Neighbour> {
        self.entries.insert(address, neighbour)
    }

    /// Removes a neighbour.
    pub fn remove(&mut self, address: IpAddr) -> Option<Neighbour> {
        self.entries.remove(&address)
    }

    /// All neighbours, by their addresses, IPv4 first.
    pub fn iter(&self) -> impl Iterator<Item = (IpAddr, &Neighbour)> {
        self.entries.iter().map(|(address, who)| (*address, who))
    }

    /// Whether there is a table for IPv6, as there is at first. Without one, IPv6 addresses are
    /// neither found nor missed; entries stay until there is one again.
    pub const fn set_ipv6(&mut self, on: bool) {
        self.ipv6 = on;
    }
}

impl Neighbours for NeighbourTable {
    fn look_up(&self, address: IpAddr) -> Lookup {
        if address.is_ipv6() && !self.ipv6 {
            return Lookup::NoTable;
        }
        self.get(address).copied().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vxlan_core::Mac;

    /// A-09: an absent IPv6 table is not an empty one.
    #[test]
    fn a09_without_ipv6_nobody_is_missed() {
        let [four, six] = [IpAddr::from([10, 0, 0, 1]), IpAddr::from([0xfd; 16])];
        let who = Neighbour::permanent(Mac::new([2; 6]));
        let mut table = NeighbourTable::default();
        assert_eq!(table.look_up(six), Lookup::Unknown);
        table.insert(four, who);
        table.insert(six, who);
        assert_eq!(table.look_up(six), Lookup::Found(who));
        table.set_ipv6(false);
        assert_eq!(table.look_up(six), Lookup::NoTable);
        assert_eq!(table.look_up(four), Lookup::Found(who));
        assert_eq!(table.remove(four), Some(who));
        assert_eq!(table.look_up(four), Lookup::Unknown);
    }
}
