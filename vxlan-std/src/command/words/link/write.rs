//! A device in the words that make it.

use core::fmt::Write;

use vxlan_core::device::{AGEING_DEFAULT, Flags, TOS_INHERIT, Valid};
use vxlan_core::{Df, FlowLabel, Mac};

use super::parse_link;

/// What follows `ip link add` for a device like this one: the words that
/// [`parse_link`] takes.
///
/// Only what differs from the default of the kernel is said, so that an `ip` that is older than an
/// option understands the line of a device without it; the port is always said, because `ip`
/// warns if it is not. The limits that Linux does not have are left out: see
/// [`write_limits`](super::write_limits).
pub(crate) fn write_link(
    name: &str,
    mac: Option<Mac>,
    mtu: Option<u32>,
    config: &Valid,
    dev: Option<&str>,
) -> String {
    let mut line = name.to_owned();
    let mut say = |word: core::fmt::Arguments<'_>| {
        // Writing to a string does not fail.
        let _ = write!(line, " {word}");
    };
    if let Some(mac) = mac {
        say(format_args!("address {mac}"));
    }
    if let Some(mtu) = mtu {
        say(format_args!("mtu {mtu}"));
    }
    let external = config.flags().contains(Flags::COLLECT_METADATA);
    match external {
        true => say(format_args!("type vxlan external")),
        false => say(format_args!("type vxlan id {}", config.vni())),
    }
    addresses(config, &mut say);
    if let Some(dev) = dev {
        say(format_args!("dev {dev}"));
    }
    say(format_args!("dstport {}", config.port()));
    let range = config.port_range();
    if (range.low(), range.high()) != (0, 0) {
        say(format_args!("srcport {} {}", range.low(), range.high()));
    }
    outer_header(config, &mut say);
    if config.ageing() != AGEING_DEFAULT {
        say(format_args!("ageing {}", config.ageing().as_secs()));
    }
    if let Some(limit) = config.limit() {
        say(format_args!("maxaddress {limit}"));
    }
    for (flag, usual, word) in SWITCHES {
        // `ip` leaves learning off in external mode.
        let usual = usual && !(external && flag == Flags::LEARN);
        match (config.flags().contains(flag), usual) {
            (true, false) => say(format_args!("{word}")),
            (false, true) => say(format_args!("no{word}")),
            _ => {}
        }
    }
    // The mask that these words bring along depends on them; it is said only if it is another.
    let implied = parse_link(&line)
        .ok()
        .and_then(|link| link.options.config().lower(config.lower()).validate().ok())
        .map(|implied| implied.reserved_bits());
    if implied != Some(config.reserved_bits()) {
        let bits = u64::from_be_bytes(config.reserved_bits().octets());
        let _ = write!(line, " reserved_bits {bits:#018x}");
    }
    line
}

/// The options without a value: whether they are on if nothing is said, and their words.
const SWITCHES: [(Flags, bool, &str); 15] = [
    (Flags::LEARN, true, "learning"),
    (Flags::PROXY, false, "proxy"),
    (Flags::RSC, false, "rsc"),
    (Flags::L2MISS, false, "l2miss"),
    (Flags::L3MISS, false, "l3miss"),
    (Flags::UDP_ZERO_CSUM6_TX, false, "udp6zerocsumtx"),
    (Flags::UDP_ZERO_CSUM6_RX, false, "udp6zerocsumrx"),
    (Flags::REMCSUM_TX, false, "remcsumtx"),
    (Flags::REMCSUM_RX, false, "remcsumrx"),
    (Flags::REMCSUM_NOPARTIAL, false, "remcsumnopartial"),
    (Flags::VNIFILTER, false, "vnifilter"),
    (Flags::MC_ROUTE, false, "mcroute"),
    (Flags::GBP, false, "gbp"),
    (Flags::GPE, false, "gpe"),
    (Flags::LOCALBYPASS, true, "localbypass"),
];

fn addresses(config: &Valid, say: &mut impl FnMut(core::fmt::Arguments<'_>)) {
    let (remote, local) = (config.remote(), config.local());
    if !local.is_unspecified() {
        say(format_args!("local {local}"));
    }
    if remote.is_multicast() {
        say(format_args!("group {remote}"));
    } else if !remote.is_unspecified() || (config.is_ipv6() && local.is_unspecified()) {
        // "::" says nothing but the address family.
        say(format_args!("remote {remote}"));
    }
}

fn outer_header(config: &Valid, say: &mut impl FnMut(core::fmt::Arguments<'_>)) {
    if config.flags().contains(Flags::TTL_INHERIT) {
        say(format_args!("ttl inherit"));
    } else if config.ttl() != 0 {
        say(format_args!("ttl {}", config.ttl()));
    }
    match config.tos() {
        0 => {}
        TOS_INHERIT => say(format_args!("tos inherit")),
        tos => say(format_args!("tos {tos:#04x}")),
    }
    match config.df() {
        Df::Set => say(format_args!("df set")),
        Df::Inherit => say(format_args!("df inherit")),
        _ => {}
    }
    match config.flow_label() {
        FlowLabel::Fixed(0) => {}
        FlowLabel::Fixed(label) => say(format_args!("flowlabel {label:#x}")),
        _ => say(format_args!("flowlabel inherit")),
    }
    if config.flags().contains(Flags::UDP_ZERO_CSUM_TX) {
        say(format_args!("noudpcsum"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use vxlan_core::{Config, IfIndex, Vni};

    /// The device of a line; its lower interface has some number.
    fn read(line: &str) -> (Valid, Option<String>) {
        let options = parse_link(line).unwrap().options;
        let dev = options.dev.clone().flatten();
        let lower = dev.as_ref().and(IfIndex::new(9));
        (options.config().lower(lower).validate().unwrap(), dev)
    }

    fn written(tail: &str) -> String {
        let (valid, dev) = read(&format!("vx0 type vxlan {tail}"));
        write_link("vx0", None, None, &valid, dev.as_deref())
    }

    #[test]
    fn what_is_usual_is_not_said() {
        assert_eq!(written("id 42"), "vx0 type vxlan id 42 dstport 8472");
        assert_eq!(
            written(
                "learning id 42 ageing 300 ttl auto tos 0 df unset udpcsum localbypass remote any \
                 flowlabel 0 maxaddress 0 dstport 4789"
            ),
            "vx0 type vxlan id 42 dstport 4789",
        );
        let config = Config::new(Vni::MIN).validate().unwrap();
        let mac = Some(Mac::new([2, 0, 0, 0, 0, 1]));
        assert_eq!(
            write_link("a", mac, Some(1400), &config, None),
            "a address 02:00:00:00:00:01 mtu 1400 type vxlan id 0 dstport 8472",
        );
    }

    /// Each option by itself, as it comes out.
    #[test]
    fn every_option_has_its_words() {
        for tail in [
            "local 192.0.2.1 remote 192.0.2.2 dstport 4789",
            "group 239.1.1.1 dev eth0 dstport 4789",
            "remote :: dstport 4789",
            "local 2001:db8::1 dstport 4789",
            "dstport 4789 srcport 5 6",
            "dstport 4789 ttl 7",
            "dstport 4789 ttl inherit",
            "dstport 4789 tos 0xb8",
            "dstport 4789 tos inherit",
            "dstport 4789 df set",
            "dstport 4789 df inherit",
            "remote 2001:db8::2 dstport 4789 flowlabel 0xfffff",
            "remote 2001:db8::2 dstport 4789 flowlabel inherit",
            "dstport 4789 noudpcsum",
            "dstport 4789 ageing 60",
            "dstport 4789 maxaddress 3",
            "dstport 4789 nolearning",
            "dstport 4789 l2miss",
            "dstport 4789 proxy",
            "dstport 4789 rsc",
            "dstport 4789 l3miss",
            "dstport 4789 remcsumtx",
            "dstport 4789 remcsumrx",
            "dstport 4789 udp6zerocsumtx",
            "dstport 4789 udp6zerocsumrx",
            "dstport 4789 gbp",
            "dstport 4789 nolocalbypass",
            "dstport 4789 reserved_bits 0xf7ffffff00000000",
        ] {
            let words = format!("id 42 {tail}");
            assert_eq!(written(&words), format!("vx0 type vxlan {words}"));
        }
    }

    proptest! {
        /// Reading what was written gives the same device, for any mixture of options.
        #[test]
        fn reading_undoes_writing(
            vni in 0u32..=Vni::MAX.get(),
            addresses in proptest::sample::select(vec![
                "", "remote 192.0.2.2", "local 192.0.2.1", "group 239.1.1.1 dev eth0",
                "remote ::", "remote 2001:db8::2 local 2001:db8::1", "group ff02::1 dev eth0",
            ]),
            numbers in proptest::sample::subsequence(vec![
                "ttl 9", "tos 0x3", "df set", "ageing 7", "maxaddress 9", "srcport 0 0",
                "dstport 0", "reserved_bits 0",
            ], 0..=8),
            switches in proptest::sample::subsequence(vec![
                "nolearning", "l2miss", "udp6zerocsumtx", "udp6zerocsumrx", "gbp",
                "nolocalbypass", "noudpcsum",
            ], 0..=7),
        ) {
            let words = format!(
                "vx0 type vxlan id {vni} {addresses} {} {}",
                numbers.join(" "), switches.join(" "),
            );
            let device = read(&words);
            let line = write_link("vx0", None, None, &device.0, device.1.as_deref());
            prop_assert_eq!(read(&line), device, "{}", line);
        }
    }
}
