//! What may change about a device that exists.

use core::net::IpAddr;
use core::time::Duration;

use super::limits::LimitsChange;
use super::{Config, ConfigError, Df, Flags, FlowLabel, Valid};
use crate::wire::vxlan::ReservedBits;
use crate::{IfIndex, Vni};

/// A change of the configuration (`vxlan_changelink()`): what is named changes, all else stays.
///
/// Only what Linux lets change is here, and the limits that it does not have. Ports,
/// [`Config::limit`], and the flags that belong to a shared
/// socket or to the format on the wire are given once, with the [`Config`].
///
/// ```
/// use core::time::Duration;
/// use vxlan_core::{Config, ConfigChange, Vni};
///
/// let config = Config::new(Vni::MIN).remote("192.0.2.2".parse()?).validate()?;
/// let change = ConfigChange::new().ttl(9).ageing(Duration::from_secs(60));
/// let changed = config.changed(&change)?;
/// assert_eq!((changed.ttl(), changed.remote()), (9, config.remote()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigChange {
    vni: Option<Vni>,
    remote: Option<IpAddr>,
    local: Option<IpAddr>,
    /// `Some(None)`: named, and none.
    lower: Option<Option<IfIndex>>,
    ttl: Option<u8>,
    tos: Option<u8>,
    df: Option<Df>,
    label: Option<u32>,
    label_inherit: Option<bool>,
    ageing: Option<Duration>,
    named: Flags,
    on: Flags,
    pub(super) limits: LimitsChange,
}

impl ConfigChange {
    /// Nothing changes, except that own reserved bits are lost: see [`Valid::changed`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The VNI (`IFLA_VXLAN_ID`), which can only be the one that it is.
    #[must_use]
    pub const fn vni(mut self, vni: Vni) -> Self {
        self.vni = Some(vni);
        self
    }

    /// The default remote (`IFLA_VXLAN_GROUP`, `GROUP6`), of the same IP version. An unspecified
    /// address takes it away.
    #[must_use]
    pub const fn remote(mut self, remote: IpAddr) -> Self {
        self.remote = Some(remote);
        self
    }

    /// The outer source address (`IFLA_VXLAN_LOCAL`, `LOCAL6`), of the same IP version. An
    /// unspecified one leaves it to the route.
    #[must_use]
    pub const fn local(mut self, local: IpAddr) -> Self {
        self.local = Some(local);
        self
    }

    /// The lower interface (`IFLA_VXLAN_LINK`).
    ///
    /// `None` does less than it seems: the device keeps its interface, and only a remote named
    /// from then on has none. A link-local device refuses it.
    #[must_use]
    pub const fn lower(mut self, lower: Option<IfIndex>) -> Self {
        self.lower = Some(lower);
        self
    }

    /// See [`Config::ttl`].
    #[must_use]
    pub const fn ttl(mut self, ttl: u8) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// See [`Config::tos`].
    #[must_use]
    pub const fn tos(mut self, tos: u8) -> Self {
        self.tos = Some(tos);
        self
    }

    /// See [`Config::df`].
    #[must_use]
    pub const fn df(mut self, df: Df) -> Self {
        self.df = Some(df);
        self
    }

    /// The flow label (`IFLA_VXLAN_LABEL`); only the low 20 bits count. Whether it is used stays.
    #[must_use]
    pub const fn flow_label(mut self, label: u32) -> Self {
        self.label = Some(label);
        self
    }

    /// Whether the inner flow label is used instead (`IFLA_VXLAN_LABEL_POLICY`). The own one is
    /// kept.
    #[must_use]
    pub const fn inherit_flow_label(mut self, on: bool) -> Self {
        self.label_inherit = Some(on);
        self
    }

    /// See [`Config::learning`].
    #[must_use]
    pub const fn learning(self, on: bool) -> Self {
        self.flag(Flags::LEARN, on)
    }

    /// See [`Config::local_bypass`].
    #[must_use]
    pub const fn local_bypass(self, on: bool) -> Self {
        self.flag(Flags::LOCALBYPASS, on)
    }

    /// See [`Config::multicast_route`].
    #[must_use]
    pub const fn multicast_route(self, on: bool) -> Self {
        self.flag(Flags::MC_ROUTE, on)
    }

    /// See [`Config::ageing`]: whole seconds, 300 for zero.
    #[must_use]
    pub const fn ageing(mut self, ageing: Duration) -> Self {
        self.ageing = Some(ageing);
        self
    }

    const fn flag(mut self, flag: Flags, on: bool) -> Self {
        self.named = self.named.union(flag);
        self.on = if on {
            self.on.union(flag)
        } else {
            self.on.difference(flag)
        };
        self
    }
}

impl Valid {
    /// The configuration after a change; nothing is changed yet.
    ///
    /// As in Linux every change, even an empty one, puts the reserved bits back to all that a
    /// plain VXLAN packet has no use for. A device with group policy or remote checksums then
    /// refuses its own kind of packets, and reserved bits given with the [`Config`] are lost.
    ///
    /// Whether the lower interface exists and whether another device has the VNI
    /// ([`Device::occupies`](crate::Device::occupies)) is for the caller to know.
    ///
    /// # Errors
    /// Another VNI, a remote or a local address of the other IP version; then those of
    /// [`Config::validate`].
    pub fn changed(&self, change: &ConfigChange) -> Result<Self, ConfigError> {
        if change.vni.is_some_and(|vni| vni != self.vni()) {
            return Err(ConfigError::VniFixed);
        }
        let other_family = |addr: &IpAddr| addr.is_ipv6() != self.is_ipv6();
        if change.remote.as_ref().is_some_and(other_family) {
            return Err(ConfigError::RemoteFamily);
        }
        if change.local.as_ref().is_some_and(other_family) {
            return Err(ConfigError::LocalFamily);
        }
        let (label, inherit) = match self.flow_label() {
            FlowLabel::Fixed(label) => (label, false),
            FlowLabel::Inherit(label) => (label, true),
        };
        let label = change.label.unwrap_or(label);
        let config = Config {
            remote: Some(change.remote.unwrap_or(self.remote)),
            local: Some(change.local.unwrap_or(self.local)),
            lower: change.lower.unwrap_or(self.config.lower),
            ttl: change.ttl.unwrap_or(self.config.ttl),
            tos: change.tos.unwrap_or(self.config.tos),
            df: change.df.unwrap_or(self.config.df),
            flags: (self.config.flags - change.named) | change.on,
            reserved_bits: None,
            limits: self.config.limits.changed(&change.limits),
            ..self.config.clone()
        };
        let config = config
            .flow_label(if change.label_inherit.unwrap_or(inherit) {
                FlowLabel::Inherit(label)
            } else {
                FlowLabel::Fixed(label)
            })
            .ageing(change.ageing.unwrap_or(self.ageing()));
        let checked = config.check(ReservedBits::PLAIN)?;
        Ok(Self {
            // Linux takes no interface for no change.
            lower: checked.lower.or(self.lower),
            ..checked
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4() -> Valid {
        let config = Config::new(Vni::MIN)
            .remote(IpAddr::from([192, 0, 2, 2]))
            .lower(IfIndex::new(7))
            .reserved_bits(ReservedBits::NONE);
        config.validate().unwrap()
    }

    /// Of several faults the first in the order of `vxlan_nl2conf()` is named, those of
    /// `vxlan_config_validate()` after them.
    #[test]
    fn the_first_fault_is_named() {
        let v6 = IpAddr::from([0xfd; 16]);
        let group = IpAddr::from([239, 0, 0, 1]);
        let everything = ConfigChange::new()
            .vni(Vni::MAX)
            .remote(v6)
            .local(v6)
            .flow_label(1)
            .lower(None);
        let remote = everything.clone().vni(Vni::MIN);
        let local = remote.clone().remote(group);
        let multicast = local.clone().local(group);
        let label = multicast.clone().local(IpAddr::from([192, 0, 2, 1]));
        let policy = label.clone().flow_label(0).inherit_flow_label(true);
        let lower = policy.clone().inherit_flow_label(false);
        for (change, error) in [
            (everything, ConfigError::VniFixed),
            (remote, ConfigError::RemoteFamily),
            (local, ConfigError::LocalFamily),
            (multicast, ConfigError::LocalMulticast),
            (label, ConfigError::LabelWithoutIpv6),
            (policy, ConfigError::LabelPolicyWithoutIpv6),
            (lower.clone(), ConfigError::MulticastWithoutLower),
        ] {
            assert_eq!(v4().changed(&change), Err(error));
        }
        assert!(v4().changed(&lower.lower(IfIndex::new(7))).is_ok());
    }

    #[test]
    fn what_is_not_named_stays() {
        let before = v4();
        let after = before.changed(&ConfigChange::new().vni(Vni::MIN)).unwrap();
        assert_eq!(after.reserved_bits(), ReservedBits::PLAIN);
        let put_back = Valid {
            config: before.config.clone(),
            reserved_bits: before.reserved_bits,
            ..after.clone()
        };
        assert_eq!(put_back, before);
        assert_eq!(after.flags(), before.flags());
        assert_eq!(after.attributes().count(), before.attributes().count());
    }

    #[test]
    fn the_lower_interface_is_not_taken_away() {
        let none = v4().changed(&ConfigChange::new().lower(None)).unwrap();
        assert_eq!(none.lower(), IfIndex::new(7));
        let link_local = Config::new(Vni::MIN)
            .local("fe80::1".parse().unwrap())
            .lower(IfIndex::new(7))
            .validate()
            .unwrap();
        assert_eq!(link_local.arrival(), IfIndex::new(7));
        let other = link_local.changed(&ConfigChange::new().lower(IfIndex::new(8)));
        let other = other.unwrap();
        assert_eq!(
            (other.arrival(), other.lower()),
            (IfIndex::new(8), IfIndex::new(8))
        );
        assert_eq!(
            other.changed(&ConfigChange::new().lower(None)),
            Err(ConfigError::LinkLocalWithoutLower)
        );
    }
}
