//! Completion and manual, which need no daemon.

use std::process::{Command, Output};

use crate::runner::Skip;
use crate::runner::namespace::VTEP;

fn vtep(words: &[&str]) -> Output {
    Command::new(VTEP).args(words).output().unwrap()
}

fn shown(words: &[&str]) -> String {
    let done = vtep(words);
    assert!(done.status.success(), "{words:?}: {done:?}");
    String::from_utf8(done.stdout).unwrap()
}

/// A shell that completes offers the words behind each subcommand.
pub(crate) fn bash_completes_the_words(_: &str) -> Result<(), Skip> {
    for (words, wants) in [
        (&["vtep", ""][..], &["run", "fdb", "link", "monitor"][..]),
        (&["vtep", "fdb", ""], &["add", "append", "flush"]),
        (&["vtep", "fdb", "add", ""], &["dst", "src_vni", "sticky"]),
        (
            &["vtep", "fdb", "add", "02:00:00:00:00:01", "dev", "vx0", "d"],
            &["dst", "dynamic"],
        ),
        (
            &["vtep", "link", "add", "vx0", "type", "vxlan", "l"],
            &["local", "l2miss"],
        ),
        (&["vtep", "monitor", ""], &["fdb", "drops"]),
    ] {
        let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        let script = format!(
            "source <({VTEP} completion bash); COMP_WORDS=({}); COMP_CWORD={}; \
             _vtep vtep '{}' '{}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            quoted.join(" "),
            words.len() - 1,
            words[words.len() - 1],
            words[words.len() - 2],
        );
        let done = Command::new("bash").args(["-c", &script]).output();
        let done = done.map_err(|error| Skip(format!("bash: {error}")))?;
        let offered = String::from_utf8(done.stdout).unwrap();
        let offered: Vec<&str> = offered.lines().collect();
        for want in wants {
            assert!(offered.contains(want), "{words:?}: {want}: {offered:?}");
        }
    }
    Ok(())
}

pub(crate) fn zsh_and_the_manual_know_the_words(_: &str) -> Result<(), Skip> {
    let zsh = shown(&["completion", "zsh"]);
    assert!(zsh.starts_with("#compdef vtep"));
    for want in ["src_vni", "reserved_bits", "localbypass", "drops"] {
        assert!(zsh.contains(want), "{want}");
    }
    for (page, wants) in [
        (&["man"][..], &[".TH vtep 1", "vtep\\-fdb"][..]),
        (&["man", "fdb"], &[".TH vtep-fdb 1", "Exit status"]),
        (&["man", "fdb", "add"], &[".TH vtep-fdb-add 1", "src_vni"]),
        (&["man", "link", "set"], &["nolocalbypass", "ageing"]),
    ] {
        let text = shown(page);
        for want in wants {
            assert!(text.contains(want), "{page:?}: {want}: {text}");
        }
    }
    let done = vtep(&["man", "walk"]);
    assert_eq!(done.status.code(), Some(2));
    let said = String::from_utf8(done.stderr).unwrap();
    let want =
        "vtep: no page about \"walk\"; expected completion, decode, demo, man, run, fdb, link, ";
    assert!(
        said.starts_with(want) && said.lines().count() == 1,
        "{said}"
    );
    Ok(())
}
