//! One packet becomes several.

use alloc::vec;
use alloc::vec::Vec;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::wire::{Error, Layer};

fn gso(kind: GsoKind, size: u16) -> Gso {
    Gso { kind, size }
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter_map(|digit| digit.to_digit(16))
        .map(|digit| digit as u8)
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

/// Seven bytes in pieces of three, recorded from Linux 6.18: IPv4 in IPv4, IPv6 in IPv6.
#[test]
fn recorded_segments() {
    let v4 = "4500005d996f000040115d1dc0000201c0000202 824812b500493b08 0800000000002a00";
    let v6 = "60000000005d114020010db800010000000000000000000120010db8000100000000000000000002 \
              c20112b5005d29b4 0800000000002a00";
    let ethernet = "0242c0a800640242c0a80001";
    let addresses = "0640 20010db8000a00000000000000000064 20010db8000a00000000000000000065";
    for (kind, outer, frame, want) in [
        (
            GsoKind::TcpV4,
            v4,
            "0800 4500002f3ef740004006e7070a0100640a010065 \
             89a301bb0a9d9ffc00000000501801f614ec0000 c88c12cf0a7763",
            [
                "4500005d996f000040115d1dc0000201c0000202 824812b500493b08 0800000000002a00
                 ethernet 0800 4500002b3ef740004006e70b0a0100640a010065 \
                 89a301bb0a9d9ffc00000000501001f6888c0000 c88c12",
                "4500005d9970000040115d1cc0000201c0000202 824812b500493b08 0800000000002a00
                 ethernet 0800 4500002b3ef840004006e70a0a0100640a010065 \
                 89a301bb0a9d9fff00000000501001f61d0b0000 cf0a77",
                "4500005b9971000040115d1dc0000201c0000202 824812b500473b0a 0800000000002a00
                 ethernet 0800 450000293ef940004006e70b0a0100640a010065 \
                 89a301bb0a9da00200000000501801f6000d0000 63",
            ],
        ),
        (
            GsoKind::TcpV6,
            v6,
            "86dd 60000000001b addresses \
             9d6a01bbfdfe664900000000501801f65c700000 0d4fed73e0bcee",
            [
                "60000000005d114020010db800010000000000000000000120010db8000100000000000000000002 \
                 c20112b5005d29b4 0800000000002a00 ethernet 86dd 600000000017 addresses \
                 9d6a01bbfdfe664900000000501001f653cf0000 0d4fed",
                "60000000005d114020010db800010000000000000000000120010db8000100000000000000000002 \
                 c20112b5005d29b4 0800000000002a00 ethernet 86dd 600000000017 addresses \
                 9d6a01bbfdfe664c00000000501001f61e3b0000 73e0bc",
                "60000000005b114020010db800010000000000000000000120010db8000100000000000000000002 \
                 c20112b5005b29b8 0800000000002a00 ethernet 86dd 600000000015 addresses \
                 9d6a01bbfdfe664f00000000501801f660120000 ee",
            ],
        ),
    ] {
        let bytes = |text: &str| {
            let text = text.replace("ethernet", ethernet);
            hex(&text.replace("addresses", addresses))
        };
        let packet = [bytes(outer), bytes("ethernet"), bytes(frame)].concat();
        let cut = written(segments(&packet, gso(kind, 3)).unwrap());
        assert_eq!(cut, want.map(bytes), "{kind:?}");
    }
}

/// PSH and FIN stay in the last segment, CWR in the first, all others in each.
#[test]
fn flags_of_segments() {
    use tcp::Flags as F;
    for (flags, want) in [
        (F::ACK, [F::ACK; 3]),
        (F::PSH, [F::empty(), F::empty(), F::PSH]),
        (F::FIN | F::ACK, [F::ACK, F::ACK, F::FIN | F::ACK]),
        (F::CWR | F::ECE, [F::CWR | F::ECE, F::ECE, F::ECE]),
        (
            F::all(),
            [
                F::all() - F::PSH - F::FIN,
                F::all() - F::PSH - F::FIN - F::CWR,
                F::all() - F::CWR,
            ],
        ),
    ] {
        let mut spec = Spec::new(&[7; 5]);
        spec.flags = flags;
        let packet = spec.packet();
        let found: Vec<F> = written(segments(&packet, gso(GsoKind::TcpV4, 2)).unwrap())
            .iter()
            .map(|packet| F::from_bits_retain(packet[36 + 14 + 20 + 13]))
            .collect();
        assert_eq!(found, want, "{flags:?}");
    }
}

#[test]
fn numbers_go_on_and_wrap() {
    let mut spec = Spec::new(&[7; 40]);
    spec.id = 0xffff;
    let packet = spec.packet();
    let cut = written(segments(&packet, gso(GsoKind::TcpV4, 16)).unwrap());
    for (at, sequence, inner, outer, length) in [
        (0, 0xffff_fff0_u32, 0xffff, 0xfffe_u16, 16),
        (1, 0, 0, 0xffff, 16),
        (2, 16, 1, 0, 8),
    ] {
        assert_eq!(cut[at][4..6], outer.to_be_bytes(), "{at}");
        assert_eq!(cut[at][54..56], u16::to_be_bytes(inner), "{at}");
        assert_eq!(cut[at][74..78], sequence.to_be_bytes(), "{at}");
        assert_eq!(sound(&cut[at]), [7].repeat(length), "{at}");
    }
    let fixed = FixedIds {
        outer: false,
        inner: true,
    };
    let cut = written(
        segments(&packet, gso(GsoKind::TcpV4, 16))
            .unwrap()
            .fixed_ids(fixed),
    );
    assert_eq!(cut[2][4..6], [0, 0]);
    assert_eq!(cut[2][54..56], [0xff, 0xff]);
}

/// A payload that fits stays one segment; without payload there is one, too.
#[test]
fn one_segment() {
    for len in [0, 1, 99, 100] {
        let packet = Spec::new(&vec![3; len]).packet();
        let cut = written(segments(&packet, gso(GsoKind::TcpV4, 100)).unwrap());
        assert_eq!(cut, [packet], "{len}");
    }
}

/// UDP datagrams: a header and a checksum for each, and none where there was none.
#[test]
fn udp_datagrams() {
    for (v6, absent) in [(false, false), (false, true), (true, false)] {
        let (mut packet, addresses) = ip(v6, [10, 0, 64, 1], 5, true, (17, 8 + 250));
        let mut datagram = udp::Header::new(1000, 2000, 258).to_bytes().to_vec();
        datagram.extend([9; 250]);
        if !absent {
            let checksum = udp::checksum(addresses, &datagram);
            datagram[6..8].copy_from_slice(&checksum.to_be_bytes());
        }
        packet.extend(&datagram);
        let link = if v6 { [0x86, 0xdd] } else { [8, 0] };
        let frame = [&[2; 12], &link[..], &packet].concat();
        let whole = encapsulated(&Spec::new(&[]).outer, 42, &frame);
        let cut = written(segments(&whole, gso(GsoKind::Udp, 100)).unwrap());
        assert_eq!(cut.len(), 3);
        for (at, packet) in cut.iter().enumerate() {
            let network = 36 + 14;
            let transport = network + if v6 { 40 } else { 20 };
            if !v6 {
                assert_eq!(packet[network + 5], 5 + at as u8);
            }
            let length = if at == 2 { 50 } else { 100 };
            assert_eq!(packet[transport + 5], 8 + length);
            if absent {
                assert_eq!(packet[transport + 6..transport + 8], [0, 0]);
            } else {
                assert_eq!(sound(packet), [9].repeat(length.into()));
            }
        }
    }
}

/// T-20: with the C flag the inner field holds the pseudo-header sum of the segment.
#[test]
fn t20_remote_checksum_offload() {
    let spec = Spec::new(&[1; 30]);
    let mut packet = spec.packet();
    packet[29] |= 0x20;
    packet[35] = 17;
    for segment in written(segments(&packet, gso(GsoKind::TcpV4, 20)).unwrap()) {
        let (header, datagram, _) = ipv4::Header::parse(&segment)
            .map(|(header, _, datagram)| (header, datagram, ()))
            .unwrap();
        assert_eq!(
            udp::verify(header.addresses(), datagram),
            udp::Verdict::Valid
        );
        let frame = &datagram[16..];
        let (inner, _, tcp) = ipv4::Header::parse(&frame[14..]).unwrap();
        let pseudo = inner.addresses().pseudo_header_sum(6, tcp.len() as u32);
        assert_eq!(tcp[16..18], pseudo.fold().to_be_bytes());
    }
}

/// What follows a VXLAN header of the generic protocol extension is cut as what it is.
#[test]
fn generic_protocols() {
    for v6 in [false, true] {
        let mut spec = Spec::new(&[5; 30]);
        spec.v6 = v6;
        let mut packet = encapsulated(&spec.outer, 42, &spec.frame()[14..]);
        packet[28] |= 4;
        packet[31] = if v6 { 2 } else { 1 };
        let kind = if v6 { GsoKind::TcpV6 } else { GsoKind::TcpV4 };
        let cut = written(segments(&packet, gso(kind, 20)).unwrap());
        assert_eq!(cut.len(), 2);
        for (packet, want) in cut.iter().zip([20, 10]) {
            let frame = [
                &[0; 12][..],
                if v6 { &[0x86, 0xdd] } else { &[8, 0][..] },
                &packet[36..],
            ];
            assert_eq!(sound_frame(&frame.concat()), [5].repeat(want));
        }
        packet[31] = 9;
        assert_eq!(
            segments(&packet, gso(kind, 20)).err(),
            Some(SegmentError::Protocol)
        );
    }
}

#[test]
fn what_cannot_be_cut_is_refused() {
    let malformed =
        |layer, need, have| SegmentError::Malformed(Error::Truncated { layer, need, have });
    let plain = Spec::new(&[1; 9]);
    let mut v6 = plain.clone();
    v6.v6 = true;
    let with = |at: usize, byte: u8| {
        let mut frame = plain.frame();
        frame[at] = byte;
        frame
    };
    let (four, six) = (gso(GsoKind::TcpV4, 3), gso(GsoKind::TcpV6, 3));
    let kind = |found| SegmentError::Kind { found };
    for (name, frame, gso, want) in [
        ("nothing", vec![], four, malformed(Layer::Ethernet, 14, 0)),
        ("kind", plain.frame(), six, kind(GsoKind::TcpV4)),
        ("other kind", v6.frame(), four, kind(GsoKind::TcpV6)),
        (
            "size",
            plain.frame(),
            gso(GsoKind::TcpV4, 0),
            SegmentError::ZeroSize,
        ),
        ("ARP", with(13, 6), four, SegmentError::Protocol),
        ("ICMP", with(23, 1), four, SegmentError::Protocol),
        ("fragment", with(20, 0x20), four, SegmentError::Fragment),
        (
            "cut IPv4",
            plain.frame()[..33].to_vec(),
            four,
            malformed(Layer::Ipv4, 20, 19),
        ),
        (
            "cut TCP",
            plain.frame()[..53].to_vec(),
            four,
            malformed(Layer::Tcp, 20, 19),
        ),
        (
            "version",
            with(14, 0x65),
            four,
            SegmentError::Malformed(Error::Version {
                layer: Layer::Ipv4,
                version: 6,
            }),
        ),
        (
            "data offset",
            with(46, 0x40),
            four,
            SegmentError::Malformed(Error::Length {
                layer: Layer::Tcp,
                least: 20,
                stated: 16,
            }),
        ),
        (
            "IPv6 fragment",
            {
                let mut frame = v6.frame();
                frame[20] = 44;
                frame
            },
            six,
            SegmentError::Fragment,
        ),
    ] {
        assert_eq!(segments_of_frame(&frame, gso).err(), Some(want), "{name}");
        let packet = encapsulated(&plain.outer, 1, &frame);
        assert_eq!(
            segments(&packet, gso).err(),
            Some(want),
            "{name}, encapsulated"
        );
    }
    let mut long = Spec::new(&vec![0; 65_500]);
    long.outer.checksum = false;
    let frame = long.frame();
    let want = SegmentError::TooLong {
        length: frame.len(),
    };
    assert_eq!(
        segments_of_frame(&frame, gso(GsoKind::TcpV4, u16::MAX)).err(),
        Some(want)
    );
    let cut = segments_of_frame(&frame, gso(GsoKind::TcpV4, 65_480)).unwrap();
    assert_eq!(
        cut.map(|segment| segment.len()).collect::<Vec<_>>(),
        [65_534, 74]
    );
}

/// Extension headers without part in the pseudo header are passed.
#[test]
fn ipv6_options() {
    let mut spec = Spec::new(&[4; 10]);
    spec.v6 = true;
    let mut frame = spec.frame();
    frame[20] = 0;
    let rest = frame.split_off(54);
    frame.extend([60, 0, 1, 4, 0, 0, 0, 0]);
    frame.extend([6, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    frame.extend(rest);
    let cut = written(segments_of_frame(&frame, gso(GsoKind::TcpV6, 8)).unwrap());
    let lengths: Vec<usize> = cut.iter().map(|frame| sound_frame(frame).len()).collect();
    assert_eq!(lengths, [8, 2]);
    let cut_off = segments_of_frame(&frame[..60], gso(GsoKind::TcpV6, 8));
    assert!(matches!(cut_off, Err(SegmentError::Malformed(_))));
}

#[test]
fn short_room_is_refused() {
    let packet = Spec::new(&[1; 30]).packet();
    let segment = segments(&packet, gso(GsoKind::TcpV4, 20))
        .unwrap()
        .next()
        .unwrap();
    assert_eq!((segment.len(), segment.headers_len()), (110, 90));
    let short = |need, have| {
        Err(Error::Truncated {
            layer: Layer::Ipv4,
            need,
            have,
        })
    };
    assert_eq!(segment.write(&mut [0; 109]), short(110, 109));
    assert_eq!(segment.write_headers(&mut [0; 89]), short(90, 89));
    let mut out = [0; 90];
    assert_eq!(segment.write_headers(&mut out), Ok(90));
    assert_eq!(sound(&[&out, segment.payload()].concat()), [1; 20]);
}

/// The outer checksum is left to the card: the pseudo-header sum of each segment.
#[test]
fn checksum_offload() {
    let packet = Spec::new(&[1; 30]).packet();
    let cut = segments(&packet, gso(GsoKind::TcpV4, 20)).unwrap();
    for packet in written(cut.checksum_offload(true)) {
        let (header, _, datagram) = ipv4::Header::parse(&packet).unwrap();
        let sum = udp::pseudo_header_sum(header.addresses(), datagram.len());
        assert_eq!(datagram[6..8], sum.fold().to_be_bytes());
    }
}

/// Cutting reads: whoever sends the whole to several remotes gets the same from it each time.
#[test]
fn lesson_segments_share_no_writable_buffer() {
    let packet = Spec::new(&[1; 30]).packet();
    let before = packet.clone();
    let mut first = written(segments(&packet, gso(GsoKind::TcpV4, 20)).unwrap());
    let kept = first.clone();
    first[0].fill(0xff);
    assert_eq!(packet, before);
    assert_eq!(
        written(segments(&packet, gso(GsoKind::TcpV4, 20)).unwrap()),
        kept
    );
}

proptest! {
    /// All payload leaves, in order, in pieces of the right size; every length and checksum is
    /// right.
    #[test]
    fn segments_are_sound_and_carry_all(
        payload in vec(any::<u8>(), 0..600), size in 1u16..700,
        v6: bool, outer_v6: bool, checksum: bool, tagged: bool, words in 0usize..=10, bits: u8,
    ) {
        let mut spec = Spec::new(&payload);
        spec.v6 = v6;
        spec.outer.v6 = outer_v6;
        spec.outer.checksum = checksum;
        spec.flags = tcp::Flags::from_bits_retain(bits);
        spec.options = vec![1; words * 4];
        if tagged {
            spec.tags = [0x88, 0xa8, 0, 1, 0x81, 0, 0, 2].to_vec();
        }
        let packet = spec.packet();
        let kind = if v6 { GsoKind::TcpV6 } else { GsoKind::TcpV4 };
        let cut = written(segments(&packet, gso(kind, size)).unwrap());
        prop_assert_eq!(cut.len(), payload.len().div_ceil(size.into()).max(1));
        let pieces: Vec<Vec<u8>> = cut.iter().map(|packet| sound(packet)).collect();
        let (last, others) = pieces.split_last().unwrap();
        prop_assert!(last.len() <= size.into());
        prop_assert!(others.iter().all(|piece| piece.len() == usize::from(size)));
        prop_assert_eq!(pieces.concat(), payload);
        // The same without outer headers.
        let frame = spec.frame();
        let frames = written(segments_of_frame(&frame, gso(kind, size)).unwrap());
        let outer = packet.len() - frame.len();
        prop_assert!(frames.iter().zip(&cut).all(|(frame, packet)| *frame == packet[outer..]));
    }

    /// Whatever the bytes and the size: an error or segments, never a panic. Frames are made
    /// likely, and any byte may be wrong.
    #[test]
    fn any_bytes_are_cut_or_refused(
        noise in vec(any::<u8>(), 0..120), damage in vec((any::<usize>(), any::<u8>()), 0..4),
        keep: usize, v6: bool, outer_v6: bool, size: u16, which in 0usize..3,
    ) {
        let mut spec = Spec::new(&noise);
        spec.v6 = v6;
        spec.outer.v6 = outer_v6;
        let mut packet = spec.packet();
        for (at, byte) in damage {
            let at = at % packet.len();
            packet[at] = byte;
        }
        packet.truncate(keep % (2 * packet.len()));
        let kind = [GsoKind::TcpV4, GsoKind::TcpV6, GsoKind::Udp][which];
        for bytes in [&packet, &noise] {
            for cut in [segments(bytes, gso(kind, size)), segments_of_frame(bytes, gso(kind, size))]
            {
                let Ok(cut) = cut else { continue };
                let mut total = 0;
                for segment in cut {
                    let mut out = vec![0; segment.len()];
                    prop_assert_eq!(segment.write(&mut out), Ok(segment.len()));
                    total += segment.payload().len();
                }
                prop_assert!(total <= bytes.len());
            }
        }
    }
}
