//! One device with what it needs to send.

use vxlan_core::device::Bypass;
use vxlan_core::fdb::{self, Growable};
use vxlan_core::{
    Device, DropReason, Egress, Encapsulated, Event, Instant, Packet, RouteError, Worker,
};

use crate::socket::{SendErrors, Sender};
use crate::{AddError, Routes};

/// A device, its counters and its sending sockets.
#[derive(Debug)]
pub(super) struct Attached {
    pub(super) device: Device<Growable>,
    pub(super) worker: Worker,
    pub(super) send_errors: SendErrors,
    pub(super) next_sweep: Instant,
    sender: Sender,
}

impl Attached {
    /// Opens the sockets and takes the device up.
    pub(super) fn new(mut device: Device<Growable>, now: Instant) -> Result<Self, AddError> {
        let config = device.config();
        let sender = Sender::new(config).map_err(|error| AddError::SourcePorts {
            range: config.port_range(),
            error,
        })?;
        let next_sweep = now + config.ageing().min(fdb::SWEEP_INTERVAL);
        device.set_up(true);
        Ok(Self {
            device,
            worker: Worker::new(now),
            send_errors: SendErrors::default(),
            next_sweep,
            sender,
        })
    }

    /// Sends a frame to all its remotes. Those that are this host are noted in `bypasses`.
    pub(super) fn transmit(
        &mut self,
        frame: &mut Packet<'_>,
        routes: &mut Routes,
        bypasses: &mut Vec<Bypass>,
    ) -> (Option<DropReason>, Option<Event>) {
        let Self {
            device,
            worker,
            send_errors,
            sender,
            ..
        } = self;
        let remotes = match device.transmit(worker, frame) {
            Egress::Forward(remotes) => remotes,
            Egress::Drop(reason, miss) => return (Some(reason), miss),
            // No nexthop objects here: nobody made an entry with one.
            _ => return (Some(device.drop_without_path(worker)), None),
        };
        for remote in remotes {
            let source = device.config().local();
            let route = if remote.addr.is_ipv6() == device.config().is_ipv6() {
                routes.find(worker.now, remote.addr, source, remote.ifindex)
            } else {
                Err(RouteError::NoSocket)
            };
            let stats = &worker.stats;
            let before = (stats.tx_packets, stats.tx_bytes, stats.tx_dropped);
            match device.encapsulate(worker, frame, remote, route) {
                Encapsulated::Send(outer) => {
                    let Ok(route) = route else { continue };
                    if let Err(error) = sender.send(&outer, route.source) {
                        send_errors.add(error);
                        routes.forget(remote.addr, source, remote.ifindex);
                        // As `iptunnel_xmit_stats()` counts a packet that IP refused.
                        let stats = &mut worker.stats;
                        (stats.tx_packets, stats.tx_bytes, stats.tx_dropped) = before;
                        stats.tx_errors += 1;
                        stats.tx_aborted_errors += 1;
                    }
                }
                Encapsulated::Local(bypass) => bypasses.push(bypass),
                // Counted, and nothing else to be done.
                _ => {}
            }
        }
        (None, None)
    }
}
