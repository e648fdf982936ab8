//! Why a device cannot be had.

use core::fmt;
use core::net::{IpAddr, SocketAddr};
use std::io;

use vxlan_core::{ConfigError, IfIndex, PortRange, Vni};

/// Why [`Vtep::add`](crate::Vtep::add) refused a device. Nothing is left behind.
#[derive(Debug)]
#[non_exhaustive]
pub enum AddError {
    /// The configuration contradicts itself.
    Config(ConfigError),
    /// Another device has this VNI on this port (`vxlan_vni_in_use()`).
    VniInUse {
        /// The VNI.
        vni: Vni,
        /// The UDP port.
        port: u16,
    },
    /// The UDP port cannot be had.
    Bind {
        /// What was to be bound.
        local: SocketAddr,
        /// Why not.
        error: io::Error,
    },
    /// No source port can be had.
    SourcePorts {
        /// The range that was asked for.
        range: PortRange,
        /// Why not.
        error: io::Error,
    },
    /// The multicast group cannot be joined.
    Join {
        /// The group.
        group: IpAddr,
        /// On which interface.
        interface: IfIndex,
        /// Why not.
        error: io::Error,
    },
}

impl fmt::Display for AddError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::VniInUse { vni, port } => write!(
                f,
                "a device with VNI {vni} on UDP port {port} already exists"
            ),
            Self::Bind { local, error } => write!(f, "cannot receive on UDP {local}: {error}"),
            Self::SourcePorts { range, error } => {
                write!(
                    f,
                    "cannot send from a UDP port in the range {range}: {error}"
                )
            }
            Self::Join {
                group,
                interface,
                error,
            } => write!(f, "cannot join {group} on interface {interface}: {error}"),
        }
    }
}

impl core::error::Error for AddError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Config(error) => Some(error),
            Self::VniInUse { .. } => None,
            Self::Bind { error, .. }
            | Self::SourcePorts { error, .. }
            | Self::Join { error, .. } => Some(error),
        }
    }
}

impl From<ConfigError> for AddError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}
