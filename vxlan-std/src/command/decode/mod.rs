//! `vtep decode`: says of every packet in a capture what it is and what a VXLAN device would do
//! with it.

mod input;
mod layers;
mod print;
mod summary;
#[cfg(test)]
mod tests;
mod verdict;

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use super::options::within;
use super::words::parse_link;
use input::{Capture, InputError};
use print::Report;
use summary::Summary;
use verdict::Judge;

/// The assigned port, that of Linux, and that of VXLAN-GPE.
const PORTS: [u16; 3] = [4789, 8472, 4790];

/// Say what is in a capture, and what a VXLAN device would do with it.
///
/// Reads pcap and pcapng files. Each packet gets a headline; a VXLAN packet also a line for each
/// of its layers and one for the verdict: delivered or dropped, why, and what the device learns.
///
/// Without --link each packet is judged by a device with the packet's own VNI and UDP port, which
/// otherwise is as Linux 6 makes it but does not learn. With --link only the given devices exist.
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_help = "Exit status: 0 if all files were read, 1 if one could not be read or ends \
    early (the packets before that are printed), 2 for wrong arguments."
)]
pub(crate) struct Args {
    /// A device to judge the packets, in the words of `ip link add`; may be repeated.
    ///
    /// For instance --link "vx0 type vxlan id 42 dstport 4789 gbp". The device learns unless
    /// told "nolearning", and its clock is that of the capture. Its UDP port counts as VXLAN.
    #[arg(short, long, value_name = "WORDS")]
    link: Vec<String>,

    /// A UDP destination port to take for VXLAN, besides 4789, 8472 and 4790; may be repeated.
    #[arg(short, long, value_name = "N", value_parser = |text: &str| within(text, 1..=u16::MAX))]
    port: Vec<u16>,

    /// Print one JSON object a line: one for each packet, then the summary.
    #[arg(short, long)]
    json: bool,

    /// Captures to read; "-" is the standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Runs `vtep decode`.
pub(crate) fn run(args: &Args) -> ExitCode {
    let mut out = BufWriter::new(io::stdout().lock());
    match decode(args, &mut out, &mut io::stderr().lock()) {
        Ok(code) => code.into(),
        // Whoever read our output has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "vtep decode: standard output: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Decodes all files; returns the exit status. Errors are those of writing.
fn decode(args: &Args, out: &mut impl Write, errors: &mut impl Write) -> io::Result<u8> {
    let mut decoder = match decoder(args) {
        Ok(decoder) => decoder,
        Err(error) => {
            writeln!(errors, "vtep decode: {error}")?;
            return Ok(2);
        }
    };
    let mut status = 0;
    for path in &args.files {
        let name = path.to_string_lossy();
        if !args.json && args.files.len() > 1 {
            writeln!(out, "{name}")?;
        }
        let result = if path.as_os_str() == "-" {
            decoder.file(&name, io::stdin().lock(), out)
        } else {
            match File::open(path) {
                Ok(file) => decoder.file(&name, BufReader::new(file), out),
                Err(error) => Ok(Err(error.into())),
            }
        };
        if let Err(error) = result? {
            // In the order in which they came.
            out.flush()?;
            writeln!(errors, "vtep decode: {name}: {error}")?;
            status = 1;
        }
    }
    decoder.summarise(out)?;
    out.flush()?;
    Ok(status)
}

/// A decoder with the devices and ports of the command line.
fn decoder(args: &Args) -> Result<Decoder, String> {
    let links = args
        .link
        .iter()
        .map(|words| parse_link(words).map_err(|error| error.to_string()));
    let judge = Judge::new(links.collect::<Result<_, _>>()?)?;
    let given = args.port.iter().copied();
    let ports = PORTS
        .into_iter()
        .chain(given)
        .chain(judge.ports())
        .collect();
    Ok(Decoder {
        ports,
        judge,
        json: args.json,
        summary: Summary::default(),
    })
}

struct Decoder {
    ports: Vec<u16>,
    judge: Judge,
    json: bool,
    summary: Summary,
}

impl Decoder {
    /// Decodes one file. The outer error is one of writing.
    fn file(
        &mut self,
        name: &str,
        reader: impl Read,
        out: &mut impl Write,
    ) -> io::Result<Result<(), InputError>> {
        let mut capture = match Capture::open(reader) {
            Ok(capture) => capture,
            Err(error) => return Ok(Err(error)),
        };
        let (mut data, mut number, mut start) = (Vec::new(), 0, None);
        loop {
            let record = match capture.next(&mut data) {
                Ok(Some(record)) => record,
                Ok(None) => return Ok(Ok(())),
                Err(error) => return Ok(Err(error)),
            };
            number += 1;
            start = start.or(record.time);
            let decoded = layers::decode(record.link_type, &data, record.length, &self.ports);
            let verdict = decoded
                .vxlan
                .map(|datagram| self.judge.judge(&datagram, record.time));
            self.summary.add(&decoded, verdict.as_ref());
            let report = Report {
                file: name,
                number,
                record,
                captured: data.len(),
                start,
                decoded: &decoded,
                verdict: verdict.as_ref(),
            };
            if self.json {
                print::json(out, &report)?;
            } else {
                print::text(out, &report)?;
            }
        }
    }
    /// Prints what all files add up to.
    fn summarise(&self, out: &mut impl Write) -> io::Result<()> {
        if self.json {
            print::summary_json(out, &self.summary)
        } else {
            print::summary_text(out, &self.summary)
        }
    }
}
