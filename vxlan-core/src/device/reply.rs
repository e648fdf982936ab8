//! A port of a bridge answers a frame that is too long for the path.

use core::mem;
use core::net::IpAddr;

use crate::fdb::Storage;
use crate::packet::OutOfRoom;
use crate::wire::{ethernet, ipv4, ipv6, udp, vxlan};
use crate::{Device, DropReason, Packet, Route, Vni, Worker};

use super::Encapsulated;
use super::inner::Inner;
use super::pmtu::{self, Replaced};
use super::receive::{Metadata, PacketType};

/// An ICMP or ICMPv6 error that has taken the place of a frame, from
/// [`Device::encapsulate`].
///
/// The packet now is the error message in an Ethernet frame back to the sender: hand it to the
/// stack above the same device, as if received on it. It teaches the device nothing. In tunnel
/// metadata beside it the addresses are turned, the source being that of the route. If the frame
/// has more remotes to go to, take it back first with [`undo`](Self::undo): another path may be
/// wide enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the packet no longer is the frame"]
pub struct Reply {
    mtu: u32,
    metadata: Metadata,
    replaced: Replaced,
    /// The outer source that the tunnel metadata named before.
    tunnel_source: Option<IpAddr>,
}

impl Reply {
    /// What the message says: how long an inner IP packet may be. Linux also notes it as the MTU
    /// of the inner route.
    #[must_use]
    pub const fn mtu(&self) -> u32 {
        self.mtu
    }

    /// What the stack is told besides the bytes.
    #[must_use]
    pub const fn metadata(&self) -> Metadata {
        self.metadata
    }

    /// Turns the reply into the frame again, for the next remote. Not needed after the last one.
    ///
    /// # Errors
    /// [`OutOfRoom`] if `packet` is too short to be the reply that
    /// [`Device::encapsulate`] left; nothing changes then.
    pub fn undo(self, packet: &mut Packet<'_>) -> Result<(), OutOfRoom> {
        self.replaced.undo(packet)?;
        if let (Some(info), Some(source)) = (&mut packet.tunnel, self.tunnel_source) {
            info.destination = mem::replace(&mut info.source, source);
        }
        Ok(())
    }
}

impl<S: Storage> Device<S> {
    /// Whether the device is a port of a bridge (`netif_is_any_bridge_port()`).
    #[must_use]
    #[inline]
    pub const fn is_bridge_port(&self) -> bool {
        self.bridge_port
    }

    /// Tells the device that it is a port of a bridge now, or no longer; at first it is not.
    ///
    /// Behind a bridge there is no route that could hold a path's MTU, so the device itself tells
    /// senders of too long packets ([`Encapsulated::Reply`]).
    pub const fn set_bridge_port(&mut self, bridge_port: bool) {
        self.bridge_port = bridge_port;
    }

    /// How many bytes of an inner IP packet fit into one outer packet on this route: its MTU less
    /// the 50 bytes of inner Ethernet, VXLAN, UDP and IPv4 header, 70 with IPv6; without an inner
    /// Ethernet header 36 and 56. Zero if not even those fit.
    ///
    /// Linux notes it as the MTU of the inner route as soon as a longer packet comes by
    /// (`skb_dst_update_pmtu_no_confirm()`).
    #[must_use]
    #[inline]
    pub fn inner_mtu(&self, route: &Route) -> u32 {
        const TUNNEL: usize = udp::Header::LEN + vxlan::Header::LEN;
        let ip = if route.source.is_ipv4() {
            ipv4::Header::LEN
        } else {
            ipv6::Header::LEN
        };
        let link = if self.config.is_raw() {
            0
        } else {
            ethernet::Header::LEN
        };
        route.mtu.saturating_sub((ip + TUNNEL + link) as u32)
    }

    /// What becomes of a frame from a bridge if it is too long for the path; `None` if it is
    /// not, or if it is to be sent all the same.
    #[inline]
    pub(super) fn answer_too_big<'p>(
        &self,
        worker: &mut Worker,
        frame: &mut Packet<'_>,
        inner: &Inner,
        vni: u32,
        route: &Route,
    ) -> Option<Encapsulated<'p>> {
        let mtu = self.inner_mtu(route);
        if pmtu::network_len(frame, inner.network) <= mtu as usize {
            return None;
        }
        self.reply(worker, frame, inner, vni, mtu, route.source)
    }

    #[cold]
    fn reply<'p>(
        &self,
        worker: &mut Worker,
        frame: &mut Packet<'_>,
        inner: &Inner,
        vni: u32,
        mtu: u32,
        source: IpAddr,
    ) -> Option<Encapsulated<'p>> {
        let compat = self.config.compat();
        if !compat.answer_too_big || self.config.is_raw() {
            return None;
        }
        // The packet is quoted as its sender left it; another copy of it may have left already.
        frame.restore_checksum();
        let replaced = match pmtu::reply(frame, mtu) {
            Ok(replaced) => replaced?,
            Err(_) => {
                self.count_unsent(vni, DropReason::NoHeadroom);
                return Some(Encapsulated::Drop(worker.tx_error(DropReason::NoHeadroom)));
            }
        };
        // The way to itself is that to any device of the host (`vxlan_encap_bypass()`).
        if compat.check_device_up && !self.is_up() {
            let _ = replaced.undo(frame);
            self.count_refused(vni, DropReason::DeviceDown);
            return Some(Encapsulated::Drop(worker.rx_drop(DropReason::DeviceDown)));
        }
        let tunnel_source = frame.tunnel.as_mut().map(|info| {
            let turned = mem::replace(&mut info.destination, source);
            mem::replace(&mut info.source, turned)
        });
        self.bypassed(worker, frame);
        self.took(worker, frame);
        self.count_sent(vni, frame.len());
        self.count_delivered(vni, frame.len() as u64);
        Some(Encapsulated::Reply(Reply {
            mtu,
            metadata: Metadata {
                vni: Vni::truncate(vni),
                packet_type: PacketType::Host,
                protocol: inner.outermost,
                odd_ecn: false,
            },
            replaced,
            tunnel_source,
        }))
    }
}
