//! What any reply to any frame has to be.

use super::*;

/// Checks what any reply to any frame has to be.
fn check(
    frame: &[u8],
    headroom: usize,
    gso: Option<Gso>,
    checksum: ChecksumState,
    mtu: u32,
) -> bool {
    let mut buffer = [&vec![0; headroom][..], frame, &[7; 5]].concat();
    let mut packet = Packet::new(&mut buffer, headroom, frame.len()).unwrap();
    (packet.gso, packet.checksum) = (gso, checksum);
    let (end, stats) = send(&port(config()), &mut packet, mtu);
    let End::Answered(reply) = end else {
        if checksum == ChecksumState::None {
            assert_eq!(packet.bytes(), frame);
        }
        assert_eq!((packet.headroom(), packet.tailroom()), (headroom, 5));
        assert_eq!(stats.rx_packets, 0);
        return false;
    };
    let bytes = packet.bytes();
    let len = bytes.len() as u64;
    assert_eq!(
        (bytes[..6].to_vec(), &bytes[6..12]),
        (frame[6..12].to_vec(), &frame[..6])
    );
    let quote = if frame[12] == 8 {
        let (ip, options, message) = ip4::Header::parse(&bytes[14..]).unwrap();
        assert!(ip.verify_checksum(options) && options.is_empty() && bytes.len() <= 590);
        assert_eq!(checksum::sum(message), 0xffff);
        &message[8..]
    } else {
        let (ip, message) = ip6::Header::parse(&bytes[14..]).unwrap();
        let addresses: Addresses = ip.addresses();
        let sum = addresses.pseudo_header_sum(58, message.len() as u32);
        assert_eq!(sum.add_bytes(message).fold(), 0xffff);
        assert!(bytes.len() <= 1294);
        &message[8..]
    };
    assert!(frame[14..].starts_with(quote));
    assert_eq!(
        (stats.tx_packets, stats.tx_bytes, stats.rx_bytes),
        (1, len, len)
    );
    reply.undo(&mut packet).unwrap();
    assert_eq!(packet.bytes(), frame);
    assert_eq!((packet.headroom(), packet.tailroom()), (headroom, 5));
    assert_eq!((packet.gso, packet.checksum), (gso, checksum));
    true
}

/// T-28: every length of the recorded frames, as one packet and as one for pieces that are too
/// long: then even a bare header is quoted.
#[test]
fn t28_any_cut_of_a_recorded_frame() {
    let checksum = ChecksumState::Partial {
        start: 54,
        offset: 16,
    };
    for (hex, kind, bare, mtu) in [
        (IPV4, GsoKind::TcpV4, 14 + 20, 576),
        (IPV6, GsoKind::TcpV6, 14 + 40, 1280),
    ] {
        let frame = bytes(hex);
        let gso = Some(Gso { kind, size: 60_000 });
        let state = |gso: Option<Gso>| gso.map_or(ChecksumState::None, |_| checksum);
        for len in 0..frame.len() {
            let cut = &frame[..len];
            let whole = check(cut, HEADROOM, None, ChecksumState::None, mtu + 50);
            assert!(!whole, "{len} fits");
            // Without its TCP header a frame cannot be cut, so it counts whole.
            let pieces = check(cut, HEADROOM, gso, state(gso), mtu + 50);
            assert_eq!(pieces, len > bare.max(54 + 12), "{len}");
        }
    }
}

proptest! {
    /// T-28: no frame panics, and what is not answered is not changed.
    #[test]
    fn t28_any_frame(
        mut frame in prop_oneof![
            1 => vec(any::<u8>(), 0..100),
            4 => vec(any::<u8>(), 500..1600),
        ],
        network in prop_oneof![4 => 0_usize..2, 1 => 2_usize..4],
        shape in 0_u8..6,
        headroom in prop_oneof![4 => Just(HEADROOM), 1 => 0_usize..80],
        size in any::<Option<u16>>(),
        start: u16,
        mtu in prop_oneof![
            4 => prop_oneof![Just(626_u32), Just(1330)],
            1 => prop_oneof![0_u32..1700, any::<u32>()],
        ],
    ) {
        let types: [&[u8]; 4] = [&[8, 0], &[0x86, 0xdd], &[0x81, 0, 0, 0, 8, 0], &[8, 6]];
        let ethertype = types[network];
        if let Some(place) = frame.get_mut(12..12 + ethertype.len()) {
            place.copy_from_slice(ethertype);
        }
        // Let some headers through: DF alone, and next headers that make Linux walk.
        if let Some(place) = frame.get_mut(20..22).filter(|_| shape > 0) {
            let next = [0x40, 0, 44, 51, 60, 58][usize::from(shape)];
            place.copy_from_slice(&[if network == 0 { 0x40 } else { next }, 0]);
        }
        let kinds = [GsoKind::TcpV4, GsoKind::TcpV6, GsoKind::Udp];
        let gso = size.map(|size| Gso { kind: kinds[usize::from(shape) % 3], size });
        let checksum = match start {
            0..30_000 => ChecksumState::None,
            start => ChecksumState::Partial { start: start % 100, offset: 16 },
        };
        check(&frame, headroom, gso, checksum, mtu);
    }
}
