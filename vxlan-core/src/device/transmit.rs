//! Overlay to underlay, first half: where does a frame go?

use core::iter::Chain;
use core::option;

use crate::fdb::{self, Entry, Key, NexthopId, Remote, Storage};
use crate::wire::ethernet;
use crate::{Device, DropReason, Event, Flags, Mac, Packet, Worker};

/// What to do with a frame from the overlay.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Egress<'d> {
    /// Encapsulate it for each of these remotes, in this order.
    Forward(Remotes<'d>),
    /// Encapsulate it for one path of this nexthop object. Choose the path by the frame's
    /// [flow hash](Packet::flow_hash) shifted right by one, as Linux does, and make a remote of
    /// its gateway with [`Device::remote_via`]; without a usable path call
    /// [`Device::drop_without_path`].
    Nexthop(NexthopId),
    /// Encapsulate it by the tunnel metadata beside it, with [`Device::encapsulate_by_info`].
    Tunnel,
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
    /// that all copies leave with the same source port.
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
        let mut vni = self.config.vni().get();
        if self.config.is_external() {
            match &frame.tunnel {
                None => {
                    worker.stats.count_drop(DropReason::NoTunnelInfo);
                    return Egress::Drop(DropReason::NoTunnelInfo, None);
                }
                Some(info) if !info.bridge => return Egress::Tunnel,
                Some(info) => {
                    vni = info.vni;
                    if let Some(id) = info.nexthop {
                        return Egress::Nexthop(id);
                    }
                }
            }
        }
        let Ok((header, _)) = ethernet::Header::parse(frame.bytes()) else {
            let reason = worker.tx_dropped(DropReason::InnerHeaderTruncated);
            return Egress::Drop(reason, None);
        };
        if frame.flow_hash().is_none() {
            let hash = self.flow_hasher.frame(frame.bytes());
            frame.set_flow_hash(hash);
        }
        let destination = header.destination();
        let key = |mac| Key { mac, vni };
        let entry = match self.fdb.find(&key(destination)) {
            Some(entry) => entry,
            None => match self.fdb.find(&key(Mac::ZERO)) {
                Some(entry) => entry,
                None => return self.no_remote(worker, destination),
            },
        };
        entry.touch_used(worker.now);
        match entry.nexthop() {
            None => Egress::Forward(Remotes::new(&entry)),
            Some(id) => Egress::Nexthop(id),
        }
    }

    #[cold]
    fn no_remote(&self, worker: &mut Worker, destination: Mac) -> Egress<'_> {
        let tell = self.config.flags().contains(Flags::L2MISS) && !destination.is_multicast();
        let reason = worker.tx_dropped(DropReason::NoRemote);
        Egress::Drop(reason, tell.then_some(Event::L2Miss(destination)))
    }
}
