//! What follows `ip link`.

mod limits;
mod options;
mod peer;
mod show;
mod switch;
mod write;

use vxlan_core::{IfIndex, Mac};

use super::cursor::Cursor;
use super::error::Problem;
use super::number::number32;
use super::{INTERFACE, WordsError, interface};
pub(crate) use limits::{LimitOptions, write_limits};
pub(crate) use options::LinkOptions;
pub(crate) use peer::ImportSpec;
pub(crate) use show::LinkFilter;
pub(crate) use switch::Switch;
pub(crate) use write::write_link;

/// A device to be made, or what is to change about one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LinkSpec {
    /// Its name; only a new one may be without.
    pub(crate) name: Option<String>,
    /// What it does.
    pub(crate) options: LinkOptions,
    /// The MTU.
    pub(crate) mtu: Option<u32>,
    /// The MAC address.
    pub(crate) address: Option<Mac>,
    /// Up or down.
    pub(crate) up: Option<bool>,
    /// The name that it is to have from now on.
    pub(crate) new_name: Option<String>,
}

/// What `ip link` is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LinkRequest {
    /// Make a device.
    Add(LinkSpec),
    /// Change a device.
    Set(LinkSpec),
    /// Delete the device of this name.
    Delete(String),
    /// Show devices.
    Show(LinkFilter),
    /// Make a device like one of the kernel.
    Import(ImportSpec),
    /// Print the commands that make this device in the kernel, or all.
    Export(Option<String>),
}

/// The subcommands of `link`.
const VERBS: &str = "add, set, del, show, import or export";

/// What follows `link`; nothing is `show`.
pub(crate) fn parse_link_request(words: &[&str]) -> Result<LinkRequest, WordsError> {
    let (verb, rest) = words.split_first().unwrap_or((&"show", &[]));
    let mut cursor = Cursor::over("link", rest.iter().copied());
    let words = &mut cursor;
    Ok(match *verb {
        "add" => LinkRequest::Add(LinkSpec::new(words)?),
        "set" | "change" => LinkRequest::Set(LinkSpec::set(words)?),
        "del" | "delete" => LinkRequest::Delete(delete(words)?),
        "show" | "list" | "lst" => LinkRequest::Show(LinkFilter::parse(words)?),
        "import" => LinkRequest::Import(ImportSpec::parse(words)?),
        "export" => LinkRequest::Export(peer::export(words)?),
        other => return Err(words.error(other, Problem::Expected(VERBS))),
    })
}

/// A device as `ip link add` takes it: `vx0 type vxlan id 42 local 192.0.2.1 dstport 4789`.
///
/// Follows iproute2: `tos` is hexadecimal; other numbers are decimal, `0x` hexadecimal or octal;
/// `ttl auto`, `ageing none` and `maxaddress unlimited` stand for zero. `remote any`, `group any`
/// and `local any` are the same as nothing. The limits to learning have words of their own.
pub(crate) fn parse_link(text: &str) -> Result<LinkSpec, WordsError> {
    LinkSpec::new(&mut Cursor::new("link", text))
}

impl LinkSpec {
    /// What follows `ip link add`.
    pub(super) fn new(words: &mut Cursor<'_>) -> Result<Self, WordsError> {
        let mut spec = Self::default();
        if !spec.head(words, false)? {
            return Err(words.error("", Problem::Missing("\"type vxlan\"")));
        }
        spec.tail(words)?;
        spec.options.check_new(words)?;
        Ok(spec)
    }

    /// Why no host can make such a device, if none can.
    pub(crate) fn check(&self) -> Result<(), String> {
        // Any lower interface will do.
        let dev = self.options.dev.iter().flatten().next();
        let config = self
            .options
            .config()
            .lower(dev.and(Some(IfIndex::LOOPBACK)));
        let name = self.name.as_deref().unwrap_or("a device");
        let checked = config.validate();
        checked.map_or_else(
            |error| Err(format!("link \"{name} …\": {error}")),
            |_| Ok(()),
        )
    }

    /// What follows `ip link set`.
    fn set(words: &mut Cursor<'_>) -> Result<Self, WordsError> {
        let mut spec = Self::default();
        if spec.head(words, true)? {
            spec.tail(words)?;
        }
        if spec.name.is_none() {
            // Alone it names the device.
            spec.name = spec.new_name.take();
        }
        if spec.name.is_none() {
            return Err(words.error("", Problem::Missing("\"dev NAME\"")));
        }
        Ok(spec)
    }

    /// What stands before `type vxlan`, about a device that `exists` or a new one. False if the
    /// line ends before it.
    fn head(&mut self, words: &mut Cursor<'_>, exists: bool) -> Result<bool, WordsError> {
        while let Some(word) = words.next() {
            match word {
                "type" => {
                    words.value("type", "\"vxlan\"", |text| (text == "vxlan").then_some(()))?;
                    return Ok(true);
                }
                "mtu" => {
                    words.once("mtu", word)?;
                    let expected = "a number of bytes";
                    self.mtu = Some(words.value(word, expected, |text| number32(text, u32::MAX))?);
                }
                "address" => {
                    words.once("address", word)?;
                    let expected = "a MAC address";
                    self.address = Some(words.value(word, expected, |text| text.parse().ok())?);
                }
                "up" | "down" => {
                    words.once("up", word)?;
                    self.up = Some(word == "up");
                }
                "link" | "parentdev" => {
                    let why =
                        "not for VXLAN; the lower interface is \"dev NAME\" behind \"type vxlan\"";
                    return Err(words.error(word, Problem::Unsupported(why)));
                }
                "txqueuelen" | "txqlen" | "qlen" | "broadcast" | "brd" | "index"
                | "numtxqueues" | "numrxqueues" | "netns" | "group" | "alias" | "master"
                | "nomaster" => {
                    let why = "not supported here; 'ip link set' does it to the interface";
                    return Err(words.error(word, Problem::Unsupported(why)));
                }
                "name" if exists => {
                    words.once("new name", word)?;
                    self.new_name = Some(words.value(word, INTERFACE, interface)?);
                }
                "dev" | "name" => {
                    words.once("name", word)?;
                    let Some(value) = words.next() else {
                        return Err(words.error(word, Problem::Missing(INTERFACE)));
                    };
                    self.name = Some(named(words, value)?);
                }
                _ if self.name.is_none() => {
                    words.once("name", word)?;
                    self.name = Some(named(words, word)?);
                }
                _ => return Err(words.error(word, Problem::Expected("\"type vxlan\""))),
            }
        }
        Ok(false)
    }

    /// What stands behind it.
    fn tail(&mut self, words: &mut Cursor<'_>) -> Result<(), WordsError> {
        while let Some(word) = words.next() {
            self.options.word(words, word)?;
        }
        Ok(())
    }
}

/// What follows `ip link del`.
fn delete(words: &mut Cursor<'_>) -> Result<String, WordsError> {
    let mut spec = LinkSpec::default();
    spec.head(words, false)?;
    if let Some(word) = words.next() {
        return Err(words.error(word, Problem::Unknown));
    }
    let missing = Problem::Missing("\"dev NAME\"");
    spec.name.ok_or_else(|| words.error("", missing))
}

fn named<'w>(words: &mut Cursor<'w>, word: &'w str) -> Result<String, WordsError> {
    let name = interface(word).ok_or_else(|| words.error(word, Problem::Expected(INTERFACE)))?;
    words.about(word);
    Ok(name)
}

#[cfg(test)]
mod tests {
    use core::net::IpAddr;
    use core::num::NonZeroU32;
    use core::time::Duration;

    use vxlan_core::wire::vxlan::ReservedBits;
    use vxlan_core::{Config, Df, FlowLabel, PortRange, Vni};

    use super::*;

    fn config(vni: u32) -> Config {
        Config::new(Vni::truncate(vni))
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn lines_that_mean_something() {
        let plain = config(42);
        for (tail, want) in [
            ("id 42", plain.clone()),
            ("vni 0x2a", plain.clone()),
            ("id 052", plain.clone()),
            ("dstport 4789 id 42", plain.clone().port(4789)),
            (
                "id 42 local 192.0.2.1",
                plain.clone().local(ip("192.0.2.1")),
            ),
            (
                "id 42 remote 2001:db8::1",
                plain.clone().remote(ip("2001:db8::1")),
            ),
            ("id 42 remote 0.0.0.0", plain.clone().remote(ip("0.0.0.0"))),
            ("id 42 remote any local any", plain.clone()),
            ("id 42 ttl 64 tos 10", plain.clone().ttl(64).tos(0x10)),
            (
                "id 42 hoplimit 0x40 dsfield 0x10",
                plain.clone().ttl(64).tos(0x10),
            ),
            ("id 42 ttl auto tos inherit", plain.clone().tos(1)),
            ("id 42 ttl inherit", plain.clone().ttl_inherit(true)),
            ("id 42 df inherit", plain.clone().df(Df::Inherit)),
            ("id 42 df set", plain.clone().df(Df::Set)),
            ("id 42 df unset", plain.clone()),
            (
                "id 42 flowlabel 0xfffff",
                plain.clone().flow_label(FlowLabel::Fixed(0xf_ffff)),
            ),
            (
                "id 42 label inherit",
                plain.clone().flow_label(FlowLabel::Inherit(0)),
            ),
            (
                "id 42 ageing 60",
                plain.clone().ageing(Duration::from_secs(60)),
            ),
            ("id 42 ageing none", plain.clone()),
            (
                "id 42 maxaddress 3",
                plain.clone().limit(NonZeroU32::new(3)),
            ),
            ("id 42 maxaddress unlimited", plain.clone()),
            ("id 42 maxaddress 0", plain.clone()),
            (
                "id 42 srcport 5 5",
                plain.clone().port_range(PortRange::new(5, 5).unwrap()),
            ),
            (
                "id 42 port 1 0xffff",
                plain.clone().port_range(PortRange::new(1, 65535).unwrap()),
            ),
            ("id 42 nolearning", plain.clone().learning(false)),
            ("id 42 learning", plain.clone()),
            (
                "id 42 l2miss nolocalbypass",
                plain.clone().l2miss(true).local_bypass(false),
            ),
            ("id 42 noudpcsum", plain.clone().udp_checksum(false)),
            ("id 42 udpcsum nol2miss localbypass", plain.clone()),
            (
                "id 42 udp6zerocsumtx udp6zerocsumrx gbp",
                plain
                    .clone()
                    .udp_zero_checksum6_tx(true)
                    .udp_zero_checksum6_rx(true)
                    .gbp(true),
            ),
            ("id 42 noudp6zerocsumtx noudp6zerocsumrx", plain.clone()),
            (
                "id 42 noproxy norsc nol3miss noexternal novnifilter",
                plain.clone(),
            ),
            (
                "id 42 proxy rsc l3miss",
                plain
                    .clone()
                    .proxy(true)
                    .route_short_circuit(true)
                    .l3miss(true),
            ),
            ("external", config(0).external(true).learning(false)),
            ("learning external", config(0).external(true)),
            (
                "id 42 reserved_bits 0",
                plain.clone().reserved_bits(ReservedBits::NONE),
            ),
            (
                "id 42 reserved_bits 0xf7ffffff000000ff",
                plain.clone().reserved_bits(ReservedBits::PLAIN),
            ),
        ] {
            let link = parse_link(&format!("vx0 type vxlan {tail}"));
            assert_eq!(link.map(|link| link.options.config()), Ok(want), "{tail}");
        }
    }

    /// `name` renames what exists; alone it says which device is meant, as for `ip link set`.
    #[test]
    fn a_device_gets_another_name() {
        for (line, name, new_name) in [
            (&["set", "vx0", "name", "vx1"][..], "vx0", Some("vx1")),
            (&["set", "dev", "vx0", "name", "vx1"], "vx0", Some("vx1")),
            (&["set", "name", "vx1", "dev", "vx0"], "vx0", Some("vx1")),
            (&["set", "name", "vx0", "up"], "vx0", None),
        ] {
            let Ok(LinkRequest::Set(spec)) = parse_link_request(line) else {
                panic!("{line:?}");
            };
            let names = (spec.name.as_deref(), spec.new_name.as_deref());
            assert_eq!(names, (Some(name), new_name), "{line:?}");
        }
        for line in [
            &["set", "vx0", "name", "a", "name", "b"][..],
            &["set", "vx0", "name", "a/b"],
            &["add", "vx0", "name", "vx1", "type", "vxlan", "id", "1"],
        ] {
            assert!(parse_link_request(line).is_err(), "{line:?}");
        }
    }

    #[test]
    fn names_around_the_device() {
        let want = LinkSpec {
            name: Some("vx0".to_owned()),
            options: LinkOptions {
                vni: Vni::new(1),
                remote: Some(ip("239.1.1.1")),
                dev: Some(Some("eth0".to_owned())),
                ..LinkOptions::default()
            },
            mtu: Some(1400),
            address: Some(Mac::new([2, 0, 0, 0, 0, 1])),
            up: None,
            new_name: None,
        };
        let tail = "type vxlan id 1 group 239.1.1.1 dev eth0";
        for head in [
            "vx0 mtu 1400 address 02:00:00:00:00:01",
            "address 02:00:00:00:00:01 mtu 0x578 vx0",
            "  dev vx0\taddress 2:0:0:0:0:1 mtu 1400",
            "mtu 1400 name vx0 address 02:00:00:00:00:01",
        ] {
            assert_eq!(
                parse_link(&format!("{head} {tail}")),
                Ok(want.clone()),
                "{head}"
            );
        }
        assert_eq!(
            parse_link("name type type vxlan id 1").unwrap().name,
            Some("type".to_owned())
        );
    }

    #[test]
    fn lines_that_do_not() {
        for (text, want) in [
            ("", "link: \"type vxlan\" expected"),
            ("vx0", "link \"vx0 …\": \"type vxlan\" expected"),
            (
                "vx0 type",
                "link \"vx0 …\": \"type\": \"vxlan\" expected behind it",
            ),
            (
                "vx0 type geneve id 1",
                "link \"vx0 …\": \"type geneve\": \"vxlan\" expected",
            ),
            (
                "vx0 vx1 type vxlan",
                "link \"vx0 …\": \"vx1\": \"type vxlan\" expected",
            ),
            (
                "vx0 dev vx1 type vxlan",
                "link \"vx0 …\": \"dev\": said twice",
            ),
            (
                "a/b type vxlan",
                "link: \"a/b\": an interface name of 1 to 15 bytes without slash, colon, percent sign or white \
                 space expected",
            ),
            (
                "vx0 mtu x",
                "link \"vx0 …\": \"mtu x\": a number of bytes expected",
            ),
            (
                "vx0 address x",
                "link \"vx0 …\": \"address x\": a MAC address expected",
            ),
            (
                "vx0 netns x",
                "link \"vx0 …\": \"netns\": not supported here; 'ip link set' does it to the \
                 interface",
            ),
            ("vx0 type vxlan", "link \"vx0 …\": \"id VNI\" expected"),
        ] {
            assert_eq!(parse_link(text).unwrap_err().to_string(), want);
        }
        for (tail, want) in [
            (
                "id 99999999",
                "\"id 99999999\": a number from 0 to 16777215 expected",
            ),
            (
                "id 16777216",
                "\"id 16777216\": a number from 0 to 16777215 expected",
            ),
            (
                "id",
                "\"id\": a number from 0 to 16777215 expected behind it",
            ),
            ("id 1 vni 1", "\"vni\": said twice"),
            ("id 1 frobnicate", "\"frobnicate\": unknown word"),
            ("id 1 remot 192.0.2.1", "\"remot\": unknown word"),
            ("id 1 192.0.2.1", "\"192.0.2.1\": unknown word"),
            (
                "id 1 remote 239.1.1.1",
                "\"remote 239.1.1.1\": the address of one host (\"group\" takes groups) expected",
            ),
            (
                "id 1 group 192.0.2.1",
                "\"group 192.0.2.1\": the address of a group expected",
            ),
            (
                "id 1 remote any group 239.1.1.1 dev e",
                "\"group\": said twice",
            ),
            (
                "id 1 group 239.1.1.1",
                "\"group 239.1.1.1\": a group needs the lower interface: \"dev NAME\"",
            ),
            (
                "id 1 local ff02::1",
                "\"local ff02::1\": the address of this host expected",
            ),
            (
                "id 1 local 192.0.2.1/24",
                "\"local 192.0.2.1/24\": the address of this host expected",
            ),
            (
                "id 1 dstport 65536",
                "\"dstport 65536\": a port from 0 to 65535 expected",
            ),
            (
                "id 1 srcport 5",
                "\"srcport 5\": a port not below the first expected behind it",
            ),
            (
                "id 1 srcport 5 4",
                "\"srcport 5 4\": a port not below the first expected",
            ),
            ("id 1 srcport 5 6 port 5 6", "\"port\": said twice"),
            (
                "id 1 ttl 256",
                "\"ttl 256\": a number from 0 to 255, \"auto\" or \"inherit\" expected",
            ),
            ("id 1 ttl 1 hoplimit inherit", "\"hoplimit\": said twice"),
            (
                "id 1 tos 100",
                "\"tos 100\": a hexadecimal number from 0 to ff or \"inherit\" expected",
            ),
            (
                "id 1 df yes",
                "\"df yes\": \"unset\", \"set\" or \"inherit\" expected",
            ),
            (
                "id 1 flowlabel 0x100000",
                "\"flowlabel 0x100000\": a number from 0 to 1048575 or \"inherit\" expected",
            ),
            ("id 1 learning nolearning", "\"nolearning\": said twice"),
            ("id 1 gbp gbp", "\"gbp\": said twice"),
            ("id 1 nogbp", "\"nogbp\": unknown word"),
            ("id 1 gpe", "\"gpe\": not supported here"),
            (
                "id 1 external",
                "\"external\": one of \"id\" and \"external\"",
            ),
            (
                "id 1 mtu 1400",
                "\"mtu\": this word before \"type\" expected",
            ),
            ("id 1 no", "\"no\": unknown word"),
            ("id 1 a\u{1b}b", "\"a\\u{1b}b\": unknown word"),
        ] {
            let error = parse_link(&format!("vx0 type vxlan {tail}")).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("link \"vx0 …\": {want}"),
                "{tail}"
            );
        }
    }

    #[test]
    fn a_long_word_is_cut() {
        let error = parse_link(&format!("vx0 type vxlan id 1 {}", "x".repeat(99))).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("link \"vx0 …\": \"{}…\": unknown word", "x".repeat(48)),
        );
    }
}
