//! Several devices behind shared UDP ports.

mod attached;
mod carry;
mod port;
mod unfinished;
mod verdict;

use core::net::IpAddr;
use core::time::Duration;
use std::os::fd::BorrowedFd;

use attached::Attached;
use port::Port;
pub use verdict::{Expired, Received, Sent};
use vxlan_core::device::{Bypass, Valid};
use vxlan_core::fdb::{self, Growable, Remote};
use vxlan_core::{Config, Device, Event, Flags, Instant, Mac, Stats};

use crate::socket::SendErrors;
use crate::{AddError, Clock, Routes};

/// Several devices with their sockets. Devices of one address family and UDP port share a socket,
/// like those of the kernel do.
///
/// Nothing blocks and nothing runs by itself: call [`recv`](Self::recv) when one of the
/// [`sockets`](Self::sockets) is readable, [`send`](Self::send) when the overlay has a frame, and
/// [`expire`](Self::expire) at the [`deadline`](Self::deadline).
#[derive(Debug, Default)]
pub struct Vtep {
    clock: Clock,
    routes: Routes,
    ports: Vec<Port>,
    /// The port where [`recv`](Self::recv) looks next, and how many datagrams in a row it had.
    turn: usize,
    row: usize,
    devices: Vec<Option<Attached>>,
    /// What no device counts: received packets that are for none of them.
    stray: Stats,
    truncated: u64,
    bypasses: Vec<Bypass>,
    local: Vec<DeviceId>,
    events: Vec<(DeviceId, Event)>,
}

/// A device of a [`Vtep`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId(usize);

impl DeviceId {
    /// The place among the devices, in the order in which they were added, from zero.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0
    }
}

impl Vtep {
    /// No devices and no sockets yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a device and takes it up: opens or shares the socket of its UDP port, joins its
    /// multicast group (`vxlan_newlink()`, `vxlan_open()`).
    ///
    /// # Errors
    /// An [`AddError`]; nothing is left behind.
    pub fn add(&mut self, config: Config, mac: Mac) -> Result<DeviceId, AddError> {
        let now = self.clock.now();
        let device = Device::new(config, mac, Growable::new(), now)?;
        self.check_vni(device.config())?;
        let id = DeviceId(self.devices.len());
        let config = device.config().clone();
        // First, lest one of the sending sockets takes the port.
        self.open(&config, id)?;
        match Attached::new(device, now) {
            Ok(attached) => {
                self.devices.push(Some(attached));
                Ok(id)
            }
            Err(error) => {
                self.close(&config, id);
                Err(error)
            }
        }
    }

    /// Removes a device with its entries, leaves its group, and closes its socket if no other
    /// device needs it (`vxlan_stop()`, `vxlan_dellink()`). Returns what it counted.
    pub fn remove(&mut self, id: DeviceId) -> Option<Stats> {
        let gone = self.devices.get_mut(id.0)?.take()?;
        self.close(gone.device.config(), id);
        Some(gone.worker.stats)
    }

    /// The device behind an identifier.
    #[must_use]
    pub fn device(&self, id: DeviceId) -> Option<&Device<Growable>> {
        Some(&self.attached(id)?.device)
    }

    /// The same, to be changed.
    pub fn device_mut(&mut self, id: DeviceId) -> Option<&mut Device<Growable>> {
        Some(&mut self.attached_mut(id)?.device)
    }

    /// All devices.
    pub fn devices(&self) -> impl Iterator<Item = (DeviceId, &Device<Growable>)> {
        let devices = self.devices.iter().enumerate();
        devices.filter_map(|(at, device)| Some((DeviceId(at), &device.as_ref()?.device)))
    }

    /// The remote at `addr` with a device's port and VNI.
    #[must_use]
    pub fn remote(&self, id: DeviceId, addr: IpAddr) -> Option<Remote> {
        Some(self.device(id)?.remote(addr))
    }

    /// Adds a remote to the entry of a MAC address: `bridge fdb append`.
    ///
    /// # Errors
    /// Those of [`Device::fdb_append`]; [`fdb::Error::NotFound`] without such a device.
    pub fn fdb_append(
        &mut self,
        id: DeviceId,
        mac: Mac,
        remote: Remote,
    ) -> Result<Option<Event>, fdb::Error> {
        let now = self.clock.now();
        let device = self.device_mut(id).ok_or(fdb::Error::NotFound)?;
        device.fdb_append(now, mac, remote)
    }

    /// Makes or changes an entry exactly as asked.
    ///
    /// # Errors
    /// Those of [`Device::fdb_update`]; [`fdb::Error::NotFound`] without such a device.
    pub fn fdb_update(
        &mut self,
        id: DeviceId,
        update: &fdb::Update,
    ) -> Result<Option<Event>, fdb::Error> {
        let now = self.clock.now();
        let device = self.device_mut(id).ok_or(fdb::Error::NotFound)?;
        device.fdb_update(now, update)
    }

    /// Frames of a device come from the interface `name` of this host: a route that leads there
    /// is a loop.
    pub fn add_overlay(&mut self, name: &str) {
        self.routes.add_overlay(name);
    }

    /// Counts a frame that a device received and its overlay refused.
    pub fn count_refused(&mut self, id: DeviceId) {
        if let Some(attached) = self.attached_mut(id) {
            attached.worker.stats.rx_dropped += 1;
        }
    }

    /// What a device counted.
    #[must_use]
    pub fn stats(&self, id: DeviceId) -> Option<&Stats> {
        Some(&self.attached(id)?.worker.stats)
    }

    /// Packets of a device that the kernel refused to send.
    #[must_use]
    pub fn send_errors(&self, id: DeviceId) -> Option<&SendErrors> {
        Some(&self.attached(id)?.send_errors)
    }

    /// Received packets that were for no device.
    #[must_use]
    pub const fn stray(&self) -> &Stats {
        &self.stray
    }

    /// Received packets longer than the buffer.
    #[must_use]
    pub const fn truncated(&self) -> u64 {
        self.truncated
    }

    /// All devices' counters and the [stray](Self::stray) ones in one.
    #[must_use]
    pub fn total(&self) -> Stats {
        let mut total = self.stray.clone();
        for attached in self.devices.iter().flatten() {
            total += &attached.worker.stats;
        }
        total
    }

    /// What to wait for: a readable one has something to [receive](Self::recv).
    pub fn sockets(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.ports.iter().map(Port::as_fd)
    }

    /// The reading of the clock.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// When to call [`expire`](Self::expire) next; never without a device.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let devices = self.devices.iter().flatten();
        devices.map(|attached| attached.next_sweep).min()
    }

    /// How long to wait for the sockets at most.
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        let now = self.clock.now();
        Some(self.deadline()?.saturating_duration_since(now))
    }

    /// The kernel's rule for two devices with one VNI (`vxlan_vni_in_use()`).
    fn check_vni(&self, new: &Valid) -> Result<(), AddError> {
        let alike = Flags::RECEIVE | Flags::IPV6;
        let taken = self.devices().any(|(_, device)| {
            let old = device.config();
            old.vni() == new.vni()
                && old.port() == new.port()
                && old.flags() & alike == new.flags() & alike
                && (!new.flags().contains(Flags::IPV6_LINKLOCAL) || old.lower() == new.lower())
        });
        if taken {
            return Err(AddError::VniInUse {
                vni: new.vni(),
                port: new.port(),
            });
        }
        Ok(())
    }

    /// Puts a device behind the socket it needs, which is opened if it is not there
    /// (`vxlan_sock_add()`).
    fn open(&mut self, config: &Valid, id: DeviceId) -> Result<(), AddError> {
        if let Some(port) = self.ports.iter_mut().find(|port| port.serves(config)) {
            return port.attach(config, id.0);
        }
        let mut port = Port::open(config)?;
        port.attach(config, id.0)?;
        self.ports.push(port);
        Ok(())
    }

    /// Takes a device off its socket, which is closed with the last one (`vxlan_sock_release()`).
    fn close(&mut self, config: &Valid, id: DeviceId) {
        if let Some(port) = self.ports.iter_mut().find(|port| port.serves(config)) {
            port.detach(config, id.0);
        }
        self.ports.retain(|port| !port.is_unused());
        self.turn = 0;
    }

    fn attached(&self, id: DeviceId) -> Option<&Attached> {
        self.devices.get(id.0)?.as_ref()
    }

    fn attached_mut(&mut self, id: DeviceId) -> Option<&mut Attached> {
        self.devices.get_mut(id.0)?.as_mut()
    }
}
