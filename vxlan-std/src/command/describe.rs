//! `vtep completion` and `vtep man`: what the command line takes, for shells and for readers.

use std::io::{self, ErrorKind, Write};

use clap::Command;
use clap_complete::{Shell, generate};
use clap_mangen::Man;

use super::failure::Failure;
use super::grammar;

/// Print the completion of a shell.
///
/// bash: vtep completion bash > /usr/share/bash-completion/completions/vtep;
/// zsh: vtep completion zsh > /usr/share/zsh/site-functions/_vtep
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "Exit status: 0 when it is printed.")]
pub(crate) struct Completion {
    /// The shell
    shell: Shell,
}

/// Print a page of the manual: 'vtep man | man -l -'.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "Exit status: 0 when it is printed, 2 when there is no such page.")]
pub(crate) struct Manual {
    /// A subcommand, and one of its own [default: the whole]
    subcommand: Vec<String>,
}

/// Prints it.
pub(crate) fn completion(arguments: &Completion) -> Result<(), Failure> {
    let mut text = Vec::new();
    generate(arguments.shell, &mut grammar::command(), "vtep", &mut text);
    print(&text)
}

/// Prints it.
pub(crate) fn manual(arguments: &Manual) -> Result<(), Failure> {
    let mut command = grammar::command();
    let mut name = "vtep".to_owned();
    command.build();
    for word in &arguments.subcommand {
        let names = command.get_subcommands().map(Command::get_name);
        let names: Vec<_> = names.filter(|name| *name != "help").collect();
        let found = command.find_subcommand(word).cloned();
        let (shown, names) = (word.escape_debug(), names.join(", "));
        let missing = || match names.as_str() {
            "" => Failure::usage(format_args!("no page about \"{shown}\"")),
            names => Failure::usage(format_args!("no page about \"{shown}\"; expected {names}")),
        };
        command = found.ok_or_else(missing)?;
        name = format!("{name}-{word}");
    }
    let mut text = Vec::new();
    let page = Man::new(command).title(name).manual("User Commands");
    let failed = |error: io::Error| Failure::of("the page", error);
    page.render(&mut text).map_err(failed)?;
    print(&text)
}

fn print(text: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout();
    match out.write_all(text).and_then(|()| out.flush()) {
        // Whoever read it has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done.map_err(|error| Failure::of("standard output", error)),
    }
}
