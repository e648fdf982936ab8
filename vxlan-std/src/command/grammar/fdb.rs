//! Words behind `fdb`.

use super::{Noun, Verb, Word};

pub(super) const FDB: Noun = Noun {
    name: "fdb",
    verbs: &[
        Verb {
            name: "add",
            about: "Make an entry that does not exist",
            words: &[ENTRY, KIND],
        },
        Verb {
            name: "append",
            about: "Add a remote to the entry of a group or of all zeros",
            words: &[ENTRY, KIND],
        },
        Verb {
            name: "replace",
            about: "Make an entry, or point it elsewhere",
            words: &[ENTRY, KIND],
        },
        Verb {
            name: "del",
            about: "Delete an entry, or one remote of it",
            words: &[ENTRY],
        },
        Verb {
            name: "get",
            about: "Show the first remote of an entry",
            words: &[&[
                ("dev", "NAME", "the device"),
                ("vni", "N", "the network, of a device in external mode"),
                ("self", "", "the device's own table, the only one here"),
            ]],
        },
        Verb {
            name: "flush",
            about: "Delete all entries that meet what is said",
            words: &[FLUSH],
        },
        Verb {
            name: "show",
            about: "Show entries, the newest first",
            words: &[&[
                ("dev", "NAME", "of this device"),
                ("brport", "NAME", "the same"),
                ("br", "NAME", "of devices that are ports of this bridge"),
                (
                    "state",
                    "STATE",
                    "permanent, static, dynamic, stale, all or NUD bits",
                ),
                ("dynamic", "", "but for permanent ones"),
            ]],
        },
        Verb {
            name: "save",
            about: "Write the table of a device to a file",
            words: &[FILE],
        },
        Verb {
            name: "load",
            about: "Add what a file holds",
            words: &[FILE],
        },
    ],
    words: &[],
    defaults: &[],
};

const ENTRY: &[Word] = &[
    ("dev", "NAME", "the device"),
    ("dst", "IP", "the remote's address"),
    ("port", "N", "the remote's UDP port, if not the device's"),
    ("vni", "N", "the VNI to send with, if not the device's"),
    (
        "src_vni",
        "N",
        "the network that the entry is for, in external mode",
    ),
    ("via", "IF", "the interface to send through"),
    ("nhid", "N", "a nexthop group instead of a remote"),
    ("self", "", "the device's own table, the only one here"),
];

const KIND: &[Word] = &[
    ("permanent", "", "it neither ages nor moves; the default"),
    ("static", "", "the same, but not permanent"),
    ("dynamic", "", "it ages"),
    (
        "router",
        "",
        "frames to it may take the route short-circuit",
    ),
    ("extern_learn", "", "a control plane learned it"),
    ("sticky", "", "stored, without a meaning here"),
    ("use", "", "it was used just now"),
];

const FLUSH: &[Word] = &[
    ("dev", "NAME", "the device"),
    ("dst", "IP", "only remotes at this address"),
    ("port", "N", "only remotes at this UDP port"),
    ("vni", "N", "only remotes with this VNI"),
    ("src_vni", "N", "only entries for this network"),
    ("nhid", "N", "only entries with this nexthop group"),
    ("permanent", "", "only permanent ones"),
    ("nopermanent", "", "all others"),
    ("static", "", "only static ones"),
    ("nostatic", "", "all others"),
    ("dynamic", "", "only those that age"),
    ("nodynamic", "", "all others"),
    (
        "extern_learn",
        "",
        "only those that a control plane learned",
    ),
    ("noextern_learn", "", "all others"),
    ("router", "", "only those with this mark"),
    ("norouter", "", "all others"),
    ("offloaded", "", "only those with this mark"),
    ("nooffloaded", "", "all others"),
    ("nosticky", "", "but for those with this mark"),
    ("noadded_by_user", "", "but for those with this mark"),
    ("self", "", "the device's own table, the only one here"),
];

const FILE: &[Word] = &[
    ("dev", "NAME", "the device"),
    ("file", "PATH", "the file, by its whole path"),
];
