//! What people and programs see, to the letter.

use vxlan_core::wire::ethernet::EtherType;
use vxlan_core::wire::vlan::Tag;

use super::synth::*;
use super::*;

#[test]
fn text_for_people() {
    let tagged = {
        let inner = vxlan(42, &arp());
        let ip = ipv4(17, 2, &summed(false, 4789, &inner));
        let outer = Tag::from_tci(EtherType::QINQ, 0x6064).to_bytes();
        let second = Tag::from_tci(EtherType::VLAN, 7).to_bytes();
        join(&[&B.octets(), &A.octets(), &outer, &second, &[8, 0], &ip])
    };
    let policy = join(&[&[0x88, 0x48, 0x12, 0x34, 0, 0, 1, 0x80], &arp()]);
    let checksum = join(&[&[0x08, 0x20, 0, 0, 0, 0, 1, 0x91], &arp()]);
    let generic = join(&[
        &[0x0c, 0, 0, 1, 0, 0, 1, 0],
        &ipv4(1, 0, &[8, 0, 0, 0, 0, 0, 0, 0]),
    ]);
    let frames = [
        tagged,
        outer(&summed(false, 4789, &policy)),
        outer(&summed(false, 4789, &checksum)),
        outer(&summed(false, 4790, &generic)),
        outer(&udp(53, b"question")),
        arp(),
        outer(&udp(4789, &[8, 0])),
        join(&[&B.octets(), &A.octets()]),
    ];
    assert_eq!(text(&[], &pcap(&frames)), TEXT);
}

#[test]
fn json_for_programs() {
    let (text, _) = decoded(
        &["-j", "--link", "vx0 type vxlan id 42 dstport 4789"],
        &pcap(&[overlay(4789, 42), arp()]),
    );
    assert_eq!(text, JSON);
}

/// What is in a tunnel has its checksum verified as well, TCP and UDP, and over IPv6.
#[test]
fn inner_checksums() {
    // From port 80 to port 81, and two bytes: 0x50 words, 0x51, 0x5010, 0x1234, and the pseudo
    // header of IPv4: 0xc000 0201 0xc000 0202, 6, 22.
    let tcp = |sum: u16| {
        let header = [0, 80, 0, 81, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x10, 0, 0];
        join(&[&header, &sum.to_be_bytes(), &[0, 0, 0x12, 0x34]])
    };
    let pseudo: u32 = 0xc000 + 0x0201 + 0xc000 + 0x0202 + 6 + 22;
    let fold = |sum: u32| ((sum & 0xffff) + (sum >> 16)) as u16;
    let right = !fold(pseudo + 80 + 81 + 0x5010 + 0x1234);
    let wrong_udp = {
        let mut datagram = summed(false, 53, b"question");
        datagram[9] ^= 1;
        datagram
    };
    let four = |number, payload: Vec<u8>| ethernet(EtherType::IPV4, &ipv4(number, 0, &payload));
    for (frame, want) in [
        (four(6, tcp(right)), "ok"),
        (four(6, tcp(right ^ 1)), "wrong"),
        (four(6, tcp(fold(pseudo))), "pseudo-header"),
        (four(17, summed(false, 53, b"question")), "ok"),
        (four(17, wrong_udp), "wrong"),
        (four(17, udp(53, b"question")), "absent"),
        (
            ethernet(EtherType::IPV6, &ipv6(17, &summed(true, 53, b"question"))),
            "ok",
        ),
    ] {
        let said = innermost_checksum(&frame);
        assert_eq!(said.as_deref(), Some(want), "{frame:x?}");
    }
    let cut = four(6, tcp(right));
    let said = innermost_checksum(&cut[..55]);
    assert_eq!(said.as_deref(), Some("unverified"));
}

/// What is said about the checksum of what `frame` carries, in a tunnel.
fn innermost_checksum(frame: &[u8]) -> Option<String> {
    let packet = packet(&[], &outer(&summed(false, 4789, &vxlan(42, frame))));
    let layers = packet["layers"].as_array()?;
    let inner = layers
        .iter()
        .rfind(|layer| layer["depth"] == 1 && layer["checksum_is"] != Value::Null)?;
    Some(inner["checksum_is"].as_str()?.to_owned())
}

const TEXT: &str = r"   1  0.000000  192.0.2.1 > 192.0.2.2, VXLAN 42, 100 bytes, deliver
    Ethernet   02:00:00:00:00:0a > 02:00:00:00:00:0b, QinQ
    VLAN       VID 100, priority 3, TPID 0x88a8, VLAN
    VLAN       VID 7, priority 0, TPID 0x8100, IPv4
    IPv4       192.0.2.1 > 192.0.2.2, UDP, ttl 64, tos 0x02 (ECT(0)), id 7, 78 bytes
    UDP        50000 > 4789, 58 bytes, checksum ok (0x04e5)
    VXLAN      VNI 42, flags 0x0800 (I)
      Ethernet   02:00:00:00:00:0a > ff:ff:ff:ff:ff:ff, ARP
      ARP        who has 198.51.100.2? tell 198.51.100.1
    verdict    deliver, by a plain device with VNI 42, a broadcast, frame of 42 bytes
   2  0.000000  192.0.2.1 > 192.0.2.2, VXLAN 1, 92 bytes, drop reserved-bits
    Ethernet   02:00:00:00:00:0a > 02:00:00:00:00:0b, IPv4
    IPv4       192.0.2.1 > 192.0.2.2, UDP, ttl 64, tos 0x00, id 7, 78 bytes
    UDP        50000 > 4789, 58 bytes, checksum ok (0x9ae8)
    VXLAN      VNI 1, flags 0x8848 (G I D A), group policy 4660,
               bits of no extension 00000000 00000080, reserved bits set (RFC 7348)
      Ethernet   02:00:00:00:00:0a > ff:ff:ff:ff:ff:ff, ARP
      ARP        who has 198.51.100.2? tell 198.51.100.1
    verdict    drop reserved-bits, by a plain device with VNI 1
   3  0.000000  192.0.2.1 > 192.0.2.2, VXLAN 1, 92 bytes, drop reserved-bits
    Ethernet   02:00:00:00:00:0a > 02:00:00:00:00:0b, IPv4
    IPv4       192.0.2.1 > 192.0.2.2, UDP, ttl 64, tos 0x00, id 7, 78 bytes
    UDP        50000 > 4789, 58 bytes, checksum ok (0x2d34)
    VXLAN      VNI 1, flags 0x0820 (I C), remote checksum from byte 34, field at +6,
               reserved bits set (RFC 7348)
      Ethernet   02:00:00:00:00:0a > ff:ff:ff:ff:ff:ff, ARP
      ARP        who has 198.51.100.2? tell 198.51.100.1
    verdict    drop reserved-bits, by a plain device with VNI 1
   4  0.000000  192.0.2.1 > 192.0.2.2, VXLAN-GPE 1, 78 bytes, drop reserved-bits
    Ethernet   02:00:00:00:00:0a > 02:00:00:00:00:0b, IPv4
    IPv4       192.0.2.1 > 192.0.2.2, UDP, ttl 64, tos 0x00, id 7, 64 bytes
    UDP        50000 > 4790, 44 bytes, checksum ok (0x908a)
    VXLAN      VNI 1, flags 0x0c00 (I P), GPE, next protocol 1 (IPv4), reserved bits set (RFC 7348)
      IPv4       192.0.2.1 > 192.0.2.2, ICMP, ttl 64, tos 0x00, id 7, 28 bytes
      ICMP       echo request, type 8, code 0, 8 bytes
    verdict    drop reserved-bits, by a plain device with VNI 1
   5  0.000000  192.0.2.1 > 192.0.2.2, UDP 50000 > 53, 50 bytes, not VXLAN
   6  0.000000  02:00:00:00:00:0a > ff:ff:ff:ff:ff:ff, ARP: who has 198.51.100.2? tell 198.51.100.1,
                42 bytes, not VXLAN
   7  0.000000  192.0.2.1 > 192.0.2.2, VXLAN header, too short, 44 bytes, drop packet-too-small
    Ethernet   02:00:00:00:00:0a > 02:00:00:00:00:0b, IPv4
    IPv4       192.0.2.1 > 192.0.2.2, UDP, ttl 64, tos 0x00, id 7, 30 bytes
    UDP        50000 > 4789, 10 bytes, no checksum
    short      too short for the VXLAN header: 2 of 8 bytes
    verdict    drop packet-too-small, by a plain device
   8  0.000000  Ethernet header, too short, 12 bytes, not VXLAN
8 packets, VXLAN in 5
    VNI 1                                    3
    VNI 42                                   1
    deliver                                  1
    drop packet-too-small                    1
    drop reserved-bits                       3
";

const JSON: &str = r#"{"captured":92,"destination":"192.0.2.2","file":"capture","layers":[{"depth":0,"destination":"02:00:00:00:00:0b","ethertype":2048,"layer":"ethernet","source":"02:00:00:00:00:0a"},{"big_tcp":false,"checksum_ok":true,"depth":0,"destination":"192.0.2.2","dont_fragment":false,"fragment_offset":0,"header_length":20,"id":7,"layer":"ipv4","more_fragments":false,"protocol":17,"source":"192.0.2.1","tos":0,"total_length":78,"ttl":64},{"checksum":1253,"checksum_is":"ok","depth":0,"destination":4789,"layer":"udp","length":58,"source":50000},{"bum":false,"depth":0,"dont_learn":false,"flags":134217728,"group_policy":false,"layer":"vxlan","low_byte":0,"next_protocol_valid":false,"oam":false,"policy_applied":false,"remote_checksum":false,"reserved_bits_set":false,"unknown_bits":0,"vni":42,"vni_valid":true},{"depth":1,"destination":"ff:ff:ff:ff:ff:ff","ethertype":2054,"layer":"ethernet","source":"02:00:00:00:00:0a"},{"depth":1,"layer":"arp","operation":1,"sender":"02:00:00:00:00:0a","sender_ip":"198.51.100.1","target":"00:00:00:00:00:00","target_ip":"198.51.100.2"}],"length":92,"link_type":1,"offset":24,"packet":1,"port":4789,"source":"192.0.2.1","time":"1.500000000","verdict":{"action":"deliver","device":"vx0","event":{"event":"learned","mac":"02:00:00:00:00:0a"},"reason":null},"vni":42,"vxlan":true,"what":"VXLAN 42"}
{"captured":42,"destination":"ff:ff:ff:ff:ff:ff","file":"capture","layers":[{"depth":0,"destination":"ff:ff:ff:ff:ff:ff","ethertype":2054,"layer":"ethernet","source":"02:00:00:00:00:0a"},{"depth":0,"layer":"arp","operation":1,"sender":"02:00:00:00:00:0a","sender_ip":"198.51.100.1","target":"00:00:00:00:00:00","target_ip":"198.51.100.2"}],"length":42,"link_type":1,"offset":132,"packet":2,"port":null,"source":"02:00:00:00:00:0a","time":"1.500000000","verdict":null,"vni":null,"vxlan":false,"what":"ARP: who has 198.51.100.2? tell 198.51.100.1"}
{"summary":{"packets":2,"verdicts":{"deliver":1},"vnis":{"42":1},"vxlan":1}}
"#;
