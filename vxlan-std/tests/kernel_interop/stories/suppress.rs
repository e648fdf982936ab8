//! Neighbour suppression: a device of the kernel and one of ours are asked the same.

use crate::lab::{Host, Lab};
use crate::packet_socket::PacketSocket;
use crate::runner::{PATIENCE, Skip, wait_for};
use crate::vtep::{VNI, point_to_point};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;
use vxlan_core::fdb::State;
use vxlan_core::wire::{Addresses, ipv6};
use vxlan_core::{Config, Event, Mac, Neighbour, Vni};
use vxlan_std::{Buffer, DeviceId, Vtep};

/// No answer within this is none.
const SILENCE: Duration = Duration::from_millis(150);
const ASKER: Mac = Mac::new([2, 0, 0, 0, 0x0b, 0x64]);
const NEIGHBOUR: Mac = Mac::new([2, 0, 0, 0, 0x0c, 7]);

/// What both are asked, by name, and whether there is an answer at all.
type Question = (&'static str, Vec<u8>, bool);

/// the same ARP messages get the same replies from both, byte by byte, and
/// the same silence.
pub(crate) fn arp(lab: &Lab) -> Result<(), Skip> {
    let request = |changes: &[(usize, &[u8])]| {
        let mut frame = vec![0xff; 6];
        frame.extend(ASKER.octets());
        frame.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
        frame.extend(ASKER.octets());
        frame.extend([192, 168, 7, 1]);
        frame.extend([0; 6]);
        frame.extend([192, 168, 7, 2]);
        for (at, bytes) in changes {
            frame[*at..*at + bytes.len()].copy_from_slice(bytes);
        }
        frame
    };
    let padded = [request(&[]), vec![0xee; 18]].concat();
    compare(
        lab,
        &[
            ("known", request(&[]), true),
            ("padded", padded, true),
            ("hardware type 6", request(&[(14, &[0, 6])]), true),
            (
                "another Ethernet source",
                request(&[(6, &[2, 9, 9, 9, 9, 9])]),
                true,
            ),
            (
                "to the neighbour alone",
                request(&[(0, &NEIGHBOUR.octets())]),
                true,
            ),
            ("probe", request(&[(28, &[0; 4])]), true),
            ("claim", request(&[(28, &[192, 168, 7, 2])]), true),
            ("a reachable one", request(&[(38, &[192, 168, 7, 3])]), true),
            ("a stale one", request(&[(38, &[192, 168, 7, 4])]), false),
            ("unknown", request(&[(38, &[192, 168, 7, 9])]), false),
            ("loopback", request(&[(38, &[127, 0, 0, 1])]), false),
            ("group", request(&[(38, &[224, 0, 0, 1])]), false),
            ("reply", request(&[(20, &[0, 2])]), false),
            ("protocol length", request(&[(19, &[5])]), false),
        ],
    );
    Ok(())
}

/// the same for neighbour solicitations.
pub(crate) fn ndisc(lab: &Lab) -> Result<(), Skip> {
    let plain = Solicitation {
        from: "fd00:7::1",
        target: "fd00:7::2",
        class: 0,
        hops: 255,
        options: &[1, 1, 2, 0, 0, 0, 0x0b, 0x65],
    };
    let ask = |changed: Solicitation<'_>| changed.frame();
    let with = |options| Solicitation { options, ..plain }.frame();
    let padded = [with(&[]), vec![0; 7]].concat();
    compare(
        lab,
        &[
            ("known", plain.frame(), true),
            ("no option", with(&[]), true),
            ("one byte of options", with(&[9]), true),
            (
                "traffic class",
                ask(Solicitation {
                    class: 0xbf,
                    ..plain
                }),
                true,
            ),
            ("forwarded", ask(Solicitation { hops: 64, ..plain }), true),
            (
                "no source",
                ask(Solicitation {
                    from: "::",
                    ..plain
                }),
                true,
            ),
            (
                "unknown option first",
                with(&[14, 1, 0, 0, 0, 0, 0, 0, 1, 1, 2, 0, 0, 0, 0, 9]),
                true,
            ),
            ("bytes behind", with(&[1, 1, 2, 0, 0, 0, 0, 9, 5, 0]), true),
            ("length 0", with(&[1, 0, 2, 0, 0, 0, 0, 9]), false),
            (
                "length beyond the end",
                with(&[1, 2, 2, 0, 0, 0, 0, 9]),
                false,
            ),
            ("padding as an option", padded, false),
            (
                "a reachable one",
                ask(Solicitation {
                    target: "fd00:7::3",
                    ..plain
                }),
                true,
            ),
            (
                "a stale one",
                ask(Solicitation {
                    target: "fd00:7::4",
                    ..plain
                }),
                false,
            ),
            (
                "unknown",
                ask(Solicitation {
                    target: "fd00:7::9",
                    ..plain
                }),
                false,
            ),
            (
                "group",
                ask(Solicitation {
                    target: "ff02::1",
                    ..plain
                }),
                false,
            ),
        ],
    );
    Ok(())
}

#[derive(Clone, Copy)]
struct Solicitation<'a> {
    from: &'a str,
    target: &'a str,
    class: u8,
    hops: u8,
    options: &'a [u8],
}

impl Solicitation<'_> {
    fn frame(&self) -> Vec<u8> {
        let address = |text: &str| text.parse::<Ipv6Addr>().expect("an address");
        let (source, destination) = (address(self.from), address("ff02::1:ff00:2"));
        let mut message = vec![135, 0, 0, 0, 0, 0, 0, 0];
        message.extend(address(self.target).octets());
        message.extend(self.options);
        let addresses = Addresses::V6 {
            source,
            destination,
        };
        let sum = addresses.pseudo_header_sum(58, message.len() as u32);
        let sum = sum.add_bytes(&message).complement();
        message[2..4].copy_from_slice(&sum.to_be_bytes());
        let ip = ipv6::Header::new(&ipv6::Fields {
            traffic_class: self.class,
            flow_label: 5,
            payload_length: message.len() as u16,
            next_header: 58,
            hop_limit: self.hops,
            source,
            destination,
        });
        let mut frame = vec![0x33, 0x33, 0xff, 0, 0, 2];
        frame.extend(ASKER.octets());
        frame.extend([0x86, 0xdd]);
        frame.extend(ip.to_bytes());
        frame.extend(message);
        frame
    }
}

/// Asks both.
fn compare(lab: &Lab, questions: &[Question]) {
    let (ours, theirs) = lab.pair();
    let neighbours = [
        ("192.168.7.2", State::PERMANENT, "permanent"),
        ("192.168.7.3", State::REACHABLE, "reachable"),
        ("192.168.7.4", State::STALE, "stale"),
        ("fd00:7::2", State::PERMANENT, "permanent"),
        ("fd00:7::3", State::REACHABLE, "reachable"),
        ("fd00:7::4", State::STALE, "stale"),
    ];
    let options = point_to_point(theirs, ours, "proxy l3miss");
    let mac = theirs.mac();
    theirs.ip(&format!("link add vx0 address {mac} type vxlan {options}"));
    theirs.ip("link set dev vx0 up");
    for (address, _, state) in neighbours {
        let words = format!("{address} lladdr {NEIGHBOUR} nud {state} dev vx0");
        theirs.ip(&format!("neigh replace {words}"));
    }
    let kernel = PacketSocket::for_received(theirs, "vx0");

    let (mut vtep, id) = ours.within(|| device(ours, theirs));
    let table = vtep.neighbours_mut(id).expect("the device");
    for (address, state, _) in neighbours {
        let who = Neighbour {
            state,
            ..Neighbour::permanent(NEIGHBOUR)
        };
        table.insert(address.parse().expect("an address"), who);
    }

    for (name, question, answered) in questions {
        kernel.send(question);
        let patience = if *answered { PATIENCE } else { SILENCE };
        let theirs = kernel.receive(patience);
        let (ours, miss) = ask(&mut vtep, id, question);
        assert_eq!(theirs.is_some(), *answered, "{name}: of the kernel");
        assert_eq!(ours, theirs, "{name}");
        assert_eq!(miss, *name == "unknown", "{name}: a miss");
    }
    assert_eq!(vtep.stats(id).expect("counters").rx_packets, 0);
    let left = wait_for("its counters", PATIENCE, || counters(theirs));
    assert_eq!(left, (0, 0), "nothing was sent or counted as received");
}

/// Packets that the kernel's device counted as received and as sent.
fn counters(host: &Host) -> Option<(u64, u64)> {
    let links = host.ip("-s -j link show dev vx0");
    let links: serde_json::Value = serde_json::from_str(&links).ok()?;
    let stats = &links[0]["stats64"];
    Some((
        stats["rx"]["packets"].as_u64()?,
        stats["tx"]["packets"].as_u64()?,
    ))
}

/// A proxy of ours.
fn device(host: &Host, remote: &Host) -> (Vtep, DeviceId) {
    let mut vtep = Vtep::new();
    let config = Config::new(Vni::new(VNI).expect("a VNI"))
        .local(host.underlay)
        .remote(remote.underlay)
        .port(4789)
        .proxy(true)
        .l3miss(true);
    let mac = host.mac().parse().expect("a MAC address");
    let id = vtep.add(config, mac).expect("a device");
    (vtep, id)
}

/// What ours answers, and whether it tells a miss.
fn ask(vtep: &mut Vtep, id: DeviceId, question: &[u8]) -> (Option<Vec<u8>>, bool) {
    let mut buffer = Buffer::new();
    buffer.frame_area()[..question.len()].copy_from_slice(question);
    let sent = vtep.send(id, &mut buffer, question.len());
    assert_eq!(sent.dropped, None);
    let miss = sent
        .events
        .iter()
        .any(|(_, event)| matches!(event, Event::L3Miss(IpAddr::V4(_) | IpAddr::V6(_))));
    let answer = (sent.local == [id]).then(|| buffer.frame(sent.len).to_vec());
    (answer, miss)
}
