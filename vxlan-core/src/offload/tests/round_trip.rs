//! What was put together and is cut again is the same.

use alloc::vec;
use alloc::vec::Vec;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

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
    let bytes = |spec: &Spec| if frames { spec.frame() } else { spec.packet() };
    let mut buffer = vec![0; 4000];
    let mut coalescer = match frames {
        true => Coalescer::of_frames(&mut buffer, 10),
        false => Coalescer::of_packets(&mut buffer, 10),
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

proptest! {
    /// coalescing, then splitting, is the identity, and no two packets of different flows
    /// meet.
    #[test]
    fn r18_splitting_undoes_coalescing(
        steps in vec((step(), any::<u8>()), 0..40), size in 1usize..60, sequence: u32, id: u16,
        outer_id: u16, v6: bool, outer_v6: bool, dont_fragment: bool, checksum: bool,
        tagged: bool, words in 0usize..=10,
    ) {
        let mut first = Spec::new(&vec![0; size]);
        first.v6 = v6;
        first.sequence = sequence;
        first.id = id;
        first.dont_fragment = dont_fragment;
        first.options = vec![1; words * 4];
        first.outer = Outer { v6: outer_v6, id: outer_id, dont_fragment, checksum, ..first.outer };
        if tagged {
            first.tags = [0x81, 0, 0, 9].to_vec();
        }
        let mut flow = flow(first, &steps, size);
        run(&flow, false)?;
        // Frames alone do not say which network they are of.
        flow.retain(|spec| spec.vni == 42);
        run(&flow, true)?;
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
