//! The neighbour table of a vxlan device, as the host keeps it.

use core::net::IpAddr;
use std::collections::BTreeMap;

use vxlan_core::fdb::State;
use vxlan_core::neighbour::Lookup;
use vxlan_core::{Mac, Neighbour, Neighbours};

use super::answer::{Failure, unsupported};
use super::host::Host;
use super::model::{self, NeighbourRequest};

#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    /// Whether IPv6 is enabled on the device.
    pub(crate) ipv6: bool,
    entries: BTreeMap<IpAddr, Neighbour>,
}

impl Table {
    pub(crate) fn new(ipv6: bool, entries: &[model::Neighbour]) -> Self {
        let mut table = Self {
            ipv6,
            entries: BTreeMap::new(),
        };
        entries.iter().for_each(|entry| table.insert(entry));
        table
    }

    fn insert(&mut self, entry: &model::Neighbour) {
        const ROUTER: u8 = 0x80;
        let neighbour = Neighbour {
            // A failed entry has none.
            mac: entry.mac.unwrap_or(Mac::ZERO),
            state: State::from_bits_retain(entry.state),
            router: entry.flags & ROUTER != 0,
        };
        self.entries.insert(entry.ip, neighbour);
    }
}

impl Neighbours for Table {
    fn look_up(&self, address: IpAddr) -> Lookup {
        if address.is_ipv6() && !self.ipv6 {
            return Lookup::NoTable;
        }
        self.entries.get(&address).copied().into()
    }
}

impl Host {
    /// A change of the neighbours of `vx0`. What the table itself tells is not the driver's.
    pub(crate) fn neighbour_request(&mut self, request: &NeighbourRequest) -> Result<(), Failure> {
        let vx0 = self.named("vx0")?;
        let table = &mut self.devices[vx0].neighbours;
        match request.op.as_str() {
            "add" => table.insert(&request.entry),
            "del" => {
                table.entries.remove(&request.entry.ip);
            }
            other => return Err(unsupported(format!("neighbour {other}"))),
        }
        Ok(())
    }
}
