//! What stands behind `type vxlan`.

use core::net::IpAddr;
use core::num::NonZeroU32;
use core::time::Duration;

use vxlan_core::wire::vxlan::ReservedBits;
use vxlan_core::{Config, Df, FlowLabel, PortRange, Vni, device};

use super::super::cursor::Cursor;
use super::super::error::Problem;
use super::super::number::{hexadecimal, number, number16, number32};
use super::super::{INTERFACE, WordsError, interface};
use super::{LimitOptions, Switch};

const VNI: &str = "a number from 0 to 16777215";
const PORT: &str = "a port from 0 to 65535";

/// The options of a device: those that were said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LinkOptions {
    /// `IFLA_VXLAN_ID`.
    pub(crate) vni: Option<Vni>,
    /// `IFLA_VXLAN_GROUP` and `GROUP6`.
    pub(crate) remote: Option<IpAddr>,
    /// `IFLA_VXLAN_LOCAL` and `LOCAL6`.
    pub(crate) local: Option<IpAddr>,
    /// `IFLA_VXLAN_LINK`: the name of the lower interface, or none.
    pub(crate) dev: Option<Option<String>>,
    /// `IFLA_VXLAN_PORT`.
    pub(crate) port: Option<u16>,
    /// `IFLA_VXLAN_PORT_RANGE`.
    pub(crate) range: Option<PortRange>,
    /// `IFLA_VXLAN_TTL`; `None` within is `IFLA_VXLAN_TTL_INHERIT`.
    pub(crate) ttl: Option<Option<u8>>,
    /// `IFLA_VXLAN_TOS`.
    pub(crate) tos: Option<u8>,
    /// `IFLA_VXLAN_DF`.
    pub(crate) df: Option<Df>,
    /// `IFLA_VXLAN_LABEL` and `LABEL_POLICY`.
    pub(crate) label: Option<FlowLabel>,
    /// `IFLA_VXLAN_AGEING`, in seconds.
    pub(crate) ageing: Option<u32>,
    /// `IFLA_VXLAN_LIMIT`.
    pub(crate) limit: Option<u32>,
    /// Those that Linux does not have.
    pub(crate) limits: LimitOptions,
    /// `IFLA_VXLAN_RESERVED_BITS`.
    pub(crate) reserved_bits: Option<ReservedBits>,
    /// Words without a value.
    pub(crate) switches: Vec<(Switch, bool)>,
}

impl LinkOptions {
    /// Whether nothing was said.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What was said about a switch.
    pub(crate) fn switch(&self, switch: Switch) -> Option<bool> {
        let said = self.switches.iter().find(|(said, _)| *said == switch);
        said.map(|(_, on)| *on)
    }

    /// The configuration of a new device. The lower interface is missing.
    pub(crate) fn config(&self) -> Config {
        let mut config = Config::new(self.vni.unwrap_or(Vni::MIN));
        if let Some(remote) = self.remote {
            config = config.remote(remote);
        }
        if let Some(local) = self.local {
            config = config.local(local);
        }
        if let Some(port) = self.port {
            config = config.port(port);
        }
        if let Some(range) = self.range {
            config = config.port_range(range);
        }
        config = match self.ttl {
            None => config,
            Some(None) => config.ttl_inherit(true),
            Some(Some(ttl)) => config.ttl(ttl),
        };
        if let Some(tos) = self.tos {
            config = config.tos(tos);
        }
        if let Some(df) = self.df {
            config = config.df(df);
        }
        if let Some(label) = self.label {
            config = config.flow_label(label);
        }
        if let Some(seconds) = self.ageing {
            config = config.ageing(Duration::from_secs(seconds.into()));
        }
        if let Some(limit) = self.limit {
            config = config.limit(NonZeroU32::new(limit));
        }
        config = self.limits.config(config);
        if let Some(bits) = self.reserved_bits {
            config = config.reserved_bits(bits);
        }
        // `ip` leaves learning off in external mode.
        if self.switch(Switch::External) == Some(true) {
            config = config.learning(false);
        }
        let switches = self.switches.iter();
        switches.fold(config, |config, (switch, on)| switch.set(config, *on))
    }

    /// What is wrong with a new device, whose words have all been said.
    pub(super) fn check_new(&self, words: &Cursor<'_>) -> Result<(), WordsError> {
        let external = self.switch(Switch::External) == Some(true);
        if self.vni.is_none() && !external {
            return Err(words.error("", Problem::Missing("\"id VNI\"")));
        }
        if self.vni.is_some() && external {
            let both = Problem::Unsupported("one of \"id\" and \"external\"");
            return Err(words.error_about("external", "external", both));
        }
        let dev = self.dev.as_ref().and_then(Option::as_ref);
        if let Some(group) = self
            .remote
            .filter(|remote| remote.is_multicast() && dev.is_none())
        {
            let missing = Problem::Unsupported("a group needs the lower interface: \"dev NAME\"");
            return Err(words.error_about("remote", &format!("group {group}"), missing));
        }
        Ok(())
    }

    /// Takes `word` and what belongs to it.
    pub(super) fn word(&mut self, words: &mut Cursor<'_>, word: &str) -> Result<(), WordsError> {
        match word {
            "id" | "vni" => {
                words.once("id", word)?;
                self.vni = Some(words.value(word, VNI, |text| {
                    number32(text, Vni::MAX.get()).and_then(Vni::new)
                })?);
            }
            "remote" | "group" | "local" => self.address(words, word)?,
            "dev" => {
                words.once("dev", word)?;
                self.dev = Some(Some(words.value(word, INTERFACE, interface)?));
            }
            "nodev" => {
                words.once("dev", word)?;
                self.dev = Some(None);
            }
            "dstport" => {
                words.once("dstport", word)?;
                self.port = Some(words.value(word, PORT, number16)?);
            }
            "port" | "srcport" => self.range(words, word)?,
            "ttl" | "hoplimit" | "tos" | "dsfield" | "df" | "flowlabel" | "label" => {
                self.outer_header(words, word)?;
            }
            "ageing" => {
                words.once("ageing", word)?;
                let expected = "a number of seconds or \"none\"";
                self.ageing = Some(words.value(word, expected, |text| or_zero(text, "none"))?);
            }
            "maxaddress" => {
                words.once("maxaddress", word)?;
                let expected = "a number of entries or \"unlimited\"";
                let limit = words.value(word, expected, |text| or_zero(text, "unlimited"))?;
                self.limit = Some(limit);
            }
            "reserved_bits" => {
                words.once("reserved_bits", word)?;
                let bits = words.value(word, "a mask of 64 bits", |text| number(text, u64::MAX))?;
                self.reserved_bits = Some(ReservedBits::new(bits.to_be_bytes()));
            }
            "mtu" | "address" => {
                return Err(words.error(word, Problem::Expected("this word before \"type\"")));
            }
            _ if self.limits.word(words, word)? => {}
            _ => {
                let Some((switch, on)) = Switch::named(word) else {
                    return Err(words.error(word, Problem::Unknown));
                };
                words.once(switch.name(), word)?;
                if on && !switch.is_supported() {
                    return Err(words.error(word, Problem::Unsupported("not supported here")));
                }
                self.switches.push((switch, on));
            }
        }
        Ok(())
    }

    fn address(&mut self, words: &mut Cursor<'_>, word: &str) -> Result<(), WordsError> {
        let (what, group, expected) = match word {
            "group" => ("remote", true, "the address of a group"),
            "remote" => (
                "remote",
                false,
                "the address of one host (\"group\" takes groups)",
            ),
            _ => ("local", false, "the address of this host"),
        };
        words.once(what, word)?;
        let address = words.value(word, expected, |text| {
            if text == "any" {
                return Some(None);
            }
            let address = text
                .parse()
                .ok()
                .filter(|a: &IpAddr| a.is_multicast() == group)?;
            Some(Some(address))
        })?;
        match word {
            "local" => self.local = address,
            _ => self.remote = address,
        }
        Ok(())
    }

    fn range(&mut self, words: &mut Cursor<'_>, word: &str) -> Result<(), WordsError> {
        words.once("srcport", word)?;
        let low = words.value(word, PORT, number16)?;
        let said = format!("{word} {low}");
        let range = words.value(&said, "a port not below the first", |text| {
            PortRange::new(low, number16(text)?)
        })?;
        self.range = Some(range);
        Ok(())
    }

    fn outer_header(&mut self, words: &mut Cursor<'_>, word: &str) -> Result<(), WordsError> {
        match word {
            "ttl" | "hoplimit" => {
                words.once("ttl", word)?;
                let ttl = words.value(
                    word,
                    "a number from 0 to 255, \"auto\" or \"inherit\"",
                    |text| match text {
                        "inherit" => Some(None),
                        "auto" => Some(Some(0)),
                        _ => Some(Some(u8::try_from(number(text, 255)?).ok()?)),
                    },
                )?;
                self.ttl = Some(ttl);
            }
            "tos" | "dsfield" => {
                words.once("tos", word)?;
                let expected = "a hexadecimal number from 0 to ff or \"inherit\"";
                self.tos = Some(words.value(word, expected, |text| match text {
                    "inherit" => Some(device::TOS_INHERIT),
                    _ => u8::try_from(hexadecimal(text, 255)?).ok(),
                })?);
            }
            "df" => {
                words.once("df", word)?;
                let df = words.value(
                    word,
                    "\"unset\", \"set\" or \"inherit\"",
                    |text| match text {
                        "unset" => Some(Df::Unset),
                        "set" => Some(Df::Set),
                        "inherit" => Some(Df::Inherit),
                        _ => None,
                    },
                )?;
                self.df = Some(df);
            }
            _ => {
                words.once("flowlabel", word)?;
                let expected = "a number from 0 to 1048575 or \"inherit\"";
                self.label = Some(words.value(word, expected, |text| match text {
                    "inherit" => Some(FlowLabel::Inherit(0)),
                    _ => number32(text, 0x000f_ffff).map(FlowLabel::Fixed),
                })?);
            }
        }
        Ok(())
    }
}

fn or_zero(text: &str, zero: &str) -> Option<u32> {
    if text == zero {
        Some(0)
    } else {
        number32(text, u32::MAX)
    }
}
