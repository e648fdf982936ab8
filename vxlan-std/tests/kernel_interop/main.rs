//! The command `vtep run` against the kernel's own VXLAN driver, in network namespaces.
//!
//! ```text
//! cargo test -p vxlan-std --test kernel_interop            all of them
//! cargo test -p vxlan-std --test kernel_interop -- ping    those with "ping" in their name
//! ```
//!
//! They need root, `/dev/net/tun`, iproute2 and the kernel's vxlan module. What is missing is said
//! once per test as `SKIPPED: why`, which counts as neither passed nor failed; with
//! `VXLAN_REQUIRE_ALL=1` in the environment it counts as failed. With `VXLAN_CONTROL=1` a kernel
//! VXLAN device takes the place of `vtep run`: the control that shows what these tests ask for is
//! what the kernel does, and that they measure it.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a broken expectation is a failed test"
)]

mod datagram;
mod lab;
mod packet_socket;
#[path = "../runner/mod.rs"]
mod runner;
mod stories;
mod traffic;
mod vtep;
mod wire;

use crate::lab::Family::{V4, V6};
use crate::lab::Lab;
use crate::runner::{Needs, Test};
use crate::stories::{
    fdb, flood, headers, hostile, multicast, path_mtu, reach, refusals, sharing, suppress, twin,
    vlan, vni_filter,
};
use std::process::ExitCode;

const TESTS: &[Test] = &[
    // The slowest first: they wait, and others run meanwhile.
    ("ageing_ipv4", |name| fdb::ageing(&Lab::new(name, V4, 2))),
    ("ageing_ipv6", |name| fdb::ageing(&Lab::new(name, V6, 2))),
    ("tcp_ipv4", |name| reach::tcp(&Lab::new(name, V4, 2))),
    ("tcp_ipv6", |name| reach::tcp(&Lab::new(name, V6, 2))),
    ("tcp_jumbo_ipv4", |name| {
        reach::tcp(&Lab::jumbo(name, V4, 2))
    }),
    ("alike_ipv4", |name| twin::alike(&Lab::new(name, V4, 2))),
    ("alike_ipv6", |name| twin::alike(&Lab::new(name, V6, 2))),
    ("remote_checksums_ipv4", |name| {
        twin::remote_checksums(&Lab::new(name, V4, 2))
    }),
    ("remote_checksums_ipv6", |name| {
        twin::remote_checksums(&Lab::new(name, V6, 2))
    }),
    ("tcp_remote_checksums_ipv4", |name| {
        reach::tcp_with(&Lab::new(name, V4, 2), "remcsumtx remcsumrx")
    }),
    ("tcp_remote_checksums_ipv6", |name| {
        reach::tcp_with(&Lab::new(name, V6, 2), "remcsumtx remcsumrx")
    }),
    ("tcp_group_policy", |name| {
        reach::tcp_with(&Lab::new(name, V4, 2), "gbp")
    }),
    ("generic_protocol_ipv4", |name| {
        twin::generic_protocol(&Lab::new(name, V4, 2))
    }),
    ("generic_protocol_ipv6", |name| {
        twin::generic_protocol(&Lab::new(name, V6, 2))
    }),
    ("ping_ipv4", |name| reach::ping(&Lab::new(name, V4, 2))),
    ("ping_ipv6", |name| reach::ping(&Lab::new(name, V6, 2))),
    ("ping_jumbo_ipv4", |name| {
        reach::ping(&Lab::jumbo(name, V4, 2))
    }),
    ("ping_jumbo_ipv6", |name| {
        reach::ping(&Lab::jumbo(name, V6, 2))
    }),
    ("tcp_veth_ipv4", |name| reach::tcp(&Lab::veth(name, V4))),
    ("tcp_veth_ipv6", |name| reach::tcp(&Lab::veth(name, V6))),
    ("ping_veth_ipv4", |name| reach::ping(&Lab::veth(name, V4))),
    ("ping_veth_ipv6", |name| reach::ping(&Lab::veth(name, V6))),
    ("outer_fragments_ipv4", |name| {
        reach::outer_fragments(&Lab::new(name, V4, 2))
    }),
    ("outer_fragments_ipv6", |name| {
        reach::outer_fragments(&Lab::new(name, V6, 2))
    }),
    ("path_mtu_bridged_ipv4", |name| {
        path_mtu::bridged(&Lab::new(name, V4, 2))
    }),
    ("path_mtu_bridged_ipv6", |name| {
        path_mtu::bridged(&Lab::new(name, V6, 2))
    }),
    ("vlan_tagged_frames", |name| {
        vlan::tagged_frames(&Lab::new(name, V4, 2))
    }),
    ("learning_ipv4", |name| {
        fdb::learning(&Lab::new(name, V4, 2))
    }),
    ("learning_ipv6", |name| {
        fdb::learning(&Lab::new(name, V6, 2))
    }),
    ("migration_ipv4", |name| {
        fdb::migration(&Lab::new(name, V4, 3))
    }),
    ("migration_ipv6", |name| {
        fdb::migration(&Lab::new(name, V6, 3))
    }),
    ("flood_list_ipv4", |name| {
        flood::three_vteps(&Lab::new(name, V4, 3))
    }),
    ("flood_list_ipv6", |name| {
        flood::three_vteps(&Lab::new(name, V6, 3))
    }),
    ("multicast_ipv4", |name| {
        multicast::group(&Lab::new(name, V4, 2), "239.1.1.1")
    }),
    ("multicast_ipv6_site", |name| {
        multicast::group(&Lab::new(name, V6, 2), "ff05::100")
    }),
    ("multicast_ipv6_link", |name| {
        multicast::group(&Lab::new(name, V6, 2), "ff02::100")
    }),
    ("two_vnis_one_port_ipv4", |name| {
        sharing::two_vnis(&Lab::new(name, V4, 3))
    }),
    ("two_vnis_one_port_ipv6", |name| {
        sharing::two_vnis(&Lab::new(name, V6, 3))
    }),
    ("outer_headers_ipv4", |name| {
        headers::outer(&Lab::new(name, V4, 2))
    }),
    ("outer_headers_ipv6", |name| {
        headers::outer(&Lab::new(name, V6, 2))
    }),
    ("source_ports_ipv4", |name| {
        headers::source_ports(&Lab::new(name, V4, 2))
    }),
    ("source_ports_ipv6", |name| {
        headers::source_ports(&Lab::new(name, V6, 2))
    }),
    ("hostile_datagrams_ipv4", |name| {
        hostile::datagrams(&Lab::new(name, V4, 2))
    }),
    ("hostile_datagrams_ipv6", |name| {
        hostile::datagrams(&Lab::new(name, V6, 2))
    }),
    ("proxy_arp_twins", |name| {
        suppress::arp(&Lab::new(name, V4, 2))
    }),
    ("proxy_nd_twins", |name| {
        suppress::ndisc(&Lab::new(name, V4, 2))
    }),
    ("vni_filter_in_two_networks", |name| {
        vni_filter::in_two_networks(&Lab::new(name, V4, 2))
    }),
    ("vni_filter_twin_counters", |name| {
        vni_filter::twin_counters(&Lab::new(name, V4, 2))
    }),
    ("stop_leaves_nothing", |name| {
        refusals::stop_leaves_nothing(&Lab::new(name, V4, 2))
    }),
    ("refused_port_in_use", |name| {
        refusals::port_in_use(&Lab::new(name, V4, 1))
    }),
    ("refused_no_such_interface", |name| {
        refusals::no_such_interface(&Lab::new(name, V4, 1))
    }),
    ("refused_without_net_admin", |name| {
        refusals::without_net_admin(&Lab::new(name, V4, 1))
    }),
];

fn main() -> ExitCode {
    runner::run("interop", Needs::Ours, TESTS, lab::ready)
}
