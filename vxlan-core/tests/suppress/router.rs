//! Route short-circuit.

use std::net::IpAddr;

use vxlan_core::fdb::{Flags, State};
use vxlan_core::neighbour::Lookup;
use vxlan_core::packet::HEADROOM;
use vxlan_core::{
    DropReason, Egress, Encapsulated, Event, Ingress, Instant, Mac, Neighbour, NoNeighbours,
    Packet, TunnelInfo, Vni, Worker,
};

use super::lab::{End, entry, nexthop_entry, run, table};
use crate::common::{OWN, Table, any_route, config, device, frame, ip, ipv4, ipv6, mac};

/// A router, and the host that it would forward to.
const ROUTER: Mac = Mac::new([2, 0, 0, 0, 0, 0x64]);
const HOST: Mac = Mac::new([2, 0, 0, 0, 0, 0x65]);

fn short_circuit() -> Table {
    let mut device = device(config().route_short_circuit(true).l3miss(true).l2miss(true));
    entry(&mut device, ROUTER, "192.0.2.3", Flags::ROUTER);
    device
}

/// Both families' packets go to this host.
fn host() -> impl Fn(IpAddr) -> Lookup {
    host_is(Neighbour::permanent(HOST))
}

fn host_is(who: Neighbour) -> impl Fn(IpAddr) -> Lookup {
    let six = IpAddr::from([0xfc; 16]).to_string();
    table(&[("10.0.0.2", who), (&six, who)])
}

fn to_router(ethertype: u16) -> Vec<u8> {
    let packet = match ethertype {
        0x0800 => ipv4(0, 64),
        _ => ipv6(0, 64, 5),
    };
    frame(ROUTER, OWN, ethertype, &packet)
}

fn forward(to: &str) -> End {
    End::Forward(vec![ip(to)])
}

/// T-04, T-05: the frame goes to the host, and comes from the router; nothing else in it changes.
#[test]
fn t04_t05_to_the_host_at_once() {
    for ethertype in [0x0800, 0x86dd] {
        let mut device = short_circuit();
        let sent = to_router(ethertype);
        // An unknown host is reached as all unknown ones are.
        assert_eq!(run(&device, &sent, &host()).end, forward("192.0.2.2"));
        entry(&mut device, HOST, "192.0.2.4", Flags::ROUTER);
        let outcome = run(&device, &sent, &host());
        assert_eq!((outcome.end, outcome.miss), (forward("192.0.2.4"), None));
        let want = [&HOST.octets()[..], &ROUTER.octets(), &sent[12..]].concat();
        assert_eq!(outcome.bytes, want);
        let router = device.fdb().find(&device.key(ROUTER)).unwrap();
        assert_eq!(router.used().as_millis(), 5_000, "the look-up is a use");
    }
}

/// T-04, T-05: what does not take the short way goes to the router, unchanged.
#[test]
fn t04_t05_unchanged() {
    let four = to_router(0x0800);
    let tagged = [&four[..12], &[0x81, 0, 0, 5], &four[12..]].concat();
    let arp = frame(ROUTER, OWN, 0x0806, &[0; 46]);
    let known = |sent: &[u8], device: &Table| run(device, sent, &host());
    let off = {
        let mut device = device(config().l3miss(true));
        entry(&mut device, ROUTER, "192.0.2.3", Flags::ROUTER);
        device
    };
    let no_router = {
        let mut device = device(config().route_short_circuit(true).l3miss(true));
        entry(&mut device, ROUTER, "192.0.2.3", Flags::empty());
        device
    };
    for (name, sent, device) in [
        ("off", &four, &off),
        ("no router", &four, &no_router),
        ("tagged", &tagged, &short_circuit()),
        ("ARP", &arp, &short_circuit()),
        ("short IPv4", &four[..33].to_vec(), &short_circuit()),
        (
            "short IPv6",
            &to_router(0x86dd)[..53].to_vec(),
            &short_circuit(),
        ),
    ] {
        let outcome = known(sent, device);
        assert_eq!(
            (outcome.end, outcome.miss),
            (forward("192.0.2.3"), None),
            "{name}"
        );
        assert_eq!(outcome.bytes, *sent, "{name}");
    }
    let router = Neighbour::permanent(ROUTER);
    let outcome = run(&short_circuit(), &four, &host_is(router));
    assert_eq!((outcome.end, outcome.bytes), (forward("192.0.2.3"), four));

    let group = Mac::new([1, 0, 0x5e, 1, 2, 3]);
    let mut device = short_circuit();
    entry(&mut device, group, "192.0.2.5", Flags::ROUTER);
    let sent = frame(group, OWN, 0x0800, &ipv4(0, 64));
    let outcome = known(&sent, &device);
    assert_eq!((outcome.end, outcome.bytes), (forward("192.0.2.5"), sent));
}

/// T-05: an unknown host is missed once, and the frame goes to the router.
#[test]
fn t05_an_unknown_host() {
    for ethertype in [0x0800, 0x86dd] {
        let sent = to_router(ethertype);
        let nobody = table(&[]);
        let outcome = run(&short_circuit(), &sent, &nobody);
        let target = match ethertype {
            0x0800 => ip("10.0.0.2"),
            _ => IpAddr::from([0xfc; 16]),
        };
        assert_eq!(outcome.miss, Some(Event::L3Miss(target)));
        assert_eq!(
            (outcome.end, outcome.bytes),
            (forward("192.0.2.3"), sent.clone())
        );
        let mut quiet = device(config().route_short_circuit(true));
        entry(&mut quiet, ROUTER, "192.0.2.3", Flags::ROUTER);
        assert_eq!(run(&quiet, &sent, &nobody).miss, None);
    }
}

/// T-05, CVE-2026-23293: an interface without IPv6 has no table to look in.
#[test]
fn lesson_rsc_without_ipv6_table() {
    let ipv4_only = |address: IpAddr| match address {
        IpAddr::V4(_) => Lookup::Found(Neighbour::permanent(HOST)),
        IpAddr::V6(_) => Lookup::NoTable,
    };
    let sent = to_router(0x86dd);
    let outcome = run(&short_circuit(), &sent, &ipv4_only);
    assert_eq!((outcome.end, outcome.miss), (forward("192.0.2.3"), None));
    assert_eq!(outcome.bytes, sent);
    let outcome = run(&short_circuit(), &to_router(0x0800), &ipv4_only);
    assert_eq!(outcome.end, forward("192.0.2.2"));
    // And with no tables at all.
    let mut worker = Worker::new(Instant::ZERO);
    let mut bytes = to_router(0x0800);
    let len = bytes.len();
    let mut packet = Packet::new(&mut bytes, 0, len).unwrap();
    let device = short_circuit();
    let (egress, miss) = device.transmit_with(&mut worker, &mut packet, &NoNeighbours);
    assert!(matches!(egress, Egress::Forward(_)) && miss.is_none());
}

/// T-05: the state is not asked for, so that a failed neighbour takes the frame to the default
/// entry under the address of all zeros.
#[test]
fn t05_states_do_not_matter() {
    let failed = Neighbour {
        mac: Mac::ZERO,
        state: State::FAILED,
        router: false,
    };
    let outcome = run(&short_circuit(), &to_router(0x0800), &host_is(failed));
    assert_eq!((outcome.end, outcome.miss), (forward("192.0.2.2"), None));
    assert_eq!(outcome.bytes[..6], [0; 6]);
}

/// T-04: behind nexthop objects, either of the two.
#[test]
fn lesson_first_remote_absent() {
    let mut device = short_circuit();
    nexthop_entry(&mut device, HOST, Flags::empty());
    let outcome = run(&device, &to_router(0x0800), &host());
    assert!(matches!(outcome.end, End::Other(text) if text.starts_with("Nexthop")));
    let mut device = short_circuit_behind_nexthop();
    entry(&mut device, HOST, "192.0.2.4", Flags::empty());
    assert_eq!(
        run(&device, &to_router(0x0800), &host()).end,
        forward("192.0.2.4")
    );
}

fn short_circuit_behind_nexthop() -> Table {
    let mut device = device(config().route_short_circuit(true));
    nexthop_entry(&mut device, ROUTER, Flags::ROUTER);
    device
}

/// What a device makes of a frame for its first remote.
fn encapsulate(
    device: &mut Table,
    sent: &[u8],
    table: &dyn Fn(IpAddr) -> Lookup,
) -> (String, Worker) {
    let mut worker = Worker::new(Instant::ZERO);
    let mut buffer = [&[0; HEADROOM][..], sent].concat();
    let mut packet = Packet::new(&mut buffer, HEADROOM, sent.len()).unwrap();
    let (egress, _) = device.transmit_with(&mut worker, &mut packet, &table);
    let Egress::Forward(mut remotes) = egress else {
        panic!("{egress:?}");
    };
    let remote = *remotes.next().unwrap();
    let route = any_route(ip("192.0.2.9"));
    let text = match device.encapsulate(&mut worker, &mut packet, &remote, route) {
        Encapsulated::Own(vni) => {
            let ingress = device.receive_local(&mut worker, vni, &packet);
            assert!(matches!(ingress, Ingress::Deliver(..)));
            device.bypassed(&mut worker, &packet);
            format!("own {vni}")
        }
        Encapsulated::Drop(reason) => reason.to_string(),
        Encapsulated::Send(_) => "sent".into(),
        other => format!("{other:?}"),
    };
    (text, worker)
}

/// T-10: a remote without address is a station behind the local bridge: what went to a router
/// comes back to the device, all else is dropped.
#[test]
fn t10_back_to_the_device() {
    let mut device = short_circuit();
    entry(&mut device, HOST, "0.0.0.0", Flags::empty());
    let sent = to_router(0x0800);
    let (end, worker) = encapsulate(&mut device, &sent, &host());
    assert_eq!(end, "own 0");
    let stats = &worker.stats;
    assert_eq!((stats.tx_packets, stats.rx_packets), (1, 1));
    assert_eq!((stats.tx_bytes, stats.rx_bytes), (34, 34));
    // Straight to the host: there is no way from here.
    let straight = frame(HOST, OWN, 0x0800, &ipv4(0, 64));
    let (end, worker) = encapsulate(&mut device, &straight, &host());
    assert_eq!((end.as_str(), worker.stats.tx_dropped), ("any-remote", 1));
    assert_eq!(worker.stats.drops(DropReason::AnyRemote), 1);
}

/// T-10: a packet value that one device short-circuited means nothing to another, nor to the same
/// one the next time.
#[test]
fn t10_the_short_way_is_forgotten() {
    let mut device = short_circuit();
    entry(&mut device, HOST, "0.0.0.0", Flags::empty());
    let mut plain = crate::common::device(config());
    entry(&mut plain, HOST, "0.0.0.0", Flags::empty());
    for again in [&plain, &device] {
        let mut worker = Worker::new(Instant::ZERO);
        let sent = to_router(0x0800);
        let mut buffer = [&[0; HEADROOM][..], &sent].concat();
        let mut packet = Packet::new(&mut buffer, HEADROOM, sent.len()).unwrap();
        let table = host();
        let _ = device.transmit_with(&mut worker, &mut packet, &table);
        // Now it is for the host, not for the router.
        let (egress, _) = again.transmit_with(&mut worker, &mut packet, &table);
        let Egress::Forward(mut remotes) = egress else {
            panic!("{egress:?}");
        };
        let remote = remotes.next().unwrap();
        let route = any_route(ip("192.0.2.9"));
        let end = again.encapsulate(&mut worker, &mut packet, remote, route);
        assert!(
            matches!(end, Encapsulated::Drop(DropReason::AnyRemote)),
            "{end:?}"
        );
    }
}

/// T-10: in external mode the network is that of the metadata, on the way out and back.
#[test]
fn t10_in_external_mode() {
    let config = vxlan_core::Config::new(Vni::MIN)
        .local(ip("192.0.2.1"))
        .external(true)
        .route_short_circuit(true);
    let mut device = device(config);
    for (mac, to, flags) in [
        (ROUTER, "192.0.2.3", Flags::ROUTER),
        (HOST, "0.0.0.0", Flags::empty()),
    ] {
        let update = vxlan_core::fdb::Update {
            key: vxlan_core::fdb::Key { mac, vni: 77 },
            state: State::PERMANENT,
            flags: flags | Flags::SELF,
            mode: vxlan_core::fdb::Mode::CREATE,
            destination: device.remote(ip(to)).into(),
            limit: 0,
        };
        device.fdb_mut().update(Instant::ZERO, &update).unwrap();
    }
    for (network, want) in [(77, "own 77"), (78, "no entry")] {
        let mut worker = Worker::new(Instant::ZERO);
        let sent = frame(ROUTER, mac(9), 0x0800, &ipv4(0, 64));
        let mut buffer = [&[0; HEADROOM][..], &sent].concat();
        let mut packet = Packet::new(&mut buffer, HEADROOM, sent.len()).unwrap();
        let mut info = TunnelInfo::new(network, ip("192.0.2.9"));
        info.bridge = true;
        packet.tunnel = Some(info);
        let table = host();
        let (egress, _) = device.transmit_with(&mut worker, &mut packet, &table);
        let end = match egress {
            Egress::Forward(mut remotes) => {
                let remote = remotes.next().unwrap();
                let route = any_route(ip("192.0.2.9"));
                match device.encapsulate(&mut worker, &mut packet, remote, route) {
                    Encapsulated::Own(vni) => format!("own {vni}"),
                    other => format!("{other:?}"),
                }
            }
            Egress::Drop(DropReason::NoRemote, None) => "no entry".into(),
            other => format!("{other:?}"),
        };
        assert_eq!(end, want);
    }
}
