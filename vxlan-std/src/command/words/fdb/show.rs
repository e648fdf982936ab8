//! Which entries to show.

use vxlan_core::fdb::State;

use super::super::cursor::Cursor;
use super::super::number::number16;
use super::super::{INTERFACE, WordsError, interface};

/// What follows `bridge fdb show`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ShowSpec {
    /// The name of the device.
    pub(crate) device: Option<String>,
    /// The name of the bridge that the device is a port of.
    pub(crate) bridge: Option<String>,
    /// Entries with any of these bits; none means all entries.
    pub(crate) state: State,
    /// No permanent entries.
    pub(crate) dynamic: bool,
    /// Entries of a VLAN, which no VXLAN device has.
    pub(crate) vlan: bool,
}

impl ShowSpec {
    pub(super) fn parse(words: &mut Cursor<'_>) -> Result<Self, WordsError> {
        let mut spec = Self::default();
        while let Some(word) = words.next() {
            match word {
                "br" => {
                    words.once("br", word)?;
                    spec.bridge = Some(words.value(word, INTERFACE, interface)?);
                }
                "state" => {
                    let expected = "\"permanent\", \"static\", \"dynamic\", \"stale\", \"all\" or \
                                    NUD bits";
                    spec.state |= words.value(word, expected, state)?;
                }
                "dynamic" => {
                    words.once("dynamic", word)?;
                    spec.dynamic = true;
                }
                "vlan" => {
                    words.once("vlan", word)?;
                    spec.vlan = words.value(word, "a VLAN from 0 to 4095", vlan)? != 0;
                }
                "dev" | "brport" => {
                    words.once("dev", word)?;
                    spec.device = Some(words.value(word, INTERFACE, interface)?);
                }
                // `bridge` takes the last word it does not know for the name of the device.
                _ => {
                    words.once("dev", word)?;
                    let problem = super::Problem::Unknown;
                    return Err(words.error(word, problem));
                }
            }
        }
        Ok(spec)
    }
}

/// The bits that `bridge` means by a word.
fn state(word: &str) -> Option<State> {
    Some(match word {
        "permanent" => State::PERMANENT,
        "static" | "temp" => State::NOARP,
        "stale" => State::STALE,
        "reachable" | "dynamic" => State::REACHABLE,
        "all" => State::all(),
        number => State::from_bits_retain(number16(number)?),
    })
}

fn vlan(text: &str) -> Option<u16> {
    number16(text).filter(|vlan| *vlan < 4096)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ShowSpec, WordsError> {
        ShowSpec::parse(&mut Cursor::new("fdb", text))
    }

    #[test]
    fn filters() {
        let spec = parse("state static br br0 state 0x2 dynamic dev vx0 vlan 5").unwrap();
        let want = ShowSpec {
            device: Some("vx0".to_owned()),
            bridge: Some("br0".to_owned()),
            state: State::NOARP | State::REACHABLE,
            dynamic: true,
            vlan: true,
        };
        assert_eq!(spec, want);
        assert_eq!(parse("vlan 0"), Ok(ShowSpec::default()));
        assert_eq!(parse("brport vx0"), parse("dev vx0"));
        for text in [
            "state local",
            "state",
            "dev",
            "vx0",
            "vlan 4096",
            "dev a dev b",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
