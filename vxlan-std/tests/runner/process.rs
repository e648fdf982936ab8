//! Commands that run beside a test, and what they are doing.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{PATIENCE, wait_for};

/// A command that tells what happens until it is stopped.
pub(crate) struct Monitor {
    child: Child,
    heard: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Monitor {
    /// Starts `command`, which is or runs `program`. From here on it misses nothing.
    pub(crate) fn start(mut command: Command, program: &str) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("a monitor");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let heard = Arc::new(Mutex::new(String::new()));
        let into = Arc::clone(&heard);
        let reader = thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                *into.lock().unwrap() += &(line + "\n");
            }
        });
        let monitor = Self {
            child,
            heard,
            reader: Some(reader),
        };
        wait_until_it_listens(&monitor.child, program);
        monitor
    }

    /// Waits until all that it has told is `enough`.
    pub(crate) fn wait_until(&self, what: &str, enough: impl Fn(&str) -> bool) {
        wait_for(what, PATIENCE, || {
            enough(&self.heard.lock().unwrap()).then_some(())
        });
    }

    /// Ends it; all that it has told.
    pub(crate) fn stop(mut self) -> String {
        self.end();
        if let Some(reader) = self.reader.take() {
            reader.join().expect("its last lines");
        }
        self.heard.lock().unwrap().clone()
    }

    fn end(&mut self) {
        let process = Pid::from_raw(self.child.id() as i32);
        // `timeout` hands the signal on.
        let _ = kill(process, Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        if self.reader.is_some() {
            self.end();
        }
    }
}

/// Waits until `program`, which `child` is or has started, waits for something from a socket.
///
/// A monitor does not say when it listens; from then on it does, since it has asked before it waits.
pub(crate) fn wait_until_it_listens(child: &Child, program: &str) {
    wait_for(format!("{program} to listen"), PATIENCE, || {
        let process = last_descendant(child.id());
        let name = read(process, "comm")?;
        let call = read(process, "syscall")?;
        let receives = |call: &str| {
            let number: Option<i64> = call.split(' ').next()?.parse().ok();
            Some(matches!(
                number?,
                nix::libc::SYS_recvfrom | nix::libc::SYS_recvmsg
            ))
        };
        (name.trim() == program && receives(&call)?).then_some(())
    });
}

/// `ip netns exec` and `timeout` run others, one each.
fn last_descendant(process: u32) -> u32 {
    let children = format!("task/{process}/children");
    let children = read(process, &children).unwrap_or_default();
    let child = children.split_whitespace().next();
    match child.and_then(|child| child.parse().ok()) {
        Some(child) => last_descendant(child),
        None => process,
    }
}

fn read(process: u32, file: &str) -> Option<String> {
    fs::read_to_string(format!("/proc/{process}/{file}")).ok()
}
