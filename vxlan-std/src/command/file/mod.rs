//! A file that says what should exist at start: the words of the command line, in TOML.
//!
//! ```toml
//! nexthop = ["id 1 via 192.0.2.3 fdb", "id 10 group 1 fdb"]
//!
//! [[link]]
//! name = "vx0"
//! id = 42
//! local = "192.0.2.1"
//! dstport = 4789
//! learning = false
//! srcport = [40000, 41000]
//! fdb = ["00:00:00:00:00:00 dst 192.0.2.2"]
//! ```
//!
//! A key of a link is a word of `ip link`, its value what stands behind it; a list stands for
//! several values, `true` for the word alone and `false` for the word with `no` before it (`down`
//! for `up`). The lists `fdb`, `neigh`, `vni` and `mdb` hold lines of words without `dev NAME`.

mod error;
mod link;

use core::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub(super) use error::FileError;
use error::Text;

/// Something to be done, in the words of the command line, and where the file says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// `link add vx0 type vxlan id 42`, word by word.
    pub(super) words: Vec<String>,
    /// The line of the file, from 1.
    pub(super) line: usize,
    /// Words that stand in a line of their own, each for those behind it as well.
    places: Vec<(usize, usize)>,
}

impl Request {
    /// The line of the file in which the word with this number stands; that of the whole without
    /// one.
    pub(super) fn line_of(&self, word: Option<usize>) -> usize {
        let before = |(first, _): &&(usize, usize)| word.is_some_and(|word| *first <= word);
        let found = self.places.iter().rev().find(before);
        found.map_or(self.line, |(_, line)| *line)
    }
}

/// What the file asks for, in the order in which it has to be done: nexthops, then each link with
/// its lists.
pub(super) fn requests(text: &str) -> Result<Vec<Request>, FileError> {
    let text = Text(text);
    let table = DeTable::parse(text.0).map_err(|error| text.syntax(&error))?;
    let mut requests = Vec::new();
    let mut links = Vec::new();
    for (key, value) in table.get_ref() {
        match key.get_ref().as_ref() {
            "nexthop" => lines(
                text,
                "nexthop",
                value,
                &["nexthop", "add"],
                &[],
                &mut requests,
            )?,
            "link" => links.extend(link::tables(text, value)?),
            _ => {
                let what = "is no key of this file; expected [[link]] or nexthop";
                return Err(text.error(&key.span(), key.get_ref(), what));
            }
        }
    }
    for table in links {
        link::requests(text, table, &mut requests)?;
    }
    Ok(requests)
}

/// A list of lines of words, each behind `head` and before `tail`.
fn lines(
    text: Text<'_>,
    key: &str,
    value: &Spanned<DeValue<'_>>,
    head: &[&str],
    tail: &[&str],
    requests: &mut Vec<Request>,
) -> Result<(), FileError> {
    let wrong = |span: Range<usize>| text.error(&span, key, "takes a list of lines of words");
    let list = value.get_ref().as_array();
    for item in list.ok_or_else(|| wrong(value.span()))? {
        let said = item.get_ref().as_str().ok_or_else(|| wrong(item.span()))?;
        let words = head.iter().copied().chain(said.split_whitespace());
        requests.push(Request {
            words: words
                .chain(tail.iter().copied())
                .map(str::to_owned)
                .collect(),
            line: text.line(&item.span()),
            places: Vec::new(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn asked(text: &str) -> Vec<(usize, String)> {
        let requests = requests(text).unwrap();
        requests
            .into_iter()
            .map(|request| (request.line, request.words.join(" ")))
            .collect()
    }

    #[test]
    fn a_file_of_everything() {
        let text = r#"
nexthop = [
  "id 1 via 192.0.2.3 fdb",
  "id 10 group 1 fdb",
]

[[link]]
id = 42
name = "vx0"
mtu = 1400
address = "02:00:00:00:00:01"
local = "192.0.2.1"
srcport = [40000, 41000]
learning = false
l2miss = true
tos = "inherit"
fdb = ["00:00:00:00:00:00 dst 192.0.2.2",
       "02:00:00:00:00:02   nhid 10 static"]
neigh = ["10.0.0.1 lladdr 02:00:00:00:00:02"]
mdb = ["grp 239.1.1.1 dst 192.0.2.2 permanent"]

[[link]]
name = "vx1"
external = true
vnifilter = true
vni = ["100-199", "200 group 239.1.1.1"]
"#;
        let want = [
            (3, "nexthop add id 1 via 192.0.2.3 fdb"),
            (4, "nexthop add id 10 group 1 fdb"),
            (
                7,
                "link add vx0 mtu 1400 address 02:00:00:00:00:01 type vxlan id 42 local 192.0.2.1 \
                 srcport 40000 41000 nolearning l2miss tos inherit",
            ),
            (17, "fdb append 00:00:00:00:00:00 dst 192.0.2.2 dev vx0"),
            (18, "fdb append 02:00:00:00:00:02 nhid 10 static dev vx0"),
            (
                19,
                "neigh replace 10.0.0.1 lladdr 02:00:00:00:00:02 dev vx0",
            ),
            (
                20,
                "mdb add dev vx0 port vx0 grp 239.1.1.1 dst 192.0.2.2 permanent",
            ),
            (22, "link add vx1 type vxlan external vnifilter"),
            (26, "vni add vni 100-199 dev vx1"),
            (26, "vni add vni 200 group 239.1.1.1 dev vx1"),
        ];
        let got = asked(text);
        let got: Vec<_> = got
            .iter()
            .map(|(line, words)| (*line, words.as_str()))
            .collect();
        assert_eq!(got, want);
        assert_eq!(asked(""), []);
    }

    #[test]
    fn files_that_are_refused() {
        for (text, want) in [
            ("link = 5", "line 1: \"link\": takes tables: [[link]]"),
            (
                "[link]\nname = \"a\"",
                "line 1: \"link\": takes tables: [[link]]",
            ),
            (
                "\n[[lnk]]",
                "line 2: \"lnk\": is no key of this file; expected [[link]] or nexthop",
            ),
            ("[[link]]\nid = 1", "line 1: \"link\": \"name\" is missing"),
            ("[[link]]\nname = 7", "line 2: \"name\": takes a text"),
            (
                "[[link]]\nname = \"a b\"",
                "line 2: \"name\": takes one word",
            ),
            (
                "[[link]]\nname = \"a\"\nmtu = true",
                "line 3: \"mtu\": takes a value",
            ),
            (
                "[[link]]\nname = \"a\"\nttl = 1.5",
                "line 3: \"ttl\": takes a text, a whole number, true, false or a list of those",
            ),
            (
                "[[link]]\nname = \"a\"\nttl = \"1 id 5\"",
                "line 3: \"ttl\": takes one word; a list stands for several",
            ),
            (
                "[[link]]\nname = \"a\"\n\"ttl id\" = 5",
                "line 3: \"ttl id\": is not one word",
            ),
            (
                "[[link]]\nname = \"a\"\ntype = \"vxlan\"",
                "line 3: \"type\": is not said here; links are of type vxlan",
            ),
            (
                "[[link]]\nname = \"a\"\nfdb = \"x\"",
                "line 3: \"fdb\": takes a list of lines of words",
            ),
            (
                "nexthop = [\n1]",
                "line 2: \"nexthop\": takes a list of lines of words",
            ),
        ] {
            assert_eq!(requests(text).unwrap_err().to_string(), want, "{text}");
        }
        // The parser's own words, in one line.
        for text in ["a = ", "[[link]\n", "name = 'x", "a = 1\na = 2", "\u{0}"] {
            let error = requests(text).unwrap_err().to_string();
            assert!(error.starts_with("line "), "{error}");
            assert!(!error.contains(char::is_control), "{error:?}");
        }
    }

    /// An error about an option is in the option's line.
    #[test]
    fn words_know_their_lines() {
        let text = "[[link]]\nid = 42\nmtu = 1400\nsrcport = [1,\n 2]\nname = \"a\"\nup = false";
        let requests = requests(text).unwrap();
        let [request] = requests.as_slice() else {
            panic!("{requests:?}")
        };
        let lines = (0..request.words.len()).map(|word| request.line_of(Some(word)));
        let placed: Vec<_> = request
            .words
            .iter()
            .map(String::as_str)
            .zip(lines)
            .collect();
        let want = [
            ("link", 1),
            ("add", 1),
            ("a", 6),
            ("mtu", 3),
            ("1400", 3),
            ("down", 7),
            ("type", 1),
            ("vxlan", 1),
            ("id", 2),
            ("42", 2),
            ("srcport", 4),
            ("1", 4),
            ("2", 4),
        ];
        assert_eq!(placed, want);
        assert_eq!(request.line_of(None), 1);
    }

    proptest! {
        #[test]
        fn any_text_is_taken_or_refused_in_one_line(text in "(\\PC|\n){0,120}") {
            if let Err(error) = requests(&text) {
                prop_assert!(!error.to_string().contains(char::is_control), "{error}");
            }
        }
    }
}
