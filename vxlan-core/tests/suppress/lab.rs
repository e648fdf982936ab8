//! A proxy, its neighbours, and what it makes of a frame.

use std::collections::BTreeMap;
use std::net::IpAddr;

use vxlan_core::fdb::{Key, Mode, NexthopId, State, Update};
use vxlan_core::neighbour::Lookup;
use vxlan_core::packet::HEADROOM;
use vxlan_core::{
    ChecksumState, Egress, Event, Instant, Mac, Neighbour, Packet, Stats, Worker, fdb,
};

use crate::common::{Table, ip, vni};

/// Who asks, and whom for.
pub(crate) const ASKER: Mac = Mac::new([2, 0, 0, 0, 0x0b, 0x64]);
pub(crate) const KNOWN: Mac = Mac::new([2, 0, 0, 0, 0x0c, 7]);

/// How a frame ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// To these addresses.
    Forward(Vec<IpAddr>),
    Reply,
    Consumed,
    Other(String),
}

#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) end: End,
    pub(crate) miss: Option<Event>,
    /// The packet afterwards.
    pub(crate) bytes: Vec<u8>,
    pub(crate) stats: Stats,
    pub(crate) checksum: ChecksumState,
}

/// A table of both families.
pub(crate) fn table(entries: &[(&str, Neighbour)]) -> impl Fn(IpAddr) -> Lookup + use<> {
    let entries: BTreeMap<IpAddr, Neighbour> =
        entries.iter().map(|(name, who)| (ip(name), *who)).collect();
    move |address| Lookup::from(entries.get(&address).copied())
}

/// The two neighbours that most tests know.
pub(crate) fn known() -> impl Fn(IpAddr) -> Lookup {
    in_state(State::PERMANENT)
}

pub(crate) fn in_state(state: State) -> impl Fn(IpAddr) -> Lookup {
    let who = Neighbour {
        state,
        ..Neighbour::permanent(KNOWN)
    };
    table(&[("192.168.7.2", who), ("fd00::2", who)])
}

pub(crate) fn run(device: &Table, frame: &[u8], table: &dyn Fn(IpAddr) -> Lookup) -> Outcome {
    let mut worker = Worker::new(Instant::from_millis(5_000));
    let mut buffer = [&[0; HEADROOM][..], frame].concat();
    let mut packet = Packet::new(&mut buffer, HEADROOM, frame.len()).unwrap();
    packet.mark = 7;
    let (egress, miss) = device.transmit_with(&mut worker, &mut packet, &table);
    let end = match egress {
        Egress::Forward(remotes) => End::Forward(remotes.map(|remote| remote.addr).collect()),
        Egress::Reply(metadata) => {
            assert_eq!(metadata.packet_type, vxlan_core::device::PacketType::Host);
            assert_eq!((packet.mark, packet.tunnel), (0, None), "a new packet");
            End::Reply
        }
        Egress::Consumed => End::Consumed,
        other => End::Other(format!("{other:?}")),
    };
    Outcome {
        end,
        miss,
        bytes: packet.bytes().to_vec(),
        stats: worker.stats,
        checksum: packet.checksum,
    }
}

/// Puts an entry into the FDB.
pub(crate) fn entry(device: &mut Table, mac: Mac, destination: &str, flags: fdb::Flags) {
    let remote = device.remote(ip(destination));
    update(device, mac, remote.into(), flags);
}

pub(crate) fn nexthop_entry(device: &mut Table, mac: Mac, flags: fdb::Flags) {
    let destination = fdb::Destination::Nexthop(NexthopId::new(7).unwrap());
    update(device, mac, destination, flags);
}

fn update(device: &mut Table, mac: Mac, destination: fdb::Destination, flags: fdb::Flags) {
    let update = Update {
        key: Key {
            mac,
            vni: vni().get(),
        },
        state: State::PERMANENT,
        flags: fdb::Flags::SELF | flags,
        mode: Mode::CREATE,
        destination: destination.into(),
        limit: 0,
    };
    device.fdb_mut().update(Instant::ZERO, &update).unwrap();
}
