//! Groups of vectors, replayed and counted.

use std::collections::BTreeMap;
use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use super::answer::Failure;
use super::compare::Comparison;
use super::host::Host;
use super::model::Vector;

/// How many failing vectors of a group are shown in full.
const SHOWN: usize = 12;
/// How many differences of one step are shown.
const LINES: usize = 4;

/// What came of one group.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) passed: usize,
    /// Failing vectors, each with what to print.
    pub(crate) failed: Vec<String>,
}

impl Outcome {
    /// Replays the vectors of a group, one per line.
    pub(crate) fn of(group: &str, lines: &[String]) -> Self {
        let mut outcome = Self::default();
        for line in lines {
            // A panic fails its vector and no other.
            match catch_unwind(|| replay(group, line)) {
                Ok(Ok(())) => outcome.passed += 1,
                Ok(Err(difference)) => outcome.failed.push(difference),
                Err(_) => outcome.failed.push(format!("{}..: panicked", head(line))),
            }
        }
        outcome
    }

    pub(crate) fn print_failures(&self) {
        for failure in self.failed.iter().take(SHOWN) {
            println!("  {failure}");
        }
        if let Some(more) = self
            .failed
            .len()
            .checked_sub(SHOWN)
            .filter(|more| *more > 0)
        {
            println!("  .. and {more} more");
        }
    }
}

/// All vectors of the directories, by group.
pub(crate) fn groups<'p>(
    directories: impl Iterator<Item = &'p Path>,
) -> Result<BTreeMap<String, Vec<String>>, String> {
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for directory in directories {
        let at = |error| format!("{}: {error}", directory.display());
        let mut files = fs::read_dir(directory)
            .map_err(at)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(at)?;
        files.retain(|file| file.extension().is_some_and(|kind| kind == "jsonl"));
        files.sort();
        for file in files {
            let group = file
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let text = fs::read_to_string(&file)
                .map_err(|error| format!("{}: {error}", file.display()))?;
            let lines = text
                .lines()
                .filter(|line| !line.trim().is_empty())
                .map(Into::into);
            groups.entry(group).or_default().extend(lines);
        }
    }
    Ok(groups)
}

/// The beginning of a line, which names the vector.
fn head(line: &str) -> &str {
    line.get(..line.len().min(40)).unwrap_or_default()
}

fn replay(group: &str, line: &str) -> Result<(), String> {
    let vector: Vector = serde_json::from_str(line)
        .map_err(|error| format!("{}..: not understood: {error}", head(line)))?;
    let id = &vector.id;
    if vector.group != group {
        return Err(format!("{id}: of group {}", vector.group));
    }
    let fault = |failure| match failure {
        Failure::Refused(errno, extack) => format!("errno {errno} {}", extack.unwrap_or_default()),
        Failure::Unsupported(what) => format!("not supported: {what}"),
    };
    let mut host = Host::new(&vector).map_err(|why| format!("{id} set-up: {}", fault(why)))?;
    let mut comparison = Comparison::new(vector.sport.as_ref());
    for (number, step) in vector.steps.iter().enumerate() {
        let observed = host
            .step(&step.input)
            .map_err(|why| format!("{id} step {number}: {}", fault(why)))?;
        let differences = comparison.step(number, &step.expect, &observed);
        if !differences.is_empty() {
            let shown = differences.iter().take(LINES).map(String::as_str);
            let shown: Vec<&str> = shown.collect();
            return Err(format!("{id} step {number}: {}", shown.join("\n      ")));
        }
    }
    match comparison.finish().first() {
        Some(difference) => Err(format!("{id}: {difference}")),
        None => Ok(()),
    }
}
