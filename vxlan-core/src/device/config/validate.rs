//! Whether a configuration fits together, in the kernel's order of checks.

use core::net::{IpAddr, Ipv6Addr};

use super::{
    AGEING_DEFAULT, Config, ConfigError, Flags, FlowLabel, PORT_GPE, USED_ALWAYS, USED_BY_GBP,
    USED_BY_GPE, USED_BY_RCO, Valid,
};
use crate::wire::vxlan::ReservedBits;

impl Config {
    /// Whether an MTU that comes with it is checked.
    pub(crate) const fn checks_mtu(&self) -> bool {
        self.compat.check_mtu
    }

    /// The header bits that the features in use claim.
    pub(super) const fn used_bits(&self) -> u64 {
        let mut used = USED_ALWAYS;
        if self.rco_named {
            used |= USED_BY_RCO;
        }
        if self.flags.contains(Flags::GBP) {
            used |= USED_BY_GBP;
        }
        if self.flags.contains(Flags::GPE) {
            used |= USED_BY_GPE;
        }
        used
    }

    /// Checks the configuration and fills in what follows from it (`vxlan_config_validate()`).
    ///
    /// Whether the lower interface exists and whether another device has the VNI is for the
    /// caller to know.
    ///
    /// # Errors
    /// The first [`ConfigError`] in the kernel's order.
    pub fn validate(self) -> Result<Valid, ConfigError> {
        if self.vni > self.compat.vni_max {
            return Err(ConfigError::VniTooHigh(self.compat.vni_max));
        }
        // With the attributes, before the rest of the configuration (`vxlan_nl2conf()`).
        let used = self.used_bits();
        let reserved_bits = match self.reserved_bits {
            None => ReservedBits::new((!used).to_be_bytes()),
            Some(mask) => {
                let reserved = u64::from_be_bytes(mask.octets());
                if reserved & used != 0 {
                    return Err(ConfigError::ReservedBitsOverlap { used, reserved });
                }
                mask
            }
        };
        if self.flags.contains(Flags::VNIFILTER) && !self.flags.contains(Flags::COLLECT_METADATA) {
            return Err(ConfigError::VniFilterWithoutMetadata);
        }
        self.check(reserved_bits)
    }

    /// What a new device and one that changes have in common.
    pub(super) fn check(mut self, reserved_bits: ReservedBits) -> Result<Valid, ConfigError> {
        let gpe = self.flags.contains(Flags::GPE);
        let external = self.flags.contains(Flags::COLLECT_METADATA);
        if gpe && !(external && Flags::WITH_GPE.contains(self.flags)) {
            return Err(ConfigError::Gpe);
        }
        let checked = self.compat.check_addresses;
        let (remote, local) = self.addresses();
        if remote.is_ipv4() != local.is_ipv4() {
            return Err(ConfigError::Families);
        }
        if checked && local.is_multicast() {
            return Err(ConfigError::LocalMulticast);
        }
        let mut derived = Flags::empty();
        if let (IpAddr::V6(remote), IpAddr::V6(local)) = (remote, local) {
            derived |= Flags::IPV6;
            // External mode has no addresses of its own to fit.
            if checked && !external {
                derived |= scopes(remote, local)?;
            }
        } else {
            match self.label {
                FlowLabel::Fixed(0) => {}
                FlowLabel::Fixed(_) => return Err(ConfigError::LabelWithoutIpv6),
                FlowLabel::Inherit(0) => return Err(ConfigError::LabelPolicyWithoutIpv6),
                FlowLabel::Inherit(_) => return Err(ConfigError::LabelWithoutIpv6),
            }
        }
        if checked && self.lower.is_none() {
            if remote.is_multicast() {
                return Err(ConfigError::MulticastWithoutLower);
            }
            if derived.contains(Flags::IPV6_LINKLOCAL) {
                return Err(ConfigError::LinkLocalWithoutLower);
            }
        }
        self.limits.check()?;
        if self.port == 0 {
            self.port = if gpe { PORT_GPE } else { self.compat.port };
        }
        if self.ageing == 0 {
            self.ageing = AGEING_DEFAULT.as_secs() as u32;
        }
        self.flags = (self.flags - (Flags::IPV6 | Flags::IPV6_LINKLOCAL)) | derived;
        Ok(Valid {
            remote,
            local,
            lower: self.lower,
            reserved_bits,
            config: self,
        })
    }
}

/// Whether the scopes of the addresses fit; sets the flag of a link-local device.
fn scopes(remote: Ipv6Addr, local: Ipv6Addr) -> Result<Flags, ConfigError> {
    if local.is_unicast_link_local() {
        let scoped = remote.is_unicast_link_local() || link_local_group(remote);
        if scoped || remote.is_unspecified() {
            Ok(Flags::IPV6_LINKLOCAL)
        } else {
            Err(ConfigError::Scopes)
        }
    } else if remote.is_unicast_link_local() {
        Err(ConfigError::Scopes)
    } else {
        Ok(Flags::empty())
    }
}

/// Link-local scope among IPv6 groups: ff?2::/16.
fn link_local_group(address: Ipv6Addr) -> bool {
    address.is_multicast() && matches!(address.octets(), [_, scope, ..] if scope & 0x0f == 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{IfIndex, Vni};

    /// Of several faults the kernel names the first one in its order of checks.
    #[test]
    fn the_first_fault_is_named() {
        let v4 = IpAddr::from([192, 0, 2, 1]);
        let group = IpAddr::from([239, 0, 0, 1]);
        let group6 = IpAddr::from([0xff05, 0, 0, 0, 0, 0, 0, 1]);
        let everything = Config::new(Vni::MAX)
            .reserved_bits(ReservedBits::new([0xff; 8]))
            .local(group)
            .remote(group6)
            .flow_label(FlowLabel::Fixed(1));
        let everything = everything.vni_filter(true);
        let mask = everything.clone().reserved_bits(ReservedBits::NONE);
        let filter = mask.clone().vni_filter(false);
        let families = filter.clone().remote(group);
        let local = families.clone().local(v4);
        let label = local.clone().flow_label(FlowLabel::Inherit(0));
        let policy = label.clone().flow_label(FlowLabel::Fixed(0));
        for (config, error) in [
            (
                everything,
                ConfigError::ReservedBitsOverlap {
                    used: USED_ALWAYS,
                    reserved: u64::MAX,
                },
            ),
            (mask, ConfigError::VniFilterWithoutMetadata),
            (filter, ConfigError::Families),
            (families, ConfigError::LocalMulticast),
            (local, ConfigError::LabelWithoutIpv6),
            (label, ConfigError::LabelPolicyWithoutIpv6),
            (policy.clone(), ConfigError::MulticastWithoutLower),
        ] {
            assert_eq!(config.validate().err(), Some(error));
        }
        assert!(policy.lower(IfIndex::new(7)).validate().is_ok());
    }
}
