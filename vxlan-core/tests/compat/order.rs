//! What comes before the forwarding database, and what the old driver does not know.

use crate::common::*;
use crate::{agree, differ};
use vxlan_core::fdb::{self, Flags, Mode, NexthopId, State, Target, Update};
use vxlan_core::{Config, Device, Egress, Instant, Mac, Packet, TunnelInfo, Vni, Worker, mdb};

/// How a frame ends, in a word.
fn end(device: &Table, frame: &[u8], info: Option<TunnelInfo>) -> String {
    let mut bytes = frame.to_vec();
    let len = bytes.len();
    let mut packet = Packet::new(&mut bytes, 0, len).unwrap();
    packet.tunnel = info;
    let mut worker = Worker::new(Instant::ZERO);
    match device.transmit(&mut worker, &mut packet) {
        Egress::Drop(reason, _) => reason.to_string(),
        Egress::Consumed => "consumed".to_owned(),
        Egress::Tunnel => "tunnel".to_owned(),
        Egress::Forward(_) => "forward".to_owned(),
        other => format!("{other:?}"),
    }
}

/// Who has 10.0.0.9?
fn question() -> Vec<u8> {
    let arp = [
        &[0, 1, 8, 0, 6, 4, 0, 1][..],
        &mac(8).octets(),
        &[10, 0, 0, 8],
        &[0; 6],
        &[10, 0, 0, 9],
    ];
    frame(Mac::BROADCAST, mac(8), 0x0806, &arp.concat())
}

/// T-01, T-28: the old driver answers for neighbours before it looks for tunnel metadata.
#[test]
fn t01_t28_external_mode_and_proxy() {
    let external = |compat| {
        let config = Config::new(Vni::MIN).external(true).proxy(true);
        device(config.compat(compat))
    };
    let see = |compat| end(&external(compat), &question(), None);
    differ(
        "question without metadata",
        see,
        "consumed".to_owned(),
        "no-tunnel-info".to_owned(),
    );
    let info = TunnelInfo::new(7, ip("192.0.2.2"));
    let see = |compat| end(&external(compat), &question(), Some(info));
    let (old, new) = ("consumed".to_owned(), "tunnel".to_owned());
    differ("question with metadata", see, old, new);
    let other = frame(mac(9), mac(8), 0x88b5, &[0; 50]);
    let see = |compat| end(&external(compat), &other, None);
    agree("any other frame", see, "no-tunnel-info".to_owned());
}

/// T-02: neither looks for a solicitation behind a VLAN tag.
#[test]
fn t02_where_a_solicitation_is_looked_for() {
    let mut message = ipv6(0, 255, 0);
    (message[5], message[6]) = (24, 58);
    message.extend([135, 0, 0, 0, 0, 0, 0, 0]);
    message.extend([0xfd; 16]);
    let tagged = [&[0, 5, 0x86, 0xdd][..], &message].concat();
    let see = |compat| {
        let device = device(config().proxy(true).compat(compat));
        [(0x86dd, &message), (0x8100, &tagged)].map(|(ethertype, payload)| {
            end(&device, &frame(mac(9), mac(8), ethertype, payload), None)
        })
    };
    agree(
        "solicitations",
        see,
        ["consumed", "forward"].map(str::to_owned),
    );
}

/// T-28: multicast databases and nexthop groups came later.
#[test]
fn t28_groups_and_nexthops() {
    let see = |compat| {
        let memory = mdb::With::<fdb::Growable, mdb::Growable>::default();
        let mut device = Device::new(config().compat(compat), OWN, memory, Instant::ZERO).unwrap();
        let request = mdb::Request::new(ip("239.1.1.1"))
            .remote(ip("192.0.2.9"))
            .mode(Mode::CREATE);
        device.mdb_add(&request, &mut |_, _| {}).err()
    };
    let (old, new) = (Some(mdb::Error::NotSupported), None);
    differ("an entry for a group", see, old, new);
    let see = |compat| {
        let mut device = device(config().compat(compat));
        let update = Update {
            key: device.key(mac(5)),
            state: State::PERMANENT,
            flags: Flags::SELF,
            mode: Mode::CREATE,
            destination: Target::Nexthop {
                id: NexthopId::new(1).unwrap(),
                validity: Ok(()),
            },
            limit: 0,
        };
        let refused = device.fdb_update(Instant::ZERO, &update).err();
        refused.map(|error| (error, error.errno()))
    };
    let (old, new) = (Some((fdb::Error::NoRemote, 22)), None);
    differ("an entry for a nexthop group", see, old, new);
}
