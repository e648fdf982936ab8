//! Sockets and whole devices on the loopback interface. Needs no privilege.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

#[path = "runner/ports.rs"]
mod ports;

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::thread::sleep;
use std::time::{Duration, Instant};

use vxlan_core::{Config, ConfigChange, Df, DropReason, Event, Mac, PortRange, Vni, world};
use vxlan_std::socket::{Datagram, Receiver};
use vxlan_std::{AddError, Buffer, DeviceId, Received, Vtep};

/// How long to wait for what has to come.
const PATIENCE: Duration = Duration::from_secs(20);
const HOST: Mac = Mac::new([2, 0, 0, 0, 0, 0xa]);
const GUEST: Mac = Mac::new([2, 0, 0, 0, 0, 0xb]);

/// An Ethernet frame of an IPv4/UDP packet: addresses, port and payload as told.
fn frame(from: Mac, to: Mac, port: u16, payload: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(to.octets());
    bytes.extend(from.octets());
    bytes.extend([0x08, 0x00]);
    let total = 28 + payload as u16;
    bytes.extend([0x45, 0]);
    bytes.extend(total.to_be_bytes());
    bytes.extend([0, 0, 0, 0, 33, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    bytes.extend(port.to_be_bytes());
    bytes.extend([0, 9]);
    bytes.extend((8 + payload as u16).to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(std::iter::repeat_n(0x5a, payload));
    bytes
}

fn config(vni: u32, port: u16, local: &str) -> Config {
    // Both ends are this host, and it is the sockets that are to be seen.
    Config::new(Vni::new(vni).unwrap())
        .port(port)
        .local(local.parse().unwrap())
        .local_bypass(false)
}

fn mac(last: u8) -> Mac {
    Mac::new([2, 0, 0, 0, 1, last])
}

fn send<'v>(
    vtep: &'v mut Vtep,
    device: DeviceId,
    buffer: &mut Buffer,
    frame: &[u8],
) -> &'v [DeviceId] {
    buffer.frame_area()[..frame.len()].copy_from_slice(frame);
    let sent = vtep.send(device, buffer, frame.len());
    assert_eq!(sent.dropped, None);
    sent.local
}

/// What the sockets bring, soon.
fn receive<T>(
    vtep: &mut Vtep,
    buffer: &mut Buffer,
    mut look: impl FnMut(Received<'_>) -> T,
) -> Option<T> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if let Some(received) = vtep.recv(buffer).unwrap() {
            return Some(look(received));
        }
        sleep(Duration::from_millis(1));
    }
    None
}

/// What a plain socket receives from a device that is told to flood to it.
struct Peer {
    vtep: Vtep,
    device: DeviceId,
    peer: Receiver,
    buffer: Buffer,
}

impl Peer {
    fn new(local: &str, peer: &str, change: impl Fn(Config) -> Config) -> Self {
        let address = SocketAddr::new(peer.parse().unwrap(), 0);
        let peer = Receiver::bind(address, None).unwrap();
        let mut vtep = Vtep::new();
        let config = change(config(42, ports::free(), local));
        let device = vtep.add(config, mac(1)).unwrap();
        let mut remote = vtep.remote(device, address.ip()).unwrap();
        remote.port = peer.local().port();
        vtep.fdb_append(device, Mac::ZERO, remote).unwrap();
        Self {
            vtep,
            device,
            peer,
            buffer: Buffer::new(),
        }
    }

    fn datagram(&mut self, frame: &[u8]) -> Datagram {
        send(&mut self.vtep, self.device, &mut self.buffer, frame);
        next(&self.peer, self.buffer.frame_area())
    }
}

/// The next datagram. A busy machine takes its time even on the loopback interface.
fn next(receiver: &Receiver, buffer: &mut [u8]) -> Datagram {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(datagram) = receiver.recv(buffer).unwrap() {
            return datagram;
        }
        assert!(Instant::now() < end, "no datagram");
        sleep(Duration::from_millis(1));
    }
}

#[test]
fn outer_type_of_service_is_told() {
    for (local, peer) in [("127.0.0.1", "127.0.0.2"), ("::1", "::1")] {
        let mut peer = Peer::new(local, peer, |config| config.tos(0xb8));
        let datagram = peer.datagram(&frame(HOST, GUEST, 1, 20));
        assert_eq!(datagram.from.tos, 0xb8);
        assert_eq!(datagram.from.source, local.parse::<IpAddr>().unwrap());
        assert_eq!(datagram.from.ifindex.map(|index| index.get()), Some(1));
        assert_eq!((datagram.len, datagram.truncated), (8 + 14 + 48, false));
    }
}

/// T-11: the TTL of each packet, whatever the one before it had.
#[test]
fn t11_time_to_live() {
    use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg};
    use std::os::fd::AsRawFd;

    let socket = socket2::Socket::from(UdpSocket::bind("127.0.0.2:0").unwrap());
    nix::sys::socket::setsockopt(&socket, nix::sys::socket::sockopt::Ipv4RecvTtl, &true).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    let mut vtep = Vtep::new();
    let mut buffer = Buffer::new();
    for (vni, ttl, inherit, want) in [(1, 5, false, 5), (2, 0, true, 33), (3, 77, false, 77)] {
        let config = config(vni, 4, "127.0.0.1")
            .port(ports::free())
            .ttl(ttl)
            .ttl_inherit(inherit);
        let device = vtep.add(config, mac(1)).unwrap();
        let mut remote = vtep.remote(device, "127.0.0.2".parse().unwrap()).unwrap();
        remote.port = port;
        vtep.fdb_append(device, Mac::ZERO, remote).unwrap();
        send(&mut vtep, device, &mut buffer, &frame(HOST, GUEST, 1, 20));
        let mut bytes = [0; 2048];
        let mut parts = [std::io::IoSliceMut::new(&mut bytes)];
        let mut control = nix::cmsg_space!(i32);
        let message = recvmsg::<SockaddrStorage>(
            socket.as_raw_fd(),
            &mut parts,
            Some(&mut control),
            MsgFlags::empty(),
        )
        .unwrap();
        let got = message.cmsgs().unwrap().next();
        assert_eq!(got, Some(ControlMessageOwned::Ipv4Ttl(want)));
    }
}

#[test]
fn a_datagram_longer_than_the_buffer_is_noticed() {
    let receiver = Receiver::bind("127.0.0.1:0".parse().unwrap(), None).unwrap();
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut buffer = [0; 16];
    assert_eq!(receiver.recv(&mut buffer).unwrap(), None);
    sender.send_to(&[1; 17], receiver.local()).unwrap();
    let datagram = next(&receiver, &mut buffer);
    assert_eq!((datagram.len, datagram.truncated), (16, true));
    sender.send_to(&[2; 16], receiver.local()).unwrap();
    let datagram = next(&receiver, &mut buffer);
    assert_eq!((datagram.len, datagram.truncated), (16, false));
}

/// T-13: flows differ in their source ports, packets of one flow do not.
#[test]
fn t13_source_ports_follow_the_flow() {
    for (local, to) in [("127.0.0.1", "127.0.0.2"), ("::1", "::1")] {
        let peer = UdpSocket::bind(SocketAddr::new(to.parse().unwrap(), 0)).unwrap();
        let mut vtep = Vtep::new();
        let device = vtep.add(config(42, ports::free(), local), mac(1)).unwrap();
        let mut remote = vtep.remote(device, to.parse().unwrap()).unwrap();
        remote.port = peer.local_addr().unwrap().port();
        vtep.fdb_append(device, Mac::ZERO, remote).unwrap();
        let mut buffer = Buffer::new();
        let mut bytes = [0; 128];
        let mut port_of = |flow| {
            send(
                &mut vtep,
                device,
                &mut buffer,
                &frame(HOST, GUEST, flow, 20),
            );
            peer.recv_from(&mut bytes).unwrap().1.port()
        };
        let mut ports: Vec<u16> = (0..64).map(&mut port_of).collect();
        let again: Vec<u16> = (0..64).map(&mut port_of).collect();
        assert_eq!(ports, again);
        ports.sort_unstable();
        ports.dedup();
        // 64 flows over 16 ports: fewer than half of them is all but impossible.
        assert!((8..=16).contains(&ports.len()), "{}", ports.len());
    }
}

/// T-13: a narrow range is met exactly; its upper bound is never chosen.
#[test]
fn t13_a_narrow_range_is_met_exactly() {
    let low = ports::free();
    let range = PortRange::new(low, low + 4).unwrap();
    let peer = UdpSocket::bind("127.0.0.2:0").unwrap();
    let mut vtep = Vtep::new();
    let mut buffer = Buffer::new();
    let mut ports = Vec::new();
    // Two devices may use the same range.
    for vni in [1, 2] {
        let config = config(vni, ports::free(), "127.0.0.1").port_range(range);
        let device = vtep.add(config, mac(1)).unwrap();
        let mut remote = vtep.remote(device, "127.0.0.2".parse().unwrap()).unwrap();
        remote.port = peer.local_addr().unwrap().port();
        vtep.fdb_append(device, Mac::ZERO, remote).unwrap();
        for flow in 0..64 {
            send(
                &mut vtep,
                device,
                &mut buffer,
                &frame(HOST, GUEST, flow, 20),
            );
            ports.push(peer.recv_from(&mut [0; 128]).unwrap().1.port());
        }
    }
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports, [low, low + 1, low + 2, low + 3]);
}

/// Source ports leave out the port that the device receives on, wherever the range lies.
#[test]
fn the_range_may_hold_the_own_port() {
    let port = ports::free();
    let range = PortRange::new(port, port + 4).unwrap();
    let mut vtep = Vtep::new();
    let config = config(1, port, "127.0.0.1").port_range(range);
    vtep.add(config.clone(), mac(1)).unwrap();
    assert_eq!(vtep.sockets().count(), 1);

    let own = PortRange::new(port, port + 1).unwrap();
    let mut vtep = Vtep::new();
    let refused = vtep.add(config.port(ports::free()).port_range(own), mac(1));
    assert!(
        matches!(refused, Err(AddError::SourcePorts { .. })),
        "{refused:?}"
    );
    assert_eq!(vtep.sockets().count(), 0);
}

/// A frame across, learned from, and answered to the learned remote.
#[test]
fn a_frame_across_and_back() {
    for (here, there) in [("127.0.0.1", "127.0.0.2"), ("::1", "::1")] {
        let (port_a, port_b) = (ports::free(), ports::free());
        let (mut a, mut b) = (Vtep::new(), Vtep::new());
        let on_a = a.add(config(42, port_a, here), mac(1)).unwrap();
        let on_b = b.add(config(42, port_b, there), mac(2)).unwrap();
        let mut to_b = a.remote(on_a, there.parse().unwrap()).unwrap();
        to_b.port = port_b;
        a.fdb_append(on_a, Mac::ZERO, to_b).unwrap();
        let (mut buffer, mut other) = (Buffer::new(), Buffer::new());

        let sent = frame(HOST, GUEST, 7, 100);
        send(&mut a, on_a, &mut buffer, &sent);
        receive(&mut b, &mut other, |received| match received {
            Received::Frame {
                device,
                frame,
                event: Some(Event::Learned(record)),
            } => {
                assert_eq!((device, frame), (on_b, &sent[..]));
                assert_eq!(record.key.mac, HOST);
                let remote = record.destination.remote().unwrap();
                assert_eq!(remote.addr, here.parse::<IpAddr>().unwrap());
            }
            other => panic!("{other:?}"),
        })
        .expect("a frame");
        let (a_stats, b_stats) = (a.stats(on_a).unwrap(), b.stats(on_b).unwrap());
        assert_eq!((a_stats.tx_packets, a_stats.tx_bytes), (1, 128));
        assert_eq!((b_stats.rx_packets, b_stats.rx_bytes), (1, 128));
    }
}

/// A frame for another device of this host takes no detour over the sockets.
#[test]
fn t15_t16_a_frame_for_this_host_bypasses_the_sockets() {
    let port = ports::free();
    let mut vtep = Vtep::new();
    let make = |vni| config(vni, port, "127.0.0.1").local_bypass(true);
    let one = vtep.add(make(1), mac(1)).unwrap();
    let two = vtep.add(make(2), mac(2)).unwrap();
    let mut remote = vtep.remote(one, "127.0.0.1".parse().unwrap()).unwrap();
    remote.vni = 2;
    vtep.fdb_append(one, Mac::ZERO, remote).unwrap();
    let mut buffer = Buffer::new();
    let sent = frame(HOST, GUEST, 7, 100);
    assert_eq!(send(&mut vtep, one, &mut buffer, &sent), [two]);
    assert_eq!(buffer.frame(sent.len()), sent);
    assert_eq!(vtep.stats(two).unwrap().rx_packets, 1);

    remote.vni = 3;
    vtep.fdb_append(one, Mac::ZERO, remote).unwrap();
    assert_eq!(send(&mut vtep, one, &mut buffer, &sent), [two]);
    let stats = vtep.stats(one).unwrap();
    assert_eq!(stats.drops(DropReason::LocalVniNotFound), 1);
}

/// One port, many VNIs: each gets what is its own, and nobody the rest.
#[test]
fn m23_devices_share_a_port() {
    let port = ports::free();
    let mut vtep = Vtep::new();
    let devices: Vec<_> = (1..=20)
        .map(|vni| vtep.add(config(vni, port, "127.0.0.1"), mac(1)).unwrap())
        .collect();
    assert_eq!(vtep.sockets().count(), 1);
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut buffer = Buffer::new();
    for vni in [1u8, 20, 13, 77] {
        let mut datagram = vec![8, 0, 0, 0, 0, 0, vni, 0];
        datagram.extend(frame(HOST, GUEST, 7, 10));
        sender.send_to(&datagram, ("127.0.0.1", port)).unwrap();
        let got = receive(&mut vtep, &mut buffer, |received| match received {
            Received::Frame { device, .. } => Some(device),
            Received::Dropped { reason, .. } => {
                assert_eq!(reason, Some(DropReason::VniNotFound));
                None
            }
            _ => panic!("{received:?}"),
        });
        let want = devices.get(usize::from(vni) - 1).copied();
        assert_eq!(got, Some(want), "{vni}");
    }
    assert_eq!(vtep.stray().drops(DropReason::VniNotFound), 1);

    // Taken by these devices; free again when the last of them is gone.
    assert!(UdpSocket::bind(("0.0.0.0", port)).is_err());
    for device in devices {
        assert!(vtep.remove(device).is_some());
    }
    assert!(UdpSocket::bind(("0.0.0.0", port)).is_ok());
}

/// What cannot be had is said, and nothing stays.
#[test]
fn m24_refusals_leave_nothing_behind() {
    let port = ports::free();
    let taken = UdpSocket::bind(("0.0.0.0", port)).unwrap();
    let mut vtep = Vtep::new();
    let refused = vtep.add(config(1, port, "127.0.0.1"), mac(1));
    assert!(matches!(refused, Err(AddError::Bind { .. })), "{refused:?}");
    drop(taken);
    vtep.add(config(1, port, "127.0.0.1"), mac(1)).unwrap();
    let again = vtep.add(config(1, port, "127.0.0.2"), mac(2));
    assert!(
        matches!(again, Err(AddError::World(world::Error::VniInUse))),
        "{again:?}"
    );
    let clash = vtep.add(config(2, port, "127.0.0.2").gbp(true), mac(2));
    assert!(
        matches!(clash, Err(AddError::World(world::Error::PortInUse))),
        "{clash:?}"
    );
    let group = vtep.add(config(2, port, "127.0.0.2"), Mac::BROADCAST);
    assert!(matches!(group, Err(AddError::Config(_))), "{group:?}");
    assert_eq!((vtep.devices().count(), vtep.sockets().count()), (1, 1));
}

/// A refusal is counted and ends nothing.
#[test]
fn too_long_is_counted() {
    let mut peer = Peer::new("127.0.0.1", "127.0.0.2", |config| config.df(Df::Set));
    let mut buffer = Buffer::new();
    let long = frame(HOST, GUEST, 1, 65_000);
    let area = buffer.frame_area();
    area[..long.len()].copy_from_slice(&long);
    peer.vtep.send(peer.device, &mut buffer, 65_535);
    let stats = peer.vtep.stats(peer.device).unwrap();
    assert_eq!(stats.drops(DropReason::PacketTooBig), 1);
    assert_eq!(stats.tx_packets, 0);
    peer.datagram(&frame(HOST, GUEST, 1, 20));
    assert_eq!(peer.vtep.stats(peer.device).unwrap().tx_packets, 1);
}

/// L-06: the first sweep comes ten seconds after the device went up; another ageing time sweeps
/// at once.
#[test]
fn l06_learned_entries_expire() {
    let port = ports::free();
    let mut vtep = Vtep::new();
    let before = Instant::now();
    let device = vtep.add(config(1, port, "127.0.0.1"), mac(1)).unwrap();
    let sweep = vtep.timeout().unwrap();
    let ten = Duration::from_secs(10);
    assert!(sweep <= ten && sweep + before.elapsed() >= ten, "{sweep:?}");
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut datagram = vec![8, 0, 0, 0, 0, 0, 1, 0];
    datagram.extend(frame(HOST, GUEST, 7, 10));
    sender.send_to(&datagram, ("127.0.0.1", port)).unwrap();
    let mut buffer = Buffer::new();
    receive(&mut vtep, &mut buffer, |_| ()).expect("a frame");
    assert_eq!(vtep.device(device).unwrap().fdb().len(), 1);
    assert_eq!(vtep.expire().count(), 0);
    let change = ConfigChange::new().ageing(Duration::from_secs(1));
    vtep.change(device, &change, |_, _| {}).unwrap();
    let end = Instant::now() + PATIENCE;
    let gone = loop {
        assert!(Instant::now() < end, "never");
        sleep(vtep.timeout().unwrap());
        if let Some(gone) = vtep.expire().next() {
            break gone;
        }
    };
    assert_eq!(gone.0, device);
    assert!(matches!(gone.1, Event::Removed(record) if record.key.mac == HOST));
    assert!(vtep.device(device).unwrap().fdb().is_empty());
}

/// Over IPv6 a packet without UDP checksum arrives where this is allowed, and only there.
#[test]
fn zero_checksums_over_ipv6() {
    let silent = |config: Config| config.udp_zero_checksum6_tx(true);
    for allowed in [false, true] {
        let mut peer = Peer::new("::1", "::1", silent);
        if allowed {
            peer.peer.accept_zero_checksum().unwrap();
        }
        let sent = frame(HOST, GUEST, 1, 20);
        send(&mut peer.vtep, peer.device, &mut peer.buffer, &sent);
        if !allowed {
            // What comes behind it is the first to arrive.
            let plain = UdpSocket::bind("[::1]:0").unwrap();
            plain.send_to(b"plain", peer.peer.local()).unwrap();
        }
        let datagram = next(&peer.peer, peer.buffer.frame_area());
        let want = if allowed { 8 + sent.len() } else { 5 };
        assert_eq!(datagram.len, want);
    }
}

/// Once everything is known, a packet costs no allocation, either way.
#[test]
fn packets_allocate_nothing() {
    for (here, there) in [("127.0.0.1", "127.0.0.2"), ("::1", "::1")] {
        let (port_a, port_b) = (ports::free(), ports::free());
        let (mut a, mut b) = (Vtep::new(), Vtep::new());
        let on_a = a.add(config(42, port_a, here), mac(1)).unwrap();
        b.add(config(42, port_b, there), mac(2)).unwrap();
        let mut to_b = a.remote(on_a, there.parse().unwrap()).unwrap();
        to_b.port = port_b;
        a.fdb_append(on_a, Mac::ZERO, to_b).unwrap();
        let (mut buffer, mut other) = (Buffer::new(), Buffer::new());
        let sent = frame(HOST, GUEST, 7, 100);
        let mut across = |count: usize| {
            for _ in 0..count {
                send(&mut a, on_a, &mut buffer, &sent);
                while b.recv(&mut other).unwrap().is_none() {}
            }
        };
        across(2);
        let allocated = allocation_counter::measure(|| across(50));
        assert_eq!(allocated.count_total, 0, "{allocated:?}");
    }
}
