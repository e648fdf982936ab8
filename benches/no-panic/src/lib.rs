//! Proof at link time that the data path cannot panic.
//!
//! The panic handler calls a function that exists nowhere. If any code reachable from an entry
//! point below can panic, the linker finds that call and fails; [`check`](../check) tells.

#![no_std]

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::panic::PanicInfo;

use vxlan_core::neighbour::{Lookup, Neighbour};
use vxlan_core::offload::{self, Coalesced, Coalescer};
use vxlan_core::packet::{Gso, GsoKind};
use vxlan_core::vni_filter::{Slot, WithVnis};
use vxlan_core::vtep::Member;
use vxlan_core::wire::ethernet::EtherType;
use vxlan_core::wire::vlan::Tag;
use vxlan_core::world::{self, SocketKey};
use vxlan_core::{
    ChecksumState, Device, Egress, Encapsulated, Flags, IfIndex, Ingress, Instant, Mac, Packet,
    Route, RouteKind, Underlay, Vni, Vtep, Worker, World, device, fdb, mdb, netlink, nexthop, wire,
};

unsafe extern "C" {
    safe fn the_data_path_can_panic() -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    the_data_path_can_panic()
}

type Table = Device<fdb::Fixed<64, 64, 64>>;
type Listed = Device<WithVnis<fdb::Fixed<64, 64, 64>, [Slot; 64]>>;
type Groups = Device<mdb::With<fdb::Fixed<64, 64, 64>, mdb::Fixed<64, 64, 64, 64>>>;

/// A UDP payload of any content.
#[unsafe(no_mangle)]
pub extern "C" fn receive(
    device: &mut Table,
    worker: &mut Worker,
    vtep: &Vtep<[Member; 64]>,
    buffer: &mut [u8; 2048],
    len: usize,
    tos: u8,
    source: u32,
) -> usize {
    let from = Underlay::new(IpAddr::V4(Ipv4Addr::from_bits(source))).tos(tos);
    let Ok(mut datagram) = Packet::new(buffer, 0, len) else {
        return 0;
    };
    if vtep.demultiplex(datagram.bytes(), None).is_err() {
        return 0;
    }
    match device.receive(worker, &from, &mut datagram) {
        Ingress::Deliver(..) => datagram.len(),
        _ => 0,
    }
}

type Small = World<world::Fixed<fdb::Fixed<64, 64, 64>, 8, 4, 8>>;

/// A UDP payload of any content, at each socket of a world; its frame, tagged, to another device of
/// the same host.
#[unsafe(no_mangle)]
pub extern "C" fn of_world(
    world: &mut Small,
    worker: &mut Worker,
    buffer: &mut [u8; 2048],
    len: usize,
    port: u16,
    vni: u32,
    tci: u16,
) -> usize {
    let Ok(mut datagram) = Packet::new(buffer, 0, len) else {
        return 0;
    };
    let key = SocketKey {
        ipv6: false,
        port,
        flags: Flags::empty(),
        interface: None,
    };
    let local = world.find(&key, Vni::truncate(vni), None);
    let mut sockets = world.sockets();
    let found = sockets.find_map(|(id, _)| world.demultiplex(id, datagram.bytes(), None).ok());
    drop(sockets);
    let Some(netdev) = found.and_then(|id| world.device_mut(id)) else {
        return 0;
    };
    let from = Underlay::new(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let device = netdev.device_mut();
    if !matches!(
        device.receive(worker, &from, &mut datagram),
        Ingress::Deliver(..)
    ) {
        return 0;
    }
    let tag = Tag::from_tci(EtherType::new(0x8100), tci);
    let tagged = device::push_tag(&mut datagram, tag).is_ok();
    usize::from(tagged) + local.map_or(0, |id| id.place())
}

/// A host that knows nothing but the numbers.
struct Numbers(u32);

impl netlink::neighbour::Host for Numbers {
    fn has_interface(&self, ifindex: IfIndex) -> bool {
        ifindex.get() < self.0
    }

    fn nexthop(&self, id: fdb::NexthopId, _: bool) -> Result<(), fdb::NexthopError> {
        if id.get() < self.0 {
            Ok(())
        } else {
            Err(fdb::NexthopError::Unknown)
        }
    }
}

/// Netlink requests of any content, and what is told of them.
#[unsafe(no_mangle)]
pub extern "C" fn requests(
    config: &device::Valid,
    bytes: &[u8; 4096],
    len: usize,
    flags: u16,
    out: &mut [u8; 512],
    room: usize,
) -> usize {
    use netlink::neighbour::{Message, Operation, Request, Teller};

    let bytes = bytes.get(..len).unwrap_or_default();
    let out = out.get_mut(..room).unwrap_or_default();
    let mut written = 0;
    if let Ok(request) = netlink::link::Request::parse(bytes, config.compat()) {
        written += usize::from(request.change(config).is_ok());
        if let Ok(new) = request.new_device()
            && let Ok(valid) = new.config.validate()
        {
            written += valid.write_attributes(out).unwrap_or(0);
        }
    }
    let Some((header, content, _)) = netlink::Header::split(bytes) else {
        return written;
    };
    let operation = Operation::of(&netlink::Header { flags, ..header });
    let teller = Teller {
        config,
        ifindex: IfIndex::LOOPBACK,
        netns: Some(i32::from(flags as u8)),
        now: Instant::MAX,
    };
    let message = operation.map(|operation| Message::parse(operation, content));
    if let Some(Ok(message)) = message
        && let Ok(Request::Update { update, .. }) = message.request(config, &Numbers(room as u32))
        && let fdb::Target::Remote(remote) = update.destination
    {
        let record = fdb::Record {
            key: update.key,
            state: update.state,
            flags: update.flags,
            destination: remote.into(),
            updated: Instant::ZERO,
            used: Instant::ZERO,
        };
        written += teller.record(&header, &record, out).unwrap_or(0);
        written += teller.l2_miss(update.key.mac, out).unwrap_or(0);
        written += teller.l3_miss(remote.addr, out).unwrap_or(0);
    }
    written
}

/// A frame of any content, to all its remotes.
#[unsafe(no_mangle)]
pub extern "C" fn transmit(
    device: &Table,
    worker: &mut Worker,
    buffer: &mut [u8; 2048],
    headroom: usize,
    len: usize,
    mtu: u32,
    local: bool,
    out: &mut [u8; 2048],
) -> usize {
    let Ok(mut frame) = Packet::new(buffer, headroom, len) else {
        return 0;
    };
    let Egress::Forward(remotes) = device.transmit(worker, &mut frame) else {
        return 0;
    };
    let mut sent = 0;
    for remote in remotes {
        let source = match remote.addr {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        };
        let kind = if local {
            RouteKind::Local
        } else {
            RouteKind::Unicast
        };
        let route = Ok(Route::new(source, mtu).kind(kind));
        match device.encapsulate(worker, &mut frame, remote, route) {
            Encapsulated::Send(outer) => {
                for segment in outer.segments() {
                    sent += segment.write(out).unwrap_or(0);
                }
                if let Some(mtu) = outer.needs_fragments()
                    && let Ok(fragments) = wire::ipv4::fragments(outer.ip_packet(), mtu as usize)
                {
                    for fragment in fragments {
                        sent += fragment.write(out).unwrap_or(0);
                    }
                }
                sent += outer
                    .ethernet(Default::default(), Default::default())
                    .map_or(0, <[u8]>::len);
            }
            Encapsulated::Reply(reply) => sent += usize::from(reply.undo(&mut frame).is_ok()),
            _ => {}
        }
    }
    sent
}

/// A frame of any content for a proxy or a short-circuit, and any neighbour or none.
#[unsafe(no_mangle)]
pub extern "C" fn suppress(
    device: &Table,
    worker: &mut Worker,
    buffer: &mut [u8; 2048],
    headroom: usize,
    len: usize,
    mac: &[u8; 6],
    state: u16,
    known: u8,
) -> usize {
    let Ok(mut frame) = Packet::new(buffer, headroom, len) else {
        return 0;
    };
    let table = |_: IpAddr| match known {
        0 => Lookup::NoTable,
        1 => Lookup::Unknown,
        _ => Lookup::Found(Neighbour {
            mac: Mac::new(*mac),
            state: fdb::State::from_bits_retain(state),
            router: known & 2 != 0,
        }),
    };
    match device.transmit_with(worker, &mut frame, &table) {
        (Egress::Reply(_), _) => frame.len(),
        (_, miss) => usize::from(miss.is_some()),
    }
}

/// A packet of any content, cut by any size.
#[unsafe(no_mangle)]
pub extern "C" fn segment(
    buffer: &[u8; 2048],
    len: usize,
    size: u16,
    out: &mut [u8; 2048],
) -> usize {
    let packet = buffer.get(..len).unwrap_or_default();
    let mut written = 0;
    for kind in [GsoKind::TcpV4, GsoKind::TcpV6, GsoKind::Udp] {
        let gso = Gso { kind, size };
        for cut in [
            offload::segments(packet, gso),
            offload::segments_of_frame(packet, gso),
        ] {
            for segment in cut.into_iter().flatten() {
                written += segment.write(out).unwrap_or(0);
            }
        }
    }
    written
}

/// Packets of any content, put together.
#[unsafe(no_mangle)]
pub extern "C" fn coalesce(packets: &[[u8; 256]; 8], len: usize, out: &mut [u8; 2048]) -> usize {
    let mut coalescer = Coalescer::of_packets(out, len % 64);
    let mut taken = 0;
    for packet in packets {
        let packet = packet.get(..len).unwrap_or_default();
        if coalescer.push(packet, ChecksumState::None) == Coalesced::Flush || coalescer.is_closed()
        {
            taken += coalescer.take().map_or(0, |whole| whole.packet.len());
        }
    }
    taken
}

/// A UDP payload of any content for a device with a VNI filter, and back what came out of it.
#[unsafe(no_mangle)]
pub extern "C" fn filtered(
    device: &mut Listed,
    worker: &mut Worker,
    buffer: &mut [u8; 2048],
    len: usize,
    source: u32,
    mtu: u32,
) -> usize {
    let source = IpAddr::V4(Ipv4Addr::from_bits(source));
    let Ok(mut packet) = Packet::new(buffer, 0, len) else {
        return 0;
    };
    let Ingress::Deliver(..) = device.receive(worker, &Underlay::new(source), &mut packet) else {
        return 0;
    };
    let Egress::Tunnel = device.transmit(worker, &mut packet) else {
        return 0;
    };
    let route = Ok(Route::new(source, mtu));
    match device.encapsulate_by_info(worker, &mut packet, route) {
        Encapsulated::Send(outer) => outer.ip_packet().len(),
        _ => 0,
    }
}

/// A VNI comes, is counted and goes.
#[unsafe(no_mangle)]
pub extern "C" fn list(device: &mut Listed, vni: u32, group: u32) -> usize {
    let group = Some(IpAddr::V4(Ipv4Addr::from_bits(group)));
    let added = device.add_vni(Instant::ZERO, vni, group, false).is_ok();
    let spans = device.vnis().spans().count();
    let packets = device
        .vnis()
        .find(vni)
        .map_or(0, |entry| entry.stats().rx_packets);
    let removed = device.remove_vni(vni).is_ok();
    spans + packets as usize + usize::from(added) + usize::from(removed)
}

/// A frame of any content, to whoever wants its group or to one path of a nexthop group.
#[unsafe(no_mangle)]
pub extern "C" fn transmit_to_group(
    device: &Groups,
    worker: &mut Worker,
    buffer: &mut [u8; 2048],
    len: usize,
    paths: &[nexthop::Path; 16],
) -> usize {
    let Ok(mut frame) = Packet::new(buffer, 128, len) else {
        return 0;
    };
    match device.transmit(worker, &mut frame) {
        Egress::Multicast(copies) => copies.map(|remote| usize::from(remote.port)).sum(),
        Egress::Nexthop(_) => {
            let paths = paths.get(..len % 32).unwrap_or_default();
            let remote = device.remote_in(nexthop::Group(paths), &frame);
            usize::from(remote.is_some())
        }
        _ => 0,
    }
}

/// Any request to the multicast database, and its dump.
#[unsafe(no_mangle)]
pub extern "C" fn mdb_requests(
    device: &mut Groups,
    request: &mdb::Request<'_>,
    filter: &mdb::Filter,
    cursor: &mut mdb::Cursor,
) -> usize {
    let mut told = 0;
    let mut tell = |_: mdb::Message, record: &mdb::Record<'_>| told += record.sources().count();
    let _ = device.mdb_add(request, &mut tell);
    let _ = device.mdb_remove(request, &mut tell);
    device.mdb_flush(filter, &mut tell);
    let mut dump = device.mdb().resume(*cursor);
    let lines = dump.by_ref().count();
    *cursor = dump.cursor();
    lines + told
}

/// Time passes.
#[unsafe(no_mangle)]
pub extern "C" fn age(device: &mut Table, millis: u64) -> usize {
    device.age(Instant::from_millis(millis)).count()
}

/// Can panic: the linker must notice.
#[cfg(feature = "control")]
#[unsafe(no_mangle)]
pub extern "C" fn control(buffer: &[u8; 2048], at: usize) -> u8 {
    buffer[at]
}
