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

const VNI: &str = "a number from 0 to 16777215";
const PORT: &str = "a port from 0 to 65535";
const UNSUPPORTED: Problem = Problem::Unsupported("not supported here");

type Change = Box<dyn FnOnce(Config) -> Config>;

/// The options of a device. The VNI may come last, so changes wait for it.
#[derive(Default)]
pub(super) struct Options {
    config: Option<Config>,
    changes: Vec<Change>,
    dev: Option<String>,
    group: Option<IpAddr>,
}

impl Options {
    /// The configuration and the name of the lower interface.
    pub(super) fn finish(self, words: &Cursor<'_>) -> Result<(Config, Option<String>), WordsError> {
        let Some(config) = self.config else {
            return Err(words.error("", Problem::Missing("\"id VNI\"")));
        };
        if let Some(group) = self.group.filter(|_| self.dev.is_none()) {
            let missing = Problem::Unsupported("a group needs the lower interface: \"dev NAME\"");
            return Err(words.error(&format!("group {group}"), missing));
        }
        let config = self
            .changes
            .into_iter()
            .fold(config, |config, change| change(config));
        Ok((config, self.dev))
    }

    fn change(&mut self, change: impl FnOnce(Config) -> Config + 'static) {
        self.changes.push(Box::new(change));
    }

    /// Takes `word` and what belongs to it.
    pub(super) fn word(&mut self, words: &mut Cursor<'_>, word: &str) -> Result<(), WordsError> {
        match word {
            "id" | "vni" => {
                words.once("id", word)?;
                let vni = words.value(word, VNI, |text| {
                    number32(text, Vni::MAX.get()).and_then(Vni::new)
                })?;
                self.config = Some(Config::new(vni));
            }
            "remote" | "group" | "local" => self.address(words, word)?,
            "dev" => {
                words.once("dev", word)?;
                self.dev = Some(words.value(word, INTERFACE, interface)?);
            }
            "dstport" | "port" | "srcport" => self.port(words, word)?,
            "ttl" | "hoplimit" | "tos" | "dsfield" | "df" | "flowlabel" | "label" => {
                self.outer_header(words, word)?;
            }
            "ageing" => {
                words.once("ageing", word)?;
                let seconds = words.value(word, "a number of seconds or \"none\"", |text| {
                    if text == "none" {
                        Some(0)
                    } else {
                        number32(text, u32::MAX)
                    }
                })?;
                self.change(move |config| config.ageing(Duration::from_secs(seconds.into())));
            }
            "maxaddress" => {
                words.once("maxaddress", word)?;
                let limit = words.value(word, "a number of entries or \"unlimited\"", |text| {
                    if text == "unlimited" {
                        Some(0)
                    } else {
                        number32(text, u32::MAX)
                    }
                })?;
                self.change(move |config| config.limit(NonZeroU32::new(limit)));
            }
            "reserved_bits" => {
                words.once("reserved_bits", word)?;
                let bits = words.value(word, "a mask of 64 bits", |text| number(text, u64::MAX))?;
                let mask = ReservedBits::new(bits.to_be_bytes());
                self.change(move |config| config.reserved_bits(mask));
            }
            _ => self.switch(words, word)?,
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
        if let Some(address) = address {
            match word {
                "local" => self.change(move |config| config.local(address)),
                _ => self.change(move |config| config.remote(address)),
            }
        }
        self.group = self.group.or(address.filter(|_| group));
        Ok(())
    }

    fn port(&mut self, words: &mut Cursor<'_>, word: &str) -> Result<(), WordsError> {
        if word == "dstport" {
            words.once("dstport", word)?;
            let port = words.value(word, PORT, number16)?;
            self.change(move |config| config.port(port));
            return Ok(());
        }
        words.once("srcport", word)?;
        let low = words.value(word, PORT, number16)?;
        let said = format!("{word} {low}");
        let range = words.value(&said, "a port not below the first", |text| {
            PortRange::new(low, number16(text)?)
        })?;
        self.change(move |config| config.port_range(range));
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
                self.change(move |config| match ttl {
                    Some(ttl) => config.ttl(ttl),
                    None => config.ttl_inherit(true),
                });
            }
            "tos" | "dsfield" => {
                words.once("tos", word)?;
                let expected = "a hexadecimal number from 0 to ff or \"inherit\"";
                let tos = words.value(word, expected, |text| match text {
                    "inherit" => Some(device::TOS_INHERIT),
                    _ => u8::try_from(hexadecimal(text, 255)?).ok(),
                })?;
                self.change(move |config| config.tos(tos));
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
                self.change(move |config| config.df(df));
            }
            _ => {
                words.once("flowlabel", word)?;
                let expected = "a number from 0 to 1048575 or \"inherit\"";
                let label = words.value(word, expected, |text| match text {
                    "inherit" => Some(FlowLabel::Inherit(0)),
                    _ => number32(text, 0x000f_ffff).map(FlowLabel::Fixed),
                })?;
                self.change(move |config| config.flow_label(label));
            }
        }
        Ok(())
    }

    /// Words without a value.
    fn switch(&mut self, words: &mut Cursor<'_>, word: &str) -> Result<(), WordsError> {
        let (name, on) = match word.strip_prefix("no") {
            Some(name) => (name, false),
            None => (word, true),
        };
        let (name, set): (_, fn(Config, bool) -> Config) = match name {
            "learning" => ("learning", Config::learning),
            "l2miss" => ("l2miss", Config::l2miss),
            "localbypass" => ("localbypass", Config::local_bypass),
            "udpcsum" => ("udpcsum", Config::udp_checksum),
            "udp6zerocsumtx" => ("udp6zerocsumtx", Config::udp_zero_checksum6_tx),
            "udp6zerocsumrx" => ("udp6zerocsumrx", Config::udp_zero_checksum6_rx),
            "gbp" if on => ("gbp", Config::gbp),
            "gpe" if on => return Err(words.error(word, UNSUPPORTED)),
            "proxy" | "rsc" | "l3miss" | "remcsumtx" | "remcsumrx" | "external" | "vnifilter" => {
                // Off is what it is anyway.
                return if on {
                    Err(words.error(word, UNSUPPORTED))
                } else {
                    Ok(())
                };
            }
            "mtu" | "address" if on => {
                return Err(words.error(word, Problem::Expected("this word before \"type\"")));
            }
            _ => return Err(words.error(word, Problem::Unknown)),
        };
        words.once(name, word)?;
        self.change(move |config| set(config, on));
        Ok(())
    }
}
