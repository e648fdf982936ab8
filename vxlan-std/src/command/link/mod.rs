//! `vtep link`: what `ip link ... type vxlan` does, to the devices of this daemon.

mod change;
mod data;
mod export;
mod flags;
mod import;
mod show;
mod stats;

use super::answer::Answer;
use super::options::Options;
use super::refusal::{NO_DEVICE, Refusal};
use super::run::{Audience, Devices, Work};
use super::words::{LinkRequest, LinkSpec, parse_link_request};
pub(crate) use export::Exporting;
pub(crate) use show::Shown;

/// Does what the words behind `link` say.
pub(crate) fn answer(
    devices: &mut Devices,
    audience: &mut Audience<'_>,
    options: Options,
    words: &[&str],
) -> Result<Answer, Refusal> {
    match parse_link_request(words)? {
        LinkRequest::Add(spec) => add(devices, audience, &spec)?,
        LinkRequest::Set(spec) => {
            let down = change::set(devices, audience, &spec)?;
            return Ok(down.map_or(Answer::Text(String::new()), Answer::from));
        }
        LinkRequest::Delete(name) => {
            let missing = || Refusal::no_device(NO_DEVICE, &name);
            let id = devices.named(&name).ok_or_else(missing)?;
            let away = devices.leave(id, audience);
            let away = away.map_err(|refused| Refusal::link(&refused))?;
            return Ok(Answer::from(away));
        }
        LinkRequest::Import(spec) => import::import(devices, audience, &spec)?,
        LinkRequest::Export(name) => {
            let exporting = Exporting::new(devices, name.as_deref())?;
            return Ok(Answer::from(devices.jobs.push(Work::Export(exporting))));
        }
        LinkRequest::Show(filter) => {
            return show::show(devices, options, &filter).map(Answer::Text);
        }
    }
    Ok(Answer::Text(String::new()))
}

/// Makes a device, and takes it up if that is asked for.
pub(crate) fn add(
    devices: &mut Devices,
    audience: &mut Audience<'_>,
    spec: &LinkSpec,
) -> Result<(), Refusal> {
    let made = devices.create(spec, audience);
    let id = made.map_err(|refused| Refusal::link(&refused))?;
    if spec.up == Some(true)
        && let Err(refused) = devices.open(id)
    {
        let _ = devices.delete(id, audience);
        return Err(Refusal::link(&refused));
    }
    Ok(())
}
