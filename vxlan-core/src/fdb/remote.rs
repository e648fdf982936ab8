//! Where an entry points to.

use core::fmt;
use core::net::IpAddr;
use core::num::NonZeroU32;

use crate::IfIndex;

/// One destination of an entry. The kernel's `struct vxlan_rdst`.
///
/// Two remotes are the same if all four fields are equal as stored: a port or VNI given
/// explicitly equals the default it happens to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Remote {
    /// The outer destination address. Unspecified marks a local station; nothing is sent there.
    pub addr: IpAddr,
    /// The outer UDP destination port, host order.
    pub port: u16,
    /// The VNI in the VXLAN header. Any 32 bits may be stored, see [`Key::vni`](super::Key::vni).
    pub vni: u32,
    /// The interface to send through, if not the one the route names.
    pub ifindex: Option<IfIndex>,
}

/// The number of a nexthop group (`NHA_ID`). Never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NexthopId(NonZeroU32);

impl NexthopId {
    /// The nexthop group `id`, or `None` for zero.
    #[must_use]
    pub const fn new(id: u32) -> Option<Self> {
        match NonZeroU32::new(id) {
            Some(id) => Some(Self(id)),
            None => None,
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for NexthopId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// One line of a dump: a remote, or the nexthop group that stands in for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Destination {
    /// A remote.
    Remote(Remote),
    /// A nexthop group.
    Nexthop(NexthopId),
}

impl Destination {
    /// The remote, unless this is a nexthop group.
    #[must_use]
    pub const fn remote(&self) -> Option<&Remote> {
        match self {
            Self::Remote(remote) => Some(remote),
            Self::Nexthop(_) => None,
        }
    }
}

impl From<Remote> for Destination {
    fn from(remote: Remote) -> Self {
        Self::Remote(remote)
    }
}
