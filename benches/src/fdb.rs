//! What the forwarding database costs: instructions, time beside other tables in the same process,
//! memory, the work of one insert. Each figure has a goal.

mod growth;
mod lookups;
mod population;

use std::fmt::Display;

use crate::instructions::per_call;

/// The figures, told as they come.
#[derive(Default)]
struct Report {
    short: Vec<&'static str>,
}

impl Report {
    /// A figure that has to be `goal` or less.
    fn at_most(&mut self, name: &'static str, value: f64, unit: impl Display, goal: f64) {
        self.told(name, value, unit, format!("<={goal}"), value <= goal);
    }

    /// A figure that has to be `goal` or more.
    fn at_least(&mut self, name: &'static str, value: f64, unit: impl Display, goal: f64) {
        self.told(name, value, unit, format!(">={goal}"), value >= goal);
    }

    /// A figure without a goal.
    fn note(&self, name: &str, value: f64, unit: impl Display) {
        println!("{name} {value:.2} {unit} goal - ok");
    }

    fn told(
        &mut self,
        name: &'static str,
        value: f64,
        unit: impl Display,
        goal: String,
        met: bool,
    ) {
        let verdict = if met { "ok" } else { "short" };
        println!("{name} {value:.2} {unit} goal {goal} {verdict}");
        if !met {
            self.short.push(name);
        }
    }
}

/// Measures everything. An error names the figures that fall short.
pub(crate) fn run() -> Result<(), String> {
    let mut report = Report::default();
    instructions(&mut report)?;
    growth::run(&mut report)?;
    lookups::run(&mut report)?;
    match report.short.as_slice() {
        [] => Ok(()),
        short => Err(format!("fdb: short: {}", short.join(", "))),
    }
}

/// Steady costs of one call among a thousand stations, without the loop around it.
fn instructions(report: &mut Report) -> Result<(), String> {
    let count = |name| per_call(name);
    let empty = count("fdb-loop")?;
    let hit = count("fdb-hit")?;
    report.at_most("lookup-hit", hit - empty, "instructions", 60.0);
    let fixed = count("fdb-hit-fixed")?;
    report.at_most("lookup-hit-fixed", fixed - empty, "instructions", 60.0);
    let (refresh, beside) = (count("fdb-refresh")?, count("fdb-hit-address")?);
    report.at_most("learning-refresh", refresh - beside, "instructions", 20.0);
    Ok(())
}
