//! The standard output of `vtep run`, which may be read slowly or by nobody.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::super::control::Backlog;

/// How many bytes may wait.
const ROOM: usize = 1 << 20;
/// How many bytes are written at once.
const PART: usize = 1 << 14;
/// How long the end waits for the reader.
const PATIENCE: Duration = Duration::from_secs(2);

/// Lines for the standard output, written by a thread of their own. When the reader is too slow
/// the oldest are lost, and the error stream says how many.
#[derive(Debug)]
pub(super) struct Sink(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    backlog: Backlog,
    closed: bool,
    done: bool,
}

impl Sink {
    /// Starts the thread.
    pub(super) fn start() -> io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                backlog: Backlog::new(ROOM),
                closed: false,
                done: false,
            }),
            changed: Condvar::new(),
        });
        let sink = Self(Arc::clone(&shared));
        thread::Builder::new()
            .name("output".into())
            .spawn(move || shared.write(&mut io::stdout()))?;
        Ok(sink)
    }

    /// Adds a line, its end included. Never waits for the reader.
    pub(super) fn push(&self, line: String) {
        let mut state = self.0.lock();
        if !state.done {
            state.backlog.push(line);
            self.0.changed.notify_all();
        }
    }

    /// Waits until all is written, but not for a reader who does not read.
    pub(super) fn close(&self) {
        let mut state = self.0.lock();
        state.closed = true;
        self.0.changed.notify_all();
        let waiting = self
            .0
            .changed
            .wait_timeout_while(state, PATIENCE, |state| !state.done);
        drop(waiting);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that holds it panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, out: &mut impl Write) {
        loop {
            let mut state = self.lock();
            while state.backlog.is_empty() && !state.closed {
                state = self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            let (lost, lines) = (state.backlog.take_lost(), state.backlog.take(PART));
            let ends = lines.is_empty() && state.closed;
            drop(state);
            if lost > 0 {
                let _ = writeln!(
                    io::stderr(),
                    "vtep: {lost} lines lost: nobody read them in time"
                );
            }
            let written = out.write_all(lines.as_bytes()).and_then(|()| out.flush());
            if let Err(error) = &written {
                let _ = writeln!(io::stderr(), "vtep: standard output: {error}");
            }
            if ends || written.is_err() {
                self.lock().done = true;
                self.changed.notify_all();
                return;
            }
        }
    }
}
