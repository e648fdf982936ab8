//! Overlay to underlay, first half: where does a frame go?

use core::iter::Chain;
use core::option;

use crate::fdb::{self, Entry, Key, NexthopId, Remote, Storage};
use crate::wire::ethernet;
use crate::{Device, DropReason, Event, Flags, Mac, Neighbours, NoNeighbours, Packet, Worker, mdb};

use super::receive::Metadata;

/// A device with none of these does nothing but forward.
const MORE_THAN_FORWARDING: Flags = Flags::COLLECT_METADATA
    .union(Flags::PROXY)
    .union(Flags::RSC);

/// What to do with a frame from the overlay.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Egress<'d> {
    /// Encapsulate it for each of these remotes, in this order.
    Forward(Remotes<'d>),
    /// Encapsulate it for each of these remotes of the multicast database, in this order.
    Multicast(mdb::Copies<'d>),
    /// Encapsulate it for one path of this nexthop object: [`Device::remote_in`] chooses as Linux
    /// does, or choose by other means and make a remote of the gateway with
    /// [`Device::remote_via`]. Without a usable path call [`Device::drop_without_path`].
    Nexthop(NexthopId),
    /// Encapsulate it by the tunnel metadata beside it, with [`Device::encapsulate_by_info`].
    Tunnel,
    /// The packet now is what a neighbour would have answered: hand it to the stack above this
    /// device, as if received on it. Nothing is counted, unless that stack refuses it (`rx_dropped`).
    /// Only from a [proxy](crate::Config::proxy).
    Reply(Metadata),
    /// It asked for a neighbour and ends here without an answer and without being counted. Only
    /// from a [proxy](crate::Config::proxy).
    Consumed,
    /// It ends here; already counted. A miss may be worth telling.
    Drop(DropReason, Option<Event>),
}

/// The remotes a frame goes to, in the order in which Linux sends the copies: all but the first,
/// then the first, which gets the original.
#[derive(Clone, Debug)]
pub struct Remotes<'d> {
    order: Chain<fdb::Remotes<'d>, option::IntoIter<&'d Remote>>,
}

impl<'d> Remotes<'d> {
    fn new(entry: &Entry<'d>) -> Self {
        let mut rest = entry.remotes();
        let first = rest.next();
        Self {
            order: rest.chain(first),
        }
    }
}

impl<'d> Iterator for Remotes<'d> {
    type Item = &'d Remote;

    #[inline]
    fn next(&mut self) -> Option<&'d Remote> {
        self.order.next()
    }
}

impl<S: Storage> Device<S> {
    /// Decides where a frame from the overlay goes. Changes no table; the entry that is hit
    /// remembers that it was used. Kernel: `vxlan_xmit()`.
    ///
    /// `frame` starts at its Ethernet header. Its flow hash is computed unless it is there, so
    /// that all copies leave with the same source port. A device that asks for neighbours is told
    /// here that there is no neighbour table; see [`transmit_with`](Self::transmit_with).
    ///
    /// ```
    /// use vxlan_core::{Config, Device, Egress, Instant, Mac, Packet, Vni, Worker, fdb};
    ///
    /// let config = Config::new(Vni::MIN).remote("192.0.2.2".parse()?);
    /// let mac = Mac::new([2, 0, 0, 0, 0, 1]);
    /// let mut device = Device::new(config, mac, fdb::Fixed::<16, 16, 16>::new(), Instant::ZERO)?;
    /// device.set_up(true);
    /// let mut buffer = [0xff; 160];
    /// let mut frame = Packet::new(&mut buffer, 100, 60)?;
    /// let mut worker = Worker::new(Instant::ZERO);
    /// let Egress::Forward(mut remotes) = device.transmit(&mut worker, &mut frame) else {
    ///     panic!("unknown destinations go to the default remote");
    /// };
    /// assert!(remotes.next().is_some_and(|remote| remote.port == 8472));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    pub fn transmit(&self, worker: &mut Worker, frame: &mut Packet<'_>) -> Egress<'_> {
        if !self.is_up() {
            worker.stats.count_drop(DropReason::DeviceDown);
            return Egress::Drop(DropReason::DeviceDown, None);
        }
        if self.config.flags().intersects(MORE_THAN_FORWARDING) {
            return self.transmit_alone(worker, frame);
        }
        self.forward(worker, frame, self.config.vni().get())
    }

    /// The same for a device that asks for neighbours: a [proxy](crate::Config::proxy) or one with
    /// [route short-circuit](crate::Config::route_short_circuit). Besides what to do it returns
    /// an [`Event::L3Miss`] worth telling.
    ///
    /// A short-circuited frame has other MAC addresses afterwards.
    ///
    /// ```
    /// use core::net::IpAddr;
    /// use vxlan_core::neighbour::{Lookup, Neighbour};
    /// use vxlan_core::{Config, Device, Egress, Instant, Mac, Packet, Vni, Worker, fdb};
    ///
    /// let config = Config::new(Vni::MIN).remote("192.0.2.2".parse()?).proxy(true);
    /// let mac = Mac::new([2, 0, 0, 0, 0, 1]);
    /// let mut device = Device::new(config, mac, fdb::Fixed::<16, 16, 16>::new(), Instant::ZERO)?;
    /// device.set_up(true);
    ///
    /// let mut bytes = [0; 42];
    /// bytes[..6].fill(0xff);
    /// bytes[12..22].copy_from_slice(&[8, 6, 0, 1, 8, 0, 6, 4, 0, 1]); // ARP: who has ..
    /// bytes[38..].copy_from_slice(&[10, 0, 0, 7]);
    /// let mut frame = Packet::new(&mut bytes, 0, 42)?;
    /// let mut worker = Worker::new(Instant::ZERO);
    /// let seven = Neighbour::permanent(Mac::new([2, 0, 0, 0, 0, 7]));
    /// let table = |address: IpAddr| {
    ///     Lookup::from((address == IpAddr::from([10, 0, 0, 7])).then_some(seven))
    /// };
    /// let (egress, _miss) = device.transmit_with(&mut worker, &mut frame, &table);
    /// assert!(matches!(egress, Egress::Reply(_)));
    /// assert_eq!(frame.bytes()[22..28], [2, 0, 0, 0, 0, 7]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn transmit_with(
        &self,
        worker: &mut Worker,
        frame: &mut Packet<'_>,
        neighbours: &dyn Neighbours,
    ) -> (Egress<'_>, Option<Event>) {
        if !(self.is_up() && self.config.flags().intersects(MORE_THAN_FORWARDING)) {
            return (self.transmit(worker, frame), None);
        }
        let mut miss = None;
        let egress = self.transmit_more(worker, frame, neighbours, &mut miss);
        (egress, miss)
    }

    /// Few arguments: the call stands in the way of frames that only need forwarding.
    #[cold]
    #[inline(never)]
    fn transmit_alone(&self, worker: &mut Worker, frame: &mut Packet<'_>) -> Egress<'_> {
        self.transmit_more(worker, frame, &NoNeighbours, &mut None)
    }

    fn transmit_more(
        &self,
        worker: &mut Worker,
        frame: &mut Packet<'_>,
        neighbours: &dyn Neighbours,
        miss: &mut Option<Event>,
    ) -> Egress<'_> {
        match self.before_fdb(worker, frame, neighbours, miss) {
            Ok(vni) => self.forward(worker, frame, vni),
            Err(end) => end,
        }
    }

    /// What the FDB says.
    // Always, for the second caller would take the inlining away from the first, which is hot.
    #[inline(always)]
    fn forward(&self, worker: &mut Worker, frame: &mut Packet<'_>, vni: u32) -> Egress<'_> {
        let Ok((header, _)) = ethernet::Header::parse(frame.bytes()) else {
            let reason = worker.tx_dropped(DropReason::InnerHeaderTruncated);
            return Egress::Drop(reason, None);
        };
        if frame.flow_hash().is_none() {
            let hash = self.flow_hasher.frame(frame.bytes());
            frame.set_flow_hash(hash);
        }
        let destination = header.destination();
        if self.fdb.storage().has_mdb()
            && destination.is_multicast()
            && let Some(egress) = self.transmit_to_group(worker, frame, vni)
        {
            return egress;
        }
        let key = |mac| Key { mac, vni };
        let entry = match self.fdb.find(&key(destination)) {
            Some(entry) => entry,
            None => match self.fdb.find(&key(Mac::ZERO)) {
                Some(entry) => entry,
                None => {
                    if self.config.is_external() {
                        self.count_unsent(vni, DropReason::NoRemote);
                    }
                    return self.no_remote(worker, destination);
                }
            },
        };
        entry.touch_used(worker.now);
        match entry.nexthop() {
            None => Egress::Forward(Remotes::new(&entry)),
            Some(id) => Egress::Nexthop(id),
        }
    }

    /// All that comes before the FDB is asked: the network to ask it about, or an end.
    fn before_fdb(
        &self,
        worker: &mut Worker,
        frame: &mut Packet<'_>,
        neighbours: &dyn Neighbours,
        miss: &mut Option<Event>,
    ) -> Result<u32, Egress<'_>> {
        let flags = self.config.flags();
        let mut vni = self.config.vni().get();
        let mut nexthop = None;
        let proxy_first = self.config.compat().proxy_first;
        frame.short_circuited = None;
        if proxy_first
            && flags.contains(Flags::PROXY)
            && let Some(end) = self.reduce(worker, frame, vni, neighbours, miss)
        {
            return Err(end);
        }
        if flags.contains(Flags::COLLECT_METADATA) {
            match &frame.tunnel {
                None => {
                    worker.stats.count_drop(DropReason::NoTunnelInfo);
                    return Err(Egress::Drop(DropReason::NoTunnelInfo, None));
                }
                Some(info) if !info.bridge => return Err(Egress::Tunnel),
                Some(info) => (vni, nexthop) = (info.vni, info.nexthop),
            }
        }
        if !proxy_first
            && flags.contains(Flags::PROXY)
            && let Some(end) = self.reduce(worker, frame, vni, neighbours, miss)
        {
            return Err(end);
        }
        if let Some(id) = nexthop {
            return Err(Egress::Nexthop(id));
        }
        if flags.contains(Flags::RSC) {
            *miss = self.route_shortcircuit(worker.now, frame, vni, neighbours);
        }
        Ok(vni)
    }

    #[cold]
    fn no_remote(&self, worker: &mut Worker, destination: Mac) -> Egress<'_> {
        let tell = self.config.flags().contains(Flags::L2MISS) && !destination.is_multicast();
        let reason = worker.tx_dropped(DropReason::NoRemote);
        Egress::Drop(reason, tell.then_some(Event::L2Miss(destination)))
    }
}
