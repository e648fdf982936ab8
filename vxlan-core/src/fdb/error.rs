//! Why a change of the table is refused.

use core::fmt;

/// A change that was refused. Unless a variant says otherwise the table is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Error {
    /// The entry exists and [`Mode::EXCL`](super::Mode::EXCL) was asked for.
    Exists,
    /// There is no such entry, or it lacks the remote and the request was strict.
    NotFound,
    /// The device has as many entries as it may (`IFLA_VXLAN_LIMIT`).
    LimitReached,
    /// The storage has no room.
    Full(Full),
    /// The entry has remotes and cannot become a nexthop entry.
    NotNexthop,
    /// A nexthop group is not one of several destinations.
    AppendNexthop,
    /// The entry exists, and its address, a group or all zeros, may have several remotes: which
    /// one to replace? Its state and flags **have** changed, without a notification, as in Linux.
    ReplaceGroup,
    /// The same for an entry that does not exist.
    ReplaceMissingGroup,
    /// The state is neither permanent nor reachable. Only the device's door checks it.
    State,
    /// No remote was given, but a nexthop group, which the driver that is followed does not know.
    NoRemote,
    /// The remote is of the other IP version than the device. Only the device's door checks it.
    Family,
    /// The nexthop group cannot be used. If the entry exists its state and flags **have**
    /// changed, without a notification, as in Linux.
    Nexthop(NexthopError),
}

/// Which part of the storage is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Full {
    /// No slot for another entry.
    Entries,
    /// No slot for another remote.
    Remotes,
}

/// Why a nexthop group cannot be used. Only the caller knows the groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NexthopError {
    /// There is none of that number.
    Unknown,
    /// It is not for forwarding databases.
    NotFdb,
    /// It is a single nexthop.
    NotGroup,
    /// Its addresses are of the other IP version.
    Family,
}

impl Error {
    /// The error number that Linux answers with, positive.
    #[must_use]
    pub const fn errno(self) -> i32 {
        const ENOENT: i32 = 2;
        const ENOMEM: i32 = 12;
        const EEXIST: i32 = 17;
        const EINVAL: i32 = 22;
        const ENOSPC: i32 = 28;
        const EOPNOTSUPP: i32 = 95;
        const EAFNOSUPPORT: i32 = 97;
        match self {
            Self::Exists => EEXIST,
            Self::NotFound => ENOENT,
            Self::LimitReached => ENOSPC,
            Self::Full(_) => ENOMEM,
            Self::NotNexthop
            | Self::AppendNexthop
            | Self::ReplaceGroup
            | Self::ReplaceMissingGroup => EOPNOTSUPP,
            Self::Family | Self::Nexthop(NexthopError::Family) => EAFNOSUPPORT,
            Self::State | Self::NoRemote | Self::Nexthop(_) => EINVAL,
        }
    }

    /// The extended acknowledgement that Linux sends along, if it has one.
    #[must_use]
    pub const fn message(self) -> Option<&'static str> {
        match self {
            Self::NotNexthop => Some("Cannot replace an existing non nexthop fdb with a nexthop"),
            Self::AppendNexthop => Some("Cannot append to a nexthop fdb"),
            Self::ReplaceGroup => Some("Cannot replace non-unicast fdb entries"),
            Self::Nexthop(NexthopError::Unknown) => Some("Nexthop id does not exist"),
            Self::Nexthop(NexthopError::NotFdb) => Some("Nexthop is not a fdb nexthop"),
            Self::Nexthop(NexthopError::NotGroup) => Some("Nexthop is not a multipath group"),
            Self::Nexthop(NexthopError::Family) => Some("Nexthop group family not supported"),
            Self::Exists
            | Self::NotFound
            | Self::LimitReached
            | Self::Full(_)
            | Self::ReplaceMissingGroup
            | Self::State
            | Self::NoRemote
            | Self::Family => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exists => "the entry exists",
            Self::NotFound => "no such entry",
            Self::LimitReached => "the device's limit of entries is reached",
            Self::Full(Full::Entries) => "no room for another entry",
            Self::Full(Full::Remotes) => "no room for another remote",
            Self::NotNexthop => "an entry with remotes cannot take a nexthop group",
            Self::AppendNexthop => "a nexthop group cannot be appended",
            Self::ReplaceGroup | Self::ReplaceMissingGroup => {
                "only the remote of a unicast address can be replaced"
            }
            Self::State => "an entry has to be permanent or reachable",
            Self::NoRemote => "an entry needs a remote",
            Self::Family => "the remote is of another IP version than the device",
            Self::Nexthop(NexthopError::Unknown) => "no such nexthop group",
            Self::Nexthop(NexthopError::NotFdb) => "the nexthop is not for forwarding databases",
            Self::Nexthop(NexthopError::NotGroup) => "the nexthop is not a group",
            Self::Nexthop(NexthopError::Family) => "the nexthop group is of another IP version",
        })
    }
}

impl core::error::Error for Error {}

impl From<Full> for Error {
    fn from(full: Full) -> Self {
        Self::Full(full)
    }
}

impl From<NexthopError> for Error {
    fn from(error: NexthopError) -> Self {
        Self::Nexthop(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F-01: error numbers and extended acknowledgements.
    #[test]
    fn f01_numbers_and_messages() {
        for (error, errno, message) in [
            (Error::Exists, 17, None),
            (Error::NotFound, 2, None),
            (Error::LimitReached, 28, None),
            (Full::Entries.into(), 12, None),
            (Full::Remotes.into(), 12, None),
            (
                Error::NotNexthop,
                95,
                Some("Cannot replace an existing non nexthop fdb with a nexthop"),
            ),
            (
                Error::AppendNexthop,
                95,
                Some("Cannot append to a nexthop fdb"),
            ),
            (
                Error::ReplaceGroup,
                95,
                Some("Cannot replace non-unicast fdb entries"),
            ),
            (Error::ReplaceMissingGroup, 95, None),
            (Error::State, 22, None),
            (Error::Family, 97, None),
            (
                NexthopError::Unknown.into(),
                22,
                Some("Nexthop id does not exist"),
            ),
            (
                NexthopError::NotFdb.into(),
                22,
                Some("Nexthop is not a fdb nexthop"),
            ),
            (
                NexthopError::NotGroup.into(),
                22,
                Some("Nexthop is not a multipath group"),
            ),
            (
                NexthopError::Family.into(),
                97,
                Some("Nexthop group family not supported"),
            ),
        ] {
            assert_eq!(
                (error.errno(), error.message()),
                (errno, message),
                "{error:?}"
            );
        }
    }
}
