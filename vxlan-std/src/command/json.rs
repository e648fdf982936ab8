//! JSON as iproute2 writes it: keys in their order, on one line or one line a key.

use core::fmt::Write;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Json {
    /// A string.
    Text(String),
    /// A number.
    Number(i128),
    /// True or false.
    Bool(bool),
    /// Nothing.
    Null,
    /// An array.
    List(Vec<Self>),
    /// An object, its keys in this order.
    Object(Vec<(&'static str, Self)>),
}

impl Json {
    /// An array of strings.
    pub(crate) fn words(words: impl IntoIterator<Item = &'static str>) -> Self {
        Self::List(words.into_iter().map(Self::from).collect())
    }

    /// On one line.
    pub(crate) fn line(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, None);
        out
    }

    /// Appends the value; indented so deep, or on one line.
    fn write(&self, out: &mut String, depth: Option<usize>) {
        match self {
            // Writing to a string cannot fail.
            Self::Number(number) => drop(write!(out, "{number}")),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Null => out.push_str("null"),
            Self::Text(text) => quote(out, text),
            Self::List(list) => Self::write_list(out, list, depth),
            Self::Object(fields) => {
                out.push('{');
                let inner = depth.map(|depth| depth + 1);
                for (at, (key, value)) in fields.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    new_line(out, inner);
                    quote(out, key);
                    out.push_str(if depth.is_some() { ": " } else { ":" });
                    value.write(out, inner);
                }
                if !fields.is_empty() {
                    new_line(out, depth);
                }
                out.push('}');
            }
        }
    }

    fn write_list(out: &mut String, list: &[Self], depth: Option<usize>) {
        out.push_str(if depth.is_some() { "[ " } else { "[" });
        for (at, value) in list.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            value.write(out, depth.map(|depth| depth + 1));
        }
        if depth.is_some() && !list.is_empty() {
            out.push(' ');
        }
        out.push(']');
    }
}

/// An array that is written element by element.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Array {
    pretty: bool,
    empty: bool,
}

impl Array {
    /// Starts the array.
    pub(crate) fn start(out: &mut String, pretty: bool) -> Self {
        out.push_str(if pretty { "[ " } else { "[" });
        Self {
            pretty,
            empty: true,
        }
    }

    /// Adds an element.
    pub(crate) fn push(&mut self, out: &mut String, element: &Json) {
        if !self.empty {
            out.push(',');
        }
        self.empty = false;
        element.write(out, self.pretty.then_some(1));
    }

    /// Ends the array and the line.
    pub(crate) fn end(self, out: &mut String) {
        if self.pretty && !self.empty {
            out.push(' ');
        }
        out.push_str("]\n");
    }
}

fn quote(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            control if control < ' ' => drop(write!(out, "\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
}

fn new_line(out: &mut String, depth: Option<usize>) {
    if let Some(depth) = depth {
        out.push('\n');
        out.extend(core::iter::repeat_n("    ", depth));
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<u64> for Json {
    fn from(number: u64) -> Self {
        Self::Number(number.into())
    }
}

impl From<u32> for Json {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<u16> for Json {
    fn from(number: u16) -> Self {
        Self::Number(number.into())
    }
}

impl From<u8> for Json {
    fn from(number: u8) -> Self {
        Self::Number(number.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(pretty: bool, elements: &[Json]) -> String {
        let mut out = String::new();
        let mut array = Array::start(&mut out, pretty);
        for element in elements {
            array.push(&mut out, element);
        }
        array.end(&mut out);
        out
    }

    /// As `bridge -json` and `bridge -json -pretty` of iproute2 6.1 print.
    #[test]
    fn arrays_as_iproute2_writes_them() {
        assert_eq!(array(false, &[]), "[]\n");
        assert_eq!(array(true, &[]), "[ ]\n");
        let entry = Json::Object(vec![
            ("mac", "33:33:00:00:00:01".into()),
            ("port", 22_u16.into()),
            ("flags", Json::words(["self", "sticky"])),
        ]);
        let two = [entry.clone(), entry];
        let one = r#"{"mac":"33:33:00:00:00:01","port":22,"flags":["self","sticky"]}"#;
        assert_eq!(array(false, &two), format!("[{one},{one}]\n"));
        let one = "{\n        \"mac\": \"33:33:00:00:00:01\",\n        \"port\": 22,\n        \
                   \"flags\": [ \"self\",\"sticky\" ]\n    }";
        assert_eq!(array(true, &two), format!("[ {one},{one} ]\n"));
    }

    #[test]
    fn text_is_escaped() {
        let text = "a\"b\\c\nd\te\u{1}ü\r";
        let line = Json::from(text).line();
        assert_eq!(line, r#""a\"b\\c\nd\te\u0001ü\r""#);
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
    }

    #[test]
    fn objects_in_objects() {
        let inner = Json::Object(vec![("b", false.into()), ("n", 1_u8.into())]);
        let outer = Json::Object(vec![("empty", Json::Object(vec![])), ("inner", inner)]);
        assert_eq!(outer.line(), r#"{"empty":{},"inner":{"b":false,"n":1}}"#);
    }
}
