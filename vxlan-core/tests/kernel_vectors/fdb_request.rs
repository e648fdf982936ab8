//! FDB requests: from netlink attributes to changes of a device's table, in the kernel's order of
//! checks (`vxlan_fdb_add()`, `vxlan_fdb_delete()`, `vxlan_fdb_get()`, `vxlan_fdb_delete_bulk()`).

use core::net::IpAddr;
use std::collections::BTreeMap;

use serde_json::Value;
use vxlan_core::fdb::{
    self, Filter, Flags, Mode, NexthopError, NexthopId, Remote, State, Target, Update,
};
use vxlan_core::{Event, IfIndex, Mac};

use super::answer::{
    EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL, ENOENT, EOPNOTSUPP, Failure, bare, refused, unsupported,
};
use super::host::Host;
use super::model::{FdbRequest, link_address};

const SELF: u8 = 2;
const MASTER: u8 = 4;

const DST: u16 = 1;
const LLADDR: u16 = 2;
const VLAN: u16 = 5;
const PORT: u16 = 6;
const VNI: u16 = 7;
const IFINDEX: u16 = 8;
const SRC_VNI: u16 = 11;
const NH_ID: u16 = 13;
const STATE_MASK: u16 = 16;
const FLAGS_MASK: u16 = 17;

/// The attributes of a neighbour message by their numbers (`NDA_*`).
type Attributes = BTreeMap<u16, Vec<u8>>;

/// What the attributes of an add or a delete come to.
struct Parsed {
    addr: IpAddr,
    port: u16,
    vni: u32,
    src_vni: u32,
    ifindex: Option<IfIndex>,
    nexthop: Option<NexthopId>,
}

fn attributes(request: &FdbRequest) -> Result<Attributes, Failure> {
    let address = |addr: IpAddr| match addr {
        IpAddr::V4(addr) => addr.octets().to_vec(),
        IpAddr::V6(addr) => addr.octets().to_vec(),
    };
    let host = |number: u32| number.to_ne_bytes().to_vec();
    let mac = request
        .mac
        .as_deref()
        .map(link_address)
        .transpose()
        .map_err(unsupported)?;
    let fields = [
        (DST, request.dst.map(address)),
        (LLADDR, mac),
        (VLAN, request.vlan.map(|vlan| vlan.to_ne_bytes().to_vec())),
        (PORT, request.port.map(|port| port.to_be_bytes().to_vec())),
        (VNI, request.vni.map(host)),
        (IFINDEX, request.ifindex.map(host)),
        (SRC_VNI, request.src_vni.map(host)),
        (NH_ID, request.nh_id.map(host)),
        (
            STATE_MASK,
            request.state_mask.map(|mask| mask.to_ne_bytes().to_vec()),
        ),
        (FLAGS_MASK, request.flags_mask.map(|mask| vec![mask])),
    ];
    let raw = request
        .raw
        .iter()
        .map(|raw| (raw.number, raw.payload.clone()));
    Ok(fields
        .into_iter()
        .filter_map(|(number, payload)| Some((number, payload?)))
        .chain(raw)
        .collect())
}

fn number(payload: &[u8]) -> Option<u32> {
    Some(u32::from_ne_bytes(payload.try_into().ok()?))
}

/// An address of whatever length: 16 bytes and more are IPv6, 4 and more IPv4.
fn address(payload: &[u8]) -> Option<IpAddr> {
    if let Some(octets) = payload.first_chunk::<16>() {
        return Some(IpAddr::from(*octets));
    }
    payload
        .first_chunk::<4>()
        .map(|octets| IpAddr::from(*octets))
}

impl Host {
    /// One FDB request; `default` is its operation if it names none. The answer to a `get`.
    pub(crate) fn fdb_request(
        &mut self,
        request: &FdbRequest,
        default: &str,
    ) -> Result<Option<Value>, Failure> {
        let at = self.named(request.device.as_deref().unwrap_or("vx0"))?;
        let all = attributes(request)?;
        let flags = request.flags.unwrap_or(SELF);
        let op = request.op.as_deref().unwrap_or(default);
        if self.core(at).config().is_raw() {
            return Err(match op {
                "get" => refused(EOPNOTSUPP, "Fdb get operation not supported by device"),
                "del" | "flush" => {
                    refused(EINVAL, "FDB delete only supported for Ethernet devices")
                }
                _ => refused(EINVAL, "FDB add only supported for Ethernet devices"),
            });
        }
        let mode = match op {
            "add" => Mode::CREATE | Mode::EXCL,
            "append" => Mode::CREATE | Mode::APPEND,
            "replace" => Mode::CREATE | Mode::REPLACE,
            "create" => Mode::CREATE,
            "change" => Mode::empty(),
            "replace_only" => Mode::REPLACE,
            "append_only" => Mode::APPEND,
            "append_replace" => Mode::CREATE | Mode::APPEND | Mode::REPLACE,
            "del" => {
                let mac = addressed(&all, flags)?;
                return self.fdb_delete(at, mac, &all).map(|()| None);
            }
            "get" => return self.fdb_get(at, &all, flags).map(Some),
            "flush" => return self.fdb_flush(at, request, &all, flags).map(|()| None),
            other => return Err(unsupported(format!("FDB operation {other}"))),
        };
        let mac = addressed(&all, flags)?;
        let state = State::from_bits_retain(request.state.unwrap_or(State::PERMANENT.bits()));
        self.fdb_add(at, mac, mode, state, flags, &all)?;
        Ok(None)
    }

    /// `vxlan_fdb_add()`.
    fn fdb_add(
        &mut self,
        at: usize,
        mac: Mac,
        mode: Mode,
        state: State,
        flags: u8,
        all: &Attributes,
    ) -> Result<(), Failure> {
        // The device checks the state, too, but what is absent or malformed comes after it.
        if !state.intersects(State::PERMANENT | State::REACHABLE) {
            return Err(fdb::Error::State.into());
        }
        if !all.contains_key(&DST) && !all.contains_key(&NH_ID) {
            return Err(bare(EINVAL));
        }
        let parsed = self.fdb_parse(at, all)?;
        let core = self.core(at);
        let ipv6 = core.config().is_ipv6();
        let destination = match parsed.nexthop {
            Some(id) => Target::Nexthop {
                id,
                validity: self.nexthop_validity(id, ipv6),
            },
            None => Target::Remote(parsed.remote()),
        };
        let update = Update {
            key: core.key_in(mac, parsed.src_vni),
            state,
            flags: Flags::from_bits_retain(flags.into()),
            mode,
            destination,
            // The device knows it.
            limit: 0,
        };
        let now = self.now;
        let core = self.core_mut(at);
        let event = if parsed.src_vni == update.key.vni {
            core.fdb_update(now, &update)?
        } else {
            // An entry of a network that the device never looks in: not for `fdb_update`.
            if parsed.addr.is_ipv6() != ipv6 {
                return Err(bare(EAFNOSUPPORT));
            }
            let update = Update {
                flags: update.flags | Flags::ADDED_BY_USER,
                limit: core.config().limit().map_or(0, ::core::num::NonZero::get),
                ..update
            };
            let record = core.fdb_mut().update_as(now, parsed.src_vni, &update)?;
            record.map(Event::Changed)
        };
        self.tell(at, event)
    }

    /// `vxlan_fdb_delete()`.
    fn fdb_delete(&mut self, at: usize, mac: Mac, all: &Attributes) -> Result<(), Failure> {
        let parsed = self.fdb_parse(at, all)?;
        let key = self.core(at).key_in(mac, parsed.src_vni);
        let gone: Vec<Event> = self
            .core_mut(at)
            .fdb_remove_at(&key, Some(&parsed.remote()))?
            .collect();
        self.tell(at, gone)
    }

    /// `vxlan_fdb_get()`, behind the checks of `rtnl_fdb_get()`.
    fn fdb_get(&self, at: usize, all: &Attributes, flags: u8) -> Result<Value, Failure> {
        if all
            .keys()
            .any(|number| ![LLADDR, VLAN, VNI, 9].contains(number))
        {
            return Err(refused(EINVAL, "Unsupported attribute in fdb get request"));
        }
        if flags & !(SELF | MASTER) != 0 {
            return Err(refused(
                EINVAL,
                "Invalid flags in header for fdb get request",
            ));
        }
        if flags & SELF == 0 {
            return Err(unsupported("get without NTF_SELF"));
        }
        let Some(mac) = all
            .get(&LLADDR)
            .and_then(|mac| mac[..].try_into().ok())
            .map(Mac::new)
        else {
            return Err(refused(
                EINVAL,
                "Missing lookup address for fdb get request",
            ));
        };
        let device = self.shown(at);
        // The VNI of the request is the network, not that of a remote.
        let vni = all.get(&VNI).and_then(|vni| number(vni));
        let vni = vni.unwrap_or(device.netdev.device().config().vni().get());
        let key = device.netdev.device().key_in(mac, vni);
        let record = match device.netdev.device().fdb().find(&key) {
            Some(_) => device
                .netdev
                .device()
                .fdb()
                .iter()
                .find(|record| record.key == key),
            None => None,
        };
        match record {
            Some(record) => Ok(device.message("newneigh", &record)),
            None => Err(refused(ENOENT, "Fdb entry not found")),
        }
    }

    /// `vxlan_fdb_delete_bulk()`.
    fn fdb_flush(
        &mut self,
        at: usize,
        request: &FdbRequest,
        all: &Attributes,
        flags: u8,
    ) -> Result<(), Failure> {
        const FLUSHABLE: u8 = 0x10 | 0x20 | 0x80;
        if flags & SELF == 0 {
            return Err(bare(EOPNOTSUPP));
        }
        let known = [SRC_VNI, NH_ID, VNI, PORT, DST, STATE_MASK, FLAGS_MASK];
        if all.keys().any(|number| !known.contains(number)) {
            return Err(refused(EINVAL, "Unsupported attribute"));
        }
        if flags & !(SELF | MASTER) & !FLUSHABLE != 0 {
            return Err(refused(EINVAL, "Unsupported fdb flush ndm flag bits set"));
        }
        let state = State::from_bits_retain(request.state.unwrap_or(0));
        if !(State::PERMANENT | State::NOARP).contains(state) {
            return Err(refused(EINVAL, "Unsupported fdb flush ndm state bits set"));
        }
        let given = |number| all.get(&number).and_then(|payload| self::number(payload));
        let addr = match all.get(&DST) {
            Some(payload) => Some(
                address(payload)
                    .ok_or_else(|| refused(EAFNOSUPPORT, "Unsupported address family"))?,
            ),
            None => None,
        };
        let filter = Filter {
            state,
            state_mask: State::from_bits_retain(request.state_mask.unwrap_or(0)),
            flags: Flags::from_bits_retain((flags & !(SELF | MASTER)).into()),
            flags_mask: Flags::from_bits_retain(request.flags_mask.unwrap_or(0).into()),
            src_vni: given(SRC_VNI).filter(|vni| *vni != 0),
            nexthop: given(NH_ID).and_then(NexthopId::new),
            vni: given(VNI).filter(|vni| *vni != 0),
            port: all
                .get(&PORT)
                .and_then(|payload| payload[..].try_into().ok())
                .map(u16::from_be_bytes)
                .filter(|port| *port != 0),
            addr,
            ..Filter::default()
        };
        let flushed = self.core_mut(at).fdb_mut().flush(filter);
        let gone: Vec<Event> = flushed.map(Event::Removed).collect();
        self.tell(at, gone)
    }

    /// `vxlan_fdb_parse()`: the defaults of the device for whatever is absent.
    fn fdb_parse(&self, at: usize, all: &Attributes) -> Result<Parsed, Failure> {
        let config = self.core(at).config();
        let exclusive = [DST, VNI, IFINDEX, PORT];
        if all.contains_key(&NH_ID) && exclusive.iter().any(|number| all.contains_key(number)) {
            let message = "DST, VNI, ifindex and port are mutually exclusive with NH_ID";
            return Err(refused(EINVAL, message));
        }
        let addr = match all.get(&DST) {
            Some(payload) => address(payload)
                .ok_or_else(|| refused(EAFNOSUPPORT, "Unsupported address family"))?,
            None if config.is_ipv6() => IpAddr::from([0; 16]),
            None => IpAddr::from([0; 4]),
        };
        let port = match all.get(&PORT).map(|payload| &payload[..]) {
            Some(&[high, low]) => u16::from_be_bytes([high, low]),
            Some(_) => return Err(refused(EINVAL, "Invalid vxlan port")),
            None => config.port(),
        };
        let four_bytes = |which, message| match all.get(&which) {
            Some(payload) => number(payload)
                .map(Some)
                .ok_or_else(|| refused(EINVAL, message)),
            None => Ok(None),
        };
        let vni = four_bytes(VNI, "Invalid vni")?.unwrap_or(config.vni().get());
        let src_vni = four_bytes(SRC_VNI, "Invalid src vni")?.unwrap_or(config.vni().get());
        let ifindex = four_bytes(IFINDEX, "Invalid ifindex")?;
        if ifindex.is_some_and(|ifindex| self.mtu_of(ifindex).is_none()) {
            return Err(refused(EADDRNOTAVAIL, "Device not found"));
        }
        // Its length is not checked: what lies behind a short one is padding.
        let nexthop = all.get(&NH_ID).map_or(0, |payload| {
            let mut bytes = [0; 4];
            for (byte, value) in bytes.iter_mut().zip(payload) {
                *byte = *value;
            }
            u32::from_ne_bytes(bytes)
        });
        Ok(Parsed {
            addr,
            port,
            vni,
            src_vni,
            ifindex: ifindex.and_then(IfIndex::new),
            nexthop: NexthopId::new(nexthop),
        })
    }

    /// `vxlan_fdb_nh_update()`: whether a device may use a nexthop group.
    fn nexthop_validity(&self, id: NexthopId, ipv6: bool) -> Result<(), NexthopError> {
        let find = |id| self.nexthops.iter().find(|nexthop| nexthop.id == id);
        let nexthop = find(id.get()).ok_or(NexthopError::Unknown)?;
        let group = nexthop.group.as_ref().ok_or(NexthopError::NotGroup)?;
        let has_ipv4 = group
            .iter()
            .filter_map(|member| find(*member)?.via)
            .any(|via| via.is_ipv4());
        if has_ipv4 == ipv6 {
            return Err(NexthopError::Family);
        }
        Ok(())
    }
}

impl Parsed {
    fn remote(&self) -> Remote {
        Remote {
            addr: self.addr,
            port: self.port,
            vni: self.vni,
            ifindex: self.ifindex,
        }
    }
}

/// The checks of `rtnl_fdb_add()` and `rtnl_fdb_del()` before the driver is asked.
fn addressed(all: &Attributes, flags: u8) -> Result<Mac, Failure> {
    let mac = all
        .get(&LLADDR)
        .and_then(|mac| mac[..].try_into().ok())
        .map(Mac::new);
    let mac = mac.ok_or_else(|| refused(EINVAL, "invalid address"))?;
    if let Some(vlan) = all.get(&VLAN) {
        let vlan = vlan[..].try_into().map(u16::from_ne_bytes);
        if !vlan.is_ok_and(|vlan| (1..=4094).contains(&vlan)) {
            return Err(unsupported("a VLAN that is none"));
        }
    }
    if flags & SELF == 0 {
        return Err(bare(EOPNOTSUPP));
    }
    if flags & MASTER != 0 {
        return Err(unsupported("requests to a bridge"));
    }
    Ok(mac)
}
