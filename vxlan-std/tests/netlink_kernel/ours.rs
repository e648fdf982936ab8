//! The same by this library: a world, and the host that it needs.

use std::collections::BTreeMap;

use vxlan_core::fdb::{Ageing, Growable, Mode, NexthopError, NexthopId, Record, Target};
use vxlan_core::netlink::link::Request as LinkRequest;
use vxlan_core::netlink::neighbour::{self, Message, Operation, Request, Teller};
use vxlan_core::netlink::{self, Header};
use vxlan_core::world::{self, DeviceId, Lower, NewDevice};
use vxlan_core::{Compat, Device, Event, IfIndex, Instant, Mac, Salt, World};

use crate::message::Answer;
use crate::model::Model;

pub(crate) struct Ours {
    pub(crate) world: World<world::Growable<Growable>>,
    pub(crate) facts: Facts,
    /// By the number that the kernel gave.
    devices: BTreeMap<u32, DeviceId>,
    /// When entries of each were looked at last.
    swept: BTreeMap<u32, Instant>,
    pub(crate) now: Instant,
    /// What the last request about entries made the library tell.
    events: Vec<Event>,
    /// What the reference says, by the same number.
    models: BTreeMap<u32, Model>,
    /// How many requests the reference was asked about.
    pub(crate) referred: usize,
    /// How many notifications of the kernel were the same.
    pub(crate) heard: usize,
}

/// What the host knows.
pub(crate) struct Facts {
    /// MTU of each interface that may be a lower one.
    pub(crate) interfaces: BTreeMap<u32, u32>,
    pub(crate) nexthops: BTreeMap<u32, Result<bool, NexthopError>>,
}

impl Ours {
    pub(crate) fn new(lower: u32) -> Self {
        Self {
            world: World::new(world::Growable::new(), Salt::default()),
            facts: Facts {
                interfaces: BTreeMap::from([(1, 65536), (lower, 1500)]),
                nexthops: BTreeMap::new(),
            },
            devices: BTreeMap::new(),
            swept: BTreeMap::new(),
            now: Instant::ZERO,
            events: Vec::new(),
            models: BTreeMap::new(),
            referred: 0,
            heard: 0,
        }
    }

    fn lower(&self, named: Option<IfIndex>) -> Option<Lower> {
        let named = named?;
        Some(Lower {
            mtu: *self.facts.interfaces.get(&named.get())?,
            ..Lower::ethernet(named)
        })
    }

    /// A device is to be made; the kernel's number for it is told afterwards by [`Self::made`].
    pub(crate) fn create(&mut self, attributes: &[u8]) -> (Answer, Option<DeviceId>) {
        let request = match LinkRequest::parse(attributes, &Compat::LINUX_6) {
            Ok(request) => request,
            Err(error) => return (told(&error, None), None),
        };
        let warning = request.warning();
        let made = request.new_device().and_then(|asked| {
            let lower = asked.config.clone().validate()?.lower();
            let mac = asked.mac.unwrap_or(Mac::new([2, 0, 0, 0, 0, 9]));
            let mut new = NewDevice::new(asked.config, mac);
            new.mtu = asked.mtu;
            new.lower = self.lower(lower);
            let task = self.world.create(new, Growable::new(), self.now)?;
            let id = task.device();
            self.world.run(task, |_, _| Ok(()), |_, _| {})?;
            Ok(id)
        });
        match made {
            Ok(id) => (Answer(0, warning.map(ToString::to_string)), id),
            Err(error) => (told(&error, warning), None),
        }
    }

    pub(crate) fn made(&mut self, ifindex: u32, id: DeviceId) {
        self.devices.insert(ifindex, id);
        let mtu = self.world.device(id).unwrap().mtu();
        self.facts.interfaces.insert(ifindex, mtu);
        let config = self.device(ifindex).config();
        let (ageing, limit) = (
            Ageing::new(config.ageing()),
            config.limit().map_or(0, |limit| limit.get()),
        );
        let model = Model::new(&self.records(ifindex), ageing, limit, config.is_ipv6());
        self.models.insert(ifindex, model);
    }

    fn records(&self, ifindex: u32) -> Vec<Record> {
        self.device(ifindex).fdb().iter().collect()
    }

    /// Holds the table to the reference.
    fn compare(&self, ifindex: u32) {
        assert_eq!(self.records(ifindex), self.models[&ifindex].dump());
    }

    pub(crate) fn change(&mut self, ifindex: u32, attributes: &[u8]) -> Answer {
        let id = self.devices[&ifindex];
        let config = self.world.device(id).unwrap().device().config().clone();
        let request = match LinkRequest::parse(attributes, &Compat::LINUX_6) {
            Ok(request) => request,
            Err(error) => return told(&error, None),
        };
        let warning = request.warning();
        let done = request.change(&config).and_then(|asked| {
            let named = config.changed(&asked.config)?.named_lower();
            let lower = self.lower(named);
            let task = self.world.change(id, &asked.config, lower, self.now)?;
            self.world.run(task, |_, _| Ok(()), |_, _| {})?;
            Ok(())
        });
        match done {
            Ok(()) => Answer(0, warning.map(ToString::to_string)),
            Err(error) => told(&error, warning),
        }
    }

    pub(crate) fn delete(&mut self, ifindex: u32) {
        let id = self.devices.remove(&ifindex).unwrap();
        let task = self.world.delete(id, |_, _| {}).unwrap();
        self.world.run(task, |_, _| Ok(()), |_, _| {}).unwrap();
        self.facts.interfaces.remove(&ifindex);
        self.models.remove(&ifindex);
    }

    pub(crate) fn open(&mut self, ifindex: u32) {
        let id = self.devices[&ifindex];
        let task = self.world.open(id, None, self.now).unwrap();
        self.world.run(task, |_, _| Ok(()), |_, _| {}).unwrap();
    }

    /// Entries grow old; how many are gone.
    pub(crate) fn age(&mut self) -> usize {
        for ifindex in self.devices.keys() {
            if self.next_sweep(*ifindex) <= self.now {
                self.swept.insert(*ifindex, self.now);
            }
        }
        let mut count = 0;
        let mut gone: BTreeMap<DeviceId, Vec<Event>> = BTreeMap::new();
        self.world.age(self.now, |id, event| {
            gone.entry(id).or_default().push(event)
        });
        for (ifindex, model) in &mut self.models {
            if self.swept.get(ifindex) == Some(&self.now) {
                let told = gone.remove(&self.devices[ifindex]).unwrap_or_default();
                let aged: Vec<Event> = model
                    .age(self.now)
                    .into_iter()
                    .map(Event::Removed)
                    .collect();
                assert_eq!(told, aged);
                count += aged.len();
            }
        }
        assert!(gone.is_empty(), "aged without a sweep: {gone:?}");
        count
    }

    pub(crate) fn next_sweep(&self, ifindex: u32) -> Instant {
        let netdev = self.world.device(self.devices[&ifindex]).unwrap();
        netdev.next_sweep().unwrap_or(Instant::MAX)
    }

    pub(crate) fn last_sweep(&self, ifindex: u32) -> Option<Instant> {
        self.swept.get(&ifindex).copied()
    }

    pub(crate) fn device(&self, ifindex: u32) -> &Device<Growable> {
        self.world.device(self.devices[&ifindex]).unwrap().device()
    }

    /// MTU and `IFLA_INFO_DATA` of a device.
    pub(crate) fn shown(&self, ifindex: u32) -> (u32, Vec<u8>) {
        let netdev = self.world.device(self.devices[&ifindex]).unwrap();
        let mut out = [0; 264];
        let len = netdev.device().config().write_attributes(&mut out).unwrap();
        (netdev.mtu(), out[..len].to_vec())
    }

    /// A request about entries: the answer, and the entry if it was asked for.
    pub(crate) fn entries(
        &mut self,
        ifindex: u32,
        operation: Operation,
        content: &[u8],
    ) -> (Answer, Option<Vec<u8>>) {
        self.events.clear();
        let message = match Message::parse(operation, content) {
            Ok(message) => message,
            Err(error) => return (told(&error, None), None),
        };
        let warning = message.warning();
        if message.interface().get() != ifindex {
            return (told(&message.no_interface(), warning.as_ref()), None);
        }
        let done = self.entries_of(ifindex, &message);
        self.compare_told(ifindex, &message, done.as_ref().err());
        match done {
            Ok(entry) => (Answer(0, warning.map(|warning| warning.to_string())), entry),
            Err(error) => (told(&error, warning.as_ref()), None),
        }
    }

    /// Whether a remote is to be appended to an entry with a nexthop group. Linux keeps it where
    /// it is never used nor shown, and destroys the entry with it; the library does not, see
    /// `Fdb::update`.
    pub(crate) fn hides_a_remote(
        &self,
        ifindex: u32,
        operation: Operation,
        content: &[u8],
    ) -> bool {
        let device = self.device(ifindex);
        let Ok(message) = Message::parse(operation, content) else {
            return false;
        };
        match message.request(device.config(), &self.facts) {
            Ok(Request::Update { update, .. }) => {
                let entry = device.fdb().find(&update.key);
                update.mode.contains(Mode::APPEND)
                    && matches!(update.destination, Target::Remote(_))
                    && entry.is_some_and(|entry| entry.nexthop().is_some())
            }
            _ => false,
        }
    }

    /// Holds what came of a request to the reference: error number, events, table.
    fn compare_told(
        &mut self,
        ifindex: u32,
        message: &Message<'_>,
        error: Option<&netlink::Error>,
    ) {
        let config = self
            .world
            .device(self.devices[&ifindex])
            .unwrap()
            .device()
            .config();
        let Ok(request) = message.request(config, &self.facts) else {
            return; // Not understood: the kernel alone says what to answer.
        };
        let model = self.models.get_mut(&ifindex).unwrap();
        if let Some(told) = model.request(self.now, &request) {
            self.referred += 1;
            let told = told.map_err(netlink::Error::from);
            assert_eq!(
                error.map(netlink::Error::errno),
                told.as_ref().err().map(netlink::Error::errno)
            );
            let record = |event: &Event| match event {
                Event::Changed(record) | Event::Removed(record) => *record,
                other => panic!("{other:?}"),
            };
            let ours: Vec<Record> = self.events.iter().map(record).collect();
            assert_eq!(ours, told.unwrap_or_default());
        }
        self.compare(ifindex);
    }

    fn entries_of(
        &mut self,
        ifindex: u32,
        message: &Message<'_>,
    ) -> Result<Option<Vec<u8>>, netlink::Error> {
        let id = self.devices[&ifindex];
        let device = self.world.device_mut(id).unwrap().device_mut();
        match message.request(device.config(), &self.facts)? {
            Request::Update { src_vni, update } => {
                let told = device.fdb_update_as(self.now, src_vni, &update)?;
                self.events.extend(told);
            }
            Request::Remove { key, remote } => {
                let told = device.fdb_remove_at(&key, Some(&remote))?;
                self.events.extend(told);
            }
            Request::Flush(filter) => {
                let gone = device.fdb_mut().flush(filter);
                self.events.extend(gone.map(Event::Removed));
            }
            Request::Get(key) => {
                // An entry of a network that nobody looks in is in the dump and never found.
                let found = device.fdb().find(&key).is_some();
                let record = device
                    .fdb()
                    .iter()
                    .find(|record| record.key == key && found);
                let record = record.ok_or(Request::NOT_FOUND)?;
                return Ok(Some(self.message(ifindex, &record)));
            }
            other => panic!("{other:?}"),
        }
        Ok(None)
    }

    /// Kind and content of each notification of the last request.
    pub(crate) fn news(&self, ifindex: u32) -> Vec<(u16, Vec<u8>)> {
        let teller = self.teller(ifindex);
        let told = |event: &Event| {
            let mut out = [0; 160];
            let len = teller.event(event, &mut out).unwrap()?;
            let kind = u16::from_ne_bytes([out[4], out[5]]);
            Some((kind, out[Header::LEN..len].to_vec()))
        };
        self.events.iter().filter_map(told).collect()
    }

    fn teller(&self, ifindex: u32) -> Teller<'_> {
        Teller {
            config: self.device(ifindex).config(),
            ifindex: IfIndex::new(ifindex).unwrap(),
            netns: None,
            now: self.now,
        }
    }

    /// The content of a message about an entry.
    fn message(&self, ifindex: u32, record: &Record) -> Vec<u8> {
        let teller = self.teller(ifindex);
        let header = Header {
            kind: neighbour::NEW,
            ..Header::default()
        };
        let mut out = [0; 160];
        let len = teller.record(&header, record, &mut out).unwrap();
        out[Header::LEN..len].to_vec()
    }

    pub(crate) fn dump(&self, ifindex: u32) -> Vec<Vec<u8>> {
        let records = self.device(ifindex).fdb().iter();
        records
            .map(|record| self.message(ifindex, &record))
            .collect()
    }
}

impl neighbour::Host for Facts {
    fn has_interface(&self, ifindex: IfIndex) -> bool {
        self.interfaces.contains_key(&ifindex.get())
    }

    fn nexthop(&self, id: NexthopId, ipv6: bool) -> Result<(), NexthopError> {
        let family = self.nexthops.get(&id.get()).copied();
        match family.unwrap_or(Err(NexthopError::Unknown))? {
            of_ipv6 if of_ipv6 == ipv6 => Ok(()),
            _ => Err(NexthopError::Family),
        }
    }
}

fn told(error: &netlink::Error, warning: Option<&netlink::Message>) -> Answer {
    let text = error.message().or(warning).map(ToString::to_string);
    Answer(error.errno().get(), text)
}
