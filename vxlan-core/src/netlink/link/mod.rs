//! Links: a device is asked for, or asked to change (`RTM_NEWLINK`).
//!
//! ```text
//!  IFLA_ADDRESS   the MAC address
//!  IFLA_MTU       the MTU
//!  IFLA_LINKINFO
//!    IFLA_INFO_KIND   "vxlan"
//!    IFLA_INFO_DATA   the 34 attributes IFLA_VXLAN_*
//! ```
//! What a device is configured as goes back as `IFLA_INFO_DATA`:
//! [`Valid::write_attributes`](crate::device::Valid::write_attributes).

mod change;
mod create;
mod rules;
#[cfg(test)]
mod tests;

use super::policy::{Policy, Rule, Table};
use super::{Error, Message};
use crate::device::{MTU_MAX, MTU_MIN, attributes as number};
use crate::{Compat, ConfigError, Df, Errno, IfIndex, Mac, Vni};
use core::net::IpAddr;

pub use change::Change;
pub use create::New;

/// The MAC address (`IFLA_ADDRESS`).
pub const ADDRESS: u16 = 1;
/// The MTU (`IFLA_MTU`).
pub const MTU: u16 = 4;
/// The kind of the link and what belongs to it (`IFLA_LINKINFO`).
pub const LINKINFO: u16 = 18;
/// The kind (`IFLA_INFO_KIND`).
pub const KIND: u16 = 1;
/// The attributes of the kind (`IFLA_INFO_DATA`).
pub const DATA: u16 = 2;

/// The kind of link that this is.
const VXLAN: &[u8] = b"vxlan";
/// One more than the highest number of `IFLA_VXLAN_*`.
const COUNT: usize = 35;

/// The attributes of a link request, checked for their form and for what needs no device
/// (`vxlan_validate()`).
///
/// ```
/// use vxlan_core::Compat;
/// use vxlan_core::netlink::{Writer, link};
///
/// let mut message = [0; 64];
/// let mut writer = Writer::new(&mut message);
/// let info = writer.nest(link::LINKINFO)?;
/// writer.put(link::KIND, b"vxlan")?;
/// let data = writer.nest(link::DATA)?;
/// writer.put_u32(1, 1 << 24)?; // IFLA_VXLAN_ID
/// writer.close(data)?;
/// writer.close(info)?;
/// let len = writer.len();
///
/// let refused = link::Request::parse(&message[..len], &Compat::LINUX_6).unwrap_err();
/// assert_eq!(refused.to_string(), "VXLAN ID must be lower than 16777216");
/// assert_eq!(refused.errno().get(), 34); // ERANGE
/// # Ok::<(), vxlan_core::packet::OutOfRoom>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    compat: Compat,
    mac: Option<Mac>,
    mtu: Option<u32>,
    data: Table<'a, COUNT>,
    warning: Option<Message>,
}

impl<'a> Request<'a> {
    /// Reads the attributes of a link message, which follow its `struct ifinfomsg`.
    ///
    /// Attributes of other layers (the name, the namespace, ..) are not looked at.
    ///
    /// # Errors
    /// The first in Linux's order: form of the attributes in the order of the message, another
    /// kind than `vxlan`, MAC address, MTU, no data at all, then VNI, port range and fragmentation
    /// rule.
    pub fn parse(attributes: &'a [u8], compat: &Compat) -> Result<Self, Error> {
        let link = rules::LINK.parse(attributes)?;
        // Linux finds no words about this part.
        let info = rules::INFO.parse(link.get(LINKINFO).unwrap_or_default());
        let info = info.map_err(|error| Error::bare(error.errno()))?;
        let kind = info.get(KIND).unwrap_or_default();
        if kind.split(|byte| *byte == 0).next() != Some(VXLAN) {
            return Err(Error::new(Errno::EOPNOTSUPP, "Unknown device type"));
        }
        let given = info.get(DATA);
        let data = rules::VXLAN.parse(given.unwrap_or_default())?;
        let mac = link.get(ADDRESS).map(station).transpose()?;
        let mtu = link.number(MTU);
        if compat.check_mtu && mtu.is_some_and(|mtu| !(MTU_MIN..=MTU_MAX).contains(&mtu)) {
            return Err(invalid("MTU must be between 68 and 65535"));
        }
        if given.is_none() {
            return Err(invalid(
                "Required attributes not provided to perform the operation",
            ));
        }
        let request = Self {
            compat: *compat,
            mac,
            mtu,
            data,
            warning: link.warning().or(data.warning()),
        };
        request.vni()?;
        if request.port_range().is_some_and(|(low, high)| high < low) {
            return Err(invalid("Invalid source port range"));
        }
        if data.byte(number::DF).is_some_and(|df| df > 2) {
            return Err(invalid("Invalid DF attribute"));
        }
        Ok(request)
    }

    /// The MAC address that is asked for.
    #[must_use]
    pub const fn mac(&self) -> Option<Mac> {
        self.mac
    }

    /// The MTU that is asked for.
    #[must_use]
    pub const fn mtu(&self) -> Option<u32> {
        self.mtu
    }

    /// What Linux remarks about the request, unless a refusal has a message of its own.
    #[must_use]
    pub const fn warning(&self) -> Option<&Message> {
        self.warning.as_ref()
    }

    /// The VNI, if named.
    fn vni(&self) -> Result<Option<Vni>, Error> {
        let most = self.compat.vni_max;
        let Some(id) = self.data.number(number::ID) else {
            return Ok(None);
        };
        match Vni::new(id).filter(|vni| *vni <= most) {
            None => Err(ConfigError::VniTooHigh(most).into()),
            vni => Ok(vni),
        }
    }

    fn port_range(&self) -> Option<(u16, u16)> {
        let [a, b, c, d] = self.data.chunk(number::PORT_RANGE)?;
        Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
    }

    /// The address in one of two attributes; the first wins.
    fn address(&self, v4: u16, v6: u16) -> Option<IpAddr> {
        let v4 = self.data.chunk::<4>(v4).map(IpAddr::from);
        v4.or_else(|| self.data.chunk::<16>(v6).map(IpAddr::from))
    }

    fn remote(&self) -> Option<IpAddr> {
        self.address(number::GROUP, number::GROUP6)
    }

    fn local(&self) -> Option<IpAddr> {
        self.address(number::LOCAL, number::LOCAL6)
    }

    /// The lower interface; zero is none.
    fn lower(&self) -> Option<Option<IfIndex>> {
        self.data.number(number::LINK).map(IfIndex::new)
    }

    fn label(&self) -> Option<u32> {
        self.data.chunk(number::LABEL).map(u32::from_be_bytes)
    }

    fn df(&self) -> Option<Df> {
        Some(match self.data.byte(number::DF)? {
            1 => Df::Set,
            2 => Df::Inherit,
            _ => Df::Unset,
        })
    }

    /// A switch: on unless zero.
    fn on(&self, number: u16) -> Option<bool> {
        self.data.byte(number).map(|value| value != 0)
    }
}

/// The address of one station.
fn station(address: &[u8]) -> Result<Mac, Error> {
    let octets = <[u8; 6]>::try_from(address)
        .map_err(|_| invalid("Provided link layer address is not Ethernet"))?;
    match Mac::new(octets) {
        mac if mac.is_unicast() => Ok(mac),
        _ => Err(ConfigError::InvalidMac.into()),
    }
}

fn invalid(message: &'static str) -> Error {
    Error::new(Errno::EINVAL, message)
}
