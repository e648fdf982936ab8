//! Handles of what lives in a world.

use core::fmt;

/// A device of a [`World`](super::World), from its creation to its deletion.
///
/// A handle outlives its device without harm: it never stands for another one. Handles sort by age,
/// the oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId {
    pub(super) serial: u64,
    pub(super) place: usize,
}

impl DeviceId {
    /// The number by which the socket's list of VNIs knows the device; given again once it is
    /// deleted.
    #[must_use]
    pub const fn place(self) -> usize {
        self.place
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "device #{}", self.serial)
    }
}

/// A socket of a [`World`](super::World), from the request to open it to its closing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId {
    pub(super) serial: u64,
    pub(super) place: usize,
}

impl fmt::Display for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "socket #{}", self.serial)
    }
}
