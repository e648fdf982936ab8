//! Subcommands that the daemon does: here are only their descriptions.

use std::ffi::OsString;

use super::failure::Failure;
use super::grammar;
use super::options::Options;

/// The words of a subcommand. They are understood by the daemon.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Words {
    /// What to do, in the words of iproute2
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "WORDS"
    )]
    words: Vec<String>,
}

/// Forwarding databases, in the words of 'bridge fdb'.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = FDB)]
pub(crate) struct Fdb {
    #[command(flatten)]
    words: Words,
}

/// Devices, in the words of 'ip link ... type vxlan'.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = LINK)]
pub(crate) struct Link {
    #[command(flatten)]
    words: Words,
}

/// Neighbours that a proxy answers for, in the words of 'ip neigh'.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = NEIGH)]
pub(crate) struct Neigh {
    #[command(flatten)]
    words: Words,
}

/// Multicast databases, in the words of 'bridge mdb' of iproute2 6.8.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = MDB)]
pub(crate) struct Mdb {
    #[command(flatten)]
    words: Words,
}

/// The VNIs that a device receives, in the words of 'bridge vni'.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = VNI)]
pub(crate) struct Vni {
    #[command(flatten)]
    words: Words,
}

/// Events as they happen, as 'bridge monitor fdb' and 'ip monitor neigh' print them.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = MONITOR)]
pub(crate) struct Monitor {
    #[command(flatten)]
    words: Words,
}

/// Nexthop objects for forwarding databases, in the words of 'ip nexthop'.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = NEXTHOP)]
pub(crate) struct Nexthop {
    #[command(flatten)]
    words: Words,
}

const NEXTHOP: &str = "Words:
  nexthop [show] [id N] [groups] [fdb]
  nexthop add|replace [id N] via IP fdb
  nexthop add|replace [id N] group N[,WEIGHT][/N[,WEIGHT]]... fdb
  nexthop get|del id N
  nexthop flush [id N] [groups] [fdb]

An entry points to a group: 'vtep fdb add MAC dev NAME nhid N'. What goes takes its entries along.

Options, anywhere: -json, -pretty, -details.

Exit status: 0 when it is done; otherwise nothing has changed and one line says why: 2 for words \
that mean nothing and for what the kernel would refuse, 1 when no 'vtep run' answers.";

const FDB: &str = "Words:
  fdb [show] [dev NAME] [br BRIDGE] [state STATE] [dynamic]
  fdb add|append|replace|del MAC dev NAME [dst IP] [port N] [vni N] [src_vni N] [via IF]
          [nhid N] [self] [permanent|static|dynamic] [router] [extern_learn] [sticky] [use]
  fdb get MAC dev NAME [vni N]
  fdb flush dev NAME [dst IP] [port N] [vni N] [src_vni N] [nhid N]
          [[no]permanent|[no]static|[no]dynamic] [[no]extern_learn] [[no]sticky] [[no]router]
          [[no]offloaded] [[no]added_by_user]
  fdb save|load dev NAME file PATH

'save' writes the table to a file; 'load' adds what such a file holds and the device lacks, as old \
as it is, or nothing if the file is damaged or an entry cannot be had.

Options, anywhere: -json, -pretty, -statistics, -details.

Exit status: 0 when it is done; otherwise nothing has changed and one line says why: 2 for words \
that mean nothing, 255 for what the kernel would refuse, 254 when 'get' finds nothing, 1 when no \
'vtep run' answers.";

const LINK: &str = "Words:
  link add [NAME] [address MAC] [mtu N] [up] type vxlan id VNI [OPTION]...
  link set NAME [name NEW] [address MAC] [mtu N] [up|down] [type vxlan OPTION...]
  link del NAME
  link show [NAME] [up] [master BRIDGE]
  link import DEV [name NAME] [up]
  link export [DEV]

'import' makes a device like DEV of the kernel, with its address, MTU, entries and their ages. \
'export' prints the commands of ip and bridge that make ours in the kernel.
'vtep run --help' lists the options. A device is made down, as by 'ip'.

Options, anywhere: -json, -pretty, -statistics (twice for more), -details.

Exit status: 0 when it is done; otherwise nothing has changed and one line says why: 2 for words \
that mean nothing and for what the kernel would refuse, 1 when there is no such device or no \
'vtep run' answers.";

const NEIGH: &str = "Words:
  neigh [show] [dev NAME] [to PREFIX] [nud STATE]...
  neigh add|change|replace IP lladdr MAC dev NAME [nud STATE] [router] [extern_learn] [use]
  neigh get|del IP dev NAME
  neigh flush [dev NAME] [to PREFIX] [nud STATE]...

The host's own tables are meant: a device with 'proxy' or 'rsc' asks them about its interface, and \
'ip neigh' shows and changes the same.

Options, anywhere: -json, -pretty, -statistics, -4, -6.

Exit status: 0 when it is done; otherwise nothing has changed and one line says why: 2 for words \
that mean nothing and for what the kernel refuses, 1 when there is no such device or no 'vtep run' \
answers.";

const MDB: &str = "Words:
  mdb [show] [dev NAME]
  mdb add|replace|del dev NAME port NAME grp GROUP [src IP] [permanent|temp] [dst IP]
          [dst_port N] [vni N] [src_vni N] [via IF] [filter_mode include|exclude]
          [source_list IP[,IP]...] [proto PROTOCOL] [vid N]
  mdb get dev NAME grp GROUP [src IP] [src_vni N]
  mdb flush dev NAME [port NAME] [permanent] [dst IP] [dst_port N] [vni N] [src_vni N]
            [proto PROTOCOL]

A frame for GROUP is sent to the remotes of its entry instead of being flooded; 0.0.0.0 and :: \
stand for all other groups. The port is the device itself.

Options, anywhere: -json, -pretty, -statistics, -details (filter mode, sources, protocol).

Exit status: 0 when it is done; otherwise one line says why: 2 for words that mean nothing, 255 for \
what the kernel would refuse, 254 when 'get' finds nothing, 1 when no 'vtep run' answers.";

const VNI: &str = "Words:
  vni [show] [dev NAME]
  vni add|del vni N[-N][,N[-N]]... dev NAME [remote IP|group IP]

A device with 'external vnifilter' receives nothing else.

Options, anywhere: -json, -pretty, -statistics.

Exit status: 0 when it is done; otherwise one line says why: 2 for words that mean nothing, 255 for \
what the kernel would refuse (VNIs before the one that was refused stay, as in the kernel), 1 when \
no 'vtep run' answers.";

const MONITOR: &str = "Words:
  monitor [all|fdb|link|neigh|drops]...

  fdb    entries that come, change or go, and 'salt renewed' for a table under attack
  link   devices that come, change or go
  neigh  neighbours, and addresses that nobody knows (l2miss, l3miss)
  drops  frames that were lost, by reason

Nothing said is all but drops.

Options, anywhere: -json (an object a line), -statistics.

A reader that is too slow loses the oldest events and is told how many. Ends when the daemon ends.";

/// The subcommands.
const NAMES: [&str; 7] = ["fdb", "link", "mdb", "monitor", "neigh", "nexthop", "vni"];

/// Whose the command line is to understand.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The daemon's: these words.
    Words(Vec<String>),
    /// Nobody's: help for this subcommand, or one of its own.
    Help(Vec<&'static str>),
    /// Ours.
    Other,
}

impl Asked {
    /// What follows the name of the program. Options may stand before that of the subcommand.
    pub(crate) fn new(arguments: &[OsString]) -> Result<Self, Failure> {
        let is_option = |word: &str| {
            let name = word.strip_prefix("--").or_else(|| word.strip_prefix('-'));
            name.is_some_and(|name| Options::default().set(name))
        };
        let mut texts = arguments.iter().map(|word| word.to_str());
        let name = texts.find(|word| !word.is_some_and(is_option)).flatten();
        let Some(name) = NAMES.into_iter().find(|known| Some(*known) == name) else {
            return Ok(Self::Other);
        };
        let verb = texts
            .clone()
            .flatten()
            .find_map(|word| grammar::verb(name, word));
        if texts.any(|word| matches!(word, Some("--help" | "-h" | "-help" | "help"))) {
            return Ok(Self::Help([name].into_iter().chain(verb).collect()));
        }
        let words = arguments.iter().map(|word| {
            let text = word.to_str().map(str::to_owned);
            let shown = word.display();
            text.ok_or_else(|| Failure::usage(format_args!("\"{shown}\": UTF-8 expected")))
        });
        words.collect::<Result<_, _>>().map(Self::Words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    fn of(line: &str) -> Asked {
        let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        Asked::new(&arguments).unwrap()
    }

    #[test]
    fn whose_words() {
        for line in ["fdb", "-j fdb show", "--json -s monitor", "fdb add x -p"] {
            let words = line.split(' ').map(str::to_owned).collect();
            assert_eq!(of(line), Asked::Words(words));
        }
        for (line, names) in [
            ("fdb --help", &["fdb"][..]),
            ("-j fdb add help", &["fdb", "add"]),
            ("fdb -h", &["fdb"]),
        ] {
            assert_eq!(of(line), Asked::Help(names.to_vec()));
        }
        for line in ["run", "", "-j", "--link fdb", "run fdb"] {
            assert_eq!(of(line), Asked::Other, "{line}");
        }
        let refused = Asked::new(&["fdb".into(), OsString::from_vec(vec![0xff])]);
        assert!(refused.unwrap_err().to_string().contains("UTF-8"));
    }
}
