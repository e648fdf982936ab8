//! Neighbours as `ip neigh` prints them.

use core::fmt::Write;

use vxlan_core::fdb::{Flags, State};

use super::super::json::Json;
use super::super::netlink::NeighbourState;

/// The states in `ip`'s order.
const STATES: [(State, &str); 8] = [
    (State::INCOMPLETE, "INCOMPLETE"),
    (State::REACHABLE, "REACHABLE"),
    (State::STALE, "STALE"),
    (State::DELAY, "DELAY"),
    (State::PROBE, "PROBE"),
    (State::FAILED, "FAILED"),
    (State::NOARP, "NOARP"),
    (State::PERMANENT, "PERMANENT"),
];

/// The flags that are shown, in `ip`'s order.
const FLAGS: [(Flags, &str); 2] = [
    (Flags::ROUTER, "router"),
    (Flags::EXT_LEARNED, "extern_learn"),
];

/// A neighbour to be shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown<'a> {
    /// The name of the device, unless it goes without saying.
    pub(crate) device: Option<&'a str>,
    /// The neighbour.
    pub(crate) entry: &'a NeighbourState,
    /// With times.
    pub(crate) stats: bool,
}

impl Shown<'_> {
    /// Appends a line, a space at its end.
    pub(crate) fn text(&self, out: &mut String) {
        // Writing to a string cannot fail.
        let _ = self.write(out);
    }

    fn write(&self, out: &mut String) -> core::fmt::Result {
        let entry = self.entry;
        if entry.gone {
            write!(out, "Deleted ")?;
        }
        write!(out, "{} ", entry.address)?;
        if let Some(device) = self.device {
            write!(out, "dev {device} ")?;
        }
        if let Some(mac) = entry.mac {
            write!(out, "lladdr {mac} ")?;
        }
        for (_, name) in FLAGS.iter().filter(|(flag, _)| entry.flags.contains(*flag)) {
            write!(out, "{name} ")?;
        }
        if let Some(times) = entry.times.filter(|_| self.stats) {
            if times.users > 0 {
                write!(out, " ref {}", times.users)?;
            }
            let (used, confirmed, updated) = (times.used, times.confirmed, times.updated);
            write!(out, " used {used}/{confirmed}/{updated}")?;
        }
        if let Some(probes) = entry.probes.filter(|_| self.stats) {
            write!(out, "probes {probes} ")?;
        }
        for name in self.states() {
            write!(out, "{name} ")?;
        }
        writeln!(out)
    }

    /// The keys of `ip -json neigh`.
    pub(crate) fn fields(&self) -> Vec<(&'static str, Json)> {
        let entry = self.entry;
        let mut fields = Vec::new();
        if entry.gone {
            fields.push(("deleted", true.into()));
        }
        fields.push(("dst", entry.address.to_string().into()));
        fields.extend(self.device.map(|device| ("dev", device.into())));
        fields.extend(entry.mac.map(|mac| ("lladdr", mac.to_string().into())));
        let flags = FLAGS.iter().filter(|(flag, _)| entry.flags.contains(*flag));
        fields.extend(flags.map(|(_, name)| (*name, Json::Null)));
        if let Some(times) = entry.times.filter(|_| self.stats) {
            if times.users > 0 {
                fields.push(("refcnt", times.users.into()));
            }
            fields.extend([
                ("used", times.used.into()),
                ("confirmed", times.confirmed.into()),
                ("updated", times.updated.into()),
            ]);
        }
        if let Some(probes) = entry.probes.filter(|_| self.stats) {
            fields.push(("probes", probes.into()));
        }
        if !entry.state.is_empty() {
            fields.push(("state", Json::words(self.states())));
        }
        fields
    }

    fn states(&self) -> impl Iterator<Item = &'static str> {
        let has = self.entry.state;
        let named = STATES
            .into_iter()
            .filter(move |(state, _)| has.contains(*state));
        named.map(|(_, name)| name)
    }
}
