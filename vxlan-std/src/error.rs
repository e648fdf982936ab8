//! Why a device cannot be had.

use core::fmt;
use core::net::{IpAddr, SocketAddr};
use std::io;

use vxlan_core::{ConfigError, IfIndex, PortRange, world};

const EINVAL: i32 = 22;

/// Why a [`Vtep`](crate::Vtep) refused to make or change a device.
#[derive(Debug)]
#[non_exhaustive]
pub enum AddError {
    /// The configuration contradicts itself.
    Config(ConfigError),
    /// The UDP port cannot be had.
    Bind {
        /// What was to be bound.
        local: SocketAddr,
        /// Why not.
        error: io::Error,
    },
    /// Any other rule of the world, or a number from the host.
    World(world::Error),
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
        /// On which interface; `None`: the one that the route names.
        interface: Option<IfIndex>,
        /// Why not.
        error: io::Error,
    },
}

impl fmt::Display for AddError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::World(error) => error.fmt(f),
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
            } => {
                write!(f, "cannot join {group}")?;
                if let Some(interface) = interface {
                    write!(f, " on interface {interface}")?;
                }
                write!(f, ": {error}")
            }
        }
    }
}

impl core::error::Error for AddError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Config(error) => Some(error),
            Self::World(error) => Some(error),
            Self::Bind { error, .. }
            | Self::SourcePorts { error, .. }
            | Self::Join { error, .. } => Some(error),
        }
    }
}

impl AddError {
    /// The error number that Linux answers with, positive.
    #[must_use]
    pub fn errno(&self) -> i32 {
        match self {
            Self::Config(error) => error.errno(),
            Self::World(error) => error.errno().get(),
            Self::Bind { error, .. }
            | Self::SourcePorts { error, .. }
            | Self::Join { error, .. } => error.raw_os_error().unwrap_or(EINVAL),
        }
    }

    /// The message that Linux adds to the number, if it has one.
    #[must_use]
    pub fn message(&self) -> Option<String> {
        match self {
            Self::Config(error) => Some(error.to_string()),
            Self::World(error) => error.message().map(str::to_owned),
            Self::Bind { .. } | Self::SourcePorts { .. } | Self::Join { .. } => None,
        }
    }
}

impl From<world::Error> for AddError {
    fn from(error: world::Error) -> Self {
        match error {
            world::Error::Config(error) => Self::Config(error),
            other => Self::World(other),
        }
    }
}
