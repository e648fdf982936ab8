//! A connection to the control socket, as the daemon sees it. Nothing here waits for the other
//! end.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::Backlog;
use super::frame::{Kind, Parsed, chunk, parse};

/// How long a request may take to arrive.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the reader of an answer may pause. Somebody may be reading it page by page.
const PAUSE: Duration = Duration::from_secs(600);
/// Answers are made when fewer bytes than this wait.
const LOW: usize = 1 << 16;

/// A connection.
#[derive(Debug)]
pub(crate) struct Peer<J, T, W> {
    stream: UnixStream,
    stage: Stage<J, T, W>,
    out: Vec<u8>,
    sent: usize,
    deadline: Option<Instant>,
}

/// How far a connection is.
#[derive(Debug)]
enum Stage<J, T, W> {
    /// The request is arriving.
    Asking(Vec<u8>),
    /// The answer is made bit by bit.
    Answering(J),
    /// Somebody else works on it.
    Waiting(T),
    /// Events are told as they happen.
    Watching(W, Backlog),
    /// The answer is complete.
    Ending,
}

impl<J, T, W> Peer<J, T, W> {
    /// A connection that has just been made.
    pub(crate) fn new(stream: UnixStream) -> Self {
        Self {
            stream,
            stage: Stage::Asking(Vec::new()),
            out: Vec::new(),
            sent: 0,
            deadline: Some(Instant::now() + PATIENCE),
        }
    }

    /// Whether to wait until something can be read; what is read while an answer is on its way
    /// is the end of the connection.
    pub(crate) const fn reads(&self) -> bool {
        matches!(self.stage, Stage::Asking(_) | Stage::Watching(..))
    }

    /// Whether to wait until something can be written.
    pub(crate) fn writes(&self) -> bool {
        match &self.stage {
            Stage::Asking(_) => false,
            Stage::Waiting(_) => !self.is_flushed(),
            Stage::Watching(_, backlog) => !self.is_flushed() || !backlog.is_empty(),
            Stage::Answering(_) | Stage::Ending => true,
        }
    }

    /// When to give up.
    pub(crate) const fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// The answer that is being made, if there is room for more of it.
    pub(crate) const fn job(&mut self) -> Option<&mut J> {
        match &mut self.stage {
            Stage::Answering(job) if self.out.len() - self.sent < LOW => Some(job),
            _ => None,
        }
    }

    /// What is being waited for.
    pub(crate) const fn waits_for(&self) -> Option<&T> {
        match &self.stage {
            Stage::Waiting(what) => Some(what),
            _ => None,
        }
    }

    /// The events that are told and those that wait.
    pub(crate) const fn watch(&mut self) -> Option<(&W, &mut Backlog)> {
        match &mut self.stage {
            Stage::Watching(watch, backlog) => Some((watch, backlog)),
            _ => None,
        }
    }

    /// Reads what there is. The words, once they are complete.
    ///
    /// # Errors
    /// The connection is of no use any more.
    pub(crate) fn read(&mut self) -> io::Result<Option<Vec<String>>> {
        let mut bytes = [0; 4096];
        loop {
            let count = match self.stream.read(&mut bytes) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
            };
            let Stage::Asking(request) = &mut self.stage else {
                return Err(ErrorKind::InvalidData.into());
            };
            request.extend(bytes.iter().take(count));
            match parse(request) {
                Parsed::Partial => {}
                Parsed::Words(words) => return Ok(Some(words)),
                Parsed::Broken => return Err(ErrorKind::InvalidData.into()),
            }
        }
    }

    /// Adds text for the standard output.
    pub(crate) fn output(&mut self, text: &str) {
        if !text.is_empty() {
            chunk(&mut self.out, Kind::Output, text.as_bytes());
        }
    }

    /// Adds a line for the standard error stream.
    pub(crate) fn error(&mut self, line: &str) {
        chunk(&mut self.out, Kind::Error, format!("{line}\n").as_bytes());
    }

    /// The answer is complete.
    pub(crate) fn exit(&mut self, status: u8) {
        chunk(&mut self.out, Kind::Exit, &[status]);
        self.stage = Stage::Ending;
        self.deadline = Some(Instant::now() + PAUSE);
    }

    /// The answer is made bit by bit.
    pub(crate) fn answer(&mut self, job: J) {
        self.stage = Stage::Answering(job);
        self.deadline = Some(Instant::now() + PAUSE);
    }

    /// The answer comes when something is done.
    pub(crate) fn wait_for(&mut self, what: T) {
        self.stage = Stage::Waiting(what);
        self.deadline = None;
    }

    /// Tells the other end that it may take a while.
    pub(crate) fn hold(&mut self) {
        chunk(&mut self.out, Kind::Wait, b"");
    }

    /// Events are told from now on.
    pub(crate) fn watch_from_now(&mut self, watch: W, backlog: Backlog) {
        chunk(&mut self.out, Kind::Wait, b"");
        self.stage = Stage::Watching(watch, backlog);
        self.deadline = None;
    }

    /// Writes what the other end takes. False when all is said.
    ///
    /// # Errors
    /// The connection is of no use any more.
    pub(crate) fn write(&mut self) -> io::Result<bool> {
        loop {
            if self.is_flushed() {
                self.out.clear();
                self.sent = 0;
                self.refill();
            }
            let waiting = self.out.get(self.sent..).unwrap_or_default();
            if waiting.is_empty() {
                return Ok(!matches!(self.stage, Stage::Ending));
            }
            match self.stream.write(waiting) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => {
                    self.sent += count;
                    if self.deadline.is_some() {
                        self.deadline = Some(Instant::now() + PAUSE);
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
                Err(error) => return Err(error),
            }
        }
    }

    fn is_flushed(&self) -> bool {
        self.sent == self.out.len()
    }

    /// Takes events that wait.
    fn refill(&mut self) {
        let Stage::Watching(_, backlog) = &mut self.stage else {
            return;
        };
        let (lost, lines) = (backlog.take_lost(), backlog.take(LOW));
        if lost > 0 {
            self.error(&format!("vtep: {lost} events lost"));
        }
        self.output(&lines);
    }
}

impl<J, T, W> AsFd for Peer<J, T, W> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
