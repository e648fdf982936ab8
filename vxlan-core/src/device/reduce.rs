//! Proxy: a frame that asks for a neighbour is answered here and goes no further.

use core::net::IpAddr;

use crate::fdb::{Flags as EntryFlags, Key, Storage};
use crate::neighbour::{Lookup, Neighbour, Neighbours};
use crate::wire::ethernet::{self, EtherType};
use crate::wire::ndisc::Advertisement;
use crate::wire::{Error, arp};
use crate::{Device, DropReason, Event, Flags, Mac, Packet, Vni, Worker};

use super::receive::{Metadata, PacketType};
use super::transmit::Egress;

/// What a neighbour would have answered.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answer {
    /// The one who asks, and what the answer is.
    Arp(arp::Request, Mac),
    Ndisc(Advertisement),
}

/// Why there is no answer. The frame is gone all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Silence {
    Nothing,
    /// Nobody has this address.
    Miss(IpAddr),
    Truncated,
}

impl Answer {
    const fn len(&self) -> usize {
        match self {
            Self::Arp(..) => arp::Request::REPLY_LEN,
            Self::Ndisc(_) => Advertisement::FRAME_LEN,
        }
    }

    const fn protocol(&self) -> EtherType {
        match self {
            Self::Arp(..) => EtherType::ARP,
            Self::Ndisc(_) => EtherType::IPV6,
        }
    }

    fn write(&self, out: &mut [u8]) -> Result<usize, Error> {
        match self {
            Self::Arp(request, mac) => request.write_reply(*mac, out),
            Self::Ndisc(advertisement) => advertisement.write(out),
        }
    }
}

impl<S: Storage> Device<S> {
    /// Whether the device answers ARP requests at all (the opposite of `IFF_NOARP`).
    #[must_use]
    pub const fn arp(&self) -> bool {
        self.arp
    }

    /// Has the device answer ARP requests, or swallow them; at first it answers (`ip link set dev
    /// DEV arp on|off`). Only a [proxy](crate::Config::proxy) is asked. Neighbour solicitations do
    /// not mind.
    pub const fn set_arp(&mut self, on: bool) {
        self.arp = on;
    }

    /// What becomes of a frame that asks for a neighbour; `None` for any other frame.
    pub(super) fn reduce(
        &self,
        worker: &mut Worker,
        frame: &mut Packet<'_>,
        vni: u32,
        neighbours: &dyn Neighbours,
        miss: &mut Option<Event>,
    ) -> Option<Egress<'_>> {
        let (ethernet, payload) = ethernet::Header::parse(frame.bytes()).ok()?;
        let answer = match ethernet.ethertype() {
            EtherType::ARP => self.arp_reduce(worker, payload, vni, neighbours),
            EtherType::IPV6 => {
                self.neigh_reduce(worker, frame.checksum, &ethernet, payload, vni, neighbours)?
            }
            _ => return None,
        };
        Some(match answer {
            Ok(answer) => self.answer(worker, frame, vni, &answer),
            Err(Silence::Nothing) => Egress::Consumed,
            Err(Silence::Miss(address)) => {
                *miss = self.l3_miss(address);
                Egress::Consumed
            }
            Err(Silence::Truncated) => self.unanswered(worker, vni, DropReason::ArpTruncated),
        })
    }

    /// Counts a question that ends here.
    fn unanswered(&self, worker: &mut Worker, vni: u32, reason: DropReason) -> Egress<'_> {
        self.count_unsent(vni, reason);
        Egress::Drop(worker.tx_dropped(reason), None)
    }

    fn answer(
        &self,
        worker: &mut Worker,
        frame: &mut Packet<'_>,
        vni: u32,
        answer: &Answer,
    ) -> Egress<'_> {
        let room = frame.renew(answer.len()).ok();
        if room.is_none_or(|room| answer.write(room).is_err()) {
            return self.unanswered(worker, vni, DropReason::NoHeadroom);
        }
        Egress::Reply(Metadata {
            vni: Vni::truncate(vni),
            packet_type: PacketType::Host,
            protocol: answer.protocol(),
            odd_ecn: false,
        })
    }

    /// The neighbour that has `address`, if it may be answered for, and whether its entry is that
    /// of a router. One that the FDB has behind the local bridge answers for itself.
    pub(super) fn answers_for(
        &self,
        worker: &Worker,
        address: IpAddr,
        vni: u32,
        neighbours: &dyn Neighbours,
    ) -> Result<(Neighbour, bool), Silence> {
        let neighbour = match neighbours.look_up(address) {
            Lookup::Found(neighbour) => neighbour,
            Lookup::Unknown => return Err(Silence::Miss(address)),
            Lookup::NoTable => return Err(Silence::Nothing),
        };
        if !neighbour.state.intersects(Neighbour::CONNECTED) {
            return Err(Silence::Nothing);
        }
        let mac = neighbour.mac;
        let Some(entry) = self.fdb.find(&Key { mac, vni }) else {
            return Ok((neighbour, false));
        };
        entry.touch_used(worker.now);
        // An entry with a nexthop object has no remote.
        let first = entry.first_remote();
        if first.is_some_and(|remote| remote.addr.is_unspecified()) {
            return Err(Silence::Nothing);
        }
        Ok((neighbour, entry.flags().contains(EntryFlags::ROUTER)))
    }

    /// What to tell about an address that is no neighbour's.
    pub(super) fn l3_miss(&self, address: IpAddr) -> Option<Event> {
        let tell = self.config.flags().contains(Flags::L3MISS);
        tell.then_some(Event::L3Miss(address))
    }
}
