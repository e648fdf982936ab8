//! A device as a network interface.

use super::{DeviceId, Lower, setup};
use crate::device::Group;
use crate::fdb::{Cursor, Storage};
use crate::{Device, IfIndex, Instant};

/// What is being done with a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The host makes its interface.
    Creating,
    /// Nothing. It is down or up.
    Idle,
    /// It is going up.
    Opening,
    /// It is going down.
    Stopping,
    /// Its configuration changes.
    Changing,
    /// It goes, together with others.
    Dying {
        /// The task that it goes with.
        batch: u64,
    },
}

/// A device's place on a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    /// The place of the socket.
    pub(super) socket: usize,
    /// Packets come in: the device is on the list of VNIs.
    pub(super) attached: bool,
}

/// A device and what makes it a network interface: MTU, room around packets, sockets, the ageing
/// timer (`struct net_device` around `struct vxlan_dev`).
#[derive(Debug)]
pub struct Netdev<F> {
    pub(super) serial: u64,
    pub(super) device: Device<F>,
    pub(super) phase: Phase,
    pub(super) no_share: bool,
    pub(super) mtu: u32,
    pub(super) headroom: u32,
    pub(super) tailroom: u32,
    /// The interface exists.
    pub(super) registered: bool,
    /// What the host was told that it is above.
    pub(super) above: Option<IfIndex>,
    /// Over IPv4, over IPv6.
    pub(super) seats: [Option<Seat>; 2],
    /// How many of its groups are done: joined on the way up, left on the way down.
    pub(super) groups: usize,
    /// The host has been asked to join one more.
    pub(super) joining: bool,
    /// The host has been asked to leave this one.
    pub(super) leaving: Option<Group>,
    pub(super) sweep: Option<Instant>,
    /// Where the flush of a device that goes down or away goes on.
    pub(super) rest: Option<Cursor>,
}

impl<F: Storage> Netdev<F> {
    /// The device itself.
    #[must_use]
    #[inline]
    pub const fn device(&self) -> &Device<F> {
        &self.device
    }

    /// The device itself: to receive, to transmit, to change entries. Going up and down and changes
    /// of the configuration are for the [`World`](super::World).
    #[inline]
    pub fn device_mut(&mut self) -> &mut Device<F> {
        &mut self.device
    }

    /// Its MTU in bytes of an inner IP packet.
    #[must_use]
    pub const fn mtu(&self) -> u32 {
        self.mtu
    }

    /// Bytes wanted before each frame (`needed_headroom`).
    #[must_use]
    pub const fn headroom(&self) -> u32 {
        self.headroom
    }

    /// Bytes wanted behind each frame (`needed_tailroom`).
    #[must_use]
    pub const fn tailroom(&self) -> u32 {
        self.tailroom
    }

    /// When [`World::age`](super::World::age) has work for it; `None` while it is down.
    #[must_use]
    pub const fn next_sweep(&self) -> Option<Instant> {
        self.sweep
    }

    /// Whether a task about it is not finished.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        !matches!(self.phase, Phase::Idle)
    }

    pub(super) const fn id(&self, place: usize) -> DeviceId {
        DeviceId {
            serial: self.serial,
            place,
        }
    }

    /// Fits MTU and room to the configuration and to a lower interface that is new
    /// (`vxlan_config_apply()`). `requested`: the MTU asked for, or the one that it has.
    pub(super) fn apply(&mut self, lower: Option<&Lower>, requested: Option<u32>) {
        let config = self.device.config();
        self.mtu = config.mtu(lower.map(|lower| lower.mtu), requested);
        self.headroom = setup::headroom(config, lower);
        self.tailroom = lower.map_or(0, |lower| lower.needed_tailroom);
    }

    /// The group that is joined after `joined` others.
    pub(super) fn group(&self, joined: usize) -> Option<Group> {
        self.device.groups().nth(joined)
    }

    /// Whether others on the socket must not leave this group because the device has it.
    pub(super) fn holds(&self, group: Group) -> bool {
        let held = match self.phase {
            Phase::Opening => self.groups + usize::from(self.joining),
            Phase::Idle | Phase::Changing if self.device.is_up() => usize::MAX,
            _ => 0,
        };
        self.device.groups().take(held).any(|own| own == group)
    }

    /// Whether its packets come in.
    pub(super) fn is_attached(&self) -> bool {
        self.seats.iter().flatten().any(|seat| seat.attached)
    }
}
