//! The side that changes the tables.

use core::mem;

use vxlan_core::device::Snooped;
use vxlan_core::fdb::{Key, Storage};
use vxlan_core::{Device, Event, Instant};

use super::sync::{Arc, AtomicU64, Ordering, Published, Receiver, wait};

/// The only one who changes the device.
///
/// Every change waits for the readers that still hold the copy before it. A thread that has a
/// [`Current`](super::Current) must let go of it before it changes anything, or it waits for itself.
#[derive(Debug)]
pub struct Writer<S> {
    published: Arc<Published<Device<S>>>,
    /// The other copy; nobody else has it between two changes.
    spare: Arc<Device<S>>,
    receiver: Receiver<(Instant, Snooped)>,
    missed: Arc<AtomicU64>,
    /// What is being learned at once; kept for its memory.
    batch: Vec<(Instant, Snooped)>,
}

/// How much is learned between two publications.
const BATCH: usize = 1024;

impl<S> Writer<S> {
    pub(super) const fn new(
        published: Arc<Published<Device<S>>>,
        spare: Arc<Device<S>>,
        receiver: Receiver<(Instant, Snooped)>,
        missed: Arc<AtomicU64>,
    ) -> Self {
        Self {
            published,
            spare,
            receiver,
            missed,
            batch: Vec::new(),
        }
    }

    /// How many packets had something to learn that did not fit into the queue.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }

    /// The device, to look at: for dumps and everything that only the writer asks for. Its times
    /// are those of [`merge_times`](Self::merge_times).
    #[must_use]
    pub fn device(&self) -> &Device<S> {
        &self.spare
    }

    /// Changes the device. Readers see all of the change or nothing of it.
    ///
    /// `change` is called twice, once for each copy, and has to do the same both times: what it
    /// decides must follow from its captures and the device alone, times of entries excepted. What
    /// it returns the first time is returned; tell about it afterwards, not from within. Should it
    /// panic, the copies may differ from then on.
    pub fn change<R>(&mut self, mut change: impl FnMut(&mut Device<S>) -> R) -> R {
        let result = exclusive(&mut self.spare, &mut change);
        self.publish();
        exclusive(&mut self.spare, &mut change);
        result
    }

    /// Makes the changed copy the published one. The other one is the spare from now on, though
    /// readers may still hold it.
    fn publish(&mut self) {
        let changed = Arc::clone(&self.spare);
        self.spare = self.published.swap(changed);
    }
}

impl<S: Storage> Writer<S> {
    /// Learns what readers have handed over by now and tells what came of it; how many packets
    /// that was. Call it often: between two calls the queue must hold all that is new.
    pub fn learn(&mut self, mut tell: impl FnMut(Event)) -> usize {
        let mut learned = 0;
        loop {
            let mut batch = mem::take(&mut self.batch);
            batch.extend(core::iter::from_fn(|| self.receiver.pop()).take(BATCH));
            let count = batch.len();
            if count > 0 {
                let events: Vec<Event> = self.change(|device| {
                    let commit =
                        |(now, snooped): &(Instant, Snooped)| device.commit(*now, *snooped);
                    batch.iter().filter_map(commit).collect()
                });
                events.into_iter().for_each(&mut tell);
            }
            batch.clear();
            self.batch = batch;
            learned += count;
            if count < BATCH {
                return learned;
            }
        }
    }

    /// Removes what has grown old ([`Device::age`]) and says when to call it again.
    ///
    /// An entry is as old as the younger of its two times. One that is used in the very moment in
    /// which it goes is learned again by the next packet.
    pub fn age(&mut self, now: Instant, mut tell: impl FnMut(Event)) -> Instant {
        self.merge_times();
        let (events, next) = exclusive(&mut self.spare, &mut |device: &mut Device<S>| {
            let mut aged = device.age(now);
            let events: Vec<Event> = aged.by_ref().collect();
            (events, aged.next_sweep())
        });
        // The other copy has seen packets meanwhile; what goes there follows from what went here.
        let mut gone: Vec<Key> = events.iter().filter_map(removed).collect();
        gone.dedup();
        if !gone.is_empty() {
            self.publish();
            exclusive(&mut self.spare, &mut |device: &mut Device<S>| {
                for key in &gone {
                    // Both copies have the same entries.
                    let _ = device.fdb_mut().remove(key, None).map(Iterator::count);
                }
            });
        }
        events.into_iter().for_each(&mut tell);
        next
    }

    /// Brings together when entries were used: [`device`](Self::device) then shows the younger of
    /// the times of both copies. Walks over all entries.
    pub fn merge_times(&mut self) {
        let published = self.published.load();
        for theirs in published.fdb().entries() {
            let Some(ours) = self.spare.fdb().find(&theirs.key()) else {
                continue;
            };
            if theirs.updated() > ours.updated() {
                ours.touch_updated(theirs.updated());
            }
            if theirs.used() > ours.used() {
                ours.touch_used(theirs.used());
            }
        }
    }

    /// Both copies, the spare first: what a device counts itself is the sum of both.
    pub fn with_copies<R>(&self, look: impl FnOnce([&Device<S>; 2]) -> R) -> R {
        let published = self.published.load();
        look([&self.spare, &published])
    }
}

const fn removed(event: &Event) -> Option<Key> {
    match event {
        Event::Removed(record) => Some(record.key),
        _ => None,
    }
}

/// Works on a copy as soon as no reader holds it.
fn exclusive<T, R>(copy: &mut Arc<T>, work: &mut impl FnMut(&mut T) -> R) -> R {
    let mut turn = 0;
    loop {
        if let Some(copy) = Arc::get_mut(copy) {
            return work(copy);
        }
        wait(turn);
        turn = turn.saturating_add(1);
    }
}
