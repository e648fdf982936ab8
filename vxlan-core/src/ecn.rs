//! Explicit congestion notification across the tunnel (RFC 6040; `include/net/inet_ecn.h`).

use crate::wire::{ipv4, ipv6};

/// The two ECN bits of a TOS byte or traffic class.
pub const MASK: u8 = 0b11;
/// Not capable of ECN.
pub const NOT_ECT: u8 = 0b00;
/// Capable, ECT(1).
pub const ECT_1: u8 = 0b01;
/// Capable, ECT(0).
pub const ECT_0: u8 = 0b10;
/// Congestion experienced.
pub const CE: u8 = 0b11;

/// The outer TOS byte: the DSCP of `tos` with the ECN bits that `inner` asks for
/// (`ip_tunnel_ecn_encap()`).
///
/// Congestion experienced inside becomes ECT(0) outside, so that the outer path starts anew.
///
/// ```
/// use vxlan_core::ecn;
///
/// assert_eq!(ecn::encapsulate(0xb8, 0x01), 0xb9);
/// assert_eq!(ecn::encapsulate(0x03, ecn::CE), ecn::ECT_0);
/// ```
#[must_use]
#[inline]
pub const fn encapsulate(tos: u8, inner: u8) -> u8 {
    let ecn = match inner & MASK {
        CE => ECT_0,
        ecn => ecn,
    };
    (tos & !MASK) | ecn
}

/// What the ECN bits of a received packet lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decapsulated {
    /// The inner bits stay as they are.
    Keep,
    /// The inner bits stay, but the combination is odd: worth a line in a log.
    Odd,
    /// The inner bits become [`CE`].
    SetCe,
    /// The inner bits change from ECT(0) to [`ECT_1`].
    SetEct1,
    /// The packet is to be dropped: the outer path saw congestion, the inner transport could not
    /// be told.
    Drop,
}

/// Decides what `outer` congestion bits mean for the `inner` ones (`__INET_ECN_decapsulate()`).
///
/// `carry_ect1` is off in the driver of Linux 4.3, where ECT(0) under ECT(1) stayed ECT(0).
#[must_use]
#[inline]
pub const fn decapsulate(outer: u8, inner: u8, carry_ect1: bool) -> Decapsulated {
    match (inner & MASK, outer & MASK) {
        (_, NOT_ECT) | (CE | ECT_1, ECT_0 | ECT_1) | (CE, CE) | (ECT_0, ECT_0) => {
            Decapsulated::Keep
        }
        (NOT_ECT, CE) => Decapsulated::Drop,
        (NOT_ECT, _) => Decapsulated::Odd,
        (_, CE) => Decapsulated::SetCe,
        (_, _) => {
            if carry_ect1 {
                Decapsulated::SetEct1
            } else {
                Decapsulated::Keep
            }
        }
    }
}

/// Gives an IPv4 header these ECN bits and keeps its checksum as right or wrong as it was
/// (`IP_ECN_set_ce()`, `IP_ECN_set_ect1()`).
///
/// The sum is corrected as Linux does: one that comes out as 0xffff stays so, where a full
/// computation would give zero.
#[inline]
pub const fn set_ipv4(header: &mut ipv4::Header, ecn: u8) {
    let old = header.tos();
    let new = (old & !MASK) | (ecn & MASK);
    // Ones' complement arithmetic: what the header loses, its checksum gains.
    let lost = 0xffff + (old & MASK) as u32 - (new & MASK) as u32;
    let sum = header.checksum() as u32 + if lost > 0xffff { lost - 0xffff } else { lost };
    header.set_tos(new);
    header.set_checksum(if sum > 0xffff {
        sum as u16 + 1
    } else {
        sum as u16
    });
}

/// Gives an IPv6 header these ECN bits (`IP6_ECN_set_ce()`, `IP6_ECN_set_ect1()`).
#[inline]
pub const fn set_ipv6(header: &mut ipv6::Header, ecn: u8) {
    header.set_traffic_class((header.traffic_class() & !MASK) | (ecn & MASK));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R-14: all 16 cells, in both dialects.
    #[test]
    fn r14_table() {
        use Decapsulated::{Drop, Keep, Odd, SetCe, SetEct1};
        for (inner, row) in [
            (NOT_ECT, [Keep, Odd, Odd, Drop]),
            (ECT_0, [Keep, Keep, SetEct1, SetCe]),
            (ECT_1, [Keep, Keep, Keep, SetCe]),
            (CE, [Keep, Keep, Keep, Keep]),
        ] {
            for (outer, want) in [NOT_ECT, ECT_0, ECT_1, CE].into_iter().zip(row) {
                let dscp = 0xb8;
                let got = decapsulate(outer | dscp, inner | dscp, true);
                assert_eq!(got, want, "inner {inner:02b} outer {outer:02b}");
                let old = if want == SetEct1 { Keep } else { want };
                assert_eq!(decapsulate(outer, inner, false), old);
            }
        }
    }

    /// T-17: the outer bits follow the inner ones, congestion becomes ECT(0).
    #[test]
    fn t17_encapsulate() {
        for (inner, want) in [(NOT_ECT, 0), (ECT_1, 1), (ECT_0, 2), (CE, 2)] {
            for tos in [0x00, 0x03, 0xb8, 0xbb] {
                assert_eq!(encapsulate(tos, inner | 0x1c), (tos & 0xfc) | want);
            }
        }
    }

    /// R-14: the inner checksum stays valid, in the arithmetic of the recorded packets.
    #[test]
    fn r14_checksum_follows() {
        for (tos, checksum, ecn, want) in [
            (1, 0x74c6, CE, 0x74c4),
            (2, 0x74c5, CE, 0x74c4),
            (2, 0x74c5, ECT_1, 0x74c6),
            (2, 0x0001, CE, 0xffff),
            (2, 0xffff, ECT_1, 0x0001),
            (2, 0x1234, ECT_0, 0x1234),
        ] {
            let mut header = ipv4::Header::new(&ipv4::Fields {
                tos,
                total_length: 20,
                identification: 0,
                dont_fragment: false,
                ttl: 1,
                protocol: 17,
                source: [0; 4].into(),
                destination: [0; 4].into(),
            });
            header.set_checksum(checksum);
            set_ipv4(&mut header, ecn);
            assert_eq!(header.tos(), ecn, "{tos} {checksum:#x}");
            assert_eq!(header.checksum(), want, "{tos} {checksum:#x} {ecn}");
        }
    }
}
