//! The asking end of the control socket: sends the words, prints the answer.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use socket2::{Domain, SockAddr, Socket, Type};

use super::super::failure::Failure;
use super::Address;
use super::frame::{CHUNK_HEAD, Kind, head, request};

/// How long a daemon may take for the next part of an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Has the daemon do what the words say.
pub(crate) fn ask(words: &[String]) -> Result<ExitCode, Failure> {
    let request = request(words).ok_or_else(|| Failure::usage("too many words"))?;
    let address = Address::here()?;
    let at = address.path().display();
    let mut stream = connect(&address).map_err(|error| {
        Failure::new(match error.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
                format!("no 'vtep run' listens on {at}: {error}")
            }
            _ => format!("{at}: {error}"),
        })
    })?;
    let fail = |error: io::Error| {
        Failure::new(match error.kind() {
            ErrorKind::WouldBlock => format!("{at}: no answer within {} s", PATIENCE.as_secs()),
            ErrorKind::UnexpectedEof => format!("{at}: the answer breaks off"),
            _ => format!("{at}: {error}"),
        })
    };
    stream.write_all(&request).map_err(fail)?;
    let print = |error: io::Error| Failure::of("standard output", error);
    loop {
        let (kind, bytes) = chunk(&mut stream).map_err(fail)?;
        match kind {
            Kind::Output => match put(&mut io::stdout(), &bytes) {
                // Whoever read the output has seen enough.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                    return Ok(ExitCode::FAILURE);
                }
                done => done.map_err(print)?,
            },
            Kind::Error => {
                // Nobody may listen there.
                let _ = put(&mut io::stderr(), &bytes);
            }
            Kind::Wait => stream.set_read_timeout(None).map_err(fail)?,
            Kind::Exit => return Ok(bytes.first().copied().unwrap_or(1).into()),
        }
    }
}

fn connect(address: &Address) -> io::Result<UnixStream> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    let to = SockAddr::unix(address.path())?;
    socket.set_nonblocking(true)?;
    let end = Instant::now() + PATIENCE;
    // A queue of connections that is full says so at once.
    while let Err(error) = socket.connect(&to) {
        if error.kind() != ErrorKind::WouldBlock || Instant::now() > end {
            return Err(error);
        }
        sleep(Duration::from_millis(20));
    }
    socket.set_nonblocking(false)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    Ok(socket.into())
}

fn chunk(stream: &mut UnixStream) -> io::Result<(Kind, Vec<u8>)> {
    let mut start = [0; CHUNK_HEAD];
    stream.read_exact(&mut start)?;
    let (kind, len) = head(start).ok_or(ErrorKind::InvalidData)?;
    let mut bytes = vec![0; len];
    stream.read_exact(&mut bytes)?;
    Ok((kind, bytes))
}

fn put(out: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    out.write_all(bytes)?;
    out.flush()
}
