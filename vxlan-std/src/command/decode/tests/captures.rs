//! Captures published by other projects. They are not part of this one: the environment variable
//! `VXLAN_CAPTURES` says where they are.

use std::path::PathBuf;

use super::*;

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

fn directory() -> Option<PathBuf> {
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/captures");
    let path = std::env::var_os("VXLAN_CAPTURES").map_or_else(|| here.into(), PathBuf::from);
    if path.is_dir() {
        return Some(path);
    }
    println!(
        "SKIPPED: no captures at {}, see VXLAN_CAPTURES",
        path.display()
    );
    None
}

#[test]
fn known_captures_hold_what_is_known_of_them() {
    let Some(directory) = directory() else { return };
    for (name, packets, vxlan, vnis, first) in KNOWN {
        let file = std::fs::read(directory.join(name)).unwrap();
        let lines = json(&[], &file);
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
}

#[test]
fn every_capture_is_read_whole_and_cut_anywhere() {
    let Some(directory) = directory() else { return };
    let mut count = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if !path
            .extension()
            .is_some_and(|end| end == "pcap" || end == "pcapng")
        {
            continue;
        }
        count += 1;
        let file = std::fs::read(&path).unwrap();
        text(&[], &file);
        json(&[], &file);
        // Every place in the headers, then some.
        for end in (0..file.len()).filter(|end| *end < 300 || end % 997 == 0) {
            decoded(&["-j"], &file[..end]);
        }
    }
    assert!(count >= KNOWN.len(), "{count}");
}
