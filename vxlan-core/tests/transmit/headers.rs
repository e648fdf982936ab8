//! What the outer headers say.

use super::*;

/// T-27: the article's list, one line each; T-23 to T-25 in the bytes of a recorded packet.
#[test]
fn t27_the_whole_outer_header() {
    let config = config().port_range(PortRange::new(50000, 50001).unwrap());
    let outer = only(&device(config), &inner());
    let head = [
        0x45,
        0x01,
        0,
        20 + 8 + 8 + 34,
        0,
        0,
        0,
        0,
        64,
        17,
        0xf6,
        0x84,
        192,
        0,
        2,
        1,
        192,
        0,
        2,
        2,
        0xc3,
        0x50,
        0x12,
        0xb5,
        0,
        8 + 8 + 34,
    ];
    assert_eq!(outer[..10], head[..10]);
    assert_eq!(outer[12..26], head[12..]);
    assert_eq!(outer[28..36], [8, 0, 0, 0, 0, 0, 42, 0]);
    assert_eq!(outer[36..], inner());
    datagram_of(&outer);

    let config = config6().port_range(PortRange::new(50000, 50001).unwrap());
    let outer = only(&device(config), &inner());
    assert_eq!(outer[..8], [0x60, 0x10, 0, 0, 0, 8 + 8 + 34, 17, 64]);
    assert_eq!(outer[40..46], [0xc3, 0x50, 0x12, 0xb5, 0, 8 + 8 + 34]);
    assert_eq!(outer[56..], inner());
    datagram_of(&outer);
}

/// T-11, T-12, T-17, T-19, T-28: TTL, TOS, label and DF by policy.
#[test]
fn t11_t12_t28_header_policies() {
    let v4 = inner();
    let v6 = frame(mac(9), mac(8), 0x86dd, &ipv6(0xb9, 7, 0x12345));
    let arp = frame(mac(9), mac(8), 0x0806, &[0; 28]);
    let tagged = frame(
        mac(9),
        mac(8),
        0x8100,
        &[&[0, 5, 0x08, 0x00][..], &ipv4(0xb9, 33)].concat(),
    );
    let mut no_fragments = v4.clone();
    no_fragments[20] = 0x40;
    let group = ip("239.1.1.1");
    let eth = IfIndex::new(3);
    for (name, config, frame, tos, df, ttl) in [
        ("plain", config(), &v4, 0x01, 0, 64),
        ("ttl", config().ttl(5), &v4, 0x01, 0, 5),
        ("ttl inherit", config().ttl_inherit(true), &v4, 0x01, 0, 33),
        (
            "ttl inherit, v6",
            config().ttl_inherit(true),
            &v6,
            0x01,
            0,
            7,
        ),
        (
            "ttl inherit, ARP",
            config().ttl_inherit(true),
            &arp,
            0,
            0,
            64,
        ),
        ("group", config().remote(group).lower(eth), &v4, 0x01, 0, 1),
        (
            "group, ttl",
            config().remote(group).lower(eth).ttl(9),
            &v4,
            0x01,
            0,
            9,
        ),
        ("tos", config().tos(0x13), &v4, 0x11, 0, 64),
        ("tos inherit", config().tos(1), &v4, 0xb9, 0, 64),
        ("tos inherit, tagged", config().tos(1), &tagged, 0xb9, 0, 64),
        ("tos inherit, ARP", config().tos(1), &arp, 0, 0, 64),
        ("df", config().df(Df::Set), &v4, 0x01, 0x40, 64),
        (
            "df inherit, clear",
            config().df(Df::Inherit),
            &v4,
            0x01,
            0,
            64,
        ),
        (
            "df inherit, set",
            config().df(Df::Inherit),
            &no_fragments,
            0x01,
            0x40,
            64,
        ),
        (
            "df inherit, v6",
            config().df(Df::Inherit),
            &v6,
            0x01,
            0x40,
            64,
        ),
        (
            "df inherit, tagged",
            config().df(Df::Inherit),
            &tagged,
            0x01,
            0,
            64,
        ),
    ] {
        let outer = only(&device(config), frame);
        assert_eq!((outer[1], outer[6], outer[8]), (tos, df, ttl), "{name}");
    }
    let inherit = FlowLabel::Inherit(0);
    for (name, config, frame, first, hops) in [
        ("plain", config6(), &v6, 0x6010_0000, 64),
        (
            "label",
            config6().flow_label(FlowLabel::Fixed(0x54321)),
            &v6,
            0x6015_4321,
            64,
        ),
        (
            "inherit",
            config6().flow_label(inherit).tos(1),
            &v6,
            0x6b91_2345,
            64,
        ),
        (
            "inherit, v4",
            config6().flow_label(inherit),
            &v4,
            0x6010_0000,
            64,
        ),
        ("hops", config6().ttl_inherit(true), &v4, 0x6010_0000, 33),
        (
            "old driver",
            config6().tos(0xb8).compat(Compat::LINUX_4_3),
            &v6,
            0x6000_0000,
            64,
        ),
    ] {
        let outer = only(&device(config), frame);
        let word = u32::from_be_bytes(*outer.first_chunk().unwrap());
        assert_eq!((word, outer[7]), (first, hops), "{name}");
    }
}

/// T-24: checksums on and off, per family and per driver.
#[test]
fn t24_udp_checksums() {
    for (name, config, at, zero) in [
        ("v4", config(), 26, false),
        ("v4 off", config().udp_checksum(false), 26, true),
        (
            "v4, v6 switch",
            config().udp_zero_checksum6_tx(true),
            26,
            false,
        ),
        (
            "v4, old driver",
            config().compat(Compat::LINUX_4_3),
            26,
            true,
        ),
        ("v6", config6(), 46, false),
        ("v6 off", config6().udp_zero_checksum6_tx(true), 46, true),
        ("v6, v4 switch", config6().udp_checksum(false), 46, false),
    ] {
        let outer = only(&device(config), &inner());
        datagram_of(&outer);
        assert_eq!(outer[at..at + 2] == [0, 0], zero, "{name}");
    }
    // Left to the card: the sum of the pseudo header, for it to go on from.
    let (sent, _) = transmit(&device(config()), &inner(), |to| {
        any_route(to).map(|route| route.checksum_offload(true))
    });
    let (header, _, datagram) = ip4::Header::parse(&sent[0]).unwrap();
    let mut datagram = datagram.to_vec();
    let seed = udp::pseudo_header_sum(header.addresses(), datagram.len()).fold();
    assert_eq!(datagram[6..8], seed.to_be_bytes());
    assert!(vxlan_core::checksum::fill(&mut datagram, 0, 6));
    assert_eq!(
        udp::verify(header.addresses(), &datagram),
        udp::Verdict::Valid
    );
}

/// T-13: equal flows share a port; 10,000 flows spread over the range as chance would have it.
#[test]
fn t13_source_ports() {
    let range = PortRange::new(32768, 60999).unwrap();
    let device = device(config().port_range(range).udp_checksum(false));
    let flow = |number: u16, payload: u8| {
        let mut packet = ipv4(0, 64);
        packet.extend_from_slice(&number.to_be_bytes());
        packet.extend_from_slice(&[0, 53, 0, 9, 0, 0, payload]);
        let outer = only(&device, &frame(mac(payload), mac(8), 0x0800, &packet));
        datagram_of(&outer).0.source()
    };
    let mut seen = BTreeSet::new();
    for number in 0..10_000 {
        let port = flow(number, 1);
        assert!((range.low()..range.high()).contains(&port));
        seen.insert(port);
    }
    for number in 0..50 {
        assert_eq!(
            flow(number, 1),
            flow(number, 2),
            "payload and MAC do not matter"
        );
    }
    // n throws into m bins hit m (1 - (1 - 1/m)^n) of them.
    let m = f64::from(range.high() - range.low());
    let expected = m * (1.0 - (1.0 - 1.0 / m).powi(10_000));
    assert!(
        seen.len() as f64 >= 0.95 * expected,
        "{} of {expected}",
        seen.len()
    );
}

/// T-18, T-23: the mark travels in the header of a policy device.
#[test]
fn t18_t23_group_policy() {
    for (gbp, mark, want) in [
        (true, 0, [0x08, 0, 0, 0]),
        (true, 0x0048_1234, [0x88, 0x48, 0x12, 0x34]),
        (true, 0x0001_0000, [0x88, 0, 0, 0]),
        (true, u32::MAX, [0x88, 0x48, 0xff, 0xff]),
        (false, 0x1234, [0x08, 0, 0, 0]),
    ] {
        let device = device(config().gbp(gbp));
        let mut worker = Worker::new(Instant::ZERO);
        let mut buffer = [&[0; HEADROOM][..], &inner()].concat();
        let mut packet = Packet::new(&mut buffer, HEADROOM, 34).unwrap();
        packet.mark = mark;
        let remote = device.remote(ip("192.0.2.2"));
        let Encapsulated::Send(outer) =
            device.encapsulate(&mut worker, &mut packet, &remote, any_route(remote.addr))
        else {
            panic!("nothing forbids it");
        };
        assert_eq!(outer.udp_payload()[..4], want, "{mark:#x}");
    }
}
