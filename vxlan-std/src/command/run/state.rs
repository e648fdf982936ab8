//! What outlives the daemon: forwarding databases and nexthop objects in a directory.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::super::failure::Failure;
use super::super::refusal::Refusal;
use super::super::words::FileSpec;
use super::super::{fdb, nexthop};
use super::jobs::{After, Errand, Outcome, Ticket, Work};
use super::{Audience, Devices};

/// As many entries that are left out are told by name.
const NAMED: usize = 8;

/// The directory.
#[derive(Debug)]
pub(super) struct State<'p>(&'p Path);

impl<'p> State<'p> {
    /// Makes the directory unless it is there, and sees that it can be written to: better now than
    /// when there is something to lose.
    pub(super) fn open(directory: &'p Path) -> Result<Self, Failure> {
        let state = Self(directory);
        let made = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory);
        made.map_err(|error| state.failed(&error))?;
        let probe = state.path(&format!(".probe.{}", std::process::id()));
        let probed = File::create(&probe).and_then(|_| fs::remove_file(&probe));
        probed.map_err(|error| state.failed(&error))?;
        Ok(state)
    }

    /// Gives the devices what is there. What no longer fits is told and left out.
    pub(super) fn load(
        &self,
        devices: &mut Devices,
        audience: &mut Audience<'_>,
    ) -> Result<(), Failure> {
        match fs::read_to_string(self.path(NEXTHOPS)) {
            Ok(text) => {
                for line in nexthop::load(devices, &text) {
                    warn(&line);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(self.failed(&error)),
        }
        for file in self.files(devices) {
            let left = fdb::load_what_fits(devices, audience, &file);
            let left = left.map_err(|refusal| Failure::of(&file.device, refusal.bare()))?;
            for error in left.iter().take(NAMED) {
                warn(&format!("{}: left out: {error}", file.device));
            }
            if let Some(more @ 1..) = left.len().checked_sub(NAMED) {
                warn(&format!("{}: {more} more entries left out", file.device));
            }
        }
        Ok(())
    }

    /// Has all of it written while frames go on.
    pub(super) fn save(&self, devices: &mut Devices) -> Ending {
        let mut ending = Ending {
            left: Vec::new(),
            saved: Ok(()),
        };
        let write = self.nexthops(devices);
        let directory = self.shown();
        let errand = Errand::new(move || match write() {
            Ok(()) => Ok(After::Nothing),
            Err(error) => Err(Refusal::said(1, format!("{directory}: {error}"))),
        });
        let ticket = devices.jobs.push(Work::Errand(errand));
        ending.left.push((ticket, None));
        for file in self.files(devices) {
            let name = file.device.clone();
            // One that has gone since has no table.
            if let Ok(saving) = fdb::Saving::new(devices, file) {
                let ticket = devices.jobs.push(Work::Save(saving));
                ending.left.push((ticket, Some(name)));
            }
        }
        ending
    }

    /// Writes all of it; the first failure is told, but stops nothing.
    pub(super) fn save_at_once(&self, devices: &Devices) -> Result<(), Failure> {
        let written = self.nexthops(devices)();
        let mut saved = written.map_err(|error| self.failed(&error));
        for file in self.files(devices) {
            let one = fdb::save(devices, &file);
            let one = one.map_err(|refusal| Failure::of(&file.device, refusal.bare()));
            saved = saved.and(one);
        }
        saved
    }

    /// What writes the nexthop objects as they are now.
    fn nexthops(&self, devices: &Devices) -> impl FnOnce() -> io::Result<()> + Send + use<> {
        let beside = self.path(&format!(".{NEXTHOPS}.{}", std::process::id()));
        let path = self.path(NEXTHOPS);
        let text = nexthop::script(devices.vtep.nexthops(), |_| true);
        move || {
            let mut file = File::create(&beside)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&beside, path)
        }
    }

    /// The file of each device.
    fn files(&self, devices: &Devices) -> Vec<FileSpec> {
        let links = devices.taps.links.iter().filter(|link| !link.leaving);
        let names = links.map(|link| link.tap.name().to_owned());
        names
            .map(|device| FileSpec {
                path: self.path(&format!("{device}.fdb")),
                device,
            })
            .collect()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn failed(&self, error: &io::Error) -> Failure {
        Failure::of(&self.shown(), error)
    }

    fn shown(&self) -> String {
        self.0.display().to_string().escape_debug().to_string()
    }
}

/// What is still to be written before the daemon ends.
#[derive(Debug)]
pub(super) struct Ending {
    /// The jobs, and whose tables they write.
    left: Vec<(Ticket, Option<String>)>,
    /// The first failure.
    saved: Result<(), Failure>,
}

impl Ending {
    /// Takes those that are its own out of the jobs that are done.
    pub(super) fn note(&mut self, devices: &Devices, finished: &mut Vec<(Ticket, Outcome)>) {
        for (ticket, outcome) in core::mem::take(finished) {
            let own = self.left.iter().position(|(own, _)| *own == ticket);
            let Some((_, name)) = own.map(|at| self.left.swap_remove(at)) else {
                finished.push((ticket, outcome));
                continue;
            };
            let failure = match (outcome, &name) {
                (Ok(_), _) => continue,
                (Err(refusal), None) => Failure::new(refusal),
                // It has gone meanwhile, and its table with it.
                (Err(_), Some(name)) if devices.named(name).is_none() => continue,
                (Err(refusal), Some(name)) => Failure::of(name, refusal.bare()),
            };
            if self.saved.is_ok() {
                self.saved = Err(failure);
            }
        }
    }

    /// Whether all is written that can be.
    pub(super) const fn is_over(&self) -> bool {
        self.left.is_empty()
    }

    /// What came of it.
    pub(super) fn outcome(self) -> Result<(), Failure> {
        self.saved
    }

    /// It is not waited for any longer.
    pub(super) fn broken_off(self) -> Result<(), Failure> {
        let count = self.left.len();
        self.saved.and_then(|()| {
            Err(Failure::new(format_args!(
                "ended before {count} of the files were written"
            )))
        })
    }
}

/// The file with the nexthop objects, a line each.
const NEXTHOPS: &str = "nexthops";

fn warn(line: &str) {
    eprintln!("vtep: {line}");
}
