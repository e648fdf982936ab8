//! `vtep run` in a network namespace of its own, and what its command line refuses.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

mod runner;

use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, Output};

use nix::sys::signal::Signal;

use runner::namespace::{Namespace, Run, VTEP};
use runner::{Needs, PATIENCE, Skip, Test, wait_for};

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
            "vtep: vx1: A VXLAN device with the specified VNI already exists",
        ),
        (
            "taken type vxlan id 43 dstport 4789",
            "vtep: taken: an interface of this name exists",
        ),
        (
            "vx1 type vxlan id 43 dstport 5000",
            "vtep: vx1: cannot receive on UDP 0.0.0.0:5000: Address already in use (os error 98)",
        ),
    ] {
        let arguments = ["run", "--link", good, "--link", bad];
        let output = namespace.command(VTEP, &arguments).output().unwrap();
        assert_eq!(line(&output), want);
        assert_eq!(output.status.code(), Some(1), "{bad}");
        assert!(!namespace.has("vx0") && !namespace.has("vx1"), "{bad}");
    }
    // What no host can have is a wrong argument.
    let bad = "vx1 type vxlan id 43 local 192.0.2.1 remote 2001:db8::1";
    let arguments = ["run", "--link", good, "--link", bad];
    let output = namespace.command(VTEP, &arguments).output().unwrap();
    let want = "vtep: link \"vx1 …\": Local and remote address must be from the same family";
    assert_eq!((line(&output), output.status.code()), (want, Some(2)));
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

/// When somebody removes an interface its device goes, and the others go on; so does the command
/// when there is none left.
fn a_removed_interface_takes_no_other_along(_: &str) -> Result<(), Skip> {
    let namespace = Namespace::new("gone")?;
    let links = [
        "--link",
        "vx0 type vxlan id 1 remote 192.0.2.1",
        "--link",
        "vx1 type vxlan id 2 remote 192.0.2.2",
    ];
    let mut run = namespace.start(&links, "vx1");
    let shown = || {
        let done = namespace.command(VTEP, &["fdb", "show"]).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap()
    };
    let wait_shown = |want: &str| {
        let what = format!("entries {want:?}");
        wait_for(what, PATIENCE, || (shown() == want).then_some(()));
    };
    namespace.ip("link del vx0");
    wait_shown("00:00:00:00:00:00 dev vx1 dst 192.0.2.2 self permanent\n");
    assert!(namespace.has("vx1"));
    namespace.ip("link del vx1");
    wait_shown("");
    let output = run.stop(Signal::SIGTERM);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stderr).unwrap();
    let want = "vtep: vx0: the interface is gone\nvtep: vx1: the interface is gone\n";
    assert_eq!(text, want);
    Ok(())
}

/// Without a device nothing appears by which to see that it is ready, so it says so.
fn without_a_device_it_says_that_it_is_ready(_: &str) -> Result<(), Skip> {
    let namespace = Namespace::new("ready")?;
    for (arguments, want) in [
        (&["run"][..], "ready, socket "),
        (&["run", "-j"], "{\"ready\":{\"socket\":\""),
    ] {
        let mut run = Run(Some(namespace.command(VTEP, arguments).spawn().unwrap()));
        let out = run.0.as_mut().unwrap().stdout.as_mut().unwrap();
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).unwrap();
        let path = line.strip_prefix(want).expect(&line).trim_end();
        let path = path.strip_suffix("\"}}").unwrap_or(path);
        assert!(std::path::Path::new(path).exists(), "{line}");
        let done = namespace.command(VTEP, &["link"]).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        assert_eq!(run.stop(Signal::SIGTERM).status.code(), Some(0));
    }
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
    let probe = "for i in 1 2 3; do echo > /dev/udp/10.9.9.9/9; done";
    let collisions = || {
        let sent = namespace.command("bash", &["-c", probe]).output().unwrap();
        assert!(sent.status.success(), "{sent:?}");
        let shown = ["-j", "-s", "-s", "link", "show", "vx0"];
        let shown = namespace.command(VTEP, &shown).output().unwrap();
        let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
        shown[0]["stats64"]["tx"]["collisions"].as_u64().unwrap()
    };
    wait_for("three loops", PATIENCE, || {
        (collisions() >= 3).then_some(())
    });
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
        (&["walk"][..], "'walk'"),
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
            &["fdb", "--help"],
            &["add|append|replace|del", "flush", "src_vni", "Exit status"],
        ),
        (&["-j", "monitor", "help"], &["neigh", "-json", "l2miss"]),
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
        "without_a_device_it_says_that_it_is_ready",
        without_a_device_it_says_that_it_is_ready,
    ),
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
