//! Which frames are answered.

use super::*;

/// T-28: what of an IPv4 header keeps it from being answered.
#[test]
fn t28_ipv4_conditions() {
    const FLAGS: usize = 14 + 6;
    const PROTOCOL: usize = 14 + 9;
    const SOURCE: usize = 14 + 12;
    const DESTINATION: usize = 14 + 16;
    const TYPE: usize = 14 + 20;
    type Change = (usize, &'static [u8]);
    let cases: &[(&str, &[Change], bool)] = &[
        ("as recorded", &[], true),
        ("another TOS and TTL", &[(15, &[0xff]), (22, &[1])], true),
        ("group MAC", &[(0, &[0xff; 6])], true),
        ("no DF", &[(FLAGS, &[0])], false),
        ("DF and MF", &[(FLAGS, &[0x60])], false),
        ("DF and an offset", &[(FLAGS, &[0x40, 1])], false),
        ("DF and the reserved bit", &[(FLAGS, &[0xc0])], false),
        ("to 255.255.255.255", &[(DESTINATION, &[255; 4])], false),
        ("to 224.0.0.0", &[(DESTINATION, &[224, 0, 0, 0])], false),
        ("to 239.9.9.9", &[(DESTINATION, &[239, 9, 9, 9])], false),
        ("to 240.0.0.1", &[(DESTINATION, &[240, 0, 0, 1])], true),
        ("to 127.0.0.1", &[(DESTINATION, &[127, 0, 0, 1])], true),
        ("to 0.0.0.0", &[(DESTINATION, &[0; 4])], true),
        ("from 0.0.0.0", &[(SOURCE, &[0; 4])], false),
        ("from 0.0.0.1", &[(SOURCE, &[0, 0, 0, 1])], true),
        ("from 127.0.0.1", &[(SOURCE, &[127, 0, 0, 1])], false),
        ("from 127.255.0.0", &[(SOURCE, &[127, 255, 0, 0])], false),
        ("from 224.0.0.1", &[(SOURCE, &[224, 0, 0, 1])], false),
        ("from 255.255.255.255", &[(SOURCE, &[255; 4])], false),
        ("from 240.0.0.1", &[(SOURCE, &[240, 0, 0, 1])], true),
        ("echo request", &[(PROTOCOL, &[1]), (TYPE, &[8])], true),
        ("echo reply", &[(PROTOCOL, &[1]), (TYPE, &[0])], true),
        ("unreachable", &[(PROTOCOL, &[1]), (TYPE, &[3])], false),
        ("source quench", &[(PROTOCOL, &[1]), (TYPE, &[4])], false),
        ("redirect", &[(PROTOCOL, &[1]), (TYPE, &[5])], false),
        ("time exceeded", &[(PROTOCOL, &[1]), (TYPE, &[11])], false),
        ("bad parameter", &[(PROTOCOL, &[1]), (TYPE, &[12])], false),
        ("timestamp", &[(PROTOCOL, &[1]), (TYPE, &[13])], true),
        ("not ICMP", &[(PROTOCOL, &[2]), (TYPE, &[3])], true),
        // The type lies behind the options.
        (
            "options",
            &[(14, &[0x46]), (PROTOCOL, &[1]), (TYPE, &[3, 0, 0, 0, 8])],
            true,
        ),
        (
            "an error",
            &[(14, &[0x46]), (PROTOCOL, &[1]), (TYPE, &[8, 0, 0, 0, 3])],
            false,
        ),
        ("ARP", &[(12, &[8, 6])], false),
        ("unknown", &[(12, &[0x88, 0xb5])], false),
    ];
    for (name, changes, want) in cases {
        assert_eq!(answered(&changed(IPV4, changes), 14), *want, "{name}");
    }
    let tagged = [&bytes(IPV4)[..12], &[0x81, 0, 0, 9], &bytes(IPV4)[12..]].concat();
    assert!(!answered(&tagged, 18), "tagged");
}

/// T-28: what of an IPv6 header keeps it from being answered.
#[test]
fn t28_ipv6_conditions() {
    const NEXT: usize = 14 + 6;
    const SOURCE: usize = 14 + 8;
    const DESTINATION: usize = 14 + 24;
    const PAYLOAD: usize = 14 + 40;
    /// The walk over extension headers begins here, two bytes into the destination.
    const WALK: usize = 40;
    type Change = (usize, &'static [u8]);
    let cases: &[(&str, &[Change], bool)] = &[
        ("as recorded", &[], true),
        (
            "another class and hop limit",
            &[(14, &[0x6f, 0xff]), (21, &[1])],
            true,
        ),
        ("from ::", &[(SOURCE, &[0; 16])], false),
        ("from ::1", &[(SOURCE, &[0; 15]), (SOURCE + 15, &[1])], true),
        ("from ff01::", &[(SOURCE, &[0xff, 1])], true),
        ("from ff02::", &[(SOURCE, &[0xff, 2])], true),
        ("from ff05::", &[(SOURCE, &[0xff, 5])], true),
        ("from ff15::", &[(SOURCE, &[0xff, 0x15])], true),
        ("from ff00::", &[(SOURCE, &[0xff, 0])], false),
        ("from ff04::", &[(SOURCE, &[0xff, 4])], false),
        ("from ff08::", &[(SOURCE, &[0xff, 8])], false),
        ("from ff0e::", &[(SOURCE, &[0xff, 0x0e])], false),
        ("from fe80::", &[(SOURCE, &[0xfe, 0x80])], true),
        ("to ::", &[(DESTINATION, &[0; 16])], true),
        ("to ff02::", &[(DESTINATION, &[0xff, 2])], true),
        ("to ff0e::", &[(DESTINATION, &[0xff, 0x0e])], true),
        ("ICMPv6 0", &[(NEXT, &[58]), (PAYLOAD, &[0])], true),
        ("ICMPv6 1", &[(NEXT, &[58]), (PAYLOAD, &[1])], false),
        ("ICMPv6 2", &[(NEXT, &[58]), (PAYLOAD, &[2])], false),
        ("ICMPv6 3", &[(NEXT, &[58]), (PAYLOAD, &[3])], false),
        ("ICMPv6 4", &[(NEXT, &[58]), (PAYLOAD, &[4])], false),
        ("ICMPv6 5", &[(NEXT, &[58]), (PAYLOAD, &[5])], true),
        ("ICMPv6 100", &[(NEXT, &[58]), (PAYLOAD, &[100])], true),
        ("ICMPv6 127", &[(NEXT, &[58]), (PAYLOAD, &[127])], true),
        ("echo request", &[(NEXT, &[58]), (PAYLOAD, &[128])], true),
        ("redirect", &[(NEXT, &[58]), (PAYLOAD, &[137])], false),
        ("nothing follows", &[(NEXT, &[59])], false),
        (
            "first fragment",
            &[(NEXT, &[44]), (WALK, &[6, 0, 0, 7])],
            true,
        ),
        (
            "other fragment",
            &[(NEXT, &[44]), (WALK, &[6, 0, 0, 8])],
            false,
        ),
        // The fragment header behind the fixed header plays no part.
        (
            "offset in place",
            &[
                (NEXT, &[44]),
                (WALK, &[6, 0, 0, 0]),
                (PAYLOAD, &[6, 0, 0, 8]),
            ],
            true,
        ),
        (
            "an error",
            &[(NEXT, &[44]), (WALK, &[58, 0, 0, 0]), (PAYLOAD + 8, &[1])],
            false,
        ),
        (
            "no error",
            &[(NEXT, &[44]), (WALK, &[58, 0, 0, 0]), (PAYLOAD + 8, &[128])],
            true,
        ),
        (
            "options",
            &[(NEXT, &[0]), (WALK, &[58, 0]), (PAYLOAD + 8, &[3])],
            false,
        ),
        (
            "long options",
            &[(NEXT, &[60]), (WALK, &[58, 1]), (PAYLOAD + 16, &[3])],
            false,
        ),
        (
            "authentication",
            &[(NEXT, &[51]), (WALK, &[58, 1]), (PAYLOAD + 12, &[3])],
            false,
        ),
        (
            "routing, then none",
            &[(NEXT, &[43]), (WALK, &[59, 0])],
            false,
        ),
        (
            "beyond the frame",
            &[(NEXT, &[0]), (WALK, &[58, 255])],
            false,
        ),
        (
            "beyond it, unknown",
            &[(NEXT, &[0]), (WALK, &[17, 255])],
            true,
        ),
        (
            "two headers",
            &[
                (NEXT, &[0]),
                (WALK, &[43, 0]),
                (WALK + 8, &[58, 0]),
                (PAYLOAD + 16, &[4]),
            ],
            false,
        ),
        ("IPv4 by its type", &[(12, &[8, 0])], false),
    ];
    for (name, changes, want) in cases {
        assert_eq!(answered(&changed(IPV6, changes), 14), *want, "{name}");
    }
    let tagged = [&bytes(IPV6)[..12], &[0x88, 0xa8, 0, 9], &bytes(IPV6)[12..]].concat();
    assert!(!answered(&tagged, 18), "tagged");
}
