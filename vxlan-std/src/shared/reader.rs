//! The side that decides about packets.

use core::cell::Cell;
use core::ops::Deref;

use vxlan_core::device::Snooped;
use vxlan_core::fdb::Storage;
use vxlan_core::{Device, Ingress, Instant, Packet, Underlay, Worker};

use super::sync::{Arc, AtomicU64, Held, Ordering, Published, Sender};

/// A thread's way to the device. Clone one for each thread.
#[derive(Debug)]
pub struct Reader<S> {
    published: Arc<Published<Device<S>>>,
    sender: Sender<(Instant, Snooped)>,
    missed: Arc<AtomicU64>,
    /// What was handed over last: a burst of packets from a new source is one thing to learn.
    last: Cell<(Instant, Snooped)>,
}

/// The device as it is at this moment. It stays as it is while this is held, and the writer waits:
/// hold it for a packet or a batch of them.
#[derive(Debug)]
pub struct Current<S>(Held<Device<S>>);

impl<S> Deref for Current<S> {
    type Target = Device<S>;

    #[inline]
    fn deref(&self) -> &Device<S> {
        &self.0
    }
}

impl<S> Clone for Reader<S> {
    fn clone(&self) -> Self {
        Self {
            published: Arc::clone(&self.published),
            sender: self.sender.clone(),
            missed: Arc::clone(&self.missed),
            last: Cell::new((Instant::ZERO, Snooped::NOTHING)),
        }
    }
}

impl<S> Reader<S> {
    pub(super) fn new(
        published: Arc<Published<Device<S>>>,
        sender: Sender<(Instant, Snooped)>,
    ) -> Self {
        Self {
            published,
            sender,
            missed: Arc::new(AtomicU64::new(0)),
            last: Cell::new((Instant::ZERO, Snooped::NOTHING)),
        }
    }

    pub(super) fn missed(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.missed)
    }

    /// The device, to decide about frames with its `&self` methods. Takes no lock and never waits.
    #[inline]
    #[must_use]
    pub fn device(&self) -> Current<S> {
        Current(self.published.load())
    }

    /// Hands over what [`Device::receive_shared`] snooped at `now`. Never waits; false if the queue
    /// is full and it is lost.
    pub fn learn(&self, now: Instant, snooped: Snooped) -> bool {
        if snooped.is_nothing() || self.last.get() == (now, snooped) {
            return true;
        }
        let fits = self.sender.push((now, snooped));
        if fits {
            self.last.set((now, snooped));
        } else {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
        fits
    }
}

impl<S: Storage> Reader<S> {
    /// [`Device::receive`] on the shared device. What there is to learn goes to the writer, so
    /// there is never an event with the packet.
    #[inline]
    pub fn receive(
        &self,
        worker: &mut Worker,
        from: &Underlay,
        datagram: &mut Packet<'_>,
    ) -> Ingress {
        let (ingress, snooped) = self.device().receive_shared(worker, from, datagram);
        if !snooped.is_nothing() {
            self.learn(worker.now, snooped);
        }
        ingress
    }
}
