//! The headers of every recorded outer frame: what Linux sent, `wire` reads, verifies, and cuts the
//! same way.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "the recorded data is well-formed; a test may stop where it is not"
)]

use serde_json::Value;
use std::fs;
use std::path::Path;
use vxlan_core::wire::ethernet::EtherType;
use vxlan_core::wire::{Addresses, Error, ethernet, ipv4, ipv6, udp, vxlan};

/// The recorded underlay frames of one step, in order.
fn steps() -> Vec<(String, Vec<Vec<u8>>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let mut files: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|name| name == "jsonl"))
        .collect();
    files.sort();
    let mut steps = Vec::new();
    for file in files {
        for line in fs::read_to_string(file).unwrap().lines() {
            let vector: Value = serde_json::from_str(line).unwrap();
            for (number, step) in vector["steps"].as_array().unwrap().iter().enumerate() {
                let frames = step["expect"]["underlay"].as_array();
                let frames = frames.into_iter().flatten();
                let name = format!("{} step {number}", vector["id"]);
                steps.push((name, frames.map(|f| bytes(f.as_str().unwrap())).collect()));
            }
        }
    }
    steps
}

fn bytes(hex: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

/// Reads a UDP datagram with a VXLAN header in it; panics if anything is wrong with it.
fn check_datagram(name: &str, addresses: Addresses, datagram: &[u8]) {
    let (header, payload) = udp::Header::parse(datagram).unwrap();
    assert_eq!(usize::from(header.length()), datagram.len(), "{name}");
    match udp::verify(addresses, datagram) {
        udp::Verdict::Absent => assert_eq!(header.checksum(), 0, "{name}"),
        verdict => {
            assert_eq!(verdict, udp::Verdict::Valid, "{name}");
            assert_eq!(
                udp::checksum(addresses, datagram),
                header.checksum(),
                "{name}"
            );
        }
    }
    let (vxlan, _) = vxlan::Header::parse(payload).unwrap();
    assert_eq!(payload[..8], vxlan.to_bytes(), "{name}");
}

#[test]
fn every_outer_frame_is_read_and_its_checksums_are_right() {
    let (mut v4, mut v6) = (0, 0);
    for (name, frames) in steps() {
        for frame in frames {
            let (link, packet) = ethernet::Header::parse(&frame).unwrap();
            assert_eq!(frame[..14], link.to_bytes(), "{name}");
            match link.ethertype() {
                EtherType::IPV4 => {
                    let (header, options, datagram) = ipv4::Header::parse(packet).unwrap();
                    assert!(header.verify_checksum(options), "{name}");
                    assert_eq!(packet[..20], header.to_bytes(), "{name}");
                    if !header.is_fragment() {
                        check_datagram(&name, header.addresses(), datagram);
                        v4 += 1;
                    }
                }
                EtherType::IPV6 => {
                    let (header, datagram) = ipv6::Header::parse(packet).unwrap();
                    assert_eq!(packet[..40], header.to_bytes(), "{name}");
                    check_datagram(&name, header.addresses(), datagram);
                    v6 += 1;
                }
                other => panic!("{name}: {other}"),
            }
        }
    }
    assert!(v4 > 500 && v6 > 100, "{v4} IPv4, {v6} IPv6");
}

/// The recorded first fragment is as long as it could be, up to seven bytes; which MTU it was does
/// not matter, so all eight must give the recorded cut.
#[test]
fn fragments_are_those_of_the_kernel() {
    let mut cuts = 0;
    for (name, frames) in steps() {
        let packets: Vec<_> = frames.iter().map(|frame| &frame[14..]).collect();
        for pair in packets.windows(2) {
            let [first, second] = *pair else { continue };
            let Ok((header, [], front)) = ipv4::Header::parse(first) else {
                continue;
            };
            if !header.more_fragments() {
                continue;
            }
            let (_, _, back) = ipv4::Header::parse(second).unwrap();
            let length = first.len() + back.len();
            let mut whole = header_of_the_whole(&header, length).to_bytes().to_vec();
            whole.extend(front);
            whole.extend(back);
            check_datagram(&name, header.addresses(), &whole[20..]);
            for mtu in first.len()..(first.len() + 8).min(length) {
                let got: Vec<_> = ipv4::fragments(&whole, mtu).unwrap().map(written).collect();
                assert_eq!(got, [first, second], "{name}, MTU {mtu}");
            }
            cuts += 1;
        }
    }
    assert!(cuts >= 48, "only {cuts} fragmented packets");
}

fn header_of_the_whole(fragment: &ipv4::Header, length: usize) -> ipv4::Header {
    ipv4::Header::new(&ipv4::Fields {
        tos: fragment.tos(),
        total_length: length as u16,
        identification: fragment.identification(),
        dont_fragment: false,
        ttl: fragment.ttl(),
        protocol: fragment.protocol(),
        source: fragment.source(),
        destination: fragment.destination(),
    })
}

fn written(fragment: ipv4::Fragment<'_>) -> Vec<u8> {
    let mut out = vec![0; fragment.len()];
    fragment.write(&mut out).unwrap();
    out
}

/// Every proper prefix of a recorded frame is refused, with the lengths needed and there.
#[test]
fn lesson_a_cut_frame_is_refused_at_every_length() {
    let mut swept = 0;
    for (name, frames) in steps() {
        for frame in frames.iter().filter(|frame| frame.len() < 200).take(1) {
            for len in 0..frame.len() {
                let read = read(&frame[..len]);
                let Err(Error::Truncated { need, have, .. }) = read else {
                    panic!("{name}: {len} bytes: {read:?}");
                };
                assert!(have < need && have <= len, "{name}: {len} bytes");
            }
            swept += 1;
        }
    }
    assert!(swept > 100, "only {swept} frames");
}

fn read(frame: &[u8]) -> Result<(), Error> {
    let (link, packet) = ethernet::Header::parse(frame)?;
    if link.ethertype() == EtherType::IPV6 {
        ipv6::Header::parse(packet)?;
    } else {
        ipv4::Header::parse(packet)?;
    }
    Ok(())
}
