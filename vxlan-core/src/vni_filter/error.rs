//! Why a change of the list is refused.

use core::fmt;

use crate::fdb;

/// The memory of the list has no place left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Full {
    /// How many places there are.
    pub capacity: usize,
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "all {} places of the VNI filter are taken",
            self.capacity
        )
    }
}

impl core::error::Error for Full {}

/// A change that was refused. Of a range of VNIs, those before the one at fault have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Error {
    /// The device has no filter.
    NoFilter,
    /// The request names no VNI; VNI 0 cannot be named alone.
    NoVni,
    /// The group is a multicast group, and the device has no lower interface to join it on.
    GroupWithoutLower,
    /// Another device receives the VNI on the same port.
    InUse,
    /// The VNI is not in the filter.
    NotFound,
    /// The storage has no room.
    Full(Full),
    /// The default entry of the VNI cannot be made. The VNI is in the filter all the same, as in
    /// Linux.
    Fdb(fdb::Error),
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
            Self::NoFilter => EOPNOTSUPP,
            Self::NoVni | Self::GroupWithoutLower => EINVAL,
            Self::InUse => EEXIST,
            Self::NotFound => ENOENT,
            Self::Full(_) => ENOMEM,
            Self::Fdb(error) => error.errno(),
        }
    }

    /// The extended acknowledgement that Linux sends along, if it has one.
    #[must_use]
    pub const fn message(self) -> Option<&'static str> {
        match self {
            Self::NoVni => Some("vni start nor end found in vni entry"),
            Self::GroupWithoutLower => Some("Local interface required for multicast remote group"),
            Self::InUse => Some("VNI in use"),
            Self::Fdb(error) => error.message(),
            Self::NoFilter | Self::NotFound | Self::Full(_) => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFilter => f.write_str("the device has no VNI filter"),
            Self::NoVni => f.write_str("no VNI is named"),
            Self::GroupWithoutLower => f.write_str("a multicast group needs a lower interface"),
            Self::InUse => f.write_str("another device receives the VNI"),
            Self::NotFound => f.write_str("the VNI is not in the filter"),
            Self::Full(full) => full.fmt(f),
            Self::Fdb(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for Error {}

impl From<Full> for Error {
    fn from(full: Full) -> Self {
        Self::Full(full)
    }
}

impl From<fdb::Error> for Error {
    fn from(error: fdb::Error) -> Self {
        Self::Fdb(error)
    }
}
