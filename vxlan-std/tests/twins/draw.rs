//! Devices and what is given to them, drawn as test vectors.

use serde_json::{Map, Value, json};

use crate::frames::{self, Outer};
use crate::random::Random;
use crate::replay::model::to_hex;

/// Frames of one case.
const STEPS: usize = 40;
pub(crate) const DEVICE: &str = "02:42:c0:a8:00:01";
/// Other VTEPs, then this host, then one that nothing is known of.
const IPV4: [&str; 4] = ["192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.1"];
const IPV6: [&str; 4] = [
    "2001:db8:1::2",
    "2001:db8:1::3",
    "2001:db8:1::4",
    "2001:db8:1::1",
];
const GROUPS: [&str; 2] = ["239.1.1.1", "ff05::100"];
const ZERO: &str = "00:00:00:00:00:00";
const LOWER: u32 = 10;
const BESIDE_GPE: [&str; 16] = [
    "id",
    "port",
    "collect_metadata",
    "group",
    "group6",
    "link",
    "local",
    "local6",
    "ttl",
    "tos",
    "df",
    "gpe",
    "port_range",
    "udp_csum",
    "udp_zero_csum6_tx",
    "udp_zero_csum6_rx",
];
const LOWER_MTU: usize = 1500;

/// A vector without its expectations.
pub(crate) fn vector(random: &mut Random, number: usize) -> Value {
    let ipv6 = random.once_in(3);
    let remotes = if ipv6 { IPV6 } else { IPV4 };
    // A frame that comes back without having left bears its tag in another place than the
    // library's, see spec 03 §8.2: either this host is a remote or there are tags.
    let own = random.once_in(6);
    let reachable = &remotes[..if own { 4 } else { 3 }];
    let mut config = config(random, ipv6, reachable);
    let external = config.get("collect_metadata") == Some(&json!(1));
    let gpe = config.contains_key("gpe");
    let vni = config["id"].as_u64().unwrap_or(0) as u32;
    let port = config["port"].as_u64().unwrap_or(4789) as u16;
    let sport = match config.get("port_range") {
        Some(range) => json!({ "min": range[0], "max": range[1], "observed": [] }),
        None => json!({ "min": 32768, "max": 60999, "observed": [] }),
    };
    if random.once_in(12) {
        config.insert("limit".into(), random.of(&[1, 3]).into());
    }
    let fdb: Vec<Value> = (0..random.below(7))
        .map(|_| entry(random, reachable))
        .collect();
    let outer = Outer {
        ipv6,
        port,
        vni,
        group: config.contains_key("group") && config["group"] == GROUPS[0]
            || config.contains_key("group6") && config["group6"] == GROUPS[1],
        tags: !own,
    };
    let steps: Vec<Value> = (0..STEPS)
        .map(|_| {
            let input = if gpe || external || random.once_in(2) {
                let mut frame = frames::outer(random, &outer);
                while frame.len() > LOWER_MTU + 14 {
                    frame = frames::outer(random, &outer);
                }
                json!({ "direction": "rx", "frame": to_hex(&frame) })
            } else {
                let mut frame = frames::inner(random, outer.tags);
                // A packet socket lets a tagged frame be four bytes longer than the device's MTU.
                while frame.len() > 580 && matches!(frame[12..14], [0x81, 0] | [0x88, 0xa8]) {
                    frame = frames::inner(random, outer.tags);
                }
                let mut input = json!({ "direction": "tx", "frame": to_hex(&frame) });
                if random.once_in(3) {
                    input["mark"] = random.of(&[1, 0x0001_0203, 0x0048_1234, u32::MAX]).into();
                }
                input
            };
            json!({ "input": input, "expect": {} })
        })
        .collect();
    let mtu = random.of(&[None, None, None, Some(1400), Some(576), Some(1600)]);
    json!({
        "id": format!("twins-{number}"), "group": "twins", "title": "drawn", "kernel": "6.18",
        "config": config, "device_mac": DEVICE, "device_mtu": mtu, "lower": lower(),
        "fdb": fdb, "neighbours": neighbours(random), "steps": steps, "sport": sport,
    })
}

fn lower() -> Value {
    let peer = "02:00:5e:00:53:02";
    let ipv4 = (2..6).map(|host| format!("192.0.2.{host}"));
    let ipv6 = (2..6).map(|host| format!("2001:db8:1::{host}"));
    let neighbours: Vec<Value> = ipv4
        .chain(ipv6)
        .map(|ip| json!({ "ip": ip, "mac": peer }))
        .collect();
    json!({
        "ifindex": LOWER, "mac": "02:00:5e:00:53:01", "peer_mac": peer, "mtu": LOWER_MTU,
        "addrs": ["192.0.2.1/24", "2001:db8:1::1/64"], "neighbours": neighbours,
    })
}

fn config(random: &mut Random, ipv6: bool, reachable: &[&str]) -> Map<String, Value> {
    let mut all = Map::new();
    let mut set = |name: &str, value: Value| {
        all.insert(name.into(), value);
    };
    let (group, local) = if ipv6 {
        ("group6", "local6")
    } else {
        ("group", "local")
    };
    let external = random.once_in(15);
    set(
        "id",
        if external {
            0
        } else {
            random.of(&[42, 1, 0, 0x00ff_ffff])
        }
        .into(),
    );
    set("port", random.of(&[4789, 4789, 8472, 1]).into());
    if external {
        set("collect_metadata", 1.into());
    }
    match random.below(4) {
        0 if !external => {
            set(group, GROUPS[usize::from(ipv6)].into());
            set("link", LOWER.into());
        }
        1 | 2 if !external => {
            set(group, random.of(reachable).into());
            if random.once_in(3) {
                set("link", LOWER.into());
            }
        }
        _ => {}
    }
    if ipv6 || random.once_in(2) {
        set(local, if ipv6 { IPV6[3] } else { IPV4[3] }.into());
    }
    match random.below(4) {
        0 => set("ttl", random.of(&[1, 7, 64, 255]).into()),
        1 => set("ttl_inherit", 1.into()),
        _ => {}
    }
    if random.once_in(2) {
        set(
            "tos",
            random.of(&[1, 0, 2, 3, 0x10, 0xb8, 0xfd, 0xff]).into(),
        );
    }
    if random.once_in(2) {
        set("df", random.below(3).into());
    }
    if ipv6 && random.once_in(2) {
        set("label", random.of(&[0, 1, 0x12345, 0xfffff]).into());
    }
    if ipv6 && random.once_in(3) {
        set("label_policy", random.below(2).into());
    }
    if random.once_in(3) {
        set(
            "port_range",
            random.of(&[
                json!([5000, 5001]),
                json!([1, 65535]),
                json!([40000, 40007]),
            ]),
        );
    }
    for (name, often) in [
        ("learning", 2),
        ("proxy", 4),
        ("rsc", 4),
        ("l2miss", 4),
        ("l3miss", 4),
        ("localbypass", 3),
        ("udp_csum", 2),
        ("udp_zero_csum6_tx", 3),
        ("udp_zero_csum6_rx", 3),
        ("remcsum_tx", 4),
        ("remcsum_rx", 3),
    ] {
        if random.once_in(often) {
            set(name, random.below(2).into());
        }
    }
    for (name, often) in [("remcsum_nopartial", 3), ("gbp", 3), ("gpe", 9)] {
        if random.once_in(often) {
            set(name, 1.into());
        }
    }
    if random.once_in(5) {
        let mask = random.of(&[
            "f7ffffff000000ff",
            "0000000000000000",
            "f7ffffffffffffff",
            "00ff0000000000f0",
        ]);
        set("reserved_bits", mask.into());
    }
    if all.contains_key("gpe") {
        // Most options are refused beside it.
        all.retain(|name, _| BESIDE_GPE.contains(&name.as_str()));
        all.insert("learning".into(), 0.into());
    }
    all
}

/// A forwarding entry; several may come to one MAC address.
fn entry(random: &mut Random, reachable: &[&str]) -> Value {
    let mac = match random.below(4) {
        0 => ZERO.into(),
        1 => "01:00:5e:01:02:03".into(),
        _ => frames::station(random.below(4)),
    };
    let mut entry = json!({ "mac": mac, "dst": random.of(reachable) });
    if random.once_in(4) {
        entry["port"] = random.of(&[4789, 4790, 65535]).into();
    }
    if random.once_in(4) {
        entry["vni"] = random.of(&[43, 1, 0x00ff_fffe]).into();
    }
    if random.once_in(4) {
        entry["ifindex"] = LOWER.into();
    }
    if random.once_in(4) {
        // Reachable, permanent, or not to be learned over.
        entry["state"] = random.of(&[2, 130, 192]).into();
    }
    if random.once_in(4) {
        entry["flags"] = 0x82.into();
    }
    entry
}

fn neighbours(random: &mut Random) -> Vec<Value> {
    (1..5)
        .filter_map(|host| {
            let mac = frames::station(random.below(4));
            random
                .once_in(2)
                .then(|| json!({ "ip": format!("10.1.0.{host}"), "mac": mac }))
        })
        .collect()
}
