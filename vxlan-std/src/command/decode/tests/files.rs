//! File formats: every way to write the same packets, and every way to break a file.

use proptest::prelude::*;

use super::synth::*;
use super::*;

/// VNI and time of each packet.
fn told(file: &[u8]) -> Vec<(u64, Option<String>)> {
    let mut lines = json(&[], file);
    lines.pop();
    let tell = |line: &Value| {
        (
            line["vni"].as_u64().unwrap(),
            line["time"].as_str().map(str::to_owned),
        )
    };
    lines.iter().map(tell).collect()
}

fn at(time: &str) -> Option<String> {
    Some(time.to_owned())
}

#[test]
fn pcap_in_either_order_and_unit() {
    for style in Style::ALL {
        let frame = overlay(4789, 42);
        let file = join(&[
            &style.pcap_header(1),
            &style.pcap_record(&frame, frame.len()),
        ]);
        assert_eq!(told(&file), [(42, at("1.500000000"))], "{style:?}");
    }
}

#[test]
fn pcap_with_the_longer_record_header() {
    let frame = overlay(4789, 42);
    let style = Style::ALL[0];
    let mut file = style.pcap_header(1);
    file[..4].copy_from_slice(&0xa1b2_cd34_u32.to_le_bytes());
    let record = style.pcap_record(&frame, frame.len());
    file.extend(join(&[&record[..16], &[0xff; 8], &record[16..]]));
    assert_eq!(told(&file), [(42, at("1.500000000"))]);
}

#[test]
fn pcapng_with_each_packet_block() {
    for style in [Style::ALL[0], Style::ALL[2]] {
        let frame = |vni| overlay(4789, vni);
        let short = frame(5);
        let file = join(&[
            &style.section(),
            &style.interface(1, 60, &[]),
            &style.block(5, &[0; 12]),
            &style.enhanced(0, 1_500_000, &frame(1)),
            &style.interface(1, 0, &[(2, b"eth0"), (9, &[9])]),
            &style.enhanced(1, 1_500_000_000, &frame(2)),
            &style.interface(1, 0, &[(9, &[0x80 | 10])]),
            &style.enhanced(2, 1024 + 512, &frame(3)),
            &style.obsolete(1, 1_500_000_000, &frame(4)),
            &style.simple(short.len() as u32, &short[..60]),
            // A new section counts its interfaces anew.
            &style.section(),
            &style.interface(1, 0, &[]),
            &style.enhanced(0, 2_000_000, &frame(6)),
        ]);
        let half = at("1.500000000");
        let want = [
            (1, half.clone()),
            (2, half.clone()),
            (3, half.clone()),
            (4, half),
            (5, None),
            (6, at("2.000000000")),
        ];
        assert_eq!(told(&file), want, "{style:?}");
        let simple = &json(&[], &file)[4];
        assert_eq!(
            (&simple["captured"], &simple["length"]),
            (&60.into(), &short.len().into())
        );
    }
}

#[test]
fn pcapng_with_a_time_offset() {
    let style = Style::ALL[2];
    let offset = 1000_i64.to_be_bytes();
    let file = join(&[
        &style.section(),
        &style.interface(1, 0, &[(14, &offset)]),
        &style.enhanced(0, 1_500_000, &overlay(4789, 1)),
    ]);
    assert_eq!(told(&file), [(1, at("1001.500000000"))]);
}

#[test]
fn link_types() {
    let ip = ipv4(17, 0, &summed(false, 4789, &vxlan(42, &arp())));
    let six = ipv6(17, &summed(true, 4789, &vxlan(42, &arp())));
    let cooked = join(&[&[0, 4, 0, 1, 0, 6], &A.octets(), &[0, 0, 8, 0], &ip]);
    let cooked2 = join(&[
        &[0x86, 0xdd, 0, 0, 0, 0, 0, 3, 0, 1, 0, 6],
        &A.octets(),
        &[0, 0],
        &six,
    ]);
    for (link_type, data) in [
        (0, join(&[&[2, 0, 0, 0], &ip])),
        (0, join(&[&[0, 0, 0, 2], &ip])),
        (0, join(&[&[30, 0, 0, 0], &six])),
        (
            1,
            ethernet(vxlan_core::wire::ethernet::EtherType::IPV6, &six),
        ),
        (12, ip.clone()),
        (101, six.clone()),
        (101, ip.clone()),
        (108, join(&[&[0, 0, 0, 2], &ip])),
        (113, cooked),
        (228, ip.clone()),
        (229, six.clone()),
        (276, cooked2),
    ] {
        for style in Style::ALL {
            let file = join(&[
                &style.pcap_header(link_type),
                &style.pcap_record(&data, data.len()),
            ]);
            let line = &json(&[], &file)[0];
            assert_eq!(
                (&line["vni"], verdict(line)),
                (&42.into(), "deliver".to_owned()),
                "{link_type}"
            );
        }
    }
    let file = join(&[
        &Style::ALL[0].pcap_header(147),
        &Style::ALL[0].pcap_record(&ip, ip.len()),
    ]);
    let line = &json(&[], &file)[0];
    assert_eq!(line["what"], "link type 147, not decoded");
}

#[test]
fn broken_files_are_told_by_their_place() {
    let frame = overlay(4789, 42);
    let whole = pcap(std::slice::from_ref(&frame));
    let style = Style::ALL[0];
    let ng = join(&[&style.section(), &style.interface(1, 0, &[])]);
    let record = 24 + 16 + frame.len();
    let mut huge = pcap(&[]);
    huge.extend(style.pcap_record(&frame, frame.len()));
    huge[32..36].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut trailer = join(&[&ng, &style.enhanced(0, 0, &frame)]);
    *trailer.last_mut().unwrap() ^= 1;
    for (name, file, packets, want) in [
        ("empty", vec![], 0, "byte 0: the file is empty".to_owned()),
        (
            "two bytes",
            vec![0xd4, 0xc3],
            0,
            "byte 0: neither a pcap nor a pcapng file".to_owned(),
        ),
        (
            "text",
            b"hello, world".to_vec(),
            0,
            "byte 0: neither a pcap nor a pcapng file".to_owned(),
        ),
        (
            "header",
            whole[..10].to_vec(),
            0,
            "byte 0: the file ends within a file header: 10 of 24 bytes are there".to_owned(),
        ),
        (
            "record header",
            join(&[&whole, &[0; 3]]),
            1,
            format!("byte {record}: the file ends within a record header: 3 of 16 bytes are there"),
        ),
        (
            "record",
            join(&[&whole, &whole[24..60]]),
            1,
            format!(
                "byte {record}: the file ends within a record: 36 of {} bytes are there",
                record - 24
            ),
        ),
        (
            "huge",
            huge,
            0,
            "byte 24: a packet cannot be 4294967295 bytes long".to_owned(),
        ),
        (
            "block",
            join(&[&ng, &style.enhanced(0, 0, &frame)[..40]]),
            0,
            format!(
                "byte {}: the file ends within a block: 40 of {} bytes are there",
                ng.len(),
                style.enhanced(0, 0, &frame).len()
            ),
        ),
        (
            "no interface",
            join(&[
                &ng,
                &style.enhanced(0, 0, &frame),
                &style.enhanced(3, 0, &frame),
            ]),
            1,
            format!(
                "byte {}: a packet of interface 3, which the section does not describe",
                ng.len() + style.enhanced(0, 0, &frame).len()
            ),
        ),
        (
            "trailer",
            trailer,
            0,
            format!("byte {}: a block cannot be 124 bytes long", ng.len()),
        ),
        (
            "tiny block",
            join(&[&ng, &[6, 0, 0, 0, 8, 0, 0, 0, 8, 0, 0, 0]]),
            0,
            format!("byte {}: a block cannot be 8 bytes long", ng.len()),
        ),
    ] {
        let (text, error) = decoded(&["-j"], &file);
        assert_eq!(error.map(|error| error.to_string()), Some(want), "{name}");
        assert_eq!(text.lines().count(), packets + 1, "{name}");
    }
}

#[test]
fn a_bad_file_does_not_stop_the_others() {
    let directory = std::env::temp_dir().join(format!("vtep-decode-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    let whole = pcap(&[overlay(4789, 42)]);
    std::fs::write(path("cut"), &whole[..whole.len() - 1]).unwrap();
    std::fs::write(path("whole"), &whole).unwrap();
    let (missing, cut, good) = (path("missing"), path("cut"), path("whole"));
    let mut results = Vec::new();
    for files in [
        &[&*missing, &cut, &good][..],
        &[&good],
        &["--link", "vx0", &good],
    ] {
        let (mut out, mut errors) = (Vec::new(), Vec::new());
        let status = decode(&arguments(files), &mut out, &mut errors).unwrap();
        let out = String::from_utf8(out).unwrap();
        results.push((
            status,
            out.contains("VNI 42"),
            String::from_utf8(errors).unwrap(),
        ));
    }
    std::fs::remove_dir_all(&directory).unwrap();
    let (bad, fine, wrong) = (&results[0], &results[1], &results[2]);
    assert_eq!((bad.0, bad.1), (1, true));
    assert_eq!(bad.2.lines().count(), 2, "{}", bad.2);
    assert!(
        bad.2
            .starts_with(&format!("vtep decode: {missing}: No such file")),
        "{}",
        bad.2
    );
    assert!(
        bad.2
            .contains(&format!("vtep decode: {cut}: byte 24: the file ends")),
        "{}",
        bad.2
    );
    assert_eq!(fine, &(0, true, String::new()));
    let want = "vtep decode: link \"vx0 …\": \"type vxlan\" expected\n";
    assert_eq!(wrong, &(2, false, want.to_owned()));
}

/// A capture with a bit of everything, as pcap and as pcapng.
fn samples() -> [Vec<u8>; 2] {
    let frames = [
        overlay(4789, 42),
        outer(&summed(
            false,
            4790,
            &join(&[&[0x0c, 0, 0, 4, 0, 0, 1, 0, 0, 2, 2, 1], &[0; 4], &arp()]),
        )),
        overlay(22, 1),
        ethernet(
            vxlan_core::wire::ethernet::EtherType::IPV6,
            &ipv6(17, &udp(4789, &vxlan(7, &arp()))),
        ),
    ];
    let style = Style::ALL[2];
    let mut ng = join(&[&style.section(), &style.interface(1, 0, &[(9, &[9])])]);
    for frame in &frames {
        ng.extend(style.enhanced(0, 1, frame));
    }
    [pcap(&frames), ng]
}

#[test]
fn every_prefix_of_a_capture_ends_in_an_error_or_between_packets() {
    for file in samples() {
        let whole = decoded(&["-j"], &file).0.lines().count();
        let mut clean = 0;
        for end in 0..file.len() {
            let (text, error) = decoded(&["-j"], &file[..end]);
            assert!(text.lines().count() < whole, "{end}");
            clean += usize::from(error.is_none());
        }
        // Behind the file's header, behind each packet but the last; pcapng: behind two blocks.
        assert!((4..=5).contains(&clean), "{clean}");
    }
}

proptest! {
    #[test]
    fn lesson_any_bytes_are_told_and_none_is_fatal(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        decoded(&[], &bytes);
        decoded(&["--link", "vx0 type vxlan id 42 dstport 4789 gbp"], &pcap(&[bytes]));
    }

    #[test]
    fn any_packet_of_any_link_type_is_told(
        link_type in prop_oneof![
            proptest::sample::select(vec![0u16, 1, 12, 101, 108, 113, 228, 229, 276]),
            any::<u16>(),
        ],
        bytes in proptest::collection::vec(any::<u8>(), 0..120),
        length in 0usize..300,
    ) {
        let told = layers::decode(link_type, &bytes, length, &PORTS);
        prop_assert!(!told.what.is_empty());
    }

    /// Changed bytes reach deeper than random ones.
    #[test]
    fn a_changed_capture_is_told(
        ng in any::<bool>(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8),
        end in any::<proptest::sample::Index>(),
    ) {
        let mut file = samples()[usize::from(ng)].clone();
        for (at, value) in changes {
            let at = at.index(file.len());
            file[at] = value;
        }
        let end = end.index(file.len() + 1);
        let link = ["--link", "vx0 type vxlan id 42 dstport 4789"];
        decoded(&link, &file[..end]);
        decoded(&["-j"], &file);
    }
}
