//! One VTEP: a device of the core between a host and two kinds of socket.

use core::net::SocketAddr;
use std::io;

use vxlan_core::fdb::{self, Growable};
use vxlan_core::vtep::Member;
use vxlan_core::{
    Device, DropReason, Egress, Encapsulated, Ingress, Mac, Route, Stats, Vni, Vtep, Worker,
};
use vxlan_std::smoltcp::{Overlay, Received};
use vxlan_std::socket::{Receiver, SendError, Sender};
use vxlan_std::{Buffer, Clock};

use super::capture::Recorder;
use super::resolution::Resolution;
use super::sockets;

/// The MTU of the loopback interface.
const UNDERLAY_MTU: u32 = 65536;
/// Frames that a host may send before the other one is polled: few enough for the smallest
/// receive buffer a kernel grants by default, 212,992 bytes.
const BURST: u32 = 32;
/// Where a VTEP is and where the other one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) local: SocketAddr,
    pub(super) peer: SocketAddr,
}

/// A VTEP with one device.
pub(super) struct Link {
    ends: Ends,
    devices: Vtep<[Member; 1]>,
    device: Device<Growable>,
    worker: Worker,
    clock: Clock,
    receiver: Receiver,
    sender: Sender,
    recorder: Recorder,
    resolution: Resolution,
    refused: [u64; SendError::ALL.len()],
    burst: u32,
    moved: u64,
}

impl Link {
    /// A VTEP that sends everything it knows no better place for to its peer.
    ///
    /// The port that the peer listens on is the destination port of the device, so that what is
    /// learned points there, too: like Linux, a device learns an address, not a port.
    pub(super) fn new(
        receiver: Receiver,
        peer: SocketAddr,
        vni: Vni,
        mac: Mac,
        recorder: Recorder,
    ) -> io::Result<Self> {
        let ends = Ends {
            local: receiver.local(),
            peer,
        };
        let clock = Clock::new();
        let (config, sender) = sockets::config(ends, vni)?;
        let mut device =
            Device::new(config, mac, Growable::new(), clock.now()).map_err(io::Error::other)?;
        device.set_up(true);
        let mut devices = Vtep::new([Member::EMPTY]);
        devices.attach(vni, None, 0).map_err(io::Error::other)?;
        Ok(Self {
            ends,
            devices,
            device,
            worker: Worker::new(clock.now()),
            clock,
            receiver,
            sender,
            recorder,
            resolution: Resolution::default(),
            refused: [0; SendError::ALL.len()],
            burst: BURST,
            moved: 0,
        })
    }

    /// Reads the clock and allows the next burst.
    pub(super) fn tick(&mut self) {
        self.worker.now = self.clock.now();
        self.burst = BURST;
    }

    pub(super) const fn ends(&self) -> Ends {
        self.ends
    }

    pub(super) const fn mac(&self) -> Mac {
        self.device.mac()
    }

    /// Where the VTEP has learned `mac` to be: address and port of the remote.
    pub(super) fn learned(&self, mac: Mac) -> Option<SocketAddr> {
        let entry = self.device.fdb().find(&self.device.key(mac))?;
        let remote = entry.first_remote()?;
        Some(SocketAddr::new(remote.addr, remote.port))
    }

    pub(super) const fn stats(&self) -> &Stats {
        &self.worker.stats
    }

    /// Packets that the kernel did not take, by reason.
    pub(super) fn refused(&self) -> impl Iterator<Item = (SendError, u64)> {
        SendError::ALL.into_iter().zip(self.refused)
    }

    /// Questions and answers about MAC addresses that the host sent.
    pub(super) const fn resolution(&self) -> Resolution {
        self.resolution
    }

    /// Frames that have passed, both ways together.
    pub(super) const fn moved(&self) -> u64 {
        self.moved
    }

    pub(super) fn into_recorder(self) -> Recorder {
        self.recorder
    }

    /// Frames for `mac` go to the peer with another VNI from now on, one that it has no part in:
    /// `bridge fdb append MAC dev .. dst .. vni ..`.
    pub(super) fn lead_astray(&mut self, mac: Mac, vni: Vni) -> Result<(), fdb::Error> {
        let mut remote = self.device.remote(self.ends.peer.ip());
        remote.vni = vni.get();
        self.device.fdb_append(self.worker.now, mac, remote)?;
        Ok(())
    }
}

impl Overlay for Link {
    fn ready(&mut self) -> bool {
        self.burst > 0
    }

    fn send(&mut self, buffer: &mut Buffer, len: usize) {
        self.burst = self.burst.saturating_sub(1);
        self.moved += 1;
        self.resolution.look_at(buffer.frame(len));
        let Ok(mut frame) = buffer.packet(len) else {
            return;
        };
        let Egress::Forward(remotes) = self.device.transmit(&mut self.worker, &mut frame) else {
            return; // counted
        };
        let keep = self.recorder.wants();
        let source = self.ends.local.ip();
        // The kernel computes outer checksums; they are written for the capture alone.
        let route = Route::new(source, UNDERLAY_MTU).checksum_offload(!keep);
        for remote in remotes {
            let Encapsulated::Send(outer) =
                self.device
                    .encapsulate(&mut self.worker, &mut frame, remote, Ok(route))
            else {
                continue; // counted
            };
            if let Err(reason) = self.sender.send(&outer, source) {
                if let Some(count) = self.refused.get_mut(reason as usize) {
                    *count += 1;
                }
                continue;
            }
            // The loopback interface has no addresses: both are zero there.
            if keep && let Ok(frame) = outer.ethernet(Mac::ZERO, Mac::ZERO) {
                self.recorder.record(frame);
            }
        }
    }

    fn recv(&mut self, buffer: &mut Buffer) -> Option<Received> {
        // What is dropped is counted, and the next one may be for the host. A socket that fails
        // has nothing to deliver; the checks will tell.
        while let Some(datagram) = self.receiver.recv(buffer.frame_area()).ok().flatten() {
            self.moved += 1;
            let Ok(mut packet) = buffer.packet(datagram.len) else {
                continue;
            };
            if let Err(reason) = self.devices.demultiplex(packet.bytes(), None) {
                self.worker.stats.count_drop(reason);
                continue;
            }
            let from = &datagram.from;
            if let Ingress::Deliver(..) = self.device.receive(&mut self.worker, from, &mut packet) {
                let len = packet.len();
                return Some(Received {
                    skip: datagram.len.saturating_sub(len),
                    len,
                });
            }
        }
        None
    }
}

/// Everything that a VTEP lost, by name.
pub(super) fn drops(
    stats: &Stats,
    refused: impl Iterator<Item = (SendError, u64)>,
) -> Vec<(&'static str, u64)> {
    let dropped = DropReason::ALL
        .into_iter()
        .map(|reason| (reason.as_str(), stats.drops(reason)));
    dropped
        .chain(refused.map(|(reason, count)| (reason.as_str(), count)))
        .filter(|(_, count)| *count > 0)
        .collect()
}
