//! The measured calls. What is inside a figure stands beside its name in [`NAMES`].

use std::hint::black_box;
use std::net::IpAddr;

use vxlan_core::device::{Config, Device};
use vxlan_core::fdb::{
    Fdb, Fixed, Flags as EntryFlags, Growable, Key, Mode, Remote, State, Storage, Update,
};
use vxlan_core::flow::FlowHasher;
use vxlan_core::{
    Egress, Encapsulated, Ingress, Instant, Mac, Packet, PortRange, Route, Salt, Underlay, Vni,
    Worker, packet::HEADROOM,
};

/// Every case; the table of instruction counts has one line for each.
pub(crate) const NAMES: &[&str] = &[
    // One look-up of a known MAC among 1,000, hash included.
    "fdb-find-hit",
    // The same for an unknown MAC.
    "fdb-find-miss",
    // The loop of the next three, which have their keys at hand, and nothing in it.
    "fdb-loop",
    // A look-up, hash included, of a known MAC among 1,000 in a growing table.
    "fdb-hit",
    // The same with an address hidden from the compiler, as the case of refreshing does.
    "fdb-hit-address",
    // The same in a table of a fixed size.
    "fdb-hit-fixed",
    // The first with what learning does about a known source: compare its remote, note the time.
    "fdb-refresh",
    // The flow hash of an IPv4 UDP frame.
    "flow-hash-v4",
    // transmit + encapsulate, 64-byte IPv4 frame, IPv4 remote out of 1,000, no UDP checksum.
    "encapsulate-v4",
    // The same with the UDP checksum computed.
    "encapsulate-v4-checksum",
    // The same over IPv6, UDP checksum left to the card.
    "encapsulate-v6-offload",
    // Eight remotes of the default entry, IPv4, no checksum: per frame.
    "flood-8-v4",
    // receive of a 64-byte IPv4 frame over IPv4, source known, learning on.
    "decapsulate-v4",
    // The same over IPv6.
    "decapsulate-v6",
];

const SALT: Salt = Salt::new([0x5a; 16]);

/// Frames that the cases take turns with.
const FRAMES: usize = 16;
/// Known stations.
const STATIONS: u32 = 1_000;

fn station(number: u32) -> Mac {
    let [a, b, c, d] = number.to_be_bytes();
    Mac::new([0x02, 0x42, a, b, c, d])
}

fn fail(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(fail)
}

/// An Ethernet frame of 64 bytes: IPv4, UDP, from and to stations.
fn frame(from: u32, to: u32) -> [u8; 64] {
    let mut frame = [0u8; 64];
    let head = [
        &station(to).octets()[..],
        &station(from).octets(),
        &[0x08, 0x00, 0x45, 0, 0, 50, 0, 1, 0, 0, 64, 17, 0x26, 0xb9],
        &[10, 0, 0, 1, 10, 0, 0, 2],
        &(1024 + from as u16).to_be_bytes(),
        &[0x13, 0x88, 0, 30, 0, 0],
    ]
    .concat();
    for (byte, value) in frame.iter_mut().zip(head) {
        *byte = value;
    }
    frame
}

fn device(local: &str, peer: &str, checksum: bool) -> Result<Device<Growable>, String> {
    let config = Config::new(Vni::truncate(42))
        .local(address(local)?)
        .port(4789)
        .udp_checksum(checksum)
        .port_range(PortRange::new(49152, 65535).unwrap_or_default())
        .salt(Salt::new([0x5a; 16]));
    let mac = station(0xffff);
    let mut device = Device::new(config, mac, Growable::new(), Instant::ZERO).map_err(fail)?;
    device.set_up(true);
    let remote = device.remote(address(peer)?);
    for number in 0..STATIONS {
        device
            .fdb_append(Instant::ZERO, station(number), remote)
            .map_err(fail)?;
    }
    Ok(device)
}

/// Runs a case so many times.
pub(crate) fn run(name: &str, count: &str) -> Result<(), String> {
    let count: u64 = count.parse().map_err(fail)?;
    let v4 = ("192.0.2.1", "192.0.2.2");
    let v6 = ("2001:db8::1", "2001:db8::2");
    match name {
        "fdb-find-hit" => find(count, 0),
        "fdb-find-miss" => find(count, STATIONS),
        "fdb-loop" => look_up(count, Fdb::new(Growable::new(), SALT), |_, _| true),
        "fdb-hit" => look_up(count, Fdb::new(Growable::new(), SALT), |table, key| {
            table.find(key).is_some()
        }),
        // What the case of refreshing does for the sake of being measured: it hides an address.
        "fdb-hit-address" => {
            let from = address(v4.1)?;
            look_up(count, Fdb::new(Growable::new(), SALT), |table, key| {
                let found = table.find(key).is_some();
                black_box(&from);
                found
            })
        }
        "fdb-hit-fixed" => {
            let mut memory = Box::new(Fixed::<256, 1024, 64>::new());
            look_up(count, Fdb::new(&mut *memory, SALT), |table, key| {
                table.find(key).is_some()
            })
        }
        "fdb-refresh" => {
            // One reading of the clock for many packets.
            let (now, from) = (black_box(Instant::from_millis(20)), address(v4.1)?);
            look_up(count, Fdb::new(Growable::new(), SALT), |table, key| {
                table.find(key).is_some_and(|entry| {
                    entry.touch_updated(now);
                    entry.is_behind(*black_box(&from), None)
                })
            })
        }
        "flow-hash-v4" => flow_hash(count),
        "encapsulate-v4" => encapsulate(count, v4, false, 1),
        "encapsulate-v4-checksum" => encapsulate(count, v4, true, 1),
        "encapsulate-v6-offload" => encapsulate(count, v6, true, 1),
        "flood-8-v4" => encapsulate(count, v4, false, 8),
        "decapsulate-v4" => decapsulate(count, v4),
        "decapsulate-v6" => decapsulate(count, v6),
        other => Err(format!("no case {other}; there are: {}", NAMES.join(", "))),
    }
}

fn find(count: u64, first: u32) -> Result<(), String> {
    let device = device("192.0.2.1", "192.0.2.2", false)?;
    let mut found = 0u64;
    for i in 0..count {
        let key = device.key(station(first + (i as u32 * 7) % STATIONS));
        found += u64::from(black_box(device.fdb().find(black_box(&key))).is_some());
    }
    let expected = if first == 0 { count } else { 0 };
    (found == expected)
        .then_some(())
        .ok_or(format!("{found} of {count} found"))
}

/// Looks so many keys up in a table of known stations; the keys are at hand.
fn look_up<S: Storage>(
    count: u64,
    mut table: Fdb<S>,
    found: impl Fn(&Fdb<S>, &Key) -> bool,
) -> Result<(), String> {
    let keys: Vec<Key> = (0..STATIONS)
        .map(|number| Key {
            mac: station(number),
            vni: 42,
        })
        .collect();
    let remote = Remote {
        addr: address("192.0.2.2")?,
        port: 4789,
        vni: 42,
        ifindex: None,
    };
    for key in &keys {
        let learned = Update {
            key: *key,
            state: State::REACHABLE,
            flags: EntryFlags::SELF,
            mode: Mode::CREATE,
            destination: remote.into(),
            limit: 0,
        };
        table
            .update(Instant::ZERO, &learned)
            .map_err(|error| format!("{error:?}"))?;
    }
    let mut hits = 0u64;
    for key in keys.iter().cycle().take(count as usize) {
        hits += u64::from(found(&table, black_box(key)));
    }
    (hits == count)
        .then_some(())
        .ok_or(format!("{hits} of {count} found"))
}

fn flow_hash(count: u64) -> Result<(), String> {
    let hasher = FlowHasher::new(Salt::new([0x5a; 16]));
    let frame = frame(1, 2);
    for _ in 0..count {
        black_box(hasher.frame(black_box(&frame)));
    }
    Ok(())
}

fn encapsulate(
    count: u64,
    (local, peer): (&str, &str),
    checksum: bool,
    remotes: u8,
) -> Result<(), String> {
    let mut device = device(local, peer, checksum)?;
    let local = address(local)?;
    let mut first = 0;
    if remotes > 1 {
        first = STATIONS;
        for last in 0..remotes {
            let remote = device.remote(IpAddr::from([192, 0, 2, 10 + last]));
            device
                .fdb_append(Instant::ZERO, Mac::ZERO, remote)
                .map_err(fail)?;
        }
    }
    let route = Route::new(local, 1500).checksum_offload(local.is_ipv6());
    let mut buffers = [[0u8; HEADROOM + 64]; FRAMES];
    for (number, buffer) in (first..).zip(&mut buffers) {
        let to = number % (STATIONS + FRAMES as u32);
        for (byte, value) in buffer.iter_mut().skip(HEADROOM).zip(frame(number, to)) {
            *byte = value;
        }
    }
    let mut worker = Worker::new(Instant::ZERO);
    let mut sent = 0u64;
    for buffer in (0..FRAMES).cycle().take(count as usize) {
        let Some(buffer) = buffers.get_mut(buffer) else {
            continue;
        };
        let mut packet = Packet::new(buffer, HEADROOM, 64).map_err(fail)?;
        if let Egress::Forward(remotes) = device.transmit(&mut worker, &mut packet) {
            for remote in remotes {
                if let Encapsulated::Send(outer) =
                    device.encapsulate(&mut worker, &mut packet, remote, Ok(route))
                {
                    black_box(outer.ip_packet());
                    sent += 1;
                }
            }
        }
    }
    let expected = count * u64::from(remotes);
    (sent == expected)
        .then_some(())
        .ok_or(format!("{sent} of {expected} sent"))
}

fn decapsulate(count: u64, (local, peer): (&str, &str)) -> Result<(), String> {
    let mut device = device(local, peer, false)?;
    let from = Underlay::new(address(peer)?);
    let mut datagrams = [[0u8; 72]; FRAMES];
    for (number, datagram) in (0..).zip(&mut datagrams) {
        let header = [8, 0, 0, 0, 0, 0, 42, 0];
        for (byte, value) in datagram
            .iter_mut()
            .zip(header.into_iter().chain(frame(number, number + 1)))
        {
            *byte = value;
        }
    }
    let mut worker = Worker::new(Instant::from_millis(20));
    let mut delivered = 0u64;
    for datagram in (0..FRAMES).cycle().take(count as usize) {
        let Some(datagram) = datagrams.get_mut(datagram) else {
            continue;
        };
        let mut packet = Packet::new(datagram, 0, 72).map_err(fail)?;
        if let Ingress::Deliver(..) = device.receive(&mut worker, &from, &mut packet) {
            black_box(packet.bytes());
            delivered += 1;
        }
    }
    (delivered == count)
        .then_some(())
        .ok_or(format!("{delivered} of {count} delivered"))
}
