//! What sigs.k8s.io/yaml's `Marshal` prints for JSON-like values: keys sorted, lines folded behind
//! column 80. It is also what `kustomize build` and Helm's `toYaml` print.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::scalar::{analyze, is_base60, write};
use super::writer::{Flavor, Step, Writer};
use crate::{Dialect, Resolved, Style, go_float, resolve};

/// Prints a value; the text ends with a line feed.
pub fn sigs(value: &Value) -> String {
    print(value, sort)
}

/// The same with keys in the order of their bytes, where [`sigs`] counts the digits in keys as numbers: what Flux
/// makes a digest of values from.
pub fn sigs_by_bytes(value: &Value) -> String {
    print(value, |entries| entries.sort_by_key(|(key, _)| *key))
}

/// How the entries of a mapping are put in order.
type Sort = fn(&mut Vec<(&str, &Value)>);

fn print(value: &Value, sort: Sort) -> String {
    let mut writer = Writer::new(Flavor::V2);
    node(&mut writer, value, false, sort);
    writer.finish("");
    writer.out
}

/// Prints values as a stream, `---` between them.
pub fn sigs_stream<'a>(values: impl IntoIterator<Item = &'a Value>) -> String {
    let mut out = String::new();
    for value in values {
        if !out.is_empty() {
            out.push_str("---\n");
        }
        out.push_str(&sigs(value));
    }
    out
}

fn node(writer: &mut Writer, value: &Value, in_mapping: bool, sort: Sort) {
    match value {
        Value::Null => scalar(writer, "null", Style::Plain),
        Value::Bool(true) => scalar(writer, "true", Style::Plain),
        Value::Bool(false) => scalar(writer, "false", Style::Plain),
        Value::Number(number) => scalar(writer, &number_text(number), Style::Plain),
        Value::String(text) => {
            let text = through_json(text);
            scalar(writer, &text, string_style(&text));
        }
        Value::Array(items) if items.is_empty() => {
            writer.indicator("[", true, true, false);
            writer.indicator("]", false, false, false);
        }
        Value::Object(map) if map.is_empty() => {
            writer.indicator("{", true, true, false);
            writer.indicator("}", false, false, false);
        }
        Value::Array(items) => {
            let step = if in_mapping && !writer.indention {
                Step::None
            } else {
                Step::Block
            };
            writer.deeper(step, |writer| {
                for item in items {
                    writer.write_indent();
                    writer.indicator("-", true, false, true);
                    node(writer, item, false, sort);
                }
            });
        }
        Value::Object(map) => {
            let mut entries: Vec<(&str, &Value)> =
                map.iter().map(|(key, value)| (key.as_str(), value)).collect();
            sort(&mut entries);
            writer.deeper(Step::Block, |writer| {
                for (key, value) in entries {
                    writer.write_indent();
                    entry(writer, key, value, sort);
                }
            });
        }
    }
}

fn entry(writer: &mut Writer, key: &str, value: &Value, sort: Sort) {
    // libyaml's limit for a key on the line of its value.
    let simple = key.len() <= 128 && !analyze(key, writer.flavor).multiline;
    let style = string_style(key);
    if simple {
        write(writer, key, style, true, "");
        writer.indicator(":", false, false, false);
    } else {
        writer.indicator("?", true, false, true);
        write(writer, key, style, false, "");
        writer.write_indent();
        writer.indicator(":", true, false, true);
    }
    node(writer, value, true, sort);
}

/// What a string is after the way that the library takes, which writes JSON and reads that as YAML: JSON leaves the
/// character NEXT LINE as it is, and to YAML it is a line break that is folded.
fn through_json(text: &str) -> Cow<'_, str> {
    const NEXT_LINE: char = '\u{85}';
    if !text.contains(NEXT_LINE) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find([' ', NEXT_LINE]) {
        let (before, blank) = rest.split_at(at);
        let end = blank.find(|c| c != ' ' && c != NEXT_LINE).unwrap_or(blank.len());
        let (blank, after) = blank.split_at(end);
        out.push_str(before);
        match blank.chars().filter(|c| *c == NEXT_LINE).count() {
            0 => out.push_str(blank),
            1 => out.push(' '),
            breaks => out.extend(std::iter::repeat_n('\n', breaks - 1)),
        }
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn scalar(writer: &mut Writer, text: &str, style: Style) {
    write(writer, text, style, false, "");
}

fn string_style(text: &str) -> Style {
    if text.contains('\n') {
        Style::Literal
    } else if resolve(text, Dialect::Sigs) == Resolved::Str && !is_base60(text) {
        Style::Plain
    } else {
        Style::DoubleQuoted
    }
}

fn number_text(number: &Number) -> String {
    if number.is_i64() || number.is_u64() {
        return number.to_string();
    }
    let value = number.as_f64().unwrap_or_default();
    // Go's JSON writes a whole number below 1e21 without a point, and reading that back makes an
    // integer of it, if it fits.
    if value.fract() == 0.0 && value.abs() < 1e21 {
        let digits = value.to_string();
        if digits.parse::<i64>().is_ok() || digits.parse::<u64>().is_ok() {
            return if digits == "-0" { "0".into() } else { digits };
        }
    }
    go_float(value)
}

/// Sorts by [`natural`], which is no total order: punctuation and digits can go round in circles, on
/// which the standard library's sort may panic. (Go's result is then a matter of chance.)
fn sort(entries: &mut Vec<(&str, &Value)>) {
    entries.sort_unstable_by(|a, b| a.0.cmp(b.0));
    let mut width = 1;
    while width < entries.len() {
        let mut merged = Vec::with_capacity(entries.len());
        for pair in entries.chunks(width * 2) {
            let (left, right) = pair.split_at(width.min(pair.len()));
            let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
            while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
                let next = if natural(b.0, a.0) == Ordering::Less {
                    right.next()
                } else {
                    left.next()
                };
                merged.extend(next);
            }
            merged.extend(left);
            merged.extend(right);
        }
        *entries = merged;
        width *= 2;
    }
}

/// yaml v2's order of keys: letters behind everything else, digits by value.
fn natural(a: &str, b: &str) -> Ordering {
    let common = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    // ASCII letters at the first difference, by far the most frequent case.
    if let (Some(x), Some(y)) = (a.as_bytes().get(common), b.as_bytes().get(common))
        && x.is_ascii_alphabetic()
        && y.is_ascii_alphabetic()
    {
        return x.cmp(y);
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    for (i, (&x, &y)) in a.iter().zip(&b).enumerate() {
        if x == y {
            continue;
        }
        match (x.is_alphabetic(), y.is_alphabetic()) {
            (true, true) => return x.cmp(&y),
            (false, true) => return Ordering::Less,
            (true, false) => return Ordering::Greater,
            (false, false) => {}
        }
        // A zero that continues a number counts as a digit of it.
        let mut start = 0_i64;
        if x == '0' || y == '0' {
            let before = a.get(..i).unwrap_or_default();
            start = i64::from(
                before
                    .iter()
                    .rev()
                    .take_while(|c| c.is_numeric())
                    .any(|c| *c != '0'),
            );
        }
        let (number_a, end_a) = digits(&a, i, start);
        let (number_b, end_b) = digits(&b, i, start);
        return number_a.cmp(&number_b).then(end_a.cmp(&end_b)).then(x.cmp(&y));
    }
    a.len().cmp(&b.len())
}

fn digits(text: &[char], from: usize, start: i64) -> (i64, usize) {
    let mut number = start;
    let mut at = from;
    while let Some(digit) = text.get(at).and_then(|c| c.to_digit(10)) {
        number = number.wrapping_mul(10).wrapping_add(i64::from(digit));
        at += 1;
    }
    (number, at)
}
