//! Why a call about a device is refused.

use core::fmt;

use crate::{ConfigError, Errno, vni_filter};

/// Why a call about a device is refused. Nothing has changed then, but where it says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// There is no such device, or no longer.
    NoDevice,
    /// Another task about the device is not finished.
    Unfinished,
    /// The configuration or its change.
    Config(ConfigError),
    /// A change of the VNI filter.
    Vnis(vni_filter::Error),
    /// An MTU outside 68 to 65535, given with a new device.
    NewMtu,
    /// An MTU below 68.
    MtuTooSmall,
    /// An MTU above 65535.
    MtuTooLarge,
    /// An MTU that the lower interface cannot carry.
    MtuAboveLower,
    /// A MAC address that is a group or all zeros, for a device that exists.
    InvalidMac,
    /// An IPv6 device on a host without IPv6.
    NoIpv6,
    /// There is no interface with the number of the lower one.
    NoLower,
    /// The lower interface has IPv6 switched off.
    LowerWithoutIpv6,
    /// Another device receives what comes for the VNI.
    VniInUse,
    /// The port belongs to a socket that the device cannot share.
    PortInUse,
    /// The socket to share is being opened or closed, or the group just being left on it.
    SocketBusy,
    /// No place for another device, socket or VNI.
    Full,
    /// What the host reported.
    Host(Errno),
}

impl Error {
    /// The error number that Linux returns.
    #[must_use]
    pub fn errno(&self) -> Errno {
        match self {
            Self::NoDevice | Self::NoLower => Errno::ENODEV,
            Self::Unfinished | Self::SocketBusy => Errno::EBUSY,
            Self::Config(error) => Errno::new(error.errno()),
            Self::Vnis(error) => Errno::new(error.errno()),
            Self::NewMtu | Self::MtuTooSmall | Self::MtuTooLarge | Self::MtuAboveLower => {
                Errno::EINVAL
            }
            Self::InvalidMac => Errno::EADDRNOTAVAIL,
            Self::NoIpv6 => Errno::EPFNOSUPPORT,
            Self::LowerWithoutIpv6 => Errno::EPERM,
            Self::VniInUse => Errno::EEXIST,
            Self::PortInUse => Errno::EADDRINUSE,
            Self::Full => Errno::ENOMEM,
            Self::Host(errno) => *errno,
        }
    }

    /// The message that Linux adds to the error number, if it has one. That of
    /// [`Config`](Self::Config) is its own text, see [`ConfigError`].
    #[must_use]
    pub const fn message(&self) -> Option<&'static str> {
        match self {
            Self::Vnis(error) => error.message(),
            Self::NewMtu => Some("MTU must be between 68 and 65535"),
            Self::MtuTooSmall => Some("mtu less than device minimum"),
            Self::MtuTooLarge => Some("mtu greater than device maximum"),
            Self::NoIpv6 => Some("IPv6 support not enabled in the kernel"),
            Self::NoLower => Some("Invalid local interface, device not found"),
            Self::VniInUse => Some("A VXLAN device with the specified VNI already exists"),
            _ => None,
        }
    }
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(message) = self.message() {
            return f.write_str(message);
        }
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Vnis(error) => error.fmt(f),
            Self::Host(errno) => errno.fmt(f),
            Self::NoDevice => f.write_str("no such device"),
            Self::Unfinished => f.write_str("another task about the device is not finished"),
            Self::MtuAboveLower => f.write_str("the lower interface cannot carry this MTU"),
            Self::InvalidMac => f.write_str("the MAC address is a group or all zeros"),
            Self::LowerWithoutIpv6 => f.write_str("IPv6 is off on the lower interface"),
            Self::PortInUse => f.write_str("the port belongs to a socket of another kind"),
            Self::SocketBusy => f.write_str("the socket is being opened or closed"),
            _ => f.write_str("no place left"),
        }
    }
}

impl core::error::Error for Error {}
