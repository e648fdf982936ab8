//! Network interfaces come, change and go.

use vxlan_core::device::{Group, Valid};
use vxlan_core::{Event, Mac};

use serde_json::Value;

use super::answer::{
    EADDRNOTAVAIL, EEXIST, EINVAL, ENODEV, EPERM, Failure, bare, refused, unsupported,
};
use super::devices::VxlanLink;
use super::host::Host;
use super::link_request;
use super::missing::Missing;
use super::model::{Attributes, Create, LinkRequest};

impl Host {
    /// Creates a device (`vxlan_newlink()`).
    pub(crate) fn create(&mut self, create: &Create) -> Result<(), Failure> {
        if let Some(attributes) = &create.config {
            link_request::policy(attributes)?;
        }
        link_request::validate(create)?;
        let attributes = create.config.as_ref().ok_or_else(|| bare(EINVAL))?;
        let config = link_request::config(attributes)?.ephemeral_ports(self.ephemeral);
        self.check(&config.clone().validate()?, attributes.link, None)?;
        let mac: Mac = match &create.mac {
            Some(mac) => mac.parse().map_err(|_| unsupported("MAC address"))?,
            None => Mac::new([2, 0, 0, 0, 0, create.ifindex as u8]),
        };
        let mut device =
            VxlanLink::new(create.name.clone(), create.ifindex, mac, config, self.now)?;
        device.missing = Missing::of(attributes);
        let lower = attributes.link.and_then(|link| self.mtu_of(link));
        device.mtu = device.core.config().mtu(lower, create.mtu);
        let made: Vec<Event> = device.core.fdb().iter().map(Event::Changed).collect();
        self.devices.push(device);
        self.tell(self.devices.len() - 1, made)
    }

    /// The checks that need the host: is there such an interface, is the VNI free? `itself` is
    /// the device that changes.
    fn check(
        &self,
        config: &Valid,
        link: Option<u32>,
        itself: Option<usize>,
    ) -> Result<(), Failure> {
        if let Some(link) = link.filter(|link| *link != 0) {
            if self.mtu_of(link).is_none() {
                return Err(refused(ENODEV, "Invalid local interface, device not found"));
            }
            if config.is_ipv6() && self.links.get(link).is_some_and(|link| !link.facts.ipv6) {
                return Err(bare(EPERM));
            }
        }
        let mut others = (0..)
            .zip(&self.devices)
            .filter(|(at, _)| itself != Some(*at));
        if others.any(|(_, other)| other.core.occupies(config.vni(), config)) {
            let message = "A VXLAN device with the specified VNI already exists";
            return Err(refused(EEXIST, message));
        }
        Ok(())
    }

    /// Changes a device (`vxlan_changelink()`).
    fn change(&mut self, at: usize, attributes: &Attributes) -> Result<(), Failure> {
        link_request::policy(attributes)?;
        link_request::validate_attributes(attributes)?;
        let device = &self.devices[at];
        let change = link_request::change(attributes, device.core.config())?;
        let next = device.core.config().changed(&change)?;
        self.check(&next, attributes.link, Some(at))?;
        let now = self.now;
        let device = &mut self.devices[at];
        let mut events = Vec::new();
        let changed = device.core.change(now, &change, |event| events.push(event));
        let up = device.core.is_up();
        self.tell(at, events)?;
        let changed = changed?;
        let device = &self.devices[at];
        let (ifindex, arrival) = (device.ifindex, device.core.config().arrival());
        self.sockets.restrict(ifindex, arrival);
        if let Some(group) = changed.leave {
            self.leave(ifindex, group);
        }
        if changed.age_now && up {
            self.devices[at].sweep = Some(now);
        }
        if let Some(lower) = changed.relink {
            let lower = self.mtu_of(lower.get());
            let device = &mut self.devices[at];
            device.mtu = device.core.config().mtu(lower, Some(device.mtu));
        }
        if let Some(group) = changed.join {
            self.sockets.join(ifindex, group);
        }
        Ok(())
    }

    /// Leaves a group that no other running device on the same socket has (`vxlan_group_used()`).
    fn leave(&mut self, ifindex: u32, group: Group) {
        let devices = &self.devices;
        self.sockets.leave(ifindex, group, |other| {
            let mut others = devices.iter().filter(|device| device.ifindex == other);
            others.any(|device| device.core.config().group() == Some(group))
        });
    }

    pub(crate) fn link(&mut self, request: &LinkRequest) -> Result<Option<Value>, Failure> {
        if let Some(ifindex) = match request.device.as_str() {
            "lower" => Some(10),
            "lower2" => Some(12),
            _ => None,
        } {
            return self.lower_link(request, ifindex).map(|()| None);
        }
        let at = self.named(&request.device)?;
        let ifindex = self.devices[at].ifindex;
        match (request.op.as_str(), request) {
            ("up", _) => self.up(ifindex)?,
            ("down", _) => self.down(at)?,
            ("promisc", _) => self.devices[at].promiscuous = true,
            ("mtu", LinkRequest { mtu: Some(mtu), .. }) => self.set_mtu(at, *mtu)?,
            ("mac", LinkRequest { mac: Some(mac), .. }) => {
                let mac = mac.parse().map_err(|_| unsupported("MAC address"))?;
                let set = self.devices[at].core.set_mac(mac);
                set.map_err(|_| bare(EADDRNOTAVAIL))?;
            }
            (
                "change",
                LinkRequest {
                    config: Some(attributes),
                    ..
                },
            ) => self.change(at, attributes)?,
            ("delete", _) => {
                let told = self.seen.notifications.len();
                self.delete(at)?;
                self.seen.notifications.truncate(told);
                return Ok(None);
            }
            (op, _) => return Err(unsupported(format!("link operation {op}"))),
        }
        self.devices[at].link().map(Some)
    }

    fn lower_link(&mut self, request: &LinkRequest, ifindex: u32) -> Result<(), Failure> {
        let link = self
            .links
            .get_mut(ifindex)
            .ok_or_else(|| unsupported("no lower device"))?;
        match (request.op.as_str(), request.mtu) {
            ("up", _) => link.up = true,
            ("down", _) => link.up = false,
            ("mtu", Some(mtu)) => link.facts.mtu = mtu,
            ("delete", _) => {
                self.links.0.retain(|link| link.facts.ifindex != ifindex);
                self.routes.fixed.retain(|route| route.dev != ifindex);
                self.sockets.leave_interface(ifindex);
                let on = |device: &VxlanLink| {
                    device
                        .core
                        .config()
                        .lower()
                        .is_some_and(|lower| lower.get() == ifindex)
                };
                while let Some(at) = self.devices.iter().rposition(on) {
                    self.delete(at)?;
                }
            }
            (op, _) => return Err(unsupported(format!("operation {op} of the lower device"))),
        }
        Ok(())
    }

    /// Changes the MTU (`vxlan_change_mtu()`).
    fn set_mtu(&mut self, at: usize, mtu: u32) -> Result<(), Failure> {
        if mtu < vxlan_core::device::MTU_MIN {
            return Err(refused(EINVAL, "mtu less than device minimum"));
        }
        if mtu > vxlan_core::device::MTU_MAX {
            return Err(refused(EINVAL, "mtu greater than device maximum"));
        }
        let config = self.devices[at].core.config();
        let lower = config.lower().and_then(|lower| self.mtu_of(lower.get()));
        if lower.is_some_and(|lower| mtu > lower.saturating_sub(config.headroom())) {
            return Err(bare(EINVAL));
        }
        self.devices[at].mtu = mtu;
        Ok(())
    }

    /// Takes a device up (`vxlan_open()`).
    pub(crate) fn up(&mut self, ifindex: u32) -> Result<(), Failure> {
        let at = self
            .numbered(ifindex)
            .ok_or_else(|| unsupported("no such device"))?;
        let device = &mut self.devices[at];
        if device.core.is_up() {
            return Ok(());
        }
        let users = device.users();
        for (done, user) in users.iter().enumerate() {
            if let Err(error) = self.sockets.add(user) {
                for user in users.iter().take(done) {
                    self.sockets.remove(user);
                }
                return Err(error);
            }
        }
        let device = &mut self.devices[at];
        device.core.set_up(true);
        device.sweep = Some(self.now + vxlan_core::fdb::SWEEP_INTERVAL);
        Ok(())
    }

    /// Takes a device down (`vxlan_stop()`).
    fn down(&mut self, at: usize) -> Result<(), Failure> {
        if !self.devices[at].core.is_up() {
            return Ok(());
        }
        let device = &self.devices[at];
        let (ifindex, users) = (device.ifindex, device.users());
        if let Some(group) = device.core.config().group() {
            self.leave(ifindex, group);
        }
        for user in users {
            self.sockets.remove(&user);
        }
        let device = &mut self.devices[at];
        device.sweep = None;
        let gone: Vec<Event> = device.core.stop().collect();
        self.tell(at, gone)
    }

    /// Deletes a device (`vxlan_dellink()`).
    fn delete(&mut self, at: usize) -> Result<(), Failure> {
        let gone: Vec<Event> = self.devices[at].core.clear().collect();
        self.tell(at, gone)?;
        self.down(at)?;
        let ifindex = self.devices.remove(at).ifindex;
        self.routes.fixed.retain(|route| route.dev != ifindex);
        Ok(())
    }
}
