//! `vtep fdb flush`: many entries go, piece by piece.

use vxlan_core::Event;
use vxlan_core::device::Valid;
use vxlan_core::fdb::{Cursor, Filter, Flags, NexthopId};
use vxlan_std::DeviceId;

use super::super::refusal::{BRIDGE, Refusal};
use super::super::run::{Audience, Devices, PIECE, Progress};
use super::super::words::FlushSpec;

/// Entries of a device that go (`vxlan_fdb_delete_bulk()`).
#[derive(Debug)]
pub(crate) struct Flush {
    id: DeviceId,
    filter: Filter,
    rest: Cursor,
    /// How events name the device; nobody is told without.
    named: Option<(String, Valid)>,
}

impl Flush {
    /// What a request asks for.
    pub(super) fn new(devices: &Devices, spec: &FlushSpec) -> Result<Self, Refusal> {
        let text = format!("Cannot find bridge device \"{}\"", spec.device);
        let missing = || Refusal::said(BRIDGE, text.clone());
        let id = devices.named(&spec.device).ok_or_else(missing)?;
        if spec.of_bridge {
            return Err(Refusal::message(BRIDGE, "Unsupported attribute"));
        }
        let known = Flags::EXT_LEARNED | Flags::OFFLOADED | Flags::ROUTER;
        if !known.contains(spec.flags) {
            let text = "Unsupported fdb flush ndm flag bits set";
            return Err(Refusal::message(BRIDGE, text));
        }
        let device = devices.vtep.device(id).ok_or_else(missing)?;
        Ok(Self {
            id,
            filter: Filter {
                state: spec.state,
                state_mask: spec.state_mask,
                flags: spec.flags,
                flags_mask: spec.flags_mask,
                src_vni: spec.src_vni.filter(|vni| *vni != 0),
                nexthop: spec.nhid.and_then(NexthopId::new),
                vni: spec.vni.filter(|vni| *vni != 0),
                port: spec.port.filter(|port| *port != 0),
                addr: spec.dst.filter(|addr| !addr.is_unspecified()),
                ..Filter::default()
            },
            rest: Cursor::START,
            named: Some((spec.device.clone(), device.config().clone())),
        })
    }

    /// The entries of a nexthop group that is gone. Linux says nothing about these
    /// (`vxlan_fdb_nh_flush()`).
    pub(crate) fn nexthop(id: DeviceId, group: NexthopId) -> Self {
        Self {
            id,
            filter: Filter {
                nexthop: Some(group),
                ..Filter::default()
            },
            rest: Cursor::START,
            named: None,
        }
    }

    /// All entries of a device.
    #[cfg(test)]
    pub(crate) fn all(id: DeviceId) -> Self {
        Self {
            id,
            filter: Filter::default(),
            rest: Cursor::START,
            named: None,
        }
    }

    /// The next piece.
    pub(crate) fn step(&mut self, devices: &mut Devices, audience: &mut Audience<'_>) -> Progress {
        let now = devices.vtep.now();
        // With the device the entries have gone as well.
        let Some(device) = devices.vtep.device_mut(self.id) else {
            return Progress::Done(Ok(()));
        };
        let mut removed = device.fdb_mut().flush_some(self.filter, self.rest, PIECE);
        for record in removed.by_ref() {
            if let Some((name, config)) = &self.named {
                audience.tell(name, config, &Event::Removed(record), now);
            }
        }
        match removed.finish() {
            Some(rest) => {
                self.rest = rest;
                Progress::More
            }
            None => Progress::Done(Ok(())),
        }
    }
}
