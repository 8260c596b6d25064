//! slim-sprig: sprig without what needs other libraries. It reads numbers in text as plain decimals.

use super::args::Result;
use super::sprig::{NUMBERS, SLIM};
use crate::{Env, Functions, Value};

/// What slim-sprig leaves out when only repeatable functions are wanted.
const NOT_HERMETIC: &[&str] = &[
    "date",
    "date_in_zone",
    "date_modify",
    "dateInZone",
    "dateModify",
    "env",
    "expandenv",
    "getHostByName",
    "htmlDate",
    "htmlDateInZone",
    "now",
];

/// Float arithmetic is not there at all.
const NOT_SLIM: &[&str] = &["add1f", "addf", "subf", "divf", "mulf"];

/// Functions that turn text into numbers, in slim-sprig's way.
static DECIMAL: &[&str] = &[
    "int64", "int", "float64", "add1", "add", "sub", "div", "mod", "mul", "max", "biggest", "min", "maxf",
    "minf", "ceil", "floor", "round",
];

/// Adds slim-sprig's hermetic functions.
pub(super) fn add(functions: Functions) -> Functions {
    let mut functions = functions.with(SLIM);
    for name in NOT_HERMETIC.iter().chain(NOT_SLIM) {
        functions.remove(name);
    }
    for (name, signature, body) in NUMBERS.iter().filter(|(name, ..)| DECIMAL.contains(name)) {
        let body = *body;
        let is_float = matches!(*name, "float64" | "maxf" | "minf" | "ceil" | "floor" | "round");
        functions.insert(
            name,
            crate::Function::closure(signature, move |env, args| decimal(env, args, is_float, body)),
        );
    }
    let lists = SLIM.iter().copied().flatten();
    for (name, signature, body) in lists.filter(|(name, ..)| matches!(*name, "slice" | "mustSlice")) {
        let body = *body;
        // The list stays what it is.
        let closure = crate::Function::closure(signature, move |env, args| {
            let indices = args.iter().skip(1).map(|index| read(index, false));
            let args: Vec<Value> = args.iter().take(1).cloned().chain(indices).collect();
            body(env, &args)
        });
        functions.insert(name, closure);
    }
    functions
}

/// A number as slim-sprig reads it.
fn read(value: &Value, is_float: bool) -> Value {
    match value {
        Value::Str(text) if !is_float => {
            let text = text.to_str();
            let digits = text.strip_prefix(['+', '-']).unwrap_or(&text);
            let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            Value::int64(if is_number { text.parse().unwrap_or(0) } else { 0 })
        }
        Value::Uint(number, _) => Value::int64(i64::try_from(*number).unwrap_or(i64::MAX)),
        // A json.Number is text of another type, which slim-sprig does not know.
        Value::Number(_) => Value::Nil,
        value => value.clone(),
    }
}

fn decimal(env: &mut Env<'_>, args: &[Value], is_float: bool, body: crate::Native) -> Result {
    let args: Vec<Value> = args.iter().map(|value| read(value, is_float)).collect();
    body(env, &args)
}
