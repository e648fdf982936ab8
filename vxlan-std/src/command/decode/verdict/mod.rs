//! What a VXLAN device would do with a packet.

mod judge;

use serde_json::{Value, json};
use vxlan_core::wire::udp;
use vxlan_core::{DropReason, Event, Flags};

use super::super::show;
use super::layers::Datagram;
pub(super) use judge::Judge;

/// What becomes of a packet.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) action: Action,
    /// Why it is dropped or not known.
    pub(super) reason: Option<&'static str>,
    /// The device that decided.
    pub(super) device: Option<String>,
    /// More for a person to know.
    pub(super) items: Vec<String>,
    /// What it taught.
    pub(super) event: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Deliver,
    Drop,
    Unknown,
}

impl Action {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Deliver => "deliver",
            Self::Drop => "drop",
            Self::Unknown => "unknown",
        }
    }
}

impl Verdict {
    fn new(action: Action, reason: Option<&'static str>, item: &str) -> Self {
        Self {
            action,
            reason,
            device: None,
            items: Vec::from_iter((!item.is_empty()).then(|| item.to_owned())),
            event: Value::Null,
        }
    }

    /// Action and reason in a few words.
    pub(super) fn headline(&self) -> String {
        match self.reason {
            Some(reason) => format!("{} {reason}", self.action.as_str()),
            None => self.action.as_str().to_owned(),
        }
    }
}

/// What IP and UDP decide before a VXLAN device sees the datagram.
fn before_udp(datagram: &Datagram<'_>) -> Option<Verdict> {
    let carrier = datagram.carrier;
    let (action, reason, item) = if carrier.fragment {
        (
            Action::Unknown,
            "fragment",
            "a host puts the datagram together first",
        )
    } else if !carrier.ip_checksum {
        (Action::Drop, "ip-checksum", "by IP, before VXLAN")
    } else if !carrier.ip_length {
        (Action::Drop, "ip-length", "by IP, before VXLAN")
    } else if !carrier.udp_length {
        (Action::Drop, "udp-length", "by UDP, before VXLAN")
    } else if carrier.udp_checksum == Some(udp::Verdict::Invalid) {
        (Action::Drop, "udp-checksum", "by UDP, before VXLAN")
    } else {
        return None;
    };
    Some(Verdict::new(action, Some(reason), item))
}

/// IPv6 datagrams without checksum need a socket that allows them (RFC 6935).
fn unchecked(datagram: &Datagram<'_>, flags: Flags) -> Option<Verdict> {
    let absent = datagram.carrier.udp_checksum == Some(udp::Verdict::Absent);
    let refused = absent && datagram.source.is_ipv6() && !flags.contains(Flags::UDP_ZERO_CSUM6_RX);
    let item = "by UDP, before VXLAN: \"udp6zerocsumrx\" is off";
    refused.then(|| Verdict::new(Action::Drop, Some("udp6-zero-checksum"), item))
}

fn unseen() -> Verdict {
    let item = "the capture leaves out what decides";
    Verdict::new(Action::Unknown, Some("cut"), item)
}

fn dropped(reason: DropReason, device: Option<String>) -> Verdict {
    Verdict {
        device,
        ..Verdict::new(Action::Drop, Some(reason.as_str()), "")
    }
}

fn learned(verdict: &mut Verdict, event: Option<Event>) {
    let (text, value) = match event {
        Some(Event::Learned(record)) => (
            format!("learns {}", record.key.mac),
            json!({"event": "learned", "mac": record.key.mac.to_string()}),
        ),
        Some(Event::Migrated { record, from }) => (
            format!("{} moves here from {from}", record.key.mac),
            json!({
                "event": "migrated",
                "mac": record.key.mac.to_string(),
                "from": from.to_string(),
            }),
        ),
        other => match other.as_ref().and_then(show::refusal) {
            Some((mac, why)) => (
                format!("{mac} is not learned: {why}"),
                json!({"event": "learn-refused", "mac": mac.to_string()}),
            ),
            None => return,
        },
    };
    verdict.items.push(text);
    verdict.event = value;
}
