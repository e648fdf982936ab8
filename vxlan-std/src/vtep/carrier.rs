//! What a device needs to send.

use vxlan_core::device::{Bypass, Valid};
use vxlan_core::fdb::Remote;
use vxlan_core::world::DeviceId;
use vxlan_core::{
    Device, DropReason, Egress, Encapsulated, Event, Instant, Neighbours, Packet, RouteError, Vni,
    Worker,
};

use super::Memory;
use super::verdict::Replies;
use crate::neighbours::NeighbourTable;
use crate::nexthops::Nexthops;
use crate::socket::{SendError, SendErrors, Sender};
use crate::{AddError, Routes};

/// The counters and the neighbours of a device and, while it is up, its sending sockets.
#[derive(Debug)]
pub(super) struct Carrier {
    pub(super) id: DeviceId,
    pub(super) worker: Worker,
    pub(super) send_errors: SendErrors,
    pub(super) neighbours: NeighbourTable,
    sender: Option<Sender>,
}

/// What became of a frame besides the copies that left.
#[derive(Debug, Default)]
pub(super) struct Transmitted {
    /// Why it went nowhere.
    pub(super) dropped: Option<DropReason>,
    pub(super) event: Option<Event>,
    /// It now is an answer to the device's own overlay.
    pub(super) answered: bool,
    /// It comes back to the device in these networks.
    pub(super) own: Vec<Vni>,
}

impl Carrier {
    pub(super) fn new(id: DeviceId, now: Instant) -> Self {
        Self {
            id,
            worker: Worker::new(now),
            send_errors: SendErrors::default(),
            neighbours: NeighbourTable::default(),
            sender: None,
        }
    }

    /// Opens the sockets, or others in their place.
    pub(super) fn open(&mut self, config: &Valid) -> Result<(), AddError> {
        // The old ones have the ports.
        self.sender = None;
        let sender = Sender::new(config).map_err(|error| AddError::SourcePorts {
            range: config.port_range(),
            error,
        })?;
        self.sender = Some(sender);
        Ok(())
    }

    /// Closes the sockets.
    pub(super) fn close(&mut self) {
        self.sender = None;
    }

    /// Sends a frame to all its remotes. Those that are this host are noted in `around.bypasses`,
    /// and what tells its sender that it is too long in `around.replies`; the frame stays.
    pub(super) fn transmit(
        &mut self,
        device: &Device<Memory>,
        frame: &mut Packet<'_>,
        around: Around<'_>,
    ) -> Transmitted {
        let nexthops = around.nexthops;
        let neighbours = around.neighbours.unwrap_or(&self.neighbours);
        let worker = &mut self.worker;
        let mut own = Vec::new();
        let mut way = Way {
            routes: around.routes,
            sender: &mut self.sender,
            send_errors: &mut self.send_errors,
            bypasses: around.bypasses,
            replies: around.replies,
            own: &mut own,
        };
        let (egress, miss) = device.transmit_with(worker, frame, neighbours);
        let mut transmitted = Transmitted {
            event: miss,
            ..Transmitted::default()
        };
        match egress {
            Egress::Forward(remotes) => {
                for remote in remotes {
                    way.send(device, worker, frame, remote);
                }
            }
            Egress::Multicast(copies) => {
                for remote in copies {
                    way.send(device, worker, frame, remote);
                }
            }
            Egress::Nexthop(id) => match nexthops.path(id, frame.flow_hash().unwrap_or(0)) {
                Some(gateway) => way.send(device, worker, frame, &device.remote_via(gateway)),
                None => transmitted.dropped = Some(device.drop_without_path(worker, frame)),
            },
            Egress::Reply(_) => transmitted.answered = true,
            Egress::Consumed => {}
            Egress::Drop(reason, miss) => {
                transmitted.dropped = Some(reason);
                transmitted.event = miss.or(transmitted.event);
            }
            // External mode: a TAP carries no metadata beside a frame.
            _ => transmitted.dropped = Some(device.drop_without_path(worker, frame)),
        }
        transmitted.own = own;
        transmitted
    }
}

/// What a carrier needs of the others.
pub(super) struct Around<'a> {
    /// Where to look for neighbours, if not in its own table.
    pub(super) neighbours: Option<&'a dyn Neighbours>,
    pub(super) nexthops: &'a Nexthops,
    pub(super) routes: &'a mut Routes,
    pub(super) bypasses: &'a mut Vec<Bypass>,
    pub(super) replies: &'a mut Replies,
}

/// What it takes to send a copy of a frame.
struct Way<'a> {
    routes: &'a mut Routes,
    sender: &'a mut Option<Sender>,
    send_errors: &'a mut SendErrors,
    bypasses: &'a mut Vec<Bypass>,
    replies: &'a mut Replies,
    own: &'a mut Vec<Vni>,
}

impl Way<'_> {
    fn send(
        &mut self,
        device: &Device<Memory>,
        worker: &mut Worker,
        frame: &mut Packet<'_>,
        remote: &Remote,
    ) {
        let source = device.config().local();
        let route = if remote.addr.is_ipv6() == device.config().is_ipv6() {
            self.routes
                .find(worker.now, remote.addr, source, remote.ifindex)
        } else {
            Err(RouteError::NoSocket)
        };
        let stats = &worker.stats;
        let before = (stats.tx_packets, stats.tx_bytes, stats.tx_dropped);
        match device.encapsulate(worker, frame, remote, route) {
            Encapsulated::Send(outer) => {
                let Ok(route) = route else { return };
                let sent = match self.sender {
                    Some(sender) => sender.send(&outer, route.source),
                    None => Err(SendError::Other),
                };
                if let Err(error) = sent {
                    self.send_errors.add(error);
                    self.routes.forget(remote.addr, source, remote.ifindex);
                    // As `iptunnel_xmit_stats()` counts a packet that IP refused.
                    let stats = &mut worker.stats;
                    (stats.tx_packets, stats.tx_bytes, stats.tx_dropped) = before;
                    stats.tx_errors += 1;
                    stats.tx_aborted_errors += 1;
                }
            }
            Encapsulated::Local(bypass) => self.bypasses.push(bypass),
            Encapsulated::Own(vni) => self.own.push(vni),
            // Another path may be wide enough, and other devices of this host get the frame.
            Encapsulated::Reply(reply) => {
                self.replies.push(frame.bytes());
                // Nothing has touched it since.
                let _ = reply.undo(frame);
            }
            // Counted, and nothing else to be done.
            _ => {}
        }
    }
}
