//! Network interfaces come, change and go.

use vxlan_core::netlink::link::Request;
use vxlan_core::world::{DeviceId, Lower, LowerEvent, NewDevice, Task};
use vxlan_core::{Compat, Event, IfIndex, Mac};

use serde_json::Value;

use super::answer::{Failure, unsupported};
use super::devices::Tables;
use super::devices::VxlanLink;
use super::host::Host;
use super::link_request;
use super::model::{Attributes, Create, LinkRequest};

impl Host {
    /// Creates a device (`vxlan_newlink()`).
    pub(crate) fn create(&mut self, create: &Create) -> Result<(), Failure> {
        let (mac, mtu) = (create.mac.as_deref(), create.mtu);
        let message = link_request::link(mac, mtu, create.config.as_ref(), &create.link_raw)?;
        let asked = Request::parse(&message, &Compat::LINUX_6)?.new_device()?;
        let config = asked.config.ephemeral_ports(self.ephemeral);
        let lower = config.clone().validate()?.lower();
        let given = Mac::new([2, 0, 0, 0, 0, create.ifindex as u8]);
        let mut new = NewDevice::new(config, asked.mac.unwrap_or(given));
        new.mtu = asked.mtu;
        new.lower = lower.and_then(|lower| self.facts(lower.get()));
        let task = self.world.create(new, Tables::default(), self.now)?;
        let id = task
            .device()
            .ok_or_else(|| unsupported("a task without device"))?;
        let link = VxlanLink::new(id, create.name.clone(), create.ifindex, self.now);
        self.devices.push(link);
        self.run(task)
    }

    /// What the host knows about an interface.
    fn facts(&self, link: u32) -> Option<Lower> {
        Some(Lower {
            mtu: self.mtu_of(link)?,
            ipv6: self.links.get(link).is_none_or(|link| link.facts.ipv6),
            ..Lower::ethernet(IfIndex::new(link)?)
        })
    }

    /// The same about the lower interface of a device.
    fn lower_facts(&self, at: usize) -> Option<Lower> {
        let lower = self.core(at).config().lower()?;
        self.facts(lower.get())
    }

    /// Does all that the world asks for.
    pub(crate) fn run(&mut self, mut task: Task) -> Result<(), Failure> {
        loop {
            let mut events = Vec::new();
            let action = self
                .world
                .next(&mut task, |id, event| events.push((id, event)));
            self.tell_all(events)?;
            let Some(action) = action else { break };
            let result = self.memberships.perform(&action);
            self.world.report(&mut task, result);
        }
        Ok(task.outcome()?)
    }

    fn tell_all(&mut self, events: Vec<(DeviceId, Event)>) -> Result<(), Failure> {
        for (id, event) in events {
            let at = self.known(id);
            self.tell(at.ok_or_else(|| unsupported("no such device"))?, [event])?;
        }
        Ok(())
    }

    /// Changes a device (`vxlan_changelink()`).
    fn change(&mut self, at: usize, attributes: &Attributes) -> Result<(), Failure> {
        let message = link_request::link(None, None, Some(attributes), &[])?;
        let config = self.core(at).config();
        let change = Request::parse(&message, config.compat())?.change(config)?;
        let change = change.config;
        let named = config.changed(&change)?.named_lower();
        let lower = named.and_then(|named| self.facts(named.get()));
        let id = self.devices[at].id;
        let task = self.world.change(id, &change, lower, self.now)?;
        self.run(task)
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
            ("down", _) => {
                let task = self.world.stop(self.devices[at].id)?;
                self.run(task)?;
            }
            ("promisc", _) => self.devices[at].promiscuous = true,
            ("mtu", LinkRequest { mtu: Some(mtu), .. }) => {
                let lower = self.lower_facts(at);
                let id = self.devices[at].id;
                self.world.set_mtu(id, *mtu, lower.as_ref())?;
            }
            ("mac", LinkRequest { mac: Some(mac), .. }) => {
                let mac = mac.parse().map_err(|_| unsupported("MAC address"))?;
                self.world.set_mac(self.devices[at].id, mac)?;
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
                let id = self.devices[at].id;
                let mut gone = Vec::new();
                let task = self.world.delete(id, |id, event| gone.push((id, event)))?;
                self.delete(task, gone)?;
                self.seen.notifications.truncate(told);
                return Ok(None);
            }
            (op, _) => return Err(unsupported(format!("link operation {op}"))),
        }
        self.shown(at).link().map(Some)
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
                self.memberships.leave_interface(ifindex);
                let lower = IfIndex::new(ifindex).ok_or_else(|| unsupported("number"))?;
                let mut gone = Vec::new();
                let task = self
                    .world
                    .lower_event(LowerEvent::Unregister, lower, |id, event| {
                        gone.push((id, event));
                    })?;
                self.delete(task, gone)?;
            }
            (op, _) => return Err(unsupported(format!("operation {op} of the lower device"))),
        }
        Ok(())
    }

    /// Takes a device up (`vxlan_open()`).
    pub(crate) fn up(&mut self, ifindex: u32) -> Result<(), Failure> {
        let at = self
            .numbered(ifindex)
            .ok_or_else(|| unsupported("no such device"))?;
        let lower = self.lower_facts(at);
        let id = self.devices[at].id;
        let task = self.world.open(id, lower.as_ref(), self.now)?;
        self.run(task)
    }

    /// Deletes devices (`vxlan_dellink()`).
    fn delete(&mut self, task: Task, gone: Vec<(DeviceId, Event)>) -> Result<(), Failure> {
        self.tell_all(gone)?;
        self.run(task)?;
        let (world, fixed) = (&self.world, &mut self.routes.fixed);
        self.devices.retain(|device| {
            let stays = world.device(device.id).is_some();
            if !stays {
                fixed.retain(|route| route.dev != device.ifindex);
            }
            stays
        });
        Ok(())
    }
}
