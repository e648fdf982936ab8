//! Any bytes as a netlink request.

use vxlan_core::device::Valid;
use vxlan_core::fdb::{Destination, Mode, NexthopError, NexthopId, Record, Target};
use vxlan_core::netlink::neighbour::{self, Message, Operation, Request, Teller};
use vxlan_core::netlink::{Attributes, Header, Writer, link};
use vxlan_core::{Compat, Config, IfIndex, Instant, Vni};

/// A host with few interfaces and every other nexthop group.
struct Host;

impl neighbour::Host for Host {
    fn has_interface(&self, ifindex: IfIndex) -> bool {
        ifindex.get() < 1000
    }

    fn nexthop(&self, id: NexthopId, ipv6: bool) -> Result<(), NexthopError> {
        if id.get().is_multiple_of(2) == ipv6 {
            Ok(())
        } else {
            Err(NexthopError::Family)
        }
    }
}

/// The first byte says what the rest is.
pub fn netlink(input: &[u8]) {
    let Some((&kind, bytes)) = input.split_first() else {
        return;
    };
    let mode = Mode::from_bits_truncate(u16::from(kind) << 4);
    match kind & 7 {
        0 => links(bytes),
        1 => links(&wrapped(bytes)),
        2 | 3 => entries(Operation::Update(mode), kind, bytes),
        4 => entries(Operation::Remove, kind, bytes),
        5 => entries(Operation::Flush, kind, bytes),
        6 => entries(Operation::Get, kind, bytes),
        _ => {
            let mut rest = bytes;
            while let Some((_, content, next)) = Header::split(rest) {
                links(content);
                assert!(next.len() < rest.len(), "it comes to an end");
                rest = next;
            }
        }
    }
}

/// Type-specific attributes within a link message.
fn wrapped(data: &[u8]) -> Vec<u8> {
    let mut out = vec![0; data.len() + 64];
    let mut writer = Writer::new(&mut out);
    let mut write = || {
        let info = writer.nest(link::LINKINFO)?;
        writer.put(link::KIND, b"vxlan")?;
        writer.put(link::DATA, data)?;
        writer.close(info)?;
        Ok::<_, vxlan_core::packet::OutOfRoom>(writer.len())
    };
    let len = write().expect("there is room");
    out.truncate(len);
    out
}

fn made(message: &[u8], compat: &Compat) -> Option<Valid> {
    let asked = link::Request::parse(message, compat).ok()?.new_device();
    asked.ok()?.config.validate().ok()
}

fn dump(config: &Valid) -> Vec<u8> {
    let mut out = vec![0; 264];
    let len = config.write_attributes(&mut out).expect("there is room");
    out.truncate(len);
    out
}

fn links(message: &[u8]) {
    let _ = made(message, &Compat::LINUX_4_3);
    let Some(config) = made(message, &Compat::LINUX_6) else {
        return;
    };
    // What is dumped can be asked for and is the same; a TTL that is inherited is dumped
    // otherwise than asked for, the bits of remote checksums are free only if nobody names them,
    // and a family without an address is not dumped.
    let shown = dump(&config);
    if !config.is_ipv6() || !config.remote().is_unspecified() || !config.local().is_unspecified() {
        let rco = u64::from_be_bytes(config.reserved_bits().octets()) & 0x0020_0000_0000_00ff;
        let mut asked = vec![0; 264];
        let mut writer = Writer::new(&mut asked);
        for one in Attributes::new(&shown) {
            match (one.number, one.payload) {
                (28, [0]) => {}
                (28, _) => writer.put(28, &[]).expect("shorter"),
                (22, _) if rco != 0 => {}
                (number, payload) => writer.put(number, payload).expect("as long"),
            }
        }
        let len = writer.len();
        let again = made(&wrapped(&asked[..len]), &Compat::LINUX_6).expect("it was granted");
        assert_eq!(dump(&again), shown);
    }
    if let Ok(request) = link::Request::parse(message, &Compat::LINUX_6)
        && let Ok(change) = request.change(&config)
        && let Ok(changed) = config.changed(&change.config)
    {
        assert_eq!(changed.vni(), config.vni());
        assert_eq!(changed.is_ipv6(), config.is_ipv6());
    }
}

fn entries(operation: Operation, kind: u8, content: &[u8]) {
    let external = kind & 128 != 0;
    let config = Config::new(Vni::truncate(42)).external(external);
    let config = config.validate().expect("this configuration is legal");
    let Ok(message) = Message::parse(operation, content) else {
        return;
    };
    let Ok(request) = message.request(&config, &Host) else {
        return;
    };
    let Request::Update { src_vni, update } = request else {
        return;
    };
    // What it asks for can be told, and what is told can be asked for.
    let record = Record {
        key: update.key,
        state: update.state,
        flags: update.flags,
        destination: match update.destination {
            Target::Remote(remote) => Destination::Remote(remote),
            Target::Nexthop { id, .. } => Destination::Nexthop(id),
        },
        updated: Instant::ZERO,
        used: Instant::ZERO,
    };
    let teller = Teller {
        config: &config,
        ifindex: message.interface(),
        netns: None,
        now: Instant::ZERO,
    };
    let header = Header {
        kind: neighbour::NEW,
        ..Header::default()
    };
    let mut out = [0; 160];
    let len = teller
        .record(&header, &record, &mut out)
        .expect("there is room");
    let (_, content, _) = Header::split(&out[..len]).expect("a message");
    let told = Message::parse(operation, content).and_then(|told| told.request(&config, &Host));
    let Ok(Request::Update { update: again, .. }) = told else {
        panic!("{told:?}");
    };
    // Zero is what is left out, and so stands for the default.
    let mut expected = update;
    if external && src_vni == 0 {
        expected.key.vni = config.vni().get();
    }
    if let Target::Remote(remote) = &mut expected.destination
        && remote.port == 0
    {
        remote.port = config.port();
    }
    assert_eq!(again, expected);
}
