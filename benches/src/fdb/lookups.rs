//! Look-ups in tables of all sizes, as ratios to each other and to a cache miss.

use std::hint::black_box;
use std::time::{Duration, Instant as Clock};

use vxlan_core::fdb::{Entry, Fdb, Growable, Key};

use super::Report;
use super::population::{Other, full, hash, mix, other, station};

/// Look-ups of one run.
const LOOKUPS: usize = 1 << 20;
/// Runs of which the fastest counts.
const RUNS: usize = 5;
const BATCH: usize = 32;

pub(super) fn run(report: &mut Report) -> Result<(), String> {
    let miss = cache_miss();
    report.note("cache-miss", miss, "ns");
    for entries in [64, 1_000, 16_000, 250_000, 4_000_000] {
        let figures = Figures::of(entries)?;
        report.note(
            &format!("at-{entries}-one-by-one"),
            figures.single / miss,
            "misses",
        );
        report.note(
            &format!("at-{entries}-dependent"),
            figures.dependent / miss,
            "misses",
        );
        report.note(
            &format!("at-{entries}-batch"),
            figures.batch / miss,
            "misses",
        );
    }
    let figures = Figures::of(1_000_000)?;
    let (other, other_dependent) = hashbrown(1_000_000);
    report.note("at-1M-one-by-one", figures.single, "ns");
    report.note("at-1M-dependent", figures.dependent, "ns");
    report.note("at-1M-batch", figures.batch, "ns");
    report.note("at-1M-batch-prefetched", figures.prefetched, "ns");
    report.note("at-1M-hashbrown", other, "ns");
    report.note("at-1M-hashbrown-dependent", other_dependent, "ns");
    report.at_least(
        "batch-beside-dependent",
        figures.dependent / figures.batch,
        "times",
        4.0,
    );
    report.at_most(
        "batch-beside-hashbrown",
        figures.batch / other,
        "times",
        1.6,
    );
    let prefetched = figures.prefetched / other;
    report.at_most("prefetched-beside-hashbrown", prefetched, "times", 1.05);
    Ok(())
}

/// Nanoseconds of one look-up.
struct Figures {
    single: f64,
    dependent: f64,
    batch: f64,
    prefetched: f64,
}

/// The keys of stations that are there, in an order that no cache can guess.
fn keys(entries: u32) -> Vec<Key> {
    let some = |i: u64| station((mix(i) % u64::from(entries)) as u32);
    (0..LOOKUPS as u64).map(some).collect()
}

impl Figures {
    fn of(entries: u32) -> Result<Self, String> {
        let table = full(entries)?;
        let keys = keys(entries);
        Ok(Self {
            single: fastest(|| keys.iter().filter(|key| table.find(key).is_some()).count())?,
            dependent: fastest(|| dependent(&table, &keys))?,
            batch: fastest(|| batches(&keys, |keys, found| table.find_batch(keys, found)))?,
            prefetched: fastest(|| {
                batches(&keys, |keys, found| {
                    table.find_batch_prefetched(keys, found)
                })
            })?,
        })
    }
}

/// Each look-up waits for the one before.
fn dependent(table: &Fdb<Growable>, keys: &[Key]) -> usize {
    let mut found = 0;
    // Nothing was ever sent, so that this stays zero; the processor does not know.
    let mut used = 0;
    for key in keys {
        let key = Key {
            vni: key.vni + used,
            ..*key
        };
        if let Some(entry) = table.find(&key) {
            used = entry.used().as_millis() as u32;
            found += 1;
        }
    }
    found
}

fn batches<'t>(keys: &[Key], look_up: impl Fn(&[Key], &mut [Option<Entry<'t>>])) -> usize {
    let mut found = [None; BATCH];
    let mut count = 0;
    for keys in keys.chunks_exact(BATCH) {
        look_up(keys, &mut found);
        count += found.iter().flatten().count();
    }
    count
}

/// One by one, and dependent.
fn hashbrown(entries: u32) -> (f64, f64) {
    let table = other(entries);
    let keys = keys(entries);
    let find = |key: &Key| {
        let (mac, vni) = (key.mac.to_u64(), key.vni);
        table.find(hash(mac, vni), |entry: &Other| {
            entry.mac == mac && entry.vni == vni
        })
    };
    let single = fastest(|| keys.iter().filter(|key| find(key).is_some()).count());
    let dependent = fastest(|| {
        let (mut found, mut used) = (0, 0);
        for key in &keys {
            let key = Key {
                vni: key.vni + used,
                ..*key
            };
            if let Some(entry) = find(&key) {
                used = entry.used + entry.updated + (entry.remote >> 31);
                found += 1;
            }
        }
        found
    });
    (single.unwrap_or(f64::NAN), dependent.unwrap_or(f64::NAN))
}

/// Nanoseconds of one look-up in the fastest run. All keys have to be found.
fn fastest(mut run: impl FnMut() -> usize) -> Result<f64, String> {
    let mut fastest = Duration::MAX;
    for _ in 0..RUNS {
        let start = Clock::now();
        let found = black_box(run());
        fastest = fastest.min(start.elapsed());
        if found != LOOKUPS {
            return Err(format!("{found} of {LOOKUPS} found"));
        }
    }
    Ok(fastest.as_nanos() as f64 / LOOKUPS as f64)
}

/// Nanoseconds of a load that depends on the one before and is in no cache.
fn cache_miss() -> f64 {
    const LINES: usize = 1 << 22; // 256 MiB
    const STEPS: usize = 1 << 20;
    let mut lines = vec![[0u64; 8]; LINES];
    // A full cycle: an odd step through a power of two, scrambled by a multiplication.
    let place = |i: usize| i.wrapping_mul(0x9e37_79b1) % LINES;
    for i in 0..LINES {
        let next = place(i + 1) as u64;
        if let Some([first, ..]) = lines.get_mut(place(i)) {
            *first = next;
        }
    }
    let mut fastest = Duration::MAX;
    for _ in 0..2 {
        let mut at = 0;
        let start = Clock::now();
        for _ in 0..STEPS {
            at = lines.get(at).map_or(0, |[next, ..]| *next as usize);
        }
        black_box(at);
        fastest = fastest.min(start.elapsed());
    }
    fastest.as_nanos() as f64 / STEPS as f64
}
