//! The life of devices and sockets in one network namespace.
//!
//! A [`World`] holds devices and the UDP sockets that they share. It knows all the rules: which
//! devices may share a socket, who may have a VNI, when a group is joined and left, what an MTU can
//! be. It does nothing by itself. A call checks and returns a [`Task`]; the task hands out one
//! [`Action`] after the other for the host to do, takes the result of each, and undoes what was done
//! if one fails.
//!
//! ```
//! use vxlan_core::world::{Action, Growable, NewDevice, World};
//! use vxlan_core::{Config, Instant, Mac, Salt, Vni, fdb};
//!
//! let mut world = World::new(Growable::new(), Salt::default());
//! // What the host does. This one takes everything down instead.
//! let mut done = Vec::new();
//! let mut host = |_world: &World<_>, action: &Action| {
//!     done.push(*action);
//!     Ok(())
//! };
//!
//! let config = Config::new(Vni::MIN).local("192.0.2.1".parse()?).port(4789);
//! let new = NewDevice::new(config, Mac::new([2, 0, 0, 0, 0, 1]));
//! let task = world.create(new, fdb::Growable::new(), Instant::ZERO)?;
//! let vx0 = task.device().ok_or("a new device")?;
//! world.run(task, &mut host, |_device, _event| {})?;
//!
//! let task = world.open(vx0, None, Instant::ZERO)?;
//! world.run(task, &mut host, |_device, _event| {})?;
//! let (socket, four) = world.sockets().next().ok_or("it is up")?;
//! assert_eq!((four.key().port, four.users()), (4789, 1));
//! // A UDP payload has come.
//! assert_eq!(world.demultiplex(socket, &[8, 0, 0, 0, 0, 0, 0, 0], None), Ok(vx0));
//!
//! let task = world.delete(vx0, |_device, _event| {})?;
//! world.run(task, &mut host, |_device, _event| {})?;
//! assert!(world.devices().next().is_none() && world.sockets().next().is_none());
//! assert!(matches!(
//!     done[..],
//!     [
//!         Action::Register(_),
//!         Action::Open { .. },
//!         Action::Bind { .. },
//!         Action::Announce { .. },
//!         Action::Withdraw { .. },
//!         Action::Close(_),
//!         Action::Unregister(_),
//!     ]
//! ));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod action;
mod age;
mod attach;
mod change;
mod create;
mod delete;
mod error;
mod id;
mod lower;
mod memory;
mod netdev;
mod open;
mod service;
mod setup;
mod socket;
mod step;
mod stop;
mod task;
mod vnis;

pub use crate::Errno;
pub use action::{Action, Service, TunnelPort};
pub use create::NewDevice;
pub use error::Error;
pub use id::{DeviceId, SocketId};
pub use lower::{Lower, LowerEvent};
#[cfg(any(feature = "alloc", test))]
pub use memory::Growable;
pub use memory::{DevicePlace, Fixed, Memory, SocketPlace};
pub use netdev::Netdev;
pub use setup::Setup;
pub use socket::{Socket, SocketKey};
pub use task::Task;

use self::netdev::Phase;
use crate::fdb::Storage;
use crate::{DropReason, IfIndex, Mac, Salt, Vni};

/// Devices and sockets of one network namespace (`struct vxlan_net`). Two worlds share nothing.
#[derive(Debug)]
pub struct World<M> {
    memory: M,
    salt: Salt,
    ipv6: bool,
    /// The next device, socket or batch.
    serial: u64,
    services: &'static [Service],
    /// How many of them are started.
    started: usize,
}

impl<M: Memory> World<M> {
    /// A world without devices. `salt` is the secret of all of them and overrides
    /// [`Config::salt`](crate::Config::salt).
    #[must_use]
    pub const fn new(memory: M, salt: Salt) -> Self {
        Self {
            memory,
            salt,
            ipv6: true,
            serial: 1,
            services: &[],
            started: 0,
        }
    }

    /// The same on a host without IPv6.
    #[must_use]
    pub const fn without_ipv6(mut self) -> Self {
        self.ipv6 = false;
        self
    }

    /// A device, unless it is gone.
    #[must_use]
    #[inline]
    pub fn device(&self, id: DeviceId) -> Option<&Netdev<M::Fdb>> {
        let place = self.memory.devices().get(id.place)?.as_ref();
        place.filter(|netdev| netdev.serial == id.serial)
    }

    /// A device, to be worked with.
    #[inline]
    pub fn device_mut(&mut self, id: DeviceId) -> Option<&mut Netdev<M::Fdb>> {
        let place = self.memory.devices_mut().get_mut(id.place)?.as_mut();
        place.filter(|netdev| netdev.serial == id.serial)
    }

    /// All devices, in no particular order; those being made and deleted as well.
    pub fn devices(&self) -> impl Iterator<Item = (DeviceId, &Netdev<M::Fdb>)> {
        let places = self.memory.devices().iter().enumerate();
        places.filter_map(|(place, netdev)| {
            let netdev = netdev.as_ref()?;
            Some((netdev.id(place), netdev))
        })
    }

    /// A socket, unless it is gone.
    #[must_use]
    #[inline]
    pub fn socket(&self, id: SocketId) -> Option<&Socket<M::Members>> {
        let place = self.memory.sockets().get(id.place)?.as_ref();
        place.filter(|socket| socket.serial == id.serial)
    }

    fn socket_mut(&mut self, id: SocketId) -> Option<&mut Socket<M::Members>> {
        let place = self.memory.sockets_mut().get_mut(id.place)?.as_mut();
        place.filter(|socket| socket.serial == id.serial)
    }

    /// All sockets, in no particular order; those being opened and closed as well.
    pub fn sockets(&self) -> impl Iterator<Item = (SocketId, &Socket<M::Members>)> {
        let places = self.memory.sockets().iter().enumerate();
        places.filter_map(|(place, socket)| {
            let socket = socket.as_ref()?;
            Some((socket.id(place), socket))
        })
    }

    /// The device that a UDP payload is for, which arrived at `socket` by the interface `arrival`.
    ///
    /// # Errors
    /// The reason to drop it: see [`Vtep::demultiplex`](crate::Vtep::demultiplex). A socket that is
    /// gone knows no VNI.
    #[inline]
    pub fn demultiplex(
        &self,
        socket: SocketId,
        payload: &[u8],
        arrival: Option<IfIndex>,
    ) -> Result<DeviceId, DropReason> {
        let socket = self.socket(socket).ok_or(DropReason::VniNotFound)?;
        let place = socket.vtep.demultiplex(payload, arrival)?;
        self.at(place).ok_or(DropReason::VniNotFound)
    }

    /// The device that receives a VNI on the socket described, for a frame to this very host
    /// (`vxlan_find_vni()`).
    #[must_use]
    pub fn find(&self, key: &SocketKey, vni: Vni, arrival: Option<IfIndex>) -> Option<DeviceId> {
        let (_, socket) = self.sockets().find(|(_, socket)| socket.key == *key)?;
        self.at(socket.vtep.find(vni, arrival)?)
    }

    /// Gives a device another MAC address (`eth_mac_addr()`).
    ///
    /// # Errors
    /// [`Error::InvalidMac`] for a group or all zeros, [`Error::NoDevice`].
    pub fn set_mac(&mut self, id: DeviceId, mac: Mac) -> Result<(), Error> {
        let netdev = self.device_mut(id).ok_or(Error::NoDevice)?;
        netdev.device.set_mac(mac).map_err(|_| Error::InvalidMac)
    }

    fn at(&self, place: usize) -> Option<DeviceId> {
        let netdev = self.memory.devices().get(place)?.as_ref()?;
        Some(netdev.id(place))
    }

    /// A device about which nothing is under way.
    fn idle(&mut self, id: DeviceId) -> Result<&mut Netdev<M::Fdb>, Error> {
        let netdev = self.device_mut(id).ok_or(Error::NoDevice)?;
        match netdev.phase {
            Phase::Idle => Ok(netdev),
            _ => Err(Error::Unfinished),
        }
    }

    /// The newest of the devices that fit: Linux puts new ones at the head of its list.
    fn newest(&self, fits: impl Fn(&Netdev<M::Fdb>) -> bool) -> Option<DeviceId>
    where
        M::Fdb: Storage,
    {
        let fitting = self.devices().filter(|(_, netdev)| fits(netdev));
        fitting.map(|(id, _)| id).max()
    }

    const fn serial(&mut self) -> u64 {
        let serial = self.serial;
        self.serial += 1;
        serial
    }
}
