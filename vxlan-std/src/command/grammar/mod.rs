//! The words behind the subcommands that the daemon does, for those who want to know them
//! beforehand: help, completion and the man page are made from this.

mod fdb;
mod link;
mod mdb;
mod monitor;
mod neigh;
mod nexthop;
mod vni;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, Command, CommandFactory};

use super::Arguments;

/// A subcommand and what can follow it.
pub(super) struct Noun {
    name: &'static str,
    verbs: &'static [Verb],
    /// Words without a verb.
    words: &'static [Word],
    /// What holds when `add` is not told: the word that says otherwise, and what.
    defaults: &'static [(&'static str, &'static str)],
}

/// What is to be done.
struct Verb {
    name: &'static str,
    about: &'static str,
    words: &'static [&'static [Word]],
}

/// A word and what it is for; a value stands behind it if the second is not empty.
type Word = (&'static str, &'static str, &'static str);

/// All of them.
const NOUNS: [&Noun; 7] = [
    &fdb::FDB,
    &link::LINK,
    &mdb::MDB,
    &monitor::MONITOR,
    &neigh::NEIGH,
    &nexthop::NEXTHOP,
    &vni::VNI,
];

/// The whole command line with all words.
pub(super) fn command() -> Command {
    NOUNS.iter().fold(Arguments::command(), |command, noun| {
        command.mut_subcommand(noun.name, |command| {
            let verbs = noun.verbs.iter().map(|verb| verb.command(noun));
            let command = command.mut_arg("words", |words| match noun.words {
                [] => words.hide(true),
                list => words.value_parser(values(&[list], &[])),
            });
            command.subcommands(verbs).disable_help_subcommand(true)
        })
    })
}

/// The name of a verb, if there is such a one.
pub(super) fn verb(noun: &str, verb: &str) -> Option<&'static str> {
    let noun = NOUNS.iter().find(|known| known.name == noun)?;
    let verb = noun.verbs.iter().find(|known| known.name == verb)?;
    Some(verb.name)
}

impl Verb {
    fn command(&self, noun: &Noun) -> Command {
        let defaults = match self.name {
            "add" => noun.defaults,
            _ => &[],
        };
        let words = Arg::new("words")
            .value_name("WORDS")
            .num_args(0..)
            .help("The words of iproute2");
        let words = match self.words {
            [] => words,
            lists => words.value_parser(values(lists, defaults)),
        };
        Command::new(self.name).about(self.about).arg(words)
    }
}

fn values(lists: &[&[Word]], defaults: &[(&str, &str)]) -> PossibleValuesParser {
    let words = lists.iter().flat_map(|list| list.iter());
    let values = words.map(|(name, value, help)| {
        let help = match *value {
            "" => (*help).to_owned(),
            value => format!("{value}: {help}"),
        };
        let help = match defaults.iter().find(|(word, _)| word == name) {
            Some((_, default)) => format!("{help} [default: {default}]"),
            None => help,
        };
        PossibleValue::new(*name).help(help)
    });
    PossibleValuesParser::new(values)
}

#[cfg(test)]
mod tests {
    use super::super::words::{
        parse_fdb_request, parse_link_request, parse_mdb, parse_neigh, parse_nexthop, parse_vni,
    };
    use super::*;

    /// Each default belongs to a word of `add`, and is said there alone.
    #[test]
    fn only_what_is_made_has_defaults() {
        let mut command = command();
        command.build();
        let link = command.find_subcommand_mut("link").unwrap();
        for (verb, want) in [("add", link::LINK.defaults.len()), ("set", 0), ("del", 0)] {
            let help = link.find_subcommand_mut(verb).unwrap().render_long_help();
            let said = help.to_string().matches("[default: ").count();
            assert_eq!(said, want, "{verb}");
        }
        let add = link.find_subcommand_mut("add").unwrap();
        let help = add.render_long_help().to_string();
        assert!(
            help.contains("the UDP port of both ends [default: 8472]"),
            "{help}"
        );
    }

    /// Every word here is one that the daemon knows.
    #[test]
    fn no_word_is_unknown() {
        for noun in NOUNS {
            for verb in noun.verbs {
                for (word, ..) in verb.words.iter().flat_map(|list| list.iter()) {
                    let mut line = vec![verb.name];
                    line.extend(match (noun.name, verb.name) {
                        ("link", "add") if link::is_option(word) => vec!["type", "vxlan"],
                        ("link", "set") if link::is_option(word) => vec!["x", "type", "vxlan"],
                        _ => vec![],
                    });
                    line.push(word);
                    let refused = match noun.name {
                        "fdb" => parse_fdb_request(&line).err(),
                        "link" => parse_link_request(&line).err(),
                        "neigh" => parse_neigh(&line).err(),
                        "mdb" => parse_mdb(&line).err(),
                        "vni" => parse_vni(&line).err(),
                        "nexthop" => parse_nexthop(&line).err(),
                        other => panic!("{other}"),
                    };
                    let said = refused.map(|error| error.to_string()).unwrap_or_default();
                    assert!(
                        !said.contains("unknown word") && !said.contains("not supported"),
                        "{} {}: {said}",
                        noun.name,
                        line.join(" ")
                    );
                }
            }
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
        assert_eq!(verb("fdb", "add"), Some("add"));
        assert_eq!(verb("fdb", "walk"), None);
        assert_eq!(verb("run", "add"), None);
    }

    /// Each verb of the daemon is here: what it refuses to do names them.
    #[test]
    fn no_verb_is_missing() {
        for (noun, error) in [
            ("fdb", parse_fdb_request(&["?"]).unwrap_err()),
            ("link", parse_link_request(&["?"]).unwrap_err()),
            ("neigh", parse_neigh(&["?"]).unwrap_err()),
            ("mdb", parse_mdb(&["?"]).unwrap_err()),
            ("vni", parse_vni(&["?"]).unwrap_err()),
            ("nexthop", parse_nexthop(&["?"]).unwrap_err()),
        ] {
            let said = error.to_string().replace(',', " ");
            let noun = NOUNS.iter().find(|known| known.name == noun).unwrap();
            for verb in noun.verbs {
                assert!(
                    said.contains(&format!(" {} ", verb.name)),
                    "{said}: {}",
                    verb.name
                );
            }
            let named = said
                .split(" expected")
                .next()
                .unwrap()
                .split_whitespace()
                .count();
            // "noun:", "?:" and "or" are the others.
            assert_eq!(named - 3, noun.verbs.len(), "{said}");
        }
    }
}
