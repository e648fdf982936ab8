//! A network namespace of its own for a test, and `vtep` in it.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{PATIENCE, Skip};

/// The command under test.
pub(crate) const VTEP: &str = env!("CARGO_BIN_EXE_vtep");

/// A network namespace that is removed with everything in it.
pub(crate) struct Namespace(pub(crate) String);

impl Namespace {
    /// Made for the test `name`, or why this is not allowed here.
    pub(crate) fn new(name: &str) -> Result<Self, Skip> {
        let name = format!("vtep-{name}-{}", std::process::id());
        // Left by a run that was killed and had the same process number.
        if Path::new("/run/netns").join(&name).exists() {
            let _ = Command::new("ip").args(["netns", "del", &name]).status();
        }
        let made = Command::new("ip").args(["netns", "add", &name]).output();
        let why = match made {
            Ok(made) if made.status.success() => {
                let namespace = Self(name);
                namespace.ip("link set lo up");
                return Ok(namespace);
            }
            Ok(made) => String::from_utf8_lossy(&made.stderr).into_owned(),
            Err(error) => format!("ip: {error}"),
        };
        Err(Skip(why.trim().to_owned()))
    }

    /// `ip` with these words; what it prints.
    pub(crate) fn ip(&self, words: &str) -> String {
        let done = Command::new("ip")
            .args(["-n", &self.0])
            .args(words.split_whitespace())
            .output()
            .unwrap();
        assert!(done.status.success(), "ip {words}: {done:?}");
        String::from_utf8(done.stdout).unwrap()
    }

    pub(crate) fn has(&self, interface: &str) -> bool {
        self.ip("-br link")
            .lines()
            .any(|line| line.starts_with(interface))
    }

    /// A command in this namespace.
    pub(crate) fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0, program]);
        command.args(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// `vtep run` without waiting for an interface: it answers.
    pub(crate) fn daemon(&self, arguments: &[&str]) -> Run {
        let mut all = vec!["run"];
        all.extend(arguments);
        let mut run = Run(Some(self.command(VTEP, &all).spawn().unwrap()));
        let end = Instant::now() + PATIENCE;
        let asks = || self.command(VTEP, &["fdb", "show"]).output().unwrap();
        while !asks().status.success() {
            let child = run.0.as_mut().unwrap();
            assert!(child.try_wait().unwrap().is_none(), "{:?}", run.finish());
            assert!(Instant::now() < end, "vtep does not answer");
            sleep(Duration::from_millis(10));
        }
        run
    }

    /// `vtep run`, up when `interface` is.
    pub(crate) fn start(&self, arguments: &[&str], interface: &str) -> Run {
        let mut all = vec!["run"];
        all.extend(arguments);
        let mut run = Run(Some(self.command(VTEP, &all).spawn().unwrap()));
        let end = Instant::now() + PATIENCE;
        while !self.has(interface) || !self.ip(&format!("link show {interface}")).contains("UP") {
            let child = run.0.as_mut().unwrap();
            assert!(child.try_wait().unwrap().is_none(), "{:?}", run.finish());
            assert!(Instant::now() < end, "{interface} does not come up");
            sleep(Duration::from_millis(10));
        }
        run
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

/// A running command, ended with the test.
pub(crate) struct Run(pub(crate) Option<Child>);

impl Run {
    pub(crate) fn stop(&mut self, signal: Signal) -> Output {
        let child = self.0.as_ref().unwrap();
        kill(Pid::from_raw(child.id() as i32), signal).unwrap();
        self.finish()
    }

    pub(crate) fn finish(&mut self) -> Output {
        self.0.take().unwrap().wait_with_output().unwrap()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let Some(child) = &mut self.0 else {
            return;
        };
        // So that it takes away what it made, its socket too.
        let _ = kill(Pid::from_raw(child.id() as i32), Signal::SIGTERM);
        let end = Instant::now() + Duration::from_secs(3);
        while matches!(child.try_wait(), Ok(None)) && Instant::now() < end {
            sleep(Duration::from_millis(10));
        }
        let _ = child.kill();
        let _ = child.wait();
    }
}
