//! Reading TOML 1.0. The messages are ours, in the form of BurntSushi's.

use super::toml::key_text;
use crate::fmt::MAX_NESTING;
use crate::time::{Time, Zone};
use crate::{CallError, Env, List, Map, Str, Type, Value, ty};

static TABLES: crate::TypeInfo = crate::TypeInfo::new(
    "[]map[string]interface {}",
    crate::Kind::Slice,
    Some(&ty::MAP_ANY),
);

struct Reader<'t, 'e, 'r> {
    text: &'t str,
    at: usize,
    env: &'e mut Env<'r>,
    root: Map,
    /// Tables that were written out in full, which may not be opened again.
    closed: Vec<Map>,
    /// Tables of lists of tables, to be made lists at the end.
    lists: Vec<(Map, Str, Vec<Map>)>,
    /// The keys that lead to what is being read, for messages.
    path: Vec<Str>,
}

enum Stop {
    Syntax(String),
    Limit(CallError),
}

type Result<T> = std::result::Result<T, Stop>;

impl From<CallError> for Stop {
    fn from(error: CallError) -> Self {
        Self::Limit(error)
    }
}

/// Reads a document. The inner error says what is wrong with the text.
pub(crate) fn from_toml(
    env: &mut Env<'_>,
    text: &Str,
) -> std::result::Result<std::result::Result<Map, String>, CallError> {
    env.reserve(text.len())?;
    let text = text.to_str();
    let root = Map::new();
    let mut reader = Reader {
        text: &text,
        at: 0,
        env,
        root: root.clone(),
        closed: Vec::new(),
        lists: Vec::new(),
        path: Vec::new(),
    };
    match reader.document() {
        Ok(()) => {
            for (map, key, items) in reader.lists {
                let items = items.into_iter().map(Value::Map).collect();
                map.insert(key, List::of(&TABLES as Type, items));
            }
            Ok(Ok(root))
        }
        Err(Stop::Syntax(message)) => {
            let before = text.get(..reader.at).unwrap_or(&text);
            let line = 1 + before.matches('\n').count();
            let key = reader.path.iter().map(key_text).collect::<Vec<_>>().join(".");
            Ok(Err(if key.is_empty() {
                format!("toml: line {line}: {message}")
            } else {
                let key = crate::quote::quote(key.as_bytes(), false);
                format!("toml: line {line} (last key {key}): {message}")
            }))
        }
        Err(Stop::Limit(error)) => Err(error),
    }
}

fn fail<T>(message: impl Into<String>) -> Result<T> {
    Err(Stop::Syntax(message.into()))
}

impl Reader<'_, '_, '_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// What stands here, for messages.
    fn found(&self) -> String {
        self.peek()
            .map_or_else(|| "EOF".to_owned(), |c| crate::quote::quote_char(c, false))
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn take(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.at += 1;
        }
    }

    fn comment(&mut self) {
        if self.peek() == Some('#') {
            self.at += self.rest().find('\n').unwrap_or(self.rest().len());
        }
    }

    /// Blanks, comments and line breaks.
    fn blank_lines(&mut self) {
        loop {
            self.blank();
            self.comment();
            if !self.take("\r\n") && !self.take("\n") {
                return;
            }
        }
    }

    fn line_end(&mut self) -> Result<()> {
        self.blank();
        self.comment();
        if self.peek().is_none() || self.take("\r\n") || self.take("\n") {
            return Ok(());
        }
        let found = self.found();
        fail(format!(
            "expected a top-level item to end with a newline, comment, or EOF, but got {found} instead"
        ))
    }

    fn document(&mut self) -> Result<()> {
        let mut table = self.root.clone();
        loop {
            self.blank_lines();
            self.env.spend(1)?;
            if self.peek().is_none() {
                return Ok(());
            }
            if self.take("[[") {
                let path = self.key(true)?;
                if !self.take("]]") {
                    return fail("expected end of table array name delimiter ']'");
                }
                table = self.next_of_list(&path)?;
                self.path = path;
                self.line_end()?;
            } else if self.take("[") {
                let path = self.key(true)?;
                if !self.take("]") {
                    let found = self.found();
                    return fail(format!(
                        "expected '.' or ']' to end table name, but got {found} instead"
                    ));
                }
                table = self.open(&path)?;
                self.path = path;
                self.line_end()?;
            } else {
                self.pair(&table, 0)?;
                self.line_end()?;
            }
        }
    }

    /// A dotted key, or the name of a table.
    fn key(&mut self, is_table: bool) -> Result<Vec<Str>> {
        let mut path = Vec::new();
        loop {
            self.blank();
            let part = match self.peek() {
                Some('"') => self.basic_string()?,
                Some('\'') => self.literal_string()?,
                _ => {
                    let rest = self.rest();
                    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
                    let len = rest.find(|c| !bare(c)).unwrap_or(rest.len());
                    if len == 0 {
                        return fail(self.no_key(is_table, path.is_empty()));
                    }
                    let part = rest.get(..len).unwrap_or_default().to_owned();
                    self.at += len;
                    part
                }
            };
            path.push(Str::from(part));
            self.blank();
            if !self.take(".") {
                return Ok(path);
            }
        }
    }

    /// What is wrong where a part of a key should begin.
    fn no_key(&self, is_table: bool, is_first: bool) -> String {
        let found = self.found();
        match (is_table, self.peek()) {
            (true, Some(']') | None) => {
                "unexpected end of table name (table names cannot be empty)".to_owned()
            }
            (true, Some('.')) => "unexpected table separator (table names cannot be empty)".to_owned(),
            (true, _) => format!("expected '.' or ']' to end table name, but got {found} instead"),
            (false, Some('=') | None) if is_first => "unexpected '=': key name appears blank".to_owned(),
            (false, Some('=') | None) => "unexpected '='".to_owned(),
            (false, Some('.')) if is_first => "unexpected '.': keys cannot start with a '.'".to_owned(),
            (false, Some('.')) => "unexpected '.'".to_owned(),
            (false, _) => format!("expected '.' or '=', but got {found} instead"),
        }
    }

    /// What is wrong where a value should be; `word` is what stands there.
    fn no_value(&self, word: &str) -> String {
        let mut rest = self.rest().chars();
        match rest.next() {
            Some('.') => "floats must start with a digit, not '.'".to_owned(),
            Some('+' | '-') => match rest.next() {
                Some('.') => "floats must start with a digit, not '.'".to_owned(),
                Some(c) if !c.is_ascii_digit() => {
                    format!("expected a digit but got {}", crate::quote::quote_char(c, false))
                }
                _ => format!("expected value but found {word:?} instead"),
            },
            Some(c) if !c.is_alphanumeric() => format!("expected value but found {} instead", self.found()),
            _ => {
                let letters: String = word.chars().take_while(|c| c.is_alphabetic()).collect();
                let word = if letters.is_empty() { word } else { &letters };
                let word = crate::quote::quote(word.as_bytes(), false);
                format!("expected value but found {word} instead")
            }
        }
    }

    fn list_of(&self, map: &Map, key: &Str) -> Option<usize> {
        self.lists
            .iter()
            .position(|(owner, name, _)| owner.is(map) && name == key)
    }

    /// The table below one of that name, made if it is not there.
    fn child(&mut self, map: &Map, key: &Str) -> Result<Map> {
        if let Some(list) = self.list_of(map, key)
            && let Some(last) = self.lists.get(list).and_then(|(_, _, items)| items.last())
        {
            return Ok(last.clone());
        }
        match map.get(key) {
            Some(Value::Map(child)) => Ok(child),
            Some(_) => fail(format!("Key '{key}' has already been defined.")),
            None => {
                let child = Map::new();
                map.insert(key.clone(), child.clone());
                Ok(child)
            }
        }
    }

    fn open(&mut self, path: &[Str]) -> Result<Map> {
        let mut here = self.root.clone();
        for key in path {
            here = self.child(&here, key)?;
        }
        if self.closed.iter().any(|closed| closed.is(&here)) {
            let name = path.iter().map(ToString::to_string).collect::<Vec<_>>().join(".");
            return fail(format!("Key '{name}' has already been defined."));
        }
        self.closed.push(here.clone());
        Ok(here)
    }

    fn next_of_list(&mut self, path: &[Str]) -> Result<Map> {
        let Some((last, before)) = path.split_last() else {
            return fail("empty table name");
        };
        let mut here = self.root.clone();
        for key in before {
            here = self.child(&here, key)?;
        }
        let item = Map::new();
        match self.list_of(&here, last) {
            Some(list) => {
                if let Some((_, _, items)) = self.lists.get_mut(list) {
                    items.push(item.clone());
                }
            }
            None if here.contains(last) => {
                return fail(format!(
                    "Key '{last}' was already created and cannot be used as an array."
                ));
            }
            None => self.lists.push((here, last.clone(), vec![item.clone()])),
        }
        Ok(item)
    }

    fn pair(&mut self, table: &Map, depth: usize) -> Result<()> {
        let path = self.key(false)?;
        if self.peek().is_none() {
            return fail("unexpected EOF; expected key separator '='");
        }
        if !self.take("=") {
            let found = self.found();
            return fail(format!("expected '.' or '=', but got {found} instead"));
        }
        self.blank();
        let outer = self.path.len();
        self.path.extend_from_slice(&path);
        let value = self.value(depth)?;
        let Some((last, before)) = path.split_last() else {
            return fail("empty key");
        };
        let mut here = table.clone();
        for key in before {
            here = self.child(&here, key)?;
        }
        if here.contains(last) || self.list_of(&here, last).is_some() {
            return fail(format!("Key '{last}' has already been defined."));
        }
        self.path.truncate(outer);
        here.insert(last.clone(), value);
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<Value> {
        self.env.spend(1)?;
        if depth > MAX_NESTING {
            return fail("values nest too deeply");
        }
        match self.peek() {
            None => fail("unexpected EOF; expected value"),
            Some('"') => self.basic_string().map(Value::from),
            Some('\'') => self.literal_string().map(Value::from),
            Some('[') => {
                self.at += 1;
                let mut items = Vec::new();
                loop {
                    self.blank_lines();
                    if self.take("]") {
                        return Ok(List::new(items).into());
                    }
                    items.push(self.value(depth + 1)?);
                    self.blank_lines();
                    if !self.take(",") && self.peek() != Some(']') {
                        return fail("expected a comma (',') or array terminator (']')");
                    }
                }
            }
            Some('{') => {
                self.at += 1;
                let map = Map::new();
                self.blank_lines();
                while !self.take("}") {
                    self.pair(&map, depth + 1)?;
                    self.blank_lines();
                    if !self.take(",") && self.peek() != Some('}') {
                        return fail("expected a comma or an inline table terminator '}'");
                    }
                    self.blank_lines();
                }
                Ok(map.into())
            }
            Some(_) => self.scalar(),
        }
    }

    fn scalar(&mut self) -> Result<Value> {
        let rest = self.rest();
        let ends = |c: char| matches!(c, ',' | ']' | '}' | '#' | '\n' | '\r' | '\t' | ' ');
        let mut len = rest.find(ends).unwrap_or(rest.len());
        // A date and a time may have a space between them.
        if len == 10 && rest.as_bytes().get(4) == Some(&b'-') {
            let time = rest.get(11..).unwrap_or_default();
            if time.starts_with(|c: char| c.is_ascii_digit()) && time.as_bytes().get(2) == Some(&b':') {
                len = 11 + time.find(ends).unwrap_or(time.len());
            }
        }
        let word = rest.get(..len).unwrap_or_default().to_owned();
        let value = match word.as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "inf" | "+inf" => Value::float(f64::INFINITY),
            "-inf" => Value::float(f64::NEG_INFINITY),
            "nan" | "+nan" | "-nan" => Value::float(f64::NAN),
            word => match number(word).or_else(|| date(word)) {
                Some(value) => value,
                None => return fail(self.no_value(word)),
            },
        };
        self.at += len;
        Ok(value)
    }

    fn literal_string(&mut self) -> Result<String> {
        if self.take("'''") {
            if !self.take("\r\n") {
                self.take("\n");
            }
            let Some(end) = self.rest().find("'''") else {
                return fail("unexpected EOF; expected \"'''\"");
            };
            // Up to two more quotes belong to the text.
            let more = self
                .rest()
                .get(end + 3..)
                .map_or(0, |rest| rest.bytes().take(2).take_while(|b| *b == b'\'').count());
            let text = self.rest().get(..end + more).unwrap_or_default().to_owned();
            self.at += end + more + 3;
            return Ok(text);
        }
        self.at += 1;
        let rest = self.rest();
        match rest.find(['\'', '\n']) {
            Some(end) if rest.as_bytes().get(end) == Some(&b'\'') => {
                let text = rest.get(..end).unwrap_or_default().to_owned();
                self.at += end + 1;
                Ok(text)
            }
            _ => fail("strings cannot contain newlines"),
        }
    }

    fn basic_string(&mut self) -> Result<String> {
        let many = self.take("\"\"\"");
        if many {
            if !self.take("\r\n") {
                self.take("\n");
            }
        } else {
            self.at += 1;
        }
        let mut out = String::new();
        loop {
            if many && self.rest().starts_with("\"\"\"") {
                let quotes = self.rest().bytes().take(5).take_while(|b| *b == b'"').count();
                out.extend(std::iter::repeat_n('"', quotes - 3));
                self.at += quotes;
                return Ok(out);
            }
            match self.bump() {
                None => return fail("unexpected EOF; expected '\"'"),
                Some('"') if !many => return Ok(out),
                Some('\n') if !many => return fail("strings cannot contain newlines"),
                Some('\\') => self.escape(&mut out, many)?,
                Some(c) => out.push(c),
            }
        }
    }

    fn escape(&mut self, out: &mut String, many: bool) -> Result<()> {
        let Some(c) = self.bump() else {
            return fail("unexpected EOF; expected '\"'");
        };
        let mut code = |reader: &mut Self, digits: usize| {
            let hex = reader.rest().get(..digits).unwrap_or_default().to_owned();
            match u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32) {
                Some(c) if hex.len() == digits => {
                    reader.at += digits;
                    out.push(c);
                    Ok(())
                }
                _ => fail(format!("invalid escape character: \\{c}")),
            }
        };
        match c {
            'u' => return code(self, 4),
            'U' => return code(self, 8),
            'x' => return code(self, 2),
            'b' => out.push('\u{8}'),
            't' => out.push('\t'),
            'n' => out.push('\n'),
            'f' => out.push('\u{c}'),
            'r' => out.push('\r'),
            'e' => out.push('\u{1b}'),
            '"' => out.push('"'),
            '\\' => out.push('\\'),
            ' ' | '\t' | '\n' | '\r' if many => {
                let rest = self.rest();
                self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
            }
            c => return fail(format!("invalid escape character {c:?}")),
        }
        Ok(())
    }
}

fn number(word: &str) -> Option<Value> {
    if word.starts_with('_') || word.ends_with('_') || word.contains("__") {
        return None;
    }
    let digits = word.replace('_', "");
    let unsigned = digits.strip_prefix(['+', '-']).unwrap_or(&digits);
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(rest) = digits.strip_prefix(prefix) {
            return i64::from_str_radix(rest, radix).ok().map(Value::int64);
        }
    }
    if unsigned.len() > 1
        && unsigned.starts_with('0')
        && unsigned.as_bytes().get(1).is_some_and(u8::is_ascii_digit)
    {
        return None;
    }
    if !unsigned.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if let Ok(int) = digits.parse::<i64>() {
        return Some(Value::int64(int));
    }
    let is_float = unsigned.contains(['.', 'e', 'E']) && !unsigned.ends_with('.') && !unsigned.contains(".e");
    if is_float {
        digits.parse().ok().map(Value::float)
    } else {
        None
    }
}

fn date(word: &str) -> Option<Value> {
    let text = word
        .replacen(' ', "T", 1)
        .replacen('t', "T", 1)
        .replacen('z', "Z", 1);
    let layouts = [
        ("2006-01-02T15:04:05.999999999Z07:00", ""),
        ("2006-01-02T15:04:05.999999999", "datetime-local"),
        ("2006-01-02", "date-local"),
        ("15:04:05.999999999", "time-local"),
    ];
    layouts.iter().find_map(|(layout, name)| {
        let mut local = |_| Zone::named(0, (*name).to_owned());
        Time::parse(layout, &text, &mut local).ok().map(Time::into_value)
    })
}
