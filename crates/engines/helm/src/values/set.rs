//! The languages of `--set` and its relatives.

use serde_json::{Number, Value};

use std::cell::RefCell;
use std::rc::Rc;

use super::shared::{Map, Shared};
use super::{Table, from_json};

/// A list is not made longer than this.
const MAX_INDEX: i64 = 65_536;
/// Names are not nested deeper than this.
const MAX_DEPTH: usize = 30;

/// A setting that cannot be read, in Helm's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SetError(pub String);

/// What the right side of a setting becomes.
#[derive(Clone, Copy)]
pub enum Setter<'f> {
    /// `--set`: `true`, `null`, integers are what they look like, `{a,b}` is a list.
    Typed,
    /// `--set-string`: texts.
    Text,
    /// `--set-file`: the content of the named file.
    File(&'f dyn Fn(&str) -> Result<String, String>),
    /// `--set-json`: JSON.
    Json,
    /// `--set-literal`: the whole rest of the line, as it stands.
    Literal,
}

impl std::fmt::Debug for Setter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Typed => "Typed",
            Self::Text => "Text",
            Self::File(_) => "File",
            Self::Json => "Json",
            Self::Literal => "Literal",
        })
    }
}

impl Setter<'_> {
    /// Reads `name=value,list[0].name=value` and sets it in a table. After an error the table may hold a part of it.
    pub fn set(self, line: &str, values: &mut Table) -> Result<(), SetError> {
        let shared = Map::of(std::mem::take(values));
        let result = self.set_shared(line, &shared);
        *values = shared.table();
        result
    }

    /// The same on a shared table.
    pub(super) fn set_shared(self, line: &str, values: &Map) -> Result<(), SetError> {
        let mut parser = Parser {
            rest: line,
            setter: self,
            lists: 0,
        };
        loop {
            match parser.key(values, 0) {
                Ok(()) => {}
                Err(Stop::End) => return Ok(()),
                Err(Stop::Error(message)) => return Err(SetError(message)),
            }
        }
    }

    /// The same on a table of its own.
    pub fn parse(self, line: &str) -> Result<Table, SetError> {
        let mut values = Table::new();
        self.set(line, &mut values).map(|()| values)
    }
}

/// Puts a value into a list, which grows as far as it must.
pub fn set_index(list: &mut Vec<Value>, index: i64, value: Value) -> Result<(), SetError> {
    let index = check_index(index)?;
    if list.len() <= index {
        list.resize(index + 1, Value::Null);
    }
    if let Some(place) = list.get_mut(index) {
        *place = value;
    }
    Ok(())
}

fn check_index(index: i64) -> Result<usize, SetError> {
    if index > MAX_INDEX {
        return Err(SetError(format!(
            "index of {index} is greater than maximum supported index of {MAX_INDEX}"
        )));
    }
    usize::try_from(index).map_err(|_| SetError(format!("negative {index} index not allowed")))
}

/// A list that other values may hold too.
type List = Rc<RefCell<Vec<Shared>>>;

/// Puts a value into a shared list. A list that must grow becomes another one, as in Go.
fn set_item(list: List, index: i64, value: Shared) -> Result<List, SetError> {
    let index = check_index(index)?;
    let list = if list.borrow().len() <= index {
        let mut longer = list.borrow().clone();
        longer.resize(index + 1, Shared::Leaf(Value::Null));
        Rc::new(RefCell::new(longer))
    } else {
        list
    };
    if let Some(place) = list.borrow_mut().get_mut(index) {
        *place = value;
    }
    Ok(list)
}

/// Why reading stopped.
enum Stop {
    /// At the end of the text.
    End,
    Error(String),
}

impl From<String> for Stop {
    fn from(message: String) -> Self {
        Self::Error(message)
    }
}

impl From<SetError> for Stop {
    fn from(error: SetError) -> Self {
        Self::Error(error.0)
    }
}

struct Parser<'l, 'f> {
    rest: &'l str,
    setter: Setter<'f>,
    /// How many list items lie around this place.
    lists: usize,
}

impl Parser<'_, '_> {
    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        Some(c)
    }

    /// Reads up to one of some characters; a backslash takes the next character as it is, except in literals. The
    /// character is `None` at the end.
    fn until(&mut self, stops: &[char]) -> (String, Option<char>) {
        let mut text = String::new();
        loop {
            match self.next() {
                None => return (text, None),
                Some(c) if stops.contains(&c) => return (text, Some(c)),
                Some('\\') if !matches!(self.setter, Setter::Literal) => match self.next() {
                    None => return (text, None),
                    Some(c) => text.push(c),
                },
                Some(c) => text.push(c),
            }
        }
    }

    fn key(&mut self, data: &Map, depth: usize) -> Result<(), Stop> {
        let stops: &[char] = if matches!(self.setter, Setter::Literal) {
            &['=', '[', '.']
        } else {
            &['=', '[', ',', '.']
        };
        let (key, last) = self.until(stops);
        match last {
            None if key.is_empty() => Err(Stop::End),
            None => Err(format!("key {key:?} has no value").into()),
            Some('[') => {
                let index = self.index()?;
                let list = match data.get(&key) {
                    None => List::default(),
                    Some(Shared::List(list)) => list,
                    Some(other) => return Err(conversion(&other, "[]interface {}")),
                };
                let (list, result) = self.item(list, index, depth);
                data.put(key, Shared::List(list));
                result
            }
            Some('=') => {
                let value = self.value()?;
                let (value, stop) = match value {
                    Read::Value(value) => (value, None),
                    Read::Nothing => (Value::String(String::new()), Some(Stop::End)),
                };
                data.put(key, Shared::of(value));
                stop.map_or(Ok(()), Err)
            }
            Some(',') => {
                let message = format!("key {key:?} has no value (cannot end with ,)");
                data.put(key, Shared::Leaf(Value::String(String::new())));
                Err(message.into())
            }
            // A dot.
            Some(_) => {
                if depth >= MAX_DEPTH {
                    return Err(too_deep());
                }
                let inner = match data.get(&key) {
                    None => Map::default(),
                    Some(Shared::Map(table)) => table,
                    Some(other) => return Err(conversion(&other, "map[string]interface {}")),
                };
                let result = self.key(&inner, depth + 1);
                if result.is_ok() && inner.is_empty() {
                    return Err(format!("key map {key:?} has no value").into());
                }
                if !inner.is_empty() {
                    data.put(key, Shared::Map(inner));
                }
                result
            }
        }
    }

    fn index(&mut self) -> Result<i64, Stop> {
        let (text, last) = self.until(&[']']);
        if last.is_none() {
            // Helm takes this for the end of the text, too, and says nothing.
            return Err(Stop::End);
        }
        text.parse().map_err(|_| {
            Stop::Error(format!(
                "error parsing index: strconv.Atoi: parsing {text:?}: invalid syntax"
            ))
        })
    }

    /// Reads what follows an index, and gives the list with it. After an error the list is as far as it came.
    fn item(&mut self, list: List, index: i64, depth: usize) -> (List, Result<(), Stop>) {
        if self.lists >= MAX_LISTS {
            return (
                list,
                Err(format!("lists are nested deeper than {MAX_LISTS}").into()),
            );
        }
        self.lists += 1;
        let result = self.item_inner(&list, index, depth);
        self.lists -= 1;
        match result.and_then(|value| Ok(set_item(Rc::clone(&list), index, value)?)) {
            Ok(list) => (list, Ok(())),
            Err(stop) => (list, Err(stop)),
        }
    }

    fn item_inner(&mut self, list: &List, index: i64, depth: usize) -> Result<Shared, Stop> {
        let Ok(at) = usize::try_from(index) else {
            return Err(format!("negative {index} index not allowed").into());
        };
        let (text, last) = self.until(&['[', '.', '=']);
        if !text.is_empty() {
            return Err(format!("unexpected data at end of array index: {text:?}").into());
        }
        let known = list.borrow().get(at).cloned();
        match last {
            None => Err(Stop::End),
            Some('=') => Ok(Shared::of(match self.value()? {
                Read::Value(value) => value,
                Read::Nothing => Value::String(String::new()),
            })),
            Some('[') => {
                let next = self.index()?;
                let inner = match known {
                    None | Some(Shared::Leaf(Value::Null)) => List::default(),
                    Some(Shared::List(inner)) => inner,
                    Some(other) => return Err(conversion(&other, "[]interface {}")),
                };
                let (inner, result) = self.item(inner, next, depth);
                result.map(|()| Shared::List(inner))
            }
            // A dot. Indices may come out of order: what is no table yet becomes one.
            Some(_) => {
                let inner = match known {
                    Some(Shared::Map(table)) => table,
                    _ => Map::default(),
                };
                if let Some(place) = list.borrow_mut().get_mut(at) {
                    *place = Shared::Map(inner.clone());
                }
                self.key(&inner, depth).map(|()| Shared::Map(inner))
            }
        }
    }

    fn value(&mut self) -> Result<Read, Stop> {
        match self.setter {
            Setter::Literal => Ok(Read::Value(Value::String(
                std::mem::take(&mut self.rest).to_owned(),
            ))),
            Setter::Json => self.json().map(Read::Value),
            _ => {
                if let Some(read) = self.list()? {
                    return Ok(read);
                }
                let (text, _) = self.until(&[',']);
                self.convert(&text).map(Read::Value)
            }
        }
    }

    /// A list in braces, if there is one.
    fn list(&mut self) -> Result<Option<Read>, Stop> {
        if self.rest.is_empty() {
            return Ok(Some(Read::Nothing));
        }
        let Some(rest) = self.rest.strip_prefix('{') else {
            return Ok(None);
        };
        self.rest = rest;
        let mut list = Vec::new();
        loop {
            let (text, last) = self.until(&[',', '}']);
            if last.is_none() {
                return Err("list must terminate with '}'".to_owned().into());
            }
            list.push(self.convert(&text)?);
            if last == Some('}') {
                self.rest = self.rest.strip_prefix(',').unwrap_or(self.rest);
                return Ok(Some(Read::Value(Value::Array(list))));
            }
        }
    }

    fn json(&mut self) -> Result<Value, Stop> {
        if self.blank() {
            return Ok(Value::Null);
        }
        let mut stream = serde_json::Deserializer::from_str(self.rest).into_iter::<Value>();
        let value = match stream.next() {
            Some(Ok(value)) => value,
            Some(Err(error)) => return Err(error.to_string().into()),
            None => return Err(Stop::End),
        };
        self.rest = self.rest.get(stream.byte_offset()..).unwrap_or_default();
        self.blank();
        Ok(from_json(value))
    }

    /// Skips white space, and a comma behind it. Whether that comma, or the end, came.
    fn blank(&mut self) -> bool {
        self.rest = self.rest.trim_start();
        if let Some(rest) = self.rest.strip_prefix(',') {
            self.rest = rest;
            return true;
        }
        self.rest.is_empty()
    }

    fn convert(&self, text: &str) -> Result<Value, Stop> {
        match self.setter {
            Setter::Typed => Ok(typed(text)),
            Setter::File(read) => read(text).map(Value::String).map_err(Stop::Error),
            _ => Ok(Value::String(text.to_owned())),
        }
    }
}

/// Lists in lists have no limit of their own in Helm; this one only keeps the stack whole.
const MAX_LISTS: usize = 500;

enum Read {
    Value(Value),
    /// The text ended where a value should stand.
    Nothing,
}

fn too_deep() -> Stop {
    Stop::Error(format!(
        "value name nested level is greater than maximum supported nested level of {MAX_DEPTH}"
    ))
}

fn conversion(found: &Shared, wanted: &str) -> Stop {
    let found = match found {
        Shared::Leaf(Value::Null) => "nil",
        Shared::Leaf(Value::Bool(_)) => "bool",
        Shared::Leaf(Value::Number(number)) if number.is_f64() => "float64",
        Shared::Leaf(Value::Number(_)) => "int64",
        Shared::Leaf(_) => "string",
        Shared::List(_) => "[]interface {}",
        Shared::Map(_) => "map[string]interface {}",
    };
    Stop::Error(format!(
        "unable to parse key: interface conversion: interface {{}} is {found}, not {wanted}"
    ))
}

fn typed(text: &str) -> Value {
    if text.eq_ignore_ascii_case("true") {
        return Value::Bool(true);
    }
    if text.eq_ignore_ascii_case("false") {
        return Value::Bool(false);
    }
    if text.eq_ignore_ascii_case("null") {
        return Value::Null;
    }
    if text == "0" {
        return Value::Number(0.into());
    }
    if !text.starts_with('0')
        && let Ok(number) = text.parse::<i64>()
    {
        return Value::Number(Number::from(number));
    }
    Value::String(text.to_owned())
}
