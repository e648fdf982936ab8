//! What becomes of packets: the core's reasons, and those that come before it.

use vxlan_core::wire::ethernet::EtherType;
use vxlan_core::wire::protocol;

use super::synth::*;
use super::*;

const VX0: &[&str] = &["--link", "vx0 type vxlan id 42 dstport 4789"];

/// A frame whose VXLAN header starts with these bytes.
fn headed(header: [u8; 8], frame: &[u8]) -> Vec<u8> {
    outer(&summed(false, 4789, &join(&[&header, frame])))
}

#[test]
fn without_links_a_plain_device_judges() {
    let inner_cut = join(&[&B.octets(), &A.octets(), &[8, 0, 0x45, 0]]);
    let not_ect = ethernet(EtherType::IPV4, &ipv4(17, 0, &udp(1, &[])));
    let congested = ipv4(protocol::UDP, 3, &udp(4789, &vxlan(1, &not_ect)));
    for (name, frame, want) in [
        ("good", overlay(4789, 42), "deliver"),
        ("port of Linux", overlay(8472, 42), "deliver"),
        ("unknown port", overlay(4788, 42), "not VXLAN"),
        (
            "no I flag",
            headed([0, 0, 0, 0, 0, 0, 42, 0], &arp()),
            "drop invalid-header",
        ),
        (
            "reserved",
            headed([8, 0, 0, 0, 0, 0, 42, 1], &arp()),
            "drop reserved-bits",
        ),
        (
            "policy",
            headed([0x88, 0, 0, 1, 0, 0, 42, 0], &arp()),
            "drop reserved-bits",
        ),
        (
            "half a header",
            outer(&udp(4789, &[8, 0, 0, 0])),
            "drop packet-too-small",
        ),
        (
            "no frame",
            headed([8, 0, 0, 0, 0, 0, 42, 0], &[0; 13]),
            "drop inner-too-short",
        ),
        (
            "inner IP cut",
            headed([8, 0, 0, 0, 0, 0, 42, 0], &inner_cut),
            "drop inner-header-truncated",
        ),
        (
            "congestion",
            ethernet(EtherType::IPV4, &congested),
            "drop tunnel-ecn",
        ),
    ] {
        assert_eq!(verdict(&packet(&[], &frame)), want, "{name}");
    }
}

/// GBP and GPE use the same bits of the header for different things.
#[test]
fn ports_and_flags_say_which_extension_it_is() {
    let ip = ipv4(1, 0, &[8; 8]);
    for (port, header, frame, what, inner) in [
        (
            4789,
            [0x08, 0, 0, 0, 0, 0, 1, 0],
            arp(),
            "VXLAN 1",
            "ethernet",
        ),
        (
            4789,
            [0x88, 0, 0, 1, 0, 0, 1, 0],
            arp(),
            "VXLAN 1",
            "ethernet",
        ),
        (
            4789,
            [0x8c, 0, 0, 1, 0, 0, 1, 0],
            arp(),
            "VXLAN 1",
            "ethernet",
        ),
        (
            4789,
            [0x0c, 0, 0, 0, 0, 0, 1, 0],
            arp(),
            "VXLAN 1",
            "ethernet",
        ),
        (
            4789,
            [0x0c, 0, 0, 1, 0, 0, 1, 0],
            ip.clone(),
            "VXLAN-GPE 1",
            "ipv4",
        ),
        (
            4790,
            [0x8c, 0, 0, 1, 0, 0, 1, 0],
            ip.clone(),
            "VXLAN-GPE 1",
            "ipv4",
        ),
        (
            4790,
            [0x0c, 0, 0, 3, 0, 0, 1, 0],
            arp(),
            "VXLAN-GPE 1",
            "ethernet",
        ),
        (
            4790,
            [0x0c, 0, 0, 9, 0, 0, 1, 0],
            arp(),
            "VXLAN-GPE 1",
            "data",
        ),
        (
            4790,
            [0x08, 0, 0, 0, 0, 0, 1, 0],
            arp(),
            "VXLAN 1",
            "ethernet",
        ),
    ] {
        let line = packet(&[], &outer(&summed(false, port, &join(&[&header, &frame]))));
        assert_eq!(
            (&line["what"], &line["layers"][4]["layer"]),
            (&what.into(), &inner.into())
        );
    }
}

#[test]
fn what_ip_and_udp_refuse_no_device_sees() {
    let good = overlay(4789, 42);
    let changed = |at: usize, value: u8| {
        let mut frame = good.clone();
        frame[at] = value;
        frame
    };
    let padded = join(&[&good, &[0; 9]]);
    let mut long = udp(4789, &vxlan(42, &arp()));
    long[5] += 1;
    let mut left = udp(4789, &vxlan(42, &arp()));
    let pseudo = vxlan_core::wire::udp::pseudo_header_sum(
        vxlan_core::wire::Addresses::new(v4(1).into(), v4(2).into()).unwrap(),
        left.len(),
    );
    left[6..8].copy_from_slice(&pseudo.fold().to_be_bytes());
    let six = |datagram: &[u8]| ethernet(EtherType::IPV6, &ipv6(17, datagram));
    let bare = six(&udp(4789, &vxlan(42, &arp())));
    for (name, options, frame, want) in [
        ("ttl changed", &[][..], changed(22, 63), "drop ip-checksum"),
        ("port changed", &[], changed(35, 1), "drop udp-checksum"),
        ("cut on the way", &[], good[..60].to_vec(), "drop ip-length"),
        ("padded", &[], padded, "deliver"),
        ("UDP longer than IP", &[], outer(&long), "drop udp-length"),
        ("left to the card", &[], outer(&left), "deliver"),
        (
            "IPv6",
            &[],
            six(&summed(true, 4789, &vxlan(42, &arp()))),
            "deliver",
        ),
        (
            "IPv6 without checksum",
            &[],
            bare.clone(),
            "drop udp6-zero-checksum",
        ),
        (
            "IPv6 without checksum, allowed",
            &[
                "--link",
                "v type vxlan id 42 local :: dstport 4789 udp6zerocsumrx",
            ],
            bare,
            "deliver",
        ),
    ] {
        assert_eq!(verdict(&packet(options, &frame)), want, "{name}");
    }
}

#[test]
fn only_the_given_devices_exist() {
    let own = &[
        "--link",
        "vx0 address 02:00:00:00:00:0a type vxlan id 42 dstport 4789",
    ][..];
    for (name, options, frame, want) in [
        ("ours", VX0, overlay(4789, 42), "deliver"),
        ("other VNI", VX0, overlay(4789, 43), "drop vni-not-found"),
        ("other port", VX0, overlay(8472, 42), "drop no-device"),
        (
            "own port",
            &["--link", "a type vxlan id 1 dstport 7"],
            overlay(7, 1),
            "deliver",
        ),
        ("named port", &["--port", "7"], overlay(7, 1), "deliver"),
        (
            "named port, no device",
            &["-p", "7", VX0[0], VX0[1]],
            overlay(7, 42),
            "drop no-device",
        ),
        (
            "policy",
            &["--link", "vx0 type vxlan id 42 dstport 4789 gbp"],
            headed([0x88, 0, 0, 1, 0, 0, 42, 0], &arp()),
            "deliver",
        ),
        (
            "reserved bits allowed",
            &[
                "--link",
                "vx0 type vxlan id 42 dstport 4789 reserved_bits 0",
            ],
            headed([8, 0, 0, 0, 0, 0, 42, 1], &arp()),
            "deliver",
        ),
        ("own frame", own, overlay(4789, 42), "drop local-mac"),
        (
            "link-local",
            &[
                "--link",
                "vx0 type vxlan id 42 local fe80::1 dev eth0 dstport 4789",
            ],
            ethernet(
                EtherType::IPV6,
                &ipv6(17, &summed(true, 4789, &vxlan(42, &arp()))),
            ),
            "deliver",
        ),
        (
            "other family",
            VX0,
            ethernet(
                EtherType::IPV6,
                &ipv6(17, &summed(true, 4789, &vxlan(42, &arp()))),
            ),
            "drop no-device",
        ),
    ] {
        let packet = packet(options, &frame);
        assert_eq!(verdict(&packet), want, "{name}");
    }
}

#[test]
fn devices_that_cannot_be_are_refused() {
    for (links, want) in [
        (
            &[
                "a type vxlan id 1 dstport 4789",
                "b type vxlan id 1 dstport 4789",
            ][..],
            "link \"b …\": a device with VNI 1 on port 4789 exists",
        ),
        (
            &["a type vxlan id 1", "b type vxlan id 2 gbp"],
            "link \"b …\": other devices on port 8472 differ in gbp or udp6zerocsumrx",
        ),
        (&["a type vxlan"], "link \"a …\": \"id VNI\" expected"),
    ] {
        let mut options: Vec<&str> = links.iter().flat_map(|link| ["--link", link]).collect();
        options.push("capture");
        let error = decoder(&arguments(&options)).err();
        assert_eq!(error.as_deref(), Some(want));
    }
    assert!(
        decoder(&arguments(&[
            "-l",
            "a type vxlan id 1 remote ::1 local 192.0.2.1",
            "c"
        ]))
        .is_err()
    );
}

/// The second packet comes from another VTEP, the third 301 s later.
#[test]
fn devices_learn_and_forget_by_the_clock_of_the_capture() {
    let style = Style::ALL[0];
    let first = overlay(4789, 42);
    let elsewhere = {
        let mut packet = ipv4(17, 0, &udp(4789, &vxlan(42, &arp())));
        packet[15] = 9;
        packet[10..12].copy_from_slice(&[0, 0]);
        let sum = vxlan_core::checksum::sum(&packet[..20]);
        packet[10..12].copy_from_slice(&(!sum).to_be_bytes());
        ethernet(EtherType::IPV4, &packet)
    };
    let mut later = style.pcap_record(&first, first.len());
    later[..4].copy_from_slice(&302_u32.to_le_bytes());
    let file = join(&[&pcap(&[first, elsewhere]), &later]);
    let lines = json(VX0, &file);
    let events: Vec<_> = lines[..3]
        .iter()
        .map(|line| &line["verdict"]["event"])
        .collect();
    assert_eq!(events[0]["event"], "learned");
    assert_eq!(events[0]["mac"], A.to_string());
    assert_eq!(
        (&events[1]["event"], &events[1]["from"]),
        (&"migrated".into(), &"192.0.2.1".into())
    );
    assert_eq!(events[2]["event"], "learned");
}

#[test]
fn what_the_capture_left_out_is_not_guessed() {
    let style = Style::ALL[0];
    let ip = ethernet(EtherType::IPV4, &ipv4(17, 0, &udp(1, &[0; 300])));
    let frame = outer(&udp(4789, &vxlan(42, &ip)));
    let bad = outer(&udp(4789, &join(&[&[8, 1, 0, 0, 0, 0, 42, 0], &ip])));
    // Ethernet, IPv4, UDP, VXLAN, then the inner Ethernet and IPv4 headers.
    let headers = 14 + 20 + 8 + 8;
    for (frame, snap, want) in [
        (&frame, 20, "not VXLAN"),
        (&frame, headers - 1, "unknown cut"),
        (&frame, headers, "unknown cut"),
        (&frame, headers + 14 + 19, "unknown cut"),
        (&frame, headers + 14 + 20, "deliver"),
        (&bad, headers - 1, "unknown cut"),
        (&bad, headers, "drop reserved-bits"),
    ] {
        let record = style.pcap_record(&frame[..snap], frame.len());
        let line = &json(&[], &join(&[&style.pcap_header(1), &record]))[0];
        assert_eq!(verdict(line), want, "{snap}");
    }
    // A claim of four gigabytes costs no memory.
    let record = style.pcap_record(&frame[..headers + 40], u32::MAX as usize);
    assert_eq!(
        verdict(&json(&[], &join(&[&style.pcap_header(1), &record]))[0]),
        "deliver"
    );
}

#[test]
fn fragments_are_judged_when_put_together() {
    let whole = ipv4(17, 0, &udp(4789, &vxlan(42, &arp())));
    let fragment = |flags: [u8; 2]| {
        let mut packet = whole.clone();
        packet[6..8].copy_from_slice(&flags);
        packet[10..12].copy_from_slice(&[0, 0]);
        let sum = vxlan_core::checksum::sum(&packet[..20]);
        packet[10..12].copy_from_slice(&(!sum).to_be_bytes());
        packet
    };
    let first = packet(&[], &ethernet(EtherType::IPV4, &fragment([0x20, 0])));
    assert_eq!(
        (verdict(&first), &first["vni"]),
        ("unknown fragment".to_owned(), &42.into())
    );
    let second = packet(&[], &ethernet(EtherType::IPV4, &fragment([0, 10])));
    assert_eq!(second["what"], "fragment of UDP at byte 80");
    let six = |word: [u8; 2]| {
        let header = join(&[
            &[17, 0],
            &word,
            &[0; 4],
            &summed(true, 4789, &vxlan(42, &arp())),
        ]);
        packet(&[], &ethernet(EtherType::IPV6, &ipv6(44, &header)))
    };
    assert_eq!(verdict(&six([0, 1])), "unknown fragment");
    assert_eq!(verdict(&six([0, 0])), "deliver");
    assert_eq!(six([0, 80])["what"], "fragment of UDP at byte 80");
}

#[test]
fn big_tcp_goes_by_the_length_of_the_capture() {
    let mut four = udp(4789, &vxlan(42, &arp()));
    four[4..6].copy_from_slice(&[0, 0]);
    let mut four = ipv4(17, 0, &four);
    four[2..4].copy_from_slice(&[0, 0]);
    four[10..12].copy_from_slice(&[0, 0]);
    let sum = vxlan_core::checksum::sum(&four[..20]);
    four[10..12].copy_from_slice(&(!sum).to_be_bytes());
    let mut six = summed(true, 4789, &vxlan(42, &arp()));
    six[4..6].copy_from_slice(&[0, 0]);
    let mut six = ipv6(17, &six);
    six[4..6].copy_from_slice(&[0, 0]);
    for (kind, data) in [(EtherType::IPV4, four), (EtherType::IPV6, six)] {
        let line = packet(&[], &ethernet(kind, &data));
        assert_eq!(line["layers"][1]["big_tcp"], true);
        assert_eq!(
            (verdict(&line), &line["vni"]),
            ("deliver".to_owned(), &42.into())
        );
    }
}
