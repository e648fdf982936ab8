//! `vtep monitor`: events as they happen.

use vxlan_core::device::Valid;
use vxlan_core::{Event, Instant};

use super::options::Options;
use super::refusal::Refusal;
use super::show;

/// What to tell about, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Watch {
    options: Options,
    /// Entries, as `bridge monitor fdb`.
    fdb: bool,
    /// Misses, as `ip monitor neigh`.
    neigh: bool,
}

impl Watch {
    /// Everything.
    pub(crate) const fn all(options: Options) -> Self {
        Self {
            options,
            fdb: true,
            neigh: true,
        }
    }

    /// What follows `monitor`; nothing is everything.
    pub(crate) fn parse(options: Options, words: &[&str]) -> Result<Self, Refusal> {
        let mut watch = Self {
            options,
            fdb: false,
            neigh: false,
        };
        for word in words {
            match *word {
                "all" => watch = Self::all(options),
                "fdb" => watch.fdb = true,
                "neigh" => watch.neigh = true,
                other => {
                    let shown = other.escape_debug();
                    return Err(Refusal::usage(&format!(
                        "monitor: \"{shown}\": all, fdb or neigh expected"
                    )));
                }
            }
        }
        if words.is_empty() {
            watch = Self::all(options);
        }
        Ok(watch)
    }

    /// The line about an event, if it is to be told.
    pub(crate) fn line(
        &self,
        name: &str,
        config: &Valid,
        event: &Event,
        now: Instant,
    ) -> Option<String> {
        let wanted = match event {
            Event::L2Miss(_) => self.neigh,
            _ => self.fdb,
        };
        if !wanted {
            return None;
        }
        let now = (self.options.stats > 0).then_some(now);
        Some(if self.options.json {
            show::json(name, config, event, now).line() + "\n"
        } else {
            show::text(name, config, event, now)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects() {
        let options = Options::default();
        let all = Watch::all(options);
        assert_eq!(Watch::parse(options, &[]), Ok(all));
        assert_eq!(Watch::parse(options, &["fdb", "neigh"]), Ok(all));
        let fdb = Watch {
            neigh: false,
            ..all
        };
        assert_eq!(Watch::parse(options, &["fdb"]), Ok(fdb));
        let refused = Watch::parse(options, &["route"]).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "vtep: monitor: \"route\": all, fdb or neigh expected"
        );
    }
}
