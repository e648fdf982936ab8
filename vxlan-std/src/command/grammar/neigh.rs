//! Words behind `neigh`.

use super::{Noun, Verb, Word};

pub(super) const NEIGH: Noun = Noun {
    name: "neigh",
    verbs: &[
        Verb {
            name: "add",
            about: "Enter a neighbour that is not known",
            words: &[ENTRY],
        },
        Verb {
            name: "change",
            about: "Change a neighbour",
            words: &[ENTRY],
        },
        Verb {
            name: "replace",
            about: "Enter or change a neighbour",
            words: &[ENTRY],
        },
        Verb {
            name: "del",
            about: "Forget a neighbour",
            words: &[ONE],
        },
        Verb {
            name: "get",
            about: "Show a neighbour",
            words: &[ONE],
        },
        Verb {
            name: "flush",
            about: "Forget neighbours; permanent ones only if 'nud' says so",
            words: &[FILTER],
        },
        Verb {
            name: "show",
            about: "Show neighbours",
            words: &[FILTER],
        },
    ],
    words: &[],
    defaults: &[],
};

const ONE: &[Word] = &[("dev", "NAME", "the device")];

const ENTRY: &[Word] = &[
    ("dev", "NAME", "the device"),
    ("lladdr", "MAC", "its MAC address"),
    (
        "nud",
        "STATE",
        "permanent, reachable, noarp, stale ..; permanent unless said",
    ),
    ("router", "", "it is a router"),
    ("extern_learn", "", "a control plane learned it"),
    ("use", "", "it was used just now"),
];

const FILTER: &[Word] = &[
    ("dev", "NAME", "of this device"),
    ("to", "PREFIX", "with such an address"),
    ("nud", "STATE", "in this state; all for every one"),
];
