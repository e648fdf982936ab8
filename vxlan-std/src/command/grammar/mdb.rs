//! Words behind `mdb`.

use super::{Noun, Verb, Word};

pub(super) const MDB: Noun = Noun {
    name: "mdb",
    verbs: &[
        Verb {
            name: "add",
            about: "Send frames for a group to a remote",
            words: &[NAME, PORT, REMOTE, LIST],
        },
        Verb {
            name: "replace",
            about: "The same, or change the remote",
            words: &[NAME, PORT, REMOTE, LIST],
        },
        Verb {
            name: "del",
            about: "No longer send frames for a group to a remote",
            words: &[NAME, PORT, REMOTE, LIST],
        },
        Verb {
            name: "get",
            about: "Show the remotes of one group",
            words: &[NAME],
        },
        Verb {
            name: "flush",
            about: "Delete all remotes that meet a description",
            words: &[DEVICE, FLUSHED, REMOTE_OF],
        },
        Verb {
            name: "show",
            about: "Show the multicast databases of devices",
            words: &[DEVICE],
        },
    ],
    words: &[],
    defaults: &[],
};

const DEVICE: &[Word] = &[("dev", "NAME", "the device")];

const NAME: &[Word] = &[
    ("dev", "NAME", "the device"),
    ("grp", "IP", "the group; 0.0.0.0 or :: for all others"),
    ("src", "IP", "frames of this source only"),
    ("src_vni", "N", "frames of this VNI, in external mode"),
];

const PORT: &[Word] = &[("port", "NAME", "the device once more")];

const REMOTE: &[Word] = &[
    ("dst", "IP", "the address of the remote"),
    ("dst_port", "N", "its UDP port"),
    ("vni", "N", "the VNI to send with"),
    ("via", "IF", "the interface to send through"),
    ("proto", "PROTOCOL", "who makes it, a name or a number"),
];

const FLUSHED: &[Word] = &[
    ("port", "NAME", "the device once more"),
    ("vid", "N", "a VLAN, which is refused"),
    ("permanent", "", "those that are permanent: all"),
    ("nopermanent", "", "the others, which is refused"),
];

/// What a flush looks at.
const REMOTE_OF: &[Word] = &[
    ("dst", "IP", "the address of the remote"),
    ("dst_port", "N", "its UDP port"),
    ("vni", "N", "the VNI to send with"),
    ("src_vni", "N", "frames of this VNI, in external mode"),
    ("proto", "PROTOCOL", "who made it, a name or a number"),
];

const LIST: &[Word] = &[
    ("permanent", "", "until it is deleted"),
    ("temp", "", "the opposite, which is refused"),
    ("vid", "N", "a VLAN, which is refused"),
    (
        "filter_mode",
        "include|exclude",
        "only the sources of the list, or all others",
    ),
    ("source_list", "IP[,IP]...", "the list"),
];
