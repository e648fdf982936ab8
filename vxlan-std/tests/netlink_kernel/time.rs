//! Entries come, change, grow old and go.

use std::thread::sleep;
use std::time::{Duration, Instant as Clock};

use vxlan_core::Instant;

use crate::entries::{self, Wish, compare_with, dump};
use crate::kernel::{Kernel, NEW_LINK};
use crate::message::{Answer, link};
use crate::ours::Ours;
use crate::random::Random;
use crate::runner::Skip;

/// How many devices live side by side.
const DEVICES: u32 = 24;
/// How long they live: three turns of the ageing timer.
const LIFE: Duration = Duration::from_secs(33);
/// How long they live at most, on a machine so busy that little was asked of them in that time.
const LONG_LIFE: Duration = Duration::from_secs(80);
/// How far from a sweep nothing is asked: the kernel's timers are lazy, and so may we be.
const SLACK: Duration = Duration::from_secs(2);
/// How far ages may be apart: we ask one after the other. As long as the slowest question if that
/// is more.
const SLACK_TICKS: u32 = 90;
const TICK: Duration = Duration::from_millis(10);

/// L-06, F-01: sequences of requests with time between them; the kernel sweeps when it pleases, so
/// nothing is asked of a device that is about to.
pub(crate) fn entries(name: &str) -> Result<(), Skip> {
    let mut kernel = Kernel::new(name)?;
    let mut ours = Ours::new(kernel.lower);
    entries::nexthops(&kernel, &mut ours);
    let mut random = Random::new();
    let began = Clock::now();
    let now = || Instant::from_millis(began.elapsed().as_millis() as u64);
    let mut devices = Vec::new();
    for at in 0..DEVICES {
        let v6 = random.once_in(3);
        ours.now = now();
        let number = entries::device(&mut kernel, &mut ours, &mut random, at, v6);
        let mut up = link(number, &[]);
        up[8] = 1;
        up[12] = 1;
        ours.now = now();
        assert_eq!(kernel.ask(NEW_LINK, 0, &up).0, Answer(0, None));
        ours.open(number);
        devices.push((number, v6));
    }
    let (mut asked, mut aged, mut compared) = (0, 0, 0);
    let mut slowest = Duration::ZERO;
    let enough = |asked, aged| asked > 300 && aged > 20;
    while began.elapsed() < LIFE || !enough(asked, aged) && began.elapsed() < LONG_LIFE {
        for (number, v6) in &devices {
            let settled = |ours: &Ours| {
                let since = ours.last_sweep(*number);
                now() + SLACK < ours.next_sweep(*number)
                    && since.is_none_or(|since| now() > since + SLACK)
            };
            ours.now = now();
            aged += ours.age();
            if settled(&ours) && random.once_in(10) {
                let wish = Wish::any(&mut random, *number, kernel.lower, *v6);
                wish.compare(&mut kernel, &mut ours, *number);
                slowest = slowest.max(now().saturating_duration_since(ours.now));
                asked += 1;
            }
            ours.now = now();
            aged += ours.age();
            if settled(&ours) {
                let theirs = dump(&mut kernel, *number);
                slowest = slowest.max(now().saturating_duration_since(ours.now));
                let ticks = (slowest.as_millis() / TICK.as_millis()) as u32;
                compare_with(&theirs, &ours, *number, Some(SLACK_TICKS.max(ticks)));
                compared += 1;
            }
        }
        sleep(Duration::from_millis(40));
    }
    println!(
        "entries_over_time: {asked} requests, {} by the reference, {aged} entries aged, {compared} dumps, 0 differences",
        ours.referred
    );
    assert!(enough(asked, aged), "{asked} requests, {aged} aged");
    Ok(())
}
