//! Every recorded packet that stands for several: what Linux sent is what segmentation makes of it,
//! byte for byte, and what coalescing puts together again.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "the recorded data is well-formed; a test may stop where it is not"
)]

use serde_json::Value;
use std::fs;
use std::path::Path;
use vxlan_core::ChecksumState;
use vxlan_core::offload::{Coalesced, Coalescer, segments};
use vxlan_core::packet::{Gso, GsoKind};
use vxlan_core::wire::vxlan::{self, Flags};

/// A frame, what it stands for, and the IP packets that one copy of it left as.
struct Recorded {
    name: String,
    frame: Vec<u8>,
    gso: Gso,
    packets: Vec<Vec<u8>>,
}

fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

/// Where the inner frame is.
fn tunnel_len(packet: &[u8]) -> usize {
    16 + if packet[0] >> 4 == 4 { 20 } else { 40 }
}

fn recorded() -> Vec<Recorded> {
    let mut all = Vec::new();
    for group in ["tx-gso", "corner-gso", "corner-pmtu"] {
        let file =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/vectors/{group}.jsonl"));
        for line in fs::read_to_string(file).unwrap().lines() {
            let vector: Value = serde_json::from_str(line).unwrap();
            for (number, step) in vector["steps"].as_array().unwrap().iter().enumerate() {
                let partial = &step["input"]["checksum_partial"];
                let Some(size) = partial["gso_size"].as_u64() else {
                    continue;
                };
                let kind = match partial["gso_type"].as_u64().unwrap() & 0x7f {
                    1 => GsoKind::TcpV4,
                    _ => GsoKind::TcpV6,
                };
                let frame = bytes(&step["input"]["frame"]);
                let start = partial["csum_start"].as_u64().unwrap() as usize;
                let headers = start + usize::from(frame[start + 12] >> 4) * 4;
                let count = (frame.len() - headers).div_ceil(size as usize).max(1);
                let sent: Vec<Vec<u8>> = step["expect"]["underlay"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|frame| bytes(frame)[14..].to_vec())
                    .collect();
                let fragments = sent.iter().any(|packet| {
                    packet[0] >> 4 == 4 && packet[6..8] != [0x40, 0] && packet[6..8] != [0, 0]
                });
                for packets in sent.chunks(count).filter(|_| !fragments) {
                    all.push(Recorded {
                        name: format!("{} step {number}", vector["id"]),
                        frame: frame.clone(),
                        gso: Gso {
                            kind,
                            size: size as u16,
                        },
                        packets: packets.to_vec(),
                    });
                }
            }
        }
    }
    assert!(all.len() > 80, "{} packets", all.len());
    all
}

/// Outer checksums included, for the ports are those recorded.
#[test]
fn segmentation_sends_what_linux_sent() {
    for Recorded {
        name,
        frame,
        gso,
        packets,
    } in recorded()
    {
        let headers = &packets[0][..tunnel_len(&packets[0])];
        let whole = [headers, &frame].concat();
        let mut found = Vec::new();
        for segment in segments(&whole, gso).unwrap() {
            let mut out = vec![0; segment.len()];
            segment.write(&mut out).unwrap();
            found.push(out);
        }
        assert_eq!(found, packets, "{name}");
    }
}

/// where the flags allow it the segments become the frame that was handed to the driver, its
/// checksum still to be filled in.
#[test]
fn r18_coalescing_gives_back_what_was_sent() {
    let mut wholes = 0;
    for Recorded {
        name,
        frame,
        gso,
        packets,
    } in recorded()
    {
        let tunnel = tunnel_len(&packets[0]);
        let (header, _) = vxlan::Header::parse(&packets[0][tunnel - 8..]).unwrap();
        let left_to_remote = header.flags().contains(Flags::REMOTE_CHECKSUM);
        let mut buffer = vec![0; 8000];
        let mut coalescer = Coalescer::of_packets(&mut buffer, 0);
        let mut outcomes = packets
            .iter()
            .map(|packet| coalescer.push(packet, ChecksumState::None));
        let started = outcomes.next() == Some(Coalesced::Started);
        let merged = outcomes
            .filter(|outcome| *outcome == Coalesced::Merged)
            .count();
        assert!(!(started && left_to_remote), "{name}");
        if !started || merged + 1 < packets.len() || packets.len() < 2 {
            continue;
        }
        let whole = coalescer.take().unwrap();
        assert_eq!(whole.packet.gso, Some(gso), "{name}");
        assert_eq!(whole.packet.bytes()[tunnel..], frame, "{name}");
        wholes += 1;
    }
    assert!(wholes > 40, "{wholes}");
}
