//! Events as `bridge monitor fdb` and `ip monitor neigh` print them.

use serde_json::{Map, Value, json};
use vxlan_core::device::Valid;
use vxlan_core::fdb::{Flags, Record, State};
use vxlan_core::{Event, Message};
use vxlan_std::interface;

/// The flags that are shown, in `bridge`'s order.
const FLAGS: [(Flags, &str); 5] = [
    (Flags::SELF, "self"),
    (Flags::ROUTER, "router"),
    (Flags::EXT_LEARNED, "extern_learn"),
    (Flags::OFFLOADED, "offload"),
    (Flags::STICKY, "sticky"),
];

/// An event of the device `name` as a line of text.
pub(crate) fn text(name: &str, config: &Valid, event: &Event) -> String {
    let record = match event {
        Event::L2Miss(mac) => return format!("miss dev {name} lladdr {mac} STALE"),
        Event::LearnRefused { key, error } => {
            return format!("Refused {} dev {name}: {error}", key.mac);
        }
        Event::Learned(record)
        | Event::Migrated { record, .. }
        | Event::Changed(record)
        | Event::Removed(record) => record,
        other => return format!("dev {name} {other:?}"),
    };
    let mut line = String::new();
    if event.message() == Some(Message::Delete) {
        line.push_str("Deleted ");
    }
    line.push_str(&format!("{} dev {name}", record.key.mac));
    for (key, value) in details(config, record) {
        match value {
            Value::String(text) => line.push_str(&format!(" {key} {text}")),
            other => line.push_str(&format!(" {key} {other}")),
        }
    }
    for flag in flags(record) {
        line.push(' ');
        line.push_str(flag);
    }
    let state = state(record.state);
    if !state.is_empty() {
        line.push(' ');
        line.push_str(&state);
    }
    line
}

/// The same as a JSON object, with the keys of `bridge -json monitor fdb`.
pub(crate) fn json(name: &str, config: &Valid, event: &Event) -> Value {
    let mut object = Map::new();
    let record = match event {
        Event::L2Miss(mac) => {
            return json!({
                "miss": true, "dev": name, "lladdr": mac.to_string(), "state": ["STALE"]
            });
        }
        Event::LearnRefused { key, error } => {
            return json!({
                "refused": true, "mac": key.mac.to_string(), "ifname": name,
                "reason": error.to_string()
            });
        }
        Event::Learned(record)
        | Event::Migrated { record, .. }
        | Event::Changed(record)
        | Event::Removed(record) => record,
        other => return json!({ "ifname": name, "event": format!("{other:?}") }),
    };
    if event.message() == Some(Message::Delete) {
        object.insert("deleted".into(), true.into());
    }
    object.insert("mac".into(), record.key.mac.to_string().into());
    object.insert("ifname".into(), name.into());
    for (key, value) in details(config, record) {
        let key = if key == "via" { "viaIf" } else { key };
        object.insert(key.into(), value);
    }
    object.insert("flags".into(), flags(record).collect());
    object.insert("state".into(), state(record.state).into());
    object.into()
}

/// Where an entry points to. What is the device's default is left out, as the kernel does
/// (`vxlan_fdb_info()`).
fn details(config: &Valid, record: &Record) -> Vec<(&'static str, Value)> {
    let mut details = Vec::new();
    let Some(remote) = record.destination.remote() else {
        return details;
    };
    if !remote.addr.is_unspecified() {
        details.push(("dst", remote.addr.to_string().into()));
    }
    if remote.port != 0 && remote.port != config.port() {
        details.push(("port", remote.port.into()));
    }
    if remote.vni != config.vni().get() {
        details.push(("vni", remote.vni.into()));
    }
    if let Some(ifindex) = remote.ifindex {
        details.push(("via", interface::name(ifindex).into()));
    }
    details
}

fn flags(record: &Record) -> impl Iterator<Item = &'static str> {
    let has = record.flags;
    let shown = FLAGS
        .into_iter()
        .filter(move |(flag, _)| has.contains(*flag));
    shown.map(|(_, name)| name)
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
                "02:00:00:00:00:01 dev vx0 dst 192.0.2.2 self",
                r#"{"dst":"192.0.2.2","flags":["self"],"ifname":"vx0","mac":"02:00:00:00:00:01","state":""}"#,
            ),
            (
                Event::Removed(record(4789, 42, None, State::STALE)),
                "Deleted 02:00:00:00:00:01 dev vx0 dst 192.0.2.2 self stale",
                r#"{"deleted":true,"dst":"192.0.2.2","flags":["self"],"ifname":"vx0","mac":"02:00:00:00:00:01","state":"stale"}"#,
            ),
            (
                Event::Changed(record(8472, 7, lo, State::PERMANENT | State::NOARP)),
                "02:00:00:00:00:01 dev vx0 dst 192.0.2.2 port 8472 vni 7 via lo self permanent",
                r#"{"dst":"192.0.2.2","flags":["self"],"ifname":"vx0","mac":"02:00:00:00:00:01","port":8472,"state":"permanent","viaIf":"lo","vni":7}"#,
            ),
            (
                Event::L2Miss(Mac::new([2, 0, 0, 0, 0, 9])),
                "miss dev vx0 lladdr 02:00:00:00:00:09 STALE",
                r#"{"dev":"vx0","lladdr":"02:00:00:00:00:09","miss":true,"state":["STALE"]}"#,
            ),
        ] {
            assert_eq!(text("vx0", &config, &event), line);
            assert_eq!(json("vx0", &config, &event).to_string(), object);
        }
    }
}
