//! The devices of `vtep run` and their TAP interfaces.

use core::fmt::Display;
use std::fs;

use vxlan_core::{IfIndex, Mac, PortRange, Salt};
use vxlan_std::{DeviceId, Tap, Vtep, interface};

use super::super::failure::Failure;
use super::super::words::LinkSpec;

/// All devices. Dropping them removes their interfaces.
#[derive(Debug, Default)]
pub(crate) struct Devices {
    pub(crate) vtep: Vtep,
    /// In the order of their identifiers.
    pub(crate) links: Vec<Link>,
}

/// A device and its TAP interface.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) id: DeviceId,
    pub(crate) name: String,
    /// None once somebody has removed the interface.
    pub(super) tap: Option<Tap>,
}

impl Devices {
    /// Makes a device and its interface.
    pub(super) fn add(&mut self, spec: LinkSpec) -> Result<(), Failure> {
        let LinkSpec {
            name,
            mut config,
            dev,
            mtu,
            address,
        } = spec;
        let fail = |what: &dyn Display| Failure::of(&name, what);
        let mut lower_mtu = None;
        if let Some(dev) = dev {
            config = config.lower(Some(lower(&name, &dev)?));
            let unknown = |error| fail(&format_args!("the MTU of {dev}: {error}"));
            lower_mtu = Some(interface::mtu(&dev).map_err(unknown)?);
        }
        if let Some(range) = ephemeral_ports() {
            config = config.ephemeral_ports(range);
        }
        let mut secret = [0; 16];
        let mut drawn = [0; 6];
        for random in [&mut secret[..], &mut drawn] {
            getrandom::fill(random).map_err(|error| fail(&error))?;
        }
        let config = config.salt(Salt::new(secret));
        let mac = address.unwrap_or_else(|| local_unicast(drawn));
        let id = self.vtep.add(config, mac).map_err(|error| fail(&error))?;
        let device = self.vtep.device(id).ok_or_else(|| fail(&"lost"))?;
        let mtu = device.config().mtu(lower_mtu, mtu);
        let tap = Tap::create(&name, mtu, mac).map_err(|error| fail(&error))?;
        self.vtep.add_overlay(&name);
        self.links.push(Link {
            id,
            name,
            tap: Some(tap),
        });
        Ok(())
    }

    /// The device of this name.
    pub(crate) fn named(&self, name: &str) -> Option<DeviceId> {
        let mut links = self.links.iter();
        let link = links.find(|link| link.name == name && link.tap.is_some())?;
        Some(link.id)
    }

    /// The name of a device.
    pub(super) fn name(&self, id: DeviceId) -> Option<&str> {
        Some(&self.links.get(id.index())?.name)
    }
}

/// The interface that a device is told to use.
fn lower(name: &str, dev: &str) -> Result<IfIndex, Failure> {
    interface::index(dev)
        .ok_or_else(|| Failure::of(name, format_args!("there is no interface {dev}")))
}

/// `net.ipv4.ip_local_port_range`, of both address families.
fn ephemeral_ports() -> Option<PortRange> {
    let text = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let mut words = text.split_whitespace().map(str::parse);
    PortRange::new(words.next()?.ok()?, words.next()?.ok()?)
}

/// A locally administered address of one station (`eth_random_addr()`).
fn local_unicast(mut octets: [u8; 6]) -> Mac {
    let [first, ..] = &mut octets;
    *first = (*first & !0x01) | 0x02;
    Mac::new(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_addresses_are_of_one_station_and_local() {
        for first in 0..=0xff {
            let mac = local_unicast([first, 0, 0, 0, 0, 0]);
            assert!(mac.is_unicast());
            assert_eq!(mac.octets()[0] & 0x02, 0x02);
        }
    }
}
