//! What is answered to requests, sound and broken.

use super::*;

const FAMILY_TEXT: &str = "Unsupported address family";
const EXCLUSIVE: &str = "DST, VNI, ifindex and port are mutually exclusive with NH_ID";

/// F-01: what is answered to the attributes of an update; each answer was seen on Linux 6.18.
#[test]
fn f01_attributes_of_an_update() {
    let host = u32::to_ne_bytes;
    let (mac, dst) = ((2, &MAC[..]), (1, PEER));
    let vlan = u16::to_ne_bytes;
    for (name, attributes, errno, text) in [
        ("sound", &[mac, dst][..], 0, ""),
        ("no address", &[dst], 22, "invalid address"),
        (
            "short address",
            &[(2, &MAC[..5]), dst],
            22,
            "invalid address",
        ),
        ("long address", &[(2, &[2; 7]), dst], 22, "invalid address"),
        (
            "VLAN of a byte",
            &[mac, dst, (5, &[1])],
            22,
            "invalid vlan attribute size",
        ),
        ("VLAN 0", &[mac, dst, (5, &vlan(0))], 22, "invalid vlan id"),
        (
            "VLAN 4095",
            &[mac, dst, (5, &vlan(4095))],
            22,
            "invalid vlan id",
        ),
        ("VLAN 4094", &[mac, dst, (5, &vlan(4094))], 0, ""),
        ("no destination", &[mac], 22, ""),
        ("DST of nothing", &[mac, (1, &[])], 97, FAMILY_TEXT),
        ("DST of three", &[mac, (1, &[1; 3])], 97, FAMILY_TEXT),
        ("DST of five", &[mac, (1, &[1; 5])], 0, ""),
        ("DST of twenty", &[mac, (1, &[1; 20])], 0, ""),
        (
            "unknown",
            &[mac, dst, (60, &[]), (0, &[]), (15, &[])],
            0,
            "",
        ),
        ("nested", &[mac, (1 | 0x8000, PEER)], 0, ""),
        (
            "port of a byte",
            &[mac, dst, (6, &[1])],
            22,
            "Invalid vxlan port",
        ),
        (
            "port of four",
            &[mac, dst, (6, &[1; 4])],
            22,
            "Invalid vxlan port",
        ),
        ("VNI of eight", &[mac, dst, (7, &[1; 8])], 22, "Invalid vni"),
        (
            "network of a byte",
            &[mac, dst, (11, &[1])],
            22,
            "Invalid src vni",
        ),
        (
            "interface of a byte",
            &[mac, dst, (8, &[1])],
            22,
            "Invalid ifindex",
        ),
        (
            "interface 10",
            &[mac, dst, (8, &host(10))],
            99,
            "Device not found",
        ),
        (
            "interface 0",
            &[mac, dst, (8, &host(0))],
            99,
            "Device not found",
        ),
        (
            "port before VNI",
            &[mac, dst, (7, &[]), (6, &[])],
            22,
            "Invalid vxlan port",
        ),
        (
            "nexthop and DST",
            &[mac, dst, (13, &host(5))],
            22,
            EXCLUSIVE,
        ),
        (
            "nexthop before DST",
            &[mac, (1, &[]), (13, &host(5))],
            22,
            EXCLUSIVE,
        ),
        (
            "nexthop and network",
            &[mac, (13, &host(5)), (11, &host(9))],
            0,
            "",
        ),
        ("the last counts", &[mac, (1, &[]), dst], 0, ""),
    ] {
        let content = content(0x80, 2, attributes);
        assert_eq!(
            answer(ask(ADD, &config(), &content)),
            want(errno, text),
            "{name}"
        );
    }
}

/// F-01: the header, and what comes before what.
#[test]
fn f01_header_and_order() {
    let gpe = Config::new(Vni::MIN)
        .external(true)
        .gpe(true)
        .learning(false);
    let (gpe, plain) = (gpe.validate().unwrap(), config());
    let (mac, dst, vlan) = ((2, &MAC[..]), (1, PEER), (5, &[0, 0][..]));
    let sound = &[mac, dst][..];
    let add = "FDB add only supported for Ethernet devices";
    let delete = "FDB delete only supported for Ethernet devices";
    let no_get = "Fdb get operation not supported by device";
    let (remove, flush, get) = (Operation::Remove, Operation::Flush, Operation::Get);
    let port = "Device is not a bridge port";
    for (config, operation, state, flags, attributes, errno, text) in [
        (&plain, ADD, 0x00, 2, sound, 22, ""),
        (&plain, ADD, 0x40, 2, &[mac], 22, ""),
        (&plain, ADD, 0x42, 2, sound, 0, ""),
        (&plain, ADD, 0x80, 0, sound, 95, ""),
        (&plain, ADD, 0x80, 4, sound, 95, ""),
        (&plain, ADD, 0x80, 6, sound, 0, ""),
        (&plain, ADD, 0x00, 0, &[mac, vlan], 22, "invalid vlan id"),
        (&gpe, ADD, 0x80, 2, sound, 22, add),
        (&gpe, ADD, 0x80, 0, &[mac, vlan], 22, add),
        (&gpe, ADD, 0x80, 2, &[dst], 22, "invalid address"),
        (&plain, remove, 0, 2, &[mac], 0, ""),
        (&plain, remove, 0, 0, &[mac], 95, ""),
        (&plain, remove, 0, 2, &[mac, (1, &[1])], 97, FAMILY_TEXT),
        (&gpe, remove, 0, 0, &[mac], 22, delete),
        (&gpe, remove, 0, 0, &[mac, vlan], 22, "invalid vlan id"),
        (&gpe, flush, 0, 0, &[mac], 22, delete),
        (&plain, flush, 0, 0, &[mac], 95, ""),
        (&plain, get, 0, 0, &[mac], 22, port),
        (&plain, get, 0, 6, &[mac], 22, port),
        (&gpe, get, 0, 0, &[mac], 22, port),
        (&gpe, get, 0, 2, &[mac], 95, no_get),
        (&gpe, get, 0, 2, &[mac, vlan], 22, "invalid vlan id"),
    ] {
        let content = content(state, flags, attributes);
        let got = answer(ask(operation, config, &content));
        assert_eq!(
            got,
            want(errno, text),
            "{operation:?} {state:#x} {flags} {attributes:?}"
        );
    }
    let mut nowhere = content(0x80, 2, &[]);
    nowhere[4..8].fill(0);
    for (operation, short, zero) in [
        (ADD, "Invalid header length", (22, "invalid ifindex")),
        (remove, "Invalid header length", (22, "invalid ifindex")),
        (flush, "Invalid header length", (22, "invalid ifindex")),
        (
            get,
            "Invalid header for fdb get request",
            (22, "Invalid values in header for fdb get request"),
        ),
    ] {
        assert_eq!(
            answer(ask(operation, &plain, &nowhere[..11])),
            want(22, short)
        );
        assert_eq!(
            answer(ask(operation, &plain, &nowhere)),
            want(zero.0, zero.1)
        );
    }
    let mut nowhere = content(0, 2, &[mac]);
    nowhere[4..8].fill(0);
    assert_eq!(
        answer(ask(get, &plain, &nowhere)),
        want(19, "No device specified")
    );
}

/// F-01: a question may not say much.
#[test]
fn f01_attributes_of_a_question() {
    let host = u32::to_ne_bytes;
    let mac = (2, &MAC[..]);
    let policy = "Attribute failed policy validation";
    let unsupported = "Unsupported attribute in fdb get request";
    for (attributes, flags, errno, text) in [
        (&[mac][..], 2, 0, ""),
        (&[], 2, 22, "Missing lookup address for fdb get request"),
        (
            &[(7, &host(9)[..])],
            2,
            22,
            "Missing lookup address for fdb get request",
        ),
        (
            &[(2, &MAC[..5])],
            2,
            22,
            "Invalid address in fdb get request",
        ),
        (&[(2, &[2; 40])], 2, 34, policy),
        (&[mac, (1, PEER)], 2, 22, unsupported),
        (&[mac, (1, &[1; 40])], 2, 34, policy),
        (&[mac, (3, &[1])], 2, 34, policy),
        (&[mac, (4, &[])], 2, 34, policy),
        (&[mac, (5, &[1])], 2, 34, policy),
        (&[mac, (5, &5u16.to_ne_bytes())], 2, 0, ""),
        (&[mac, (6, &[1])], 2, 34, policy),
        (&[mac, (7, &[1])], 2, 34, policy),
        (&[mac, (7, &[0; 8])], 2, 0, ""),
        (&[mac, (8, &host(9))], 2, 22, unsupported),
        (
            &[mac, (9, &host(9))],
            2,
            22,
            "Master and device are mutually exclusive",
        ),
        (&[mac, (10, &host(1))], 2, 22, unsupported),
        (&[mac, (11, &host(9))], 2, 22, unsupported),
        (&[mac, (12, &[])], 2, 34, policy),
        (&[mac, (13, &[1])], 2, 22, "invalid attribute length"),
        (&[mac, (14, &[])], 2, 22, "NLA_F_NESTED is missing"),
        (&[mac, (15, &host(4))], 2, 22, unsupported),
        (&[mac, (15, &host(2))], 2, 22, "reserved bit set"),
        (&[mac, (15, &host(8))], 2, 22, "reserved bit set"),
        (&[mac, (15, &[0; 5])], 2, 22, "invalid attribute length"),
        (&[mac, (16, &[1, 1])], 2, 22, "Unsupported attribute"),
        (&[mac, (17, &[1])], 2, 22, "Unsupported attribute"),
        (&[mac, (18, &[])], 2, 22, "Unknown attribute type"),
        (&[mac, (0, &[])], 2, 22, "Unknown attribute type"),
        (
            &[mac, (1, PEER)],
            8,
            22,
            "Invalid flags in header for fdb get request",
        ),
    ] {
        let content = content(0, flags, attributes);
        let got = answer(ask(Operation::Get, &config(), &content));
        assert_eq!(got, want(errno, text), "{attributes:?}");
    }
    let tail = [&content(0, 2, &[mac])[..], &[1, 2]].concat();
    let got = answer(ask(Operation::Get, &config(), &tail));
    assert_eq!(got, want(22, "bytes leftover after parsing attributes"));
    // The network asked for counts in external mode only, and is a VNI attribute.
    let asked = content(0, 2, &[mac, (7, &host(9))]);
    for (config, vni) in [(config(), 7), (external(), 9)] {
        let key = fdb_key(vni);
        assert_eq!(ask(Operation::Get, &config, &asked), Ok(Request::Get(key)));
    }
}

/// F-01: filters of a flush, strictly read.
#[test]
fn f01_attributes_of_a_flush() {
    let host = u32::to_ne_bytes;
    let (length, binary) = (
        "invalid attribute length",
        "binary attribute size out of range",
    );
    let (flags, states) = (
        "Unsupported fdb flush ndm flag bits set",
        "Unsupported fdb flush ndm state bits set",
    );
    for (attributes, ndm, errno, text) in [
        (&[][..], (0, 2), 0, ""),
        (&[(5, &[5, 0][..])], (0, 2), 22, "Unsupported attribute"),
        (&[(2, &MAC)], (0, 2), 22, "Unsupported attribute"),
        (&[(8, &host(5))], (0, 2), 22, "Unsupported attribute"),
        (&[(15, &host(0))], (0, 2), 22, "Unsupported attribute"),
        (&[(18, &[])], (0, 2), 22, "Unknown attribute type"),
        (&[(0, &[])], (0, 2), 22, "Unknown attribute type"),
        (&[(7, &[1])], (0, 2), 22, length),
        (&[(7, &[1; 5])], (0, 2), 22, length),
        (
            &[(7 | 0x8000, &host(1))],
            (0, 2),
            22,
            "NLA_F_NESTED not expected",
        ),
        (&[(6, &[1])], (0, 2), 22, length),
        (&[(1, &[1; 3])], (0, 2), 34, binary),
        (&[(1, &[1; 5])], (0, 2), 0, ""),
        (&[(1, &[1; 17])], (0, 2), 34, binary),
        (&[(16, &[1])], (0, 2), 22, length),
        (&[(17, &[])], (0, 2), 22, length),
        (&[(13, &[1])], (0, 2), 22, length),
        (&[(7, &[1]), (7, &host(3))], (0, 2), 22, length),
        (&[], (0, 3), 22, flags),
        (&[], (0, 0x42), 22, flags),
        (&[], (2, 2), 22, states),
        (&[], (2, 3), 22, flags),
        (&[(5, &[])], (2, 3), 22, "Unsupported attribute"),
        (&[], (0, 6), 0, ""),
    ] {
        let content = content(ndm.0, ndm.1, attributes);
        let got = answer(ask(Operation::Flush, &config(), &content));
        assert_eq!(got, want(errno, text), "{attributes:?} {ndm:?}");
    }
    // Whatever the flags say, and before the kind of device.
    let unknown = content(0, 0, &[(18, &[])]);
    let got = answer(ask(Operation::Flush, &config(), &unknown));
    assert_eq!(got, want(22, "Unknown attribute type"));
    let all = content(
        0xc0,
        0x92,
        &[
            (1, PEER),
            (6, &[0x12, 0xb5]),
            (7, &host(3)),
            (11, &host(4)),
            (13, &host(5)),
            (16, &0xc0u16.to_ne_bytes()),
            (17, &[0x90]),
        ],
    );
    let filter = Filter {
        state: State::PERMANENT | State::NOARP,
        state_mask: State::PERMANENT | State::NOARP,
        flags: Flags::ROUTER | Flags::EXT_LEARNED,
        flags_mask: Flags::ROUTER | Flags::EXT_LEARNED,
        src_vni: Some(4),
        nexthop: NexthopId::new(5),
        vni: Some(3),
        port: Some(4789),
        addr: Some(IpAddr::from([10, 0, 0, 2])),
        ..Filter::default()
    };
    assert_eq!(
        ask(Operation::Flush, &config(), &all),
        Ok(Request::Flush(filter))
    );
    let zero = content(
        0,
        2,
        &[(6, &[0; 2]), (7, &[0; 4]), (11, &[0; 4]), (13, &[0; 4])],
    );
    assert_eq!(
        ask(Operation::Flush, &config(), &zero),
        Ok(Request::Flush(Filter::default()))
    );
}
