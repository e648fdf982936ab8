//! The forwarding databases across restarts.

use std::path::Path;

use super::super::failure::Failure;
use super::super::fdb;
use super::super::words::FileSpec;
use super::Devices;

/// The file of each device.
pub(super) fn files(directory: &Path, devices: &Devices) -> Vec<FileSpec> {
    let file = |name: &str| FileSpec {
        device: name.to_owned(),
        path: directory.join(format!("{name}.fdb")),
    };
    let links = devices.taps.links.iter();
    links.map(|link| file(link.tap.name())).collect()
}

/// Writes all of them; the first failure is told, but stops nothing.
pub(super) fn save(directory: &Path, devices: &Devices) -> Result<(), Failure> {
    let mut saved = Ok(());
    for file in files(directory, devices) {
        let one = fdb::save(devices, &file);
        let one = one.map_err(|refusal| Failure::of(&file.device, refusal.bare()));
        saved = saved.and(one);
    }
    saved
}
