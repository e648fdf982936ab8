//! Neighbour solicitations answered in a neighbour's place.

use core::net::{IpAddr, Ipv6Addr};

use crate::fdb::Storage;
use crate::neighbour::Neighbours;
use crate::wire::ndisc::{self, Advertisement};
use crate::wire::{ethernet, ipv6, protocol};
use crate::{ChecksumState, Device, Mac, Worker};

use super::reduce::{Answer, Silence};

/// Where all nodes of a link listen (RFC 4291 section 2.7.1, RFC 2464 section 7).
const ALL_NODES: (Mac, Ipv6Addr) = (
    Mac::new([0x33, 0x33, 0, 0, 0, 1]),
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1),
);
/// What an advertisement copies of the traffic class.
const COPIED_CLASS: u8 = 0xf0;

impl<S: Storage> Device<S> {
    /// The answer to a neighbour solicitation; `None` for any other packet, which is forwarded. A
    /// solicitation behind extension headers, with a code, or cut off is another packet. Kernel:
    /// the look at the message in `vxlan_xmit()`, then `neigh_reduce()`.
    pub(super) fn neigh_reduce(
        &self,
        worker: &Worker,
        checksum: ChecksumState,
        ethernet: &ethernet::Header,
        payload: &[u8],
        vni: u32,
        neighbours: &dyn Neighbours,
    ) -> Option<Result<Answer, Silence>> {
        let (ip, behind) = ipv6::Header::split(payload).ok()?;
        if ip.next_header() != protocol::ICMPV6 {
            return None;
        }
        let (message, options) = ndisc::Header::parse(behind).ok()?;
        let target = message.solicited()?;
        if ip.destination().is_loopback() || target.is_multicast() {
            return Some(Err(Silence::Nothing));
        }
        let mut solicitation = Solicitation {
            ethernet,
            ip: &ip,
            target,
            options,
        };
        if self.config.compat().rfc_neighbours {
            match solicitation.valid_options(behind, checksum) {
                Some(options) => solicitation.options = options,
                None => return Some(Err(Silence::Nothing)),
            }
        }
        Some(self.advertise(worker, &solicitation, vni, neighbours))
    }

    fn advertise(
        &self,
        worker: &Worker,
        solicitation: &Solicitation<'_>,
        vni: u32,
        neighbours: &dyn Neighbours,
    ) -> Result<Answer, Silence> {
        let Solicitation {
            ethernet,
            ip,
            target,
            options,
        } = *solicitation;
        let (neighbour, mut router) =
            self.answers_for(worker, IpAddr::V6(target), vni, neighbours)?;
        // Linux looks for them last, and does not answer what it cannot read.
        let link = ndisc::source_link_address(options).map_err(|_| Silence::Nothing)?;
        let mut to = (link.unwrap_or(ethernet.source()), ip.source());
        let mut solicited = true;
        if self.config.compat().rfc_neighbours {
            router |= neighbour.router;
            if ip.source().is_unspecified() {
                // The neighbour itself must not hear that its address is taken.
                if ethernet.source() == neighbour.mac {
                    return Err(Silence::Nothing);
                }
                // Somebody who has no address yet can only be told with all others (RFC 4861
                // section 7.2.4).
                (to, solicited) = (ALL_NODES, false);
            }
        }
        Ok(Answer::Ndisc(Advertisement {
            to_mac: to.0,
            to: to.1,
            target,
            mac: neighbour.mac,
            traffic_class: ip.traffic_class() & COPIED_CLASS,
            router,
            solicited,
        }))
    }
}

/// A solicitation, from the frame down to what follows it.
#[derive(Clone, Copy, Debug)]
struct Solicitation<'f> {
    ethernet: &'f ethernet::Header,
    ip: &'f ipv6::Header,
    target: Ipv6Addr,
    /// To the end of the frame, padding included.
    options: &'f [u8],
}

impl<'f> Solicitation<'f> {
    /// The options that lie within the packet, if a node may take it for what it says (RFC 4861
    /// section 7.1.1). Linux does not ask.
    fn valid_options(&self, behind: &[u8], checksum: ChecksumState) -> Option<&'f [u8]> {
        let length = usize::from(self.ip.payload_length());
        let options = self
            .options
            .get(..length.checked_sub(ndisc::Header::LEN)?)?;
        let link = ndisc::source_link_address(options).ok()?;
        let sound = checksum != ChecksumState::None
            || ndisc::checksum_is_valid(self.ip.addresses(), behind.get(..length)?);
        let probe = self.ip.source().is_unspecified();
        let probes_well = link.is_none() && ndisc::is_solicited_node(self.ip.destination());
        let valid = sound && self.ip.hop_limit() == ndisc::HOP_LIMIT && (!probe || probes_well);
        valid.then_some(options)
    }
}
