//! Several devices behind shared UDP ports.

mod carrier;
mod carry;
mod host;
mod life;
mod paths;
mod unfinished;
mod verdict;

use core::net::IpAddr;
use core::time::Duration;
use std::os::fd::{AsFd, BorrowedFd};

use carrier::Carrier;
pub use host::Interfaces;
use host::{HostWorld, Sockets};
pub use life::Departure;
pub use verdict::{Expired, Received, Replies, Sent};
use vxlan_core::device::Bypass;
use vxlan_core::fdb::{self, Remote};
use vxlan_core::world::{self, DeviceId, Netdev, NewDevice};
use vxlan_core::{Config, Device, Event, Instant, Mac, Salt, Stats, mdb};

use crate::neighbours::NeighbourTable;
use crate::nexthops::Nexthops;
use crate::socket::SendErrors;
use crate::{AddError, Clock, Routes};

/// What a device of a [`Vtep`] keeps its tables in: the heap, without limits but those of its
/// configuration.
pub type Memory = mdb::With<fdb::Growable, mdb::Growable>;

/// Several devices with their sockets: a [`World`](world::World) on this host.
///
/// Nothing blocks and nothing runs by itself: call [`recv`](Self::recv) when one of the
/// [`sockets`](Self::sockets) is readable, [`send`](Self::send) when the overlay has a frame, and
/// [`expire`](Self::expire) at the [`deadline`](Self::deadline).
#[derive(Debug)]
pub struct Vtep {
    clock: Clock,
    routes: Routes,
    nexthops: Nexthops,
    world: HostWorld,
    sockets: Sockets,
    /// By the place of their devices.
    carriers: Vec<Option<Carrier>>,
    /// The socket where [`recv`](Self::recv) looks next, and how many datagrams in a row it had.
    turn: usize,
    row: usize,
    /// What no device counts: received packets that are for none of them.
    stray: Stats,
    truncated: u64,
    bypasses: Vec<Bypass>,
    replies: Replies,
    local: Vec<DeviceId>,
    events: Vec<(DeviceId, Event)>,
}

impl Default for Vtep {
    fn default() -> Self {
        Self::with_salt(Salt::default())
    }
}

impl Vtep {
    /// No devices and no sockets yet, and no secret: good for tests, and where all peers are
    /// trusted. See [`with_salt`](Self::with_salt).
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with a secret that keeps others from guessing where entries are stored. It
    /// overrides [`Config::salt`].
    #[must_use]
    pub fn with_salt(salt: Salt) -> Self {
        Self {
            clock: Clock::new(),
            routes: Routes::new(),
            nexthops: Nexthops::default(),
            world: HostWorld::new(world::Growable::new(), salt),
            sockets: Sockets::default(),
            carriers: Vec::new(),
            turn: 0,
            row: 0,
            stray: Stats::default(),
            truncated: 0,
            bypasses: Vec::new(),
            replies: Replies::default(),
            local: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Adds a device and takes it up: opens or shares the socket of its UDP port, joins its
    /// multicast group. [`create`](Self::create) and [`open`](Self::open) in one.
    ///
    /// # Errors
    /// An [`AddError`]; nothing is left behind.
    pub fn add(&mut self, config: Config, mac: Mac) -> Result<DeviceId, AddError> {
        let id = self.create(NewDevice::new(config, mac), &mut (), |_, _| {})?;
        if let Err(error) = self.open(id) {
            self.delete(id, &mut (), |_, _| {})?;
            return Err(error);
        }
        Ok(id)
    }

    /// Removes a device with its entries, leaves its group, and closes its socket if no other
    /// device needs it. Returns what it counted.
    pub fn remove(&mut self, id: DeviceId) -> Option<Stats> {
        let stats = self.stats(id)?.clone();
        self.delete(id, &mut (), |_, _| {}).ok()?;
        Some(stats)
    }

    /// The device behind an identifier.
    #[must_use]
    pub fn device(&self, id: DeviceId) -> Option<&Device<Memory>> {
        Some(self.netdev(id)?.device())
    }

    /// The same, to be changed.
    pub fn device_mut(&mut self, id: DeviceId) -> Option<&mut Device<Memory>> {
        Some(self.world.device_mut(id)?.device_mut())
    }

    /// The neighbours that a device answers for and looks for routers' next hops among.
    #[must_use]
    pub fn neighbours(&self, id: DeviceId) -> Option<&NeighbourTable> {
        let carrier = self.carriers.get(id.place())?.as_ref()?;
        (carrier.id == id).then_some(&carrier.neighbours)
    }

    /// The same, to be changed.
    pub fn neighbours_mut(&mut self, id: DeviceId) -> Option<&mut NeighbourTable> {
        let carrier = self.carriers.get_mut(id.place())?.as_mut()?;
        (carrier.id == id).then_some(&mut carrier.neighbours)
    }

    /// The device with its MTU and the like.
    #[must_use]
    pub fn netdev(&self, id: DeviceId) -> Option<&Netdev<Memory>> {
        self.world.device(id)
    }

    /// All devices.
    pub fn devices(&self) -> impl Iterator<Item = (DeviceId, &Device<Memory>)> {
        let devices = self.world.devices();
        devices.map(|(id, netdev)| (id, netdev.device()))
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

    /// They do not any more.
    pub fn remove_overlay(&mut self, name: &str) {
        self.routes.remove_overlay(name);
    }

    /// Counts a frame that a device received and its overlay refused.
    pub fn count_refused(&mut self, id: DeviceId) {
        if let Some(carrier) = self.carrier_mut(id) {
            carrier.worker.stats.rx_dropped += 1;
        }
    }

    /// What a device counted.
    #[must_use]
    pub fn stats(&self, id: DeviceId) -> Option<&Stats> {
        Some(&self.carrier(id)?.worker.stats)
    }

    /// Packets of a device that the kernel refused to send.
    #[must_use]
    pub fn send_errors(&self, id: DeviceId) -> Option<&SendErrors> {
        Some(&self.carrier(id)?.send_errors)
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
        for carrier in self.carriers.iter().flatten() {
            total += &carrier.worker.stats;
        }
        total
    }

    /// What to wait for: a readable one has something to [receive](Self::recv).
    pub fn sockets(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let sockets = self.sockets.all().iter();
        sockets.map(|(_, socket)| socket.as_fd())
    }

    /// The reading of the clock.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// When to call [`expire`](Self::expire) next; never while no device is up.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.world.next_sweep()
    }

    /// How long to wait for the sockets at most.
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        let now = self.clock.now();
        Some(self.deadline()?.saturating_duration_since(now))
    }

    fn carrier(&self, id: DeviceId) -> Option<&Carrier> {
        let carrier = self.carriers.get(id.place())?.as_ref()?;
        Some(carrier).filter(|carrier| carrier.id == id)
    }

    fn carrier_mut(&mut self, id: DeviceId) -> Option<&mut Carrier> {
        let carrier = self.carriers.get_mut(id.place())?.as_mut()?;
        Some(carrier).filter(|carrier| carrier.id == id)
    }
}
