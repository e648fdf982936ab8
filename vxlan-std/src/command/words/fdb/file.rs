//! What follows `fdb save` and `fdb load`. `bridge` has no such words.

use std::path::PathBuf;

use super::super::cursor::Cursor;
use super::super::error::Problem;
use super::super::{INTERFACE, WordsError, interface};

const FILE: &str = "an absolute path";

/// The table of a device and a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileSpec {
    /// The name of the device.
    pub(crate) device: String,
    /// Where the daemon finds the file, whose working directory is not the caller's.
    pub(crate) path: PathBuf,
}

impl FileSpec {
    /// `dev NAME file PATH`.
    pub(super) fn parse(words: &mut Cursor<'_>) -> Result<Self, WordsError> {
        let (mut device, mut path) = (None, None);
        while let Some(word) = words.next() {
            match word {
                "dev" => {
                    words.once("dev", word)?;
                    device = Some(words.value(word, INTERFACE, interface)?);
                }
                "file" => {
                    words.once("file", word)?;
                    path = Some(words.value(word, FILE, |text| {
                        Some(PathBuf::from(text)).filter(|path| path.is_absolute())
                    })?);
                }
                _ => return Err(words.error(word, Problem::Unknown)),
            }
        }
        let missing = |what| words.error("", Problem::Missing(what));
        Ok(Self {
            device: device.ok_or_else(|| missing("\"dev NAME\""))?,
            path: path.ok_or_else(|| missing("\"file PATH\""))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{FdbRequest, parse_fdb_request};
    use super::*;

    #[test]
    fn a_device_and_a_path() {
        let want = FileSpec {
            device: "vx0".to_owned(),
            path: PathBuf::from("/var/lib/vtep/a b"),
        };
        let words = ["save", "file", "/var/lib/vtep/a b", "dev", "vx0"];
        assert_eq!(
            parse_fdb_request(&words),
            Ok(FdbRequest::Save(want.clone()))
        );
        let words = ["load", "dev", "vx0", "file", "/var/lib/vtep/a b"];
        assert_eq!(parse_fdb_request(&words), Ok(FdbRequest::Load(want)));
        for (words, want) in [
            (&["save"][..], "fdb: \"dev NAME\" expected"),
            (&["save", "dev", "vx0"], "fdb: \"file PATH\" expected"),
            (
                &["load", "dev", "vx0", "file", "x"],
                "fdb: \"file x\": an absolute path expected",
            ),
            (&["load", "vx0"], "fdb: \"vx0\": unknown word"),
        ] {
            assert_eq!(parse_fdb_request(words).unwrap_err().to_string(), want);
        }
    }
}
