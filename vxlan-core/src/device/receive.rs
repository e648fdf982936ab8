//! Underlay to overlay: is a datagram for us, what is in it, and what does it teach?

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::fdb::Storage;
use crate::wire::ethernet::EtherType;
use crate::wire::{ethernet, ipv4, ipv6};
use crate::{
    ChecksumState, Device, DropReason, Event, Flags, IfIndex, Mac, Packet, Underlay, Vni, Worker,
    ecn,
};

use super::accept::{Decoded, Refused};
use super::snoop::Snooped;

/// What to do with a datagram from the underlay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ingress {
    /// The packet now is the inner frame: give it to the overlay. Already counted.
    Deliver(Metadata, Option<Event>),
    /// It ends here; already counted. Its source may have been learned all the same.
    Drop(DropReason, Option<Event>),
    /// Not for a VXLAN device: give the unchanged datagram to whoever else reads the socket. Only
    /// with [`HeaderRule::HandBack`](crate::compat::HeaderRule::HandBack).
    NotVxlan,
}

/// What is known about a delivered frame besides its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// The VNI of the packet.
    pub vni: Vni,
    /// Whom the frame is for, by its destination address.
    pub packet_type: PacketType,
    /// What the frame carries: the Ethernet type, for 802.3 frames what stands for it, and without
    /// Ethernet header what the VXLAN header names (`skb->protocol`).
    pub protocol: EtherType,
    /// The outer ECN bits do not fit the inner ones: worth a line in a log
    /// (`log_ecn_error`).
    pub odd_ecn: bool,
}

/// Whom a frame is for (`skb->pkt_type`, set by `eth_type_trans()`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PacketType {
    /// The device itself.
    Host,
    /// Everybody.
    Broadcast,
    /// A group.
    Multicast,
    /// Somebody else, for instance behind a bridge.
    OtherHost,
}

impl<S: Storage> Device<S> {
    /// Takes a datagram in: checks, learns, strips the headers and counts. Kernel: `vxlan_rcv()`,
    /// whose order of checks it follows.
    ///
    /// `datagram` is the UDP payload, so it starts at the VXLAN header. UDP's own checks (length,
    /// checksum, and whether a missing checksum is allowed over IPv6) are done before. When it is
    /// delivered it has become the inner frame. The packet's mark is set from the group policy.
    ///
    /// ```
    /// use vxlan_core::{Config, Device, Ingress, Instant, Mac, Packet, Underlay, Vni, Worker, fdb};
    ///
    /// let mac = Mac::new([2, 0, 0, 0, 0, 1]);
    /// let storage = fdb::Fixed::<16, 16, 16>::new();
    /// let mut device = Device::new(Config::new(Vni::MIN), mac, storage, Instant::ZERO)?;
    /// device.set_up(true);
    ///
    /// let mut bytes = [0; 30]; // a VXLAN header, then a frame
    /// bytes[0] = 0x08; // the VNI is valid; it is 0
    /// bytes[14..20].copy_from_slice(&[2, 0, 0, 0, 0, 9]); // inner source
    /// let mut datagram = Packet::new(&mut bytes, 0, 30)?;
    /// let mut worker = Worker::new(Instant::ZERO);
    /// let from = Underlay::new("192.0.2.2".parse()?);
    /// let Ingress::Deliver(_, Some(_learned)) = device.receive(&mut worker, &from, &mut datagram)
    /// else {
    ///     panic!("a well-formed packet is delivered, and its source is news");
    /// };
    /// assert_eq!(datagram.len(), 22);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn receive(
        &mut self,
        worker: &mut Worker,
        from: &Underlay,
        datagram: &mut Packet<'_>,
    ) -> Ingress {
        let (ingress, snooped) = self.receive_shared(worker, from, datagram);
        if snooped.is_nothing() {
            return ingress;
        }
        let event = self.commit(worker.now, snooped);
        match ingress {
            Ingress::Deliver(metadata, _) => Ingress::Deliver(metadata, event),
            Ingress::Drop(reason, _) => Ingress::Drop(reason, event),
            Ingress::NotVxlan => Ingress::NotVxlan,
        }
    }

    /// The same on a shared device: decides, strips and counts, but changes no table. What was
    /// snooped is for [`commit`](Self::commit), under whatever lock the caller has.
    #[inline]
    pub fn receive_shared(
        &self,
        worker: &mut Worker,
        from: &Underlay,
        datagram: &mut Packet<'_>,
    ) -> (Ingress, Snooped) {
        let mut snooped = Snooped::NOTHING;
        let mut vni = None;
        let ingress = match self.decapsulate(worker, from, datagram, &mut snooped, &mut vni) {
            Ok(metadata) => Ingress::Deliver(metadata, None),
            Err(Refused::Drop(reason)) => {
                if let Some(vni) = vni {
                    self.count_refused(vni.get(), reason);
                }
                Ingress::Drop(worker.rx_drop(reason), None)
            }
            Err(Refused::NotVxlan) => Ingress::NotVxlan,
        };
        (ingress, snooped)
    }

    #[inline]
    fn decapsulate(
        &self,
        worker: &mut Worker,
        from: &Underlay,
        datagram: &mut Packet<'_>,
        snooped: &mut Snooped,
        named: &mut Option<Vni>,
    ) -> Result<Metadata, Refused> {
        let ours = |vni| {
            *named = Some(vni);
            self.answers_to(vni, from.ifindex)
        };
        let header = self.accept.check(datagram.bytes(), ours)?;
        let decoded = self.accept.open(&header, datagram)?;
        self.leave_metadata(from, &decoded, datagram);
        if let Some(protocol) = decoded.protocol {
            return self.receive_raw(worker, from, &decoded, protocol, datagram);
        }
        let (ethernet, _) =
            ethernet::Header::parse(datagram.bytes()).map_err(|_| DropReason::InnerTooShort)?;
        if ethernet.source() == self.mac {
            return Err(DropReason::LocalMac.into()); // our own flood came back
        }
        if self.config.flags().contains(Flags::LEARN) {
            self.snoop(worker.now, from, ethernet.source(), decoded.vni, snooped)?;
        }
        // Learned before this point stays learned, though the frame may still be dropped: Linux
        // looks at the inner IP header and at ECN afterwards.
        let protocol = ethernet.ethertype();
        let odd_ecn = self.ecn(from.tos, protocol, ethernet::Header::LEN, datagram)?;
        self.deliver(
            worker,
            decoded.vni,
            datagram,
            ethernet::Header::LEN,
            decoded.checksum,
        )?;
        let payload = datagram.bytes().get(ethernet::Header::LEN..);
        Ok(Metadata {
            vni: decoded.vni,
            packet_type: self.packet_type(ethernet.destination()),
            protocol: protocol.protocol(payload.unwrap_or_default()),
            odd_ecn,
        })
    }

    /// A packet without inner Ethernet header: nothing to check or to learn in it.
    #[cold]
    fn receive_raw(
        &self,
        worker: &mut Worker,
        from: &Underlay,
        decoded: &Decoded,
        protocol: EtherType,
        datagram: &mut Packet<'_>,
    ) -> Result<Metadata, Refused> {
        let vni = decoded.vni;
        datagram.protocol = protocol;
        let odd_ecn = self.ecn(from.tos, protocol, 0, datagram)?;
        self.deliver(worker, vni, datagram, 0, decoded.checksum)?;
        Ok(Metadata {
            vni,
            packet_type: PacketType::Host,
            protocol,
            odd_ecn,
        })
    }

    /// What the packet leaves beside the frame: the policy in its mark, or all the outer headers
    /// in external mode.
    #[inline]
    fn leave_metadata(&self, from: &Underlay, decoded: &Decoded, frame: &mut Packet<'_>) {
        if self.config.is_external() {
            frame.tunnel = Some(from.tunnel_info(decoded.vni, decoded.policy));
        } else if let Some(policy) = decoded.policy {
            frame.mark = policy;
        } else if self.config.compat().overwrite_mark {
            frame.mark = 0;
        }
    }

    /// The last step: a device that is up counts and delivers. `link` bytes do not count.
    #[inline]
    fn deliver(
        &self,
        worker: &mut Worker,
        vni: Vni,
        frame: &mut Packet<'_>,
        link: usize,
        checksum: ChecksumState,
    ) -> Result<(), DropReason> {
        if !self.delivers {
            return Err(DropReason::DeviceDown);
        }
        frame.checksum = checksum;
        let bytes = frame.len().saturating_sub(link) as u64;
        worker.stats.rx_packets += 1;
        worker.stats.rx_bytes += bytes;
        self.count_delivered(vni.get(), bytes);
        Ok(())
    }

    /// Whether a packet with this VNI, arrived on this interface, is for this device
    /// (`vxlan_vs_find_vni()`).
    #[inline]
    fn answers_to(&self, vni: Vni, arrival: Option<IfIndex>) -> bool {
        // In external mode every packet is for the device with VNI 0, unless it has a list.
        let vni = if self.config.is_external() {
            if self.config.has_vni_filter() {
                return self.vnis().contains(vni.get());
            }
            Vni::MIN
        } else {
            vni
        };
        vni == self.config.vni()
            && (!self.config.flags().contains(Flags::IPV6_LINKLOCAL)
                || arrival == self.config.arrival())
    }

    /// Carries the outer congestion bits into the inner header. True if they do not fit.
    #[inline]
    fn ecn(
        &self,
        outer: u8,
        ethertype: EtherType,
        link: usize,
        frame: &mut Packet<'_>,
    ) -> Result<bool, DropReason> {
        let compat = self.config.compat();
        let packet = frame.bytes_mut().get_mut(link..).unwrap_or_default();
        let inner = match ethertype {
            EtherType::IPV4 => ipv4::Header::split(packet).map(|(ip, _)| ip.tos()),
            EtherType::IPV6 => ipv6::Header::split(packet).map(|(ip, _)| ip.traffic_class()),
            // VLAN-tagged frames included: receive does not look through tags.
            _ => return Ok(false),
        };
        let Ok(inner) = inner else {
            if compat.check_inner_length {
                return Err(DropReason::InnerHeaderTruncated);
            }
            return Ok(false);
        };
        let to = match ecn::decapsulate(outer, inner, compat.ecn_carry_ect1) {
            ecn::Decapsulated::Keep => return Ok(false),
            ecn::Decapsulated::Odd => return Ok(true),
            ecn::Decapsulated::Drop => return Err(DropReason::TunnelEcn),
            ecn::Decapsulated::SetCe => ecn::CE,
            ecn::Decapsulated::SetEct1 => ecn::ECT_1,
        };
        if ethertype == EtherType::IPV4 {
            if let Ok((ip, _)) = ipv4::Header::split_mut(packet) {
                ecn::set_ipv4(ip, to);
            }
        } else if let Ok((ip, _)) = ipv6::Header::split_mut(packet) {
            ecn::set_ipv6(ip, to);
        }
        Ok(false)
    }

    #[inline]
    fn packet_type(&self, destination: Mac) -> PacketType {
        if destination == self.mac {
            PacketType::Host
        } else if destination.is_broadcast() {
            PacketType::Broadcast
        } else if destination.is_multicast() {
            PacketType::Multicast
        } else {
            PacketType::OtherHost
        }
    }

    /// Takes a frame from a device of the same host, without encapsulation. Kernel: the receiving
    /// half of `vxlan_encap_bypass()`.
    ///
    /// The frame is not changed. Its source is learned at the loopback address. No header, ECN or
    /// loop check takes place, and bytes are counted with the Ethernet header.
    pub fn receive_local(&mut self, worker: &mut Worker, vni: Vni, frame: &Packet<'_>) -> Ingress {
        if !self.delivers {
            let reason = worker.rx_drop(DropReason::DeviceDown);
            self.count_refused(vni.get(), reason);
            return Ingress::Drop(reason, None);
        }
        let Ok((ethernet, _)) = ethernet::Header::parse(frame.bytes()) else {
            let reason = worker.rx_drop(DropReason::InnerTooShort);
            self.count_refused(vni.get(), reason);
            return Ingress::Drop(reason, None);
        };
        let mut event = None;
        if self.config.flags().contains(Flags::LEARN) {
            let loopback = if self.config.is_ipv6() {
                IpAddr::V6(Ipv6Addr::LOCALHOST)
            } else {
                IpAddr::V4(Ipv4Addr::LOCALHOST)
            };
            let from = Underlay::new(loopback);
            let mut snooped = Snooped::NOTHING;
            // A source that may not be learned does not stop the frame here.
            let _stays = self.snoop(worker.now, &from, ethernet.source(), vni, &mut snooped);
            event = self.commit(worker.now, snooped);
        }
        self.took(worker, frame);
        self.count_delivered(vni.get(), self.bypass_len(frame));
        let metadata = Metadata {
            vni,
            packet_type: PacketType::Host,
            protocol: ethernet.ethertype(),
            odd_ecn: false,
        };
        Ingress::Deliver(metadata, event)
    }

    /// Counts a frame that a device of the same host took: the sending half of
    /// `vxlan_encap_bypass()`.
    pub fn bypassed(&self, worker: &mut Worker, frame: &Packet<'_>) {
        worker.stats.tx_packets += 1;
        worker.stats.tx_bytes += self.bypass_len(frame);
    }

    /// Counts a frame that came without encapsulation.
    pub(super) fn took(&self, worker: &mut Worker, frame: &Packet<'_>) {
        worker.stats.rx_packets += 1;
        worker.stats.rx_bytes += self.bypass_len(frame);
    }

    /// Counts a frame for a device of this host that does not exist.
    pub fn drop_local(&self, worker: &mut Worker) -> DropReason {
        worker.tx_error(DropReason::LocalVniNotFound)
    }

    fn bypass_len(&self, frame: &Packet<'_>) -> u64 {
        let skip = if self.config.compat().bypass_counts_ethernet {
            0
        } else {
            ethernet::Header::LEN
        };
        frame.len().saturating_sub(skip) as u64
    }
}
