//! The outer headers of one copy, as they are written and counted.

use core::net::IpAddr;

use zerocopy::{Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::fdb::Storage;
use crate::offload::{self, Measure};
use crate::wire::ethernet::EtherType;
use crate::wire::rco::RemoteChecksum;
use crate::wire::{Addresses, gpe, ipv4, ipv6, protocol, udp, vxlan};
use crate::{ChecksumState, Device, DropReason, Flags, IfIndex, Packet, Route, Vni, Worker, ecn};

use super::encapsulate::Encapsulated;
use super::inner::Inner;
use super::outer::Outer;

/// UDP and VXLAN header together.
const TUNNEL_LEN: usize = udp::Header::LEN + vxlan::Header::LEN;

/// What the outer headers of one copy say, wherever that was decided.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) destination: IpAddr,
    pub(super) port: u16,
    /// Its low 24 bits are sent.
    pub(super) vni: u32,
    pub(super) ifindex: Option<IfIndex>,
    /// Before ECN.
    pub(super) tos: u8,
    /// Zero: that of the route.
    pub(super) ttl: u8,
    pub(super) label: u32,
    pub(super) dont_fragment: bool,
    pub(super) checksum: bool,
    /// Zero: no policy.
    pub(super) gbp: u32,
}

impl<S: Storage> Device<S> {
    /// The VXLAN header with all that the device's extensions put into it. A checksum that is still
    /// to be filled in is left to the remote, or filled in: the outer checksum covers the inner one
    /// as it will be on the wire.
    #[cold]
    fn extended_header(&self, frame: &mut Packet<'_>, plan: &Plan) -> Option<vxlan::Header> {
        let flags = self.config.flags();
        let mut header = vxlan::Header::new(Vni::truncate(plan.vni));
        if let ChecksumState::Partial { start, offset } = frame.checksum {
            match RemoteChecksum::new(start, offset) {
                Some(checksum) if flags.contains(Flags::REMCSUM_TX) => {
                    header = header.with_remote_checksum(checksum.low_byte());
                }
                // Segments get checksums of their own.
                _ if frame.gso.is_none() => frame.fill_checksum(),
                _ => {}
            }
        }
        if flags.contains(Flags::GBP) {
            header = header.with_gbp(plan.gbp);
        }
        if flags.contains(Flags::GPE) {
            header = header.with_next_protocol(gpe::number(frame.protocol)?);
        }
        Some(header)
    }

    /// Puts them in front of a frame, and counts it.
    #[inline]
    pub(super) fn build<'p>(
        &self,
        worker: &mut Worker,
        frame: &'p mut Packet<'_>,
        plan: &Plan,
        route: &Route,
        inner: &Inner,
    ) -> Encapsulated<'p> {
        if self.is_bridge_port()
            && let Some(end) = self.answer_too_big(worker, frame, inner, plan.vni, route)
        {
            return end;
        }
        let gso = frame.gso;
        let extended = self.config.flags().intersects(Flags::GBP.union(Flags::GPE))
            || matches!(frame.checksum, ChecksumState::Partial { .. });
        let vxlan = if extended {
            match self.extended_header(frame, plan) {
                Some(header) => header,
                None => {
                    self.count_unsent(plan.vni, DropReason::UnknownProtocol);
                    return Encapsulated::Drop(worker.tx_error(DropReason::UnknownProtocol));
                }
            }
        } else {
            vxlan::Header::new(Vni::truncate(plan.vni))
        };
        let tos = ecn::encapsulate(plan.tos, inner.tos);
        let ttl = if plan.ttl == 0 {
            route.hop_limit
        } else {
            plan.ttl
        };
        let source_port = self.source_port(frame);
        let inner_len = frame.len();
        let protocol = frame.protocol;

        let is_ipv4 = plan.destination.is_ipv4();
        let ip_len = if is_ipv4 {
            ipv4::Header::LEN
        } else {
            ipv6::Header::LEN
        };
        let (room, bytes) = frame.split();
        let bytes: &[u8] = bytes;
        let Some(start) = room.len().checked_sub(ip_len + TUNNEL_LEN) else {
            self.count_unsent(plan.vni, DropReason::NoHeadroom);
            return Encapsulated::Drop(worker.tx_error(DropReason::NoHeadroom));
        };
        let total = ip_len + TUNNEL_LEN + inner_len;
        // A frame that will be cut may be longer than the fields can say: they are rewritten then.
        let stated = |len| u16::try_from(len).ok().or(gso.map(|_| 0));
        let udp_len = stated(TUNNEL_LEN + inner_len);

        let pieces = match gso {
            None => Measure::of_one(total),
            Some(gso) => {
                let protocol = if self.config.is_raw() {
                    protocol
                } else {
                    EtherType::TEB
                };
                let measured = offload::measure(bytes, protocol, gso);
                match measured.and_then(|pieces| pieces.encapsulated(ip_len + TUNNEL_LEN)) {
                    Ok(pieces) => pieces,
                    Err(_) => {
                        self.count_sent(plan.vni, inner_len);
                        self.count_unsent(plan.vni, DropReason::Unsegmentable);
                        return refuse(worker, is_ipv4, DropReason::Unsegmentable);
                    }
                }
            }
        };

        let dont_fragment = plan.dont_fragment && !route.mtu_locked && is_ipv4;
        let mtu = route.mtu as usize;
        // Each piece is judged by its own length; the whole counts as refused if any is.
        let refuses = pieces.longest > mtu && (dont_fragment || !is_ipv4);
        let leaves = !(refuses && pieces.shortest > mtu);
        let Some(addresses) = Addresses::new(route.source, plan.destination) else {
            self.count_unsent(plan.vni, DropReason::AddressFamily);
            return Encapsulated::Drop(worker.tx_error(DropReason::AddressFamily));
        };
        // Chosen also for packets that are refused, as in Linux.
        let (identification, total_length) = if is_ipv4 {
            (worker.next_identifications(pieces.count), stated(total))
        } else {
            (0, Some(0))
        };
        let (Some(udp_len), Some(total_length), true) = (udp_len, total_length, leaves) else {
            self.count_sent(plan.vni, inner_len);
            self.count_unsent(plan.vni, DropReason::PacketTooBig);
            return refuse(worker, is_ipv4, DropReason::PacketTooBig);
        };
        let mut udp = udp::Header::new(source_port, plan.port, udp_len);
        if plan.checksum {
            let pseudo = udp::pseudo_header_sum(addresses, udp_len.into());
            udp.set_checksum(if route.checksum_offload || gso.is_some() {
                pseudo.fold()
            } else {
                let headers = pseudo.add_bytes(&udp.to_bytes());
                let headers = headers.add_bytes(&vxlan.to_bytes());
                udp::never_zero(headers.add_bytes(bytes).complement())
            });
        }
        match addresses {
            Addresses::V4 {
                source,
                destination,
            } => {
                let ip = ipv4::Header::new(&ipv4::Fields {
                    tos,
                    total_length,
                    identification,
                    dont_fragment,
                    ttl,
                    protocol: protocol::UDP,
                    source,
                    destination,
                });
                if let Some(head) = room.last_chunk_mut::<{ ipv4::Header::LEN + TUNNEL_LEN }>() {
                    *head = zerocopy::transmute!(Headers { ip, udp, vxlan });
                }
            }
            Addresses::V6 {
                source,
                destination,
            } => {
                let ip = ipv6::Header::new(&ipv6::Fields {
                    traffic_class: if self.config.compat().ipv6_traffic_class {
                        tos
                    } else {
                        0
                    },
                    flow_label: plan.label,
                    payload_length: udp_len,
                    next_header: protocol::UDP,
                    hop_limit: ttl,
                    source,
                    destination,
                });
                if let Some(head) = room.last_chunk_mut::<{ ipv6::Header::LEN + TUNNEL_LEN }>() {
                    *head = zerocopy::transmute!(Headers { ip, udp, vxlan });
                }
            }
        }

        // The kernel counts a frame with nothing behind its Ethernet header as dropped, though it
        // leaves (`iptunnel_xmit_stats()`).
        let counted = if is_ipv4 && !self.config.compat().count_inner_length {
            TUNNEL_LEN + inner_len
        } else {
            inner_len.saturating_sub(inner.network)
        };
        match counted {
            _ if refuses => {
                self.count_unsent(plan.vni, DropReason::PacketTooBig);
                refuse(worker, is_ipv4, DropReason::PacketTooBig);
            }
            0 => worker.stats.tx_dropped += 1,
            len => {
                worker.stats.tx_packets += 1;
                worker.stats.tx_bytes += len as u64;
            }
        }
        self.count_sent(plan.vni, inner_len);
        Encapsulated::Send(Outer {
            buffer: frame.lend(),
            start,
            ip_len,
            destination: plan.destination,
            destination_port: plan.port,
            source_port,
            tos,
            ttl,
            label: plan.label,
            dont_fragment,
            ifindex: plan.ifindex,
            gso,
            checksum_offload: route.checksum_offload,
            mtu: route.mtu,
            refuses,
        })
    }
}

/// The outer headers of one packet, as they lie on the wire.
#[derive(IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Headers<Ip> {
    ip: Ip,
    udp: udp::Header,
    vxlan: vxlan::Header,
}

/// Counts a packet that the underlay refuses (`iptunnel_xmit_stats()`, `ip6tunnel_xmit()`).
#[cold]
fn refuse<'p>(worker: &mut Worker, is_ipv4: bool, reason: DropReason) -> Encapsulated<'p> {
    Encapsulated::Drop(if is_ipv4 {
        worker.tx_dropped(reason)
    } else {
        worker.stats.tx_aborted_errors += 1;
        worker.tx_error(reason)
    })
}
