//! From attributes to the change of a device (`vxlan_nl2conf()` for `vxlan_changelink()`).

use core::net::IpAddr;
use core::time::Duration;

use super::{Request, number};
use crate::device::Valid;
use crate::netlink::Error;
use crate::{ConfigChange, ConfigError, Errno, Mac};

/// A change that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// For [`World::change`](crate::World::change) or
    /// [`Device::change`](crate::Device::change), which check it as a whole.
    pub config: ConfigChange,
    /// The MAC address that is to be set once the change is made.
    pub mac: Option<Mac>,
}

/// An attribute that a device is given once, and what is said to it later.
type Fixed = (u16, &'static str);

/// What stands before the MTU in the order of `vxlan_nl2conf()`.
const BEFORE_MTU: [Fixed; 18] = [
    (number::TTL_INHERIT, "vxlan: cannot change TTL_INHERIT flag"),
    (number::PROXY, "vxlan: cannot change PROXY flag"),
    (number::RSC, "vxlan: cannot change RSC flag"),
    (number::L2MISS, "vxlan: cannot change L2MISS flag"),
    (number::L3MISS, "vxlan: cannot change L3MISS flag"),
    (number::LIMIT, "Cannot change limit"),
    (
        number::COLLECT_METADATA,
        "vxlan: cannot change COLLECT_METADATA flag",
    ),
    (number::PORT_RANGE, "Cannot change port range"),
    (number::PORT, "Cannot change port"),
    (number::UDP_CSUM, "Cannot change UDP_CSUM flag"),
    (
        number::UDP_ZERO_CSUM6_TX,
        "vxlan: cannot change UDP_ZERO_CSUM6_TX flag",
    ),
    (
        number::UDP_ZERO_CSUM6_RX,
        "vxlan: cannot change UDP_ZERO_CSUM6_RX flag",
    ),
    (number::REMCSUM_TX, "vxlan: cannot change REMCSUM_TX flag"),
    (number::REMCSUM_RX, "vxlan: cannot change REMCSUM_RX flag"),
    (number::GBP, "vxlan: cannot change GBP flag"),
    (number::GPE, "vxlan: cannot change GPE flag"),
    (number::RESERVED_BITS, "Cannot change reserved_bits"),
    (
        number::REMCSUM_NOPARTIAL,
        "vxlan: cannot change REMCSUM_NOPARTIAL flag",
    ),
];

impl Request<'_> {
    /// The change that is asked of a device configured like this.
    ///
    /// # Errors
    /// The first in Linux's order: another VNI, an address of the other IP version, an attribute
    /// that cannot change, even if it names what is.
    pub fn change(&self, current: &Valid) -> Result<Change, Error> {
        if self.vni()?.is_some_and(|vni| vni != current.vni()) {
            return Err(ConfigError::VniFixed.into());
        }
        let other_family = |addr: &IpAddr| addr.is_ipv6() != current.is_ipv6();
        if self.remote().as_ref().is_some_and(other_family) {
            return Err(ConfigError::RemoteFamily.into());
        }
        if self.local().as_ref().is_some_and(other_family) {
            return Err(ConfigError::LocalFamily.into());
        }
        let given = |(number, message): &Fixed| self.data.has(*number).then_some(*message);
        if let Some(message) = BEFORE_MTU.iter().find_map(given) {
            return Err(fixed(message));
        }
        if self.mtu.is_some() {
            return Err(fixed("Cannot change mtu"));
        }
        if self.data.has(number::VNIFILTER) {
            return Err(fixed("vxlan: cannot change flag"));
        }
        Ok(Change {
            config: self.config_change(),
            mac: self.mac,
        })
    }

    fn config_change(&self) -> ConfigChange {
        let mut change = ConfigChange::new();
        if let Some(remote) = self.remote() {
            change = change.remote(remote);
        }
        if let Some(local) = self.local() {
            change = change.local(local);
        }
        if let Some(lower) = self.lower() {
            change = change.lower(lower);
        }
        if let Some(tos) = self.data.byte(number::TOS) {
            change = change.tos(tos);
        }
        if let Some(ttl) = self.data.byte(number::TTL) {
            change = change.ttl(ttl);
        }
        if let Some(label) = self.label() {
            change = change.flow_label(label);
        }
        if let Some(policy) = self.data.number(number::LABEL_POLICY) {
            change = change.inherit_flow_label(policy != 0);
        }
        if let Some(on) = self.on(number::LEARNING) {
            change = change.learning(on);
        }
        if let Some(ageing) = self.data.number(number::AGEING) {
            change = change.ageing(Duration::from_secs(ageing.into()));
        }
        if let Some(on) = self.on(number::LOCALBYPASS) {
            change = change.local_bypass(on);
        }
        if let Some(on) = self.on(number::MC_ROUTE) {
            change = change.multicast_route(on);
        }
        if let Some(df) = self.df() {
            change = change.df(df);
        }
        change
    }
}

fn fixed(message: &'static str) -> Error {
    Error::new(Errno::EOPNOTSUPP, message)
}
