//! What follows `ip neigh`.

use core::net::IpAddr;

use vxlan_core::Mac;
use vxlan_core::fdb::{Flags, State};

use super::cursor::Cursor;
use super::error::Problem;
use super::number::{number16, number32};
use super::{INTERFACE, WordsError, interface};

/// The subcommands of `neigh`.
const VERBS: &str = "add, change, replace, del, get, flush or show";
const ADDRESS: &str = "an IP address";
const NUD: &str = "\"permanent\", \"noarp\", \"reachable\", \"stale\", \"probe\", \"delay\", \
                   \"failed\", \"incomplete\", \"none\" or NUD bits";
/// Every state, and the lack of one.
const ALL: u16 = 0x1ff;
/// The lack of a state, in a filter.
const NONE: u16 = 0x100;

/// What `ip neigh` is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NeighRequest {
    /// Make an entry that does not exist.
    Add(NeighSpec),
    /// Change an entry.
    Change(NeighSpec),
    /// Make or change it.
    Replace(NeighSpec),
    /// Delete it.
    Delete(NeighSpec),
    /// Show it.
    Get(NeighSpec),
    /// Delete those that meet a filter.
    Flush(NeighFilter),
    /// Show those that meet a filter.
    Show(NeighFilter),
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NeighSpec {
    /// Its address.
    pub(crate) address: IpAddr,
    /// The name of the device.
    pub(crate) device: String,
    /// Its MAC address.
    pub(crate) mac: Option<Mac>,
    /// NUD bits.
    pub(crate) state: State,
    /// NTF bits.
    pub(crate) flags: Flags,
}

/// Which entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NeighFilter {
    /// The name of the device.
    pub(crate) device: Option<String>,
    /// An address, and how many of its bits matter.
    pub(crate) prefix: Option<(IpAddr, u8)>,
    /// NUD bits, and 0x100 for the lack of any.
    pub(crate) state: Option<u16>,
}

/// What follows `neigh`; nothing is `show`.
pub(crate) fn parse_neigh(words: &[&str]) -> Result<NeighRequest, WordsError> {
    let (verb, rest) = words.split_first().unwrap_or((&"show", &[]));
    let mut cursor = Cursor::over("neigh", rest.iter().copied());
    let words = &mut cursor;
    Ok(match *verb {
        "add" => NeighRequest::Add(NeighSpec::parse(words)?),
        "change" => NeighRequest::Change(NeighSpec::parse(words)?),
        "replace" => NeighRequest::Replace(NeighSpec::parse(words)?),
        "del" | "delete" => NeighRequest::Delete(NeighSpec::parse(words)?),
        "get" => NeighRequest::Get(NeighSpec::parse(words)?),
        "flush" => {
            let filter = NeighFilter::parse(words)?;
            if filter == NeighFilter::default() {
                return Err(words.error("flush", Problem::Missing("what to flush")));
            }
            NeighRequest::Flush(filter)
        }
        "show" | "list" | "lst" => NeighRequest::Show(NeighFilter::parse(words)?),
        other => return Err(words.error(other, Problem::Expected(VERBS))),
    })
}

impl NeighSpec {
    fn parse(words: &mut Cursor<'_>) -> Result<Self, WordsError> {
        let (mut address, mut device, mut mac, mut state) = (None, None, None, None);
        let mut flags = Flags::empty();
        while let Some(word) = words.next() {
            match word {
                "dev" => {
                    words.once("dev", word)?;
                    device = Some(words.value(word, INTERFACE, interface)?);
                }
                "lladdr" => {
                    words.once("lladdr", word)?;
                    mac = Some(words.value(word, "a MAC address", |text| text.parse().ok())?);
                }
                "nud" => {
                    words.once("nud", word)?;
                    let bits = words.value(word, NUD, nud)?;
                    state = Some(State::from_bits_retain(bits & !NONE));
                }
                "router" => flag(words, "router", Flags::ROUTER, &mut flags)?,
                "extern_learn" => flag(words, "extern_learn", Flags::EXT_LEARNED, &mut flags)?,
                "use" => flag(words, "use", Flags::USE, &mut flags)?,
                "proxy" | "managed" | "protocol" => {
                    let why = "not supported here; 'ip neigh' does it to the interface";
                    return Err(words.error(word, Problem::Unsupported(why)));
                }
                "to" => {
                    words.once("to", word)?;
                    address = Some(words.value(word, ADDRESS, |text| text.parse().ok())?);
                }
                _ => {
                    let problem = match address {
                        None => Problem::Expected(ADDRESS),
                        Some(_) => Problem::Unknown,
                    };
                    let said = word.parse().map_err(|_| words.error(word, problem))?;
                    words.once("to", word)?;
                    address = Some(said);
                }
            }
        }
        let missing = |what| words.error("", Problem::Missing(what));
        Ok(Self {
            address: address.ok_or_else(|| missing(ADDRESS))?,
            device: device.ok_or_else(|| missing("\"dev NAME\""))?,
            mac,
            state: state.unwrap_or(State::PERMANENT),
            flags,
        })
    }
}

impl NeighFilter {
    fn parse(words: &mut Cursor<'_>) -> Result<Self, WordsError> {
        let mut filter = Self::default();
        while let Some(word) = words.next() {
            match word {
                "dev" => {
                    words.once("dev", word)?;
                    filter.device = Some(words.value(word, INTERFACE, interface)?);
                }
                "nud" => {
                    let bits = words.value(word, NUD, |text| match text {
                        "all" => Some(ALL),
                        other => nud(other),
                    })?;
                    filter.state = Some(filter.state.unwrap_or_default() | bits);
                }
                "to" => {
                    words.once("to", word)?;
                    filter.prefix = Some(words.value(word, "an IP prefix", prefix)?);
                }
                _ => {
                    let unknown = || words.error(word, Problem::Unknown);
                    let said = prefix(word).ok_or_else(unknown)?;
                    words.once("to", word)?;
                    filter.prefix = Some(said);
                }
            }
        }
        Ok(filter)
    }
}

fn flag(
    words: &mut Cursor<'_>,
    word: &'static str,
    flag: Flags,
    flags: &mut Flags,
) -> Result<(), WordsError> {
    words.once(word, word)?;
    *flags |= flag;
    Ok(())
}

/// The bits of a state, [`NONE`] for the lack of one.
fn nud(word: &str) -> Option<u16> {
    Some(match word {
        "permanent" => State::PERMANENT.bits(),
        "reachable" => State::REACHABLE.bits(),
        "noarp" => State::NOARP.bits(),
        "none" => NONE,
        "stale" => State::STALE.bits(),
        "incomplete" => State::INCOMPLETE.bits(),
        "delay" => State::DELAY.bits(),
        "probe" => State::PROBE.bits(),
        "failed" => State::FAILED.bits(),
        number => number16(number).filter(|bits| *bits < NONE)?,
    })
}

fn prefix(word: &str) -> Option<(IpAddr, u8)> {
    let (address, len) = word
        .split_once('/')
        .map_or((word, None), |(a, l)| (a, Some(l)));
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv6() { 128 } else { 32 };
    let len = match len {
        None => most,
        Some(len) => number32(len, most)?,
    };
    Some((address, u8::try_from(len).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<NeighRequest, WordsError> {
        parse_neigh(&text.split_whitespace().collect::<Vec<_>>())
    }

    #[test]
    fn entries() {
        let want = NeighSpec {
            address: [10, 0, 0, 1].into(),
            device: "vx0".to_owned(),
            mac: Some(Mac::new([2, 0, 0, 0, 0, 1])),
            state: State::PERMANENT,
            flags: Flags::empty(),
        };
        let text = "10.0.0.1 lladdr 02:00:00:00:00:01 dev vx0";
        assert_eq!(
            parse(&format!("add {text}")),
            Ok(NeighRequest::Add(want.clone()))
        );
        let router = NeighSpec {
            flags: Flags::ROUTER,
            state: State::REACHABLE,
            ..want
        };
        assert_eq!(
            parse(&format!("replace to {text} router nud reachable")),
            Ok(NeighRequest::Replace(router))
        );
        for (text, want) in [
            ("add", "neigh: an IP address expected"),
            ("add 10.0.0.1", "neigh: \"dev NAME\" expected"),
            ("add 10.0.0.1 dev x foo", "neigh: \"foo\": unknown word"),
            ("add x", "neigh: \"x\": an IP address expected"),
            (
                "flush",
                "neigh: \"flush\": what to flush expected behind it",
            ),
            (
                "walk",
                "neigh: \"walk\": add, change, replace, del, get, flush or show expected",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), want);
        }
    }

    #[test]
    fn filters() {
        let want = NeighFilter {
            device: Some("vx0".to_owned()),
            prefix: Some(([10, 0, 0, 0].into(), 8)),
            state: Some(0x86),
        };
        let text = "show 10.0.0.0/8 dev vx0 nud stale nud reachable nud permanent";
        assert_eq!(parse(text), Ok(NeighRequest::Show(want)));
        assert_eq!(parse(""), Ok(NeighRequest::Show(NeighFilter::default())));
        for text in [
            "show 10.0.0.0/33",
            "show router",
            "show nud walk",
            "show dev",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
