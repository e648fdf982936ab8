//! A VXLAN device: a configuration, a forwarding database, and the two ways through it.

mod accept;
mod arp_reduce;
pub(crate) mod attributes;
mod build;
mod change;
mod config;
mod encapsulate;
mod fdb;
mod inner;
mod limits;
mod mdb;
mod neigh_reduce;
mod outer;
mod pmtu;
mod receive;
mod reduce;
mod reply;
mod route_query;
mod route_shortcircuit;
mod snoop;
mod tag;
mod transmit;
mod vnis;

use core::net::IpAddr;

pub use self::fdb::Removals;
pub(crate) use accept::parse_header;
pub use accept::{Accept, Decoded, Refused};
pub use attributes::Attribute;
pub use change::{Changed, Group};
pub use config::{
    AGEING_DEFAULT, Config, ConfigChange, ConfigError, Df, Flags, FlowLabel, LearnRate,
    MTU_DEFAULT, MTU_MAX, MTU_MIN, MoveDamping, PORT_GPE, PORT_IANA, PORT_LINUX, TOS_INHERIT,
    Unlearned, Valid,
};
pub use encapsulate::{Bypass, Encapsulated};
pub use outer::Outer;
pub use receive::{Ingress, Metadata, PacketType};
pub use reply::Reply;
pub use route_query::RouteQuery;
pub use snoop::Snooped;
pub use tag::push_tag;
pub use transmit::{Egress, Remotes};
pub use vnis::VniChanged;

use crate::fdb::{Fdb, Flags as EntryFlags, Key, Mode, Remote, State, Storage, Update};
use crate::flow::FlowHasher;
use crate::mdb::Head;
use crate::{DropReason, Instant, Mac, Packet, Worker, nexthop, vni_filter};

/// A VXLAN device (`struct vxlan_dev`).
///
/// It owns its configuration, its MAC address, its forwarding database and, in a storage with memory
/// for one ([`mdb::With`](crate::mdb::With)), its multicast database, and nothing else: no socket,
/// no clock, no counters. [`transmit`](Self::transmit) and
/// [`encapsulate`](Self::encapsulate) carry a frame from the overlay to the underlay,
/// [`receive`](Self::receive) carries one back.
#[derive(Debug)]
pub struct Device<S> {
    config: Valid,
    accept: Accept,
    mac: Mac,
    up: bool,
    /// Frames are delivered: the device is up, or nobody cares.
    delivers: bool,
    bridge_port: bool,
    arp: bool,
    fdb: Fdb<S>,
    vnis: vni_filter::Head,
    mdb: Head,
    flow_hasher: FlowHasher,
    limits: limits::Memory,
}

impl<S: Storage> Device<S> {
    /// A device with this MAC address, still down. If the configuration names a default remote,
    /// the FDB starts with the default entry for it (`vxlan_newlink()`).
    ///
    /// # Errors
    /// A [`ConfigError`] if the configuration contradicts itself, the MAC address is a group or
    /// all zeros, or the default entry does not fit.
    pub fn new(config: Config, mac: Mac, storage: S, now: Instant) -> Result<Self, ConfigError> {
        if !mac.is_unicast() {
            return Err(ConfigError::InvalidMac);
        }
        let config = config.validate()?;
        let salt = config.salt();
        let limits = limits::Memory::new(&config, now);
        let mut device = Self {
            accept: Accept::new(&config),
            delivers: !config.compat().check_device_up,
            config,
            mac,
            up: false,
            bridge_port: false,
            arp: true,
            fdb: Fdb::new(storage, salt),
            vnis: vni_filter::Head::default(),
            mdb: Head::new(salt),
            flow_hasher: FlowHasher::new(salt),
            limits,
        };
        device.prepare_vnis();
        device.forget_groups();
        device.count_learned(device.config.learn_quota().is_some())?;
        if !device.config.remote().is_unspecified() {
            let update = device.default_entry(Mode::EXCL, device.default_remote());
            device.fdb.update(now, &update).map_err(ConfigError::Fdb)?;
        }
        Ok(device)
    }
    /// What the device was told.
    #[must_use]
    #[inline]
    pub const fn config(&self) -> &Valid {
        &self.config
    }

    /// The device's MAC address.
    #[must_use]
    pub const fn mac(&self) -> Mac {
        self.mac
    }

    /// Gives the device another MAC address.
    ///
    /// # Errors
    /// [`ConfigError::InvalidMac`] for a group or all zeros; nothing changes then.
    pub fn set_mac(&mut self, mac: Mac) -> Result<(), ConfigError> {
        if !mac.is_unicast() {
            return Err(ConfigError::InvalidMac);
        }
        self.mac = mac;
        Ok(())
    }

    /// Whether the device is up (`IFF_UP`).
    #[must_use]
    #[inline]
    pub const fn is_up(&self) -> bool {
        self.up
    }

    /// Takes the device up or down. Entries stay; see [`stop`](Self::stop).
    pub const fn set_up(&mut self, up: bool) {
        self.up = up;
        self.delivers = up || !self.config.compat().check_device_up;
    }

    /// The forwarding database.
    #[must_use]
    pub const fn fdb(&self) -> &Fdb<S> {
        &self.fdb
    }

    /// The forwarding database, to be changed directly. The `fdb_` methods of the device fill in
    /// the device's defaults and check like the kernel does.
    pub fn fdb_mut(&mut self) -> &mut Fdb<S> {
        &mut self.fdb
    }

    /// The key of a MAC address in this device's FDB. Its VNI is the device's own.
    #[must_use]
    #[inline]
    pub fn key(&self, mac: Mac) -> Key {
        Key {
            mac,
            vni: self.config.vni().get(),
        }
    }

    /// The key of a MAC address seen in the network `vni`: only in external mode the network
    /// counts (`vxlan_find_mac()`).
    #[must_use]
    #[inline]
    pub fn key_in(&self, mac: Mac, vni: u32) -> Key {
        self.config.key_in(mac, vni)
    }

    /// The remote at `addr` with the device's port and VNI and no interface.
    #[must_use]
    pub fn remote(&self, addr: IpAddr) -> Remote {
        Remote {
            addr,
            port: self.config.port(),
            vni: self.config.vni().get(),
            ifindex: None,
        }
    }

    /// The remote that one path of a nexthop object leads to: port and VNI of the device, no
    /// interface.
    #[must_use]
    pub fn remote_via(&self, gateway: IpAddr) -> Remote {
        self.remote(gateway)
    }

    /// The remote that the flow of this frame takes in a nexthop group; `None` if the group has no
    /// path, or one of the other IP version than the device for this flow
    /// (`vxlan_fdb_nh_path_select()`).
    #[must_use]
    pub fn remote_in(&self, group: nexthop::Group<'_>, frame: &Packet<'_>) -> Option<Remote> {
        let hash = frame
            .flow_hash()
            .unwrap_or_else(|| self.flow_hasher.frame(frame.bytes()));
        let gateway = group.choose(hash)?.gateway;
        (gateway.is_ipv6() == self.config.is_ipv6()).then(|| self.remote_via(gateway))
    }

    /// Counts a frame whose nexthop object had no usable path.
    pub fn drop_without_path(&self, worker: &mut Worker, frame: &Packet<'_>) -> DropReason {
        let reason = worker.tx_dropped(DropReason::NoNexthopPath);
        if let Some(info) = &frame.tunnel {
            self.count_unsent(info.vni, reason);
        }
        reason
    }

    fn default_remote(&self) -> Remote {
        Remote {
            ifindex: self.config.lower(),
            ..self.remote(self.config.remote())
        }
    }

    /// The request that gives the default entry a remote.
    fn default_entry(&self, mode: Mode, remote: Remote) -> Update {
        Update {
            key: self.key(Mac::ZERO),
            state: State::REACHABLE | State::PERMANENT,
            flags: EntryFlags::SELF,
            mode: Mode::CREATE | mode,
            destination: remote.into(),
            limit: self.limit(),
        }
    }

    /// A quota needs the learned entries counted. Only to begin with it can fail.
    fn count_learned(&mut self, on: bool) -> Result<(), ConfigError> {
        let counted = self.fdb.count_learned(on);
        counted.map_err(|full| ConfigError::Fdb(full.into()))
    }

    fn limit(&self) -> u32 {
        self.config.limit().map_or(0, core::num::NonZero::get)
    }
}

impl Valid {
    /// See [`Device::key_in`].
    #[inline]
    pub(crate) const fn key_in(&self, mac: Mac, vni: u32) -> Key {
        let vni = if self.is_external() {
            vni
        } else {
            self.vni().get()
        };
        Key { mac, vni }
    }
}
