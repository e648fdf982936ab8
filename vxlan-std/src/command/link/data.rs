//! The configuration of a device as `ip -details link` prints it.

use core::fmt::Write;

use vxlan_core::device::{TOS_INHERIT, Valid};
use vxlan_core::{Df, Flags, FlowLabel, Unlearned};
use vxlan_std::interface;

use super::super::json::Json;
use super::super::words::write_limits;

/// What is said of a device: the text, and the key and value of JSON where there is one.
type Part = (String, Vec<(&'static str, Json)>);

/// The text behind `vxlan `, a space behind each part.
pub(super) fn text(config: &Valid) -> String {
    let mut out = String::new();
    for (text, _) in parts(config) {
        if !text.is_empty() {
            // Writing to a string cannot fail.
            let _ = write!(out, "{text} ");
        }
    }
    out
}

/// The object `info_data`.
pub(super) fn json(config: &Valid) -> Json {
    Json::Object(
        parts(config)
            .into_iter()
            .flat_map(|(_, fields)| fields)
            .collect(),
    )
}

fn parts(config: &Valid) -> Vec<Part> {
    let flags = config.flags();
    let mut parts = Vec::new();
    if flags.contains(Flags::COLLECT_METADATA) {
        parts.push(("external".into(), vec![("external", true.into())]));
    }
    // `ip` leaves no space behind this one.
    let mut id = format!("id {}", config.vni());
    if flags.contains(Flags::VNIFILTER) {
        parts.push((String::new(), vec![("vnifilter", true.into())]));
        id.insert_str(0, "vnifilter");
    }
    parts.push((id, vec![("id", config.vni().get().into())]));
    addresses(config, &mut parts);
    let range = config.port_range();
    let low_high = vec![("low", range.low().into()), ("high", range.high().into())];
    parts.push((
        format!("srcport {} {}", range.low(), range.high()),
        vec![("port_range", Json::Object(low_high))],
    ));
    parts.push((
        format!("dstport {}", config.port()),
        vec![("port", config.port().into())],
    ));
    let learning = flags.contains(Flags::LEARN);
    let said = if learning { "" } else { "nolearning" };
    parts.push((said.into(), vec![("learning", learning.into())]));
    for (flag, name) in [
        (Flags::PROXY, "proxy"),
        (Flags::RSC, "rsc"),
        (Flags::L2MISS, "l2miss"),
        (Flags::L3MISS, "l3miss"),
    ] {
        if flags.contains(flag) {
            parts.push((name.into(), vec![(name, true.into())]));
        }
    }
    outer_header(config, &mut parts);
    let ageing = u32::try_from(config.ageing().as_secs()).unwrap_or(u32::MAX);
    parts.push(both("ageing", ageing));
    if let Some(limit) = config.limit() {
        parts.push((
            format!("maxaddr {limit}"),
            vec![("limit", limit.get().into())],
        ));
    }
    checksums(flags, &mut parts);
    limits(config, &mut parts);
    parts
}

fn addresses(config: &Valid, parts: &mut Vec<Part>) {
    let remote = config.remote();
    if !remote.is_unspecified() {
        let (name, key) = match (remote.is_multicast(), remote.is_ipv6()) {
            (true, false) => ("group", "group"),
            (true, true) => ("group", "group6"),
            (false, false) => ("remote", "remote"),
            (false, true) => ("remote", "remote6"),
        };
        let address = remote.to_string();
        parts.push((format!("{name} {address}"), vec![(key, address.into())]));
    }
    let local = config.local();
    if !local.is_unspecified() {
        let key = if local.is_ipv6() { "local6" } else { "local" };
        let address = local.to_string();
        parts.push((format!("local {address}"), vec![(key, address.into())]));
    }
    if let Some(lower) = config.lower() {
        let name = interface::name(lower);
        parts.push((format!("dev {name}"), vec![("link", name.into())]));
    }
}

fn outer_header(config: &Valid, parts: &mut Vec<Part>) {
    match config.tos() {
        0 => {}
        tos => {
            let number = format!("{tos:#x}");
            let said = if tos == TOS_INHERIT {
                "inherit"
            } else {
                &number
            };
            parts.push((format!("tos {said}"), vec![("tos", number.clone().into())]));
        }
    }
    match config.ttl() {
        _ if config.flags().contains(Flags::TTL_INHERIT) => {
            parts.push(("ttl inherit".into(), vec![]));
        }
        0 => parts.push(("ttl auto".into(), vec![("ttl", 0_u8.into())])),
        ttl => parts.push(both("ttl", ttl.into())),
    }
    let df = match config.df() {
        Df::Unset => "unset",
        Df::Set => "set",
        _ => "inherit",
    };
    let said = match config.df() {
        Df::Unset => String::new(),
        _ => format!("df {df}"),
    };
    parts.push((said, vec![("df", df.into())]));
    match config.flow_label() {
        FlowLabel::Fixed(0) => {}
        FlowLabel::Fixed(label) => {
            let number = format!("{label:#x}");
            parts.push((
                format!("flowlabel {number}"),
                vec![("label", number.into())],
            ));
        }
        _ => {
            parts.push((
                "flowlabel inherit".into(),
                vec![("label", "inherit".into())],
            ));
        }
    }
}

fn checksums(flags: Flags, parts: &mut Vec<Part>) {
    for (on, name, key) in [
        (
            !flags.contains(Flags::UDP_ZERO_CSUM_TX),
            "udpcsum",
            "udp_csum",
        ),
        (
            flags.contains(Flags::UDP_ZERO_CSUM6_TX),
            "udp6zerocsumtx",
            "udp_zero_csum6_tx",
        ),
        (
            flags.contains(Flags::UDP_ZERO_CSUM6_RX),
            "udp6zerocsumrx",
            "udp_zero_csum6_rx",
        ),
    ] {
        let no = if on { "" } else { "no" };
        parts.push((format!("{no}{name}"), vec![(key, on.into())]));
    }
    for (flag, name, key) in [
        (Flags::REMCSUM_TX, "remcsumtx", "remcsum_tx"),
        (Flags::REMCSUM_RX, "remcsumrx", "remcsum_rx"),
        (Flags::GBP, "gbp", "gbp"),
        (Flags::GPE, "gpe", "gpe"),
    ] {
        if flags.contains(flag) {
            parts.push((name.into(), vec![(key, true.into())]));
        }
    }
}

/// The limits that Linux does not have, if the device has them.
fn limits(config: &Valid, parts: &mut Vec<Part>) {
    let mut fields = Vec::new();
    if let Some(quota) = config.learn_quota() {
        fields.push(("learn_quota", quota.get().into()));
    }
    if let Some(rate) = config.learn_rate() {
        let rate = vec![
            ("per_second", rate.per_second.get().into()),
            ("burst", rate.burst.get().into()),
        ];
        fields.push(("learn_rate", Json::Object(rate)));
    }
    if let Some(damping) = config.move_damping() {
        let damping = vec![
            ("moves", damping.moves.get().into()),
            ("within", damping.within.as_secs().into()),
            ("hold", damping.hold.as_secs().into()),
        ];
        fields.push(("move_damping", Json::Object(damping)));
    }
    if config.unlearned() == Unlearned::Drop {
        fields.push(("unlearned", "drop".into()));
    }
    parts.push((write_limits(config).join(" "), fields));
}

/// The same name in text and JSON.
fn both(name: &'static str, value: u32) -> Part {
    (format!("{name} {value}"), vec![(name, value.into())])
}
