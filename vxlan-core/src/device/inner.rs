//! What the outer header takes from the inner one.

use crate::wire::ethernet::EtherType;
use crate::wire::{ethernet, ipv4, ipv6, vlan};

/// The inner header as transmit sees it: through VLAN tags (`skb_vlan_inet_prepare()`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inner {
    /// The type the Ethernet header names, tag or not.
    pub(super) outermost: EtherType,
    /// Where the network header starts, in bytes from the start of the frame.
    pub(super) network: usize,
    /// TOS byte or traffic class; zero unless IP.
    pub(super) tos: u8,
    /// TTL or hop limit; zero unless IP.
    pub(super) ttl: u8,
    /// Flow label; zero unless IPv6.
    pub(super) label: u32,
    /// The don't-fragment bit; clear unless IPv4.
    pub(super) dont_fragment: bool,
}

impl Inner {
    /// Reads the inner header; `None` if its IP header is cut off.
    ///
    /// A tag that is cut off, or an eighth one, ends the walk: the frame then counts as non-IP.
    #[inline]
    pub(super) fn parse(frame: &[u8]) -> Option<Self> {
        let (header, rest) = ethernet::Header::parse(frame).ok()?;
        Self::behind(ethernet::Header::LEN, header.ethertype(), rest)
    }

    /// The same for a packet of this protocol without an Ethernet header.
    #[cold]
    pub(super) fn parse_raw(packet: &[u8], protocol: EtherType) -> Option<Self> {
        let skip = if protocol == EtherType::TEB {
            ethernet::Header::LEN
        } else {
            0
        };
        Self::behind(skip, protocol, packet.get(skip..)?)
    }

    #[inline]
    fn behind(link: usize, outermost: EtherType, rest: &[u8]) -> Option<Self> {
        let (ethertype, skip) = match outermost {
            EtherType::VLAN | EtherType::QINQ => {
                vlan::walk(outermost, rest).unwrap_or((outermost, 0))
            }
            _ => (outermost, 0),
        };
        let packet = rest.get(skip..)?;
        let plain = Self {
            outermost,
            network: link + skip,
            tos: 0,
            ttl: 0,
            label: 0,
            dont_fragment: false,
        };
        match ethertype {
            EtherType::IPV4 => {
                let (ip, _) = ipv4::Header::split(packet).ok()?;
                Some(Self {
                    tos: ip.tos(),
                    ttl: ip.ttl(),
                    dont_fragment: ip.dont_fragment(),
                    ..plain
                })
            }
            EtherType::IPV6 => {
                let (ip, _) = ipv6::Header::split(packet).ok()?;
                Some(Self {
                    tos: ip.traffic_class(),
                    ttl: ip.hop_limit(),
                    label: ip.flow_label(),
                    ..plain
                })
            }
            _ => Some(plain),
        }
    }
}
