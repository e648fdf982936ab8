//! One link of a file, and what belongs to it.

use core::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{FileError, Request, Text, lines};

/// A table `[[link]]` and where it stands.
pub(super) type Table<'v, 't> = (&'v DeTable<'t>, Range<usize>);

/// The words that stand before `type vxlan`.
const HEAD: [&str; 3] = ["mtu", "address", "up"];

/// What stands between those and the options.
const TYPE: [&str; 2] = ["type", "vxlan"];

/// The lists that belong to a link: their requests' first words, and whether the link's name
/// stands before the line's words and how.
const LISTS: [(&str, &[&str]); 4] = [
    ("fdb", &["fdb", "append"]),
    ("neigh", &["neigh", "replace"]),
    ("vni", &["vni", "add", "vni"]),
    ("mdb", &["mdb", "add"]),
];

/// The tables of the list `link`.
pub(super) fn tables<'v, 't>(
    text: Text<'_>,
    value: &'v Spanned<DeValue<'t>>,
) -> Result<Vec<Table<'v, 't>>, FileError> {
    let wrong = |span: Range<usize>| text.error(&span, "link", "takes tables: [[link]]");
    let list = value.get_ref().as_array();
    list.ok_or_else(|| wrong(value.span()))?
        .iter()
        .map(|item| {
            let table = item.get_ref().as_table();
            Ok((table.ok_or_else(|| wrong(item.span()))?, item.span()))
        })
        .collect()
}

/// What it takes to make the link of `table`, and what belongs to it.
pub(super) fn requests(
    text: Text<'_>,
    (table, span): Table<'_, '_>,
    requests: &mut Vec<Request>,
) -> Result<(), FileError> {
    let line = text.line(&span);
    let missing = || text.error(&span, "link", "\"name\" is missing");
    let name = table.get("name").ok_or_else(missing)?;
    let name_span = name.span();
    let name = one_word(text, "name", name)?;
    let mut keys: Vec<_> = table.iter().collect();
    keys.sort_by_key(|(key, _)| key.span().start);
    let mut options = Vec::new();
    for (key, value) in &keys {
        let word = key.get_ref().as_ref();
        match word {
            "name" => {}
            "type" => {
                let what = "is not said here; links are of type vxlan";
                return Err(text.error(&key.span(), word, what));
            }
            _ if LISTS.iter().any(|(list, _)| *list == word) => {}
            _ if word.is_empty() || word.contains(char::is_whitespace) => {
                return Err(text.error(&key.span(), word, "is not one word"));
            }
            _ => options.push((word, text.line(&key.span()), option(text, word, value)?)),
        }
    }
    // Where each word is: those of a key are in its line, all others in that of the table.
    options.sort_by_key(|(word, ..)| !HEAD.contains(word));
    let mut words = vec!["link".to_owned(), "add".to_owned(), name.clone()];
    let mut places = vec![(words.len() - 1, text.line(&name_span))];
    let mut in_tail = false;
    for (word, line_of_key, mut said) in options {
        if !in_tail && !HEAD.contains(&word) {
            in_tail = true;
            places.push((words.len(), line));
            words.extend(TYPE.map(str::to_owned));
        }
        places.push((words.len(), line_of_key));
        words.append(&mut said);
    }
    if !in_tail {
        words.extend(TYPE.map(str::to_owned));
    }
    requests.push(Request {
        words,
        line,
        places,
    });
    for (key, value) in keys {
        let Some((list, first)) = LISTS.iter().find(|(list, _)| *list == key.get_ref()) else {
            continue;
        };
        let device = ["dev", &name];
        if *list == "mdb" {
            // `bridge mdb` wants to know the port as well: it is the device itself.
            let first = [*first, &device, &["port", &name]].concat();
            lines(text, list, value, &first, &[], requests)?;
        } else {
            lines(text, list, value, first, &device, requests)?;
        }
    }
    Ok(())
}

/// The words of an option.
fn option(
    text: Text<'_>,
    word: &str,
    value: &Spanned<DeValue<'_>>,
) -> Result<Vec<String>, FileError> {
    let mut words = vec![word.to_owned()];
    match (word, value.get_ref()) {
        ("up", DeValue::Boolean(true)) => {}
        ("up", DeValue::Boolean(false)) => return Ok(vec!["down".to_owned()]),
        ("up", _) => return Err(text.error(&value.span(), word, "takes true or false")),
        (_, DeValue::Boolean(_)) if HEAD.contains(&word) => {
            return Err(text.error(&value.span(), word, "takes a value"));
        }
        (_, DeValue::Boolean(true)) => {}
        (_, DeValue::Boolean(false)) => return Ok(vec![format!("no{word}")]),
        (_, DeValue::Array(list)) => {
            for item in list {
                words.push(one_value(text, word, item)?);
            }
        }
        _ => words.push(one_value(text, word, value)?),
    }
    Ok(words)
}

fn one_value(text: Text<'_>, key: &str, value: &Spanned<DeValue<'_>>) -> Result<String, FileError> {
    match value.get_ref() {
        DeValue::String(_) => one_word(text, key, value).map_err(|error| {
            if value
                .get_ref()
                .as_str()
                .is_some_and(|said| said.contains(' '))
            {
                text.error(
                    &value.span(),
                    key,
                    "takes one word; a list stands for several",
                )
            } else {
                error
            }
        }),
        DeValue::Integer(number) => match number.radix() {
            16 => Ok(format!("0x{}", number.as_str())),
            10 => Ok(number.as_str().to_owned()),
            _ => Err(text.error(&value.span(), key, "takes decimal or hexadecimal numbers")),
        },
        _ => {
            let what = "takes a text, a whole number, true, false or a list of those";
            Err(text.error(&value.span(), key, what))
        }
    }
}

fn one_word(text: Text<'_>, key: &str, value: &Spanned<DeValue<'_>>) -> Result<String, FileError> {
    let wrong = |what| text.error(&value.span(), key, what);
    let said = value
        .get_ref()
        .as_str()
        .ok_or_else(|| wrong("takes a text"))?;
    let mut words = said.split_whitespace();
    match (words.next(), words.next()) {
        (Some(word), None) if word.len() == said.len() => Ok(said.to_owned()),
        _ => Err(wrong("takes one word")),
    }
}
