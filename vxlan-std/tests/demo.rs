//! `vtep demo` as its user runs it.

#![cfg(feature = "command")]
#![allow(clippy::expect_used, reason = "a test may fail loudly")]

use std::path::Path;
use std::process::{Command, Output};

fn demo(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vtep"));
    command.args(["demo", "--size", "1"]).args(arguments);
    command.output().expect("the binary was built")
}

fn text(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("UTF-8")
}

/// The lines that tshark prints for `filter`, every checksum verified.
fn tshark(file: &Path, ports: &[u16], filter: &str) -> Option<usize> {
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
        Err(error) => {
            eprintln!("SKIPPED: the capture is not dissected, tshark: {error}");
            return None;
        }
    };
    assert!(output.status.success(), "{output:?}");
    Some(text(&output).lines().count())
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

#[test]
fn all_checks_hold_and_tshark_agrees() {
    for (snap, name) in [("256", "snapped"), ("65535", "whole")] {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("demo-{name}.pcapng"));
        let path = file.to_str().expect("UTF-8");
        let output = demo(&["--capture", path, "--snap", snap]);
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
            "Capture of the underlay",
            "tshark -r",
        ] {
            assert!(text.contains(line), "{line:?} is not in\n{text}");
        }
        if text.contains("left out") {
            eprintln!("SKIPPED: the IPv6 half, no IPv6 loopback here");
        } else {
            assert!(text.contains("ok      ND"), "{text}");
            assert!(text.contains("All 12 checks held"), "{text}");
        }

        let ports = ports(text);
        assert!(ports.len() == 2 || ports.len() == 4, "{text}");
        let bad = "_ws.malformed || _ws.expert.severity == error || ip.checksum.status == 0 \
                   || udp.checksum.status == 0 || tcp.checksum.status == 0";
        let Some(bad) = tshark(&file, &ports, bad) else {
            return;
        };
        assert_eq!(bad, 0, "{name}");
        let all = tshark(&file, &ports, "frame");
        assert!(all > Some(700), "{all:?}");
        assert_eq!(tshark(&file, &ports, "vxlan && eth"), all, "{name}");
        if snap == "65535" {
            let verified = tshark(&file, &ports, "udp.checksum.status == 1");
            assert_eq!(verified, all, "the outer checksums are there and right");
        }
        let greeted = tshark(&file, &ports, "vxlan.vni == 42 && tcp.flags.syn == 1");
        assert_eq!(greeted, Some(ports.len()), "a SYN and its answer each run");
    }
}

#[test]
fn a_capture_that_cannot_be_written_is_one_line() {
    let output = demo(&["--capture", "/nonexistent/demo.pcapng"]);
    let text = text(&output);
    assert!(output.status.success(), "{text}");
    let lines = text.lines().filter(|line| line.contains("cannot write"));
    assert_eq!(lines.count(), 1, "{text}");
    assert!(!text.contains("tshark"), "{text}");
}

#[test]
fn no_capture_is_not_worth_a_line() {
    let output = demo(&["--no-capture"]);
    let text = text(&output);
    assert!(output.status.success(), "{text}");
    assert!(!text.contains("pcapng"), "{text}");
}
