//! A device, frames and datagrams for the tests.
#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::net::IpAddr;

use vxlan_core::packet::HEADROOM;
use vxlan_core::{
    Config, Device, Egress, Encapsulated, Event, Ingress, Instant, Mac, Packet, Route, RouteError,
    Stats, Underlay, Vni, Worker, fdb,
};

pub(crate) type Table = Device<fdb::Growable>;

pub(crate) const OWN: Mac = Mac::new([2, 0, 0, 0, 0, 1]);

pub(crate) fn mac(last: u8) -> Mac {
    Mac::new([2, 0, 0, 0, 0, last])
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(crate) fn vni() -> Vni {
    Vni::new(42).unwrap()
}

/// An IPv4 device, VNI 42, with a default remote.
pub(crate) fn config() -> Config {
    Config::new(vni())
        .local(ip("192.0.2.1"))
        .remote(ip("192.0.2.2"))
        .port(4789)
}

pub(crate) fn config6() -> Config {
    Config::new(vni())
        .local(ip("2001:db8::1"))
        .remote(ip("2001:db8::2"))
        .port(4789)
}

/// The device, up.
pub(crate) fn device(config: Config) -> Table {
    let mut device = Device::new(config, OWN, fdb::Growable::new(), Instant::ZERO).unwrap();
    device.set_up(true);
    device
}

/// An Ethernet frame.
pub(crate) fn frame(destination: Mac, source: Mac, ethertype: u16, payload: &[u8]) -> Vec<u8> {
    [
        &destination.octets()[..],
        &source.octets(),
        &ethertype.to_be_bytes(),
        payload,
    ]
    .concat()
}

/// An IPv4 packet without payload, its checksum right.
pub(crate) fn ipv4(tos: u8, ttl: u8) -> Vec<u8> {
    use vxlan_core::wire::ipv4::{Fields, Header};
    Header::new(&Fields {
        tos,
        total_length: 20,
        identification: 7,
        dont_fragment: false,
        ttl,
        protocol: 17,
        source: [10, 0, 0, 1].into(),
        destination: [10, 0, 0, 2].into(),
    })
    .to_bytes()
    .to_vec()
}

/// An IPv6 packet without payload.
pub(crate) fn ipv6(class: u8, hops: u8, label: u32) -> Vec<u8> {
    use vxlan_core::wire::ipv6::{Fields, Header};
    Header::new(&Fields {
        traffic_class: class,
        flow_label: label,
        payload_length: 0,
        next_header: 59,
        hop_limit: hops,
        source: [0xfd; 16].into(),
        destination: [0xfc; 16].into(),
    })
    .to_bytes()
    .to_vec()
}

/// A UDP payload: the header words, then the frame.
pub(crate) fn datagram(flags: u32, vni: u32, frame: &[u8]) -> Vec<u8> {
    [&flags.to_be_bytes()[..], &vni.to_be_bytes(), frame].concat()
}

/// What a device made of a datagram.
pub(crate) struct Received {
    pub(crate) ingress: Ingress,
    pub(crate) bytes: Vec<u8>,
    pub(crate) mark: u32,
    pub(crate) stats: Stats,
}

impl Received {
    pub(crate) fn event(&self) -> Option<Event> {
        match self.ingress {
            Ingress::Deliver(_, event) | Ingress::Drop(_, event) => event,
            _ => None,
        }
    }

    pub(crate) fn delivered(&self) -> bool {
        matches!(self.ingress, Ingress::Deliver(..))
    }
}

pub(crate) fn receive_at(
    device: &mut Table,
    now: u64,
    from: &Underlay,
    payload: &[u8],
) -> Received {
    let mut worker = Worker::new(Instant::from_millis(now));
    let mut bytes = payload.to_vec();
    let len = bytes.len();
    let mut packet = Packet::new(&mut bytes, 0, len).unwrap();
    packet.mark = 0x1111;
    let ingress = device.receive(&mut worker, from, &mut packet);
    Received {
        ingress,
        mark: packet.mark,
        bytes: packet.bytes().to_vec(),
        stats: worker.stats,
    }
}

pub(crate) fn receive(device: &mut Table, from: &Underlay, payload: &[u8]) -> Received {
    receive_at(device, 0, from, payload)
}

/// The outer IP packets that a frame left as, and what was counted.
pub(crate) fn transmit(
    device: &Table,
    frame: &[u8],
    route: impl Fn(IpAddr) -> Result<Route, RouteError>,
) -> (Vec<Vec<u8>>, Stats) {
    let mut worker = Worker::new(Instant::ZERO);
    let mut buffer = [&[0; HEADROOM][..], frame].concat();
    let mut packet = Packet::new(&mut buffer, HEADROOM, frame.len()).unwrap();
    let mut sent = Vec::new();
    if let Egress::Forward(remotes) = device.transmit(&mut worker, &mut packet) {
        for remote in remotes {
            let route = route(remote.addr);
            if let Encapsulated::Send(outer) =
                device.encapsulate(&mut worker, &mut packet, remote, route)
            {
                sent.push(outer.ip_packet().to_vec());
            }
        }
    }
    assert_eq!(packet.bytes(), frame, "the frame itself never changes");
    (sent, worker.stats)
}

/// A route to anywhere, of the remote's family.
pub(crate) fn any_route(to: IpAddr) -> Result<Route, RouteError> {
    let source = if to.is_ipv4() {
        "192.0.2.1"
    } else {
        "2001:db8::1"
    };
    Ok(Route::new(ip(source), 1500))
}
