//! The host around the devices: the state of one vector, and the dispatch of its steps.

use core::time::Duration;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use vxlan_core::nexthop::Path;
use vxlan_core::world::{self, DeviceId};
use vxlan_core::{Device, Event, Instant, PortRange, Salt, World};

use super::answer::{Failure, result, unsupported};
use super::devices::{Shown, Tables, VxlanLink, Working};
use super::links::{BRIDGE, LOOPBACK, LOOPBACK_MTU, Links};
use super::model::{Create, Input, Nexthop, OtherDevice, Vector, VniRequest};
use super::neighbours::Table;
use super::routes::Routes;
use super::sockets::Memberships;
use super::underlay::{Datagram, Reassembly};

/// The host.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) now: Instant,
    pub(crate) links: Links,
    pub(crate) routes: Routes,
    pub(crate) world: World<world::Growable<Tables>>,
    pub(crate) memberships: Memberships,
    pub(crate) reassembly: Reassembly,
    /// In the order of their creation.
    pub(crate) devices: Vec<VxlanLink>,
    pub(crate) nexthops: Vec<Nexthop>,
    bridged: bool,
    pub(crate) ephemeral: PortRange,
    want_memberships: bool,
    pub(crate) wants_vni_lists: bool,
    /// Datagrams on their way over the loopback.
    pub(crate) looped: Vec<Datagram>,
    /// What the step has brought so far.
    pub(crate) seen: Seen,
}

/// What one step brings.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) underlay: Vec<(u32, Vec<u8>)>,
    pub(crate) inner: Vec<Value>,
    pub(crate) inner_meta: Vec<Value>,
    pub(crate) notifications: Vec<Value>,
    pub(crate) fields: Map<String, Value>,
}

/// Everything to hold against the expectation of a step.
#[derive(Debug)]
pub(crate) struct Observed {
    /// Frames with the interface they left by, in the order of the interfaces.
    pub(crate) underlay: Vec<(u32, Vec<u8>)>,
    /// All other fields, by the names of the vectors.
    pub(crate) fields: Map<String, Value>,
}

impl Host {
    /// The host of a vector, set up.
    pub(crate) fn new(vector: &Vector) -> Result<Self, Failure> {
        let mut host = Self {
            now: Instant::from_millis(1_000_000),
            links: Links::new(&vector.lower, vector.lower2.as_ref()),
            routes: Routes {
                fixed: vector.routes.clone(),
                ttl: 64,
            },
            world: World::new(world::Growable::new(), Salt::default()),
            memberships: Memberships::default(),
            reassembly: Reassembly::default(),
            devices: Vec::new(),
            nexthops: Vec::new(),
            bridged: vector.bridge.is_some(),
            ephemeral: PortRange::EPHEMERAL,
            want_memberships: vector.memberships,
            wants_vni_lists: vector
                .config
                .as_ref()
                .is_some_and(|config| config.vnifilter == Some(1)),
            looped: Vec::new(),
            seen: Seen::default(),
        };
        host.sysctl(&vector.sysctl)?;
        let mut up = Vec::new();
        if let Some(config) = &vector.config {
            host.create(&Create {
                name: "vx0".into(),
                ifindex: 20,
                config: Some(config.clone()),
                mac: Some(vector.device_mac.clone()),
                mtu: vector.device_mtu,
                up: false,
                link_raw: Vec::new(),
            })?;
            let vx0 = host.named("vx0")?;
            let bridged = host.bridged;
            host.core_mut(vx0).set_bridge_port(bridged);
            host.devices[vx0].neighbours = Table::new(vector.device_ipv6, &vector.neighbours);
            up.extend(vector.device_up.then_some(20));
        }
        for OtherDevice {
            name,
            ifindex,
            mac,
            config,
            mtu,
            up: goes_up,
        } in &vector.other_devices
        {
            host.create(&Create {
                name: name.clone(),
                ifindex: *ifindex,
                config: Some(config.clone()),
                mac: Some(mac.clone()),
                mtu: *mtu,
                up: false,
                link_raw: Vec::new(),
            })?;
            up.extend(goes_up.then_some(*ifindex));
        }
        host.routes.fixed.extend(vector.late_routes.iter().cloned());
        host.nexthops.clone_from(&vector.nexthops);
        for range in &vector.vnis {
            host.vni_request(&VniRequest {
                op: "add".into(),
                device: "vx0".into(),
                start: range.start,
                end: range.end,
                group: range.group,
            })?;
        }
        for request in &vector.fdb {
            host.fdb_request(request, "append")?;
        }
        for request in &vector.mdb {
            host.mdb_request(request, "add")?;
        }
        for ifindex in up {
            host.up(ifindex)?;
        }
        host.seen = Seen::default();
        Ok(host)
    }

    fn sysctl(&mut self, settings: &BTreeMap<String, Value>) -> Result<(), Failure> {
        for (name, value) in settings {
            let text = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let numbers: Vec<u16> = text
                .split_whitespace()
                .filter_map(|word| word.parse().ok())
                .collect();
            match (name.as_str(), &numbers[..]) {
                ("ipv4/ip_default_ttl", &[ttl]) => self.routes.ttl = ttl as u8,
                ("ipv4/ip_local_port_range", &[low, high]) => {
                    self.ephemeral = PortRange::new(low, high).unwrap_or(PortRange::EPHEMERAL);
                }
                _ => return Err(unsupported(format!("sysctl {name} = {text}"))),
            }
        }
        Ok(())
    }

    /// Runs one step and tells what it brought.
    pub(crate) fn step(&mut self, input: &Input) -> Result<Observed, Failure> {
        self.seen = Seen::default();
        let before = self.counters();
        match input {
            Input::Tx(transmit) => self.tx(transmit)?,
            Input::Rx(receive) => self.rx(receive)?,
            Input::Sleep(sleep) => self.sleep(Duration::from_millis(sleep.ms)),
            Input::Fdb(request) => {
                let outcome = self.fdb_request(request, "");
                self.answer("entry", outcome)?;
            }
            Input::Create(create) => {
                let outcome = self.create(create).and_then(|()| match create.up {
                    true => self.up(create.ifindex),
                    false => Ok(()),
                });
                let outcome = outcome.and_then(|()| self.describe(&create.name));
                self.answer("link", outcome)?;
            }
            Input::Link(request) => {
                let outcome = self.link(request);
                self.answer("link", outcome)?;
            }
            Input::Neigh(request) => {
                let outcome = self.neighbour_request(request).map(|()| None);
                self.answer("", outcome)?;
            }
            Input::Vni(request) => {
                let outcome = self.vni_request(request).map(|()| None);
                self.answer("", outcome)?;
            }
            Input::Mdb(request) => {
                let outcome = self.mdb_request(request, "");
                self.answer("", outcome.map(|()| None))?;
            }
        }
        for datagram in core::mem::take(&mut self.looped) {
            self.udp(datagram, LOOPBACK)?;
        }
        Ok(self.observe(&before))
    }

    /// Notes what came of a request.
    fn answer(
        &mut self,
        name: &str,
        outcome: Result<Option<Value>, Failure>,
    ) -> Result<(), Failure> {
        let fields = &mut self.seen.fields;
        match outcome {
            Ok(value) => {
                if let Some(value) = value {
                    fields.insert(name.into(), value);
                }
                fields.insert("result".into(), result(0, None));
            }
            Err(Failure::Refused(errno, extack)) => {
                fields.insert("result".into(), result(errno, extack.as_deref()));
            }
            Err(other) => return Err(other),
        }
        Ok(())
    }

    fn observe(&mut self, before: &BTreeMap<u32, Vec<(&'static str, u64)>>) -> Observed {
        let Seen {
            mut underlay,
            inner,
            inner_meta,
            notifications,
            mut fields,
        } = core::mem::take(&mut self.seen);
        // Stable: the order on each interface stays.
        underlay.sort_by_key(|(ifindex, _)| *ifindex);
        if !inner_meta.is_empty() {
            fields.insert("inner_meta".into(), inner_meta.into());
        }
        fields.insert("inner".into(), inner.into());
        fields.insert("notifications".into(), notifications.into());
        fields.insert("fdb_after".into(), self.dump().into());
        fields.insert("stats_delta".into(), self.delta(before).into());
        if let Some(lists) = self.vni_lists() {
            fields.insert("vni_stats".into(), lists);
        }
        if self.want_memberships {
            let groups = self.memberships.all();
            let groups: Vec<Value> = groups
                .iter()
                .map(|(ifindex, group)| json!({ "ifindex": ifindex, "group": group.to_string() }))
                .collect();
            fields.insert("memberships".into(), groups.into());
        }
        if self.links.0.len() > 1 && !underlay.is_empty() {
            let by: Vec<u32> = underlay.iter().map(|(ifindex, _)| *ifindex).collect();
            fields.insert("underlay_ifindex".into(), by.into());
        }
        Observed { underlay, fields }
    }

    fn counters(&self) -> BTreeMap<u32, Vec<(&'static str, u64)>> {
        self.devices
            .iter()
            .map(|device| (device.ifindex, device.counters()))
            .collect()
    }

    fn delta(&self, before: &BTreeMap<u32, Vec<(&'static str, u64)>>) -> Map<String, Value> {
        let mut all = Map::new();
        for device in &self.devices {
            let old = before.get(&device.ifindex);
            let mut changed = Map::new();
            for (at, (name, value)) in device.counters().into_iter().enumerate() {
                let old = old
                    .and_then(|old| old.get(at))
                    .map_or(0, |(_, value)| *value);
                if value != old {
                    changed.insert(name.into(), value.wrapping_sub(old).into());
                }
            }
            all.insert(device.name.clone(), changed.into());
        }
        all
    }

    fn dump(&self) -> Vec<Value> {
        let mut devices: Vec<Shown<'_>> =
            (0..self.devices.len()).map(|at| self.shown(at)).collect();
        devices.sort_by_key(|device| device.link.ifindex);
        let mut lines = Vec::new();
        for device in devices {
            let mut records: Vec<_> = device.netdev.device().fdb().iter().collect();
            records.sort_by_key(|record| record.key);
            let shown = records
                .iter()
                .map(|record| device.line(record).expect("the library can write it"));
            lines.extend(shown);
        }
        lines
    }

    /// The device of that name.
    pub(crate) fn named(&self, name: &str) -> Result<usize, Failure> {
        self.devices
            .iter()
            .position(|device| device.name == name)
            .ok_or_else(|| unsupported(format!("no device {name}")))
    }

    /// The device of that number.
    pub(crate) fn numbered(&self, ifindex: u32) -> Option<usize> {
        self.devices
            .iter()
            .position(|device| device.ifindex == ifindex)
    }

    /// The device that the world knows by that handle.
    pub(crate) fn known(&self, id: DeviceId) -> Option<usize> {
        self.devices.iter().position(|device| device.id == id)
    }

    /// A device to be looked at.
    pub(crate) fn shown(&self, at: usize) -> Shown<'_> {
        let link = &self.devices[at];
        let netdev = self.world.device(link.id);
        Shown {
            netdev: netdev.expect("the world has all devices"),
            link,
        }
    }

    /// A device at work, now.
    pub(crate) fn working(&mut self, at: usize) -> Working<'_> {
        let link = &mut self.devices[at];
        link.worker.now = self.now;
        let netdev = self.world.device_mut(link.id);
        Working {
            core: netdev.expect("the world has all devices").device_mut(),
            worker: &mut link.worker,
            neighbours: &link.neighbours,
        }
    }

    pub(crate) fn core(&self, at: usize) -> &Device<Tables> {
        self.shown(at).netdev.device()
    }

    pub(crate) fn core_mut(&mut self, at: usize) -> &mut Device<Tables> {
        self.working(at).core
    }

    /// The MTU of an interface, if it exists.
    pub(crate) fn mtu_of(&self, ifindex: u32) -> Option<u32> {
        match ifindex {
            LOOPBACK => Some(LOOPBACK_MTU),
            BRIDGE => self.bridged.then_some(1500),
            _ => match self.links.get(ifindex) {
                Some(link) => Some(link.facts.mtu),
                None => self.numbered(ifindex).map(|at| self.shown(at).netdev.mtu()),
            },
        }
    }

    /// Tells about events on a device.
    pub(crate) fn tell(
        &mut self,
        at: usize,
        events: impl IntoIterator<Item = Event>,
    ) -> Result<(), Failure> {
        for event in events {
            let message = self.shown(at).notification(&event)?;
            self.seen.notifications.extend(message);
        }
        Ok(())
    }

    fn describe(&self, name: &str) -> Result<Option<Value>, Failure> {
        self.shown(self.named(name)?).link().map(Some)
    }

    /// Lets time pass; the ageing timers run when they are due.
    fn sleep(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.world.next_sweep().filter(|due| *due <= end) {
            self.now = due;
            let mut gone = Vec::new();
            self.world.age(due, |id, event| gone.push((id, event)));
            for (id, event) in gone {
                let at = self.known(id);
                let message = at.and_then(|at| self.shown(at).notification(&event).ok());
                self.seen.notifications.extend(message.flatten());
            }
        }
        self.now = end;
    }

    /// The paths of a nexthop group, all of weight one; `None` if there is no such group.
    pub(crate) fn paths(&self, group: u32) -> Option<Vec<Path>> {
        let find = |id| self.nexthops.iter().find(|nexthop| nexthop.id == id);
        let members = find(group)?.group.as_deref()?;
        let path = |member: &u32| Some(Path::new(find(*member)?.via?));
        Some(members.iter().filter_map(path).collect())
    }
}
