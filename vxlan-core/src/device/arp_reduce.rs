//! ARP requests answered in a neighbour's place.

use core::net::IpAddr;

use crate::fdb::Storage;
use crate::neighbour::Neighbours;
use crate::wire::arp;
use crate::{Device, Worker};

use super::reduce::{Answer, Silence};

impl<S: Storage> Device<S> {
    /// The answer to an ARP message. Kernel: `arp_reduce()`, whose order of checks it follows.
    pub(super) fn arp_reduce(
        &self,
        worker: &Worker,
        payload: &[u8],
        vni: u32,
        neighbours: &dyn Neighbours,
    ) -> Result<Answer, Silence> {
        if !self.arp() {
            return Err(Silence::Nothing);
        }
        let (message, _) = arp::Header::parse(payload).map_err(|_| Silence::Truncated)?;
        let request = message.request().ok_or(Silence::Nothing)?;
        let target = request.target_ip;
        if target.is_loopback() || target.is_multicast() {
            return Err(Silence::Nothing);
        }
        let rfc = self.config.compat().rfc_neighbours;
        // Who says that the address is his does not ask for it (RFC 5227 section 2.3).
        let claims = request.sender_ip == target;
        let known = self.answers_for(worker, IpAddr::V4(target), vni, neighbours);
        let (neighbour, _) = match known {
            Err(Silence::Miss(_)) if rfc && claims => return Err(Silence::Nothing),
            known => known?,
        };
        // To anybody else the answer tells that the address is taken (section 2.1.1 for probes,
        // 2.4 for claims); to the neighbour itself that would be wrong.
        let own = claims || request.sender_ip.is_unspecified();
        if rfc && own && request.sender_mac == neighbour.mac {
            return Err(Silence::Nothing);
        }
        Ok(Answer::Arp(request, neighbour.mac))
    }
}
