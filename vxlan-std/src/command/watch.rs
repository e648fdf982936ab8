//! `vtep monitor`: events as they happen.

use vxlan_core::device::Valid;
use vxlan_core::fdb::Overflow;
use vxlan_core::{Event, Instant};

use super::json::Json;
use super::netlink::NeighbourState;
use super::options::Options;
use super::refusal::Refusal;
use super::{link, neigh, show};

/// What to tell about, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Watch {
    options: Options,
    /// Entries, as `bridge monitor fdb`.
    fdb: bool,
    /// Neighbours and misses, as `ip monitor neigh`.
    neigh: bool,
    /// Devices, as `ip monitor link`.
    link: bool,
    /// Lost packets.
    drops: bool,
}

impl Watch {
    /// The tables.
    pub(crate) const fn tables(options: Options) -> Self {
        Self {
            options,
            fdb: true,
            neigh: true,
            link: false,
            drops: false,
        }
    }

    /// What follows `monitor`; nothing is all but lost packets.
    pub(crate) fn parse(options: Options, words: &[&str]) -> Result<Self, Refusal> {
        let all = Self {
            link: true,
            ..Self::tables(options)
        };
        if words.is_empty() {
            return Ok(all);
        }
        let mut watch = Self {
            options,
            fdb: false,
            neigh: false,
            link: false,
            drops: false,
        };
        for word in words {
            match *word {
                "all" => watch = Self { drops: true, ..all },
                "fdb" => watch.fdb = true,
                "neigh" => watch.neigh = true,
                "link" => watch.link = true,
                "drops" => watch.drops = true,
                other => {
                    let shown = other.escape_debug();
                    return Err(Refusal::usage(&format!(
                        "monitor: \"{shown}\": all, fdb, neigh, link or drops expected"
                    )));
                }
            }
        }
        Ok(watch)
    }

    /// Whether lost packets are to be told.
    pub(crate) const fn drops(&self) -> bool {
        self.drops
    }

    /// The lines about a device that came, changed or went, if they are to be told.
    pub(crate) fn link(&self, link: &link::Shown<'_>) -> Option<String> {
        self.link.then(|| link.event(self.options))
    }

    /// The line about a neighbour of the device `name`, if it is to be told.
    pub(crate) fn neighbour(&self, name: &str, entry: &NeighbourState) -> Option<String> {
        if !self.neigh {
            return None;
        }
        let shown = neigh::Shown {
            device: Some(name),
            entry,
            stats: self.options.stats > 0,
        };
        Some(if self.options.json {
            Json::Object(shown.fields()).line() + "\n"
        } else {
            let mut line = String::new();
            shown.text(&mut line);
            line
        })
    }

    /// The line about packets that a device or, without a name, none of them lost.
    pub(crate) fn lost(&self, name: Option<&str>, reason: &str, count: u64) -> Option<String> {
        if !self.drops {
            return None;
        }
        Some(if self.options.json {
            let mut fields = vec![("dropped", count.into())];
            fields.extend(name.map(|name| ("ifname", name.into())));
            fields.push(("reason", reason.into()));
            Json::Object(fields).line() + "\n"
        } else {
            let dev = name.map(|name| format!("dev {name} "));
            format!(
                "dropped {count} {}reason {reason}\n",
                dev.unwrap_or_default()
            )
        })
    }

    /// The line about a table that got another salt, if entries are to be told.
    pub(crate) fn salted(&self, name: &str, overflow: Overflow) -> Option<String> {
        if !self.fdb {
            return None;
        }
        let Overflow { entries, deepest } = overflow;
        Some(if self.options.json {
            let fields = vec![
                ("salt", "renewed".into()),
                ("ifname", name.into()),
                ("overflow", u64::from(entries).into()),
                ("deepest", u64::from(deepest).into()),
            ];
            Json::Object(fields).line() + "\n"
        } else {
            format!("salt renewed dev {name} overflow {entries} deepest {deepest}\n")
        })
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
            Event::L2Miss(_) | Event::L3Miss(_) => self.neigh,
            // `bridge monitor vni` tells these.
            Event::Vnis(_) => false,
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
    fn lost_packets() {
        let mut options = Options::default();
        let watch = |options| Watch::parse(options, &["drops"]).unwrap();
        let text = watch(options);
        assert_eq!(
            text.lost(Some("vx0"), "no-route", 3).unwrap(),
            "dropped 3 dev vx0 reason no-route\n"
        );
        assert_eq!(
            text.lost(None, "vni-not-found", 1).unwrap(),
            "dropped 1 reason vni-not-found\n"
        );
        options.json = true;
        assert_eq!(
            watch(options).lost(Some("vx0"), "no-route", 3).unwrap(),
            "{\"dropped\":3,\"ifname\":\"vx0\",\"reason\":\"no-route\"}\n"
        );
        assert_eq!(Watch::tables(options).lost(None, "x", 1), None);
    }

    #[test]
    fn another_salt() {
        let mut options = Options::default();
        let overflow = Overflow {
            entries: 1993,
            deepest: 284,
        };
        let told = |options| Watch::tables(options).salted("vx0", overflow).unwrap();
        assert_eq!(
            told(options),
            "salt renewed dev vx0 overflow 1993 deepest 284\n"
        );
        options.json = true;
        assert_eq!(
            told(options),
            "{\"salt\":\"renewed\",\"ifname\":\"vx0\",\"overflow\":1993,\"deepest\":284}\n"
        );
        let links = Watch::parse(options, &["link"]).unwrap();
        assert_eq!(links.salted("vx0", overflow), None);
    }

    #[test]
    fn objects() {
        let options = Options::default();
        let parse = |words: &[&str]| Watch::parse(options, words).unwrap();
        assert_eq!(parse(&["fdb", "neigh"]), Watch::tables(options));
        assert_eq!(parse(&[]), parse(&["link", "neigh", "fdb"]));
        assert_eq!(parse(&["all"]), parse(&["link", "neigh", "fdb", "drops"]));
        assert!(parse(&["drops"]).drops() && !parse(&[]).drops());
        let refused = Watch::parse(options, &["route"]).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "vtep: monitor: \"route\": all, fdb, neigh, link or drops expected"
        );
    }
}
