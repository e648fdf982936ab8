//! The generic protocol extension.

use super::{Table, lasting, on_wire, open_port, stations, take, udp4};
use crate::lab::Family::V4;
use crate::lab::{Family, Host, Lab, UNDERLAY};
use crate::packet_socket::PacketSocket;
use crate::runner::{PATIENCE, Skip};
use crate::traffic::udp_flows;
use crate::vtep::{PORT, VNI};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use vxlan_core::packet::HEADROOM;
use vxlan_core::wire::ethernet::EtherType;
use vxlan_core::wire::{Addresses, udp};
use vxlan_core::{
    Config, Device, Egress, Encapsulated, Instant, Mac, Packet, Route, TunnelInfo, Vni, Worker, fdb,
};

/// T-23, R-03: packets without an inner Ethernet header, both ways.
pub(crate) fn generic_protocol(lab: &Lab) -> Result<(), Skip> {
    let (ours, theirs) = lab.pair();
    theirs.ip(&format!(
        "link add vx0 type vxlan dstport {PORT} external gpe"
    ));
    let here = theirs.overlay(V4, 0);
    let there = ours.overlay(V4, 0);
    theirs.ip(&format!("address add {here}/32 dev vx0"));
    theirs.ip("link set dev vx0 up");
    let (remote, family) = (ours.underlay, lab.family);
    let kind = if family == V4 { "ip" } else { "ip6" };
    let words = format!("route add {there}/32 encap {kind} id {VNI} dst {remote} dev vx0");
    theirs.ip(&words);
    let _port = open_port(lab);
    let config = |config: Config| config.learning(false).external(true).gpe(true);
    let external = |host: &Host| {
        let base = Config::new(Vni::MIN).local(any(family)).port(PORT);
        let mac = Mac::new([2, 0, 0, 0, 0, host.number]);
        let made = Device::new(config(base), mac, fdb::Growable::new(), Instant::ZERO);
        let mut made = made.expect("a legal configuration");
        made.set_up(true);
        made
    };
    let (alike, mut far) = (external(theirs), external(ours));

    let header = [0x0c, 0, 0, 1, 0, 0, VNI as u8, 0];
    let seen = lab.wire.passed(
        4,
        |datagram| datagram.payload.get(..8) == Some(&header),
        || udp_flows(theirs, there, 7000..7004, 0x02),
    );
    assert_eq!(seen.len(), 4, "packets on the wire");
    for (kernels, datagram) in seen {
        let packet = datagram.inner();
        let outer = by_info(&alike, packet, theirs, ours, false);
        let addresses = *kernels.first_chunk().expect("two addresses");
        assert_eq!(lasting(&on_wire(&outer, addresses)), lasting(&kernels));
        let mut worker = Worker::new(Instant::ZERO);
        let (delivered, ..) = take(&mut far, &mut worker, &kernels).expect("delivered");
        assert_eq!(delivered, packet);
    }

    let listener = theirs.within(|| UdpSocket::bind((here, 7777)).expect("a port"));
    listener
        .set_read_timeout(Some(PATIENCE))
        .expect("a timeout");
    let mut inner = udp4(there, here, b"raw");
    let addresses = Addresses::new(there, here).expect("one family");
    inner[26..28].fill(0);
    let sum = udp::pseudo_header_sum(addresses, inner.len() - 20)
        .add_bytes(&inner[20..])
        .complement();
    inner[26..28].copy_from_slice(&sum.to_be_bytes());
    let macs = stations(lab);
    let underlay = PacketSocket::for_received(ours, UNDERLAY);
    underlay.send(&on_wire(&by_info(&far, &inner, ours, theirs, true), macs));
    let mut buffer = [0; 64];
    let len = listener.recv(&mut buffer).expect("the packet");
    assert_eq!(&buffer[..len], b"raw");
    theirs.ip("link del dev vx0");
    Ok(())
}

fn any(family: Family) -> IpAddr {
    match family {
        V4 => Ipv4Addr::UNSPECIFIED.into(),
        Family::V6 => Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// The outer packet of a packet without Ethernet header, by metadata beside it.
fn by_info(device: &Table, packet: &[u8], from: &Host, to: &Host, checksum: bool) -> Vec<u8> {
    let mut buffer = [&[0; HEADROOM][..], packet].concat();
    let mut packet = Packet::new(&mut buffer, HEADROOM, packet.len()).expect("it fits");
    packet.protocol = EtherType::IPV4;
    let mut info = TunnelInfo::new(VNI, to.underlay);
    info.checksum = checksum;
    packet.tunnel = Some(info);
    let mut worker = Worker::new(Instant::ZERO);
    let route = Route::new(from.underlay, 1500);
    assert!(matches!(
        device.transmit(&mut worker, &mut packet),
        Egress::Tunnel
    ));
    match device.encapsulate_by_info(&mut worker, &mut packet, Ok(route)) {
        Encapsulated::Send(outer) => outer.ip_packet().to_vec(),
        other => panic!("{other:?}"),
    }
}
