//! A thread for what waits for the disk.

use core::fmt;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use super::super::super::refusal::Refusal;
use super::{After, Ticket};

/// The exit status when there is no thread.
const FAILED: u8 = 1;

type Done = Result<After, Refusal>;

/// Something that is done beside the loop, and what the loop has to do behind it.
pub(crate) struct Errand(Option<Box<dyn FnOnce() -> Done + Send>>);

impl Errand {
    pub(crate) fn new(errand: impl FnOnce() -> Done + Send + 'static) -> Self {
        Self(Some(Box::new(errand)))
    }

    /// The errand; nothing is left to do here.
    pub(super) const fn take(&mut self) -> Self {
        Self(self.0.take())
    }

    fn run(self) -> Done {
        self.0.map_or(Ok(After::Nothing), |errand| errand())
    }
}

impl fmt::Debug for Errand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Errand").finish_non_exhaustive()
    }
}

/// The thread, which starts with the first errand and does one after the other.
#[derive(Debug)]
pub(super) struct Aside {
    running: Option<Running>,
    /// Readable when something is done.
    news: UnixStream,
    waker: UnixStream,
}

#[derive(Debug)]
struct Running {
    errands: Sender<(Ticket, Errand)>,
    outcomes: Receiver<(Ticket, Done)>,
    thread: JoinHandle<()>,
}

impl Aside {
    pub(super) fn new() -> io::Result<Self> {
        let (news, waker) = UnixStream::pair()?;
        news.set_nonblocking(true)?;
        // When it is full, there are news enough.
        waker.set_nonblocking(true)?;
        Ok(Self {
            running: None,
            news,
            waker,
        })
    }

    pub(super) fn news(&self) -> BorrowedFd<'_> {
        self.news.as_fd()
    }

    /// Has an errand done.
    pub(super) fn start(&mut self, ticket: Ticket, errand: Errand) -> Result<(), Refusal> {
        let failed = |error: &dyn fmt::Display| {
            Refusal::said(FAILED, format!("vtep: a thread for files: {error}"))
        };
        let running = match self.running.take() {
            Some(running) => running,
            None => Running::start(&self.waker).map_err(|error| failed(&error))?,
        };
        let sent = running.errands.send((ticket, errand));
        self.running = Some(running);
        sent.map_err(|_| failed(&"it has ended"))
    }

    /// What has been done since the last call.
    pub(super) fn finished(&self) -> Vec<(Ticket, Done)> {
        let mut bytes = [0; 64];
        while matches!((&self.news).read(&mut bytes), Ok(1..)) {}
        let running = self.running.as_ref();
        running.map_or_else(Vec::new, |running| running.outcomes.try_iter().collect())
    }

    /// Waits for what is being done.
    pub(super) fn close(&mut self) {
        if let Some(running) = self.running.take() {
            drop(running.errands);
            // Nothing in it panics.
            let _ = running.thread.join();
        }
    }
}

impl Running {
    fn start(waker: &UnixStream) -> io::Result<Self> {
        let mut waker = waker.try_clone()?;
        let (errands, todo) = channel::<(Ticket, Errand)>();
        let (done, outcomes) = channel();
        let thread = thread::Builder::new().name("files".into()).spawn(move || {
            for (ticket, errand) in todo {
                if done.send((ticket, errand.run())).is_err() {
                    return;
                }
                let _ = waker.write(&[0]);
            }
        })?;
        Ok(Self {
            errands,
            outcomes,
            thread,
        })
    }
}
