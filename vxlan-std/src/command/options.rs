//! The options that iproute2 takes before the object, and that here may stand anywhere.

use core::fmt::Display;
use core::ops::RangeInclusive;
use core::str::FromStr;

use super::refusal::Refusal;

/// How to print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// As JSON.
    pub(crate) json: bool,
    /// JSON on several lines.
    pub(crate) pretty: bool,
    /// With counters and times; twice means more of them.
    pub(crate) stats: u8,
    /// With details.
    pub(crate) details: bool,
    /// Only IPv6, or only IPv4.
    pub(crate) ipv6: Option<bool>,
}

impl Options {
    /// The options among the words, and the other words.
    pub(crate) fn split(words: &[String]) -> Result<(Self, Vec<&str>), Refusal> {
        let mut options = Self::default();
        let mut rest = Vec::new();
        for word in words {
            let Some(name) = word.strip_prefix('-') else {
                rest.push(word.as_str());
                continue;
            };
            if !options.set(name.strip_prefix('-').unwrap_or(name)) {
                let shown = word.escape_debug();
                return Err(Refusal::usage(&format!(
                    "unexpected option '{shown}'; expected -json, -pretty, -statistics, -details"
                )));
            }
        }
        Ok((options, rest))
    }

    /// False if there is no such option.
    pub(crate) fn set(&mut self, name: &str) -> bool {
        match name {
            "j" | "json" => self.json = true,
            "p" | "pretty" => self.pretty = true,
            "s" | "stats" | "statistics" => self.stats = self.stats.saturating_add(1),
            "d" | "details" => self.details = true,
            "4" => self.ipv6 = Some(false),
            "6" => self.ipv6 = Some(true),
            _ => return false,
        }
        true
    }
}

/// The number that `text` says, if it is one of `range`; otherwise what was expected.
pub(crate) fn within<T: FromStr + PartialOrd + Display>(
    text: &str,
    range: RangeInclusive<T>,
) -> Result<T, String> {
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| {
        let (first, last) = range.into_inner();
        format!("a number from {first} to {last} expected")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anywhere() {
        let words = ["-j", "fdb", "-s", "show", "--statistics", "-details"].map(str::to_owned);
        let want = Options {
            json: true,
            pretty: false,
            stats: 2,
            details: true,
            ipv6: None,
        };
        assert_eq!(Options::split(&words), Ok((want, vec!["fdb", "show"])));
        let refused = Options::split(&["fdb".to_owned(), "-x\n".to_owned()]).unwrap_err();
        assert_eq!(refused.status, 2);
        assert!(refused.to_string().contains("'-x\\n'"), "{refused}");
    }
}
