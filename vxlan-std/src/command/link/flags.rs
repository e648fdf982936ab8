//! Flags and states of interfaces, in `ip`'s words.

use super::super::netlink::flags::{LOWER_UP, RUNNING, UP};

/// The flags in `ip`'s order.
const NAMES: [(u32, &str); 18] = [
    (0x8, "LOOPBACK"),
    (0x2, "BROADCAST"),
    (0x10, "POINTOPOINT"),
    (0x1000, "MULTICAST"),
    (0x80, "NOARP"),
    (0x200, "ALLMULTI"),
    (0x100, "PROMISC"),
    (0x400, "MASTER"),
    (0x800, "SLAVE"),
    (0x4, "DEBUG"),
    (0x8000, "DYNAMIC"),
    (0x4000, "AUTOMEDIA"),
    (0x2000, "PORTSEL"),
    (0x20, "NOTRAILERS"),
    (UP, "UP"),
    (LOWER_UP, "LOWER_UP"),
    (0x2_0000, "DORMANT"),
    (0x4_0000, "ECHO"),
];

/// The names of the flags that are set.
pub(super) fn names(flags: u32) -> Vec<&'static str> {
    let mut names = Vec::new();
    if flags & UP != 0 && flags & RUNNING == 0 {
        names.push("NO-CARRIER");
    }
    let set = NAMES.iter().filter(|(flag, _)| flags & flag != 0);
    names.extend(set.map(|(_, name)| *name));
    names
}

/// `IF_OPER_*`.
pub(super) fn operstate(state: u8) -> &'static str {
    const STATES: [&str; 7] = [
        "UNKNOWN",
        "NOTPRESENT",
        "DOWN",
        "LOWERLAYERDOWN",
        "TESTING",
        "DORMANT",
        "UP",
    ];
    STATES.get(usize::from(state)).copied().unwrap_or("UNKNOWN")
}

/// `IF_LINK_MODE_*`.
pub(super) const fn mode(mode: u8) -> &'static str {
    if mode == 1 { "DORMANT" } else { "DEFAULT" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_the_order_of_ip() {
        assert_eq!(
            names(0x1_1043),
            ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"]
        );
        assert_eq!(
            names(0x1003),
            ["NO-CARRIER", "BROADCAST", "MULTICAST", "UP"]
        );
        assert_eq!(
            (operstate(2), operstate(6), operstate(99)),
            ("DOWN", "UP", "UNKNOWN")
        );
        assert_eq!((mode(0), mode(1)), ("DEFAULT", "DORMANT"));
    }
}
