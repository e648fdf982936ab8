//! The devices that judge, driven by the packets and the clock of a capture.

use vxlan_core::device::PacketType;
use vxlan_core::fdb::Growable;
use vxlan_core::vtep::Member;
use vxlan_core::wire::{ethernet, ipv4, ipv6, vxlan};
use vxlan_core::{
    Config, Device, DropReason, Flags, IfIndex, Ingress, Instant, Mac, Packet, Underlay, Vni, Vtep,
    Worker,
};

use super::super::super::words::LinkSpec;
use super::super::input::Time;
use super::super::layers::{Datagram, Part};
use super::{Action, Verdict, before_udp, dropped, learned, unchecked, unseen};

/// The MAC address of a device that was given none.
const MAC: Mac = Mac::new([0x02, 0x76, 0x74, 0x65, 0x70, 0x00]);

/// More than a device ever looks at: VXLAN, Ethernet and IPv6 headers.
const LOOKED_AT: usize = vxlan::Header::LEN + ethernet::Header::LEN + ipv6::Header::LEN;

/// The devices that judge.
pub(in super::super) struct Judge {
    /// None of them: a plain one is made for each packet.
    sockets: Vec<Socket>,
    devices: Vec<Judging>,
    first: Option<Time>,
    now: Instant,
    buffer: Vec<u8>,
}

struct Socket {
    port: u16,
    ipv6: bool,
    vtep: Vtep<Vec<Member>>,
    flags: Flags,
}

struct Judging {
    name: String,
    device: Device<Growable>,
    worker: Worker,
    sweep: Instant,
}

impl Judge {
    /// The devices of these links; without any, a plain device for each port and VNI.
    pub(in super::super) fn new(links: Vec<LinkSpec>) -> Result<Self, String> {
        let mut judge = Self {
            sockets: Vec::new(),
            devices: Vec::new(),
            first: None,
            now: Instant::ZERO,
            buffer: Vec::new(),
        };
        let places = links.len();
        let mut lower: Vec<String> = Vec::new();
        for link in links {
            let LinkSpec {
                name,
                options,
                address,
                ..
            } = link;
            let config = options.config();
            let name = name.unwrap_or_else(|| "a device".to_owned());
            let index = options.dev.flatten().map(|dev| {
                let at = lower
                    .iter()
                    .position(|known| *known == dev)
                    .unwrap_or(lower.len());
                if at == lower.len() {
                    lower.push(dev);
                }
                at
            });
            // The loopback interface is 1.
            let index = index.and_then(|at| IfIndex::new(u32::try_from(at).ok()?.checked_add(2)?));
            judge.add(name, config.lower(index), address.unwrap_or(MAC), places)?;
        }
        Ok(judge)
    }

    fn add(&mut self, name: String, config: Config, mac: Mac, places: usize) -> Result<(), String> {
        let mut device = Device::new(config, mac, Growable::new(), self.now)
            .map_err(|error| format!("link \"{name} …\": {error}"))?;
        device.set_up(true);
        let (port, ipv6) = (device.config().port(), device.config().is_ipv6());
        let (vni, flags) = (
            device.config().vni(),
            device.config().flags() & Flags::RECEIVE,
        );
        let known = self
            .sockets
            .iter()
            .position(|socket| socket.port == port && socket.ipv6 == ipv6);
        let socket = match known.and_then(|at| self.sockets.get_mut(at)) {
            Some(socket) => socket,
            None => {
                let vtep = Vtep::new(vec![Member::EMPTY; places]);
                self.sockets.push_mut(Socket {
                    port,
                    ipv6,
                    vtep,
                    flags,
                })
            }
        };
        if socket.vtep.find(vni, None).is_some() {
            return Err(format!(
                "link \"{name} …\": a device with VNI {vni} on port {port} exists"
            ));
        }
        if socket.flags != flags {
            return Err(format!(
                "link \"{name} …\": other devices on port {port} differ in gbp or udp6zerocsumrx"
            ));
        }
        socket
            .vtep
            .attach(vni, None, self.devices.len())
            .map_err(|error| format!("link \"{name} …\": {error}"))?;
        let (worker, sweep) = (Worker::new(self.now), self.now);
        self.devices.push(Judging {
            name,
            device,
            worker,
            sweep,
        });
        Ok(())
    }

    /// The UDP ports of the devices.
    pub(in super::super) fn ports(&self) -> impl Iterator<Item = u16> {
        self.sockets.iter().map(|socket| socket.port)
    }

    /// What becomes of `datagram`, which came at `time`.
    pub(in super::super) fn judge(
        &mut self,
        datagram: &Datagram<'_>,
        time: Option<Time>,
    ) -> Verdict {
        self.advance(time);
        if let Some(verdict) = before_udp(datagram) {
            return verdict;
        }
        if self.devices.is_empty() {
            return self.plain(datagram);
        }
        let (port, ipv6) = (datagram.port, datagram.source.is_ipv6());
        let Some(socket) = self
            .sockets
            .iter()
            .find(|socket| socket.port == port && socket.ipv6 == ipv6)
        else {
            let item = "no device has this port and address family";
            return Verdict::new(Action::Drop, Some("no-device"), item);
        };
        if let Some(verdict) = unchecked(datagram, socket.flags) {
            return verdict;
        }
        let Some(buffer) = padded(&mut self.buffer, datagram.payload) else {
            return unseen();
        };
        let index = match socket.vtep.demultiplex(buffer, None) {
            Ok(index) => index,
            Err(reason) => return dropped(reason, None),
        };
        match self.devices.get_mut(index) {
            Some(judging) => {
                judging.worker.now = self.now;
                if judging.sweep <= self.now {
                    judging.sweep = judging.device.age(self.now).next_sweep();
                }
                judging.receive(datagram, buffer)
            }
            None => dropped(DropReason::VniNotFound, None),
        }
    }

    /// What a device says that has the packet's port and VNI, does not learn and has no options.
    fn plain(&mut self, datagram: &Datagram<'_>) -> Verdict {
        if let Some(verdict) = unchecked(datagram, Flags::empty()) {
            return verdict;
        }
        let Some(buffer) = padded(&mut self.buffer, datagram.payload) else {
            return unseen();
        };
        let vni = Vni::truncate(datagram.vni.unwrap_or(0));
        let any = match datagram.source.is_ipv4() {
            true => [0; 4].into(),
            false => [0; 16].into(),
        };
        let config = Config::new(vni)
            .port(datagram.port)
            .local(any)
            .learning(false);
        let Ok(mut device) = Device::new(config, MAC, Growable::new(), self.now) else {
            return Verdict::new(
                Action::Unknown,
                Some("no-device"),
                "no device can be made for it",
            );
        };
        device.set_up(true);
        let name = match datagram.vni {
            Some(vni) => format!("a plain device with VNI {vni}"),
            None => "a plain device".to_owned(),
        };
        let (worker, sweep) = (Worker::new(self.now), self.now);
        Judging {
            name,
            device,
            worker,
            sweep,
        }
        .receive(datagram, buffer)
    }

    /// Lets the clock follow the capture. It never goes back.
    fn advance(&mut self, time: Option<Time>) {
        let Some(time) = time else { return };
        let first = *self.first.get_or_insert(time);
        let millis = (time.0 - first.0).max(0) / 1_000_000;
        let now = Instant::from_millis(u64::try_from(millis).unwrap_or(u64::MAX));
        self.now = self.now.max(now);
    }
}

impl Judging {
    fn receive(&mut self, datagram: &Datagram<'_>, buffer: &mut [u8]) -> Verdict {
        let from = Underlay::new(datagram.source)
            .tos(datagram.tos)
            .ifindex(self.device.config().lower());
        let length = buffer.len();
        let Ok(mut packet) = Packet::new(buffer, 0, length) else {
            return unseen();
        };
        let ingress = self.device.receive(&mut self.worker, &from, &mut packet);
        let mark = packet.mark;
        let mut verdict = match ingress {
            Ingress::Deliver(metadata, event) => {
                if !seen(datagram.payload, None) {
                    return unseen();
                }
                let mut verdict = Verdict::new(
                    Action::Deliver,
                    None,
                    match metadata.packet_type {
                        PacketType::Host => "to the device itself",
                        PacketType::Broadcast => "a broadcast",
                        PacketType::Multicast => "a multicast",
                        _ => "to another station",
                    },
                );
                let frame = datagram.payload.length.saturating_sub(vxlan::Header::LEN);
                verdict.items.push(format!("frame of {frame} bytes"));
                if mark != 0 {
                    verdict.items.push(format!("mark {mark:#x}"));
                }
                if metadata.odd_ecn {
                    verdict
                        .items
                        .push("outer and inner ECN do not fit".to_owned());
                }
                learned(&mut verdict, event);
                verdict
            }
            Ingress::Drop(reason, event) => {
                if !seen(datagram.payload, Some(reason)) {
                    return unseen();
                }
                let mut verdict = dropped(reason, None);
                learned(&mut verdict, event);
                verdict
            }
            _ => Verdict::new(Action::Drop, Some("not-vxlan"), ""),
        };
        verdict.device = Some(self.name.clone());
        if datagram.carrier.udp_checksum.is_none() {
            verdict
                .items
                .push("UDP checksum taken for right".to_owned());
        }
        verdict
    }
}

/// The datagram as a device sees it; zeros for what the capture left out. `None` if not even the
/// VXLAN header is known.
fn padded<'b>(buffer: &'b mut Vec<u8>, payload: Part<'_>) -> Option<&'b mut [u8]> {
    if payload.is_cut() && payload.bytes.len() < vxlan::Header::LEN {
        return None;
    }
    buffer.clear();
    buffer.extend_from_slice(payload.bytes);
    // A capture can claim any length.
    buffer.resize(payload.length.min(LOOKED_AT).max(payload.bytes.len()), 0);
    Some(buffer)
}

/// Whether the capture holds everything that led to a delivery or to a drop for `reason`.
fn seen(payload: Part<'_>, reason: Option<DropReason>) -> bool {
    const FRAME: usize = vxlan::Header::LEN + ethernet::Header::LEN;
    let need = match reason {
        Some(
            DropReason::PacketTooSmall
            | DropReason::InvalidHeader
            | DropReason::VniNotFound
            | DropReason::ReservedBits
            | DropReason::InnerTooShort,
        ) => vxlan::Header::LEN,
        Some(
            DropReason::LocalMac
            | DropReason::InvalidSourceMac
            | DropReason::EntryExists
            | DropReason::LearnQuota
            | DropReason::LearnRate
            | DropReason::MoveDamped,
        ) => FRAME,
        _ => {
            let frame = payload.bytes.get(vxlan::Header::LEN..).unwrap_or_default();
            match ethernet::Header::parse(frame).map(|(header, _)| header.ethertype()) {
                Ok(ethernet::EtherType::IPV4) => FRAME + ipv4::Header::LEN,
                Ok(ethernet::EtherType::IPV6) => FRAME + ipv6::Header::LEN,
                _ => FRAME,
            }
        }
    };
    payload.bytes.len() >= need.min(payload.length)
}
