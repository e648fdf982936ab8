//! Words behind `nexthop`.

use super::{Noun, Verb, Word};

pub(super) const NEXTHOP: Noun = Noun {
    name: "nexthop",
    verbs: &[
        Verb {
            name: "add",
            about: "Make a nexthop or a group that does not exist",
            words: &[OBJECT],
        },
        Verb {
            name: "replace",
            about: "Make it, or put it in the place of another",
            words: &[OBJECT],
        },
        Verb {
            name: "del",
            about: "Remove it, and the entries that point to it",
            words: &[ONE],
        },
        Verb {
            name: "get",
            about: "Show it",
            words: &[ONE],
        },
        Verb {
            name: "flush",
            about: "Remove all that meet what is said",
            words: &[FILTER],
        },
        Verb {
            name: "show",
            about: "Show all that meet what is said",
            words: &[FILTER],
        },
    ],
    words: &[],
    defaults: &[],
};

const ONE: &[Word] = &[("id", "N", "its number")];

const OBJECT: &[Word] = &[
    ("id", "N", "its number; the next free one unless said"),
    ("via", "IP", "the remote that it leads to"),
    (
        "group",
        "N,WEIGHT/...",
        "the nexthops of a group, and their weights",
    ),
    ("fdb", "", "it is for forwarding databases, as all here are"),
];

const FILTER: &[Word] = &[
    ("id", "N", "only this one"),
    ("groups", "", "only groups"),
    (
        "fdb",
        "",
        "only those for forwarding databases, as all here are",
    ),
];
