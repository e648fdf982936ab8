//! What takes longer than frames should wait: done piece by piece in the loop, and by a thread as
//! far as that waits for the disk.

mod aside;
mod departure;
mod salt;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io;
use std::os::fd::BorrowedFd;

use aside::Aside;
pub(crate) use aside::Errand;
pub(crate) use departure::Departing;
use salt::Reseeding;
pub(super) use salt::guard;
use vxlan_core::Instant;

use super::super::fdb::{Flush, Loading, Saving};
use super::super::link::Exporting;
use super::super::refusal::Refusal;
use super::{Audience, Devices};

/// How many places of entries a piece looks at, at most.
pub(crate) const PIECE: u32 = 1_024;

/// The number of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Work {
    /// Entries are flushed.
    Flush(Flush),
    /// A table goes to a file.
    Save(Saving),
    /// A table comes from a file.
    Load(Loading),
    /// A device goes down or away.
    Depart(Box<Departing>),
    /// Devices become commands.
    Export(Exporting),
    /// A table is placed by another salt.
    Reseed(Reseeding),
    /// Something waits for the disk.
    Errand(Errand),
}

/// What there is to do when an errand is done.
#[derive(Debug)]
pub(crate) enum After {
    /// Nothing: that was all.
    Nothing,
    /// This is to be printed, piece by piece.
    Print(VecDeque<String>),
    /// The loop goes on with it.
    Work(Box<Work>),
}

/// The end of a job: what is to be printed, or why it was refused.
pub(crate) type Outcome = Result<VecDeque<String>, Refusal>;

/// What a piece of work came to.
#[derive(Debug)]
pub(crate) enum Progress {
    /// There is more to do.
    More,
    /// The rest waits for the disk.
    Aside(Errand),
    /// That was all.
    Done(Result<(), Refusal>),
}

/// Jobs in the order in which they were asked for. Like requests to the kernel, which holds a lock
/// meanwhile, one after the other; but for those that wait for the disk.
#[derive(Debug)]
pub(crate) struct Jobs {
    given: u64,
    queue: VecDeque<(Ticket, Work)>,
    aside: Aside,
    done: Vec<(Ticket, Outcome)>,
    /// When a table got another salt.
    salted: Option<Instant>,
}

impl Jobs {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            given: 0,
            queue: VecDeque::new(),
            aside: Aside::new()?,
            done: Vec::new(),
            salted: None,
        })
    }

    /// Has something done. Its end is told by [`finished`](Self::finished).
    pub(crate) fn push(&mut self, work: Work) -> Ticket {
        self.given += 1;
        let ticket = Ticket(self.given);
        self.queue.push_back((ticket, work));
        ticket
    }

    /// Whether there is something to do that waits for nothing.
    pub(super) fn is_ready(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Readable when something that waited for the disk goes on.
    pub(super) fn news(&self) -> BorrowedFd<'_> {
        self.aside.news()
    }

    /// What is done since the last call.
    pub(super) fn finished(&mut self) -> Vec<(Ticket, Outcome)> {
        core::mem::take(&mut self.done)
    }

    /// Waits until nothing is being written any more.
    pub(super) fn close(&mut self) {
        self.aside.close();
    }

    /// Takes back what has been done beside the loop.
    pub(super) fn collect(&mut self) {
        for (ticket, outcome) in self.aside.finished() {
            match outcome {
                // It was waited for, so it is first.
                Ok(After::Work(work)) => self.queue.push_front((ticket, *work)),
                Ok(After::Nothing) => self.done.push((ticket, Ok(VecDeque::new()))),
                Ok(After::Print(text)) => self.done.push((ticket, Ok(text))),
                Err(refusal) => self.done.push((ticket, Err(refusal))),
            }
        }
    }
}

/// Does one piece of the first job.
pub(super) fn step(devices: &mut Devices, audience: &mut Audience<'_>) {
    let Some((ticket, mut work)) = devices.jobs.queue.pop_front() else {
        return;
    };
    let progress = match &mut work {
        Work::Flush(flush) => flush.step(devices, audience),
        Work::Save(saving) => saving.step(devices),
        Work::Load(loading) => loading.step(devices, audience),
        Work::Depart(departing) => departing.step(devices, audience),
        Work::Export(exporting) => exporting.step(devices),
        Work::Reseed(reseeding) => reseeding.step(devices),
        Work::Errand(errand) => Progress::Aside(errand.take()),
    };
    let jobs = &mut devices.jobs;
    match progress {
        Progress::More => jobs.queue.push_front((ticket, work)),
        Progress::Aside(errand) => {
            if let Err(refusal) = jobs.aside.start(ticket, errand) {
                jobs.done.push((ticket, Err(refusal)));
            }
        }
        Progress::Done(outcome) => {
            let nothing = outcome.map(|()| VecDeque::new());
            jobs.done.push((ticket, nothing));
        }
    }
}
