//! FDB requests: the bytes of netlink messages for the library to make sense of, and the device
//! that does what it makes of them.

use serde_json::Value;
use vxlan_core::fdb::{Mode, NexthopError, NexthopId, Record, State};
use vxlan_core::netlink::neighbour::{self, Message, Operation, Request};
use vxlan_core::{Event, IfIndex};

use super::answer::{Failure, unsupported};
use super::host::Host;
use super::link_request::{attribute, octets};
use super::model::{FdbRequest, link_address};

const PF_BRIDGE: u8 = 7;
const NTF_SELF: u8 = 2;

/// The content of a message: `struct ndmsg` and attributes.
pub(crate) fn content(
    request: &FdbRequest,
    ifindex: u32,
    state: State,
) -> Result<Vec<u8>, Failure> {
    let host = |number: u32| number.to_ne_bytes().to_vec();
    let mac = request.mac.as_deref().map(link_address).transpose();
    let short = |number: u16| number.to_ne_bytes().to_vec();
    let fields = [
        (1, request.dst.map(octets)),
        (2, mac.map_err(unsupported)?),
        (5, request.vlan.map(short)),
        (6, request.port.map(|port| port.to_be_bytes().to_vec())),
        (7, request.vni.map(host)),
        (8, request.ifindex.map(host)),
        (11, request.src_vni.map(host)),
        (13, request.nh_id.map(host)),
        (16, request.state_mask.map(short)),
        (17, request.flags_mask.map(|mask| vec![mask])),
    ];
    let mut all = vec![PF_BRIDGE, 0, 0, 0];
    all.extend(ifindex.to_ne_bytes());
    all.extend(state.bits().to_ne_bytes());
    all.extend([request.flags.unwrap_or(NTF_SELF), 0]);
    let fields = fields.into_iter();
    all.extend(
        fields
            .filter_map(|(number, payload)| Some(attribute(number, &payload?)))
            .flatten(),
    );
    let raw = request.raw.iter();
    all.extend(raw.flat_map(|raw| attribute(raw.number, &raw.payload)));
    Ok(all)
}

fn operation(name: &str) -> Option<Operation> {
    Some(Operation::Update(match name {
        "add" => Mode::CREATE | Mode::EXCL,
        "append" => Mode::CREATE | Mode::APPEND,
        "replace" => Mode::CREATE | Mode::REPLACE,
        "create" => Mode::CREATE,
        "change" => Mode::empty(),
        "replace_only" => Mode::REPLACE,
        "append_only" => Mode::APPEND,
        "append_replace" => Mode::CREATE | Mode::APPEND | Mode::REPLACE,
        "del" => return Some(Operation::Remove),
        "get" => return Some(Operation::Get),
        "flush" => return Some(Operation::Flush),
        _ => return None,
    }))
}

impl Host {
    /// One FDB request; `default` is its operation if it names none. The answer to a `get`.
    pub(crate) fn fdb_request(
        &mut self,
        request: &FdbRequest,
        default: &str,
    ) -> Result<Option<Value>, Failure> {
        let at = self.named(request.device.as_deref().unwrap_or("vx0"))?;
        let op = request.op.as_deref().unwrap_or(default);
        let operation = operation(op).ok_or_else(|| unsupported(format!("FDB operation {op}")))?;
        let state = match (request.state, operation) {
            (Some(state), _) => State::from_bits_retain(state),
            (None, Operation::Get | Operation::Flush) => State::empty(),
            (None, _) => State::PERMANENT,
        };
        let content = content(request, self.devices[at].ifindex, state)?;
        let message = Message::parse(operation, &content)?;
        let request = message.request(self.core(at).config(), self)?;
        let now = self.now;
        let core = self.core_mut(at);
        let events: Vec<Event> = match request {
            Request::Update { src_vni, update } => core
                .fdb_update_as(now, src_vni, &update)?
                .into_iter()
                .collect(),
            Request::Remove { key, remote } => core.fdb_remove_at(&key, Some(&remote))?.collect(),
            Request::Flush(filter) => core.fdb_mut().flush(filter).map(Event::Removed).collect(),
            Request::Get(key) => {
                let asked = |record: &Record| record.key == key;
                let found = core.fdb().find(&key).is_some();
                let mut records = core.fdb().iter();
                let record = records.find(asked).filter(|_| found);
                let record = record.ok_or(Request::NOT_FOUND)?;
                return self.shown(at).message(neighbour::NEW, &record).map(Some);
            }
            other => return Err(unsupported(format!("request {other:?}"))),
        };
        self.tell(at, events)?;
        Ok(None)
    }
}

impl neighbour::Host for Host {
    fn has_interface(&self, ifindex: IfIndex) -> bool {
        self.mtu_of(ifindex.get()).is_some()
    }

    fn nexthop(&self, id: NexthopId, ipv6: bool) -> Result<(), NexthopError> {
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
