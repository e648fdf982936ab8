//! The end: who learned what, what passed, what was lost, where it can be looked at.

use core::fmt::Display;
use std::io::{self, Write};

use vxlan_core::device::PORT_IANA;

use super::capture::{PACKETS, Written};
use super::format::{bytes, count};
use super::outcome::Side;
use super::screen::Screen;

/// The two sides, one beside the other.
pub(super) fn table<W: Write>(screen: &mut Screen<W>, sides: &[Side; 2]) -> io::Result<()> {
    let [a, b] = sides;
    let mut row = |name, cell: &dyn Fn(&Side) -> String| screen.row(name, [&cell(a), &cell(b)]);
    row("", &|side| format!("VTEP {}", side.name))?;
    row("underlay", &|side| side.ends.local.to_string())?;
    row("host", &|side| format!("{}", side.host))?;
    row("MAC", &|side| side.mac.to_string())?;
    row("learned", &|side| {
        let other = if side.name == a.name { b } else { a };
        side.learned
            .map_or("nothing".to_owned(), |_| other.mac.to_string())
    })?;
    row("  at", &|side| {
        side.learned.map_or("-".to_owned(), |at| at.to_string())
    })?;
    row("sent", &|side| {
        traffic(side.stats.tx_packets, side.stats.tx_bytes)
    })?;
    row("received", &|side| {
        traffic(side.stats.rx_packets, side.stats.rx_bytes)
    })?;
    row("dropped", &|side| {
        let drops: Vec<String> = side
            .drops
            .iter()
            .map(|(reason, times)| format!("{} {reason}", count(*times)))
            .collect();
        if drops.is_empty() {
            "none".to_owned()
        } else {
            drops.join(", ")
        }
    })?;
    row("missed", &|side| {
        let other = if side.name == a.name { b } else { a };
        match side.missed(other) {
            0 => "none".to_owned(),
            missed => format!("{} lost on the way", count(missed)),
        }
    })
}

/// What the capture holds, and how to look at it.
pub(super) fn capture<W: Write>(
    screen: &mut Screen<W>,
    written: &Written,
    ports: &[u16],
) -> io::Result<()> {
    let path = written.path.display();
    let which = if written.cut {
        format!("the first {} of each run", count(PACKETS as u64))
    } else {
        "all there were".to_owned()
    };
    let packets = count(written.packets as u64);
    let snap = count(written.snap as u64);
    let file = format!("{path}, {}", bytes(written.len));
    let kept = format!("{packets}, {which}, up to {snap} bytes of each");
    screen.row("file", [&file, ""])?;
    screen.row("packets", [&kept, ""])?;
    screen.row("look", [&look(&path, ports), ""])
}

/// The command that shows a capture. tshark takes the port of IANA for VXLAN, of others it has to
/// be told.
fn look(path: &dyn Display, ports: &[u16]) -> String {
    let mut command = format!("tshark -r {path}");
    let mut told = vec![PORT_IANA];
    for port in ports {
        if !told.contains(port) {
            command += &format!(" -d udp.port=={port},vxlan");
            told.push(*port);
        }
    }
    command
}

fn traffic(packets: u64, octets: u64) -> String {
    format!("{} packets, {}", count(packets), bytes(octets))
}

#[cfg(test)]
mod tests {
    use super::super::outcome::examples;
    use super::*;

    fn shown(show: impl FnOnce(&mut Screen<&mut Vec<u8>>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        show(&mut Screen::plain(&mut out)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn losses_and_ignorance_are_told() {
        let mut sides = examples::sides();
        sides[0].learned = None;
        sides[0].stats.tx_packets += 3;
        sides[0].drops.push(("send-congested", 2));
        let table = shown(|screen| table(screen, &sides));
        for want in [
            "  learned   nothing                           02:00:00:00:00:0a\n",
            "    at      -                                 127.0.0.1:4789\n",
            "  sent      804 packets, 1.0 MiB              400 packets, 19.5 KiB\n",
            "  dropped   2 send-congested                  1 vni-not-found\n",
            "  missed    none                              1 lost on the way\n",
        ] {
            assert!(table.contains(want), "{want:?} is not in\n{table}");
        }
    }

    #[test]
    fn a_capture_says_how_much_of_it_there_is() {
        let mut written = Written {
            path: "x.pcapng".into(),
            packets: 4000,
            snap: 256,
            cut: true,
            len: 1 << 20,
        };
        assert_eq!(
            shown(|screen| capture(screen, &written, &[4789])),
            "  file      x.pcapng, 1 MiB\n\
             \u{20} packets   4,000, the first 2,000 of each run, up to 256 bytes of each\n\
             \u{20} look      tshark -r x.pcapng\n"
        );
        written.cut = false;
        assert!(shown(|screen| capture(screen, &written, &[])).contains("4,000, all there were,"));
    }

    #[test]
    fn tshark_is_told_each_other_port_once() {
        assert_eq!(
            look(&"x", &[4789, 40001, 40001, 40002]),
            "tshark -r x -d udp.port==40001,vxlan -d udp.port==40002,vxlan"
        );
    }
}
