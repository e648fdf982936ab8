//! The host's vxlan devices as network interfaces.

use serde_json::{Value, json};
use vxlan_core::device::Valid;
use vxlan_core::fdb::{self, Record};
use vxlan_core::netlink::neighbour::{self, Teller};
use vxlan_core::netlink::{self, Header};
use vxlan_core::world::{DeviceId, Netdev, Setup};
use vxlan_core::{Device, Event, IfIndex, Instant, Worker, mdb};

use super::answer::{Failure, unsupported};
use super::attributes;
use super::neighbour_message;
use super::neighbours::Table;

const IFF_UP: u32 = 0x1;
const IFF_PROMISC: u32 = 0x100;

/// The memory of a device.
pub(crate) type Tables = mdb::With<fdb::Growable, mdb::Growable>;

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
    pub(crate) neighbours: Table,
}

/// A device to be looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown<'a> {
    pub(crate) netdev: &'a Netdev<Tables>,
    pub(crate) link: &'a VxlanLink,
}

/// A device at work.
#[derive(Debug)]
pub(crate) struct Working<'a> {
    pub(crate) core: &'a mut Device<Tables>,
    pub(crate) worker: &'a mut Worker,
    pub(crate) neighbours: &'a Table,
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
            neighbours: Table::default(),
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

    /// What tells about its entries.
    fn teller(&self) -> Result<Teller<'_>, Failure> {
        Ok(Teller {
            config: self.config(),
            ifindex: IfIndex::new(self.link.ifindex).ok_or_else(|| unsupported("no number"))?,
            netns: None,
            now: self.link.worker.now,
        })
    }

    /// One line of the FDB dump, without the kind of message.
    pub(crate) fn line(&self, record: &Record) -> Result<Value, Failure> {
        let mut line = self.message(neighbour::NEW, record)?;
        if let Value::Object(line) = &mut line {
            line.retain(|name, _| name != "type" && name != "family");
        }
        Ok(line)
    }

    /// The neighbour message for one record.
    pub(crate) fn message(&self, kind: u16, record: &Record) -> Result<Value, Failure> {
        let header = Header {
            kind,
            ..Header::default()
        };
        let mut out = [0; 160];
        let len = self.teller()?.record(&header, record, &mut out);
        neighbour_message::named(&out[..len.map_err(netlink::Error::from)?])
    }

    /// The neighbour message for an event, if there is one.
    pub(crate) fn notification(&self, event: &Event) -> Result<Option<Value>, Failure> {
        let mut out = [0; 160];
        let len = self.teller()?.event(event, &mut out);
        let len = len.map_err(netlink::Error::from)?;
        len.map(|len| neighbour_message::named(&out[..len]))
            .transpose()
    }
}
