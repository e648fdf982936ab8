//! Frames through the host, both ways.

use serde_json::{Value, json};
use vxlan_core::device::{Bypass, Metadata, PacketType, Reply};
use vxlan_core::fdb::Remote;
use vxlan_core::nexthop::Group;
use vxlan_core::wire::ethernet::EtherType;
use vxlan_core::world::SocketKey;
use vxlan_core::{
    ChecksumState, Egress, Encapsulated, IfIndex, Ingress, Mac, Packet, TunnelInfo, Underlay, Vni,
};

use super::answer::{EMSGSIZE, ENETDOWN, Failure, result, unsupported};
use super::devices::Working;
use super::host::Host;
use super::links::LOOPBACK;
use super::model::{Receive, Transmit, TunnelKey, to_hex};
use super::offload;
use super::routes::Path;
use super::underlay::{Datagram, IpPayload, word};

/// Metadata as the recorder attached it.
fn tunnel_info(key: &TunnelKey) -> TunnelInfo {
    let mut info = TunnelInfo::new(key.vni, key.remote);
    if let Some(local) = key.local {
        info.source = local;
    }
    info.tos = key.tos;
    info.ttl = key.ttl;
    info.flow_label = key.label;
    info.dont_fragment = key.df != 0;
    info.checksum = key.zero_csum == 0;
    info.gbp = key.gbp;
    info
}

const ETHERNET: usize = 14;
/// Behind this many bytes the stack gives a tagged frame up.
const TAGGED_MIN: usize = 20;
const HEADROOM: usize = vxlan_core::packet::HEADROOM;

/// What has to happen after one copy of a frame was dealt with.
enum Copy {
    Sent(Vec<Vec<u8>>, Path),
    Bypass(Bypass),
    Reply(Reply),
    Own(Vni),
    Gone,
}

impl Host {
    /// A frame for a vxlan device to transmit.
    pub(crate) fn tx(&mut self, input: &Transmit) -> Result<(), Failure> {
        let partial = input.checksum_partial;
        let gso = offload::stated(partial)?;
        let at = self.named(input.device.as_deref().unwrap_or("vx0"))?;
        let device = self.shown(at);
        let core = device.netdev.device();
        let errno = if !core.is_up() {
            Some(ENETDOWN)
        } else if gso.is_none() && input.frame.len() > device.netdev.mtu() as usize + ETHERNET {
            Some(EMSGSIZE)
        } else {
            None
        };
        if let Some(errno) = errno {
            self.seen
                .fields
                .insert("result".into(), result(errno, None));
            return Ok(());
        }
        let len = input.frame.len();
        let mut buffer = vec![0; HEADROOM + len];
        buffer[HEADROOM..].copy_from_slice(&input.frame);
        let mut frame = Packet::new(&mut buffer, HEADROOM, len)
            .map_err(|error| unsupported(error.to_string()))?;
        frame.mark = input.mark;
        frame.gso = gso;
        if let Some(protocol) = input.protocol {
            let protocol = u16::try_from(protocol).map_err(|_| unsupported("protocol"))?;
            frame.protocol = EtherType::new(protocol);
        }
        frame.tunnel = input.tunnel_key.map(|key| tunnel_info(&key));
        if let Some(partial) = partial {
            frame.checksum = ChecksumState::Partial {
                start: partial.csum_start,
                offset: partial.csum_offset,
            };
        }
        self.transmit(at, &mut frame)
    }

    fn transmit(&mut self, at: usize, frame: &mut Packet<'_>) -> Result<(), Failure> {
        let device = self.working(at);
        let (egress, miss) = (device.core).transmit_with(device.worker, frame, device.neighbours);
        let remotes: Vec<Remote> = match egress {
            Egress::Forward(remotes) => remotes.copied().collect(),
            Egress::Multicast(copies) => copies.copied().collect(),
            Egress::Nexthop(id) => {
                let paths = self.paths(id.get()).unwrap_or_default();
                let device = self.working(at);
                let remote = device.core.remote_in(Group(&paths), frame);
                if remote.is_none() {
                    device.core.drop_without_path(device.worker, frame);
                }
                remote.into_iter().collect()
            }
            Egress::Drop(_, event) => return self.tell(at, event),
            Egress::Reply(metadata) => return self.deliver(at, frame, &metadata),
            Egress::Consumed => return self.tell(at, miss),
            Egress::Tunnel => {
                let copy = self.copy(at, frame, None)?;
                return self.finish(at, frame, copy);
            }
            other => return Err(unsupported(format!("{other:?}"))),
        };
        self.tell(at, miss)?;
        for remote in &remotes {
            let copy = self.copy(at, frame, Some(remote))?;
            self.finish(at, frame, copy)?;
        }
        Ok(())
    }

    /// Carries on what one copy came to. The frame is left for the next one.
    fn finish(&mut self, at: usize, frame: &mut Packet<'_>, copy: Copy) -> Result<(), Failure> {
        match copy {
            Copy::Sent(packets, path) => self.send(&packets, &path),
            Copy::Bypass(bypass) => self.bypass(at, frame, &bypass),
            Copy::Own(vni) => self.hand_over(at, at, vni, frame),
            Copy::Reply(reply) => {
                self.deliver(at, frame, &reply.metadata())?;
                reply
                    .undo(frame)
                    .map_err(|error| unsupported(error.to_string()))
            }
            Copy::Gone => Ok(()),
        }
    }

    /// One copy of a frame, up to the packets that leave.
    fn copy(
        &mut self,
        at: usize,
        frame: &mut Packet<'_>,
        remote: Option<&Remote>,
    ) -> Result<Copy, Failure> {
        let core = self.core(at);
        let query = match remote {
            Some(remote) => core.route_query(frame, remote),
            None => core
                .route_query_by_info(frame)
                .ok_or_else(|| unsupported("no tunnel metadata"))?,
        };
        let path = self
            .routes
            .lookup(&self.links, &query, self.devices[at].ifindex);
        let route = path.map(|path| path.route);
        let Working { core, worker, .. } = self.working(at);
        let encapsulated = match remote {
            Some(remote) => core.encapsulate(worker, frame, remote, route),
            None => core.encapsulate_by_info(worker, frame, route),
        };
        let outer = match encapsulated {
            Encapsulated::Send(outer) => outer,
            Encapsulated::Local(bypass) => return Ok(Copy::Bypass(bypass)),
            Encapsulated::Own(vni) => return Ok(Copy::Own(vni)),
            Encapsulated::Reply(reply) => return Ok(Copy::Reply(reply)),
            Encapsulated::Drop(_) => return Ok(Copy::Gone),
            other => return Err(unsupported(format!("{other:?}"))),
        };
        let path = path.map_err(|error| unsupported(format!("sent without route: {error:?}")))?;
        let packets = offload::packets(&outer)?;
        Ok(Copy::Sent(packets, path))
    }

    /// Sends IP packets: out of a lower device, or back to this host.
    fn send(&mut self, packets: &[Vec<u8>], path: &Path) -> Result<(), Failure> {
        for packet in packets {
            if path.ifindex == LOOPBACK {
                let packet = IpPayload::of_packet(packet)
                    .ok_or_else(|| unsupported("a malformed packet over the loopback"))?;
                if self.links.is_local(packet.destination, LOOPBACK)
                    && let Some(packet) = self.reassembly.take(self.now, LOOPBACK, packet)
                {
                    self.looped.extend(packet.udp());
                }
                continue;
            }
            let link = self
                .links
                .get(path.ifindex)
                .ok_or_else(|| unsupported(format!("sent by interface {}", path.ifindex)))?;
            let destination = self
                .links
                .resolve(path.ifindex, path.next_hop)
                .map_err(unsupported)?;
            let mut frame = Vec::with_capacity(ETHERNET + packet.len());
            frame.extend(destination.octets());
            frame.extend(link.facts.mac.octets());
            frame.extend(if packet[0] >> 4 == 4 {
                [8, 0]
            } else {
                [0x86, 0xdd]
            });
            frame.extend(packet);
            self.seen.underlay.push((path.ifindex, frame));
        }
        Ok(())
    }

    /// Hands a frame to another device of this host (`vxlan_encap_bypass()`).
    fn bypass(
        &mut self,
        sender: usize,
        frame: &Packet<'_>,
        bypass: &Bypass,
    ) -> Result<(), Failure> {
        let Bypass {
            vni,
            port,
            ifindex,
            ipv6,
            ..
        } = *bypass;
        let key = SocketKey {
            port,
            ..SocketKey::of(self.core(sender).config(), ipv6, ifindex)
        };
        let target = self.world.find(&key, vni, ifindex);
        let Some(target) = target.and_then(|target| self.known(target)) else {
            let device = self.working(sender);
            device.core.drop_local(device.worker);
            return Ok(());
        };
        self.hand_over(sender, target, vni, frame)
    }

    /// Hands a frame to a device of this host, which may be the one that it comes from.
    fn hand_over(
        &mut self,
        sender: usize,
        target: usize,
        vni: Vni,
        frame: &Packet<'_>,
    ) -> Result<(), Failure> {
        let device = self.working(target);
        match device.core.receive_local(device.worker, vni, frame) {
            Ingress::Deliver(metadata, event) => {
                self.tell(target, event)?;
                let device = self.working(sender);
                device.core.bypassed(device.worker, frame);
                self.deliver(target, frame, &metadata)
            }
            Ingress::Drop(_, event) => self.tell(target, event),
            other => Err(unsupported(format!("{other:?}"))),
        }
    }

    /// A frame from the wire.
    pub(crate) fn rx(&mut self, input: &Receive) -> Result<(), Failure> {
        let link = self
            .links
            .get(input.ifindex)
            .ok_or_else(|| unsupported(format!("no interface {}", input.ifindex)))?;
        let destination = input.frame.first_chunk().copied().map(Mac::new);
        let for_us = destination.is_some_and(|mac| mac == link.facts.mac || mac.is_multicast());
        let Some(packet) = IpPayload::of_frame(&input.frame).filter(|_| for_us && link.up) else {
            return Ok(());
        };
        let accepted = self.links.is_local(packet.destination, input.ifindex)
            || self
                .memberships
                .has_joined(input.ifindex, packet.destination);
        if !accepted {
            return Ok(());
        }
        let packet = self.reassembly.take(self.now, input.ifindex, packet);
        match packet.and_then(IpPayload::udp) {
            Some(datagram) => self.udp(datagram, input.ifindex),
            None => Ok(()),
        }
    }

    /// A datagram for one of the UDP sockets.
    pub(crate) fn udp(&mut self, datagram: Datagram, arrival: u32) -> Result<(), Failure> {
        let ipv6 = datagram.destination.is_ipv6();
        let listening = |key: &SocketKey| (key.ipv6, key.port) == (ipv6, datagram.port);
        let mut sockets = self.world.sockets();
        let Some((id, socket)) = sockets.find(|(_, socket)| listening(socket.key())) else {
            return Ok(());
        };
        if datagram.unchecked && !socket.key().accepts_unchecked() {
            return Ok(());
        }
        let arrival = IfIndex::new(arrival);
        let Ok(device) = self.world.demultiplex(id, &datagram.payload, arrival) else {
            return Ok(());
        };
        drop(sockets);
        let at = self
            .known(device)
            .ok_or_else(|| unsupported("a datagram for a device that is gone"))?;
        let mut payload = datagram.payload;
        let len = payload.len();
        let mut packet =
            Packet::new(&mut payload, 0, len).map_err(|error| unsupported(error.to_string()))?;
        let from = Underlay::new(datagram.source)
            .tos(datagram.tos)
            .ifindex(arrival);
        let device = self.working(at);
        match device.core.receive(device.worker, &from, &mut packet) {
            Ingress::Deliver(metadata, event) => {
                self.tell(at, event)?;
                self.deliver(at, &packet, &metadata)
            }
            Ingress::Drop(_, event) => self.tell(at, event),
            other => Err(unsupported(format!("{other:?}"))),
        }
    }

    /// A frame for the stack above a device.
    fn deliver(
        &mut self,
        at: usize,
        frame: &Packet<'_>,
        metadata: &Metadata,
    ) -> Result<(), Failure> {
        let bytes = frame.bytes();
        let raw = self.core(at).config().is_raw();
        if raw && bytes.is_empty() {
            // Counted, but nothing that the recorder could have seen.
            return Ok(());
        }
        let tagged = !raw && matches!(word(bytes, 12), Some(0x8100 | 0x88a8));
        if tagged {
            if bytes.len() < TAGGED_MIN {
                return Ok(());
            }
            if !matches!(word(bytes, 16), Some(0x0800 | 0x86dd | 0x0806)) {
                self.devices[at].dropped_above += 1;
            }
        }
        let mut meta = json!({
            "device": self.devices[at].name,
            "pkt_type": match metadata.packet_type {
                PacketType::Host => "host",
                PacketType::Broadcast => "broadcast",
                PacketType::Multicast => "multicast",
                PacketType::OtherHost => "otherhost",
                other => return Err(unsupported(format!("{other:?}"))),
            },
            "csum": match frame.checksum {
                ChecksumState::None => "none",
                ChecksumState::Verified => "valid",
                ChecksumState::Partial { .. } => "partial",
            },
        });
        if let ChecksumState::Partial { start, offset } = frame.checksum {
            meta["csum_start"] = (start - if tagged { 4 } else { 0 }).into();
            meta["csum_offset"] = offset.into();
        }
        if self.core(at).config().is_raw() {
            meta["protocol"] = metadata.protocol.get().into();
        }
        if let Some(gso) = frame.gso {
            meta["gso_type"] = offload::number(gso.kind).into();
            meta["gso_size"] = gso.size.into();
        }
        if frame.mark != 0 {
            meta["mark"] = frame.mark.into();
        }
        self.seen.inner.push(Value::String(to_hex(bytes)));
        self.seen.inner_meta.push(meta);
        Ok(())
    }
}
