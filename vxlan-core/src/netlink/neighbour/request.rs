//! What a request asks of a device (`vxlan_fdb_add()`, `vxlan_fdb_delete()`, `vxlan_fdb_get()`,
//! `vxlan_fdb_delete_bulk()`).

use core::net::IpAddr;

use super::message::{invalid, vlan};
use super::{
    COUNT, DST, FLAGS_MASK, IFINDEX, Message, NH_ID, Operation, PORT, SRC_VNI, STATE_MASK, VLAN,
    VNI,
};
use crate::device::Valid;
use crate::fdb::{
    self, Filter, Flags, Key, Mode, NexthopError, NexthopId, Remote, State, Target, Update,
};
use crate::netlink::Error;
use crate::netlink::policy::{Policy, Rule, Table};
use crate::{Errno, IfIndex, Mac};

const NTF_SELF: u8 = 0x02;
const NTF_MASTER: u8 = 0x04;

/// What the host is asked about a request.
pub trait Host {
    /// Whether there is such an interface, in the namespace of the device.
    fn has_interface(&self, ifindex: IfIndex) -> bool;

    /// Whether a device, over IPv6 or not, can use a nexthop group (`vxlan_fdb_nh_update()`).
    ///
    /// # Errors
    /// Why not.
    fn nexthop(&self, id: NexthopId, ipv6: bool) -> Result<(), NexthopError>;
}

/// A request that a device understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request {
    /// An entry is to be made or changed: for
    /// [`Device::fdb_update_as`](crate::Device::fdb_update_as).
    Update {
        /// The network of a new entry.
        src_vni: u32,
        /// All else.
        update: Update,
    },
    /// A remote is to go, or the entry if the address of the remote is unspecified: for
    /// [`Device::fdb_remove_at`](crate::Device::fdb_remove_at).
    Remove {
        /// The entry.
        key: Key,
        /// The remote.
        remote: Remote,
    },
    /// All that matches is to go: for [`Fdb::flush`](crate::fdb::Fdb::flush).
    Flush(Filter),
    /// An entry is asked for; the answer is its first record, or [`Request::NOT_FOUND`].
    Get(Key),
}

impl Request {
    /// There is no entry to be shown.
    pub const NOT_FOUND: Error = Error::new(Errno::ENOENT, "Fdb entry not found");
}

/// What may be said about the entries to flush (`fdb_del_bulk_policy`).
const FLUSH: Policy<COUNT> = Policy {
    rules: [
        Rule::Any,
        Rule::Bytes(4, 16), // DST
        Rule::Any,
        Rule::Any,
        Rule::Any,
        Rule::Any,
        Rule::Number(2), // PORT
        Rule::Number(4), // VNI
        Rule::Any,
        Rule::Any,
        Rule::Any,
        Rule::Number(4), // SRC_VNI
        Rule::Any,
        Rule::Number(4), // NH_ID
        Rule::Any,
        Rule::Any,
        Rule::Number(2), // NDM_STATE_MASK
        Rule::Number(1), // NDM_FLAGS_MASK
    ],
    strict_from: 0,
    closed: true,
    ruled_from: 0,
};

/// What update and removal have in common (`vxlan_fdb_parse()`).
struct Parsed {
    remote: Remote,
    src_vni: u32,
    nexthop: Option<NexthopId>,
}

impl Message<'_> {
    /// What is asked of a device with this configuration. Of a port of a bridge, requests without
    /// flags or with `NTF_MASTER` are the bridge's to answer first.
    ///
    /// # Errors
    /// The first in Linux's order. What the table itself refuses comes later, from the device.
    pub fn request(&self, config: &Valid, host: &impl Host) -> Result<Request, Error> {
        match self.operation {
            Operation::Update(mode) => self.update(mode, config, host),
            Operation::Remove => self.remove(config, host),
            Operation::Flush => self.flush(config),
            Operation::Get => self.get(config),
        }
    }

    const fn for_the_device(&self) -> Result<(), Error> {
        if self.flags & NTF_SELF == 0 {
            return Err(Error::bare(Errno::EOPNOTSUPP));
        }
        Ok(())
    }

    fn update(&self, mode: Mode, config: &Valid, host: &impl Host) -> Result<Request, Error> {
        let mac = self.mac().ok_or(invalid("invalid address"))?;
        if config.is_raw() {
            return Err(invalid("FDB add only supported for Ethernet devices"));
        }
        self.table.get(VLAN).map(vlan).transpose()?;
        self.for_the_device()?;
        let state = State::from_bits_retain(self.state);
        if !state.intersects(State::PERMANENT | State::REACHABLE) {
            return Err(fdb::Error::State.into());
        }
        if !self.table.has(DST) && !self.table.has(NH_ID) {
            return Err(Error::bare(Errno::EINVAL));
        }
        let Parsed {
            remote,
            src_vni,
            nexthop,
        } = self.parsed(config, host)?;
        let destination = match nexthop {
            Some(id) => Target::Nexthop {
                id,
                validity: host.nexthop(id, config.is_ipv6()),
            },
            None => Target::Remote(remote),
        };
        Ok(Request::Update {
            src_vni,
            update: Update {
                key: config.key_in(mac, src_vni),
                state,
                flags: Flags::from_bits_retain(self.flags.into()),
                mode,
                destination,
                limit: config.limit().map_or(0, core::num::NonZero::get),
            },
        })
    }

    fn remove(&self, config: &Valid, host: &impl Host) -> Result<Request, Error> {
        let mac = self.mac().ok_or(invalid("invalid address"))?;
        // Here the VLAN comes before the kind of device.
        self.table.get(VLAN).map(vlan).transpose()?;
        ethernet(config)?;
        self.for_the_device()?;
        let parsed = self.parsed(config, host)?;
        Ok(Request::Remove {
            key: config.key_in(mac, parsed.src_vni),
            remote: parsed.remote,
        })
    }

    fn get(&self, config: &Valid) -> Result<Request, Error> {
        if self.flags == 0 || self.flags & NTF_MASTER != 0 {
            return Err(invalid("Device is not a bridge port"));
        }
        if config.is_raw() {
            return Err(Error::new(
                Errno::EOPNOTSUPP,
                "Fdb get operation not supported by device",
            ));
        }
        // The VNI of a question is the network, not that of a remote.
        let vni = self.table.number(VNI).unwrap_or(config.vni().get());
        let mac = self.mac().unwrap_or(Mac::ZERO);
        Ok(Request::Get(config.key_in(mac, vni)))
    }

    fn flush(&self, config: &Valid) -> Result<Request, Error> {
        const FLUSHABLE: Flags = Flags::EXT_LEARNED
            .union(Flags::OFFLOADED)
            .union(Flags::ROUTER);
        ethernet(config)?;
        self.for_the_device()?;
        let table = FLUSH.parse(self.attributes)?;
        let flags = Flags::from_bits_retain((self.flags & !(NTF_SELF | NTF_MASTER)).into());
        if !FLUSHABLE.contains(flags) {
            return Err(invalid("Unsupported fdb flush ndm flag bits set"));
        }
        let state = State::from_bits_retain(self.state);
        if !(State::PERMANENT | State::NOARP).contains(state) {
            return Err(invalid("Unsupported fdb flush ndm state bits set"));
        }
        let given = |number| table.number(number).filter(|value| *value != 0);
        let mask = table.chunk(STATE_MASK).map_or(0, u16::from_ne_bytes);
        let port = table.chunk(PORT).map_or(0, u16::from_be_bytes);
        Ok(Request::Flush(Filter {
            state,
            state_mask: State::from_bits_retain(mask),
            flags,
            flags_mask: Flags::from_bits_retain(table.byte(FLAGS_MASK).unwrap_or(0).into()),
            src_vni: given(SRC_VNI),
            nexthop: given(NH_ID).and_then(NexthopId::new),
            vni: given(VNI),
            port: Some(port).filter(|port| *port != 0),
            addr: address(&table),
            ..Filter::default()
        }))
    }

    /// The defaults of the device stand in for whatever is absent.
    fn parsed(&self, config: &Valid, host: &impl Host) -> Result<Parsed, Error> {
        let table = &self.table;
        let exclusive = [DST, VNI, IFINDEX, PORT];
        if table.has(NH_ID) && exclusive.into_iter().any(|number| table.has(number)) {
            return Err(invalid(
                "DST, VNI, ifindex and port are mutually exclusive with NH_ID",
            ));
        }
        let addr = match address(table) {
            Some(addr) => addr,
            None if table.has(DST) => {
                return Err(Error::new(
                    Errno::EAFNOSUPPORT,
                    "Unsupported address family",
                ));
            }
            None if config.is_ipv6() => IpAddr::from([0; 16]),
            None => IpAddr::from([0; 4]),
        };
        let port = exact(table, PORT, "Invalid vxlan port")?;
        let own = config.vni().get();
        let number = |number, message| {
            let value = exact(table, number, message)?;
            Ok::<_, Error>(value.map(u32::from_ne_bytes))
        };
        let vni = number(VNI, "Invalid vni")?;
        let src_vni = number(SRC_VNI, "Invalid src vni")?;
        let ifindex = match number(IFINDEX, "Invalid ifindex")?.map(IfIndex::new) {
            Some(Some(ifindex)) if host.has_interface(ifindex) => Some(ifindex),
            None => None,
            Some(_) => return Err(Error::new(Errno::EADDRNOTAVAIL, "Device not found")),
        };
        Ok(Parsed {
            remote: Remote {
                addr,
                port: port.map_or(config.port(), u16::from_be_bytes),
                vni: vni.unwrap_or(own),
                ifindex,
            },
            src_vni: src_vni.unwrap_or(own),
            nexthop: table.get(NH_ID).and_then(padded).and_then(NexthopId::new),
        })
    }
}

/// Only Ethernet devices have entries to delete.
fn ethernet(config: &Valid) -> Result<(), Error> {
    if config.is_raw() {
        return Err(invalid("FDB delete only supported for Ethernet devices"));
    }
    Ok(())
}

/// An address of whatever length: 16 bytes and more are IPv6, 4 and more IPv4.
fn address(table: &Table<'_, COUNT>) -> Option<IpAddr> {
    let v6 = table.chunk::<16>(DST).map(IpAddr::from);
    v6.or_else(|| table.chunk::<4>(DST).map(IpAddr::from))
}

/// An attribute of just so many bytes.
fn exact<const N: usize>(
    table: &Table<'_, COUNT>,
    number: u16,
    message: &'static str,
) -> Result<Option<[u8; N]>, Error> {
    let payload = table.get(number).map(<[u8; N]>::try_from).transpose();
    payload.map_err(|_| invalid(message))
}

/// A number whose length nobody checks. What lies behind a short one is padding.
fn padded(payload: &[u8]) -> Option<u32> {
    let mut bytes = payload.iter().copied().chain([0; 4]);
    let all = [bytes.next()?, bytes.next()?, bytes.next()?, bytes.next()?];
    Some(u32::from_ne_bytes(all))
}
