//! Words behind `link`.

use super::{Noun, Verb, Word};

pub(super) const LINK: Noun = Noun {
    name: "link",
    verbs: &[
        Verb {
            name: "add",
            about: "Make a device, down unless 'up' is said",
            words: &[HEAD, DOWN, GIVEN, CHANGING, FIXED],
        },
        Verb {
            name: "set",
            about: "Change a device",
            words: &[HEAD, NAME, DOWN, CHANGING],
        },
        Verb {
            name: "del",
            about: "Delete a device with its entries and its interface",
            words: &[&[("dev", "NAME", "the device")]],
        },
        Verb {
            name: "show",
            about: "Show devices",
            words: &[&[
                ("dev", "NAME", "this one"),
                ("up", "", "those that are up"),
                ("master", "NAME", "the ports of this bridge"),
                ("type", "vxlan", "the only type here"),
            ]],
        },
        Verb {
            name: "import",
            about: "Make a device like one of the kernel, with its entries",
            words: &[&[
                ("dev", "NAME", "the device of the kernel"),
                (
                    "name",
                    "NAME",
                    "the name of the new one [default: the same]",
                ),
                ("up", "", "take it up"),
            ]],
        },
        Verb {
            name: "export",
            about: "Print the ip and bridge commands that make devices in the kernel",
            words: &[&[("dev", "NAME", "this one [default: all]")]],
        },
    ],
    words: &[],
    defaults: &[
        ("address", "random"),
        ("mtu", "what the lower interface leaves, or 1500"),
        ("down", "down"),
        ("dstport", "8472"),
        ("srcport", "ephemeral ones"),
        ("maxaddress", "unlimited"),
        ("reserved_bits", "all without a use"),
        ("local", "the route's"),
        ("remote", "nowhere"),
        ("ttl", "1 to a group, else the host's"),
        ("tos", "0"),
        ("df", "unset"),
        ("flowlabel", "0"),
        ("ageing", "300"),
        ("learning", "learning; nolearning if external"),
        ("learnquota", "unlimited"),
        ("learnrate", "unlimited"),
        ("movedamping", "none"),
        ("unlearned", "deliver"),
        ("localbypass", "localbypass"),
        ("nomcroute", "nomcroute"),
        ("udpcsum", "udpcsum"),
    ],
};

const HEAD: &[Word] = &[
    ("dev", "NAME", "the device"),
    ("address", "MAC", "its MAC address"),
    ("mtu", "N", "its MTU"),
    ("up", "", "take it up"),
    ("type", "vxlan", "behind it stand the options of VXLAN"),
];

const NAME: &[Word] = &[("name", "NAME", "the name that it is to have")];

const DOWN: &[Word] = &[("down", "", "take it down")];

const GIVEN: &[Word] = &[
    ("id", "N", "the VNI"),
    ("dstport", "N", "the UDP port of both ends"),
    ("srcport", "MIN MAX", "outer source ports, below MAX"),
    (
        "maxaddress",
        "N",
        "how many entries there may be, or unlimited",
    ),
    ("reserved_bits", "MASK", "header bits that are to be clear"),
];

/// What can change.
const CHANGING: &[Word] = &[
    ("local", "IP", "the outer source address"),
    ("remote", "IP", "where frames of unknown destination go"),
    ("group", "IP", "the same, a multicast group; needs dev"),
    ("nodev", "", "no lower interface"),
    ("ttl", "N", "the outer TTL, auto or inherit"),
    ("tos", "N", "the outer TOS, hexadecimal, or inherit"),
    ("df", "WHEN", "unset, set or inherit"),
    ("flowlabel", "N", "the outer IPv6 flow label, or inherit"),
    ("ageing", "S", "seconds until a learned entry is forgotten"),
    ("learning", "", "learn from what is received"),
    ("nolearning", "", "do not"),
    (
        "learnquota",
        "N",
        "how many entries may be learned from one VTEP, or unlimited; not in Linux",
    ),
    (
        "learnrate",
        "N BURST",
        "how many entries may be learned in a second, and at once, or unlimited; not in Linux",
    ),
    (
        "movedamping",
        "N S HOLD",
        "how often a station may move in S seconds before it is held for HOLD, or none; not in Linux",
    ),
    (
        "unlearned",
        "WHAT",
        "deliver or drop the frames of whom quota and rate refuse; not in Linux",
    ),
    ("localbypass", "", "hand frames for this host over directly"),
    ("nolocalbypass", "", "do not"),
    ("mcroute", "", "groups take the host's multicast routes"),
    ("nomcroute", "", "they do not"),
];

/// What cannot.
const FIXED: &[Word] = &[
    (
        "external",
        "",
        "networks come with the frame; instead of id",
    ),
    (
        "vnifilter",
        "",
        "receive only what 'vni add' names; with external",
    ),
    ("proxy", "", "answer for neighbours"),
    ("rsc", "", "short-circuit routes"),
    ("l2miss", "", "tell about unknown destinations"),
    ("l3miss", "", "tell about unknown neighbours"),
    ("udpcsum", "", "UDP checksum over IPv4"),
    ("noudpcsum", "", "none"),
    ("udp6zerocsumtx", "", "no UDP checksum over IPv6"),
    ("udp6zerocsumrx", "", "accept packets without one over IPv6"),
    ("remcsumtx", "", "remote checksum offload, sent"),
    ("remcsumrx", "", "remote checksum offload, accepted"),
    (
        "remcsumnopartial",
        "",
        "remote checksums are computed on arrival",
    ),
    ("gbp", "", "the group policy extension"),
];

/// Whether a word stands behind `type vxlan`.
#[cfg(test)]
pub(super) fn is_option(word: &str) -> bool {
    let lists = [GIVEN, CHANGING, FIXED];
    lists
        .iter()
        .any(|list| list.iter().any(|(name, ..)| *name == word))
}
