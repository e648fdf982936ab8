//! Frames that are too long for the path: who is answered, and how.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail loudly"
)]

#[path = "path_mtu/anything.rs"]
mod anything;
mod common;
#[path = "path_mtu/conditions.rs"]
mod conditions;

use common::*;
use proptest::collection::vec;
use proptest::prelude::*;
use vxlan_core::device::{PacketType, Reply};
use vxlan_core::packet::{Gso, GsoKind, HEADROOM};
use vxlan_core::wire::ethernet::EtherType;
use vxlan_core::wire::{Addresses, ipv4 as ip4, ipv6 as ip6};
use vxlan_core::{
    ChecksumState, Compat, Config, DropReason, Egress, Encapsulated, Instant, Mac, Packet, Route,
    Stats, TunnelInfo, Vni, Worker, checksum,
};

/// What a route adds to the MTU of its inner packets.
const OVERHEAD_IPV4: u32 = 50;
const OVERHEAD_IPV6: u32 = 70;

/// What became of a frame.
#[derive(Debug, PartialEq)]
enum End {
    Sent(Vec<u8>),
    Answered(Reply),
    Dropped(DropReason),
}

/// A port of a bridge.
fn port(config: Config) -> Table {
    let mut device = device(config);
    device.set_bridge_port(true);
    device
}

fn config_external() -> Config {
    Config::new(Vni::MIN).learning(false).external(true)
}

/// Sends a packet to the default remote, over a path this wide.
fn send(device: &Table, packet: &mut Packet<'_>, mtu: u32) -> (End, Stats) {
    let mut worker = Worker::new(Instant::ZERO);
    let remote = device.remote(device.config().remote());
    let route = Route::new(device.config().local(), mtu);
    let end = match device.encapsulate(&mut worker, packet, &remote, Ok(route)) {
        Encapsulated::Send(outer) => End::Sent(outer.ip_packet().to_vec()),
        Encapsulated::Reply(reply) => End::Answered(reply),
        Encapsulated::Drop(reason) => End::Dropped(reason),
        other => panic!("{other:?}"),
    };
    (end, worker.stats)
}

/// The answer to a frame whose inner path is this wide. A frame without one is unchanged.
fn answer_within(device: &Table, frame: &[u8], mtu: u32) -> Option<Vec<u8>> {
    let overhead = if device.config().is_ipv6() {
        OVERHEAD_IPV6
    } else {
        OVERHEAD_IPV4
    };
    let mut buffer = [&[0; HEADROOM][..], frame].concat();
    let mut packet = Packet::new(&mut buffer, HEADROOM, frame.len()).unwrap();
    match send(device, &mut packet, mtu + overhead) {
        (End::Answered(reply), _) => {
            assert_eq!(reply.mtu(), mtu);
            Some(packet.bytes().to_vec())
        }
        (End::Sent(_) | End::Dropped(DropReason::PacketTooBig), _) => {
            assert_eq!(packet.bytes(), frame);
            None
        }
        (End::Dropped(reason), _) => panic!("{reason}"),
    }
}

/// Whether a frame that is one byte longer than its path allows is answered, whatever the outer
/// family.
fn answered(frame: &[u8], network: usize) -> bool {
    let mtu = (frame.len() - network - 1) as u32;
    let answer = answer_within(&port(config()), frame, mtu);
    assert_eq!(answer, answer_within(&port(config6()), frame, mtu));
    answer.is_some()
}

/// The recorded frame with some bytes changed. The others are those of `hex`.
fn changed(hex: &str, changes: &[(usize, &[u8])]) -> Vec<u8> {
    let mut frame = bytes(hex);
    for (at, new) in changes {
        frame[*at..at + new.len()].copy_from_slice(new);
    }
    frame
}

fn bytes(hex: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

/// T-28: recorded replies, byte by byte.
#[test]
fn t28_the_reply_is_the_recorded_one() {
    for (name, hex, head, quote, config, mtu) in [
        (
            "corner-pmtu-001",
            IPV4,
            "0242c0a800660242c0a8006408004500024000004000400123f30a0100650a010064030418a300000240",
            548,
            config(),
            626,
        ),
        (
            "corner-pmtu-004",
            IPV6,
            "0242c0a800660242c0a8006486dd6000000004d83a4020010db8000a0000000000000000006520010db8000a000000000000000000640200ca4800000500",
            1232,
            config6(),
            1350,
        ),
    ] {
        let frame = bytes(hex);
        let want = [&bytes(head)[..], &frame[14..14 + quote]].concat();
        let device = port(config);
        // The headroom that it takes, and not a byte more.
        let headroom = bytes(head).len() - 14;
        let mut buffer = [&vec![0; headroom][..], &frame, &[7; 3]].concat();
        let mut packet = Packet::new(&mut buffer, headroom, frame.len()).unwrap();
        packet.mark = 5;
        let (End::Answered(reply), stats) = send(&device, &mut packet, mtu) else {
            panic!("{name}");
        };
        assert_eq!(packet.bytes(), want, "{name}");
        assert_eq!((packet.headroom(), packet.mark), (0, 5));
        assert_eq!(reply.metadata().vni, vni());
        assert_eq!(reply.metadata().packet_type, PacketType::Host);

        // Both ways on the same device, the Ethernet header included.
        let len = want.len() as u64;
        let mut counted = Stats::new();
        (counted.tx_packets, counted.tx_bytes) = (1, len);
        (counted.rx_packets, counted.rx_bytes) = (1, len);
        assert_eq!(stats, counted, "{name}");

        reply.undo(&mut packet).unwrap();
        assert_eq!(packet.bytes(), frame, "{name}");
        assert_eq!((packet.headroom(), packet.tailroom()), (headroom, 3));
    }
}

/// T-28: the length that counts begins at the network header; a reply says no less than every host
/// of its family takes in.
#[test]
fn t28_the_limits_are_exact() {
    for (hex, least, overhead, config) in [
        (IPV4, 576, OVERHEAD_IPV4, config()),
        (IPV4, 576, OVERHEAD_IPV6, config6()),
        (IPV6, 1280, OVERHEAD_IPV4, config()),
        (IPV6, 1280, OVERHEAD_IPV6, config6()),
    ] {
        let frame = bytes(hex);
        assert_eq!(frame.len(), least as usize + 14 + 1);
        let device = port(config);
        assert!(answer_within(&device, &frame, least).is_some());
        assert_eq!(
            answer_within(&device, &frame, least - 1),
            None,
            "too little"
        );
        assert_eq!(answer_within(&device, &frame, least + 1), None, "it fits");
        let route = |mtu| Route::new(device.config().local(), mtu);
        assert_eq!(device.inner_mtu(&route(least + overhead)), least);
        assert_eq!(device.inner_mtu(&route(overhead - 1)), 0);
    }
}

/// T-28: devices that answer nobody.
#[test]
fn t28_only_a_port_of_a_bridge_answers() {
    let frame = bytes(IPV4);
    let mut buffer = [&[0; HEADROOM][..], &frame].concat();
    let old = config().compat(Compat::LINUX_4_3);
    let mut left = port(config());
    assert!(left.is_bridge_port() && !device(config()).is_bridge_port());
    left.set_bridge_port(false);
    for (name, device) in [
        ("plain", device(config())),
        ("old", port(old)),
        ("left", left),
    ] {
        let mut packet = Packet::new(&mut buffer, HEADROOM, frame.len()).unwrap();
        let (end, _) = send(&device, &mut packet, 626);
        assert!(matches!(end, End::Sent(_)), "{name}: {end:?}");
        assert_eq!(packet.bytes(), frame, "{name}");
    }
    let mut down = port(config());
    down.set_up(false);
    let mut packet = Packet::new(&mut buffer, HEADROOM, frame.len()).unwrap();
    let (end, stats) = send(&down, &mut packet, 626);
    assert_eq!(end, End::Dropped(DropReason::DeviceDown));
    assert_eq!((stats.rx_dropped, stats.tx_packets), (1, 0));
    assert_eq!(packet.bytes(), frame);
}

/// T-28, T-21: without room for the reply the frame is an error, and stays as it is.
#[test]
fn t28_t21_a_reply_without_headroom_is_a_transmit_error() {
    for (hex, need, config, mtu) in [(IPV4, 28, config(), 626), (IPV6, 48, config6(), 1350)] {
        let frame = bytes(hex);
        let device = port(config);
        for headroom in [0, need - 1] {
            let mut buffer = [&vec![0; headroom][..], &frame, &[0; 64]].concat();
            let mut packet = Packet::new(&mut buffer, headroom, frame.len()).unwrap();
            let (end, stats) = send(&device, &mut packet, mtu);
            assert_eq!(end, End::Dropped(DropReason::NoHeadroom));
            assert_eq!(
                (stats.tx_errors, stats.tx_packets, stats.rx_packets),
                (1, 0, 0)
            );
            assert_eq!(packet.bytes(), frame);
            assert_eq!(packet.headroom(), headroom);
        }
    }
}

/// T-28: the reply takes over TTL or hop limit, but neither TOS nor flow label.
#[test]
fn t28_the_reply_has_the_ttl_of_the_frame() {
    let frame = changed(IPV4, &[(15, &[0xfd]), (22, &[17])]);
    let reply = answer_within(&port(config()), &frame, 576).unwrap();
    assert_eq!((reply[15], reply[22]), (0, 17));
    let frame = changed(IPV6, &[(14, &[0x6f, 0xdf, 0xff, 0xff]), (21, &[17])]);
    let reply = answer_within(&port(config()), &frame, 1280).unwrap();
    assert_eq!((&reply[14..18], reply[21]), (&[0x60, 0, 0, 0][..], 17));
}

/// T-28: a frame with several remotes is answered for the narrow path and sent on the wide ones.
#[test]
fn t28_each_path_is_answered_for_itself() {
    let frame = bytes(IPV4);
    let mut device = port(config());
    for last in [3, 4, 5] {
        let remote = device.remote([192, 0, 2, last].into());
        device.fdb_append(Instant::ZERO, Mac::ZERO, remote).unwrap();
    }
    let mut worker = Worker::new(Instant::ZERO);
    let mut buffer = [&[0; HEADROOM][..], &frame].concat();
    let mut packet = Packet::new(&mut buffer, HEADROOM, frame.len()).unwrap();
    packet.checksum = ChecksumState::Partial {
        start: 34,
        offset: 6,
    };
    let Egress::Forward(remotes) = device.transmit(&mut worker, &mut packet) else {
        panic!("there are remotes");
    };
    let mut ends = Vec::new();
    for remote in remotes {
        let mtu = if remote.addr == ip("192.0.2.4") {
            626
        } else {
            1500
        };
        let route = Ok(Route::new(ip("192.0.2.1"), mtu));
        match device.encapsulate(&mut worker, &mut packet, remote, route) {
            Encapsulated::Send(outer) => {
                // The frame, but for the checksum that was filled in.
                assert_eq!(outer.udp_payload()[8..][..40], frame[..40]);
                assert_eq!(outer.udp_payload()[8..][42..], frame[42..]);
                ends.push(true);
            }
            Encapsulated::Reply(reply) => {
                // The checksum that the first copy left with is not quoted.
                assert_eq!(packet.bytes()[42..], frame[14..14 + 548]);
                assert_eq!(packet.checksum, ChecksumState::None);
                reply.undo(&mut packet).unwrap();
                ends.push(false);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(ends, [true, false, true, true]);
    assert_eq!((worker.stats.tx_packets, worker.stats.rx_packets), (4, 1));
    assert_eq!(worker.stats.tx_bytes, 3 * 577 + 590);
}

/// T-28: in external mode the metadata beside the reply leads back, from the chosen source.
#[test]
fn t28_tunnel_metadata_is_turned() {
    let frame = bytes(IPV4);
    let device = port(config_external());
    let mut worker = Worker::new(Instant::ZERO);
    let mut buffer = [&[0; HEADROOM][..], &frame].concat();
    let mut packet = Packet::new(&mut buffer, HEADROOM, frame.len()).unwrap();
    let info = TunnelInfo::new(45, ip("192.0.2.2"));
    packet.tunnel = Some(info);
    let route = Ok(Route::new(ip("192.0.2.1"), 626));
    let reply = match device.encapsulate_by_info(&mut worker, &mut packet, route) {
        Encapsulated::Reply(reply) => reply,
        other => panic!("{other:?}"),
    };
    assert_eq!(reply.metadata().vni.get(), 45);
    let mut back = info;
    (back.source, back.destination) = (ip("192.0.2.2"), ip("192.0.2.1"));
    assert_eq!(packet.tunnel, Some(back));
    reply.undo(&mut packet).unwrap();
    assert_eq!(packet.tunnel, Some(info));
    assert_eq!(packet.bytes(), frame);
}

/// T-28: a packet without an Ethernet header has 14 bytes more of the path, and is no bridge's.
#[test]
fn t28_raw_packets_are_not_answered() {
    let packet = &bytes(IPV4)[14..];
    let device = port(config_external().gpe(true));
    assert_eq!(device.inner_mtu(&Route::new(ip("192.0.2.1"), 626)), 590);
    assert_eq!(device.inner_mtu(&Route::new(ip("2001:db8::1"), 646)), 590);
    let mut worker = Worker::new(Instant::ZERO);
    let mut buffer = [&[0; HEADROOM][..], packet].concat();
    let mut raw = Packet::new(&mut buffer, HEADROOM, packet.len()).unwrap();
    raw.protocol = EtherType::IPV4;
    raw.tunnel = Some(TunnelInfo::new(45, ip("192.0.2.2")));
    let route = Ok(Route::new(ip("192.0.2.1"), 612));
    let end = device.encapsulate_by_info(&mut worker, &mut raw, route);
    assert!(matches!(end, Encapsulated::Send(_)), "{end:?}");
    assert_eq!(raw.bytes(), packet);
}

/// T-28: the quote of a packet whose checksum is still to be filled in shows the pseudo-header sum,
/// that of a packet for several pieces is cut from the whole; the reply itself is an ordinary one.
#[test]
fn t28_what_is_quoted_is_as_it_stands() {
    let mut frame = bytes(IPV4);
    // TCP, its header 20 bytes long.
    (frame[23], frame[46]) = (6, 0x50);
    let mut buffer = [&[0; HEADROOM][..], &frame].concat();
    let mut packet = Packet::new(&mut buffer, HEADROOM, frame.len()).unwrap();
    let partial = ChecksumState::Partial {
        start: 34,
        offset: 16,
    };
    let gso = Some(Gso {
        kind: GsoKind::TcpV4,
        size: 9000,
    });
    (packet.checksum, packet.gso) = (partial, gso);
    // The whole would fit, its pieces do not.
    let (End::Answered(reply), _) = send(&port(config()), &mut packet, 1500) else {
        panic!("an answer is due");
    };
    assert_eq!(packet.bytes()[42..], frame[14..14 + 548]);
    assert_eq!((packet.checksum, packet.gso), (ChecksumState::None, None));
    reply.undo(&mut packet).unwrap();
    assert_eq!((packet.checksum, packet.gso), (partial, gso));

    // Small pieces of a long packet fit.
    packet.gso = Some(Gso {
        kind: GsoKind::TcpV4,
        size: 500,
    });
    let (end, _) = send(&port(config()), &mut packet, 626);
    assert!(matches!(end, End::Sent(_)), "{end:?}");
}

/// The first frame of corner-pmtu-001.
const IPV4: &str = "\
    0242c0a800640242c0a800660800450002411e384000401105aa0a0100640a0100659fd40035022db6d077577fe1\
    52da772138cce714f497aa21efd427fff0b2076c34e7cde64e8f9c9ccb51e6541a7aa6364a575b2bc209f8d769a9\
    fcbc506fe17310b91872738ce0cea845894effbc3098beaf679d4cd67d1960fe98d6667d59e2904b654ac90b0dd0\
    4ead888d6b6bdb4533beaaeae3184a3e7daa61c732090498be430c285ebc429b2cfb0ec4363c985cb53ab6ca2648\
    606828b7f8fd5d3b621553a09b93bc2682a3df68419e637dd514676fd247adbcd9c57fd4edb9ee196e183c30491e\
    bba75d7fb6e488b64e35618b53a99a002952859f01b2ebc3aab2c0f2eea64a73924cf9b893ea0d257c0aca08105c\
    e93a321d8f982fe6363731a939c866d4b0c8d69460de3802778670f9d3326a97289b21b06251c58e48a441b2e4a2\
    766204258e79b9d0eb0c2867f54f49459bd177dc343d6f22d2cec278d00374d4e4ca6fa30f0155849d3303583d6a\
    5ca0834efd439e6270d2d44e5e8c3e0eaaed296656a7cf8ec611d4ab124ee5ff03adcd37f9b465c6a4221fc52676\
    5428b70fe63cdaf343c6d8884fa789ad15319ae086439d202a416e8886950b2075ccb8b2fd59e4939168ecb17075\
    07ac7eb9dab7130aa2ab0721f2bef5ac9d9ee7bdce7004f08ce470f473847a2a54d70a74bc63e141ff2662e380d6\
    6d0fe2c87c87ce83c9c033a364fe3e67cfd5100573f24dea2401ee64d4575f4b4e56421be765b03032076a4286d4\
    dba7590acaac2387a4e30e686882da2ebb89a0aad1b88d6346c88db22f64acf9329702614aa2ca\
";

/// The first frame of corner-pmtu-004.
const IPV6: &str = "\
    0242c0a800640242c0a8006686dd6000000004d9114020010db8000a0000000000000000006420010db8000a0000\
    00000000000000659cbc14e904d92e70283827ba6203cd73f927d15bfd2c87f09efd54e6598fbf370d231232c1dc\
    e237afc053e34b087da62b8e5b4b77963ba0068355e031c52725a5dafd27adeb4b08bf60bd3923cf588c6ba22cd1\
    5dc944453e1bfa855c101f081f2fe5514dbf928076069719c4ad2bf04981e5242501d3d26931064571e50e18d7b8\
    4e3f5b3041a87ed300a7c85925983d2966216f8b4997ac85335aaba56f2778cc03da4e835de03a86b0ef97590048\
    385991e82480da9c8ced5ba7e70a775b6d0b0bab9f47a45e3670c68677692dd7b1c8ef218fbeaec8bf9e3c055e68\
    19c2f2f4ce77717d4e73c4b327cc60344506dfa2234f8d80646050ae6648578024ff3b6d920d1f05be3b93e66968\
    b344cddbf3ffebc2b4c18068102e48a9ac06827fdfba4ecb3e374eaa5402c6fbb70e042ad7006fb1b0ca4a49f9c6\
    e190eb8ca2a90e1e0e2bde7ae616100b4f024704e52e58c8069f2dec32330b378abbf6f9634f8b9b7265270a452f\
    ad1485aafc338e8efbfc2f415a918a1ce6e0cea808f93da3deec239843d236153ce4cc553fc8853d53bdbc1ecd44\
    d73e820e57e488cf41fa1ed64a6cf2550dec7cce1ead5255a06923f32d8a4c19bd016d635e6f5a38c52978dcf8e6\
    d858946fdb229614c0c8865fa63b595509bfd77045cad4a1432806080cf86eb09ea6b9a3fe0fcdb1eec15d9b9794\
    3b90b565175e3516624094c4ad03857bda3cf0205da3c51f03aaf786bab1fbc5bdf64c5b9ed7d0ee30e23f1b145c\
    f5af3ca067577001d55dfc96640c244dc739e874d96beafd9c87dbf801f550e91d5689a51b399eebd973e14dffc4\
    cdebcb29f747c626d3d8dd1bdc65a57040d9730d0879f58e4a3eeeaa65bf90b0c7bfba3231ccf96c8d817544cb95\
    68595b704a6f1ab9b48fcf0dfdfe60092d9d8b8c24e3b58bdd6057f77ae4cc4f015348494710c8dafef61e1ab8c5\
    32489f13f69226354e73a87089d8fdc48477db7cf3317f40a150bef94033ced4a3e56dc17352d418b1367533dca0\
    1932985e32b41c98a999f669bb9d3971998c665d3db886cbaa1f03acd96c5a3f02a8036317ffab5dfaca504874e1\
    f1bedd0395089418418d482ab1043f57c3d878a829f46150ae62ae7107595e850a3b636b931816df004f58b4a02e\
    1c4da90cc6ce31569fefa8f21d80384e2a453c4befe51ff970e90b0fb8bb89995b0e994ff992623404e7a0ead779\
    6190aac61fdc1d0f8b7296dacd824c4e4737e3e3b5a00aeaff54e539eb875a601bd97cd27d2e93b8c9418e5ec640\
    671bd7f54946fb188122f2627694fa2069567b2ed8d5e62050d9da6e533f31dce55f1af952a1e3dc8d03732c3475\
    dede104060ce79c3141af42bbfb752fd7ca7efc848675e39b5b59b8f883c00c795f4f1a4411dd971106396379d77\
    54cab79ba876129dd2f85ba3a3e8308e8a5a2944c36ccc010e582e857cc0a6e9fd37e346d3c8bd0381b3584aba66\
    981dbea2e24f59970871bf96dccd347b50afd0e0a5c70aca5017c22beb6a173346cbfb45432ea227c5ec0f26607a\
    d86cbcae0e1e5b0b0e5a33ac134c2564cf24a28dd8c78864cbb40d64a2858d40a149700964b9836e221a22dafa7e\
    1c187b5344af5e3cdb212aa2c84a320a0fb1598024f2905399bf6edc9475826c02bca9513201e25a9ff944b383ca\
    8bff2b88059afe88ad7a81f393cb21891257ad6fef60233768bbf026418a4a4dda9da889f56641504d3290749306\
    e27435ab602e61\
";
