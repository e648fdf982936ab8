//! Frames, mostly well formed.

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::random::Random;

/// What a VTEP of the network has to know to be heard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outer {
    pub(crate) ipv6: bool,
    pub(crate) port: u16,
    pub(crate) vni: u32,
    /// The device has joined its group.
    pub(crate) group: bool,
    /// Frames may bear VLAN tags.
    pub(crate) tags: bool,
}

/// The MAC address of a station of the overlay.
pub(crate) fn station(number: usize) -> String {
    format!("02:42:c0:a8:01:{number:02x}")
}

fn station_mac(random: &mut Random) -> [u8; 6] {
    [2, 0x42, 0xc0, 0xa8, 1, random.below(6) as u8]
}

const OWN: [u8; 6] = [2, 0x42, 0xc0, 0xa8, 0, 1];

/// An Ethernet frame.
pub(crate) fn inner(random: &mut Random, tags: bool) -> Vec<u8> {
    let destination = match random.below(12) {
        0 | 1 => [0xff; 6],
        2 => [1, 0, 0x5e, 1, 2, 3],
        3 => [0x33, 0x33, 0, 0, 0, 1],
        4 => [1, 0x80, 0xc2, 0, 0, random.of(&[0, 1, 2, 3, 0xe])],
        5 => OWN,
        6 => [0; 6],
        _ => station_mac(random),
    };
    let source = match random.below(16) {
        0 => [0; 6],
        1 => OWN,
        2 => [1, 0, 0x5e, 0, 0, 7],
        3 => [0xff; 6],
        _ => station_mac(random),
    };
    let mut frame = [destination, source].concat();
    if tags && random.once_in(6) {
        for _ in 0..=random.below(2) {
            frame.extend(random.of(&[[0x81, 0], [0x88, 0xa8]]));
            frame.extend(random.bytes(2));
        }
    }
    match random.below(9) {
        0..3 => {
            frame.extend([8, 0]);
            frame.extend(ipv4(random));
        }
        3 | 4 => {
            frame.extend([0x86, 0xdd]);
            frame.extend(ipv6(random));
        }
        5 => {
            frame.extend([8, 6]);
            frame.extend(arp(random));
        }
        6 => {
            frame.extend([0x86, 0xdd]);
            frame.extend(solicitation(random));
        }
        7 => {
            frame.extend(random.of(&[
                [0, 0x40],
                [5, 0xff],
                [6, 0],
                [0x88, 0x47],
                [0x88, 0xcc],
                [0xff, 0xff],
                [0, 0],
            ]));
            let len = payload_len(random);
            frame.extend(random.bytes(len));
        }
        _ => {
            // A header that is cut off.
            frame.extend(random.of(&[[8, 0], [0x86, 0xdd], [8, 6]]));
            let len = random.below(48);
            let mut packet = match frame.ends_with(&[8, 0]) {
                true => ipv4(random),
                false => ipv6(random),
            };
            packet.truncate(len);
            frame.extend(packet);
        }
    }
    mutate(random, &mut frame, 12, 10);
    frame
}

/// Changes a byte at times, none before `from`.
fn mutate(random: &mut Random, bytes: &mut [u8], from: usize, often: usize) {
    if random.once_in(often) && bytes.len() > from {
        let near = (bytes.len() - from).min(64);
        bytes[from + random.below(near)] = random.number() as u8;
    }
}

fn payload_len(random: &mut Random) -> usize {
    match random.below(12) {
        0 => 0,
        1 => 1420 + random.below(200),
        2 => random.of(&[1371, 1372, 1373, 1400, 1401, 1422, 1423, 1450, 1451]),
        _ => random.below(120),
    }
}

fn overlay(random: &mut Random) -> [u8; 4] {
    match random.below(12) {
        0 => [255; 4],
        1 => [224, 0, 0, 5],
        2 => [0; 4],
        _ => [10, 1, 0, 1 + random.below(6) as u8],
    }
}

fn ipv4(random: &mut Random) -> Vec<u8> {
    let options = 4 * [0, 0, 0, 1, 3, 10][random.below(6)];
    let rest = payload_len(random);
    let len = (20 + options + rest) as u16;
    let fragment = random.of(&[
        0_u16, 0x4000, 0x4000, 0x2000, 0x2001, 0x0010, 0x8000, 0x6000,
    ]);
    let protocol = random.of(&[17, 17, 6, 6, 1, 2, 50, 132, 89]);
    let mut header = vec![0x45 + (options / 4) as u8, random.number() as u8];
    header.extend(len.to_be_bytes());
    header.extend(random.bytes(2));
    header.extend(fragment.to_be_bytes());
    header.extend([random.of(&[1, 2, 64, 255, 0]), protocol, 0, 0]);
    header.extend([10, 1, 0, 1 + random.below(6) as u8]);
    header.extend(overlay(random));
    header.resize(20 + options, 1);
    let sum = !sum(&header, 0);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    header.extend(random.bytes(rest));
    header
}

fn ipv6(random: &mut Random) -> Vec<u8> {
    let mut next = random.of(&[17, 6, 58, 59, 50]);
    let mut body = Vec::new();
    for _ in 0..random.of(&[0, 0, 0, 1, 2]) {
        // Hop-by-hop, routing, fragment, destination options.
        let kind = random.of(&[0, 43, 44, 60]);
        let mut header = vec![next, 0];
        header.extend(random.bytes(6));
        body.splice(0..0, header);
        next = kind;
    }
    let rest = payload_len(random);
    body.extend(random.bytes(rest));
    let first = 0x6000_0000 | random.number() as u32 & 0x0fff_ffff;
    let mut packet = first.to_be_bytes().to_vec();
    packet.extend((body.len() as u16).to_be_bytes());
    packet.extend([next, random.of(&[1, 64, 255, 0])]);
    packet.extend(station_ipv6(random).octets());
    packet.extend(match random.once_in(5) {
        true => [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        false => station_ipv6(random).octets(),
    });
    packet.extend(body);
    packet
}

fn station_ipv6(random: &mut Random) -> Ipv6Addr {
    Ipv6Addr::new(0xfd01, 0, 0, 0, 0, 0, 0, 1 + random.below(6) as u16)
}

fn arp(random: &mut Random) -> Vec<u8> {
    let mut packet = vec![0, 1, 8, 0, 6, 4, 0, random.of(&[1, 1, 1, 2, 3])];
    packet.extend(station_mac(random));
    packet.extend([10, 1, 0, 1 + random.below(6) as u8]);
    packet.extend([0; 6]);
    packet.extend(overlay(random));
    packet.resize(28 + random.of(&[0, 18]), 0);
    packet
}

fn solicitation(random: &mut Random) -> Vec<u8> {
    let (source, target) = (station_ipv6(random), station_ipv6(random));
    let mut body = vec![random.of(&[135, 135, 136, 133]), 0, 0, 0, 0, 0, 0, 0];
    body.extend(target.octets());
    body.extend([1, 1]);
    body.extend(station_mac(random));
    let mut packet = vec![0x60, 0, 0, 0, 0, body.len() as u8, 58, 255];
    packet.extend(source.octets());
    packet.extend([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0]);
    packet.push(target.octets()[15]);
    packet.extend(body);
    packet
}

/// An outer frame from the network.
pub(crate) fn outer(random: &mut Random, to: &Outer) -> Vec<u8> {
    let flags = match random.below(12) {
        0 => random.number() as u32,
        1 => 0x0800_0000 | 1 << random.below(32),
        2 => 0,
        3 => 0x0820_0000,
        4 => 0x8800_0000 | random.number() as u32 & 0x0048_ffff,
        5 => 0x0c00_0000 | random.of(&[1, 3, 4, 6, 0]),
        _ => 0x0800_0000,
    };
    let vni = match random.below(12) {
        0 => random.number() as u32,
        1 => to.vni << 8 | random.number() as u32 & 0xff,
        2 => to.vni.wrapping_add(1) << 8,
        _ => to.vni << 8,
    };
    let mut payload = [flags.to_be_bytes(), vni.to_be_bytes()].concat();
    payload.extend(inner(random, to.tags));
    if random.once_in(15) {
        payload.truncate(random.below(60));
    }
    let ports = random.number() as u16 | 1;
    let mut udp = [ports.to_be_bytes(), to.port.to_be_bytes()].concat();
    let mut len = (payload.len() + 8) as u16;
    if random.once_in(20) {
        len = len.wrapping_add_signed(random.of(&[-1, 1, -9, 100]));
    }
    udp.extend(len.to_be_bytes());
    udp.extend([0, 0]);
    udp.extend(payload);

    let tos = random.number() as u8;
    let host = 2 + random.below(4) as u8;
    let group = to.group && random.once_in(3);
    let mut addresses = Vec::new();
    let mut packet;
    if to.ipv6 {
        addresses.extend(Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, host.into()).octets());
        addresses.extend(match group {
            true => Ipv6Addr::new(0xff05, 0, 0, 0, 0, 0, 0, 0x100).octets(),
            false => Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 1).octets(),
        });
        packet = vec![0x60 | tos >> 4, tos << 4, 0x12, 0x34];
        packet.extend((udp.len() as u16).to_be_bytes());
        packet.extend([17, 64]);
        packet.extend(&addresses);
    } else {
        addresses.extend(Ipv4Addr::new(192, 0, 2, host).octets());
        addresses.extend(if group {
            [239, 1, 1, 1]
        } else {
            [192, 0, 2, 1]
        });
        packet = vec![0x45, tos];
        packet.extend((udp.len() as u16 + 20).to_be_bytes());
        packet.extend([0x12, 0x34, random.of(&[0, 0x40]), 0, 64, 17, 0, 0]);
        packet.extend(&addresses);
        let sum = !sum(&packet, 0);
        packet[10..12].copy_from_slice(&sum.to_be_bytes());
    }
    let checksum = match random.below(6) {
        0 | 1 => 0,
        2 => random.number() as u16,
        _ => {
            let pseudo = sum(&addresses, 17 + u32::from(len));
            match !sum(&udp, pseudo.into()) {
                0 => 0xffff,
                other => other,
            }
        }
    };
    udp[6..8].copy_from_slice(&checksum.to_be_bytes());
    let destination = match (group, to.ipv6) {
        (false, _) => [2, 0, 0x5e, 0, 0x53, 1],
        (true, false) => [1, 0, 0x5e, 1, 1, 1],
        (true, true) => [0x33, 0x33, 0, 0, 1, 0],
    };
    let mut frame = destination.to_vec();
    frame.extend([2, 0, 0x5e, 0, 0x53, 2]);
    frame.extend(if to.ipv6 { [0x86, 0xdd] } else { [8, 0] });
    frame.extend(packet);
    frame.extend(udp);
    frame
}

/// The ones-complement sum of 16-bit words.
pub(crate) fn sum(bytes: &[u8], from: u32) -> u16 {
    let words = bytes.chunks(2);
    let all = words.map(|word| u32::from(word[0]) << 8 | u32::from(*word.get(1).unwrap_or(&0)));
    let mut sum = from + all.sum::<u32>();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}
