//! What goyaml.v3 makes of data: the order of keys (letters behind everything else, but before it behind digits;
//! numbers by value) and which text goes into quotes.

use std::cmp::Ordering;

use serde_json::Value as Json;
use weir_yaml::{Node, Style, from_json};

use crate::unicode::{is_digit, is_letter};

/// The tree of a scalar, or of what else JSON has.
pub(super) fn node(value: &Json) -> Node {
    match value {
        Json::String(text) => string(text),
        Json::Array(items) => Node::sequence(items.iter().map(node).collect()),
        Json::Object(map) => mapping(
            map.iter()
                .map(|(key, value)| (key.clone(), node(value)))
                .collect(),
        ),
        other => from_json(other),
    }
}

/// A mapping, keys in that order.
pub(super) fn mapping(mut entries: Vec<(String, Node)>) -> Node {
    sort(&mut entries);
    Node::mapping(
        entries
            .into_iter()
            .map(|(key, value)| (string(&key), value))
            .collect(),
    )
}

/// Text; in quotes where YAML 1.1 would have read something else, although 1.2 would not.
fn string(text: &str) -> Node {
    let mut node = Node::string(text);
    if is_old_bool(text) || is_base_60(text) {
        node.set_style(Style::DoubleQuoted);
    } else if text.contains('\n') {
        node.set_style(Style::Literal);
    }
    node
}

fn is_old_bool(text: &str) -> bool {
    matches!(
        text,
        "y" | "Y"
            | "yes"
            | "Yes"
            | "YES"
            | "on"
            | "On"
            | "ON"
            | "n"
            | "N"
            | "no"
            | "No"
            | "NO"
            | "off"
            | "Off"
            | "OFF"
    )
}

/// `[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?`
fn is_base_60(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (text, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let mut parts = text.split(':');
    let first = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    first.starts_with(|c: char| c.is_ascii_digit())
        && digits(first)
        && digits(fraction)
        && !rest.is_empty()
        && rest.iter().all(|part| match part.as_bytes() {
            [one] => one.is_ascii_digit(),
            [ten, one] => matches!(ten, b'0'..=b'5') && one.is_ascii_digit(),
            _ => false,
        })
}

/// By insertion: the order is no total one, on which the standard library's sort may panic.
fn sort(entries: &mut [(String, Node)]) {
    for end in 1..entries.len() {
        let mut at = end;
        while at > 0 && is_less(entries, at, at - 1) {
            entries.swap(at, at - 1);
            at -= 1;
        }
    }
}

fn is_less(entries: &[(String, Node)], a: usize, b: usize) -> bool {
    match (entries.get(a), entries.get(b)) {
        (Some(a), Some(b)) => compare(&a.0, &b.0) == Ordering::Less,
        _ => false,
    }
}

fn compare(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut behind_digit = false;
    for (index, (&x, &y)) in a.iter().zip(&b).enumerate() {
        if x == y {
            behind_digit = is_digit(x);
            continue;
        }
        return match (is_letter(x), is_letter(y)) {
            (true, true) => x.cmp(&y),
            (true, false) if behind_digit => Ordering::Less,
            (true, false) => Ordering::Greater,
            (false, true) if behind_digit => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => {
                // A zero that continues a number counts as a digit of it.
                let before = a.get(..index).unwrap_or_default();
                let continues = (x == '0' || y == '0')
                    && before
                        .iter()
                        .rev()
                        .take_while(|c| is_digit(**c))
                        .any(|c| *c != '0');
                let start = i64::from(continues);
                let (number_a, end_a) = digits(&a, index, start);
                let (number_b, end_b) = digits(&b, index, start);
                number_a.cmp(&number_b).then(end_a.cmp(&end_b)).then(x.cmp(&y))
            }
        };
    }
    a.len().cmp(&b.len())
}

fn digits(text: &[char], from: usize, start: i64) -> (i64, usize) {
    let mut number = start;
    let mut at = from;
    while let Some(c) = text.get(at).filter(|c| is_digit(**c)) {
        number = number
            .wrapping_mul(10)
            .wrapping_add(i64::from(*c as u32) - i64::from(b'0'));
        at += 1;
    }
    (number, at)
}
