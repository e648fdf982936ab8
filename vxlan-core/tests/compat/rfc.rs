//! RFC 7348 where Linux does otherwise.

use crate::common::*;
use vxlan_core::wire::vxlan::ReservedBits;
use vxlan_core::{Compat, Config, Underlay};

/// "Reserved fields ... ignored on receipt" (section 5): every bit, alone and together, also
/// those that a mask or an extension would judge.
#[test]
fn r07_rfc_ignores_reserved_bits() {
    let inner = frame(OWN, mac(9), 0x88b5, &[1]);
    let plain = 0x0800_0000_0000_2a00_u64;
    let reserved = u64::from_be_bytes(ReservedBits::PLAIN.octets());
    let mut rfc = device(config().compat(Compat::RFC_7348));
    for header in (0..64)
        .map(|bit| plain | 1 << bit & reserved)
        .chain([plain | reserved])
    {
        let payload = [&header.to_be_bytes()[..], &inner].concat();
        let got = receive(&mut rfc, &Underlay::new(ip("192.0.2.2")), &payload);
        assert!(got.delivered(), "{header:016x}");
        assert_eq!(
            (got.bytes, got.mark),
            (inner.clone(), 0x1111),
            "{header:016x}"
        );
    }
    // The I flag is no reserved bit: "MUST be set to 1".
    let payload = [&(plain & !(1 << 59)).to_be_bytes()[..], &inner].concat();
    assert!(!receive(&mut rfc, &Underlay::new(ip("192.0.2.2")), &payload).delivered());
}

/// M-10: the assigned port is 4789; Linux came before the assignment.
#[test]
fn m10_rfc_port() {
    for (compat, port) in [
        (Compat::RFC_7348, 4789),
        (Compat::LINUX_6, 8472),
        (Compat::LINUX_4_3, 8472),
    ] {
        let config = Config::new(vni()).compat(compat).validate().unwrap();
        assert_eq!(config.port(), port);
    }
}

/// T-23: reserved fields "MUST be set to zero on transmission", with every driver.
#[test]
fn t23_reserved_bits_are_sent_as_zero() {
    for compat in [Compat::RFC_7348, Compat::LINUX_6, Compat::LINUX_4_3] {
        let device = device(config().compat(compat));
        let (sent, _) = transmit(&device, &frame(mac(9), mac(8), 0x88b5, &[1]), any_route);
        assert_eq!(sent[0][28..36], [8, 0, 0, 0, 0, 0, 42, 0]);
    }
}
