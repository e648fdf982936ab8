//! Entries as `bridge mdb` prints them: that of iproute2 6.8, the first that knows all of it.
//!
//! Compared with iproute2 6.1 up to the flags, and the time. What follows the flags, from "dst" to
//! "via", 6.1 does not show: it is here as later versions name it, and not compared.

use vxlan_core::device::Valid;
use vxlan_core::mdb::{FilterMode, Record};
use vxlan_std::interface;

use super::super::json::{Array, Json};
use super::super::options::Options;
use super::super::run::Link;
use super::super::words::protocol_name;

/// The time until a source, or an entry, is forgotten: never.
const TIMER: &str = "0.00";

/// An entry with one of its remotes, to be shown.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    /// The interface of the device.
    pub(super) link: &'a Link,
    /// What the device was told: its defaults are left out, as the kernel does.
    pub(super) config: &'a Valid,
    pub(super) record: Record<'a>,
    pub(super) options: Options,
}

/// Prints entries.
pub(super) fn print<'a>(shown: impl Iterator<Item = Shown<'a>>, options: Options) -> String {
    let mut out = String::new();
    if options.json {
        let entries = shown.map(|shown| Json::Object(shown.fields())).collect();
        let mut array = Array::start(&mut out, options.pretty);
        let element = Json::Object(vec![
            ("mdb", Json::List(entries)),
            // Ports behind which routers are: only bridges have them.
            ("router", Json::Object(Vec::new())),
        ]);
        array.push(&mut out, &element);
        array.end(&mut out);
    } else {
        shown.for_each(|shown| shown.text(&mut out));
    }
    out
}

impl Shown<'_> {
    /// Appends a line of text, its end included.
    fn text(&self, out: &mut String) {
        for (at, (key, value)) in self.fields().into_iter().enumerate() {
            // The first is the number of the device, which only JSON shows.
            let separator = if at == 1 { "" } else { " " };
            let text = match (key, value) {
                ("index", _) => continue,
                ("state" | "timer", Json::Text(text)) => text,
                ("flags", _) if !self.record.blocked => continue,
                ("flags", _) => "blocked".to_owned(),
                ("source_list", _) => format!("source_list {}", self.sources().join(",")),
                // `bridge` leaves a space behind this one.
                ("protocol", Json::Text(text)) => format!("proto {text} "),
                (key, Json::Text(text)) => format!("{key} {text}"),
                (key, other) => format!("{key} {}", other.line()),
            };
            out.push_str(separator);
            out.push_str(&text);
        }
        out.push('\n');
    }

    fn sources(&self) -> Vec<String> {
        let sources = self.record.sources();
        sources.map(|source| format!("{source}/{TIMER}")).collect()
    }

    /// The keys of `bridge -json mdb`.
    fn fields(&self) -> Vec<(&'static str, Json)> {
        let (config, record) = (self.config, &self.record);
        let (key, remote) = (&record.key, &record.remote);
        let name = self.link.tap.name();
        let mut fields = vec![
            ("index", self.link.tap.ifindex().get().into()),
            ("dev", name.into()),
            ("port", name.into()),
            ("grp", key.group.to_string().into()),
        ];
        let source = key.source.filter(|source| !source.is_unspecified());
        fields.extend(source.map(|source| ("src", source.to_string().into())));
        fields.push(("state", "permanent".into()));
        if self.options.details {
            fields.extend(self.details());
        }
        let flags = record.blocked.then_some("blocked");
        fields.push(("flags", Json::words(flags)));
        fields.push(("dst", remote.addr.to_string().into()));
        if remote.port != config.port() && remote.port != 0 {
            fields.push(("dst_port", remote.port.into()));
        }
        if remote.vni != config.vni().get() {
            fields.push(("vni", remote.vni.into()));
        }
        if config.is_external() && key.vni != 0 {
            fields.push(("src_vni", key.vni.into()));
        }
        let via = remote.ifindex;
        fields.extend(via.map(|via| ("via", interface::name(via).into())));
        if self.options.stats > 0 {
            fields.push(("timer", format!("{TIMER:>7}").into()));
        }
        fields
    }

    fn details(&self) -> Vec<(&'static str, Json)> {
        let mode = match self.record.filter {
            FilterMode::Include => "include",
            FilterMode::Exclude => "exclude",
        };
        let mut details = vec![("filter_mode", mode.into())];
        let sources: Vec<Json> = self
            .record
            .sources()
            .map(|source| {
                Json::Object(vec![
                    ("address", source.to_string().into()),
                    ("timer", TIMER.into()),
                ])
            })
            .collect();
        if !sources.is_empty() {
            details.push(("source_list", Json::List(sources)));
        }
        let protocol = protocol_name(self.record.protocol);
        details.push(("protocol", protocol.into()));
        details
    }
}
