//! What it costs to learn a million stations, and to look whether they are too old.

use std::hint::black_box;
use std::time::{Duration, Instant as Clock};

use allocation_counter::measure;
use vxlan_core::Instant;
use vxlan_core::fdb::Ageing;

use super::Report;
use super::population::{empty, full, learn, other};

const MILLION: u32 = 1_000_000;
/// Runs of which the fastest counts, insert by insert.
const RUNS: usize = 3;

pub(super) fn run(report: &mut Report) -> Result<(), String> {
    memory(report)?;
    work(report)?;
    times(report)?;
    ageing(report)
}

/// Bytes of all allocations that are alive, what is reserved and not used included.
fn memory(report: &mut Report) -> Result<(), String> {
    let mut result = Ok(());
    let mut cost = |entries: u32| {
        let info = measure(|| match full(entries) {
            Ok(table) => std::mem::forget(table), // alive: it counts
            Err(error) => result = Err(error),
        });
        info.bytes_current as f64 / f64::from(entries)
    };
    let million = cost(MILLION);
    let worst = (0..8)
        .map(|i| cost(MILLION + i * 50_000))
        .fold(0.0, f64::max);
    result?;
    report.at_most("memory", million, "bytes-per-entry", 32.0);
    report.note("memory-worst-of-1M-to-1.35M", worst, "bytes-per-entry");
    let info = measure(|| std::mem::forget(other(MILLION)));
    let other = info.bytes_current as f64 / f64::from(MILLION);
    report.note("memory-hashbrown", other, "bytes-per-entry");
    report.at_most("memory-of-hashbrown's", 100.0 * million / other, "%", 50.0);
    Ok(())
}

/// What one insert allocates at most. How many buckets it moves is a test of the table's own.
fn work(report: &mut Report) -> Result<(), String> {
    let mut table = empty();
    let mut most = 0;
    for number in 0..MILLION {
        let mut result = Ok(());
        let info = measure(|| result = learn(&mut table, number));
        result?;
        most = most.max(info.bytes_total);
    }
    report.at_most("insert-allocates", most as f64, "bytes", 8192.0);
    let overflow = table.overflow();
    let share = 100.0 * f64::from(overflow.entries) / f64::from(MILLION);
    report.note("overflow", share, "%");
    report.note("overflow-deepest", overflow.deepest.into(), "buckets");
    Ok(())
}

/// How long single inserts take while the table grows to a million.
fn times(report: &mut Report) -> Result<(), String> {
    let mut fastest = vec![u64::MAX; MILLION as usize];
    for _ in 0..RUNS {
        let mut table = empty();
        for (number, fastest) in (0..).zip(&mut fastest) {
            let start = Clock::now();
            learn(&mut table, number)?;
            *fastest = (*fastest).min(start.elapsed().as_nanos() as u64);
        }
    }
    fastest.sort_unstable();
    let at = |share: f64| {
        let rank = (f64::from(MILLION) * share) as usize;
        fastest.get(rank).or(fastest.last()).copied().unwrap_or(0) as f64
    };
    let median = at(0.5).max(1.0);
    report.note("insert-median", median, "ns");
    report.at_most("insert-p99.99", at(0.9999) / median, "medians", 50.0);
    report.note("insert-slowest", at(1.0) / median, "medians");
    Ok(())
}

/// What ageing costs an entry, in pieces as the device does it; the fastest of several rounds,
/// piece by piece.
fn ageing(report: &mut Report) -> Result<(), String> {
    const PIECE: u32 = 8_192;
    let mut table = full(MILLION)?;
    let ageing = Ageing::new(Duration::from_secs(300));
    let mut fastest = vec![Duration::MAX; MILLION.div_ceil(PIECE) as usize];
    for round in 0..20 {
        let now = Instant::from_millis(1_000 + round);
        for fastest in &mut fastest {
            let start = Clock::now();
            black_box(table.age_some(now, ageing, PIECE).deadline());
            *fastest = (*fastest).min(start.elapsed());
        }
    }
    let sum: Duration = fastest.iter().sum();
    let each = sum.as_nanos() as f64 / f64::from(MILLION);
    report.at_most("ageing", each, "ns-per-entry", 4.0);
    Ok(())
}
