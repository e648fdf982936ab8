//! Lines on a terminal, or in a file or pipe.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use super::checks::Check;
use super::format::{bytes, rate};

/// Columns of the bar itself.
const BAR: u64 = 30;
/// How often the bar is drawn anew.
const FRAME: Duration = Duration::from_millis(50);

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[33m";
const PLAIN: &str = "\x1b[0m";
/// Back to the first column, and nothing right of it.
const ERASE: &str = "\r\x1b[K";

/// Where the demo writes to. The bar is drawn on a terminal only, colours unless `NO_COLOR` is
/// set.
pub(super) struct Screen<W> {
    out: W,
    terminal: bool,
    colour: bool,
    drawn: Option<Instant>,
}

impl Screen<io::StdoutLock<'static>> {
    /// The standard output.
    pub(super) fn stdout() -> Self {
        let out = io::stdout().lock();
        let terminal = out.is_terminal();
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self::new(out, terminal, terminal && !refused)
    }
}

#[cfg(test)]
impl<W: Write> Screen<W> {
    /// A file or pipe.
    pub(super) const fn plain(out: W) -> Self {
        Self::new(out, false, false)
    }
}

impl<W: Write> Screen<W> {
    const fn new(out: W, terminal: bool, colour: bool) -> Self {
        Self {
            out,
            terminal,
            colour,
            drawn: None,
        }
    }

    pub(super) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")?;
        self.out.flush()
    }

    pub(super) fn heading(&mut self, text: &str) -> io::Result<()> {
        let text = self.paint(BOLD, text);
        self.line(&format!("\n{text}"))
    }

    /// Something worth noticing that is no failure.
    pub(super) fn note(&mut self, text: &str) -> io::Result<()> {
        let mark = self.paint(YELLOW, "note  ");
        self.line(&format!("  {mark}  {text}"))
    }

    /// A line of a table: a dim name, then columns.
    pub(super) fn row(&mut self, name: &str, columns: [&str; 2]) -> io::Result<()> {
        let name = self.paint(DIM, &format!("{name:<10}"));
        let [first, second] = columns;
        let line = format!("  {name}{first:<34}{second}");
        self.line(line.trim_end())
    }

    pub(super) fn check(&mut self, check: &Check) -> io::Result<()> {
        let mark = if check.ok {
            self.paint(GREEN, "ok    ")
        } else {
            self.paint(RED, "FAILED")
        };
        self.line(&format!("  {mark}  {:<10}  {}", check.name, check.seen))
    }

    /// The last line: the verdict.
    pub(super) fn verdict(&mut self, ok: bool, text: &str) -> io::Result<()> {
        let text = self.paint(if ok { GREEN } else { RED }, text);
        self.line(&text)
    }

    /// Draws how far a transfer has come, but not too often.
    pub(super) fn progress(&mut self, done: u64, all: u64, elapsed: Duration) -> io::Result<()> {
        if !self.terminal || self.drawn.is_some_and(|drawn| drawn.elapsed() < FRAME) {
            return Ok(());
        }
        self.drawn = Some(Instant::now());
        let line = bar(done, all, elapsed);
        write!(self.out, "{ERASE}{line}")?;
        self.out.flush()
    }

    /// Takes the bar away.
    pub(super) fn end_progress(&mut self) -> io::Result<()> {
        if self.drawn.take().is_some() {
            write!(self.out, "{ERASE}")?;
        }
        Ok(())
    }

    fn paint(&self, style: &str, text: &str) -> String {
        if self.colour {
            format!("{style}{text}{PLAIN}")
        } else {
            text.to_owned()
        }
    }
}

fn bar(done: u64, all: u64, elapsed: Duration) -> String {
    let part = |of: u64| (done.min(all) * of).checked_div(all).unwrap_or(of);
    let full = part(BAR) as usize;
    let (on, off) = ("━".repeat(full), "─".repeat(BAR as usize - full));
    let percent = part(100);
    let (size, rate) = (bytes(all), rate(done, elapsed));
    format!("          TCP         {on}{off} {percent:>3} % of {size}, {rate}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ok: bool) -> Check {
        Check {
            name: "ping",
            seen: "4 of 4 answered".to_owned(),
            ok,
        }
    }

    fn text(terminal: bool, colour: bool) -> String {
        let mut out = Vec::new();
        let mut screen = Screen::new(&mut out, terminal, colour);
        screen.progress(1, 2, Duration::from_secs(1)).unwrap();
        screen.end_progress().unwrap();
        screen.check(&check(true)).unwrap();
        screen.check(&check(false)).unwrap();
        screen.row("sent", ["1", ""]).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_pipe_gets_plain_lines() {
        assert_eq!(
            text(false, false),
            "  ok      ping        4 of 4 answered\n\
             \u{20} FAILED  ping        4 of 4 answered\n\
             \u{20} sent      1\n"
        );
    }

    #[test]
    fn a_terminal_gets_a_bar_that_goes_away() {
        let text = text(true, false);
        let (bar, rest) = text.split_once(" 50 % of 2 B").unwrap();
        assert!(bar.starts_with(ERASE));
        assert!(rest.contains(ERASE));
        assert!(!rest.contains("\x1b[1m"));
    }

    #[test]
    fn failure_is_red() {
        assert!(text(true, true).contains("\x1b[1;31mFAILED\x1b[0m"));
    }

    #[test]
    fn the_bar_never_overflows() {
        for (done, all) in [(0, 0), (0, 7), (7, 7), (9, 7), (1 << 32, 1 << 32)] {
            let line = bar(done, all, Duration::from_millis(1));
            let columns = line.chars().filter(|c| "━─".contains(*c)).count();
            assert_eq!(columns, 30, "{done} of {all}");
        }
    }
}
