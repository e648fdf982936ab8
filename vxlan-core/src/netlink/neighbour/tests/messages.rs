//! What is told, and what becomes of it when it is asked for.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;

/// A-11, F-04: the bytes of Linux, interface, ages and all.
#[test]
fn a11_f04_bytes_on_the_wire() {
    let config = config();
    let teller = Teller {
        config: &config,
        ifindex: IfIndex::new(2).unwrap(),
        netns: None,
        now: Instant::from_millis(12_345),
    };
    let record = Record {
        key: fdb_key(7),
        state: State::PERMANENT,
        flags: Flags::SELF | Flags::ADDED_BY_USER,
        destination: Destination::Remote(Remote {
            addr: IpAddr::from([10, 0, 0, 2]),
            port: 8472,
            vni: 7,
            ifindex: None,
        }),
        updated: Instant::from_millis(12_000),
        used: Instant::from_millis(345),
    };
    let mut out = [0xff; 160];
    let header = Header {
        kind: NEW,
        flags: Header::MULTI,
        sequence: 3,
        port: 4,
    };
    let len = teller.record(&header, &record, &mut out).unwrap();
    if cfg!(target_endian = "little") {
        let want = "4400 0000 1c00 0200 0300 0000 0400 0000 \
                    0700 0000 0200 0000 8000 0201 \
                    0a00 0200 0200 0000 0001 0000 0800 0100 0a00 0002 \
                    1400 0300 0000 0000 b004 0000 2200 0000 0000 0000";
        assert_eq!(hex(&out[..len]), want.replace(' ', ""));
        let len = teller.l2_miss(Mac::new(MAC), &mut out).unwrap();
        let miss = "4400 0000 1e00 0000 0000 0000 0000 0000 \
                    0200 0000 0200 0000 0400 0001 \
                    0a00 0200 0200 0000 0001 0000 0800 0700 0000 0000 \
                    1400 0300 0000 0000 d204 0000 d204 0000 0000 0000";
        assert_eq!(hex(&out[..len]), miss.replace(' ', ""));
        let len = teller
            .l3_miss(IpAddr::from([10, 0, 0, 2]), &mut out)
            .unwrap();
        let miss = "4000 0000 1e00 0000 0000 0000 0000 0000 \
                    0200 0000 0200 0000 0400 0001 \
                    0800 0100 0a00 0002 0800 0700 0000 0001 \
                    1400 0300 0000 0000 d204 0000 d204 0000 0000 0000";
        assert_eq!(hex(&out[..len]), miss.replace(' ', ""));
    }
    // ARP for 0.0.0.0 names no address.
    let len = teller.l3_miss(IpAddr::from([0; 4]), &mut out).unwrap();
    assert_eq!((len, out[16]), (56, 2));
    let len = teller.l3_miss(IpAddr::from([0xfd; 16]), &mut out).unwrap();
    assert_eq!((len, out[16]), (76, 10));
}

fn hex(bytes: &[u8]) -> String {
    use core::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(IpAddr::from),
        any::<[u8; 16]>().prop_map(IpAddr::from),
        Just(IpAddr::from([0; 4])),
    ]
}

prop_compose! {
    fn record()(
        mac in any::<[u8; 6]>(), vni in 1u32.., state in any::<u16>(), flags in any::<u8>(),
        (addr, port, remote_vni, ifindex) in (address(), 1u16.., any::<u32>(), option::of(1u32..10)),
        group in any::<bool>(), (updated, used) in (0u64..9000, 0u64..9000),
    ) -> Record {
        Record {
            key: crate::fdb::Key { mac: Mac::new(mac), vni },
            // What can be asked for.
            state: State::from_bits_retain(state) | State::REACHABLE,
            flags: Flags::from_bits_retain(flags.into()) | Flags::SELF,
            destination: if group {
                Destination::Nexthop(NexthopId::new(5).unwrap())
            } else {
                Destination::Remote(Remote {
                    addr, port, vni: remote_vni, ifindex: ifindex.and_then(IfIndex::new),
                })
            },
            updated: Instant::from_millis(updated),
            used: Instant::from_millis(used),
        }
    }
}

proptest! {
    /// What a dump shows can be asked for, and is what was shown. Every buffer that is too short
    /// for it is refused.
    #[test]
    fn dumped_and_asked_for(record in record(), external in any::<bool>()) {
        let config = if external { self::external() } else { config() };
        let record = Record {
            key: config.key_in(record.key.mac, record.key.vni),
            ..record
        };
        let teller = Teller {
            config: &config,
            ifindex: IfIndex::new(2).unwrap(),
            netns: Some(-1),
            now: Instant::from_millis(9000),
        };
        let header = Header { kind: NEW, flags: 0x600, sequence: 9, port: 8 };
        let mut out = [0; 160];
        let len = teller.record(&header, &record, &mut out).unwrap();
        for short in 0..len {
            prop_assert!(teller.record(&header, &record, &mut out[..short]).is_err());
        }
        teller.record(&header, &record, &mut out).unwrap();
        let (read, content, rest) = Header::split(&out[..len]).unwrap();
        prop_assert_eq!((read, rest), (header, &[][..]));
        prop_assert_eq!(Operation::of(&read), Some(ADD));
        let request = ask(ADD, &config, content);
        let Ok(Request::Update { src_vni, update }) = request else {
            return Err(TestCaseError::fail(std_debug(&request)));
        };
        prop_assert_eq!((src_vni, update.key), (record.key.vni, record.key));
        prop_assert_eq!((update.state, update.flags), (record.state, record.flags));
        prop_assert_eq!(update.destination, record.destination.into());
        // Every prefix of it is answered.
        for len in 0..content.len() {
            for operation in [ADD, Operation::Remove, Operation::Flush, Operation::Get] {
                let _ = ask(operation, &config, &content[..len]);
            }
        }
    }

    /// Any bytes are an answer.
    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..120), operation in 0usize..4) {
        let operation = [ADD, Operation::Remove, Operation::Flush, Operation::Get][operation];
        let _ = ask(operation, &config(), &bytes);
        let _ = ask(operation, &config(), &[&content(0x80, 2, &[(2, &MAC)])[..], &bytes].concat());
        let _ = Header::split(&bytes);
    }
}

fn std_debug(value: &impl core::fmt::Debug) -> String {
    alloc::format!("{value:?}")
}
