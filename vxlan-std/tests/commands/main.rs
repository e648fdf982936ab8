//! The subcommands that a running `vtep run` does: their words, answers and exit statuses beside
//! those of iproute2, and the socket between them.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

mod describe;
mod directory;
mod life;
mod limits;
mod mdb;
mod nexthop;
mod peer;
#[path = "../runner/mod.rs"]
mod runner;
mod saving;
mod socket;
mod start;
mod transcript;

use std::process::ExitCode;

use runner::{Needs, Skip, Test};
use transcript::Side;

fn fdb_answers_as_bridge_was_recorded(_: &str) -> Result<(), Skip> {
    transcript::compare("fdb", Side::Ours)
}

fn bridge_fdb_is_recorded_truly(_: &str) -> Result<(), Skip> {
    transcript::compare("fdb", Side::Kernel)
}

fn link_answers_as_ip_was_recorded(_: &str) -> Result<(), Skip> {
    transcript::compare("link", Side::Ours)
}

fn ip_link_is_recorded_truly(_: &str) -> Result<(), Skip> {
    transcript::compare("link", Side::Kernel)
}

fn nexthop_answers_as_ip_was_recorded(_: &str) -> Result<(), Skip> {
    transcript::compare("nexthop", Side::Ours)
}

fn ip_nexthop_is_recorded_truly(_: &str) -> Result<(), Skip> {
    transcript::compare("nexthop", Side::Kernel)
}

fn monitor_link_tells_as_ip_was_recorded(_: &str) -> Result<(), Skip> {
    transcript::compare("monitor-link", Side::Ours)
}

fn ip_monitor_link_is_recorded_truly(_: &str) -> Result<(), Skip> {
    transcript::compare("monitor-link", Side::Kernel)
}

fn neigh_answers_as_ip_was_recorded(_: &str) -> Result<(), Skip> {
    transcript::compare("neigh", Side::Ours)
}

fn ip_neigh_is_recorded_truly(_: &str) -> Result<(), Skip> {
    transcript::compare("neigh", Side::Kernel)
}

fn vni_answers_as_bridge_was_recorded(_: &str) -> Result<(), Skip> {
    transcript::compare("vni", Side::Ours)
}

fn bridge_vni_is_recorded_truly(_: &str) -> Result<(), Skip> {
    transcript::compare("vni", Side::Kernel)
}

fn mdb_answers_as_bridge_was_recorded(_: &str) -> Result<(), Skip> {
    transcript::compare("mdb", Side::Ours)
}

fn bridge_mdb_is_recorded_truly(_: &str) -> Result<(), Skip> {
    transcript::compare("mdb", Side::Kernel)
}

const TESTS: &[Test] = &[
    (
        "nexthop_answers_as_ip_was_recorded",
        nexthop_answers_as_ip_was_recorded,
    ),
    ("ip_nexthop_is_recorded_truly", ip_nexthop_is_recorded_truly),
    ("frames_take_the_paths", nexthop::frames_take_the_paths),
    (
        "devices_come_and_go_unchanged",
        peer::devices_come_and_go_unchanged,
    ),
    ("what_cannot_be_imported", peer::what_cannot_be_imported),
    (
        "fdb_answers_as_bridge_was_recorded",
        fdb_answers_as_bridge_was_recorded,
    ),
    ("bridge_fdb_is_recorded_truly", bridge_fdb_is_recorded_truly),
    (
        "link_answers_as_ip_was_recorded",
        link_answers_as_ip_was_recorded,
    ),
    (
        "monitor_link_tells_as_ip_was_recorded",
        monitor_link_tells_as_ip_was_recorded,
    ),
    (
        "ip_monitor_link_is_recorded_truly",
        ip_monitor_link_is_recorded_truly,
    ),
    (
        "devices_follow_their_interfaces",
        life::devices_follow_their_interfaces,
    ),
    (
        "changes_apply_while_frames_flow",
        life::changes_apply_while_frames_flow,
    ),
    (
        "neigh_answers_as_ip_was_recorded",
        neigh_answers_as_ip_was_recorded,
    ),
    ("ip_neigh_is_recorded_truly", ip_neigh_is_recorded_truly),
    (
        "a_proxy_answers_for_neighbours",
        life::a_proxy_answers_for_neighbours,
    ),
    (
        "vni_answers_as_bridge_was_recorded",
        vni_answers_as_bridge_was_recorded,
    ),
    (
        "mdb_answers_as_bridge_was_recorded",
        mdb_answers_as_bridge_was_recorded,
    ),
    ("bridge_mdb_is_recorded_truly", bridge_mdb_is_recorded_truly),
    (
        "groups_go_to_their_remotes",
        mdb::groups_go_to_their_remotes,
    ),
    ("entries_are_shown", mdb::entries_are_shown),
    ("bridge_vni_is_recorded_truly", bridge_vni_is_recorded_truly),
    ("lost_packets_are_told", life::lost_packets_are_told),
    ("learning_is_limited", limits::learning_is_limited),
    ("limits_are_shown", limits::limits_are_shown),
    ("ip_link_is_recorded_truly", ip_link_is_recorded_truly),
    (
        "bash_completes_the_words",
        describe::bash_completes_the_words,
    ),
    (
        "zsh_and_the_manual_know_the_words",
        describe::zsh_and_the_manual_know_the_words,
    ),
    ("only_the_owner_may_ask", socket::only_the_owner_may_ask),
    (
        "the_socket_is_one_for_each_namespace",
        socket::the_socket_is_one_for_each_namespace,
    ),
    (
        "a_socket_that_nobody_listens_to_is_replaced",
        socket::a_socket_that_nobody_listens_to_is_replaced,
    ),
    (
        "stuck_clients_hold_nothing",
        socket::stuck_clients_hold_nothing,
    ),
    ("wrong_words_are_one_line", socket::wrong_words_are_one_line),
    (
        "a_long_dump_holds_nothing",
        socket::a_long_dump_holds_nothing,
    ),
    (
        "a_slow_monitor_loses_the_oldest",
        socket::a_slow_monitor_loses_the_oldest,
    ),
    ("a_file_says_what_exists", start::a_file_says_what_exists),
    (
        "a_wrong_file_is_refused_as_a_whole",
        start::a_wrong_file_is_refused_as_a_whole,
    ),
    ("large_tables_come_and_go", saving::large_tables_come_and_go),
    (
        "the_end_waits_for_the_disk",
        saving::the_end_waits_for_the_disk,
    ),
    (
        "tables_outlive_the_daemon",
        start::tables_outlive_the_daemon,
    ),
];

fn main() -> ExitCode {
    runner::run("commands", Needs::Ours, TESTS, || Ok(()))
}
