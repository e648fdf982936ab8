//! Words behind `vni`.

use super::{Noun, Verb, Word};

pub(super) const VNI: Noun = Noun {
    name: "vni",
    verbs: &[
        Verb {
            name: "add",
            about: "Receive VNIs, by a device with 'vnifilter'",
            words: &[RANGES],
        },
        Verb {
            name: "del",
            about: "No longer receive them",
            words: &[RANGES],
        },
        Verb {
            name: "show",
            about: "Show the VNIs that devices receive",
            words: &[&[("dev", "NAME", "this device")]],
        },
    ],
    words: &[],
    defaults: &[],
};

const RANGES: &[Word] = &[
    ("dev", "NAME", "the device"),
    ("vni", "N[-N][,...]", "VNIs and ranges of them"),
    (
        "remote",
        "IP",
        "where their frames of unknown destination go",
    ),
    ("group", "IP", "the same, a multicast group"),
];
