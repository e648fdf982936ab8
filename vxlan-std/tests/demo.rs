//! `vtep demo` as its user runs it.

#![allow(clippy::expect_used, reason = "a test may fail loudly")]

mod runner;

use std::path::Path;
use std::process::{Command, ExitCode, Output};

use runner::{Needs, Skip, Test};

fn demo(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vtep"));
    command.args(["demo", "--size", "1"]).args(arguments);
    command.output().expect("the binary was built")
}

fn text(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("UTF-8")
}

/// The lines that tshark prints for `filter`, every checksum verified.
fn tshark(file: &Path, ports: &[u16], filter: &str) -> Result<usize, Skip> {
    let mut command = Command::new("tshark");
    command.arg("-r").arg(file).args(["-Y", filter]);
    for protocol in ["ip", "udp", "tcp"] {
        command.args(["-o", &format!("{protocol}.check_checksum:TRUE")]);
    }
    for port in ports {
        command.args(["-d", &format!("udp.port=={port},vxlan")]);
    }
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => return Err(Skip(format!("tshark: {error}"))),
    };
    assert!(output.status.success(), "{output:?}");
    Ok(text(&output).lines().count())
}

/// Every port that the summary names for an underlay address.
fn ports(text: &str) -> Vec<u16> {
    let lines = text
        .lines()
        .filter(|line| line.trim_start().starts_with("underlay"));
    let words = lines.flat_map(str::split_whitespace);
    words
        .filter_map(|word| word.rsplit_once(':')?.1.parse().ok())
        .collect()
}

fn all_checks_hold(_: &str) -> Result<(), Skip> {
    let output = demo(&["--no-capture"]);
    let text = text(&output);
    assert!(output.status.success(), "{text}");
    assert!(!text.contains('\x1b'), "no terminal, no colours: {text}");
    assert!(!text.contains("FAILED"), "{text}");
    for line in [
        "IPv4 in VXLAN over IPv4",
        "ok      ARP",
        "ok      ping",
        "ok      TCP",
        "1 MiB in ",
        "ok      learning",
        "ok      isolation",
        "1 vni-not-found",
    ] {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
    Ok(())
}

fn ipv6_checks_hold(_: &str) -> Result<(), Skip> {
    let output = demo(&["--no-capture"]);
    let text = text(&output);
    if text.contains("left out") {
        return Err(Skip(String::from("no IPv6 loopback")));
    }
    assert!(text.contains("ok      ND"), "{text}");
    assert!(text.contains("All 12 checks held"), "{text}");
    Ok(())
}

fn tshark_agrees(_: &str) -> Result<(), Skip> {
    for (snap, name) in [("256", "snapped"), ("65535", "whole")] {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("demo-{name}.pcapng"));
        let path = file.to_str().expect("UTF-8");
        let output = demo(&["--capture", path, "--snap", snap]);
        let text = text(&output);
        assert!(output.status.success(), "{text}");
        for line in ["Capture of the underlay", "tshark -r"] {
            assert!(text.contains(line), "{line:?} is not in\n{text}");
        }

        let ports = ports(text);
        assert!(ports.len() == 2 || ports.len() == 4, "{text}");
        let bad = "_ws.malformed || _ws.expert.severity == error || ip.checksum.status == 0 \
                   || udp.checksum.status == 0 || tcp.checksum.status == 0";
        assert_eq!(tshark(&file, &ports, bad)?, 0, "{name}");
        let all = tshark(&file, &ports, "frame")?;
        assert!(all > 700, "{all:?}");
        assert_eq!(tshark(&file, &ports, "vxlan && eth")?, all, "{name}");
        if snap == "65535" {
            let verified = tshark(&file, &ports, "udp.checksum.status == 1")?;
            assert_eq!(verified, all, "the outer checksums are there and right");
        }
        // On a machine that stands still for a second TCP greets again.
        let greeting = "vxlan.vni == 42 && tcp.flags.syn == 1 && !tcp.analysis.retransmission";
        let greeted = tshark(&file, &ports, greeting)?;
        assert_eq!(greeted, ports.len(), "a SYN and its answer each run");
    }
    Ok(())
}

fn a_capture_that_cannot_be_written_is_one_line(_: &str) -> Result<(), Skip> {
    let output = demo(&["--capture", "/nonexistent/demo.pcapng"]);
    let text = text(&output);
    assert!(output.status.success(), "{text}");
    let lines = text.lines().filter(|line| line.contains("cannot write"));
    assert_eq!(lines.count(), 1, "{text}");
    assert!(!text.contains("tshark"), "{text}");
    Ok(())
}

fn no_capture_is_not_worth_a_line(_: &str) -> Result<(), Skip> {
    let output = demo(&["--no-capture"]);
    let text = text(&output);
    assert!(output.status.success(), "{text}");
    assert!(!text.contains("pcapng"), "{text}");
    Ok(())
}

const TESTS: &[Test] = &[
    ("all_checks_hold", all_checks_hold),
    ("ipv6_checks_hold", ipv6_checks_hold),
    ("tshark_agrees", tshark_agrees),
    (
        "a_capture_that_cannot_be_written_is_one_line",
        a_capture_that_cannot_be_written_is_one_line,
    ),
    (
        "no_capture_is_not_worth_a_line",
        no_capture_is_not_worth_a_line,
    ),
];

fn main() -> ExitCode {
    // One demo after the other would do as well; side by side they take other ports.
    runner::run("demo", Needs::Ours, TESTS, || Ok(()))
}
