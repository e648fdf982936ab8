//! The kernel's tables of operations, and what stands for each here.

use std::any::type_name_of_val;

use vxlan_core::device::Valid;
use vxlan_core::fdb::{self, Fdb};
use vxlan_core::world::{DeviceId, Error, Setup, Task};
use vxlan_core::{Device, Egress, Mac, Packet, Stats, Worker};

use super::host::Small;

type Table = Device<fdb::Growable>;

/// The operations of one table in the document: name, and the right column.
fn rows(heading: &str) -> Vec<(String, String)> {
    let page = include_str!("../../../docs/LINUX.md");
    let (_, table) = page.split_once(heading).expect("no such table");
    let mut rows = Vec::new();
    for line in table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
    {
        let [_, left, right, _] = line.split('|').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        for name in left.split(',') {
            rows.push((
                name.trim().trim_matches('`').to_owned(),
                right.trim().to_owned(),
            ));
        }
    }
    rows
}

/// The last two words of a function's path: `World::open` is `...world::open::..::open`.
fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

/// `World::delete`, with somebody to tell.
fn delete(world: &mut Small, id: DeviceId) -> Result<Task, Error> {
    world.delete(id, |_, _| {})
}

/// `Device::transmit` returns what borrows.
fn transmit(device: &mut Table, worker: &mut Worker, frame: &mut Packet<'_>) -> bool {
    matches!(device.transmit(worker, frame), Egress::Forward(_))
}

/// M-01: every operation of the link type is in the table, each with a function that exists.
#[test]
fn m01_link_operations() {
    check(
        "| `struct rtnl_link_ops` | here |",
        &[
            ("kind", ""),
            ("maxtype", ""),
            ("policy", ""),
            ("priv_size", ""),
            ("setup", type_name_of_val(&Setup::of)),
            ("validate", type_name_of_val(&Small::create)),
            ("newlink", type_name_of_val(&Small::create)),
            ("changelink", type_name_of_val(&Small::change)),
            ("dellink", type_name_of_val(&delete)),
            ("get_size", type_name_of_val(&Valid::attributes)),
            ("fill_info", type_name_of_val(&Valid::attributes)),
            ("get_link_net", ""),
        ],
    );
}

/// M-01: every operation of the device is in the table, each with a function that exists.
#[test]
fn m01_device_operations() {
    check(
        "| `struct net_device_ops` | here |",
        &[
            ("ndo_init", type_name_of_val(&Small::create)),
            ("ndo_uninit", type_name_of_val(&delete)),
            ("ndo_open", type_name_of_val(&Small::open)),
            ("ndo_stop", type_name_of_val(&Small::stop)),
            ("ndo_start_xmit", type_name_of_val(&transmit)),
            ("ndo_get_stats64", type_name_of_val(&Stats::named)),
            ("ndo_set_rx_mode", ""),
            ("ndo_change_mtu", type_name_of_val(&Small::set_mtu)),
            ("ndo_validate_addr", type_name_of_val(&Mac::is_unicast)),
            ("ndo_set_mac_address", type_name_of_val(&Small::set_mac)),
            ("ndo_fdb_add", type_name_of_val(&Table::fdb_update)),
            ("ndo_fdb_del", type_name_of_val(&Table::fdb_remove_at)),
            (
                "ndo_fdb_del_bulk",
                type_name_of_val(&Fdb::<fdb::Growable>::flush),
            ),
            (
                "ndo_fdb_dump",
                type_name_of_val(&Fdb::<fdb::Growable>::iter),
            ),
            ("ndo_fdb_get", type_name_of_val(&Fdb::<fdb::Growable>::find)),
            ("ndo_mdb_add", ""),
            ("ndo_mdb_del", ""),
            ("ndo_mdb_del_bulk", ""),
            ("ndo_mdb_dump", ""),
            ("ndo_mdb_get", ""),
            (
                "ndo_fill_metadata_dst",
                type_name_of_val(&Table::route_query_by_info),
            ),
        ],
    );
}

/// Compares a table of the document with what exists. An operation without function says why.
fn check(heading: &str, exist: &[(&str, &str)]) {
    let rows = rows(heading);
    let documented: Vec<&str> = rows.iter().map(|(name, _)| name.as_str()).collect();
    let expected: Vec<&str> = exist.iter().map(|(name, _)| *name).collect();
    assert_eq!(documented, expected);
    for ((name, right), (_, path)) in rows.iter().zip(exist) {
        assert!(!right.is_empty(), "{name}");
        assert!(right.contains(last(path)), "{name}: {right} is not {path}");
    }
}
