//! The host's vxlan devices as network interfaces.

use serde_json::{Value, json};
use vxlan_core::device::Valid;
use vxlan_core::fdb::{Destination, Growable, Record};
use vxlan_core::world::{DeviceId, Netdev, Setup};
use vxlan_core::{Device, Event, IfIndex, Instant, Message, Worker};

use super::answer::Failure;
use super::attributes;
use super::missing::Missing;

const IFF_UP: u32 = 0x1;
const IFF_PROMISC: u32 = 0x100;

/// What the host knows about a vxlan device beside the world that holds it.
#[derive(Debug)]
pub(crate) struct VxlanLink {
    pub(crate) id: DeviceId,
    pub(crate) name: String,
    pub(crate) ifindex: u32,
    pub(crate) worker: Worker,
    pub(crate) promiscuous: bool,
    /// Frames that the stack above dropped; they count on the interface.
    pub(crate) dropped_above: u64,
    /// Features that were asked for and that the library lacks.
    pub(crate) missing: Missing,
}

/// A device to be looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown<'a> {
    pub(crate) netdev: &'a Netdev<Growable>,
    pub(crate) link: &'a VxlanLink,
}

/// A device at work.
#[derive(Debug)]
pub(crate) struct Working<'a> {
    pub(crate) core: &'a mut Device<Growable>,
    pub(crate) worker: &'a mut Worker,
}

impl VxlanLink {
    pub(crate) fn new(id: DeviceId, name: String, ifindex: u32, now: Instant) -> Self {
        Self {
            id,
            name,
            ifindex,
            worker: Worker::new(now),
            promiscuous: false,
            dropped_above: 0,
            missing: Missing::default(),
        }
    }

    /// The counters as `struct rtnl_link_stats64` names them.
    pub(crate) fn counters(&self) -> Vec<(&'static str, u64)> {
        let mut named = self.worker.stats.named().to_vec();
        for (name, value) in &mut named {
            if *name == "rx_dropped" {
                *value += self.dropped_above;
            }
        }
        named
    }
}

impl Shown<'_> {
    fn config(&self) -> &Valid {
        self.netdev.device().config()
    }

    /// The link message's content.
    pub(crate) fn link(&self) -> Result<Value, Failure> {
        let info_data = attributes::info_data(self.config());
        let setup = Setup::of(self.config());
        let mut flags = setup.flags;
        if self.netdev.device().is_up() {
            flags |= IFF_UP;
        }
        if self.link.promiscuous {
            flags |= IFF_PROMISC;
        }
        Ok(json!({
            "mtu": self.netdev.mtu(),
            "min_mtu": setup.min_mtu,
            "max_mtu": setup.max_mtu,
            "arphrd": setup.kind,
            "flags": flags,
            "attributes": attributes::named(&info_data)?,
            "info_data": super::model::to_hex(&info_data),
        }))
    }

    /// One line of the FDB dump, without the kind of message.
    pub(crate) fn line(&self, record: &Record) -> Value {
        let config = self.config();
        let mut line = json!({
            "ifindex": self.link.ifindex,
            "state": record.state.bits(),
            "flags": record.flags.bits() & 0xff,
            "ndm_type": 1,
            "lladdr": record.key.mac.to_string(),
        });
        if config.is_external() && record.key.vni != 0 {
            line["src_vni"] = record.key.vni.into();
        }
        match record.destination {
            Destination::Nexthop(id) => line["nh_id"] = id.get().into(),
            Destination::Remote(remote) => {
                line["dst"] = remote.addr.to_string().into();
                if remote.port != 0 && remote.port != config.port() {
                    line["port"] = remote.port.into();
                }
                if remote.vni != config.vni().get() {
                    line["vni"] = remote.vni.into();
                }
                if let Some(ifindex) = remote.ifindex.map(IfIndex::get) {
                    line["via_ifindex"] = ifindex.into();
                }
            }
        }
        line
    }

    /// The neighbour message for one record.
    pub(crate) fn message(&self, kind: &str, record: &Record) -> Value {
        let mut message = self.line(record);
        message["type"] = kind.into();
        message["family"] = "bridge".into();
        message
    }

    /// The neighbour message for an event, if there is one.
    pub(crate) fn notification(&self, event: &Event) -> Result<Option<Value>, Failure> {
        let kind = match event.message() {
            Some(Message::New) => "newneigh",
            Some(Message::Delete) => "delneigh",
            Some(Message::Miss) => "getneigh",
            Some(other) => return Err(Failure::Unsupported(format!("message {other:?}"))),
            None => return Ok(None),
        };
        Ok(Some(match event {
            Event::Learned(record)
            | Event::Migrated { record, .. }
            | Event::Changed(record)
            | Event::Removed(record) => self.message(kind, record),
            Event::L2Miss(mac) => {
                let mut message = json!({
                    "type": kind,
                    "family": "inet",
                    "ifindex": self.link.ifindex,
                    "state": 4,
                    "flags": 0,
                    "ndm_type": 1,
                    "lladdr": mac.to_string(),
                });
                // The message names no remote, so its VNI is 0: told if it is not the default.
                if self.config().vni().get() != 0 {
                    message["vni"] = 0.into();
                }
                message
            }
            other => return Err(Failure::Unsupported(format!("event {other:?}"))),
        }))
    }
}
