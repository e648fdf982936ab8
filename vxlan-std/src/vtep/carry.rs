//! Frames and datagrams through the devices, and time.

use std::io;

use nix::errno::Errno;
use vxlan_core::world::{DeviceId, SocketId, SocketKey};
use vxlan_core::{Flags, Ingress, Neighbours, Packet, Underlay, Vni};

use super::carrier::{Around, Transmitted};
use super::{Expired, Received, Sent, Vtep, unfinished};
use crate::Buffer;

/// How many datagrams a socket may bring before the others get their turn.
const ROW: usize = 64;

impl Vtep {
    /// Carries a frame of `len` bytes, read into [`Buffer::frame_area`], from a device's overlay
    /// to the underlay. Whatever goes wrong is counted.
    ///
    /// A device that answers for neighbours looks for them in its [own table](Self::neighbours).
    pub fn send(&mut self, id: DeviceId, buffer: &mut Buffer, len: usize) -> Sent<'_> {
        self.carry(id, buffer, len, None)
    }

    /// The same, but the neighbours are looked for elsewhere: in the tables of the host, say.
    pub fn send_with(
        &mut self,
        id: DeviceId,
        buffer: &mut Buffer,
        len: usize,
        neighbours: &dyn Neighbours,
    ) -> Sent<'_> {
        self.carry(id, buffer, len, Some(neighbours))
    }

    fn carry(
        &mut self,
        id: DeviceId,
        buffer: &mut Buffer,
        len: usize,
        neighbours: Option<&dyn Neighbours>,
    ) -> Sent<'_> {
        self.local.clear();
        self.events.clear();
        self.bypasses.clear();
        self.replies.clear();
        let mut transmitted = Transmitted::default();
        let mut left = len;
        let now = self.clock.now();
        if let Some(Some(from)) = self.carriers.get_mut(id.place())
            && let Some(netdev) = self.world.device(id)
            && let Ok(mut frame) = buffer.packet(len)
        {
            from.worker.now = now;
            let device = netdev.device();
            let around = Around {
                neighbours,
                nexthops: &self.nexthops,
                routes: &mut self.routes,
                bypasses: &mut self.bypasses,
                replies: &mut self.replies,
            };
            transmitted = from.transmit(device, &mut frame, around);
            let event = transmitted.event.take();
            self.events.extend(event.map(|event| (id, event)));
            if transmitted.answered {
                left = frame.len();
                self.local.push(id);
            }
            self.bypass(id, &frame);
            for vni in transmitted.own {
                self.hand_over(id, id, vni, &frame);
            }
        }
        Sent {
            local: &self.local,
            len: left,
            replies: &self.replies,
            events: &self.events,
            dropped: transmitted.dropped,
        }
    }

    /// Receives one datagram from any of the sockets and carries it to its device's overlay;
    /// `None` if there is none. Whatever is wrong with it is counted.
    ///
    /// # Errors
    /// Those of `recvmsg()`: a socket that does not work any more.
    pub fn recv<'b>(&mut self, buffer: &'b mut Buffer) -> io::Result<Option<Received<'b>>> {
        for _ in 0..self.sockets.all().len() {
            let Some((socket, receiver)) = self.sockets.all().get(self.turn) else {
                self.turn = 0;
                continue;
            };
            let socket = *socket;
            let received = match receiver.recv(buffer.frame_area()) {
                // For want of memory: the next one may come through.
                Err(error) if is_passing(&error) => None,
                received => received?,
            };
            let Some(datagram) = received else {
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
            let received = self.receive(socket, &datagram.from, buffer, datagram.len);
            return Ok(Some(received));
        }
        Ok(None)
    }

    /// Removes entries that have grown old, of the devices whose turn it is.
    pub fn expire(&mut self) -> Expired<'_> {
        self.events.clear();
        let now = self.clock.now();
        let events = &mut self.events;
        self.world.age(now, |id, event| events.push((id, event)));
        Expired::new(&mut self.events)
    }

    fn next_port(&mut self) {
        self.row = 0;
        self.turn = (self.turn + 1) % self.sockets.all().len().max(1);
    }

    fn receive<'b>(
        &mut self,
        socket: SocketId,
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
        let id = match self
            .world
            .demultiplex(socket, datagram.bytes(), from.ifindex)
        {
            Ok(id) => id,
            Err(reason) => {
                self.stray.count_drop(reason);
                return dropped(None, Some(reason), None);
            }
        };
        let now = self.clock.now();
        let carrier = self.carriers.get_mut(id.place()).and_then(Option::as_mut);
        let (Some(to), Some(netdev)) = (carrier, self.world.device_mut(id)) else {
            return dropped(None, None, None);
        };
        to.worker.now = now;
        match netdev
            .device_mut()
            .receive(&mut to.worker, from, &mut datagram)
        {
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
            let found = self.device(from).and_then(|sender| {
                let key = SocketKey {
                    ipv6: bypass.ipv6,
                    port: bypass.port,
                    flags: sender.config().flags() & Flags::RECEIVE,
                    interface: None,
                };
                self.world.find(&key, bypass.vni, bypass.ifindex)
            });
            let Some(to) = found else {
                if let Some(Some(sender)) = self.carriers.get_mut(from.place())
                    && let Some(netdev) = self.world.device_mut(from)
                {
                    netdev.device_mut().drop_local(&mut sender.worker);
                }
                continue;
            };
            self.hand_over(from, to, bypass.vni, frame);
        }
    }

    /// Hands a frame to one device, which may be the one that it comes from.
    fn hand_over(&mut self, from: DeviceId, to: DeviceId, vni: Vni, frame: &Packet<'_>) {
        let now = self.clock.now();
        let carrier = self.carriers.get_mut(to.place()).and_then(Option::as_mut);
        let (Some(receiver), Some(netdev)) = (carrier, self.world.device_mut(to)) else {
            return;
        };
        let worker = &mut receiver.worker;
        worker.now = now;
        let (taken, event) = match netdev.device_mut().receive_local(worker, vni, frame) {
            Ingress::Deliver(_, event) => (true, event),
            Ingress::Drop(_, event) => (false, event),
            _ => (false, None),
        };
        self.events.extend(event.map(|event| (to, event)));
        if taken {
            self.local.push(to);
            if let Some(Some(sender)) = self.carriers.get_mut(from.place())
                && let Some(netdev) = self.world.device_mut(from)
            {
                netdev.device_mut().bypassed(&mut sender.worker, frame);
            }
        }
    }
}

/// Whether an error says nothing about the socket itself.
fn is_passing(error: &io::Error) -> bool {
    let known = error.raw_os_error().map(Errno::from_raw);
    matches!(known, Some(Errno::ENOMEM | Errno::ENOBUFS | Errno::EINTR))
}
