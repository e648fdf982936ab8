//! `vtep decode` on captures published by other projects. They are not part of this one: the
//! environment variable `VXLAN_CAPTURES` says where they are.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

mod runner;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};

use runner::{Needs, Skip, Test};
use serde_json::Value;

/// File, packets, packets with VXLAN, VNIs, first 16 bits of the first VXLAN header.
type Known = (&'static str, u64, u64, &'static [u32], u32);

const KNOWN: [Known; 14] = [
    ("pcapplusplus_Vxlan1.pcap", 1, 1, &[3_000_001], 0x8848),
    ("skydive_vxlan-icmpv4-truncated.pcap", 2, 2, &[10], 0x0800),
    ("suricata_vxlan-decoder-01.pcap", 3, 1, &[37], 0x0800),
    (
        "suricata_vxlan-non-zero-reserved-fields.pcap",
        10,
        10,
        &[11],
        0xff01,
    ),
    ("tcpdump_bigtcp-ipv4-vxlan-ipv4.pcap", 1, 1, &[5001], 0x0800),
    ("tcpdump_bigtcp-ipv6-vxlan-ipv6.pcap", 1, 1, &[5001], 0x0800),
    ("tcpdump_gso-ipv4-vxlan-ipv4.pcap", 1, 1, &[5001], 0x0800),
    ("tcpdump_gso-ipv6-vxlan-ipv6.pcap", 1, 1, &[5001], 0x0800),
    (
        "tcpdump_nsh-over-vxlan-gpe.pcap",
        1,
        1,
        &[16_777_215],
        0x0c00,
    ),
    ("tcpdump_vxlan.pcap", 10, 10, &[100], 0x0800),
    ("tcpdump_vxlan_port_8472.pcap", 10, 10, &[100], 0x0800),
    ("zeek_vxlan-encapsulated-http.pcap", 12, 12, &[1], 0x0800),
    (
        "zeek_vxlan-encapsulated-igmp-v2.pcap",
        3,
        3,
        &[4242],
        0x0800,
    ),
    (
        "zeek_vxlan-inner-tcp-bad-checksum.pcap",
        1,
        1,
        &[42],
        0x0800,
    ),
];

fn directory() -> Result<PathBuf, Skip> {
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/captures");
    let path = std::env::var_os("VXLAN_CAPTURES").map_or_else(|| here.into(), PathBuf::from);
    if path.is_dir() {
        Ok(path)
    } else {
        Err(Skip(String::from(
            "no captures; VXLAN_CAPTURES names their directory",
        )))
    }
}

fn decode(arguments: &[&str], file: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vtep"));
    command.arg("decode").args(arguments).arg(file);
    command.output().unwrap()
}

fn known_captures_hold_what_is_known_of_them(_: &str) -> Result<(), Skip> {
    let directory = directory()?;
    for (name, packets, vxlan, vnis, first) in KNOWN {
        let output = decode(&["-j"], &directory.join(name));
        assert!(output.status.success(), "{name}: {output:?}");
        let lines: Vec<Value> = String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let (summary, found) = lines.split_last().unwrap();
        let summary = &summary["summary"];
        assert_eq!(summary["packets"], packets, "{name}");
        assert_eq!(summary["vxlan"], vxlan, "{name}");
        let mut keys: Vec<u32> = Vec::new();
        for vni in summary["vnis"].as_object().unwrap().keys() {
            keys.push(vni.parse().unwrap());
        }
        assert_eq!(keys, vnis, "{name}");
        let layers = found
            .iter()
            .flat_map(|packet| packet["layers"].as_array().unwrap());
        let flags = layers
            .filter(|layer| layer["layer"] == "vxlan")
            .map(|layer| &layer["flags"]);
        let flags = flags.map(|flags| flags.as_u64().unwrap() >> 16).next();
        assert_eq!(flags, Some(first.into()), "{name}");
    }
    Ok(())
}

/// Read whole, in words too, and cut: what is left is told, the end is an error, nothing panics.
fn every_capture_is_read_whole_and_cut_anywhere(_: &str) -> Result<(), Skip> {
    let mut count = 0;
    for entry in std::fs::read_dir(directory()?).unwrap() {
        let path = entry.unwrap().path();
        if !path
            .extension()
            .is_some_and(|end| end == "pcap" || end == "pcapng")
        {
            continue;
        }
        count += 1;
        assert!(decode(&[], &path).status.success(), "{}", path.display());
        let file = std::fs::read(&path).unwrap();
        for end in [0, 7, 23, 30, 41, 90, file.len() / 2, file.len() - 1] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_vtep"));
            command.args(["decode", "-j", "-"]).stdin(Stdio::piped());
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = command.spawn().unwrap();
            let cut = file.get(..end).unwrap_or(&file);
            let written = child.stdin.take().unwrap().write_all(cut);
            let output = child.wait_with_output().unwrap();
            // It may have seen enough before everything was written.
            assert!(written.is_ok() || !output.status.success());
            let code = output.status.code();
            assert!(
                matches!(code, Some(0 | 1)),
                "{} at {end}: {output:?}",
                path.display()
            );
            if code == Some(1) {
                let said = String::from_utf8(output.stderr).unwrap();
                assert_eq!(said.lines().count(), 1, "{said}");
            }
        }
    }
    assert!(count >= KNOWN.len(), "{count}");
    Ok(())
}

const TESTS: &[Test] = &[
    (
        "known_captures_hold_what_is_known_of_them",
        known_captures_hold_what_is_known_of_them,
    ),
    (
        "every_capture_is_read_whole_and_cut_anywhere",
        every_capture_is_read_whole_and_cut_anywhere,
    ),
];

fn main() -> ExitCode {
    runner::run("captures", Needs::Others, TESTS, || Ok(()))
}
