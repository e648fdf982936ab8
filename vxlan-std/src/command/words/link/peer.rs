//! What follows `link import` and `link export`. `ip` has no such words.

use super::super::cursor::Cursor;
use super::super::error::Problem;
use super::super::{INTERFACE, WordsError, interface};

/// A device of the kernel to be made here as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ImportSpec {
    /// Its name.
    pub(crate) device: String,
    /// The name of the new one, if not the same.
    pub(crate) name: Option<String>,
    /// Whether the new one goes up.
    pub(crate) up: bool,
}

impl ImportSpec {
    /// `DEV [name NAME] [up]`.
    pub(super) fn parse(words: &mut Cursor<'_>) -> Result<Self, WordsError> {
        let (mut device, mut name, mut up) = (None, None, false);
        while let Some(word) = words.next() {
            match word {
                "name" => {
                    words.once("name", word)?;
                    name = Some(words.value(word, INTERFACE, interface)?);
                }
                "up" => {
                    words.once("up", word)?;
                    up = true;
                }
                "dev" => {
                    words.once("dev", word)?;
                    device = Some(words.value(word, INTERFACE, interface)?);
                }
                _ => {
                    words.once("dev", word)?;
                    let wrong = Problem::Expected(INTERFACE);
                    device = Some(interface(word).ok_or_else(|| words.error(word, wrong))?);
                }
            }
        }
        let missing = words.error("", Problem::Missing("the name of a device of the kernel"));
        Ok(Self {
            device: device.ok_or(missing)?,
            name,
            up,
        })
    }
}

/// `[DEV]`.
pub(super) fn export(words: &mut Cursor<'_>) -> Result<Option<String>, WordsError> {
    let mut device = None;
    while let Some(word) = words.next() {
        let named = match word {
            "dev" => words.next().unwrap_or_default(),
            _ => word,
        };
        words.once("dev", word)?;
        let wrong = Problem::Expected(INTERFACE);
        device = Some(interface(named).ok_or_else(|| words.error(word, wrong))?);
    }
    Ok(device)
}

#[cfg(test)]
mod tests {
    use super::super::{LinkRequest, parse_link_request};
    use super::*;

    #[test]
    fn what_means_something_and_what_does_not() {
        let spec = |name: Option<&str>, up| {
            LinkRequest::Import(ImportSpec {
                device: "vx0".to_owned(),
                name: name.map(str::to_owned),
                up,
            })
        };
        let export = |name: Option<&str>| LinkRequest::Export(name.map(str::to_owned));
        for (words, want) in [
            (&["import", "vx0"][..], spec(None, false)),
            (
                &["import", "name", "up", "dev", "vx0"],
                spec(Some("up"), false),
            ),
            (
                &["import", "vx0", "up", "name", "vx1"],
                spec(Some("vx1"), true),
            ),
            (&["export"], export(None)),
            (&["export", "vx0"], export(Some("vx0"))),
            (&["export", "dev", "vx0"], export(Some("vx0"))),
        ] {
            assert_eq!(parse_link_request(words), Ok(want), "{words:?}");
        }
        for (words, want) in [
            (
                &["import"][..],
                "link: the name of a device of the kernel expected",
            ),
            (&["import", "vx0", "vx1"], "link: \"vx1\": said twice"),
            (&["export", "vx0", "vx1"], "link: \"vx1\": said twice"),
            (
                &["export", "a/b"],
                "link: \"a/b\": an interface name of 1 to 15 bytes without slash, colon, percent sign or white \
                 space expected",
            ),
        ] {
            assert_eq!(parse_link_request(words).unwrap_err().to_string(), want);
        }
    }
}
