//! What a file says should exist at start.

use std::path::Path;

use super::super::answer::answer;
use super::super::failure::Failure;
use super::super::file::{Request, requests};
use super::super::words::{
    LinkSpec, WordsError, parse_fdb_request, parse_link, parse_mdb, parse_neigh, parse_nexthop,
    parse_vni,
};
use super::{Audience, Devices};

/// The requests of a file, understood but not done.
#[derive(Debug)]
pub(super) struct Plan<'p> {
    path: &'p Path,
    steps: Vec<(Request, Step)>,
}

#[derive(Debug)]
enum Step {
    Link(Box<LinkSpec>),
    Words,
}

impl<'p> Plan<'p> {
    /// Reads a file. Nothing is done unless every word of it is understood.
    pub(super) fn read(path: &'p Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| wrong(path, &error))?;
        let requests = requests(&text).map_err(|error| wrong(path, &error).of_usage())?;
        let steps = requests
            .into_iter()
            .map(|request| {
                let step = understood(&request.words);
                let step = step.map_err(|(word, what)| {
                    let line = request.line_of(word);
                    at(path, line, &what).of_usage()
                })?;
                Ok((request, step))
            })
            .collect::<Result<_, Failure>>()?;
        Ok(Self { path, steps })
    }

    /// Makes the devices.
    pub(super) fn links(
        &self,
        devices: &mut Devices,
        audience: &mut Audience<'_>,
    ) -> Result<(), Failure> {
        for (request, step) in &self.steps {
            if let Step::Link(spec) = step {
                let made = devices.start(spec, audience);
                made.map_err(|failure| at(self.path, request.line, &failure))?;
            }
        }
        Ok(())
    }

    /// Whether a link of this name is to be made.
    pub(super) fn makes(&self, name: &str) -> bool {
        let mut steps = self.steps.iter();
        steps
            .any(|(_, step)| matches!(step, Step::Link(spec) if spec.name.as_deref() == Some(name)))
    }

    /// Does all the rest.
    pub(super) fn rest(
        &self,
        devices: &mut Devices,
        audience: &mut Audience<'_>,
    ) -> Result<(), Failure> {
        for (request, step) in &self.steps {
            if matches!(step, Step::Words) {
                let done = answer(devices, audience, &request.words);
                done.map_err(|refusal| at(self.path, request.line, &refusal.bare()))?;
            }
        }
        Ok(())
    }
}

/// What the words of a request ask for; otherwise which word of it is wrong, and why.
fn understood(words: &[String]) -> Result<Step, (Option<usize>, String)> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (understood, first): (Result<(), WordsError>, usize) = match words.as_slice() {
        ["link", "add", rest @ ..] => match parse_link(&rest.join(" ")) {
            Ok(spec) => {
                spec.check().map_err(|what| (None, what))?;
                return Ok(Step::Link(Box::new(spec)));
            }
            Err(error) => (Err(error), 2),
        },
        ["fdb", rest @ ..] => (parse_fdb_request(rest).map(drop), 1),
        ["mdb", rest @ ..] => (parse_mdb(rest).map(drop), 1),
        ["neigh", rest @ ..] => (parse_neigh(rest).map(drop), 1),
        ["nexthop", rest @ ..] => (parse_nexthop(rest).map(drop), 1),
        ["vni", rest @ ..] => (parse_vni(rest).map(drop), 1),
        [other, ..] => return Err((None, format!("\"{other}\" is not supported here"))),
        [] => return Err((None, "nothing to do".to_owned())),
    };
    match understood {
        Ok(()) => Ok(Step::Words),
        Err(error) => {
            let word = error.place().map(|place| first + place);
            Err((word, error.to_string()))
        }
    }
}

fn wrong(path: &Path, what: &dyn core::fmt::Display) -> Failure {
    Failure::of(&path.display().to_string().escape_debug().to_string(), what)
}

fn at(path: &Path, line: usize, what: &dyn core::fmt::Display) -> Failure {
    wrong(path, &format_args!("line {line}: {what}"))
}
