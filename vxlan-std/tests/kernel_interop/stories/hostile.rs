//! What nobody should send.

use crate::lab::Family::V4;
use crate::lab::Lab;
use crate::runner::Skip;
use crate::traffic::ping;
use crate::vtep::{PORT, is_control, pair};
use std::net::UdpSocket;

const ROUNDS: u64 = 100;

/// L-05: garbage, short and foreign datagrams between good ones disturb nobody and are counted.
pub(crate) fn datagrams(lab: &Lab) -> Result<(), Skip> {
    let mut vtep = pair(lab, "");
    let (ours, theirs) = lab.pair();
    ping(ours, theirs.overlay(V4, 0), 64);

    let plain = [0x08, 0, 0, 0, 0, 0, 42, 0];
    let garbage: Vec<u8> = (0..1400_u32).map(|index| (index * 7919) as u8).collect();
    let frame = |ethertype: [u8; 2], rest: &[u8]| {
        let macs = [0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 0x77];
        [&plain[..], &macs, &ethertype, rest].concat()
    };
    let bad: [Vec<u8>; 12] = [
        vec![],
        vec![0x08],
        plain[..7].to_vec(),                                    // no whole header
        plain.to_vec(),                                         // nothing behind it
        [&plain[..], &[0; 13]].concat(),                        // no whole Ethernet header
        [&[0; 8][..], &[0; 64]].concat(),                       // no VNI flag
        [&[0xff; 8][..], &[0; 64]].concat(),                    // every flag
        [&[0x08, 0, 0, 0, 0, 0, 43, 0][..], &[2; 64]].concat(), // a VNI of nobody
        [&plain[..], &[0; 64]].concat(),                        // inner source of zeros
        frame([0x08, 0x00], &[0x45, 0, 0]),                     // truncated IPv4
        frame([0x86, 0xdd], &[0x60; 39]),                       // truncated IPv6
        garbage,
    ];
    let socket = theirs.within(|| UdpSocket::bind((theirs.underlay, 0)));
    let socket = socket.expect("a UDP socket");
    for _ in 0..ROUNDS {
        for datagram in &bad {
            socket
                .send_to(datagram, (ours.underlay, PORT))
                .expect("to send");
        }
        ping(theirs, ours.overlay(V4, 0), 64);
    }
    ping(ours, theirs.overlay(V4, 0), 1400);
    vtep.assert_runs();

    // Truncated inner headers are errors, to the kernel too; the others it drops in silence.
    let errors = 2 * ROUNDS;
    if is_control() {
        assert_eq!(ours.rx_errors("vx0"), errors);
        return Ok(());
    }
    let ended = vtep.stop();
    assert!(ended.status.success(), "{}", ended.status);
    for part in [
        format!(" errors {errors} tx "),
        format!("inner-too-short {}", 2 * ROUNDS),
        format!("invalid-source-mac {ROUNDS}"),
        format!("inner-header-truncated {}", 2 * ROUNDS),
        format!("packet-too-small {}", 3 * ROUNDS),
        format!("invalid-header {}", 2 * ROUNDS),
        format!("vni-not-found {}", 2 * ROUNDS),
    ] {
        let counted = ended.lines.iter().any(|line| line.contains(&part));
        assert!(counted, "{part:?} in {:#?}", ended.lines);
    }
    Ok(())
}
