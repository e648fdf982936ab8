//! The subcommands of `vtep`, one file each.

mod answer;
mod control;
mod decode;
mod demo;
mod describe;
mod failure;
mod fdb;
mod file;
mod grammar;
mod json;
mod link;
mod mdb;
mod neigh;
mod netlink;
mod nexthop;
mod options;
mod refusal;
mod remote;
mod run;
mod show;
mod vni;
mod watch;
mod words;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Arg, CommandFactory, FromArgMatches, Parser, Subcommand};
use failure::Failure;

/// VXLAN tunnel end points in user space.
///
/// Behaves as the VXLAN device of Linux 6.18, whose words it takes.
#[derive(Debug, Parser)]
#[command(
    name = "vtep",
    version,
    after_help = "Exit status: 0 when it did what it was told, \
    1 when something failed, 2 for wrong arguments. Subcommands that ask 'vtep run' \
    find it by the socket VTEP_SOCKET, unset the one of this network namespace."
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Completion(describe::Completion),
    Decode(decode::Args),
    Demo(demo::Args),
    Fdb(remote::Fdb),
    Link(remote::Link),
    Man(describe::Manual),
    Mdb(remote::Mdb),
    Monitor(remote::Monitor),
    Neigh(remote::Neigh),
    Nexthop(remote::Nexthop),
    Run(run::Arguments),
    Vni(remote::Vni),
}

/// Does what the command line says. Wrong words are told in one line and end with status 2, what
/// fails later in one line with status 1.
pub(crate) fn main() -> ExitCode {
    let mut arguments: Vec<_> = std::env::args_os().collect();
    match remote::Asked::new(arguments.get(1..).unwrap_or_default()) {
        Ok(remote::Asked::Other) => {}
        Ok(remote::Asked::Words(words)) => {
            return control::ask(&words).unwrap_or_else(|failure| failure.report());
        }
        Ok(remote::Asked::Help(mut names)) => {
            names.insert(0, "vtep");
            names.push("--help");
            arguments = names.into_iter().map(Into::into).collect();
        }
        Err(failure) => return failure.report(),
    }
    let matches = grammar::command().try_get_matches_from(arguments);
    let arguments = match matches.and_then(|matches| Arguments::from_arg_matches(&matches)) {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => return Failure::from(&error).report(),
        Err(help) => {
            // A closed pipe has seen enough of it.
            let _ = help.print();
            return ExitCode::SUCCESS;
        }
    };
    let command = arguments
        .command
        .unwrap_or_else(|| Command::Demo(demo::Args::default()));
    let done = match command {
        Command::Completion(arguments) => describe::completion(&arguments),
        Command::Man(arguments) => describe::manual(&arguments),
        Command::Decode(arguments) => return decode::run(&arguments),
        Command::Demo(arguments) => return demo::run(&arguments),
        Command::Run(arguments) => run::run(&arguments),
        // Its words are the daemon's to understand.
        Command::Fdb(_)
        | Command::Link(_)
        | Command::Mdb(_)
        | Command::Monitor(_)
        | Command::Neigh(_)
        | Command::Nexthop(_)
        | Command::Vni(_) => Err(Failure::usage("see 'vtep --help'")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

impl From<&clap::Error> for Failure {
    /// What clap has to say, in one line, and what was expected instead.
    fn from(error: &clap::Error) -> Self {
        let text = error.to_string();
        let said = text.split("\n\n").next().unwrap_or_default();
        let said = said.strip_prefix("error: ").unwrap_or(said);
        let said: Vec<&str> = said.split_whitespace().collect();
        let said = said.join(" ");
        let mut command = Arguments::command();
        if let Some((_, usage)) = text.split_once("Usage: ")
            && let Some(name) = usage.split_whitespace().nth(1)
            && let Some(sub) = command.find_subcommand(name)
        {
            command = sub.clone();
        }
        Self::usage(match error.kind() {
            ErrorKind::InvalidSubcommand => {
                let names = command
                    .get_subcommands()
                    .map(|sub| sub.get_name().to_owned());
                format!("{said}; expected {}", names.collect::<Vec<_>>().join(", "))
            }
            ErrorKind::UnknownArgument => {
                let longs = command.get_arguments().filter_map(Arg::get_long);
                let names: Vec<_> = longs.map(|long| format!("--{long}")).collect();
                match names.is_empty() {
                    true => format!("{said}; see 'vtep --help'"),
                    false => format!("{said}; expected {}", names.join(", ")),
                }
            }
            ErrorKind::InvalidValue | ErrorKind::ValueValidation => said,
            _ => format!("{said}; see 'vtep --help'"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    /// Every option has its help.
    #[test]
    fn nothing_goes_without_help() {
        let command = Arguments::command();
        for sub in command.get_subcommands() {
            assert!(sub.get_about().is_some(), "{}", sub.get_name());
            assert!(sub.get_after_help().is_some(), "{}", sub.get_name());
            for argument in sub.get_arguments() {
                assert!(argument.get_help().is_some(), "{argument}");
            }
        }
    }

    #[test]
    fn wrong_arguments_are_one_line() {
        for (line, want) in [
            (
                &["vtep", "walk"][..],
                "unrecognized subcommand 'walk'; expected completion, decode, demo, fdb, link, man, mdb, monitor, neigh, nexthop, run, vni",
            ),
            (
                &["vtep", "run", "--link"],
                "a value is required for '--link <WORDS>' but none was supplied",
            ),
            (
                &["vtep", "run", "--lnik", "vx0"],
                "unexpected argument '--lnik' found; expected --link, --fdb, --config, --state, --json",
            ),
            (
                &["vtep", "decode", "--port", "65536", "x"],
                "invalid value '65536' for '--port <N>': a number from 1 to 65535 expected",
            ),
            (
                &["vtep", "demo", "--snap", "63"],
                "invalid value '63' for '--snap <BYTES>': a number from 64 to 65535 expected",
            ),
        ] {
            let error = Arguments::try_parse_from(line).unwrap_err();
            assert_eq!(Failure::from(&error), Failure::usage(want), "{line:?}");
        }
    }
}
