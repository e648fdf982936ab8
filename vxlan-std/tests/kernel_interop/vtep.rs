//! The two kinds of VTEP: the kernel's devices, and the command `vtep run`.

use crate::lab::{Host, Lab};
use crate::runner::process::wait_until_it_listens;
use crate::runner::{PATIENCE, Skip, wait_for};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::env;
use std::io::{BufRead, BufReader};
use std::net::IpAddr;
use std::process::{Child, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The VNI where one is enough.
pub(crate) const VNI: u32 = 42;
/// The UDP port of VXLAN (RFC 7348, section 8).
pub(crate) const PORT: u16 = 4789;

/// A device's name and its options in the words of `ip link add NAME type vxlan OPTIONS`.
pub(crate) type Link<'a> = (&'a str, &'a str);

/// A running `vtep run`. Dropped, it is killed.
pub(crate) struct Vtep<'h> {
    host: &'h Host,
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    readers: Vec<JoinHandle<()>>,
    /// The devices of the kernel that stand in for it in the control.
    stand_ins: Vec<String>,
}

/// How a stopped [`Vtep`] ended.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) lines: Vec<String>,
}

/// Whether a kernel device takes the place of `vtep run`.
pub(crate) fn is_control() -> bool {
    env::var_os("VXLAN_CONTROL").is_some_and(|value| value == "1")
}

/// For tests of the command itself, which the control cannot run.
pub(crate) fn not_in_control() -> Result<(), Skip> {
    match is_control() {
        true => Err(Skip(String::from("about the command, not in the control"))),
        false => Ok(()),
    }
}

/// The options of a device on `host` with one remote, `more` included.
pub(crate) fn point_to_point(host: &Host, remote: &Host, more: &str) -> String {
    let (local, remote) = (host.underlay, remote.underlay);
    let more = if more.is_empty() {
        ""
    } else {
        &format!(" {more}")
    };
    format!("id {VNI} local {local} remote {remote} dev underlay dstport {PORT}{more}")
}

/// The usual lab: `vtep run` on the first host, the kernel on the second, each the other's remote,
/// both with `more` options and an address in the overlay network 0.
pub(crate) fn pair<'l>(lab: &'l Lab, more: &str) -> Vtep<'l> {
    let (ours, theirs) = lab.pair();
    kernel(theirs, &[("vx0", &point_to_point(theirs, ours, more))], &[]);
    theirs.join_overlay("vx0", 0);
    let vtep = Vtep::run(ours, &[("vx0", &point_to_point(ours, theirs, more))], &[]);
    ours.join_overlay("vx0", 0);
    vtep
}

/// Adds the kernel's devices `links`, and entries in the words of `bridge fdb append`.
pub(crate) fn kernel(host: &Host, links: &[Link<'_>], fdb: &[String]) {
    for (device, options) in links {
        host.ip(&format!("link add {}", words(host, device, options)));
        host.ip(&format!("link set dev {device} up"));
    }
    for entry in fdb {
        host.bridge(&format!("fdb append {entry}"));
    }
}

/// The entry of a flood list, in the words of `bridge fdb append`.
pub(crate) fn flood_to(device: &str, remote: IpAddr) -> String {
    format!("00:00:00:00:00:00 dev {device} dst {remote}")
}

/// Runs `vtep run`, which is expected to end by itself.
pub(crate) fn refused(host: &Host, wrapper: &[&str], links: &[Link<'_>]) -> Output {
    let command = [wrapper, &[env!("CARGO_BIN_EXE_vtep"), "run"]].concat();
    let mut child = host
        .command(command[0])
        .args(&command[1..])
        .args(link_arguments(host, links))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("to start vtep");
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if child.try_wait().expect("to wait for vtep").is_some() {
            return child.wait_with_output().expect("what vtep said");
        }
        thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    let output = child.wait_with_output();
    panic!("vtep goes on instead of refusing: {output:?}");
}

impl<'h> Vtep<'h> {
    /// Starts `vtep run` on `host` and waits for its devices.
    pub(crate) fn run(host: &'h Host, links: &[Link<'_>], fdb: &[String]) -> Self {
        let stand_ins: Vec<String> = match is_control() {
            true => links
                .iter()
                .map(|(device, _)| String::from(*device))
                .collect(),
            false => Vec::new(),
        };
        let mut command;
        if is_control() {
            command = host.command("bridge");
            command.args(["monitor", "fdb"]);
        } else {
            command = host.command(env!("CARGO_BIN_EXE_vtep"));
            command.arg("run").args(link_arguments(host, links));
            command.args(fdb.iter().flat_map(|entry| ["--fdb", entry]));
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("to start vtep");
        let lines = Arc::new(Mutex::new(Vec::new()));
        let readers = vec![
            collect(child.stdout.take().expect("its output"), &lines),
            collect(child.stderr.take().expect("its errors"), &lines),
        ];
        let mut vtep = Self {
            host,
            child,
            lines,
            readers,
            stand_ins,
        };
        if is_control() {
            wait_until_it_listens(&vtep.child, "bridge");
            kernel(host, links, fdb);
        }
        for (device, _) in links {
            wait_for(format!("device {device}"), PATIENCE, || {
                vtep.assert_runs();
                host.mtu(device)
            });
        }
        vtep
    }

    /// Fails with what it said if it has ended.
    pub(crate) fn assert_runs(&mut self) {
        if let Some(status) = self.child.try_wait().expect("to wait for vtep") {
            panic!("vtep ended, {status}: {:#?}", self.lines());
        }
    }

    /// All it has said so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// Waits for a line that has `words` in it, one behind the other.
    pub(crate) fn wait_for_line(&self, words: &str) -> String {
        self.wait_longer_for_line(words, PATIENCE)
    }

    /// As [`Self::wait_for_line`], so long.
    pub(crate) fn wait_longer_for_line(&self, words: &str, patience: Duration) -> String {
        let said = |line: &String| {
            let line: Vec<&str> = line.split_whitespace().collect();
            let words: Vec<&str> = words.split_whitespace().collect();
            line.windows(words.len()).any(|window| window == words)
        };
        wait_for(format!("the line {words:?}"), patience, || {
            self.lines().into_iter().find(said)
        })
    }

    /// Sends SIGTERM and waits for the end.
    pub(crate) fn stop(mut self) -> Ended {
        self.terminate();
        let status = wait_for("the end of vtep", PATIENCE, || {
            self.child.try_wait().expect("to wait for vtep")
        });
        for reader in self.readers.drain(..) {
            reader.join().expect("the rest of what vtep said");
        }
        Ended {
            status,
            lines: self.lines(),
        }
    }

    fn terminate(&self) {
        let pid = i32::try_from(self.child.id()).expect("a process number");
        let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        for device in &self.stand_ins {
            let _ = self.host.try_ip(&format!("link del dev {device}"));
        }
    }
}

impl Drop for Vtep<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("vtep said {:#?}", self.lines());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What makes a device, in the words of `ip link add`.
fn words(host: &Host, device: &str, options: &str) -> String {
    format!("{device} address {} type vxlan {options}", host.mac())
}

/// `--link "NAME … type vxlan OPTIONS"` for each.
fn link_arguments(host: &Host, links: &[Link<'_>]) -> Vec<String> {
    let links = links
        .iter()
        .map(|(device, options)| words(host, device, options));
    links
        .flat_map(|words| [String::from("--link"), words])
        .collect()
}

/// Gathers lines in the background.
fn collect(
    source: impl std::io::Read + Send + 'static,
    lines: &Arc<Mutex<Vec<String>>>,
) -> JoinHandle<()> {
    let lines = Arc::clone(lines);
    thread::spawn(move || {
        for line in BufReader::new(source).lines().map_while(Result::ok) {
            lines.lock().unwrap().push(line);
        }
    })
}
