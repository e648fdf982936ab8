//! Who made an object: the names of `RTPROT_*` numbers.

use super::number::number;

/// The names that iproute2 knows without a file (`rtnl_rtprot_tab`), from "static" on.
const NAMES: [(u8, &str); 18] = [
    (4, "static"),
    (8, "gated"),
    (9, "ra"),
    (10, "mrt"),
    (11, "zebra"),
    (12, "bird"),
    (13, "dnrouted"),
    (14, "xorp"),
    (15, "ntk"),
    (16, "dhcp"),
    (18, "keepalived"),
    (42, "babel"),
    (99, "openr"),
    (186, "bgp"),
    (187, "isis"),
    (188, "ospf"),
    (189, "rip"),
    (192, "eigrp"),
];

/// What [`protocol`] accepts. Below are those that only the kernel uses.
pub(super) const PROTOCOL: &str = "the name of a protocol or a number from 4 to 255";

/// The number behind a name or a number.
pub(super) fn protocol(text: &str) -> Option<u8> {
    let named = NAMES.iter().find(|(_, name)| *name == text);
    match named {
        Some((number, _)) => Some(*number),
        None => u8::try_from(number(text, 255)?).ok(),
    }
    .filter(|number| *number >= 4)
}

/// The name of a number, or the number.
pub(crate) fn protocol_name(number: u8) -> String {
    let named = NAMES.iter().find(|(known, _)| *known == number);
    named.map_or_else(|| number.to_string(), |(_, name)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        for (text, want, shown) in [
            ("static", Some(4), "static"),
            ("bgp", Some(186), "bgp"),
            ("186", Some(186), "bgp"),
            ("200", Some(200), "200"),
            ("0xff", Some(255), "255"),
            ("4", Some(4), "static"),
            ("3", None, ""),
            ("kernel", None, ""),
            ("256", None, ""),
            ("", None, ""),
        ] {
            assert_eq!(protocol(text), want, "{text}");
            if let Some(number) = want {
                assert_eq!(protocol_name(number), shown);
            }
        }
    }
}
