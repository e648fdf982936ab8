//! The host's vxlan devices as network interfaces.

use serde_json::{Value, json};
use vxlan_core::fdb::{Destination, Growable, Record};
use vxlan_core::{Config, Device, Event, IfIndex, Instant, Mac, Message, Worker};

use super::answer::Failure;
use super::attributes;
use super::missing::Missing;
use super::sockets::User;

const IFF_UP: u32 = 0x1;
const IFF_BROADCAST: u32 = 0x2;
const IFF_POINTOPOINT: u32 = 0x10;
const IFF_NOARP: u32 = 0x80;
const ARPHRD_ETHER: u32 = 1;
const ARPHRD_NONE: u32 = 0xfffe;
const IFF_PROMISC: u32 = 0x100;
const IFF_MULTICAST: u32 = 0x1000;

/// A vxlan device and what the host knows about it.
#[derive(Debug)]
pub(crate) struct VxlanLink {
    pub(crate) name: String,
    pub(crate) ifindex: u32,
    pub(crate) core: Device<Growable>,
    pub(crate) worker: Worker,
    pub(crate) mtu: u32,
    pub(crate) promiscuous: bool,
    /// Frames that the stack above dropped; they count on the interface.
    pub(crate) dropped_above: u64,
    /// Features that were asked for and that the library lacks.
    pub(crate) missing: Missing,
    /// When the ageing timer runs next.
    pub(crate) sweep: Option<Instant>,
}

impl VxlanLink {
    pub(crate) fn new(
        name: String,
        ifindex: u32,
        mac: Mac,
        config: Config,
        now: Instant,
    ) -> Result<Self, Failure> {
        Ok(Self {
            name,
            ifindex,
            core: Device::new(config, mac, Growable::new(), now)?,
            worker: Worker::new(now),
            mtu: 0,
            promiscuous: false,
            dropped_above: 0,
            missing: Missing::default(),
            sweep: None,
        })
    }

    /// What its sockets have to know.
    pub(crate) fn users(&self) -> Vec<User> {
        let config = self.core.config();
        // In external mode a device sends and receives over both families.
        let families = match config.is_external() {
            true => vec![true, false],
            false => vec![config.is_ipv6()],
        };
        let user = |ipv6| User {
            ifindex: self.ifindex,
            ipv6,
            port: config.port(),
            flags: config.flags(),
            vni: config.vni(),
            link: config.arrival(),
            group: config
                .group()
                .filter(|group| group.address.is_ipv6() == ipv6),
        };
        families.into_iter().map(user).collect()
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

    /// The link message's content.
    pub(crate) fn link(&self) -> Result<Value, Failure> {
        let info_data = attributes::info_data(self.core.config());
        let raw = self.core.config().is_raw();
        let mut flags = match raw {
            true => IFF_POINTOPOINT | IFF_NOARP | IFF_MULTICAST,
            false => IFF_BROADCAST | IFF_MULTICAST,
        };
        if self.core.is_up() {
            flags |= IFF_UP;
        }
        if self.promiscuous {
            flags |= IFF_PROMISC;
        }
        Ok(json!({
            "mtu": self.mtu,
            "min_mtu": vxlan_core::device::MTU_MIN,
            "max_mtu": vxlan_core::device::MTU_MAX,
            "arphrd": if raw { ARPHRD_NONE } else { ARPHRD_ETHER },
            "flags": flags,
            "attributes": attributes::named(&info_data)?,
            "info_data": super::model::to_hex(&info_data),
        }))
    }

    /// One line of the FDB dump, without the kind of message.
    pub(crate) fn line(&self, record: &Record) -> Value {
        let config = self.core.config();
        let mut line = json!({
            "ifindex": self.ifindex,
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
                    "ifindex": self.ifindex,
                    "state": 4,
                    "flags": 0,
                    "ndm_type": 1,
                    "lladdr": mac.to_string(),
                });
                // The message names no remote, so its VNI is 0: told if it is not the default.
                if self.core.config().vni().get() != 0 {
                    message["vni"] = 0.into();
                }
                message
            }
            other => return Err(Failure::Unsupported(format!("event {other:?}"))),
        }))
    }
}
