//! The devices of `vtep run` and their TAP interfaces.

use core::fmt::Display;
use std::{fs, io};

use vxlan_core::device::Valid;
use vxlan_core::world::{Errno, Netdev, NewDevice};
use vxlan_core::{Config, Event, IfIndex, Mac, PortRange, Salt};
use vxlan_std::{AddError, DeviceId, Interfaces, Memory, Tap, TapError, Vtep, interface};

use super::super::failure::Failure;
use super::super::link::Shown;
use super::super::netlink::{LinkState, Netlink};
use super::super::words::LinkSpec;
use super::Audience;
use super::jobs::{Departing, Jobs, Ticket, Work};

/// All devices. Dropping them removes their interfaces.
#[derive(Debug)]
pub(crate) struct Devices {
    pub(crate) vtep: Vtep,
    pub(crate) taps: Taps,
    pub(crate) jobs: Jobs,
    /// Interfaces that may have been changed while their devices were busy.
    pub(super) look_again: Vec<IfIndex>,
}

/// The interfaces of the devices, in the order in which they were made.
#[derive(Debug, Default)]
pub(crate) struct Taps {
    pub(crate) links: Vec<Link>,
    /// How the next one is called.
    name: String,
    /// Why the last one could not be had.
    failure: Option<TapError>,
}

/// A device and its TAP interface.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) id: DeviceId,
    pub(crate) tap: Tap,
    /// Whether it has ever been up.
    pub(crate) opened: bool,
    /// How monitors know it.
    pub(crate) told: Option<LinkState>,
    /// It is being deleted.
    pub(crate) leaving: bool,
}

/// Why a device cannot be made.
#[derive(Debug)]
pub(crate) enum Refused {
    /// There is no interface of this name below.
    Lower(String),
    /// The rules or the host forbid it.
    Add(AddError),
    /// Its interface cannot be had.
    Tap(TapError),
}

impl Interfaces for Taps {
    fn register(&mut self, id: DeviceId, netdev: &Netdev<Memory>) -> Result<(), Errno> {
        match Tap::create_down(&self.name, netdev.mtu(), netdev.device().mac()) {
            Ok(tap) => {
                self.links.push(Link {
                    id,
                    tap,
                    opened: false,
                    told: None,
                    leaving: false,
                });
                Ok(())
            }
            Err(error) => {
                let number = match error {
                    TapError::Exists => Errno::EEXIST,
                    TapError::Name => Errno::EINVAL,
                    _ => Errno::EPERM,
                };
                self.failure = Some(error);
                Err(number)
            }
        }
    }

    fn unregister(&mut self, id: DeviceId) {
        self.links.retain(|link| link.id != id);
    }
}

impl Devices {
    /// None yet.
    pub(super) fn new() -> Result<Self, Failure> {
        let mut secret = [0; 16];
        getrandom::fill(&mut secret).map_err(|error| Failure::of("a secret", error))?;
        Ok(Self {
            vtep: Vtep::with_salt(Salt::new(secret)),
            taps: Taps::default(),
            jobs: Jobs::new().map_err(|error| Failure::of("a pair of sockets", error))?,
            look_again: Vec::new(),
        })
    }

    /// Makes a device that is to exist from the start, up unless `down` is said.
    pub(super) fn start(
        &mut self,
        spec: &LinkSpec,
        audience: &mut Audience<'_>,
    ) -> Result<(), Failure> {
        let name = spec.name.as_deref().unwrap_or("a device");
        let made = self.create(spec, audience);
        let opened = made.and_then(|id| match spec.up {
            Some(false) => Ok(()),
            _ => self.open(id),
        });
        opened.map_err(|refused| refused.failure(name))
    }

    /// Makes a device and its interface, down.
    pub(crate) fn create(
        &mut self,
        spec: &LinkSpec,
        audience: &mut Audience<'_>,
    ) -> Result<DeviceId, Refused> {
        let name = spec.name.clone().unwrap_or_else(free_name);
        let mut config = spec.options.config();
        if let Some(Some(dev)) = &spec.options.dev {
            let lower = interface::index(dev).ok_or_else(|| Refused::Lower(dev.clone()))?;
            config = config.lower(Some(lower));
        }
        if let Some(range) = ephemeral_ports() {
            config = config.ephemeral_ports(range);
        }
        let mac = match spec.address {
            Some(mac) => mac,
            None => {
                let mut drawn = [0; 6];
                let filled = getrandom::fill(&mut drawn);
                filled.map_err(|error| Refused::Tap(TapError::Create(io::Error::other(error))))?;
                Mac::local(drawn)
            }
        };
        self.make(name, config, mac, spec.mtu, audience)
    }

    /// Makes a device like another one, and its interface, down.
    pub(crate) fn like(
        &mut self,
        name: String,
        mut config: Config,
        mac: Mac,
        mtu: u32,
        audience: &mut Audience<'_>,
    ) -> Result<DeviceId, Refused> {
        if let Some(range) = ephemeral_ports() {
            config = config.ephemeral_ports(range);
        }
        self.make(name, config, mac, Some(mtu), audience)
    }

    fn make(
        &mut self,
        name: String,
        config: Config,
        mac: Mac,
        mtu: Option<u32>,
        audience: &mut Audience<'_>,
    ) -> Result<DeviceId, Refused> {
        let mut new = NewDevice::new(config, mac);
        new.mtu = mtu;
        self.taps.name.clone_from(&name);
        let mut told = Vec::new();
        let made = self
            .vtep
            .create(new, &mut self.taps, |_, event| told.push(event));
        let id = match (made, self.taps.failure.take()) {
            (Ok(id), _) => id,
            (Err(_), Some(error)) => return Err(Refused::Tap(error)),
            (Err(error), None) => return Err(Refused::Add(error)),
        };
        self.vtep.add_overlay(&name);
        self.tell(&name, id, &told, audience);
        Ok(id)
    }

    /// Takes a device and its interface up.
    pub(crate) fn open(&mut self, id: DeviceId) -> Result<(), Refused> {
        self.vtep.open(id).map_err(Refused::Add)?;
        if let Some(link) = self.taps.links.iter_mut().find(|link| link.id == id) {
            if let Err(error) = link.tap.set_up(true) {
                let _ = self.vtep.stop(id, |_, _| ());
                return Err(Refused::Tap(error));
            }
            link.opened = true;
        }
        Ok(())
    }

    /// Takes the interface of a device down, and has the device follow.
    pub(crate) fn stop(&mut self, id: DeviceId) -> Result<Ticket, Refused> {
        let (name, config) = self.known(id)?;
        if let Some(link) = self.link(id) {
            link.tap.set_up(false).map_err(Refused::Tap)?;
        }
        let departing = Departing::new(id, name, config, false);
        Ok(self.jobs.push(Work::Depart(Box::new(departing))))
    }

    /// Has a device and its interface deleted. Nobody finds them from now on.
    pub(crate) fn leave(
        &mut self,
        id: DeviceId,
        audience: &mut Audience<'_>,
    ) -> Result<Ticket, Refused> {
        let (name, config) = self.known(id)?;
        self.tell_going(id, audience);
        if let Some(link) = self.taps.links.iter_mut().find(|link| link.id == id) {
            link.leaving = true;
            // It may be gone already.
            let _ = link.tap.set_up(false);
        }
        let departing = Departing::new(id, name, config, true);
        Ok(self.jobs.push(Work::Depart(Box::new(departing))))
    }

    /// Deletes a device and its interface at once: one that could not be made.
    pub(crate) fn delete(
        &mut self,
        id: DeviceId,
        audience: &mut Audience<'_>,
    ) -> Result<(), Refused> {
        let (name, config) = self.known(id)?;
        self.tell_going(id, audience);
        let now = self.vtep.now();
        let tell = |_, event| audience.tell(&name, &config, &event, now);
        let done = self.vtep.delete(id, &mut self.taps, tell);
        self.vtep.remove_overlay(&name);
        done.map_err(Refused::Add)
    }

    fn tell_going(&self, id: DeviceId, audience: &mut Audience<'_>) {
        if let Some(link) = self.link(id)
            && let Ok(mut host) = Netlink::open(0)
            && let Some(shown) =
                Shown::new(self, link, &mut host).or_else(|| Shown::gone(self, link))
        {
            audience.link(&shown.going());
        }
    }

    /// The interface of a device has another name now.
    pub(crate) fn renamed(&mut self, id: DeviceId, name: &str) {
        if let Some(link) = self.taps.links.iter_mut().find(|link| link.id == id)
            && link.tap.name() != name
        {
            self.vtep.remove_overlay(link.tap.name());
            link.tap.rename(name);
            self.vtep.add_overlay(name);
        }
    }

    /// The device of this name.
    pub(crate) fn named(&self, name: &str) -> Option<DeviceId> {
        let mut links = self.taps.links.iter().filter(|link| !link.leaving);
        Some(links.find(|link| link.tap.name() == name)?.id)
    }

    /// The interface of a device.
    pub(crate) fn link(&self, id: DeviceId) -> Option<&Link> {
        self.taps.links.iter().find(|link| link.id == id)
    }

    /// Whether a device is being deleted.
    pub(crate) fn is_leaving(&self, id: DeviceId) -> bool {
        self.link(id).is_some_and(|link| link.leaving)
    }

    /// The device whose interface has this number.
    pub(crate) fn of(&self, index: u32) -> Option<DeviceId> {
        let mut links = self.taps.links.iter();
        Some(links.find(|link| link.tap.ifindex().get() == index)?.id)
    }

    /// What a message about a device says even when it is gone.
    pub(crate) fn known(&self, id: DeviceId) -> Result<(String, Valid), Refused> {
        let gone = || Refused::Add(AddError::from(vxlan_core::world::Error::NoDevice));
        let link = self.link(id).ok_or_else(gone)?;
        let device = self.vtep.device(id).ok_or_else(gone)?;
        Ok((link.tap.name().to_owned(), device.config().clone()))
    }

    /// Tells events of a device that exists.
    pub(crate) fn tell(
        &self,
        name: &str,
        id: DeviceId,
        events: &[Event],
        audience: &mut Audience<'_>,
    ) {
        if let Some(device) = self.vtep.device(id) {
            for event in events {
                audience.tell(name, device.config(), event, self.vtep.now());
            }
        }
    }
}

impl Refused {
    /// One line about the device `name`.
    pub(super) fn failure(&self, name: &str) -> Failure {
        let what: &dyn Display = match self {
            Self::Lower(dev) => {
                return Failure::of(name, format_args!("there is no interface {dev}"));
            }
            Self::Add(error) => error,
            Self::Tap(error) => error,
        };
        Failure::of(name, what)
    }
}

/// The first name that nobody has, as for `ip link add type vxlan`.
fn free_name() -> String {
    let mut names = (0_u32..).map(|number| format!("vxlan{number}"));
    let free = names.find(|name| interface::index(name).is_none());
    free.unwrap_or_default()
}

/// `net.ipv4.ip_local_port_range`, of both address families.
fn ephemeral_ports() -> Option<PortRange> {
    let text = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let mut words = text.split_whitespace().map(str::parse);
    PortRange::new(words.next()?.ok()?, words.next()?.ok()?)
}
