//! A port of a bridge tells senders of packets that are too long for the path.

use crate::lab::Family::V4;
use crate::lab::{Host, Lab};
use crate::packet_socket::PacketSocket;
use crate::runner::{PATIENCE, Skip, wait_for};
use crate::vtep::{Vtep, kernel, point_to_point};
use std::time::{Duration, Instant};
use vxlan_core::wire::{ipv4, ipv6};

/// Nothing within this is nothing.
const SILENCE: Duration = Duration::from_millis(200);
/// The source ports of frames that a device is tried with, and of others. What comes of them has
/// the port in it.
const PROBE: u16 = 0x7070;
const PORT: u16 = 0x1234;
const GUEST: [u8; 6] = [2, 0, 0, 0, 0x0b, 0x64];
const STATION: [u8; 6] = [2, 0, 0, 0, 0x0c, 7];

/// What becomes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Its sender is told.
    Answered,
    /// It arrives behind the other device.
    Delivered,
    /// Neither.
    Lost,
}

/// T-28: the same frames from behind a bridge get the same replies from a device of the kernel and
/// one of ours, byte by byte, and the same silence; without the bridge there is no reply.
pub(crate) fn bridged(lab: &Lab) -> Result<(), Skip> {
    let (ours, theirs) = lab.pair();
    // Without a lower device both have room for 1,500 bytes, whatever the underlay has.
    let options =
        |host, remote| point_to_point(host, remote, "nolearning").replace("dev underlay ", "");
    kernel(theirs, &[("vx0", &options(theirs, ours))], &[]);
    let mut vtep = Vtep::run(ours, &[("vx0", &options(ours, theirs))], &[]);
    let guests = [ours, theirs].map(bridge);
    let [our_guest, their_guest] = &guests;
    for (host, guest) in [ours, theirs].into_iter().zip(&guests) {
        wait_for_reply(host, guest);
    }

    let room = lab.overlay_mtu();
    // Over IPv6 nothing is cut on its way.
    let too_long = if lab.family == V4 {
        End::Delivered
    } else {
        End::Lost
    };
    for (name, frame, end) in [
        ("IPv4, DF", udp4(1500, 0x4000), End::Answered),
        ("IPv6", udp6(1500), End::Answered),
        (
            "IPv4, DF, one too many",
            udp4(room + 1, 0x4000),
            End::Answered,
        ),
        ("IPv6, one too many", udp6(room + 1), End::Answered),
        ("IPv4, DF, just right", udp4(room, 0x4000), End::Delivered),
        ("IPv6, just right", udp6(room), End::Delivered),
        ("IPv4 without DF", udp4(1500, 0), too_long),
        ("IPv4, reserved bit", udp4(1500, 0xc000), too_long),
    ] {
        let [from_theirs, from_ours] =
            [(their_guest, our_guest), (our_guest, their_guest)].map(|(sender, receiver)| {
                sender.send(&frame);
                let patience = |is| if is { PATIENCE } else { SILENCE };
                let reply = hear(sender, patience(end == End::Answered));
                let arrived = hear(receiver, patience(end == End::Delivered));
                (reply, arrived)
            });
        let (reply, arrived) = &from_theirs;
        assert_eq!(reply.is_some(), end == End::Answered, "{name}: reply");
        let delivered = (end == End::Delivered).then_some(&frame);
        assert_eq!(arrived.as_ref(), delivered, "{name}: arrival");
        assert_eq!(from_ours, from_theirs, "{name}");
    }
    vtep.assert_runs();
    for (host, guest, other) in [
        (ours, our_guest, their_guest),
        (theirs, their_guest, our_guest),
    ] {
        leave(host, other, too_long);
        join(host, "vx0");
        wait_for_reply(host, guest);
    }
    Ok(())
}

/// The next frame that does not come of a probe, within `patience`: those may be late.
fn hear(socket: &PacketSocket, patience: Duration) -> Option<Vec<u8>> {
    let end = Instant::now() + patience;
    loop {
        let left = end.checked_duration_since(Instant::now())?;
        let frame = socket.receive(left.max(Duration::from_millis(1)))?;
        if !is_of(&frame, PROBE) {
            return Some(frame);
        }
    }
}

/// Whether a frame is one of [`udp4`] and [`udp6`] with this source port, or quotes it.
fn is_of(frame: &[u8], port: u16) -> bool {
    let ports = [port.to_be_bytes(), [0, 9]].concat();
    frame.windows(4).take(128).any(|bytes| bytes == ports)
}

/// Waits until the device knows its bridge. The command hears of it in its own time.
fn wait_for_reply(host: &Host, guest: &PacketSocket) {
    let what = format!("a reply on host {}", host.number);
    wait_for(what, PATIENCE, || {
        guest.send(&from_port(PROBE, udp4(1500, 0x4000)));
        guest.receive(SILENCE).filter(|frame| is_of(frame, PROBE))
    });
}

/// A device that leaves its bridge answers no longer, and is there all the same.
fn leave(host: &Host, other: &PacketSocket, too_long: End) {
    host.ip("link set dev vx0 nomaster");
    let device = PacketSocket::for_received(host, "vx0");
    let what = format!("silence on host {}", host.number);
    wait_for(what, PATIENCE, || {
        device.send(&from_port(PROBE, udp4(1500, 0x4000)));
        // When the one behind it has arrived, the first has been answered, if ever.
        device.send(&from_port(PROBE, udp4(576, 0x4000)));
        while other.receive(PATIENCE).expect("the second frame").len() != 14 + 576 {}
        device.receive(SILENCE).is_none().then_some(())
    });
    let (frame, sent) = (udp4(1500, 0x4000), udp4(576, 0x4000));
    for (frame, delivered) in [(sent, true), (frame, too_long == End::Delivered)] {
        device.send(&frame);
        let patience = if delivered { PATIENCE } else { SILENCE };
        let arrived = hear(other, patience);
        assert!(
            arrived == delivered.then_some(frame),
            "host {}",
            host.number
        );
    }
    assert_eq!(device.receive(SILENCE), None, "host {}", host.number);
}

/// Makes a bridge of `vx0` and an interface to a guest, and returns the guest's end of it.
fn bridge(host: &Host) -> PacketSocket {
    host.ip("link add br0 type bridge mcast_snooping 0");
    host.ip("link add guest type veth peer name port");
    for device in ["br0", "guest", "port"] {
        host.ip(&format!("link set dev {device} up"));
    }
    for port in ["port", "vx0"] {
        join(host, port);
    }
    PacketSocket::for_received(host, "guest")
}

/// Makes an interface a port of the bridge that learns nothing: the same stations are on both sides.
fn join(host: &Host, port: &str) {
    host.ip(&format!("link set dev {port} master br0"));
    host.ip(&format!(
        "link set dev {port} type bridge_slave learning off"
    ));
}

/// A frame with an IPv4 packet of `len` bytes, and these bits in the field of the fragment offset.
fn udp4(len: u16, fragment: u16) -> Vec<u8> {
    let header = ipv4::Header::new(&ipv4::Fields {
        tos: 0x28,
        total_length: len,
        identification: 7,
        dont_fragment: false,
        ttl: 33,
        protocol: 17,
        source: [10, 1, 0, 100].into(),
        destination: [10, 1, 0, 101].into(),
    });
    let mut header = header.to_bytes();
    header[6..8].copy_from_slice(&fragment.to_be_bytes());
    header[10..12].fill(0);
    let sum = vxlan_core::checksum::Sum::default().add_bytes(&header);
    header[10..12].copy_from_slice(&sum.complement().to_be_bytes());
    frame([0x08, 0x00], &header, len)
}

/// The same frame from another source port.
fn from_port(port: u16, mut frame: Vec<u8>) -> Vec<u8> {
    frame[34..36].copy_from_slice(&port.to_be_bytes());
    frame
}

/// The same of IPv6.
fn udp6(len: u16) -> Vec<u8> {
    let header = ipv6::Header::new(&ipv6::Fields {
        traffic_class: 0x28,
        flow_label: 5,
        payload_length: len - ipv6::Header::LEN as u16,
        next_header: 17,
        hop_limit: 33,
        source: "2001:db8:a::64".parse().expect("an address"),
        destination: "2001:db8:a::65".parse().expect("an address"),
    });
    frame([0x86, 0xdd], &header.to_bytes(), len)
}

/// From the guest to the station, a packet of `len` bytes with UDP in it.
fn frame(ethertype: [u8; 2], header: &[u8], len: u16) -> Vec<u8> {
    let payload = len - header.len() as u16;
    let mut frame = [&STATION[..], &GUEST, &ethertype, header].concat();
    frame.extend(PORT.to_be_bytes());
    frame.extend([0, 9]);
    frame.extend(payload.to_be_bytes());
    frame.extend([0, 0]);
    frame.extend((8..payload).map(|at| at as u8));
    assert_eq!(frame.len(), 14 + usize::from(len));
    frame
}
