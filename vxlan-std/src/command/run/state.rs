//! What outlives the daemon: forwarding databases and nexthop objects in a directory.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::super::failure::Failure;
use super::super::words::FileSpec;
use super::super::{fdb, nexthop};
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

    /// Writes all of it; the first failure is told, but stops nothing.
    pub(super) fn save(&self, devices: &Devices) -> Result<(), Failure> {
        let mut saved = self
            .save_nexthops(devices)
            .map_err(|error| self.failed(&error));
        for file in self.files(devices) {
            let one = fdb::save(devices, &file);
            let one = one.map_err(|refusal| Failure::of(&file.device, refusal.bare()));
            saved = saved.and(one);
        }
        saved
    }

    fn save_nexthops(&self, devices: &Devices) -> io::Result<()> {
        let beside = self.path(&format!(".{NEXTHOPS}.{}", std::process::id()));
        fs::write(&beside, nexthop::script(devices.vtep.nexthops(), |_| true))?;
        fs::rename(&beside, self.path(NEXTHOPS))
    }

    /// The file of each device.
    fn files(&self, devices: &Devices) -> Vec<FileSpec> {
        let links = devices.taps.links.iter();
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
        Failure::of(
            &self.0.display().to_string().escape_debug().to_string(),
            error,
        )
    }
}

/// The file with the nexthop objects, a line each.
const NEXTHOPS: &str = "nexthops";

fn warn(line: &str) {
    eprintln!("vtep: {line}");
}
