//! A device of the library and one of the kernel, made alike: the same frames through both, their
//! packets and what they deliver compared byte for byte.
//!
//! Only what differs from run to run is left out: the identification of outer IPv4 packets, the
//! source port, and the checksums that follow from them, which are verified instead.

mod alike;
mod generic_protocol;
mod remote_checksums;

use crate::datagram::{Checksum, Datagram};
use crate::lab::{Host, Lab};
use crate::traffic::udp_flows;
use crate::vtep::{PORT, VNI, kernel, point_to_point};
pub(crate) use alike::alike;
pub(crate) use generic_protocol::generic_protocol;
pub(crate) use remote_checksums::remote_checksums;
use std::net::{IpAddr, UdpSocket};
use vxlan_core::packet::HEADROOM;
use vxlan_core::wire::ipv4::{self, Fields};
use vxlan_core::wire::{Addresses, udp};
use vxlan_core::{
    ChecksumState, Config, Device, Egress, Encapsulated, Ingress, Instant, Mac, Packet, Route,
    Underlay, Vni, Worker, fdb,
};

/// The source of the frames that go through: nobody's address.
const SOURCE: [u8; 6] = [2, 0, 0, 0, 0, 0x77];

type Table = Device<fdb::Growable>;

/// A device on `host` whose remote is `remote`.
fn device(host: &Host, remote: &Host, config: fn(Config) -> Config) -> Table {
    let vni = Vni::new(VNI).expect("24 bits");
    let plain = Config::new(vni)
        .local(host.underlay)
        .remote(remote.underlay);
    let mac = Mac::new([2, 0, 0, 0, 0, host.number]);
    let config = config(plain.port(PORT));
    let device = Device::new(config, mac, fdb::Growable::new(), Instant::ZERO);
    let mut device = device.expect("a legal configuration");
    device.set_up(true);
    device
}

/// The outer IP packet that our device makes of a frame.
fn encapsulate(
    device: &Table,
    worker: &mut Worker,
    frame: &[u8],
    mark: u32,
    checksum: ChecksumState,
) -> Vec<u8> {
    let mut buffer = [&[0; HEADROOM][..], frame].concat();
    let mut packet = Packet::new(&mut buffer, HEADROOM, frame.len()).expect("it fits");
    packet.mark = mark;
    packet.checksum = checksum;
    let Egress::Forward(mut remotes) = device.transmit(worker, &mut packet) else {
        panic!("a frame without a remote");
    };
    let remote = remotes.next().expect("one remote");
    let route = Route::new(device.config().local(), 1500);
    match device.encapsulate(worker, &mut packet, remote, Ok(route)) {
        Encapsulated::Send(outer) => outer.ip_packet().to_vec(),
        other => panic!("{other:?}"),
    }
}

/// An IP packet as it is on the wire between two stations.
fn on_wire(packet: &[u8], macs: [u8; 12]) -> Vec<u8> {
    let ethertype: [u8; 2] = if packet[0] >> 4 == 4 {
        [0x08, 0]
    } else {
        [0x86, 0xdd]
    };
    [&macs[..], &ethertype, packet].concat()
}

/// What of an outer frame does not differ from run to run; the rest has to be valid.
fn lasting(frame: &[u8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    let datagram = Datagram::parse(0, &frame).expect("a UDP datagram");
    assert_ne!(datagram.checksum, Checksum::Wrong);
    let udp = if frame[12] == 0x08 {
        let (header, options, _) = ipv4::Header::parse(&frame[14..]).expect("an IPv4 packet");
        assert!(header.verify_checksum(options));
        frame[18..20].fill(0);
        frame[24..26].fill(0);
        34
    } else {
        54
    };
    frame[udp..udp + 2].fill(0);
    if datagram.checksum == Checksum::Valid {
        frame[udp + 6..udp + 8].fill(0xff);
    }
    frame
}

/// What our device makes of a UDP datagram.
fn take(
    device: &mut Table,
    worker: &mut Worker,
    frame: &[u8],
) -> Option<(Vec<u8>, u32, ChecksumState)> {
    let datagram = Datagram::parse(0, frame).expect("a UDP datagram");
    let from = Underlay::new(datagram.source).tos(datagram.tos);
    let mut payload = datagram.payload.clone();
    let len = payload.len();
    let mut packet = Packet::new(&mut payload, 0, len).expect("it fits");
    match device.receive(worker, &from, &mut packet) {
        Ingress::Deliver(..) => Some((packet.bytes().to_vec(), packet.mark, packet.checksum)),
        Ingress::Drop(..) => None,
        other => panic!("{other:?}"),
    }
}

/// A kernel device on the second host.
fn kernel_device(lab: &Lab, words: &str) {
    let (ours, theirs) = lab.pair();
    let options = point_to_point(theirs, ours, words);
    kernel(theirs, &[("vx0", &options)], &[]);
}

/// Opens the port of the first host, so that no "port unreachable" comes back from it.
fn open_port(lab: &Lab) -> UdpSocket {
    let (ours, _) = lab.pair();
    ours.within(|| UdpSocket::bind((ours.underlay, PORT)).expect("the port"))
}

/// The MAC addresses of the second host and the first, as a frame to the second has them.
fn stations(lab: &Lab) -> [u8; 12] {
    let (ours, theirs) = lab.pair();
    let seen = lab.wire.passed(
        1,
        |datagram| datagram.sender == ours.place(),
        || udp_flows(ours, theirs.underlay, 7000..7001, 0),
    );
    let (frame, _) = seen.first().expect("a datagram");
    *frame.first_chunk().expect("two addresses")
}

/// A UDP datagram to port 7777 whose checksum field holds the pseudo-header sum alone.
fn udp4(source: IpAddr, destination: IpAddr, payload: &[u8]) -> Vec<u8> {
    let len = (8 + payload.len()) as u16;
    let addresses = Addresses::new(source, destination).expect("one family");
    let Addresses::V4 {
        source,
        destination,
    } = addresses
    else {
        panic!("IPv4");
    };
    let header = ipv4::Header::new(&Fields {
        tos: 0,
        total_length: 20 + len,
        identification: 7,
        dont_fragment: true,
        ttl: 64,
        protocol: 17,
        source,
        destination,
    });
    let mut udp_header = udp::Header::new(5555, 7777, len);
    udp_header.set_checksum(udp::pseudo_header_sum(addresses, len.into()).fold());
    [&header.to_bytes()[..], &udp_header.to_bytes(), payload].concat()
}
