//! How the command ends: on request, leaving nothing, or at once, with one line that says why.

use crate::lab::Family::V4;
use crate::lab::Lab;
use crate::runner::Skip;
use crate::traffic::ping;
use crate::vtep::{PORT, VNI, kernel, not_in_control, pair, refused};
use std::process::Output;

/// SIGTERM removes the device, prints counters and means success.
pub(crate) fn stop_leaves_nothing(lab: &Lab) -> Result<(), Skip> {
    not_in_control()?;
    let vtep = pair(lab, "");
    let (ours, theirs) = lab.pair();
    ping(ours, theirs.overlay(V4, 0), 64);
    let ended = vtep.stop();
    assert!(ended.status.success(), "{}", ended.status);
    assert_eq!(ours.mtu("vx0"), None, "the device is gone");
    let counters = ended.lines.last().expect("counters");
    assert!(counters.starts_with("vx0: rx packets "), "{counters}");
    Ok(())
}

/// M-26: the kernel's device holds the port.
pub(crate) fn port_in_use(lab: &Lab) -> Result<(), Skip> {
    not_in_control()?;
    let host = &lab.hosts[0];
    let options = |vni| format!("id {vni} local {} dstport {PORT}", host.underlay);
    kernel(host, &[("vx9", &options(VNI + 1))], &[]);
    let output = refused(host, &[], &[("vx0", &options(VNI))]);
    assert_one_line(&output, &["in use"]);
    assert_eq!(host.mtu("vx0"), None, "no device is left");
    Ok(())
}

/// M-13.
pub(crate) fn no_such_interface(lab: &Lab) -> Result<(), Skip> {
    not_in_control()?;
    let host = &lab.hosts[0];
    let options = format!("id {VNI} group 239.1.1.1 dev nowhere0 dstport {PORT}");
    let output = refused(host, &[], &[("vx0", &options)]);
    assert_one_line(&output, &["nowhere0"]);
    assert_eq!(host.mtu("vx0"), None, "no device is left");
    Ok(())
}

/// Root without the capability to make devices.
pub(crate) fn without_net_admin(lab: &Lab) -> Result<(), Skip> {
    not_in_control()?;
    let host = &lab.hosts[0];
    let wrapper = [
        "setpriv",
        "--bounding-set",
        "-net_admin",
        "--inh-caps",
        "-net_admin",
    ];
    let works = host
        .command(wrapper[0])
        .args(&wrapper[1..])
        .arg("true")
        .output();
    if !works.is_ok_and(|output| output.status.success()) {
        return Err(Skip(String::from("needs the command setpriv")));
    }
    let options = format!("id {VNI} local {} dstport {PORT}", host.underlay);
    let output = refused(host, &wrapper, &[("vx0", &options)]);
    assert_one_line(&output, &["CAP_NET_ADMIN"]);
    Ok(())
}

/// Status 1, nothing on standard output, one line with all `words` on standard error.
fn assert_one_line(output: &Output, words: &[&str]) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(output.stdout.is_empty(), "{output:?}");
    for word in words {
        assert!(error.contains(word), "{word:?} in {error:?}");
    }
}
