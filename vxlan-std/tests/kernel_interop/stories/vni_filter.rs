//! A kernel device that lists the networks it accepts.

use crate::lab::Family::V4;
use crate::lab::{Host, Lab};
use crate::runner::{PATIENCE, Skip};
use crate::traffic::{ping, try_ping};
use crate::vtep::{PORT, Vtep, is_control};
use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::time::{Duration, Instant};
use vxlan_core::fdb::Growable;
use vxlan_core::vtep::Member;
use vxlan_core::{Config, Device, Mac, Packet, Underlay, Vni, Worker};

/// The counters of each VNI, by the names that `bridge` prints.
type Counters = BTreeMap<u64, BTreeMap<String, u64>>;

/// The kernel's device `vx0` for these VNIs. None of them has a group, and neither has the device.
fn listing(host: &Host, vnis: &str) {
    let device = format!("vx0 address {}", host.mac());
    host.ip(&format!(
        "link add {device} type vxlan external vnifilter dstport {PORT}"
    ));
    host.ip("link set dev vx0 up");
    for vni in vnis.split(' ') {
        host.bridge(&format!("vni add dev vx0 vni {vni}"));
    }
}

fn counters(host: &Host) -> Counters {
    let shown = host.bridge("-s -j vni show dev vx0");
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
    let lists = shown[0]["vnis"].as_array().expect("a list of VNIs");
    let one = |entry: &serde_json::Value| {
        let stats = entry["stats"].as_object().expect("counters");
        let count = |value: &serde_json::Value| value.as_u64().expect("a count");
        let stats = stats
            .iter()
            .map(|(name, value)| (name.clone(), count(value)));
        (entry["vni"].as_u64().expect("a VNI"), stats.collect())
    };
    lists.iter().map(one).collect()
}

/// two devices of one `vtep run` with one device of the kernel that is in both networks
/// and sends by routes that name them; then one network is taken off its list.
pub(crate) fn in_two_networks(lab: &Lab) -> Result<(), Skip> {
    let (ours, theirs) = lab.pair();
    listing(theirs, "42-43");
    let links = [42, 43].map(|vni| {
        let (local, remote) = (ours.underlay, theirs.underlay);
        format!("id {vni} local {local} remote {remote} dev underlay dstport {PORT}")
    });
    let _vtep = Vtep::run(ours, &[("vx0", &links[0]), ("vx1", &links[1])], &[]);
    for (network, device) in [(0, "vx0"), (1, "vx1")] {
        ours.join_overlay(device, network);
        theirs.join_overlay("vx0", network);
        let (here, there) = (ours.overlay(V4, network), theirs.overlay(V4, network));
        let permanent = |mac, device| format!("lladdr {mac} dev {device} nud permanent");
        // Without metadata the kernel's device sends nothing, address resolution included.
        ours.ip(&format!(
            "neigh replace {there} {}",
            permanent(theirs.mac(), device)
        ));
        theirs.ip(&format!(
            "neigh replace {here} {}",
            permanent(ours.mac(), "vx0")
        ));
        let vni = 42 + u32::from(network);
        let encap = format!("encap ip id {vni} dst {} dev vx0", ours.underlay);
        theirs.ip(&format!("route replace {here}/32 {encap}"));
    }
    let seen = lab.wire.during(|| {
        for network in [0, 1] {
            ping(ours, theirs.overlay(V4, network), 1400);
            ping(theirs, ours.overlay(V4, network), 1400);
        }
    });
    for vni in [42, 43] {
        let theirs = seen
            .iter()
            .filter(|datagram| datagram.sender == theirs.place());
        assert!(
            theirs
                .filter(|datagram| datagram.vni() == Some(vni))
                .count()
                >= 2
        );
        let counted = &counters(lab.pair().1)[&u64::from(vni)];
        assert!(
            counted["rx_pkts"] >= 2 && counted["tx_pkts"] >= 2,
            "{counted:?}"
        );
        assert_eq!(
            (counted["rx_errors"], counted["tx_errors"]),
            (0, 0),
            "{counted:?}"
        );
    }

    theirs.bridge("vni delete dev vx0 vni 43");
    let soon = Duration::from_millis(600);
    assert!(!try_ping(ours, theirs.overlay(V4, 1), 64, soon), "a leak");
    ping(ours, theirs.overlay(V4, 0), 64);
    Ok(())
}

/// the kernel's device and one of the core get the same datagrams, good and bad; the
/// counters of each VNI are the same afterwards.
pub(crate) fn twin_counters(lab: &Lab) -> Result<(), Skip> {
    if is_control() {
        return Err(Skip(String::from("about the core, not in the control")));
    }
    let (sender, theirs) = lab.pair();
    listing(theirs, "42 44-45");
    let mac: Mac = theirs.mac().parse().expect("a MAC address");
    let config = Config::new(Vni::MIN)
        .external(true)
        .vni_filter(true)
        .learning(false);
    let now = vxlan_core::Instant::ZERO;
    let mut device = Device::new(config, mac, Growable::new(), now).expect("a device");
    device.set_up(true);
    let mut members = vxlan_core::Vtep::new([Member::EMPTY; 4]);
    for vni in [42, 44, 45] {
        let changed = device.add_vni(now, vni, None, false).expect("room");
        assert!(changed.attach);
        let vni = Vni::new(vni).expect("24 bits");
        members.attach(vni, None, 0).expect("room");
    }
    let mut worker = Worker::new(now);

    let header = |vni: u8| [0x08, 0, 0, 0, 0, 0, vni, 0];
    let frame = |source: [u8; 6], ethertype: u16, rest: &[u8]| {
        [&mac.octets()[..], &source, &ethertype.to_be_bytes(), rest].concat()
    };
    let other = [2, 0, 0, 0, 0, 0x77];
    let plain = frame(other, 0x88b5, &[7; 31]);
    let not_ect = [&[0x45, 0, 0, 20][..], &[0; 16]].concat();
    let ip = frame(other, 0x0800, &not_ect);
    let cases: Vec<(u32, Vec<u8>)> = vec![
        (0, [&header(42)[..], &plain].concat()),
        (0, [&header(44)[..], &plain[..14]].concat()),
        (0, [&header(43)[..], &plain].concat()), // not in the list
        (0, [&[0x08, 1][..], &header(42)[2..], &plain].concat()), // a reserved bit
        (0, [&header(44)[..7], &[9], &plain].concat()), // another
        (0, [&header(42)[..], &ip[..33]].concat()), // an IP header cut off
        (3, [&header(45)[..], &ip].concat()),    // congestion that cannot be told
        (0, [&header(45)[..], &ip].concat()),
        (
            0,
            [&header(42)[..], &frame(mac.octets(), 0x88b5, &[])].concat(),
        ), // its own
        (0, [&[0; 4][..], &header(42)[4..], &plain].concat()), // no VNI flag
        (0, [&header(42)[..], &plain[..13]].concat()),         // no Ethernet header
        (0, header(42)[..7].to_vec()),
    ];
    let socket = sender.within(|| UdpSocket::bind((sender.underlay, 0)));
    let socket = socket.expect("a UDP socket");
    for (times, (tos, payload)) in cases.iter().enumerate() {
        socket2::SockRef::from(&socket)
            .set_tos_v4(*tos)
            .expect("a type of service");
        for _ in 0..=times {
            let to = (theirs.underlay, PORT);
            socket.send_to(payload, to).expect("to send");
            let mut bytes = payload.clone();
            let mut packet = Packet::new(&mut bytes, 0, payload.len()).expect("room");
            let from = Underlay::new(sender.underlay).tos(*tos as u8);
            if members.demultiplex(packet.bytes(), None).is_ok() {
                device.receive(&mut worker, &from, &mut packet);
            }
        }
    }

    let ours: Counters = device
        .vnis()
        .iter()
        .map(|entry| {
            let named = entry.stats().named().into_iter();
            let named = named.map(|(name, count)| (name.replace("packets", "pkts"), count));
            (entry.vni().into(), named.collect())
        })
        .collect();
    let end = Instant::now() + PATIENCE;
    let mut theirs_counted = counters(theirs);
    while theirs_counted != ours && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(50));
        theirs_counted = counters(theirs);
    }
    assert_eq!(ours, theirs_counted);
    let total: u64 = ours.values().map(|counted| counted["rx_errors"]).sum();
    assert!(total > 0, "{ours:?}");
    Ok(())
}
