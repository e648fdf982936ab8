//! Why a request is refused.

use core::fmt;

use super::Full;

/// A request that was refused. Unless a variant says otherwise the table is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Error {
    /// The device carries no Ethernet frames, or its storage has no memory for a multicast database.
    /// Only the device's door checks it.
    NotSupported,
    /// The port of the entry is another device.
    Port,
    /// The entry to be added is not permanent.
    NotPermanent,
    /// The entry has flags.
    Flags,
    /// The entry has a VLAN.
    Vlan,
    /// The group is no IP address.
    GroupNotIp,
    /// There are no attributes.
    NoAttributes,
    /// No remote was given.
    NoRemote,
    /// The IPv4 group is neither multicast nor 0.0.0.0.
    NotMulticastV4,
    /// The IPv4 group is one of 224.0.0.0/24.
    LocalMulticastV4,
    /// The IPv6 group is ff02::1.
    AllNodesV6,
    /// The IPv6 group is neither multicast nor `::`.
    NotMulticastV6,
    /// A source is IPv6, the group is IPv4.
    SourceNotV4,
    /// A source is IPv4, the group is IPv6.
    SourceNotV6,
    /// A source is an IPv4 group.
    SourceMulticastV4,
    /// A source is an IPv6 group.
    SourceMulticastV6,
    /// The entry for all other groups cannot have a source.
    CatchAllSource,
    /// A filter mode for another entry than (*,G).
    FilterMode,
    /// A list of sources for another entry than (*,G), or for one that states its source.
    SourceList,
    /// A list of sources without a filter mode.
    SourceListWithoutMode,
    /// "Only these sources", but there are none.
    IncludeNone,
    /// The interface to send through does not exist. Only the caller knows.
    Interface,
    /// The remote exists and may not be replaced. If it is one that a source of the list asks
    /// for, what the request had changed before **stays**, as in Linux; what it had made is gone
    /// again.
    Exists,
    /// A source is in the list twice. See [`Exists`](Self::Exists).
    SourceExists,
    /// The remote does not exist and may not be made. See [`Exists`](Self::Exists).
    NotCreated,
    /// The port of a flush is another device.
    FlushPort,
    /// A flush of what is not permanent: nothing is.
    FlushNotPermanent,
    /// No such entry to delete.
    NotFound,
    /// The entry to delete from lacks the remote.
    RemoteNotFound,
    /// No such entry to show.
    NothingToGet,
    /// The storage has no room.
    Full(Full),
}

impl Error {
    /// The error number that Linux answers with, positive.
    #[must_use]
    pub const fn errno(self) -> i32 {
        const ENOENT: i32 = 2;
        const ENOMEM: i32 = 12;
        const EEXIST: i32 = 17;
        const EINVAL: i32 = 22;
        const EOPNOTSUPP: i32 = 95;
        match self {
            Self::NotSupported => EOPNOTSUPP,
            Self::NotCreated | Self::NotFound | Self::RemoteNotFound | Self::NothingToGet => ENOENT,
            Self::Exists | Self::SourceExists => EEXIST,
            Self::Full(_) => ENOMEM,
            _ => EINVAL,
        }
    }

    /// The extended acknowledgement that Linux sends along, if it has one.
    #[must_use]
    pub const fn message(self) -> Option<&'static str> {
        Some(match self {
            Self::NotSupported => "Device does not support MDB operations",
            Self::Port => "vxlan: Port net device must be the VXLAN net device",
            Self::NotPermanent => "vxlan: MDB entry must be permanent",
            Self::Flags => "vxlan: Invalid MDB entry flags",
            Self::Vlan => "vxlan: VID must not be specified",
            Self::GroupNotIp => "vxlan: Group address must be an IPv4 / IPv6 address",
            Self::NoAttributes => "vxlan: Missing MDBA_SET_ENTRY_ATTRS attribute",
            Self::NoRemote => "vxlan: Missing remote destination IP address",
            Self::NotMulticastV4 => "IPv4 entry group address is not multicast or 0.0.0.0",
            Self::LocalMulticastV4 => "IPv4 entry group address is local multicast",
            Self::AllNodesV6 => "IPv6 entry group address is link-local all nodes",
            Self::NotMulticastV6 => "vxlan: Group address is not multicast",
            Self::SourceNotV4 => "vxlan: IPv4 invalid source address length",
            Self::SourceNotV6 => "vxlan: IPv6 invalid source address length",
            Self::SourceMulticastV4 => "vxlan: IPv4 multicast source address is not allowed",
            Self::SourceMulticastV6 => "vxlan: IPv6 multicast source address is not allowed",
            Self::CatchAllSource => "vxlan: Source cannot be specified for the all-zeros entry",
            Self::FilterMode => "vxlan: Filter mode can only be set for (*, G) entries",
            Self::SourceList => "vxlan: Source list can only be set for (*, G) entries",
            Self::SourceListWithoutMode => "vxlan: Source list cannot be set without filter mode",
            Self::IncludeNone => "vxlan: Cannot add (*, G) INCLUDE with an empty source list",
            Self::Interface => "vxlan: Outgoing interface not found",
            Self::Exists => "vxlan: Replace not specified and MDB remote entry already exists",
            Self::SourceExists => "vxlan: Source entry already exists",
            Self::NotCreated => "vxlan: Create not specified and entry does not exist",
            Self::FlushPort => "vxlan: Invalid port net device",
            Self::FlushNotPermanent => "vxlan: Only permanent MDB entries are supported",
            Self::NotFound => "vxlan: Did not find MDB entry",
            Self::RemoteNotFound => "vxlan: Did not find MDB remote entry",
            Self::NothingToGet => "vxlan: MDB entry not found",
            Self::Full(_) => return None,
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(Full::Groups) => f.write_str("no room for another multicast entry"),
            Self::Full(Full::Remotes) => f.write_str("no room for another remote"),
            Self::Full(Full::Sources) => f.write_str("no room for another source"),
            other => {
                let message = other.message().unwrap_or_default();
                f.write_str(message.strip_prefix("vxlan: ").unwrap_or(message))
            }
        }
    }
}

impl core::error::Error for Error {}

impl From<Full> for Error {
    fn from(full: Full) -> Self {
        Self::Full(full)
    }
}
