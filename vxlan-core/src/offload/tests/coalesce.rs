//! Several packets become one.

use alloc::vec;
use alloc::vec::Vec;

use super::*;

type F = tcp::Flags;
type Change = fn(&mut Spec);

/// The outcome for each packet.
fn push_all(coalescer: &mut Coalescer<'_>, packets: &[Vec<u8>]) -> Vec<Coalesced> {
    packets
        .iter()
        .map(|packet| coalescer.push(packet, ChecksumState::None))
        .collect()
}

/// the whole looks as if it had been sent so, in one piece.
#[test]
fn r18_the_whole_is_what_segmentation_takes() {
    for (v6, outer_v6, checksum) in [
        (false, false, true),
        (true, true, true),
        (false, true, false),
        (true, false, false),
    ] {
        let mut first = Spec::new(&[1; 100]);
        first.v6 = v6;
        first.outer.v6 = outer_v6;
        first.outer.checksum = checksum;
        first.options = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2].to_vec();
        let second = first.next(&[2; 100]);
        let mut last = second.next(&[3; 50]);
        last.flags |= F::PSH;
        let packets = [first.packet(), second.packet(), last.packet()];
        let mut buffer = [0xee; 1000];
        let mut coalescer = Coalescer::of_packets(&mut buffer, 20);
        use Coalesced::{Flush, Merged, Started};
        assert_eq!(
            push_all(&mut coalescer, &packets),
            [Started, Merged, Merged]
        );
        assert!(coalescer.is_closed());
        assert_eq!(
            push_all(&mut coalescer, &[last.next(&[4]).packet()]),
            [Flush]
        );
        let whole = coalescer.take().unwrap();
        assert_eq!((whole.segments, whole.packet.headroom()), (3, 20));
        assert_eq!(whole.vxlan, if outer_v6 { 48 } else { 28 });

        let mut one = first.clone();
        one.flags |= F::PSH;
        one.payload = [&[1; 100][..], &[2; 100], &[3; 50]].concat();
        let frame = one.frame();
        let transport = 14 + if v6 { 40 } else { 20 };
        let mut want = one.packet();
        let outer = want.len() - frame.len();
        // Both checksums are reduced to the pseudo-header sums.
        let mut sums = |at: usize, addresses: Addresses, protocol, length| {
            let sum = addresses.pseudo_header_sum(protocol, length as u32).fold();
            want[at..at + 2].copy_from_slice(&sum.to_be_bytes());
        };
        let (_, inner) = ip(v6, [10, 0, 64, 1], 0, false, (6, 0));
        sums(outer + transport + 16, inner, 6, frame.len() - transport);
        if checksum {
            let (_, outer_addresses) = ip(outer_v6, [192, 0, 64, 1], 0, false, (17, 0));
            sums(outer - 10, outer_addresses, 17, frame.len() + 16);
        }
        assert_eq!(whole.packet.bytes(), want);
        let kind = if v6 { GsoKind::TcpV6 } else { GsoKind::TcpV4 };
        assert_eq!(whole.packet.gso, Some(Gso { kind, size: 100 }));
        let partial = ChecksumState::Partial {
            start: transport as u16,
            offset: 16,
        };
        assert_eq!(whole.packet.checksum, partial);
        let cut = segments(whole.packet.bytes(), Gso { kind, size: 100 }).unwrap();
        assert_eq!(written(cut), packets);
    }
}

/// whatever tells two packets apart keeps them apart. Each change alone does.
#[test]
fn r18_what_differs_stays_apart() {
    let changes: [(&str, Change); 28] = [
        ("VNI", |s| s.vni = 43),
        ("outer source port", |s| s.outer.port += 1),
        ("outer destination", |s| s.outer.last = 2),
        ("outer TOS", |s| s.outer.tos = 1),
        ("outer DF", |s| s.outer.dont_fragment = true),
        ("outer checksum", |s| s.outer.checksum = false),
        ("outer identification", |s| s.outer.id = 9),
        ("outer identification stays", |s| s.outer.id = 0xfffe),
        ("outer family", |s| s.outer.v6 = true),
        ("tag", |s| s.tags = [0x81, 0, 0, 1].to_vec()),
        ("family", |s| s.v6 = true),
        ("TOS", |s| s.tos = 2),
        ("TTL", |s| s.ttl = 63),
        ("DF", |s| s.dont_fragment = false),
        ("identification", |s| s.id += 1),
        ("port", |s| s.port += 1),
        ("a gap", |s| s.sequence += 1),
        ("an overlap", |s| s.sequence -= 1),
        ("acknowledgment", |s| s.acknowledgment += 1),
        ("CWR", |s| s.flags |= F::CWR),
        ("ECE", |s| s.flags |= F::ECE),
        ("SYN", |s| s.flags |= F::SYN),
        ("RST", |s| s.flags |= F::RST),
        ("URG", |s| s.flags |= F::URG),
        ("options", |s| s.options[3] = 0),
        ("more options", |s| s.options = [1; 8].to_vec()),
        ("a longer payload", |s| s.payload.push(0)),
        ("no payload", |s| s.payload.clear()),
    ];
    let mut first = Spec::new(&[1; 10]);
    first.options = [1; 4].to_vec();
    let next = first.next(&[2; 10]);
    let mut buffer = [0; 200];
    for (name, change) in changes {
        let mut other = next.clone();
        change(&mut other);
        let mut coalescer = Coalescer::of_packets(&mut buffer, 0);
        let outcome = push_all(&mut coalescer, &[first.packet(), other.packet()]);
        assert_eq!(outcome, [Coalesced::Started, Coalesced::Flush], "{name}");
        let whole = coalescer.take().unwrap();
        assert_eq!(whole.packet.bytes(), first.packet(), "{name}");
        assert_eq!((whole.segments, whole.packet.gso), (1, None), "{name}");
        assert_eq!(whole.packet.checksum, ChecksumState::Verified, "{name}");
        assert!(coalescer.take().is_none());
    }
    // Unchanged it goes along.
    let mut coalescer = Coalescer::of_packets(&mut buffer, 0);
    let outcome = push_all(&mut coalescer, &[first.packet(), next.packet()]);
    assert_eq!(outcome, [Coalesced::Started, Coalesced::Merged]);
}

/// each bit of the VXLAN header counts, the reserved ones too.
#[test]
fn r18_all_bits_of_the_vxlan_header_count() {
    let mut first = Spec::new(&[1; 10]);
    first.outer.checksum = false;
    let next = first.next(&[2; 10]).packet();
    let first = first.packet();
    let mut buffer = [0; 200];
    for bit in 0..64 {
        let mut other = next.clone();
        other[28 + bit / 8] ^= 0x80 >> (bit % 8);
        let mut coalescer = Coalescer::of_packets(&mut buffer, 0);
        let outcome = push_all(&mut coalescer, &[first.clone(), other]);
        assert_eq!(outcome, [Coalesced::Started, Coalesced::Flush], "{bit}");
    }
}

/// What can never be part of a whole is not even started.
#[test]
fn what_stands_alone() {
    let plain = Spec::new(&[1; 10]);
    let mut frames: Vec<(&str, Vec<u8>)> = Vec::new();
    for flag in [F::PSH, F::FIN, F::SYN, F::RST, F::URG, F::CWR] {
        let mut spec = plain.clone();
        spec.flags |= flag;
        frames.push(("flag", spec.packet()));
    }
    frames.push(("no payload", Spec::new(&[]).packet()));
    let mut padded = plain.clone();
    padded.outer.checksum = false;
    let mut frame = padded.frame();
    frame.push(0);
    frames.push(("padding", encapsulated(&padded.outer, 42, &frame)));
    let changed: [(&str, usize, u8); 8] = [
        ("outer checksum", 26, 1),
        ("outer header checksum", 10, 1),
        ("remote checksum", 29, 0x20),
        ("generic protocol", 28, 0x04),
        ("inner header checksum", 36 + 14 + 10, 1),
        ("TCP checksum", 36 + 34 + 16, 1),
        ("payload", 36 + 54, 1),
        ("fragment", 36 + 14 + 6, 0x20),
    ];
    for (name, at, flip) in changed {
        let mut packet = plain.packet();
        packet[at] ^= flip;
        if at >= 28 {
            // Only what is inside is wrong.
            packet[26..28].copy_from_slice(&[0, 0]);
        }
        frames.push((name, packet));
    }
    let mut buffer = [0; 200];
    let mut coalescer = Coalescer::of_packets(&mut buffer, 0);
    for (name, packet) in frames {
        let outcome = coalescer.push(&packet, ChecksumState::None);
        assert_eq!(outcome, Coalesced::Alone, "{name}");
    }
    assert!(coalescer.take().is_none());
}

/// Identifications that stay the same with DF are kept, once the second packet has shown it.
#[test]
fn fixed_identifications() {
    let mut first = Spec::new(&[1; 10]);
    first.outer.dont_fragment = true;
    let mut second = first.next(&[2; 10]);
    second.id = first.id;
    second.outer.id = first.outer.id;
    let mut third = second.next(&[3; 10]);
    third.id = first.id;
    third.outer.id = first.outer.id;
    let packets = [first.packet(), second.packet(), third.packet()];
    let mut buffer = [0; 200];
    let mut coalescer = Coalescer::of_packets(&mut buffer, 0);
    push_all(&mut coalescer, &packets);
    let mut fourth = third.next(&[4; 10]);
    fourth.id = first.id.wrapping_add(3);
    fourth.outer.id = first.outer.id;
    assert_eq!(
        push_all(&mut coalescer, &[fourth.packet()]),
        [Coalesced::Flush]
    );
    let whole = coalescer.take().unwrap();
    assert_eq!(whole.segments, 3);
    let fixed = whole.fixed_ids;
    assert_eq!((fixed.outer, fixed.inner), (true, true));
    let cut = segments(whole.packet.bytes(), whole.packet.gso.unwrap()).unwrap();
    assert_eq!(written(cut.fixed_ids(fixed)), packets);
}

/// The length fields bound the whole, and so does the buffer; what is too long for it stands alone.
#[test]
fn room_bounds_the_whole() {
    let mut spec = Spec::new(&vec![1; 1000]);
    spec.outer.checksum = false;
    let mut buffer = vec![0; 80_000];
    for (room, segments) in [(80_000, 65), (3090 + 7, 3), (3089 + 7, 2), (1090 + 7, 1)] {
        let mut coalescer = Coalescer::of_packets(&mut buffer[..room], 7);
        let mut next = spec.clone();
        let mut outcome = coalescer.push(&next.packet(), ChecksumState::None);
        while outcome != Coalesced::Flush {
            next = next.next(&[1; 1000]);
            outcome = coalescer.push(&next.packet(), ChecksumState::None);
        }
        assert_eq!(coalescer.take().unwrap().segments, segments, "{room}");
    }
    let mut coalescer = Coalescer::of_packets(&mut buffer[..1089], 0);
    assert_eq!(
        coalescer.push(&spec.packet(), ChecksumState::None),
        Coalesced::Alone
    );
    let mut coalescer = Coalescer::of_packets(&mut buffer[..5], 6);
    assert_eq!(
        coalescer.push(&spec.packet(), ChecksumState::None),
        Coalesced::Alone
    );
}

/// Checksums that a card has verified, or that nobody has filled in yet, are not computed.
#[test]
fn checksum_states() {
    let first = Spec::new(&[1; 10]);
    let mut packets = [first.packet(), first.next(&[2; 10]).packet()];
    for packet in &mut packets {
        packet[36 + 34 + 16] ^= 1;
    }
    let partial = |start, offset| ChecksumState::Partial { start, offset };
    let mut buffer = [0; 200];
    for (state, taken) in [
        (ChecksumState::None, false),
        (ChecksumState::Verified, true),
        (partial(34, 16), true),
        (partial(34, 6), false),
        (partial(36, 16), false),
    ] {
        let mut coalescer = Coalescer::of_packets(&mut buffer, 0);
        let started = coalescer.push(&packets[0], state);
        assert_eq!(started == Coalesced::Started, taken, "{state:?}");
        if taken {
            assert_eq!(coalescer.push(&packets[1], state), Coalesced::Merged);
            let whole = coalescer.take().unwrap();
            assert_eq!(whole.packet.checksum, partial(34, 16));
            let _ = coalescer.push(&packets[0], state);
            assert_eq!(coalescer.take().unwrap().packet.checksum, state);
        }
    }
}

/// Verified or not: bytes behind the IP packet would become payload.
#[test]
fn padding_never_becomes_payload() {
    let spec = Spec::new(&[1; 10]);
    let mut frame = spec.frame();
    frame.push(0);
    let mut buffer = [0; 200];
    let mut coalescer = Coalescer::of_frames(&mut buffer, 0);
    for state in [ChecksumState::None, ChecksumState::Verified] {
        assert_eq!(coalescer.push(&frame, state), Coalesced::Alone, "{state:?}");
    }
}

/// A checksum of 0xffff is as right as zero, but segmentation would write zero.
#[test]
fn both_zeros_are_not_the_same_bytes() {
    let mut spec = Spec::new(&[1; 10]);
    let field = 14 + 20 + 16;
    let frame = spec.frame();
    let checksum = u16::from_be_bytes([frame[field], frame[field + 1]]);
    // What the sum lacks to all ones.
    spec.payload[..2].copy_from_slice(&(0x0101 + checksum).to_be_bytes());
    let mut frame = spec.frame();
    assert_eq!(frame[field..field + 2], [0, 0]);
    let mut buffer = [0; 200];
    let mut push =
        |frame: &[u8]| Coalescer::of_frames(&mut buffer, 0).push(frame, ChecksumState::None);
    assert_eq!(push(&frame), Coalesced::Started);
    frame[field..field + 2].fill(0xff);
    assert_eq!(sound_frame(&frame), spec.payload, "right all the same");
    assert_eq!(push(&frame), Coalesced::Alone);
}
