//! `vtep run`: VTEPs behind TAP devices, until a signal comes.

mod config;
mod control;
mod counters;
mod devices;
mod drops;
mod jobs;
mod lifecycle;
mod pump;
mod sink;
mod state;

use std::path::PathBuf;

use clap::Args;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use vxlan_core::fdb::Mode;

use super::control::{Address, Listener};
use super::failure::Failure;
use super::fdb;
use super::options::Options;
use super::watch::Watch;
use super::words::{LinkSpec, WordsError, parse_fdb, parse_link};
use config::Plan;
pub(crate) use control::Audience;
use control::Control;
pub(crate) use devices::{Devices, Link, Refused};
pub(crate) use jobs::{After, Errand, PIECE, Progress, Ticket, Work};
use lifecycle::Host;
use sink::Sink;
use state::State;

/// Run VXLAN devices behind TAP interfaces of this host.
///
/// Makes a TAP interface for each --link, carries its frames over UDP like the kernel's VXLAN
/// device of the same description, and prints what is learned and forgotten. Does what the other
/// subcommands ask for meanwhile: they reach it by a socket that only its owner can open, whose
/// path is VTEP_SOCKET or one for each network namespace; without a device it prints the path once
/// it is ready. Ends on Ctrl-C or SIGTERM: removes the
/// interfaces and prints the counters. Needs CAP_NET_ADMIN.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// A device, in the words of 'ip link add'
    #[arg(long, value_name = "WORDS", long_help = LINK)]
    link: Vec<String>,
    /// An entry, in the words of 'bridge fdb append'
    #[arg(long, value_name = "WORDS", long_help = FDB)]
    fdb: Vec<String>,
    /// A TOML file that says what should exist
    #[arg(long, value_name = "FILE", long_help = CONFIG)]
    config: Option<PathBuf>,
    /// A directory that keeps the forwarding databases across restarts
    #[arg(long, value_name = "DIRECTORY", long_help = STATE)]
    state: Option<PathBuf>,
    /// Print events and counters as JSON, an object a line [default: text]
    #[arg(short, long)]
    json: bool,
}

const LINK: &str = "A device, in the words of 'ip link add'. May be given several times; devices \
of one address family may share a UDP port if their VNIs differ.

  NAME [mtu N] [address MAC] [down] type vxlan id VNI [OPTION]...

  local IP             outer source address [default: the route's]
  remote IP            where frames of unknown destination go [default: nowhere]
  group IP             the same, a multicast group; needs dev
  dev IF               the lower interface: for the group and the MTU [default: the route's]
  dstport N            UDP port of both ends [default: 8472; 4789 is the assigned one]
  srcport MIN MAX      outer source ports, below MAX [default: ephemeral ones]
  ttl N                outer TTL [default: 1 to a group, else the host's]; or 'inherit'
  tos N                outer TOS, hexadecimal [default: 0]; or 'inherit'
  df set|unset|inherit when the outer header forbids fragments [default: unset]
  ageing S             seconds until a learned entry is forgotten [default: 300]
  maxaddress N         how many entries there may be [default: unlimited]
  [no]learning         learn from what is received [default: learning]
  learnquota N         entries that may be learned from one VTEP [default: unlimited] *
  learnrate N BURST    entries that may be learned in a second, and at once [default: unlimited] *
  movedamping N S HOLD moves in S seconds, before a station is held for HOLD [default: none] *
  unlearned WHAT       'drop' frames of whom quota and rate refuse [default: deliver] *
  [no]udpcsum          UDP checksum over IPv4 [default: udpcsum]
  [no]l2miss           tell about unknown destinations [default: nol2miss]
  [no]l3miss           tell about unknown neighbours [default: nol3miss]
  [no]proxy            answer for neighbours [default: noproxy]
  [no]rsc              short-circuit routes [default: norsc]
  [no]external         networks come with the frame; instead of id [default: noexternal]
  [no]udp6zerocsumtx   no UDP checksum over IPv6 [default: noudp6zerocsumtx]
  [no]udp6zerocsumrx   take packets without one [default: noudp6zerocsumrx]
  [no]remcsumtx        remote checksum offload, sent [default: noremcsumtx]
  [no]remcsumrx        remote checksum offload, taken [default: noremcsumrx]
  remcsumnopartial     remote checksums are computed on arrival
  [no]mcroute          groups take the host's multicast routes [default: nomcroute]
  flowlabel N          outer IPv6 flow label; or 'inherit' [default: 0]
  reserved_bits MASK   header bits that are to be clear [default: all without a use]
  [no]localbypass      hand frames for this host over directly [default: localbypass]
  [no]gbp              group policy extension [default: nogbp]

* Linux has no such thing. The MTU is what dev leaves, or 1500; the address is random; the device is up unless \
'down' is said.";

const FDB: &str = "An entry, in the words of 'bridge fdb append'. May be given several times; \
all-zeros and group addresses take several remotes.

  MAC dev NAME dst IP [port N] [vni N] [via IF] [permanent|static|dynamic]

  port N               UDP port [default: the device's]
  vni N                VNI to send with [default: the device's]
  via IF               the interface to send through [default: the route's]";

const CONFIG: &str =
    "A TOML file that says what should exist, besides --link and --fdb. A key of a \
link is a word of 'ip link', its value what stands behind it: a list for several values, true for \
the word alone, false for the word with 'no' before it (down for up). Lines of the lists fdb, mdb, \
neigh and vni hold the words of 'bridge fdb append', 'bridge mdb add', 'ip neigh replace' and 'bridge vni add' \
without 'dev NAME' (and 'port NAME'); those of nexthop, outside of links, the words of \
'ip nexthop add'. A wrong line refuses the file as a whole.

  nexthop = [\"id 1 via 192.0.2.3 fdb\", \"id 10 group 1 fdb\"]

  [[link]]
  name = \"vx0\"
  id = 42
  local = \"192.0.2.1\"
  dstport = 4789
  learning = false
  srcport = [40000, 41000]
  fdb = [\"00:00:00:00:00:00 dst 192.0.2.2\"]
  mdb = [\"grp 239.1.1.1 dst 192.0.2.2 permanent\"]";

const STATE: &str = "A directory that keeps forwarding databases and nexthop objects across restarts, \
made if it is not there: the file NAME.fdb of each device is loaded at start, and written at the \
end, while frames go on; a second signal does not wait for it. A damaged file ends the start and stays as it is; entries that no longer fit the configuration \
are told and left out.";

const EXAMPLES: &str = "Examples:
  vtep run --link 'vx0 type vxlan id 42 local 192.0.2.1 remote 192.0.2.2 dstport 4789'
  vtep run --link 'vx0 type vxlan id 42 group 239.1.1.1 dev eth0 dstport 4789' \\
           --link 'vx1 type vxlan id 43 dstport 4789' \\
           --fdb '00:00:00:00:00:00 dev vx1 dst 192.0.2.3' -j";

/// Makes the devices, carries frames until a signal comes, tells the counters.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let usage = |error: WordsError| Failure::usage(error);
    let parse = |line: &String| -> Result<LinkSpec, Failure> {
        let link = parse_link(line).map_err(usage)?;
        link.check().map_err(Failure::usage)?;
        Ok(link)
    };
    let links: Vec<_> = arguments.link.iter().map(parse).collect::<Result<_, _>>()?;
    let parse = |line: &String| parse_fdb(line).map_err(usage);
    let entries: Vec<_> = arguments.fdb.iter().map(parse).collect::<Result<_, _>>()?;
    let plan = arguments.config.as_deref().map(Plan::read).transpose()?;
    let stranger = |name: &String| {
        let planned = plan.as_ref().is_some_and(|plan| plan.makes(name));
        !planned && links.iter().all(|link| link.name.as_ref() != Some(name))
    };
    if let Some(entry) = entries.iter().find(|entry| stranger(&entry.device)) {
        let (mac, name) = (entry.mac, &entry.device);
        return Err(Failure::usage(format_args!(
            "fdb \"{mac} …\": \"dev {name}\": the name of a --link expected"
        )));
    }
    let state = arguments.state.as_deref().map(State::open).transpose()?;

    more_descriptors();
    // Before anything is made, so that a signal finds somebody to clean up.
    let signals = signals().map_err(|error| Failure::of("signals", error))?;
    let options = Options {
        json: arguments.json,
        ..Options::default()
    };
    let address = Address::here()?;
    let listener = Listener::open(&address)?;
    let mut control = Control::new(listener, Watch::tables(options));
    let host = Host::open().map_err(|error| Failure::of("netlink", error))?;
    let sink = Sink::start().map_err(|error| Failure::of("standard output", error))?;
    let mut devices = Devices::new()?;
    for link in &links {
        devices.start(link, &mut Audience::nobody(&sink))?;
    }
    if let Some(plan) = &plan {
        plan.links(&mut devices, &mut Audience::nobody(&sink))?;
    }
    let mut audience = control.audience(&sink);
    for entry in &entries {
        let done = fdb::update(&mut devices, &mut audience, entry, Mode::APPEND);
        done.map_err(|refusal| {
            let (name, mac) = (&entry.device, entry.mac);
            Failure::of(name, format_args!("entry for {mac}: {refusal}"))
        })?;
    }
    if let Some(plan) = &plan {
        plan.rest(&mut devices, &mut audience)?;
    }
    if let Some(state) = &state {
        state.load(&mut devices, &mut audience)?;
    }
    if devices.taps.links.is_empty() {
        // Otherwise an interface that is up says as much.
        sink.push(ready(&address, options));
    }
    let done = pump::pump(
        &mut devices,
        &signals,
        state.as_ref(),
        host,
        &mut control,
        &sink,
    );
    devices.jobs.close();
    match &done {
        Ok(_) => counters::print(&devices, options, &sink),
        // The loop cannot go on, but what is in the tables can be kept. What fails is told first.
        Err(_) => drop(state.map(|state| state.save_at_once(&devices))),
    }
    control.close();
    sink.close();
    done.flatten()
}

/// Tells that it can be asked, and where.
fn ready(address: &Address, options: Options) -> String {
    let path = address.path().display().to_string();
    match options.json {
        true => format!("{}\n", serde_json::json!({"ready": {"socket": path}})),
        false => format!("ready, socket {}\n", path.escape_debug()),
    }
}

/// A device has a socket for each of its source ports: as many descriptors as the host allows.
fn more_descriptors() {
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // With fewer it runs as well.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    }
}

fn signals() -> nix::Result<SignalFd> {
    let mut set = SigSet::empty();
    set.add(Signal::SIGINT);
    set.add(Signal::SIGTERM);
    set.thread_block()?;
    SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
}
