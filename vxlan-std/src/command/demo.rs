//! `vtep demo`: two VTEPs on loopback, a host behind each, and everything checked.

mod capture;
mod checks;
mod format;
mod host;
mod link;
mod outcome;
mod pattern;
mod pcapng;
mod resolution;
mod scenario;
mod screen;
mod sockets;
mod summary;

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use vxlan_core::device::{PORT_IANA, PORT_LINUX};
use vxlan_core::{Mac, Vni};
use vxlan_std::socket::Receiver;

use super::options::within;
use capture::{Capture, Limits, Recorder};
use checks::Check;
use host::Host;
use link::Link;
use scenario::Pair;
use screen::Screen;

/// The network of the two hosts.
const BLUE: Vni = Vni::truncate(42);
/// Another one, which only VTEP a knows of.
const RED: Vni = Vni::truncate(43);
/// An underlay that is not loopback usually takes packets of 1500 bytes.
const USUAL_MTU: u16 = 1500;

/// MiB to transfer unless told otherwise.
const SIZE: u32 = 64;
/// Bytes to keep of each packet unless told otherwise.
const SNAP: u16 = 256;
/// Where to write packets unless told otherwise.
const CAPTURE: &str = "vtep-demo.pcapng";

/// Two VTEPs on loopback, over IPv4 and over IPv6, with a host behind each: neighbour discovery,
/// ping and a TCP transfer whose every byte is compared.
///
/// Needs no privilege, no network and no configuration.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
#[command(after_help = "Exit status: 0 if every check held, 1 if one failed or could not be made.")]
pub(crate) struct Args {
    /// Bytes to transfer in each run, in MiB.
    #[arg(long, value_name = "MIB", default_value_t = SIZE,
          value_parser = |text: &str| within(text, 1..=65536_u32))]
    size: u32,

    /// Where to write the packets of the underlay, for Wireshark, tshark or tcpdump.
    #[arg(long, value_name = "FILE", default_value = CAPTURE)]
    capture: PathBuf,

    /// Write no packets.
    #[arg(long, conflicts_with_all = ["capture", "snap"])]
    no_capture: bool,

    /// Bytes to keep of each packet; 65535 keeps all of it.
    #[arg(long, value_name = "BYTES", default_value_t = SNAP,
          value_parser = |text: &str| within(text, 64..=u16::MAX))]
    snap: u16,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            size: SIZE,
            capture: CAPTURE.into(),
            no_capture: false,
            snap: SNAP,
        }
    }
}

/// One of the two runs.
struct Run {
    title: &'static str,
    interface: &'static str,
    underlay: [SocketAddr; 2],
    hosts: [IpAddr; 2],
    /// Bytes of the outer headers, the inner Ethernet header included.
    overhead: u16,
}

/// Runs the demo on the standard output.
pub(crate) fn run(args: &Args) -> ExitCode {
    match demo(args, &mut Screen::stdout()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // Whoever read the output has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Err(error) => {
            // Not `eprintln!`, which panics if nobody listens there either.
            let _ = writeln!(io::stderr(), "vtep demo: {error}");
            ExitCode::FAILURE
        }
    }
}

fn runs() -> [Run; 2] {
    let v4 = |last| IpAddr::from(Ipv4Addr::new(127, 0, 0, last));
    let v6 = IpAddr::from(Ipv6Addr::LOCALHOST);
    [
        Run {
            title: "IPv4 in VXLAN over IPv4",
            interface: "underlay-ipv4",
            underlay: [(v4(1), PORT_IANA).into(), (v4(2), PORT_IANA).into()],
            hosts: [
                Ipv4Addr::new(192, 0, 2, 1).into(),
                Ipv4Addr::new(192, 0, 2, 2).into(),
            ],
            overhead: 50,
        },
        Run {
            title: "IPv6 in VXLAN over IPv6",
            interface: "underlay-ipv6",
            // There is one loopback address: the ports tell the VTEPs apart.
            underlay: [(v6, PORT_IANA).into(), (v6, PORT_LINUX).into()],
            hosts: [
                Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
                Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2).into(),
            ],
            overhead: 70,
        },
    ]
}

/// Everything. Whether all checks held.
fn demo<W: Write>(args: &Args, screen: &mut Screen<W>) -> io::Result<bool> {
    let start = Instant::now();
    screen.line(&format!(
        "Two VTEPs on loopback and a host behind each, in VNI {}.",
        BLUE.get()
    ))?;
    let mut capture = None;
    if !args.no_capture {
        match Capture::create(&args.capture, args.snap.into()) {
            Ok(file) => capture = Some(file),
            Err(error) => screen.note(&format!(
                "cannot write {}: {error}; going on without capture",
                args.capture.display()
            ))?,
        }
    }
    let limits = Limits {
        packets: if capture.is_some() {
            capture::PACKETS
        } else {
            0
        },
        snap: args.snap.into(),
    };

    let mut held = Vec::new();
    let mut ports = Vec::new();
    for run in runs() {
        screen.heading(run.title)?;
        let bound = match sockets::bind(run.underlay) {
            Ok(bound) => bound,
            Err(error) if checks::may_be_missing(run.underlay[0].ip(), &error) => {
                screen.note(&format!(
                    "left out, this host has no IPv6 loopback: {error}"
                ))?;
                continue;
            }
            Err(error) => return Err(error),
        };
        for (socket, wanted) in bound.iter().zip(run.underlay) {
            if socket.local() != wanted {
                let (local, wanted) = (socket.local(), wanted.port());
                screen.note(&format!(
                    "port {wanted} is taken here, {local} serves instead"
                ))?;
            }
        }
        ports.extend(bound.iter().map(|socket| socket.local().port()));
        let pair = pair(&run, bound, limits)?;
        let recorders = one(args, pair, screen, &mut held)?;
        let added = capture
            .as_mut()
            .map(|capture| capture.add(run.interface, recorders));
        if let Some(Err(error)) = added {
            screen.note(&format!("the capture is cut short: {error}"))?;
            capture = None;
        }
    }

    match capture.map(Capture::finish) {
        None => {}
        Some(Ok(written)) => {
            screen.heading("Capture of the underlay")?;
            summary::capture(screen, &written, &ports)?;
        }
        Some(Err(error)) => screen.note(&format!("the capture is cut short: {error}"))?,
    }
    screen.line("")?;
    let (ok, text) = verdict(&held);
    let seconds = start.elapsed().as_secs_f64();
    screen.verdict(ok, &format!("{text} in {seconds:.1} s."))?;
    Ok(ok)
}

/// Whether everything held, and how to say it.
fn verdict(held: &[bool]) -> (bool, String) {
    let all = held.len();
    match held.iter().filter(|ok| !**ok).count() {
        0 if all > 0 => (true, format!("All {all} checks held")),
        failed => (false, format!("{failed} of {all} checks FAILED")),
    }
}

/// The two VTEPs and hosts of a run.
fn pair(run: &Run, [a, b]: [Receiver; 2], limits: Limits) -> io::Result<Pair> {
    let (at_a, at_b) = (a.local(), b.local());
    let start = Instant::now();
    let [host_a, host_b] = run.hosts;
    let host = |receiver, peer, last, address| -> io::Result<Host> {
        let mac = Mac::new([2, 0, 0, 0, 0, last]);
        let link = Link::new(receiver, peer, BLUE, mac, Recorder::new(limits))?;
        Ok(Host::new(link, address, USUAL_MTU - run.overhead, start))
    };
    Ok(Pair {
        a: host(a, at_b, 0x0a, host_a)?,
        b: host(b, at_a, 0x0b, host_b)?,
    })
}

/// One run; what held is added to `held`. Returns what was captured.
fn one<W: Write>(
    args: &Args,
    mut pair: Pair,
    screen: &mut Screen<W>,
    held: &mut Vec<bool>,
) -> io::Result<[Recorder; 2]> {
    let mut tell = |screen: &mut Screen<W>, check: Check| {
        held.push(check.ok);
        screen.check(&check)
    };
    let pings = pair.ping();
    tell(screen, checks::resolution(&pair.sides()))?;
    tell(screen, checks::ping(&pings))?;
    let transfer = pair.transfer(u64::from(args.size) << 20, screen)?;
    tell(screen, checks::transfer(&transfer))?;
    pair.stray(RED)?;
    let sides = pair.sides();
    let [_, b] = &sides;
    tell(screen, checks::learning(&sides))?;
    tell(screen, checks::isolation(b, RED))?;
    tell(screen, checks::drops(&sides))?;
    screen.line("")?;
    summary::table(screen, &sides)?;
    Ok([pair.a, pair.b].map(|host| host.into_link().into_recorder()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, FromArgMatches, Parser};

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn nothing_said_means_the_defaults() {
        Cli::command().debug_assert();
        let matches = Cli::command().try_get_matches_from(["demo"]).unwrap();
        let args = Cli::from_arg_matches(&matches).unwrap().args;
        assert_eq!(args, Args::default());
    }

    #[test]
    fn arguments_that_contradict_are_refused() {
        for words in [
            &["--no-capture", "--capture", "x"][..],
            &["--no-capture", "--snap", "100"],
            &["--size", "0"],
            &["--snap", "63"],
        ] {
            let words = ["demo"].iter().chain(words);
            assert!(Cli::try_parse_from(words).is_err());
        }
    }

    #[test]
    fn one_failure_fails_everything() {
        assert_eq!(
            verdict(&[true; 12]),
            (true, "All 12 checks held".to_owned())
        );
        let (ok, text) = verdict(&[true, false, true]);
        assert!(!ok);
        assert_eq!(text, "1 of 3 checks FAILED");
        assert!(!verdict(&[]).0, "nothing checked is nothing held");
    }
}
