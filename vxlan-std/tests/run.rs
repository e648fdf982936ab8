//! `vtep run` in a network namespace of its own, and what its command line refuses.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

mod runner;

use std::process::{Child, Command, ExitCode, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use runner::{Needs, Skip, Test};

const VTEP: &str = env!("CARGO_BIN_EXE_vtep");

/// A network namespace that is removed with everything in it.
struct Namespace(String);

impl Namespace {
    /// Made for the test `name`, or why this is not allowed here.
    fn new(name: &str) -> Result<Self, Skip> {
        let name = format!("vtep-run-{name}-{}", std::process::id());
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
    fn ip(&self, words: &str) -> String {
        let done = Command::new("ip")
            .args(["-n", &self.0])
            .args(words.split_whitespace())
            .output()
            .unwrap();
        assert!(done.status.success(), "ip {words}: {done:?}");
        String::from_utf8(done.stdout).unwrap()
    }

    fn has(&self, interface: &str) -> bool {
        self.ip("-br link")
            .lines()
            .any(|line| line.starts_with(interface))
    }

    /// A command in this namespace.
    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0, program]);
        command.args(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// `vtep run`, up when `interface` is.
    fn start(&self, arguments: &[&str], interface: &str) -> Run {
        let mut all = vec!["run"];
        all.extend(arguments);
        let mut run = Run(Some(self.command(VTEP, &all).spawn().unwrap()));
        let end = Instant::now() + Duration::from_secs(10);
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
struct Run(Option<Child>);

impl Run {
    fn stop(&mut self, signal: Signal) -> Output {
        let child = self.0.as_ref().unwrap();
        kill(Pid::from_raw(child.id() as i32), signal).unwrap();
        self.finish()
    }

    fn finish(&mut self) -> Output {
        self.0.take().unwrap().wait_with_output().unwrap()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The one line on the error stream.
fn line(output: &Output) -> &str {
    let text = std::str::from_utf8(&output.stderr).unwrap();
    assert_eq!(text.lines().count(), 1, "{text:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    text.trim_end()
}

fn interfaces_appear_as_described_and_go_with_the_command(_: &str) -> Result<(), Skip> {
    let namespace = Namespace::new("life")?;
    namespace.ip("link add eth0 type veth peer name far0");
    namespace.ip("link set eth0 mtu 1400 up");
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut run = namespace.start(
            &[
                "--link",
                "vx0 address 02:00:00:00:00:aa type vxlan id 42 dev eth0 dstport 4789",
                "--link",
                "vx1 type vxlan id 43 local 2001:db8::1 dev eth0 dstport 4789",
                "--link",
                "vx2 mtu 9000 type vxlan id 44 dstport 4789",
                "--fdb",
                "00:00:00:00:00:00 dev vx2 dst 192.0.2.9 port 8472",
            ],
            "vx2",
        );
        let vx0 = namespace.ip("link show vx0");
        assert!(
            vx0.contains("mtu 1350") && vx0.contains("02:00:00:00:00:aa"),
            "{vx0}"
        );
        assert!(namespace.ip("link show vx1").contains("mtu 1330"));
        assert!(namespace.ip("link show vx2").contains("mtu 9000"));
        let output = run.stop(signal);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(output.stderr.is_empty(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        let mut lines = text.lines();
        let entry = "00:00:00:00:00:00 dev vx2 dst 192.0.2.9 port 8472 self permanent";
        assert_eq!(lines.next(), Some(entry));
        for name in ["vx0", "vx1", "vx2"] {
            let counters = lines.next().unwrap();
            assert!(
                counters.starts_with(&format!("{name}: rx packets 0 ")),
                "{counters}"
            );
            assert!(!namespace.has(name), "{name} stays");
        }
    }
    Ok(())
}

/// What cannot be had is told in one line, with status 1, and leaves nothing behind.
fn failures_are_one_line_and_leave_nothing(_: &str) -> Result<(), Skip> {
    let namespace = Namespace::new("fail")?;
    namespace.ip("link add taken type veth peer name far0");
    namespace.ip("link add kvx type vxlan id 1 dstport 5000");
    namespace.ip("link set kvx up");
    let good = "vx0 type vxlan id 42 dstport 4789";
    for (bad, want) in [
        (
            "vx1 type vxlan id 43 dev eth9",
            "vtep: vx1: there is no interface eth9",
        ),
        (
            "vx1 type vxlan id 42 dstport 4789",
            "vtep: vx1: a device with VNI 42 on UDP port 4789 already exists",
        ),
        (
            "taken type vxlan id 43 dstport 4789",
            "vtep: taken: an interface of this name exists",
        ),
        (
            "vx1 type vxlan id 43 dstport 5000",
            "vtep: vx1: cannot receive on UDP 0.0.0.0:5000: Address already in use (os error 98)",
        ),
        (
            "vx1 type vxlan id 43 local 192.0.2.1 remote 2001:db8::1",
            "vtep: vx1: Local and remote address must be from the same family",
        ),
    ] {
        let arguments = ["run", "--link", good, "--link", bad];
        let output = namespace.command(VTEP, &arguments).output().unwrap();
        assert_eq!(line(&output), want);
        assert_eq!(output.status.code(), Some(1), "{bad}");
        assert!(!namespace.has("vx0") && !namespace.has("vx1"), "{bad}");
    }
    let no_privilege = ["--bounding-set", "-net_admin", "--inh-caps", "-net_admin"];
    let mut arguments = no_privilege.to_vec();
    arguments.extend([VTEP, "run", "--link", good]);
    let output = namespace.command("setpriv", &arguments).output().unwrap();
    assert_eq!(
        line(&output),
        "vtep: vx0: cannot create a TAP device: Operation not permitted (os error 1) (needs \
         CAP_NET_ADMIN)"
    );
    assert_eq!(output.status.code(), Some(1));
    Ok(())
}

/// When somebody removes one interface the others go on; with the last one the command ends.
fn a_removed_interface_takes_no_other_along(_: &str) -> Result<(), Skip> {
    let namespace = Namespace::new("gone")?;
    let links = [
        "--link",
        "vx0 type vxlan id 1",
        "--link",
        "vx1 type vxlan id 2",
    ];
    let mut run = namespace.start(&links, "vx1");
    namespace.ip("link del vx0");
    sleep(Duration::from_millis(100));
    assert!(namespace.has("vx1"));
    namespace.ip("link del vx1");
    let output = run.finish();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    let want = "vtep: vx0: the interface is gone\nvtep: vx1: the interface is gone\n\
                vtep: no interface is left\n";
    assert_eq!(text, want);
    Ok(())
}

/// T-14: a route that leads back into the device is a loop, and ends there.
fn t14_a_route_back_into_the_device_is_a_loop(_: &str) -> Result<(), Skip> {
    let namespace = Namespace::new("loop")?;
    let link = "vx0 type vxlan id 42 remote 10.9.9.9 dstport 4789";
    let mut run = namespace.start(&["--link", link, "-j"], "vx0");
    namespace.ip("addr add 10.9.9.1/24 dev vx0");
    namespace.ip("neigh add 10.9.9.9 lladdr 02:00:00:00:00:09 dev vx0");
    // Frames that the host sent before had no route, which is believed for a moment.
    sleep(Duration::from_millis(400));
    let probe = "for i in 1 2 3; do echo > /dev/udp/10.9.9.9/9; done";
    let sent = namespace.command("bash", &["-c", probe]).output().unwrap();
    assert!(sent.status.success(), "{sent:?}");
    sleep(Duration::from_millis(200));
    let output = run.stop(Signal::SIGTERM);
    let text = String::from_utf8(output.stdout).unwrap();
    let counters: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert!(
        counters["stats"]["collisions"].as_u64() >= Some(3),
        "{counters}"
    );
    assert_eq!(
        counters["drops"]["route-loop"],
        counters["stats"]["collisions"]
    );
    Ok(())
}

/// Wrong words are told in one line, with status 2. No privilege is needed to be wrong.
fn wrong_arguments_are_one_line(_: &str) -> Result<(), Skip> {
    for (arguments, want) in [
        (&["run"][..], "--link <WORDS>"),
        (&["walk"], "'walk'"),
        (&["run", "--lnik"], "'--lnik'"),
        (&["run", "--link", "vx0 type vlan id 1"], "\"vxlan\""),
        (
            &["run", "--link", "vx0 type vxlan id 16777216"],
            "a number from 0 to 16777215 expected",
        ),
        (
            &["run", "--link", "vx0 type vxlan id 1 group 239.1.1.1"],
            "a group needs the lower interface: \"dev NAME\"",
        ),
        (
            &[
                "run",
                "--link",
                "vx0 type vxlan id 1",
                "--fdb",
                "02:00:00:00:00:01 dev vx0",
            ],
            "\"dst ADDRESS\" expected",
        ),
        (
            &[
                "run",
                "--link",
                "vx0 type vxlan id 1",
                "--fdb",
                "02:00:00:00:00:01 dev vx9 dst 192.0.2.1",
            ],
            "\"dev vx9\": the name of a --link expected",
        ),
    ] {
        let output = Command::new(VTEP).args(arguments).output().unwrap();
        let said = line(&output);
        assert!(
            said.starts_with("vtep: ") && said.contains(want),
            "{said:?} lacks {want:?}"
        );
        assert_eq!(output.status.code(), Some(2), "{said}");
    }
    Ok(())
}

/// Help is no failure, and goes where help goes.
fn help_is_complete(_: &str) -> Result<(), Skip> {
    for (arguments, wants) in [
        (&["--help"][..], &["run", "Exit status"][..]),
        (
            &["run", "--help"],
            &["--link", "--fdb", "--json", "Examples", "[default: 8472"],
        ),
    ] {
        let output = Command::new(VTEP).args(arguments).output().unwrap();
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{output:?}"
        );
        let text = String::from_utf8(output.stdout).unwrap();
        for want in wants {
            assert!(text.contains(want), "{arguments:?} lacks {want}");
        }
    }
    Ok(())
}

const TESTS: &[Test] = &[
    (
        "interfaces_appear_as_described_and_go_with_the_command",
        interfaces_appear_as_described_and_go_with_the_command,
    ),
    (
        "failures_are_one_line_and_leave_nothing",
        failures_are_one_line_and_leave_nothing,
    ),
    (
        "a_removed_interface_takes_no_other_along",
        a_removed_interface_takes_no_other_along,
    ),
    (
        "t14_a_route_back_into_the_device_is_a_loop",
        t14_a_route_back_into_the_device_is_a_loop,
    ),
    ("wrong_arguments_are_one_line", wrong_arguments_are_one_line),
    ("help_is_complete", help_is_complete),
];

fn main() -> ExitCode {
    runner::run("run", Needs::Ours, TESTS, || Ok(()))
}
