//! Route short-circuit: what goes to a router goes to its next hop at once.

use core::net::IpAddr;

use crate::fdb::{Flags as EntryFlags, Key, Storage};
use crate::neighbour::{Lookup, Neighbours};
use crate::wire::ethernet::{self, EtherType};
use crate::wire::{ipv4, ipv6};
use crate::{Device, Event, Instant, Packet, Vni};

impl<S: Storage> Device<S> {
    /// Sends a frame to the neighbour that has its IP destination instead of to the router. Returns
    /// a miss to tell, if there is no such neighbour. Kernel: `route_shortcircuit()` and what
    /// `vxlan_xmit()` asks before.
    ///
    /// The neighbour's state is not looked at, and the hop limit stays, both as in Linux.
    pub(super) fn route_shortcircuit(
        &self,
        now: Instant,
        frame: &mut Packet<'_>,
        vni: u32,
        neighbours: &dyn Neighbours,
    ) -> Option<Event> {
        let (header, packet) = ethernet::Header::parse(frame.bytes()).ok()?;
        let router = header.destination();
        let entry = self.fdb.find(&Key { mac: router, vni })?;
        if !entry.flags().contains(EntryFlags::ROUTER) || router.is_multicast() {
            return None;
        }
        // Only the fixed header has to be there. What follows a VLAN tag is not looked at.
        let target = match header.ethertype() {
            EtherType::IPV4 => IpAddr::V4(ipv4::Header::split(packet).ok()?.0.destination()),
            EtherType::IPV6 => IpAddr::V6(ipv6::Header::split(packet).ok()?.0.destination()),
            _ => return None,
        };
        let neighbour = match neighbours.look_up(target) {
            Lookup::Found(neighbour) => neighbour,
            Lookup::Unknown => return self.l3_miss(target),
            Lookup::NoTable => return None,
        };
        if neighbour.mac == router {
            return None;
        }
        entry.touch_used(now);
        if let Ok((header, _)) = ethernet::Header::split_mut(frame.bytes_mut()) {
            header.set_source(router);
            header.set_destination(neighbour.mac);
            // The network that its sender is learned in, should it come back: none, on a device
            // that has but one (`default_vni`).
            frame.short_circuited = Some(if self.config.is_external() {
                Vni::truncate(vni)
            } else {
                Vni::MIN
            });
        }
        None
    }
}
