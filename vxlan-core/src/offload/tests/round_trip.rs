//! What was put together and is cut again is the same.

use alloc::vec;
use alloc::vec::Vec;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::{Config, Device, Flags, Ingress, Instant, Mac, Underlay, Worker, fdb};

/// How a packet departs from being the next one of its flow.
#[derive(Clone, Copy, Debug)]
enum Step {
    Next,
    Shorter,
    Longer,
    End(bool),
    SameIds,
    OuterId,
    Gap,
    Vni,
    Port,
    Tos,
    Unchecked,
    Acknowledgment,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => Just(Step::Next),
        3 => Just(Step::SameIds),
        1 => Just(Step::Shorter),
        1 => Just(Step::Longer),
        1 => any::<bool>().prop_map(Step::End),
        1 => Just(Step::OuterId),
        1 => Just(Step::Gap),
        1 => Just(Step::Vni),
        1 => Just(Step::Port),
        1 => Just(Step::Tos),
        1 => Just(Step::Unchecked),
        1 => Just(Step::Acknowledgment),
    ]
}

fn flow(first: Spec, steps: &[(Step, u8)], size: usize) -> Vec<Spec> {
    let mut all = vec![first];
    for &(step, byte) in steps {
        let before = &all[all.len() - 1];
        let len = match step {
            Step::Shorter => size / 2 + 1,
            Step::Longer => size + 1,
            _ => size,
        };
        let mut next = before.next(&vec![byte; len]);
        next.flags = tcp::Flags::ACK;
        match step {
            Step::Next | Step::Shorter | Step::Longer => {}
            Step::End(true) => next.flags |= tcp::Flags::PSH,
            Step::End(false) => next.flags |= tcp::Flags::FIN,
            Step::SameIds => (next.id, next.outer.id) = (before.id, before.outer.id),
            Step::OuterId => next.outer.id = next.outer.id.wrapping_add(1),
            Step::Gap => next.sequence = next.sequence.wrapping_add(1),
            Step::Vni => next.vni ^= 1,
            Step::Port => next.outer.port ^= 1,
            Step::Tos => next.tos ^= 1,
            Step::Unchecked => next.outer.checksum ^= true,
            Step::Acknowledgment => next.acknowledgment += 1,
        }
        all.push(next);
    }
    all
}

/// Everything that has to be equal in packets that are put together.
fn identity(spec: &Spec) -> Spec {
    let mut same = spec.clone();
    same.payload.clear();
    same.sequence = 0;
    same.id = 0;
    same.outer.id = 0;
    same.flags -= tcp::Flags::PSH | tcp::Flags::FIN;
    same
}

/// Pushes everything and checks each whole against the packets it was made of; how many were
/// merged.
fn run(flow: &[Spec], frames: bool) -> Result<usize, TestCaseError> {
    let flags = match flow[0].extension {
        Extension::Generic => Flags::GPE,
        _ => Flags::REMCSUM_RX,
    };
    let bytes = |spec: &Spec| if frames { spec.frame() } else { spec.packet() };
    let mut buffer = vec![0; 4000];
    let mut coalescer = match frames {
        true => Coalescer::of_frames(&mut buffer, 10),
        false => Coalescer::of_packets(&mut buffer, 10).receiving(flags),
    };
    let mut held: Vec<&Spec> = Vec::new();
    let mut merged = 0;
    let check = |coalescer: &mut Coalescer<'_>, held: &mut Vec<&Spec>| {
        let Some(whole) = coalescer.take() else {
            prop_assert!(held.is_empty());
            return Ok(());
        };
        prop_assert_eq!(whole.segments, held.len());
        let pieces = match whole.packet.gso {
            None => vec![whole.packet.bytes().to_vec()],
            Some(gso) => {
                let cut = match frames {
                    true => segments_of_frame(whole.packet.bytes(), gso),
                    false => segments(whole.packet.bytes(), gso),
                };
                written(cut.unwrap().fixed_ids(whole.fixed_ids))
            }
        };
        let want: Vec<Vec<u8>> = held.iter().map(|spec| bytes(spec)).collect();
        prop_assert_eq!(pieces, want);
        if !frames {
            let first = identity(held[0]);
            prop_assert!(held.iter().all(|spec| identity(spec) == first));
        }
        held.clear();
        Ok(())
    };
    for spec in flow {
        let packet = bytes(spec);
        let mut outcome = coalescer.push(&packet, ChecksumState::None);
        if outcome == Coalesced::Flush {
            check(&mut coalescer, &mut held)?;
            outcome = coalescer.push(&packet, ChecksumState::None);
            prop_assert_ne!(outcome, Coalesced::Flush);
        }
        match outcome {
            Coalesced::Alone => prop_assert!(held.is_empty()),
            Coalesced::Started => held.push(spec),
            _ => {
                merged += 1;
                held.push(spec);
            }
        }
    }
    check(&mut coalescer, &mut held)?;
    Ok(merged)
}

/// Without a disturbance everything is merged, so the property below speaks of something.
#[test]
fn r18_an_undisturbed_flow_is_one() {
    for (v6, outer_v6) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut first = Spec::new(&[0; 30]);
        first.v6 = v6;
        first.outer.v6 = outer_v6;
        let flow = flow(first, &[(Step::Next, 1); 20], 30);
        assert_eq!(run(&flow, false).unwrap(), 20);
        assert_eq!(run(&flow, true).unwrap(), 20);
    }
}

/// the same with header extensions, for receivers that know them; for others every
/// packet stands alone.
#[test]
fn r18_extensions() {
    for extension in [Extension::LeftOpen, Extension::Generic] {
        for (v6, outer_v6) in [(false, false), (false, true), (true, false), (true, true)] {
            let mut first = Spec::new(&[0; 30]);
            first.extension = extension;
            first.v6 = v6;
            first.outer.v6 = outer_v6;
            let packet = first.packet();
            let flow = flow(first, &[(Step::Next, 1); 20], 30);
            assert_eq!(run(&flow, false).unwrap(), 20, "{extension:?}");

            let mut buffer = [0; 400];
            let mut stranger = Coalescer::of_packets(&mut buffer, 0);
            let alone = stranger.push(&packet, ChecksumState::None);
            assert_eq!(alone, Coalesced::Alone, "{extension:?}");
        }
    }
    // A place that is not this packet's checksum, and a field that is not left open.
    let mut first = Spec::new(&[7; 30]);
    first.outer.checksum = false;
    first.extension = Extension::LeftOpen;
    for (at, flip) in [(35, 1), (35, 0x80), (36 + 34 + 16, 1)] {
        let mut packet = first.packet();
        packet[at] ^= flip;
        let mut buffer = [0; 400];
        let mut coalescer = Coalescer::of_packets(&mut buffer, 0).receiving(Flags::REMCSUM_RX);
        let alone = coalescer.push(&packet, ChecksumState::None);
        assert_eq!(alone, Coalesced::Alone, "byte {at}");
    }
}

/// a device takes what was put together, and leaves the checksum open in it even where
/// it would compute that of a single packet.
#[test]
fn r05_r18_received_as_a_whole() {
    let first = Spec {
        extension: Extension::LeftOpen,
        ..Spec::new(&[7; 30])
    };
    let mut buffer = [0; 400];
    let mut coalescer = Coalescer::of_packets(&mut buffer, 0).receiving(Flags::REMCSUM_RX);
    for spec in [first.clone(), first.next(&[8; 30])] {
        let _ = coalescer.push(&spec.packet(), ChecksumState::None);
    }
    let mut whole = coalescer.take().unwrap();
    whole.packet.pull(whole.vxlan).unwrap();
    let want = whole.packet.bytes()[8..].to_vec();
    let config = Config::new(Vni::new(42).unwrap());
    let config = config
        .remote_checksum_rx(true)
        .remote_checksum_nopartial(true);
    let mac = Mac::new([2, 0, 0, 0, 0, 1]);
    let storage = fdb::Fixed::<16, 16, 16>::new();
    let mut device = Device::new(config, mac, storage, Instant::ZERO).unwrap();
    device.set_up(true);
    let mut worker = Worker::new(Instant::ZERO);
    let from = Underlay::new([192, 0, 0, 1].into());
    let ingress = device.receive(&mut worker, &from, &mut whole.packet);
    assert!(matches!(ingress, Ingress::Deliver(..)));
    assert_eq!(whole.packet.bytes(), want);
    let open = ChecksumState::Partial {
        start: 34,
        offset: 16,
    };
    assert_eq!(whole.packet.checksum, open);
    assert_eq!(
        whole.packet.gso,
        Some(Gso {
            kind: GsoKind::TcpV4,
            size: 30
        })
    );
}

proptest! {
    /// coalescing, then splitting, is the identity, and no two packets of different flows
    /// meet.
    #[test]
    fn r18_splitting_undoes_coalescing(
        steps in vec((step(), any::<u8>()), 0..40), size in 1usize..60, sequence: u32, id: u16,
        outer_id: u16, v6: bool, outer_v6: bool, dont_fragment: bool, checksum: bool,
        tagged: bool, words in 0usize..=10,
        extension in prop_oneof![
            Just(Extension::Plain), Just(Extension::LeftOpen), Just(Extension::Generic),
        ],
    ) {
        let mut first = Spec::new(&vec![0; size]);
        first.v6 = v6;
        first.sequence = sequence;
        first.id = id;
        first.dont_fragment = dont_fragment;
        first.options = vec![1; words * 4];
        first.extension = extension;
        first.outer = Outer { v6: outer_v6, id: outer_id, dont_fragment, checksum, ..first.outer };
        if tagged {
            first.tags = [0x81, 0, 0, 9].to_vec();
        }
        let mut flow = flow(first, &steps, size);
        run(&flow, false)?;
        if extension == Extension::Plain {
            // Frames alone do not say which network they are of.
            flow.retain(|spec| spec.vni == 42);
            run(&flow, true)?;
        }
    }

    /// Whatever is pushed, nothing panics, and what is taken out is what went in.
    #[test]
    fn any_bytes_are_held_or_refused(
        packets in vec((vec(any::<u8>(), 0..60), any::<usize>(), any::<u8>(), any::<usize>()), 1..6),
        frames: bool, headroom in 0usize..300, start: u16, state in 0usize..3,
    ) {
        let mut buffer = [0; 256];
        let mut coalescer = match frames {
            true => Coalescer::of_frames(&mut buffer, headroom),
            false => Coalescer::of_packets(&mut buffer, headroom),
        };
        let state = [
            ChecksumState::None,
            ChecksumState::Verified,
            ChecksumState::Partial { start, offset: 16 },
        ][state];
        let mut spec = Spec::new(&[1; 20]);
        for (noise, at, byte, keep) in packets {
            let mut packet = spec.packet();
            let at = at % packet.len();
            packet[at] = byte;
            packet.truncate(keep % (2 * packet.len()));
            let _ = coalescer.push(&packet, state);
            let _ = coalescer.push(&noise, state);
            spec = spec.next(&[2; 20]);
        }
        if let Some(whole) = coalescer.take()
            && let Some(gso) = whole.packet.gso
        {
                let cut = match frames {
                    true => segments_of_frame(whole.packet.bytes(), gso),
                    false => segments(whole.packet.bytes(), gso),
                };
                prop_assert_eq!(written(cut.unwrap()).len(), whole.segments);
        }
    }
}
