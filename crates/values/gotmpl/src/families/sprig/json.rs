//! JSON.

use crate::encode::{self, Style};
use crate::families::args::{Result, fail, text, value};
use crate::{CallError, Entry, Env, Signature, Str, Value, ty};

pub(super) static JSON: &[Entry] = &[
    (
        "fromJson",
        Signature::new(&[&ty::STRING]),
        |env, args| match encode::parse_json(env, &text(args, 0))? {
            Ok(value) => Ok(value),
            Err(_) => Ok(Value::Nil),
        },
    ),
    ("mustFromJson", Signature::new(&[&ty::STRING]), |env, args| {
        encode::parse_json(env, &text(args, 0))?.map_err(fail)
    }),
    ("toJson", ONE, |env, args| lenient(env, args, Style::Html)),
    ("mustToJson", ONE, |env, args| strict(env, args, Style::Html)),
    ("toPrettyJson", ONE, |env, args| lenient(env, args, Style::Pretty)),
    ("mustToPrettyJson", ONE, |env, args| {
        strict(env, args, Style::Pretty)
    }),
    ("toRawJson", ONE, |env, args| strict(env, args, Style::Raw)),
    ("mustToRawJson", ONE, |env, args| strict(env, args, Style::Raw)),
];

const ONE: Signature = Signature {
    params: &[&ty::ANY],
    variadic: false,
};

/// The JSON text; nothing if the value has none.
pub(crate) fn to_json_text(
    env: &mut Env<'_>,
    value: &Value,
    style: Style,
) -> std::result::Result<Option<Str>, CallError> {
    match encode::json(env, value, style) {
        Ok(text) => Ok(Some(text.into())),
        Err(error) if error.is_limit() => Err(error),
        Err(_) => Ok(None),
    }
}

fn lenient(env: &mut Env<'_>, args: &[Value], style: Style) -> Result {
    Ok(Value::Str(
        to_json_text(env, &value(args, 0), style)?.unwrap_or_default(),
    ))
}

fn strict(env: &mut Env<'_>, args: &[Value], style: Style) -> Result {
    encode::json(env, &value(args, 0), style).map(Value::from)
}
