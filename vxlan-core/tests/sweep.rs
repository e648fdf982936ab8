//! Every recorded frame, cut at every length and with every bit of its headers flipped, through every
//! way in: nothing panics, and whatever is lost is counted once.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use common::*;
use vxlan_core::packet::HEADROOM;
use vxlan_core::wire::ethernet::EtherType;
use vxlan_core::{
    ChecksumState, Config, Egress, Encapsulated, Ingress, Instant, Packet, Route, Stats,
    TunnelInfo, Underlay, Vni, Worker, offload,
};

/// As much of a frame is headers: outer Ethernet, IPv6, UDP, VXLAN, inner Ethernet, tag, IPv6.
const HEADERS: usize = 14 + 40 + 8 + 8 + 14 + 4 + 40;
/// Longer frames differ from shorter ones in their data alone.
const LONGEST: usize = 400;

/// The frames of all recorded steps of one direction, each once.
fn recorded(direction: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let mut frames = BTreeSet::new();
    for file in fs::read_dir(directory).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|end| end != "jsonl") {
            continue;
        }
        for line in fs::read_to_string(path).unwrap().lines() {
            let vector: serde_json::Value = serde_json::from_str(line).unwrap();
            for step in vector["steps"].as_array().into_iter().flatten() {
                let input = &step["input"];
                if input["direction"] == direction
                    && let Some(frame) = input["frame"].as_str()
                    && frame.len() <= 2 * LONGEST
                {
                    frames.insert(unhex(frame));
                }
            }
        }
    }
    assert!(frames.len() > 500, "{direction}: {} frames", frames.len());
    frames.into_iter().collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(text.get(at..at + 2).unwrap(), 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

/// The frame itself, each of its beginnings, and each with one bit of the first `headers` bytes
/// turned.
fn variants(frame: &[u8], headers: usize, mut run: impl FnMut(&[u8])) {
    for end in 0..=frame.len() {
        run(frame.get(..end).unwrap());
    }
    let mut turned = frame.to_vec();
    for bit in 0..headers.min(frame.len()) * 8 {
        let (at, mask) = (bit / 8, 1 << (bit % 8));
        *turned.get_mut(at).unwrap() ^= mask;
        run(&turned);
        *turned.get_mut(at).unwrap() ^= mask;
    }
}

/// What follows the outer UDP header, if there is one.
fn payload(frame: &[u8]) -> Option<&[u8]> {
    let packet = frame.get(14..)?;
    let header = match packet.first()? >> 4 {
        4 => usize::from(packet.first()? & 15) * 4,
        6 => 40,
        _ => return None,
    };
    packet.get(header + 8..)
}

fn drops(stats: &Stats) -> u64 {
    vxlan_core::DropReason::ALL
        .iter()
        .map(|reason| stats.drops(*reason))
        .sum()
}

/// Devices of all kinds of receivers.
fn receivers() -> Vec<Table> {
    let all = config().gbp(true).remote_checksum_rx(true);
    let external = Config::new(Vni::MIN).external(true).port(4789);
    [
        config(),
        config6().learning(false),
        all.clone(),
        all.remote_checksum_nopartial(true),
        external.clone().gbp(true),
        external.learning(false).gpe(true).port(4790),
    ]
    .map(device)
    .into()
}

/// delivered and counted, or lost for one reason.
#[test]
fn r15_received_variants_are_delivered_or_counted_once() {
    let mut devices = receivers();
    let count = devices.len();
    let from = Underlay::new(ip("192.0.2.9"));
    for (number, frame) in recorded("rx").iter().enumerate() {
        let Some(datagram) = payload(frame) else {
            continue;
        };
        let device = devices.get_mut(number % count).unwrap();
        let headers = HEADERS - 14 - 40 - 8;
        variants(datagram, headers, |bytes| {
            let mut bytes = bytes.to_vec();
            // The device's own VNI, so that most get past it.
            if let (0, Some(vni)) = (number % 2, bytes.get_mut(4..7)) {
                vni.copy_from_slice(&[0, 0, 42]);
            }
            let len = bytes.len();
            let mut packet = Packet::new(&mut bytes, 0, len).unwrap();
            let from = from.tos(number as u8);
            let mut worker = Worker::new(Instant::from_millis(number as u64));
            let ingress = device.receive(&mut worker, &from, &mut packet);
            let stats = &worker.stats;
            match ingress {
                Ingress::Deliver(..) => {
                    assert_eq!((stats.rx_packets, drops(stats)), (1, 0), "{datagram:02x?}");
                }
                Ingress::Drop(reason, _) => {
                    assert_eq!(stats.rx_packets, 0, "{datagram:02x?}");
                    assert_eq!((drops(stats), stats.drops(reason)), (1, 1), "{reason}");
                }
                // For whoever else listens on the port.
                other => assert_eq!((stats.rx_packets, drops(stats)), (0, 0), "{other:?}"),
            }
        });
    }
}

/// Senders of all kinds.
fn senders() -> Vec<Table> {
    let inherit = config()
        .ttl_inherit(true)
        .tos(1)
        .gbp(true)
        .remote_checksum_tx(true);
    let mut bridged = device(config6().tos(1));
    bridged.set_bridge_port(true);
    let external = Config::new(Vni::MIN).external(true).port(4789);
    let mut all: Vec<Table> = [
        config(),
        inherit,
        external.clone(),
        external.learning(false).gpe(true),
    ]
    .map(device)
    .into();
    all.push(bridged);
    all
}

/// R-15 for the way out: each copy is sent, answered, handed over or lost for one reason.
#[test]
fn r15_transmitted_variants_are_sent_or_counted_once() {
    let devices = senders();
    for (number, frame) in recorded("tx").iter().enumerate() {
        let device = devices.get(number % devices.len()).unwrap();
        let narrow = |to| any_route(to).map(|route| Route::new(route.source, 1300));
        variants(frame, 14 + 4 + 40 + 24, |bytes| {
            let mut buffer = [&[0; HEADROOM][..], bytes].concat();
            let mut packet = Packet::new(&mut buffer, HEADROOM, bytes.len()).unwrap();
            packet.protocol = EtherType::IPV4;
            if number % 3 == 0 {
                packet.checksum = ChecksumState::Partial {
                    start: number as u16 % 90,
                    offset: if number % 2 == 0 { 6 } else { 16 },
                };
            }
            if device.config().is_external() {
                packet.tunnel = Some(TunnelInfo::new(5, ip("192.0.2.7")));
            }
            let mut worker = Worker::new(Instant::ZERO);
            match device.transmit(&mut worker, &mut packet) {
                Egress::Forward(remotes) => {
                    let remote = *remotes.clone().next().unwrap();
                    let route = narrow(remote.addr);
                    let done = device.encapsulate(&mut worker, &mut packet, &remote, route);
                    let lost = look(done);
                    assert_eq!(drops(&worker.stats), lost, "{bytes:02x?}");
                }
                Egress::Tunnel => {
                    let route = narrow(ip("192.0.2.7"));
                    let lost = look(device.encapsulate_by_info(&mut worker, &mut packet, route));
                    assert_eq!(drops(&worker.stats), lost, "{bytes:02x?}");
                }
                Egress::Drop(reason, _) => {
                    let stats = &worker.stats;
                    assert_eq!((drops(stats), stats.drops(reason)), (1, 1), "{bytes:02x?}");
                }
                other => panic!("{other:?}"),
            }
        });
    }
}

/// 1 if the copy is lost.
fn look(done: Encapsulated<'_>) -> u64 {
    match done {
        Encapsulated::Send(outer) => {
            assert!(outer.ip_packet().len() > 36);
            let mut segments = outer.segments();
            assert!(segments.next().is_some());
            0
        }
        Encapsulated::Drop(_) => 1,
        _ => 0,
    }
}

/// packets of any shape go into the coalescer and come out.
#[test]
fn r18_variants_are_coalesced_or_left_alone() {
    for frame in recorded("rx").iter().step_by(5) {
        let Some(packet) = frame.get(14..) else {
            continue;
        };
        variants(packet, HEADERS - 14, |bytes| {
            let mut room = [0; 4096];
            let mut coalescer = offload::Coalescer::of_packets(&mut room, 0);
            let _ = coalescer.push(packet, ChecksumState::Verified);
            let _ = coalescer.push(bytes, ChecksumState::Verified);
            let _ = coalescer.take();
        });
    }
}
