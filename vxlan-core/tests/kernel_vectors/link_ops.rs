//! Network interfaces come, change and go.

use vxlan_core::{Config, Event, Flags, Mac};

use serde_json::Value;

use super::answer::{
    EADDRNOTAVAIL, EEXIST, EINVAL, ENODEV, EPERM, Failure, bare, refused, unsupported,
};
use super::devices::VxlanLink;
use super::host::Host;
use super::link_request;
use super::missing::Missing;
use super::model::{Create, LinkRequest};

impl Host {
    /// Creates a device (`vxlan_newlink()`).
    pub(crate) fn create(&mut self, create: &Create) -> Result<(), Failure> {
        if let Some(attributes) = &create.config {
            link_request::policy(attributes)?;
        }
        link_request::validate(create)?;
        let attributes = create.config.as_ref().ok_or_else(|| bare(EINVAL))?;
        let config = link_request::config(attributes)?.ephemeral_ports(self.ephemeral);
        self.check(&config, attributes.link)?;
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

    /// The checks that need the host: is there such an interface, is the VNI free?
    fn check(&self, config: &Config, link: Option<u32>) -> Result<(), Failure> {
        let config = config.clone().validate()?;
        if let Some(link) = link.filter(|link| *link != 0) {
            if self.mtu_of(link).is_none() {
                return Err(refused(ENODEV, "Invalid local interface, device not found"));
            }
            if config.is_ipv6() && self.links.get(link).is_some_and(|link| !link.facts.ipv6) {
                return Err(bare(EPERM));
            }
        }
        let mask = Flags::RECEIVE | Flags::IPV6;
        let link_local = config.flags().contains(Flags::IPV6_LINKLOCAL);
        let taken = self
            .devices
            .iter()
            .map(|device| device.core.config())
            .any(|other| {
                other.vni() == config.vni()
                    && other.port() == config.port()
                    && other.flags() & mask == config.flags() & mask
                    && (!link_local || other.lower() == config.lower())
            });
        if taken {
            let message = "A VXLAN device with the specified VNI already exists";
            return Err(refused(EEXIST, message));
        }
        Ok(())
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
        self.sockets.add(&device.user())?;
        device.core.set_up(true);
        device.sweep = Some(self.now + vxlan_core::fdb::SWEEP_INTERVAL);
        Ok(())
    }

    /// Takes a device down (`vxlan_stop()`).
    fn down(&mut self, at: usize) -> Result<(), Failure> {
        if !self.devices[at].core.is_up() {
            return Ok(());
        }
        let user = self.devices[at].user();
        let devices = &self.devices;
        self.sockets.remove(&user, |other| {
            devices
                .iter()
                .any(|device| device.ifindex == other && device.user().group == user.group)
        });
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
