//! Any bytes as messages about the VNI filter of a device.

use std::collections::BTreeMap;
use std::net::IpAddr;

use vxlan_core::netlink::Writer;
use vxlan_core::netlink::vni::{self, Message, Question};
use vxlan_core::packet::OutOfRoom;
use vxlan_core::vni_filter::{Event, Request, Slot, WithVnis};
use vxlan_core::{Config, Device, IfIndex, Instant, Vni, fdb};

use crate::WEST;

/// How many VNIs there is room for.
const ROOM: usize = 16;
/// An entry of a message (`VXLAN_VNIFILTER_ENTRY`), nested.
const ENTRY: u16 = 0x8001;

type Filter = Device<WithVnis<fdb::Fixed<4, 32, 64>, [Slot; ROOM]>>;

/// What a device has by what was told of it.
#[derive(Debug, Default)]
struct List {
    vnis: BTreeMap<u32, Option<IpAddr>>,
    /// Whether the default entry of a VNI could not be made: it stays, and nothing is told of it.
    lacking: bool,
}

/// The first byte chooses the device. Messages follow: what each is, its length, its content.
pub fn vni(input: &[u8]) {
    let Some((&options, mut rest)) = input.split_first() else {
        return;
    };
    let mut device = device(options);
    let mut list = List::default();
    while let [kind, len, next @ ..] = rest {
        let (content, next) = next.split_at(next.len().min(usize::from(*len)));
        rest = next;
        let _ = Question::parse(content);
        match kind & 3 {
            0 => ask(&mut device, &mut list, vni::NEW, content),
            1 => ask(&mut device, &mut list, vni::DELETE, content),
            2 => ask(&mut device, &mut list, vni::NEW, &entries(content)),
            _ => ask(&mut device, &mut list, vni::DELETE, &entries(content)),
        }
        let has = device.vnis().into_iter();
        let has: Vec<_> = has.map(|entry| (entry.vni(), entry.group())).collect();
        let told: Vec<_> = list
            .vnis
            .iter()
            .map(|(vni, group)| (*vni, *group))
            .collect();
        assert_eq!(has, told, "events tell every change");
    }
    shown(options, &device, &list);
}

fn device(options: u8) -> Filter {
    let mut config = Config::new(Vni::MIN).external(true).vni_filter(true);
    if options & 1 != 0 {
        config = config.lower(Some(IfIndex::LOOPBACK));
    }
    if options & 2 != 0 {
        config = config.remote(IpAddr::from([192, 0, 2, 9]));
    }
    let storage = WithVnis::new(fdb::Fixed::new(), [const { Slot::EMPTY }; ROOM]);
    let mut device =
        Device::new(config, WEST, storage, Instant::ZERO).expect("this configuration is legal");
    device.set_up(options & 4 == 0);
    device
}

/// Four bytes as an entry: its first VNI, how many, the group.
fn entries(bytes: &[u8]) -> Vec<u8> {
    let spans = bytes.chunks_exact(4).map(|entry| {
        let start = u32::from(entry[0] & 31);
        let group = match (entry[2] & 3, entry[3]) {
            (0, _) => None,
            (1, last) => Some(IpAddr::from([239, 0, 0, last])),
            (2, last) => Some(IpAddr::from([192, 0, 2, last])),
            (_, last) => Some(IpAddr::from([0xff05, 0, 0, 0, 0, 0, 0, u16::from(last)])),
        };
        // The last may well be below the first.
        let end = (start + u32::from(entry[1] & 7)).saturating_sub(1);
        (start, end, group)
    });
    write(|writer| {
        vni::head(writer, IfIndex::LOOPBACK)?;
        for (start, end, group) in spans {
            let entry = writer.nest(ENTRY)?;
            writer.put_u32(1, start)?;
            writer.put_u32(2, end)?;
            match group {
                None => {}
                Some(IpAddr::V4(group)) => writer.put(3, &group.octets())?,
                Some(IpAddr::V6(group)) => writer.put(4, &group.octets())?,
            }
            writer.close(entry)?;
        }
        Ok(())
    })
}

/// Does what a message asks for, until something is refused.
fn ask(device: &mut Filter, list: &mut List, kind: u16, content: &[u8]) {
    let Ok(message) = Message::parse(content) else {
        return;
    };
    let requests = message.requests(device.config());
    for request in requests.into_iter().flatten() {
        let Ok(request) = request else { return };
        let Ok(range) = device.vni_range(&request) else {
            return;
        };
        for vni in range {
            let before = device.vnis().len();
            let done = match kind {
                vni::NEW => device.add_vni(Instant::ZERO, vni, request.group, false),
                _ => device.remove_vni(vni),
            };
            let Ok(changed) = done else {
                assert_eq!(device.vnis().len(), before, "a refusal changes nothing");
                return;
            };
            if changed.failure.is_some() {
                list.lacking = true;
                list.vnis.insert(vni, None);
                return;
            }
            if let Some(event) = changed.event {
                heard(&event, kind, vni);
                match event {
                    Event::Changed { vni, group } => list.vnis.insert(vni, group),
                    _ => list.vnis.remove(&vni),
                };
            }
        }
    }
}

/// A notification is a message about one VNI that says the same.
fn heard(event: &Event, kind: u16, asked: u32) {
    let mut told = 0;
    let bytes = write(|writer| {
        told = vni::event(writer, IfIndex::LOOPBACK, event)?;
        Ok(())
    });
    let (Event::Changed { vni, group } | Event::Removed { vni, group }) = *event else {
        panic!("an event without a message: {event:?}");
    };
    assert_eq!((told, vni), (kind, asked));
    let request = Request {
        start: Some(vni),
        end: None,
        group,
    };
    assert_eq!(read(&bytes), [request]);
}

/// What is shown can be asked for, and makes the same list; also with counters.
fn shown(options: u8, original: &Filter, list: &List) {
    let spans = write(|writer| {
        vni::head(writer, IfIndex::LOOPBACK)?;
        let mut spans = original.vnis().spans();
        spans.try_for_each(|span| vni::span(writer, &span))
    });
    let mut copy = device(options);
    let mut copied = List::default();
    ask(&mut copy, &mut copied, vni::NEW, &spans);
    // VNI 0 comes in as part of a range, and cannot be named alone, as in Linux.
    if !list.lacking && !list.vnis.contains_key(&0) {
        assert_eq!((copied.vnis, copied.lacking), (list.vnis.clone(), false));
    }
    for entry in original.vnis() {
        // Counters cannot be asked for.
        let counted = write(|writer| {
            vni::head(writer, IfIndex::LOOPBACK)?;
            vni::counted(writer, entry.vni(), entry.group(), &entry.stats())
        });
        let message = Message::parse(&counted).expect("it has the form of a request");
        let mut requests = message.requests(original.config()).expect("one entry");
        assert!(requests.next().is_some_and(|request| request.is_err()));
    }
}

fn read(content: &[u8]) -> Vec<Request> {
    let config = device(0).config().clone();
    let message = Message::parse(content).expect("it was written as one");
    let requests = message.requests(&config).expect("there are some");
    requests.collect::<Result<_, _>>().expect("all are whole")
}

fn write(content: impl FnOnce(&mut Writer<'_>) -> Result<(), OutOfRoom>) -> Vec<u8> {
    let mut out = vec![0; 8192];
    let mut writer = Writer::new(&mut out);
    content(&mut writer).expect("there is room");
    let len = writer.len();
    out.truncate(len);
    out
}
