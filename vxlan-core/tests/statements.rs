//! Every statement of `docs/STATEMENTS.md` has a test.
//!
//! A test counts for a statement if its name (`m17_create`) or the comment above it (`M-17`) says so.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The kinds of statements and how many there are of each, numbered from 1.
const KINDS: [(&str, usize); 7] = [
    ("M", 26),
    ("R", 18),
    ("T", 28),
    ("A", 11),
    ("L", 6),
    ("F", 4),
    ("S", 1),
];

#[test]
fn every_statement_has_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let list = std::fs::read_to_string(root.join("docs/STATEMENTS.md")).unwrap();
    let rows = list.lines().filter_map(|line| line.strip_prefix("| "));
    let statements: Vec<String> = rows
        .map(|row| ids(row.split(' ').next().unwrap_or_default()))
        .filter_map(|ids| ids.into_iter().next())
        .collect();
    let numbered = KINDS
        .iter()
        .flat_map(|(kind, count)| (1..=*count).map(move |number| format!("{kind}-{number:02}")));
    assert!(statements.iter().cloned().eq(numbered), "{statements:?}");

    let mut files = Vec::new();
    for part in ["vxlan-core", "vxlan-std", "benches", "fuzz"] {
        sources(&root.join(part), &mut files);
    }
    let mut tests: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for (name, ids) in named(&text) {
            for id in ids {
                tests.entry(id).or_default().push(name.clone());
            }
        }
    }
    let unknown: Vec<_> = tests.keys().filter(|id| !statements.contains(id)).collect();
    assert!(unknown.is_empty(), "no such statement: {unknown:?}");

    let untested: Vec<&str> = statements
        .iter()
        .map(String::as_str)
        .filter(|id| !tests.contains_key(*id))
        .collect();
    println!(
        "statements: {} named, {} without a test",
        statements.len(),
        untested.len()
    );
    assert!(untested.is_empty(), "no test for {untested:?}");
}

/// All Rust sources below a directory.
fn sources(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("target") {
                sources(&path, files);
            }
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
}

/// The tests of a file with the statements that each names.
fn named(text: &str) -> Vec<(String, BTreeSet<String>)> {
    let mut tests = Vec::new();
    let (mut above, mut is_test) = (BTreeSet::new(), false);
    for line in text.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix("//") {
            above.extend(ids(comment));
        } else if line.starts_with("#[") {
            is_test |= line == "#[test]";
        } else {
            let name = line
                .strip_prefix("fn ")
                .and_then(|rest| rest.split('(').next());
            if let (Some(name), true) = (name, is_test) {
                above.extend(ids_in_name(name));
                tests.push((name.to_owned(), core::mem::take(&mut above)));
            }
            (above, is_test) = (BTreeSet::new(), false);
        }
    }
    tests
}

/// `M-17, M-19` in a text.
fn ids(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let is_id = |word: &&str| {
        let Some((kind, number)) = word.split_once('-') else {
            return false;
        };
        kind.len() == 1
            && KINDS.iter().any(|(known, _)| *known == kind)
            && number.len() == 2
            && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    words.filter(is_id).map(str::to_owned).collect()
}

/// `m17_m19_create` as a name.
fn ids_in_name(name: &str) -> BTreeSet<String> {
    let words = name.split('_').map(str::to_ascii_uppercase);
    let id = |word: String| {
        let (kind, number) = word.split_at_checked(1)?;
        let found = ids(&format!("{kind}-{number}"));
        found.into_iter().next()
    };
    words.filter_map(id).collect()
}

/// The search itself: what counts and what does not.
#[test]
fn what_counts_as_a_name() {
    let text = "
        /// M-17, R-05: both.
        /// And T-01.
        #[test]
        fn a_story() {
        // F-01 within
        }
        /// F-02: no test
        fn helper() {}
        #[test]
        fn l03_moved() {}
        proptest! {
            // S-01
            #[test]
            fn sums(a in 0..9) {}
        }
    ";
    let found = named(text);
    let found: Vec<_> = found
        .iter()
        .map(|(name, ids)| (name.as_str(), ids.iter().map(String::as_str).collect()))
        .collect::<Vec<(_, Vec<_>)>>();
    assert_eq!(
        found,
        [
            ("a_story", vec!["M-17", "R-05", "T-01"]),
            ("l03_moved", vec!["L-03"]),
            ("sums", vec!["S-01"]),
        ]
    );
}
