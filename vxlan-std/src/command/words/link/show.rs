//! Which devices to show.

use super::super::cursor::Cursor;
use super::super::error::Problem;
use super::super::{INTERFACE, WordsError, interface};

/// What follows `ip link show`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LinkFilter {
    /// The name of the device.
    pub(crate) name: Option<String>,
    /// Only those that are up.
    pub(crate) up: bool,
    /// Only ports of this bridge.
    pub(crate) master: Option<String>,
}

impl LinkFilter {
    pub(super) fn parse(words: &mut Cursor<'_>) -> Result<Self, WordsError> {
        let mut filter = Self::default();
        while let Some(word) = words.next() {
            match word {
                "up" => {
                    words.once("up", word)?;
                    filter.up = true;
                }
                "type" => {
                    words.once("type", word)?;
                    words.value(word, "\"vxlan\"", |text| (text == "vxlan").then_some(()))?;
                }
                "master" => {
                    words.once("master", word)?;
                    filter.master = Some(words.value(word, INTERFACE, interface)?);
                }
                "dev" => {
                    words.once("dev", word)?;
                    filter.name = Some(words.value(word, INTERFACE, interface)?);
                }
                _ => {
                    if filter.name.is_some() {
                        return Err(words.error(word, Problem::Unknown));
                    }
                    words.once("dev", word)?;
                    let wrong = Problem::Expected(INTERFACE);
                    filter.name = Some(interface(word).ok_or_else(|| words.error(word, wrong))?);
                }
            }
        }
        Ok(filter)
    }
}
