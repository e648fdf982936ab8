//! Words behind `monitor`.

use super::Noun;

pub(super) const MONITOR: Noun = Noun {
    name: "monitor",
    verbs: &[],
    words: &[
        ("fdb", "", "entries that come, change or go"),
        ("neigh", "", "neighbours, and addresses that nobody knows"),
        ("link", "", "devices that come, change or go"),
        ("drops", "", "why packets are lost, and how many"),
        ("all", "", "all of it"),
    ],
    defaults: &[],
};
