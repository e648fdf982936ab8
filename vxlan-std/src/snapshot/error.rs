//! Why a snapshot was refused.

use core::fmt;
use std::io;

use vxlan_core::fdb::{self, NexthopId};
use vxlan_core::{Mac, Vni};

/// Why bytes are no snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The first bytes are those of something else.
    NoSnapshot,
    /// It was written in a format that this version does not know.
    Version(u16),
    /// It ends too early or goes on too long.
    Length {
        /// How many bytes there should be.
        need: u64,
        /// How many there are.
        have: u64,
    },
    /// What it holds is not what was written.
    Checksum,
    /// A line makes no sense although the checksum holds.
    Line(usize),
}

/// Why a file was not loaded.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoadError {
    /// It cannot be read.
    Io(io::Error),
    /// It is no snapshot.
    Snapshot(SnapshotError),
}

/// Why a device does not take a snapshot. Nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RestoreError {
    /// It is that of a device with another VNI.
    Vni {
        /// The snapshot's.
        snapshot: Vni,
        /// The device's.
        device: Vni,
    },
    /// An entry is for a network that the device does not tell from its own.
    Network {
        /// The entry.
        mac: Mac,
        /// Its network.
        vni: u32,
    },
    /// A remote is of another address family than the device.
    Family(Mac),
    /// An entry sends through an interface that is not there.
    Interface {
        /// The entry.
        mac: Mac,
        /// The name of the interface.
        name: String,
    },
    /// An entry uses a nexthop group that cannot be used.
    Nexthop {
        /// The entry.
        mac: Mac,
        /// The group.
        id: NexthopId,
        /// Why not.
        error: fdb::NexthopError,
    },
    /// The table does not take an entry.
    Entry {
        /// The entry.
        mac: Mac,
        /// Why not.
        error: fdb::Error,
    },
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSnapshot => f.write_str("not an FDB snapshot"),
            Self::Version(version) => write!(f, "an FDB snapshot of the unknown version {version}"),
            Self::Length { need, have } => {
                write!(f, "a damaged FDB snapshot: {have} bytes instead of {need}")
            }
            Self::Checksum => f.write_str("a damaged FDB snapshot: the checksum is wrong"),
            Self::Line(line) => write!(f, "a damaged FDB snapshot: line {line} makes no sense"),
        }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Snapshot(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vni { snapshot, device } => write!(
                f,
                "the snapshot of a device with VNI {snapshot}, not {device}"
            ),
            Self::Network { mac, vni } => {
                write!(
                    f,
                    "entry {mac}: for VNI {vni}, and the device has one VNI only"
                )
            }
            Self::Family(mac) => {
                write!(
                    f,
                    "entry {mac}: a remote of the device's other address family"
                )
            }
            Self::Interface { mac, name } => {
                write!(
                    f,
                    "entry {mac}: there is no interface {}",
                    name.escape_debug()
                )
            }
            Self::Nexthop { mac, id, error } => {
                write!(f, "entry {mac}: nexthop {id}: {}", fdb::Error::from(*error))
            }
            Self::Entry { mac, error } => write!(f, "entry {mac}: {error}"),
        }
    }
}

impl core::error::Error for SnapshotError {}
impl core::error::Error for RestoreError {}

impl core::error::Error for LoadError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Snapshot(error) => Some(error),
        }
    }
}
