//! Frames and datagrams through the devices, and time.

use std::io;

use vxlan_core::{DropReason, Flags, Ingress, Packet, Underlay};

use super::{DeviceId, Expired, Received, Sent, Vtep, unfinished};
use crate::Buffer;

/// How many datagrams a socket may bring before the others get their turn.
const ROW: usize = 64;

impl Vtep {
    /// Carries a frame of `len` bytes, read into [`Buffer::frame_area`], from a device's overlay
    /// to the underlay. Whatever goes wrong is counted.
    pub fn send(&mut self, id: DeviceId, buffer: &mut Buffer, len: usize) -> Sent<'_> {
        self.local.clear();
        self.events.clear();
        self.bypasses.clear();
        let mut dropped = None;
        let now = self.clock.now();
        if let Some(Some(from)) = self.devices.get_mut(id.0)
            && let Ok(mut frame) = buffer.packet(len)
        {
            from.worker.now = now;
            let miss;
            (dropped, miss) = from.transmit(&mut frame, &mut self.routes, &mut self.bypasses);
            self.events.extend(miss.map(|event| (id, event)));
            self.bypass(id, &frame);
        }
        Sent {
            local: &self.local,
            events: &self.events,
            dropped,
        }
    }

    /// Receives one datagram from any of the sockets and carries it to its device's overlay;
    /// `None` if there is none. Whatever is wrong with it is counted.
    ///
    /// # Errors
    /// Those of `recvmsg()`: a socket that does not work any more.
    pub fn recv<'b>(&mut self, buffer: &'b mut Buffer) -> io::Result<Option<Received<'b>>> {
        for _ in 0..self.ports.len() {
            let at = self.turn;
            let Some(port) = self.ports.get(at) else {
                self.turn = 0;
                continue;
            };
            let Some(datagram) = port.recv(buffer.frame_area())? else {
                self.next_port();
                continue;
            };
            self.row += 1;
            if self.row >= ROW {
                self.next_port();
            }
            if datagram.truncated {
                self.truncated += 1;
                return Ok(Some(Received::Dropped {
                    device: None,
                    reason: None,
                    event: None,
                }));
            }
            return Ok(Some(self.receive(at, &datagram.from, buffer, datagram.len)));
        }
        Ok(None)
    }

    /// Removes entries that have grown old, of the devices whose turn it is.
    pub fn expire(&mut self) -> Expired<'_> {
        self.events.clear();
        let now = self.clock.now();
        for (at, attached) in self.devices.iter_mut().enumerate() {
            if let Some(attached) = attached
                && attached.next_sweep <= now
            {
                let mut aged = attached.device.age(now);
                let events = aged.by_ref().map(|event| (DeviceId(at), event));
                self.events.extend(events);
                attached.next_sweep = aged.next_sweep();
            }
        }
        Expired::new(&mut self.events)
    }

    fn next_port(&mut self) {
        self.row = 0;
        self.turn = (self.turn + 1) % self.ports.len().max(1);
    }

    fn receive<'b>(
        &mut self,
        at: usize,
        from: &Underlay,
        buffer: &'b mut Buffer,
        len: usize,
    ) -> Received<'b> {
        let dropped = |device, reason, event| Received::Dropped {
            device,
            reason,
            event,
        };
        let Ok(mut datagram) = buffer.packet(len) else {
            return dropped(None, None, None);
        };
        let port = self.ports.get(at);
        let demultiplexed = port.map_or(Err(DropReason::VniNotFound), |port| {
            port.demultiplex(datagram.bytes(), from.ifindex)
        });
        let at = match demultiplexed {
            Ok(at) => at,
            Err(reason) => {
                self.stray.count_drop(reason);
                return dropped(None, Some(reason), None);
            }
        };
        let id = DeviceId(at);
        let now = self.clock.now();
        let Some(Some(to)) = self.devices.get_mut(at) else {
            self.stray.count_drop(DropReason::VniNotFound);
            return dropped(None, Some(DropReason::VniNotFound), None);
        };
        to.worker.now = now;
        match to.device.receive(&mut to.worker, from, &mut datagram) {
            Ingress::Deliver(_, event) => {
                unfinished::fill(datagram.bytes_mut());
                let (start, len) = (datagram.headroom(), datagram.len());
                Received::Frame {
                    device: id,
                    frame: buffer.range(start, len),
                    event,
                }
            }
            Ingress::Drop(reason, event) => dropped(Some(id), Some(reason), event),
            _ => dropped(Some(id), None, None),
        }
    }

    /// Hands a frame to the devices of this host that it is for.
    fn bypass(&mut self, from: DeviceId, frame: &Packet<'_>) {
        for at in 0..self.bypasses.len() {
            let Some(&bypass) = self.bypasses.get(at) else {
                break;
            };
            let found = self.attached(from).and_then(|sender| {
                let flags = sender.device.config().flags() & Flags::RECEIVE;
                let mut ports = self.ports.iter();
                let port = ports.find(|port| port.is(bypass.ipv6, bypass.port, flags))?;
                port.find(bypass.vni, bypass.ifindex)
            });
            let now = self.clock.now();
            let Some(to) = found else {
                if let Some(sender) = self.attached_mut(from) {
                    sender.device.drop_local(&mut sender.worker);
                }
                continue;
            };
            let to = DeviceId(to);
            let Some(receiver) = self.attached_mut(to) else {
                continue;
            };
            receiver.worker.now = now;
            let (device, worker) = (&mut receiver.device, &mut receiver.worker);
            let (taken, event) = match device.receive_local(worker, bypass.vni, frame) {
                Ingress::Deliver(_, event) => (true, event),
                Ingress::Drop(_, event) => (false, event),
                _ => (false, None),
            };
            self.events.extend(event.map(|event| (to, event)));
            if taken {
                self.local.push(to);
                if let Some(sender) = self.attached_mut(from) {
                    sender.device.bypassed(&mut sender.worker, frame);
                }
            }
        }
    }
}
