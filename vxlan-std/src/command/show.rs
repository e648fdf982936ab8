//! Entries as `bridge fdb` prints them, and events as `bridge monitor fdb` and `ip monitor neigh`.

use core::fmt::Write;

use vxlan_core::device::Valid;
use vxlan_core::fdb::{Destination, Flags, Record, State};
use vxlan_core::{Event, Instant, Mac, Message};
use vxlan_std::interface;

use super::json::Json;

/// The flags that are shown, in `bridge`'s order.
const FLAGS: [(Flags, &str); 6] = [
    (Flags::SELF, "self"),
    (Flags::ROUTER, "router"),
    (Flags::EXT_LEARNED, "extern_learn"),
    (Flags::OFFLOADED, "offload"),
    (Flags::MASTER, "master"),
    (Flags::STICKY, "sticky"),
];

/// An entry to be shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown<'a> {
    /// The name of the device, unless it goes without saying.
    pub(crate) device: Option<&'a str>,
    /// What the device was told: its defaults are left out, as the kernel does
    /// (`vxlan_fdb_info()`).
    pub(crate) config: &'a Valid,
    /// The entry with one of its destinations.
    pub(crate) record: &'a Record,
    /// The time from which its age is told, if it is told.
    pub(crate) now: Option<Instant>,
}

impl Shown<'_> {
    /// Appends a line of text, its end included. There is a space at the end of entries without a
    /// state to be named, as `bridge` leaves it.
    pub(crate) fn text(&self, out: &mut String) {
        // Writing to a string cannot fail.
        let _ = self.write(out);
    }

    fn write(&self, out: &mut String) -> core::fmt::Result {
        write!(out, "{} ", self.record.key.mac)?;
        if let Some(device) = self.device {
            write!(out, "dev {device} ")?;
        }
        for (key, value) in self.details() {
            let key = if key == "viaIf" { "via" } else { key };
            match value {
                Json::Text(text) => write!(out, "{key} {text} ")?,
                other => write!(out, "{key} {} ", other.line())?,
            }
        }
        if let Some((used, updated)) = self.ages() {
            write!(out, "used {used}/{updated} ")?;
        }
        for flag in self.flags() {
            write!(out, "{flag} ")?;
        }
        writeln!(out, "{}", state(self.record.state))
    }

    /// The keys of `bridge -json fdb`.
    pub(crate) fn fields(&self) -> Vec<(&'static str, Json)> {
        let mut fields = vec![("mac", self.record.key.mac.to_string().into())];
        fields.extend(self.device.map(|device| ("ifname", device.into())));
        fields.extend(self.details());
        if let Some((used, updated)) = self.ages() {
            fields.extend([("used", used.into()), ("updated", updated.into())]);
        }
        fields.push(("flags", Json::words(self.flags())));
        fields.push(("state", state(self.record.state).into()));
        fields
    }

    /// Where the entry points to.
    fn details(&self) -> Vec<(&'static str, Json)> {
        let (config, key) = (self.config, &self.record.key);
        let mut details = Vec::new();
        let mut via = None;
        let mut nexthop = None;
        match &self.record.destination {
            Destination::Nexthop(id) => nexthop = Some(id.get()),
            Destination::Remote(remote) => {
                details.push(("dst", remote.addr.to_string().into()));
                if remote.port != 0 && remote.port != config.port() {
                    details.push(("port", remote.port.into()));
                }
                if remote.vni != config.vni().get() {
                    details.push(("vni", remote.vni.into()));
                }
                via = remote.ifindex;
            }
        }
        if config.is_external() && key.vni != 0 {
            details.push(("src_vni", key.vni.into()));
        }
        details.extend(via.map(|via| ("viaIf", interface::name(via).into())));
        details.extend(nexthop.map(|id| ("nhid", id.into())));
        details
    }

    /// Whole seconds since the entry was used and since it was updated.
    fn ages(&self) -> Option<(u64, u64)> {
        let since = |then| Some(self.now?.saturating_duration_since(then).as_secs());
        since(self.record.used).zip(since(self.record.updated))
    }

    fn flags(&self) -> impl Iterator<Item = &'static str> {
        let has = self.record.flags;
        let shown = FLAGS
            .into_iter()
            .filter(move |(flag, _)| has.contains(*flag));
        shown.map(|(_, name)| name)
    }
}

/// An event of the device `name` as a line of text, its end included.
pub(crate) fn text(name: &str, config: &Valid, event: &Event, now: Option<Instant>) -> String {
    let mut line = String::new();
    match (event, record(event)) {
        (_, Some(record)) => {
            if event.message() == Some(Message::Delete) {
                line.push_str("Deleted ");
            }
            shown(name, config, record, now).text(&mut line);
        }
        (Event::L2Miss(mac), None) => line = format!("miss dev {name} lladdr {mac} STALE \n"),
        // The kernel's message leaves an unspecified address out.
        (Event::L3Miss(address), None) if address.is_unspecified() => {
            line = format!("miss dev {name} STALE \n");
        }
        (Event::L3Miss(address), None) => line = format!("miss {address} dev {name} STALE \n"),
        (other, None) => {
            line = match refusal(other) {
                Some((mac, why)) => format!("Refused {mac} dev {name}: {why}\n"),
                None => format!("dev {name} {other:?}\n"),
            }
        }
    }
    line
}

/// The same as a JSON object, with the keys of `bridge -json fdb`.
pub(crate) fn json(name: &str, config: &Valid, event: &Event, now: Option<Instant>) -> Json {
    let mut fields = Vec::new();
    match (event, record(event)) {
        (_, Some(record)) => {
            if event.message() == Some(Message::Delete) {
                fields.push(("deleted", true.into()));
            }
            fields.extend(shown(name, config, record, now).fields());
        }
        (Event::L2Miss(mac), None) => {
            fields.push(("miss", true.into()));
            fields.push(("dev", name.into()));
            fields.push(("lladdr", mac.to_string().into()));
            fields.push(("state", Json::words(["STALE"])));
        }
        (Event::L3Miss(address), None) => {
            fields.push(("miss", true.into()));
            if !address.is_unspecified() {
                fields.push(("dst", address.to_string().into()));
            }
            fields.push(("dev", name.into()));
            fields.push(("state", Json::words(["STALE"])));
        }
        (other, None) => match refusal(other) {
            Some((mac, why)) => {
                fields.push(("refused", true.into()));
                fields.push(("mac", mac.to_string().into()));
                fields.push(("ifname", name.into()));
                fields.push(("reason", why.into()));
            }
            None => {
                fields.push(("ifname", name.into()));
                fields.push(("event", format!("{other:?}").into()));
            }
        },
    }
    Json::Object(fields)
}

const fn shown<'a>(
    name: &'a str,
    config: &'a Valid,
    record: &'a Record,
    now: Option<Instant>,
) -> Shown<'a> {
    Shown {
        device: Some(name),
        config,
        record,
        now,
    }
}

/// The source address that was not learned, or did not move, and why.
pub(crate) fn refusal(event: &Event) -> Option<(Mac, String)> {
    let (key, why) = match event {
        Event::LearnRefused { key, error } => (key, error.to_string()),
        Event::QuotaReached { key, remote, quota } => {
            let why = format!("as many entries as may be learned from {remote}: {quota}");
            (key, why)
        }
        Event::LearnRateReached { key, remote, rate } => {
            let why = format!(
                "learned too fast, now from {remote}: {} a second",
                rate.per_second
            );
            (key, why)
        }
        Event::MoveDamped { key, remote, seen } => {
            let why = format!("moved too often, now to {seen}: held at {remote}");
            (key, why)
        }
        _ => return None,
    };
    Some((key.mac, why))
}

/// The entry that an event is about.
pub(crate) const fn record(event: &Event) -> Option<&Record> {
    match event {
        Event::Learned(record)
        | Event::Migrated { record, .. }
        | Event::Changed(record)
        | Event::Removed(record) => Some(record),
        _ => None,
    }
}

fn state(state: State) -> String {
    let named = [
        (State::PERMANENT, "permanent"),
        (State::NOARP, "static"),
        (State::STALE, "stale"),
        (State::REACHABLE, ""),
    ];
    match named.iter().find(|(bit, _)| state.contains(*bit)) {
        Some((_, name)) => (*name).to_owned(),
        None => format!("state={:#x}", state.bits()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vxlan_core::fdb::{Destination, Key, Remote};
    use vxlan_core::{Config, IfIndex, Instant, Mac, Vni};

    fn record(port: u16, vni: u32, ifindex: Option<IfIndex>, state: State) -> Record {
        Record {
            key: Key {
                mac: Mac::new([2, 0, 0, 0, 0, 1]),
                vni: 42,
            },
            state,
            flags: Flags::SELF,
            destination: Destination::Remote(Remote {
                addr: [192, 0, 2, 2].into(),
                port,
                vni,
                ifindex,
            }),
            updated: Instant::ZERO,
            used: Instant::ZERO,
        }
    }

    #[test]
    fn lines_and_objects() {
        let config = Config::new(Vni::new(42).unwrap()).port(4789);
        let config = config.validate().unwrap();
        let lo = Some(IfIndex::LOOPBACK);
        let plain = record(4789, 42, None, State::REACHABLE);
        for (event, line, object) in [
            (
                Event::Learned(plain),
                "02:00:00:00:00:01 dev vx0 dst 192.0.2.2 self \n",
                r#"{"mac":"02:00:00:00:00:01","ifname":"vx0","dst":"192.0.2.2","flags":["self"],"state":""}"#,
            ),
            (
                Event::Removed(record(4789, 42, None, State::STALE)),
                "Deleted 02:00:00:00:00:01 dev vx0 dst 192.0.2.2 self stale\n",
                r#"{"deleted":true,"mac":"02:00:00:00:00:01","ifname":"vx0","dst":"192.0.2.2","flags":["self"],"state":"stale"}"#,
            ),
            (
                Event::Changed(record(8472, 7, lo, State::PERMANENT | State::NOARP)),
                "02:00:00:00:00:01 dev vx0 dst 192.0.2.2 port 8472 vni 7 via lo self permanent\n",
                r#"{"mac":"02:00:00:00:00:01","ifname":"vx0","dst":"192.0.2.2","port":8472,"vni":7,"viaIf":"lo","flags":["self"],"state":"permanent"}"#,
            ),
            (
                Event::L2Miss(Mac::new([2, 0, 0, 0, 0, 9])),
                "miss dev vx0 lladdr 02:00:00:00:00:09 STALE \n",
                r#"{"miss":true,"dev":"vx0","lladdr":"02:00:00:00:00:09","state":["STALE"]}"#,
            ),
            (
                Event::L3Miss([10, 0, 0, 9].into()),
                "miss 10.0.0.9 dev vx0 STALE \n",
                r#"{"miss":true,"dst":"10.0.0.9","dev":"vx0","state":["STALE"]}"#,
            ),
            (
                Event::L3Miss([0; 16].into()),
                "miss dev vx0 STALE \n",
                r#"{"miss":true,"dev":"vx0","state":["STALE"]}"#,
            ),
        ] {
            assert_eq!(text("vx0", &config, &event, None), line);
            assert_eq!(json("vx0", &config, &event, None).line(), object);
        }
    }
}
