//! Why a configuration is refused.

use core::fmt;

use crate::Vni;

/// A configuration that no device can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The VNI is above the highest allowed one.
    VniTooHigh(Vni),
    /// Local and remote address are of different families.
    Families,
    /// The local address is a group.
    LocalMulticast,
    /// The scopes of local and remote address do not fit.
    Scopes,
    /// A flow label on an IPv4 device.
    LabelWithoutIpv6,
    /// A flow-label policy on an IPv4 device.
    LabelPolicyWithoutIpv6,
    /// The remote is a group and there is no lower interface.
    MulticastWithoutLower,
    /// The local address is link-local and there is no lower interface.
    LinkLocalWithoutLower,
    /// The reserved bits claim bits that a feature uses. Both as the eight bytes of a header.
    ReservedBitsOverlap {
        /// The bits in use.
        used: u64,
        /// The bits claimed.
        reserved: u64,
    },
    /// A VNI filter without external mode.
    VniFilterWithoutMetadata,
    /// The generic protocol extension without external mode, or with an option that needs inner
    /// Ethernet headers.
    Gpe,
    /// The device's MAC address is a group or all zeros.
    InvalidMac,
    /// The default entry does not fit into the FDB.
    Fdb(crate::fdb::Error),
    /// Move damping without a time for the moves, or to be held.
    MoveDamping,
    /// A change names another VNI.
    VniFixed,
    /// A change names a remote of the other IP version.
    RemoteFamily,
    /// A change names a local address of the other IP version.
    LocalFamily,
}

impl ConfigError {
    /// The error number that Linux returns.
    #[must_use]
    pub fn errno(&self) -> i32 {
        const EINVAL: i32 = 22;
        const ERANGE: i32 = 34;
        const EOPNOTSUPP: i32 = 95;
        const EADDRNOTAVAIL: i32 = 99;
        match self {
            Self::VniTooHigh(_) => ERANGE,
            Self::VniFixed | Self::RemoteFamily | Self::LocalFamily => EOPNOTSUPP,
            Self::InvalidMac => EADDRNOTAVAIL,
            Self::Fdb(error) => error.errno(),
            _ => EINVAL,
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::VniTooHigh(most) => {
                write!(f, "VXLAN ID must be lower than {}", most.get() + 1)
            }
            Self::Families => f.write_str("Local and remote address must be from the same family"),
            Self::LocalMulticast => f.write_str("Local address cannot be multicast"),
            Self::Scopes => f.write_str("Invalid combination of local and remote address scopes"),
            Self::LabelWithoutIpv6 => {
                f.write_str("Label attribute only applies to IPv6 VXLAN devices")
            }
            Self::LabelPolicyWithoutIpv6 => {
                f.write_str("Label policy only applies to IPv6 VXLAN devices")
            }
            Self::MulticastWithoutLower => {
                f.write_str("Local interface required for multicast remote destination")
            }
            Self::LinkLocalWithoutLower => {
                f.write_str("Local interface required for link-local local/remote addresses")
            }
            Self::ReservedBitsOverlap { used, reserved } => write!(
                f,
                "Used bits {used:#018x} cannot overlap reserved bits {reserved:#018x}"
            ),
            Self::VniFilterWithoutMetadata => {
                f.write_str("vxlan vnifilter only valid in collect metadata mode")
            }
            Self::Gpe => f.write_str("VXLAN GPE does not support this combination of attributes"),
            Self::InvalidMac => f.write_str("Provided Ethernet address is not unicast"),
            Self::Fdb(error) => error.fmt(f),
            Self::MoveDamping => f.write_str("Move damping needs a time and a time to hold"),
            Self::VniFixed => f.write_str("Cannot change VNI"),
            Self::RemoteFamily => f.write_str("New group address family does not match old group"),
            Self::LocalFamily => f.write_str("New local address family does not match old"),
        }
    }
}

impl core::error::Error for ConfigError {}
