//! What is encapsulated can be received: any legal frame, configuration and remote.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

mod common;

use common::*;
use proptest::prelude::*;
use vxlan_core::packet::HEADROOM;
use vxlan_core::wire::ethernet::EtherType;
use vxlan_core::wire::{ipv4, ipv6, udp, vxlan};
use vxlan_core::{
    ChecksumState, Config, Df, Egress, Encapsulated, FlowLabel, Ingress, Instant, Mac, Packet,
    Route, TunnelInfo, Underlay, Vni, Worker, checksum,
};

/// The options that both ends share, and those of the sender alone.
#[derive(Clone, Copy, Debug)]
struct Options {
    ipv6: bool,
    gbp: bool,
    rco: bool,
    nopartial: bool,
    checksum: bool,
    ttl: u8,
    ttl_inherit: bool,
    tos: u8,
    df: Df,
    label: FlowLabel,
}

fn options() -> impl Strategy<Value = Options> {
    let df = prop_oneof![Just(Df::Unset), Just(Df::Set), Just(Df::Inherit)];
    let label = prop_oneof![
        (0u32..1 << 20).prop_map(FlowLabel::Fixed),
        Just(FlowLabel::Inherit(0))
    ];
    (any::<[bool; 6]>(), any::<u8>(), any::<u8>(), df, label).prop_map(
        |([ipv6, gbp, rco, nopartial, checksum, ttl_inherit], ttl, tos, df, label)| Options {
            ipv6,
            gbp,
            rco,
            nopartial,
            checksum,
            ttl,
            ttl_inherit,
            // Congestion is the network's to tell, not the configuration's.
            tos: tos & !3,
            df,
            label: if ipv6 { label } else { FlowLabel::Fixed(0) },
        },
    )
}

impl Options {
    fn config(self, vni: u32) -> Config {
        let config = if self.ipv6 { config6() } else { config() };
        config
            .vni(Vni::truncate(vni))
            .gbp(self.gbp)
            .remote_checksum_tx(self.rco)
            .remote_checksum_rx(self.rco)
            .remote_checksum_nopartial(self.nopartial)
            .udp_checksum(self.checksum)
            .udp_zero_checksum6_tx(!self.checksum)
            .ttl(self.ttl)
            .ttl_inherit(self.ttl_inherit)
            .tos(self.tos)
            .df(self.df)
            .flow_label(self.label)
    }
}

/// Frames of a guest: any addresses, tags, IPv4, IPv6 and others.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let inner = prop_oneof![
        (any::<u8>(), any::<u8>()).prop_map(|(tos, ttl)| (0x0800, ipv4(tos, ttl))),
        (any::<u8>(), any::<u8>(), 0u32..1 << 20)
            .prop_map(|(class, hops, label)| (0x86dd, ipv6(class, hops, label))),
        (0x0600u16..0x0800).prop_map(|ethertype| (ethertype, Vec::new())),
        Just((0x0806, vec![0; 28])),
    ];
    let tags = proptest::collection::vec((any::<bool>(), any::<u16>()), 0..3);
    let data = proptest::collection::vec(any::<u8>(), 1..300);
    (any::<[u8; 6]>(), any::<[u8; 5]>(), tags, inner, data).prop_map(
        |(to, from, tags, (ethertype, header), data)| {
            let from = Mac::new([from[0] & 0xfe | 2, from[1], from[2], from[3], from[4], 0x77]);
            let mut bytes = [Mac::new(to).octets(), from.octets()].concat();
            for (service, id) in tags {
                bytes.extend(if service { [0x88, 0xa8] } else { [0x81, 0x00] });
                bytes.extend(id.to_be_bytes());
            }
            bytes.extend(ethertype.to_be_bytes());
            bytes.extend(header);
            bytes.extend(data);
            bytes
        },
    )
}

/// The outer packet is what its headers say, and its checksums are right.
fn well_formed(packet: &[u8], options: Options) -> Result<(), TestCaseError> {
    let (addresses, datagram) = if options.ipv6 {
        let (header, datagram) = ipv6::Header::parse(packet).unwrap();
        prop_assert_eq!(usize::from(header.payload_length()), datagram.len());
        (header.addresses(), datagram)
    } else {
        let (header, rest, datagram) = ipv4::Header::parse(packet).unwrap();
        prop_assert!(header.verify_checksum(rest));
        prop_assert_eq!(usize::from(header.total_length()), packet.len());
        (header.addresses(), datagram)
    };
    let (header, payload) = udp::Header::parse(datagram).unwrap();
    prop_assert_eq!(usize::from(header.length()), datagram.len());
    let wanted = match options.checksum {
        true => udp::Verdict::Valid,
        false => udp::Verdict::Absent,
    };
    prop_assert_eq!(udp::verify(addresses, datagram), wanted);
    prop_assert!(vxlan::Header::parse(payload).is_ok());
    Ok(())
}

/// Sends a frame over a wide path and returns the outer IP packet and the UDP payload.
fn sent(
    device: &Table,
    frame: &[u8],
    prepare: impl FnOnce(&mut Packet<'_>),
) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut worker = Worker::new(Instant::ZERO);
    let mut buffer = [&[0; HEADROOM][..], frame].concat();
    let mut packet = Packet::new(&mut buffer, HEADROOM, frame.len()).unwrap();
    prepare(&mut packet);
    let wide = |to| any_route(to).map(|route| Route::new(route.source, 9000));
    let outer = match device.transmit(&mut worker, &mut packet) {
        Egress::Forward(mut remotes) => {
            let remote = *remotes.next()?;
            device.encapsulate(&mut worker, &mut packet, &remote, wide(remote.addr))
        }
        Egress::Tunnel => {
            let to = packet.tunnel.as_ref()?.destination;
            device.encapsulate_by_info(&mut worker, &mut packet, wide(to))
        }
        _ => return None,
    };
    match outer {
        Encapsulated::Send(outer) => {
            Some((outer.ip_packet().to_vec(), outer.udp_payload().to_vec()))
        }
        _ => None,
    }
}

fn outer_tos(packet: &[u8], ipv6: bool) -> u8 {
    match ipv6 {
        true => ipv6::Header::parse(packet).unwrap().0.traffic_class(),
        false => ipv4::Header::parse(packet).unwrap().0.tos(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    /// R-16, T-23: the frame that arrives is the frame that was sent, and so is its policy.
    #[test]
    fn r16_t23_what_is_sent_arrives(
        options in options(),
        vni in 0..=Vni::MAX.get(),
        frame in frames(),
        mark in any::<u32>(),
    ) {
        let sender = device(options.config(vni));
        let mut receiver = device(options.config(vni));
        let (outer, payload) = sent(&sender, &frame, |packet| packet.mark = mark).unwrap();
        well_formed(&outer, options)?;

        let from = Underlay::new(sender.config().local()).tos(outer_tos(&outer, options.ipv6));
        let received = receive(&mut receiver, &from, &payload);
        let Ingress::Deliver(metadata, _) = received.ingress else {
            return Err(TestCaseError::fail(format!("{:?}", received.ingress)));
        };
        prop_assert_eq!(&received.bytes, &frame);
        prop_assert_eq!(metadata.vni.get(), vni);
        // Policy, and whether it was applied and may be learned from: what a header has room for.
        let carried = mark & 0x0048_ffff;
        let want = if options.gbp && carried != 0 { carried } else { 0x1111 };
        prop_assert_eq!(received.mark, want);
        prop_assert_eq!(received.stats.rx_packets, 1);
        prop_assert_eq!(received.stats.rx_bytes, frame.len() as u64 - 14);
    }

    /// R-05, T-20: a checksum that was left to the remote is right when it arrives, whoever fills
    /// it in; one that was not left to it is right on the wire.
    #[test]
    fn r05_t20_a_checksum_left_to_the_remote_is_right(
        options in options(),
        data in proptest::collection::vec(any::<u8>(), 0..200),
        tcp in any::<bool>(),
    ) {
        let (number, offset, len) = if tcp { (6, 16, 20) } else { (17, 6, 8) };
        let mut segment = vec![0; len];
        segment.extend(&data);
        let mut header = ipv4(0, 64);
        header[9] = number;
        header[2..4].copy_from_slice(&(20 + segment.len() as u16).to_be_bytes());
        let (mut fixed, _) = ipv4::Header::split(&header).unwrap();
        fixed.fill_checksum(&[]);
        let pseudo = fixed
            .addresses()
            .pseudo_header_sum(number, segment.len() as u32)
            .fold();
        segment[offset..offset + 2].copy_from_slice(&pseudo.to_be_bytes());
        let partial = frame(mac(9), mac(8), 0x0800, &[&fixed.to_bytes()[..], &segment].concat());
        let mut whole = partial.clone();
        prop_assert!(checksum::fill(&mut whole, 34, offset));

        let sender = device(options.config(42));
        let mut receiver = device(options.config(42));
        let (_, payload) = sent(&sender, &partial, |packet| {
            packet.checksum = ChecksumState::Partial { start: 34, offset: offset as u16 };
        })
        .unwrap();
        let mut bytes = payload;
        let len = bytes.len();
        let mut packet = Packet::new(&mut bytes, 0, len).unwrap();
        let mut worker = Worker::new(Instant::ZERO);
        let from = Underlay::new(sender.config().local());
        let ingress = receiver.receive(&mut worker, &from, &mut packet);
        prop_assert!(matches!(ingress, Ingress::Deliver(..)), "{ingress:?}");
        let state = packet.checksum;
        if let ChecksumState::Partial { start, offset } = state {
            prop_assert!(options.rco && !options.nopartial);
            prop_assert!(checksum::fill(packet.bytes_mut(), start.into(), offset.into()));
        }
        prop_assert_eq!(packet.bytes(), &whole[..]);
    }

    /// Over external mode the metadata beside the frame comes out as it went in.
    #[test]
    fn t18_metadata_survives_the_wire(
        frame in frames(),
        vni in 0..=Vni::MAX.get(),
        tos in any::<u8>(),
        label in 0u32..1 << 20,
        gbp in proptest::option::of(any::<u32>()),
        checksum in any::<bool>(),
        ipv6 in any::<bool>(),
    ) {
        let external = || {
            let config = Config::new(Vni::MIN).external(true).learning(false).port(4789);
            device(config.gbp(true).udp_zero_checksum6_rx(true))
        };
        let to = ip(if ipv6 { "2001:db8::2" } else { "192.0.2.2" });
        let mut info = TunnelInfo::new(vni, to);
        (info.tos, info.ttl, info.checksum) = (tos & !3, 9, checksum);
        (info.flow_label, info.gbp) = (if ipv6 { label } else { 0 }, gbp);
        let (sender, mut receiver) = (external(), external());
        let (outer, payload) = sent(&sender, &frame, |packet| packet.tunnel = Some(info)).unwrap();
        let mut bytes = payload;
        let len = bytes.len();
        let mut packet = Packet::new(&mut bytes, 0, len).unwrap();
        let mut worker = Worker::new(Instant::ZERO);
        let from = Underlay::new(any_route(to).unwrap().source).tos(outer_tos(&outer, ipv6));
        let ingress = receiver.receive(&mut worker, &from, &mut packet);
        prop_assert!(matches!(ingress, Ingress::Deliver(..)), "{ingress:?}");
        prop_assert_eq!(packet.bytes(), &frame[..]);
        let received = packet.tunnel.unwrap();
        prop_assert_eq!(received.vni, vni);
        prop_assert_eq!(received.tos & !3, tos & !3);
        let carried = gbp.unwrap_or(0) & 0x0048_ffff;
        prop_assert_eq!(received.gbp.unwrap_or(0), carried);
    }

    /// without an inner Ethernet header the protocol travels in the VXLAN header.
    #[test]
    fn r16_a_packet_without_ethernet_header_arrives(
        tos in any::<u8>(),
        data in proptest::collection::vec(any::<u8>(), 0..200),
        six in any::<bool>(),
    ) {
        let gpe = || {
            device(Config::new(Vni::MIN).external(true).learning(false).gpe(true))
        };
        let (ethertype, mut inner) = match six {
            true => (EtherType::IPV6, ipv6(tos, 64, 0)),
            false => (EtherType::IPV4, ipv4(tos, 64)),
        };
        inner.extend(data);
        let (sender, mut receiver) = (gpe(), gpe());
        let info = TunnelInfo::new(7, ip("192.0.2.2"));
        let (outer, payload) = sent(&sender, &inner, |packet| {
            packet.protocol = ethertype;
            packet.tunnel = Some(info);
        })
        .unwrap();
        let from = Underlay::new(ip("192.0.2.1")).tos(outer_tos(&outer, false));
        let received = receive(&mut receiver, &from, &payload);
        let Ingress::Deliver(metadata, _) = received.ingress else {
            return Err(TestCaseError::fail(format!("{:?}", received.ingress)));
        };
        prop_assert_eq!(metadata.protocol, ethertype);
        prop_assert_eq!(received.bytes, inner);
    }
}
