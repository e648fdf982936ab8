//! Options one by one: what both send, and what both deliver.

use super::{
    SOURCE, device, encapsulate, kernel_device, lasting, on_wire, open_port, stations, take,
};
use crate::datagram::Datagram;
use crate::lab::Family::V4;
use crate::lab::{Lab, UNDERLAY};
use crate::packet_socket::PacketSocket;
use crate::runner::{PATIENCE, Skip};
use std::time::Duration;
use vxlan_core::wire::{Addresses, ipv4, ipv6, udp};
use vxlan_core::{ChecksumState, Config, Df, Flags, FlowLabel, Instant, Stats, Worker};

/// One way to make a device, in the kernel's words and in ours.
struct Twin {
    words: &'static str,
    config: fn(Config) -> Config,
    mark: u32,
}

const fn twin(words: &'static str, config: fn(Config) -> Config) -> Twin {
    Twin {
        words,
        config,
        mark: 0,
    }
}

/// What both families know.
const COMMON: &[Twin] = &[
    twin("", |config| config),
    twin("ttl 33", |config| config.ttl(33)),
    twin("ttl inherit", |config| config.ttl_inherit(true)),
    twin("tos 0x10", |config| config.tos(0x10)),
    twin("tos inherit", |config| config.tos(1)),
    twin("gbp", |config| config.gbp(true)),
    Twin {
        words: "gbp",
        config: |config| config.gbp(true),
        mark: 0x0048_1234,
    },
    Twin {
        words: "gbp",
        config: |config| config.gbp(true),
        mark: 0xffb7_0000,
    },
    twin("remcsumtx remcsumrx", |config| {
        config.remote_checksum_tx(true).remote_checksum_rx(true)
    }),
];
const OVER_IPV4: &[Twin] = &[
    twin("df set", |config| config.df(Df::Set)),
    twin("df inherit", |config| config.df(Df::Inherit)),
    twin("noudpcsum", |config| config.udp_checksum(false)),
];
const OVER_IPV6: &[Twin] = &[
    twin("flowlabel 0x54321", |config| {
        config.flow_label(FlowLabel::Fixed(0x54321))
    }),
    twin("udp6zerocsumtx udp6zerocsumrx", |config| {
        config
            .udp_zero_checksum6_tx(true)
            .udp_zero_checksum6_rx(true)
    }),
];

/// T-11, T-12, T-17, T-18, T-19, T-22, T-23, T-24, T-28, R-06, R-07, R-14, R-15, R-16: what both
/// send and deliver, with each option.
pub(crate) fn alike(lab: &Lab) -> Result<(), Skip> {
    let of_family = if lab.family == V4 {
        OVER_IPV4
    } else {
        OVER_IPV6
    };
    let _port = open_port(lab);
    for twin in COMMON.iter().chain(of_family) {
        sent_alike(lab, twin);
        delivered_alike(lab, twin);
    }
    Ok(())
}

fn sent_alike(lab: &Lab, twin: &Twin) {
    let (ours, theirs) = lab.pair();
    kernel_device(lab, twin.words);
    let alike = device(theirs, ours, twin.config);
    let mut far = device(ours, theirs, twin.config);
    let socket = PacketSocket::for_received(theirs, "vx0");
    socket.mark(twin.mark);
    let (mut sender, mut receiver) = (Worker::new(Instant::ZERO), Worker::new(Instant::ZERO));
    let frames = frames();
    let seen = lab.wire.passed(
        frames.len(),
        |datagram| datagram.inner().get(6..12) == Some(&SOURCE),
        || frames.iter().for_each(|frame| socket.send(frame)),
    );
    assert_eq!(
        seen.len(),
        frames.len(),
        "{:?}: frames on the wire",
        twin.words
    );
    for (frame, (kernels, _)) in frames.iter().zip(&seen) {
        let what = format!("{:?} mark {:#x}, frame {frame:02x?}", twin.words, twin.mark);
        let packet = encapsulate(&alike, &mut sender, frame, twin.mark, ChecksumState::None);
        let macs = *kernels.first_chunk().expect("two addresses");
        assert_eq!(lasting(&on_wire(&packet, macs)), lasting(kernels), "{what}");
        let (delivered, mark, _) = take(&mut far, &mut receiver, kernels).expect(&what);
        // The outer congestion bits are the inner ones, or less: nothing changes inside.
        assert_eq!(&delivered, frame, "{what}");
        let policy = alike.config().flags().contains(Flags::GBP);
        assert_eq!(
            mark,
            if policy { twin.mark & 0x0048_ffff } else { 0 },
            "{what}"
        );
    }
    let counters = theirs.counters("vx0");
    assert_eq!(
        (
            counters.tx_packets,
            counters.tx_bytes,
            counters.tx_dropped,
            counters.tx_errors
        ),
        numbers(&sender.stats),
        "{:?}",
        twin.words
    );
    theirs.ip("link del dev vx0");
}

fn numbers(stats: &Stats) -> (u64, u64, u64, u64) {
    (
        stats.tx_packets,
        stats.tx_bytes,
        stats.tx_dropped,
        stats.tx_errors,
    )
}

fn delivered_alike(lab: &Lab, twin: &Twin) {
    let (ours, theirs) = lab.pair();
    kernel_device(lab, twin.words);
    let mut alike = device(theirs, ours, twin.config);
    let near = device(ours, theirs, twin.config);
    let macs = stations(lab);
    let underlay = PacketSocket::for_received(ours, UNDERLAY);
    let overlay = PacketSocket::for_received(theirs, "vx0");
    let (mut sender, mut receiver) = (Worker::new(Instant::ZERO), Worker::new(Instant::ZERO));
    let before = theirs.counters("vx0");
    for frame in frames() {
        let packet = encapsulate(&near, &mut sender, &frame, twin.mark, ChecksumState::None);
        let outer = on_wire(&packet, macs);
        let congestion = (0..4).map(|tos| with_tos(&outer, tos));
        let mut expected = Vec::new();
        // One frame's variants at a time: more do not fit into the queue of the wire.
        for outer in damaged(&outer).into_iter().chain(congestion) {
            underlay.send(&outer);
            expected.extend(take(&mut alike, &mut receiver, &outer).map(|got| untagged(got.0)));
        }
        for (number, expected) in expected.iter().enumerate() {
            let got = overlay.receive_from(SOURCE, PATIENCE);
            let what = format!("{:?}: variant {number} of {frame:02x?}", twin.words);
            assert_eq!(got.as_ref(), Some(expected), "{what}");
        }
    }
    let more = overlay.receive_from(SOURCE, Duration::from_millis(50));
    assert_eq!(more, None, "{:?}: one more", twin.words);
    let (after, stats) = (theirs.counters("vx0"), receiver.stats);
    assert_eq!(
        (
            after.rx_packets - before.rx_packets,
            after.rx_bytes - before.rx_bytes,
            after.rx_errors - before.rx_errors,
        ),
        (stats.rx_packets, stats.rx_bytes, stats.rx_errors),
        "{:?}",
        twin.words
    );
    theirs.ip("link del dev vx0");
}

/// The same packet with each bit of its VXLAN header flipped, without UDP checksum where that is
/// allowed, else with the right one.
fn damaged(outer: &[u8]) -> Vec<Vec<u8>> {
    let udp = if outer[12] == 0x08 { 34 } else { 54 };
    let mut all = Vec::new();
    for bit in 0..64 {
        // Another VNI is for nobody, in both.
        let mut outer = outer.to_vec();
        outer[udp + 8 + bit / 8] ^= 0x80 >> (bit % 8);
        outer[udp + 6..udp + 8].fill(0);
        if udp == 54 {
            let datagram = Datagram::parse(0, &outer).expect("a UDP datagram");
            let addresses =
                Addresses::new(datagram.source, datagram.destination).expect("one family");
            let len = (outer.len() - udp) as u32;
            let sum = udp::pseudo_header_sum(addresses, len as usize)
                .add_bytes(&outer[udp..])
                .complement();
            let sum = udp::never_zero(sum);
            outer[udp + 6..udp + 8].copy_from_slice(&sum.to_be_bytes());
        }
        all.push(outer);
    }
    all
}

/// A received frame as a packet socket shows it: the kernel has taken its VLAN tag out.
fn untagged(mut frame: Vec<u8>) -> Vec<u8> {
    if frame.get(12..14) == Some(&[0x81, 0]) {
        frame.drain(12..16);
    }
    frame
}

/// The same outer frame with another TOS byte or traffic class.
fn with_tos(frame: &[u8], tos: u8) -> Vec<u8> {
    let mut frame = frame.to_vec();
    if frame[12] == 0x08 {
        frame[15] = tos;
        frame[24..26].fill(0);
        let sum = !vxlan_core::checksum::sum(&frame[14..34]);
        frame[24..26].copy_from_slice(&sum.to_be_bytes());
    } else {
        frame[14] = 0x60 | tos >> 4;
        frame[15] = tos << 4 | frame[15] & 0x0f;
    }
    frame
}

/// Frames to whom nobody answers: each kind of header that options look at.
fn frames() -> Vec<Vec<u8>> {
    let ethernet = |ethertype: u16, payload: &[u8]| {
        let destination = [2, 0, 0, 0, 0, 0x66];
        [&destination[..], &SOURCE, &ethertype.to_be_bytes(), payload].concat()
    };
    let mut frames = Vec::new();
    for tos in [0x00, 0xb9, 0x02, 0x03] {
        for (ttl, dont_fragment) in [(1, false), (33, true)] {
            let packet = inner4(tos, ttl, dont_fragment);
            frames.push(ethernet(0x0800, &packet));
            frames.push(ethernet(0x86dd, &inner6(tos, ttl)));
            frames.push(ethernet(0x8100, &[&[0, 5, 8, 0][..], &packet].concat()));
        }
    }
    frames.push(ethernet(0x88b5, &[0x5a; 64]));
    frames.push(ethernet(0x88b5, &[0x5a; 1]));
    frames.push(ethernet(0x0806, &[0x5a; 28]));
    frames.push(ethernet(0x0040, &[0xaa; 64]));
    frames
}

fn inner4(tos: u8, ttl: u8, dont_fragment: bool) -> Vec<u8> {
    let header = ipv4::Header::new(&ipv4::Fields {
        tos,
        total_length: 40,
        identification: 7,
        dont_fragment,
        ttl,
        protocol: 253,
        source: [10, 0, 0, 1].into(),
        destination: [10, 0, 0, 2].into(),
    });
    [&header.to_bytes()[..], &[0x33; 20]].concat()
}

fn inner6(traffic_class: u8, hop_limit: u8) -> Vec<u8> {
    let header = ipv6::Header::new(&ipv6::Fields {
        traffic_class,
        flow_label: 0x1_2345,
        payload_length: 20,
        next_header: 253,
        hop_limit,
        source: [0xfd; 16].into(),
        destination: [0xfc; 16].into(),
    });
    [&header.to_bytes()[..], &[0x33; 20]].concat()
}
