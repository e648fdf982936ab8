//! `vtep fdb show`: the entries, slice by slice.

use std::fs;

use vxlan_core::fdb::{Cursor, Record, State};
use vxlan_std::{DeviceId, interface};

use super::super::json::{Array, Json};
use super::super::options::Options;
use super::super::refusal::{BRIDGE, Refusal};
use super::super::run::{Devices, PIECE};
use super::super::show::Shown;
use super::super::words::ShowSpec;

/// A walk over the entries of all devices or one.
#[derive(Debug)]
pub(crate) struct Dump {
    options: Options,
    filter: ShowSpec,
    /// The last device that is done.
    done: Option<DeviceId>,
    /// The device that is being told, and how far.
    at: Option<(DeviceId, Cursor)>,
    array: Option<Array>,
}

impl Dump {
    /// The start of it.
    pub(super) fn new(
        devices: &Devices,
        options: Options,
        filter: ShowSpec,
    ) -> Result<Self, Refusal> {
        if let Some(name) = filter
            .device
            .as_ref()
            .filter(|name| devices.named(name).is_none())
        {
            return Err(Refusal::no_device(BRIDGE, name));
        }
        if let Some(name) = filter
            .bridge
            .as_ref()
            .filter(|name| interface::index(name).is_none())
        {
            let text = format!("Cannot find bridge device \"{name}\"");
            return Err(Refusal::said(BRIDGE, text));
        }
        Ok(Self {
            options,
            filter,
            done: None,
            at: None,
            array: None,
        })
    }

    /// Appends the next lines, after a look at so many places of entries and destinations at most.
    /// False once there are no more.
    pub(crate) fn more(&mut self, devices: &Devices, out: &mut String) -> bool {
        if self.options.json && self.array.is_none() {
            self.array = Some(Array::start(out, self.options.pretty));
        }
        let mut left = PIECE;
        while left > 0 {
            // Devices may come and go meanwhile; those that come are behind.
            let mut links = devices.taps.links.iter();
            let Some(link) = links.find(|link| Some(link.id) > self.done) else {
                if let Some(array) = self.array.take() {
                    array.end(out);
                }
                return false;
            };
            let device = devices.vtep.device(link.id);
            if let Some(device) = device.filter(|_| self.chooses(link.tap.name())) {
                let from = match self.at {
                    Some((id, cursor)) if id == link.id => cursor,
                    _ => Cursor::START,
                };
                let mut records = device.fdb().iter_some(from, left);
                for record in records.by_ref().take(left as usize) {
                    if self.meets(&record) {
                        let shown = Shown {
                            device: self.filter.device.is_none().then_some(link.tap.name()),
                            config: device.config(),
                            record: &record,
                            now: (self.options.stats > 0).then(|| devices.vtep.now()),
                        };
                        match &mut self.array {
                            Some(array) => array.push(out, &Json::Object(shown.fields())),
                            None => shown.text(out),
                        }
                    }
                }
                if let Some(rest) = records.rest() {
                    self.at = Some((link.id, rest));
                    break;
                }
                left = records.budget();
            }
            self.done = Some(link.id);
        }
        true
    }

    /// Whether the device `name` is to be shown.
    fn chooses(&self, name: &str) -> bool {
        let filter = &self.filter;
        let bridge = filter.bridge.as_ref();
        filter.device.as_ref().is_none_or(|device| device == name)
            && bridge.is_none_or(|bridge| is_port(name, bridge))
    }

    /// Whether a record is to be shown.
    fn meets(&self, record: &Record) -> bool {
        let filter = &self.filter;
        !filter.vlan
            && (filter.state.is_empty() || record.state.intersects(filter.state))
            && !(filter.dynamic && record.state.contains(State::PERMANENT))
    }
}

/// Whether an interface is a port of a bridge.
fn is_port(interface: &str, bridge: &str) -> bool {
    let master = fs::read_link(format!("/sys/class/net/{interface}/master"));
    master.is_ok_and(|master| master.file_name() == Some(bridge.as_ref()))
}
