//! Checksums that are left to the remote.

use super::{
    SOURCE, device, encapsulate, kernel_device, lasting, on_wire, open_port, stations, take, udp4,
};
use crate::lab::Family::V4;
use crate::lab::{Lab, UNDERLAY};
use crate::packet_socket::PacketSocket;
use crate::runner::{PATIENCE, Skip};
use crate::traffic::udp_flows;
use crate::vtep::VNI;
use std::net::UdpSocket;
use vxlan_core::{ChecksumState, Config, Instant, Worker};

/// T-20, R-05: a checksum that the kernel leaves to the remote; ours is left open in the same way,
/// and closed by the kernel's TCP and UDP when we left it.
pub(crate) fn remote_checksums(lab: &Lab) -> Result<(), Skip> {
    let (ours, theirs) = lab.pair();
    let _port = open_port(lab);
    kernel_device(lab, "remcsumtx remcsumrx");
    theirs.join_overlay("vx0", 0);
    let neighbour = theirs.overlay(V4, 0);
    let to = ours.overlay(V4, 0);
    theirs.ip(&format!(
        "neighbour add {to} lladdr 02:00:00:00:00:77 dev vx0"
    ));
    let config = |config: Config| config.remote_checksum_tx(true).remote_checksum_rx(true);
    let (alike, mut far) = (device(theirs, ours, config), device(ours, theirs, config));
    let header = [0x08, 0x20, 0, 0, 0, 0, VNI as u8, 0x91];
    let seen = lab.wire.passed(
        8,
        |datagram| datagram.payload.get(..8) == Some(&header),
        || udp_flows(theirs, to, 7000..7008, 0),
    );
    assert_eq!(
        seen.len(),
        8,
        "datagrams whose checksum the kernel left open"
    );
    let macs = stations(lab);
    let underlay = PacketSocket::for_received(ours, UNDERLAY);
    for (kernels, datagram) in seen {
        let mut worker = Worker::new(Instant::ZERO);
        let open = ChecksumState::Partial {
            start: 34,
            offset: 6,
        };
        let packet = encapsulate(&alike, &mut worker, datagram.inner(), 0, open);
        let addresses = *kernels.first_chunk().expect("two addresses");
        assert_eq!(lasting(&on_wire(&packet, addresses)), lasting(&kernels));
        let (delivered, _, state) = take(&mut far, &mut worker, &kernels).expect("delivered");
        assert_eq!((&delivered[..], state), (datagram.inner(), open));
    }

    // The other way: the kernel's UDP takes what we leave open, and nothing else that is wrong.
    let listener = theirs.within(|| UdpSocket::bind((neighbour, 7777)).expect("a port"));
    listener
        .set_read_timeout(Some(PATIENCE))
        .expect("a timeout");
    let near = device(ours, theirs, config);
    for (payload, state) in [
        (&b"closed badly"[..], ChecksumState::None),
        (
            b"left open",
            ChecksumState::Partial {
                start: 34,
                offset: 6,
            },
        ),
    ] {
        let inner = udp4(to, neighbour, payload);
        let frame = [
            &[2, 0, 0, 0, 0, theirs.number][..],
            &SOURCE,
            &[8, 0],
            &inner,
        ]
        .concat();
        let mut worker = Worker::new(Instant::ZERO);
        underlay.send(&on_wire(
            &encapsulate(&near, &mut worker, &frame, 0, state),
            macs,
        ));
    }
    let mut buffer = [0; 64];
    let len = listener.recv(&mut buffer).expect("the datagram left open");
    assert_eq!(&buffer[..len], b"left open");
    theirs.ip("link del dev vx0");
    Ok(())
}
