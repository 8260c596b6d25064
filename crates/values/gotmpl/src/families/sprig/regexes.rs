//! Patterns, as RE2 has them.

use weir_re2::Pattern;

use crate::families::args::{Result, int, text};
use crate::{CallError, Entry, Env, List, Signature, Str, Value, ty};

pub(super) static REGEXES: &[Entry] = &[
    ("regexMatch", TWO, |env, args| match env.pattern(&text(args, 0)) {
        Ok(_) => is_match(env, args),
        Err(error) if error.is_limit() => Err(error),
        Err(_) => Ok(Value::Bool(false)),
    }),
    ("mustRegexMatch", TWO, is_match),
    ("regexFindAll", COUNTED, |env, args| {
        or_panic(find_all(env, args), args)
    }),
    ("mustRegexFindAll", COUNTED, find_all),
    ("regexFind", TWO, |env, args| or_panic(find(env, args), args)),
    ("mustRegexFind", TWO, find),
    ("regexReplaceAll", THREE, |env, args| {
        or_panic(replace_all(env, args), args)
    }),
    ("mustRegexReplaceAll", THREE, replace_all),
    ("regexReplaceAllLiteral", THREE, |env, args| {
        or_panic(replace_literal(env, args), args)
    }),
    ("mustRegexReplaceAllLiteral", THREE, replace_literal),
    ("regexSplit", COUNTED, |env, args| {
        or_panic(split(env, args), args)
    }),
    ("mustRegexSplit", COUNTED, split),
    ("regexQuoteMeta", Signature::new(&[&ty::STRING]), |_, args| {
        Ok(Value::from(weir_re2::escape(&text(args, 0).to_str())))
    }),
];

const TWO: Signature = Signature {
    params: &[&ty::STRING, &ty::STRING],
    variadic: false,
};
const THREE: Signature = Signature {
    params: &[&ty::STRING, &ty::STRING, &ty::STRING],
    variadic: false,
};
const COUNTED: Signature = Signature {
    params: &[&ty::STRING, &ty::STRING, &ty::INT],
    variadic: false,
};

/// Go's `MustCompile` says it in another way.
fn or_panic(result: Result, args: &[Value]) -> Result {
    result.map_err(|error| {
        if error.is_limit() {
            return error;
        }
        let source = text(args, 0);
        let quoted = if crate::quote::can_backquote(source.as_bytes()) {
            format!("`{source}`")
        } else {
            crate::quote::quote(source.as_bytes(), false)
        };
        CallError::new(format!("regexp: Compile({quoted}): {error}"))
    })
}

/// The pattern and the text; matching takes time in both.
fn prepared(env: &mut Env<'_>, args: &[Value]) -> std::result::Result<(Pattern, String), CallError> {
    let pattern = env.pattern(&text(args, 0))?;
    let text = text(args, 1).to_str().into_owned();
    env.spend(text.len() / 16 * (1 + pattern.as_str().len() / 16))?;
    Ok((pattern, text))
}

fn is_match(env: &mut Env<'_>, args: &[Value]) -> Result {
    let (pattern, text) = prepared(env, args)?;
    Ok(Value::Bool(pattern.is_match(&text)))
}

/// All matches as Go counts them: an empty one right behind another does not count.
fn matches(pattern: &Pattern, text: &str) -> Vec<(usize, usize)> {
    let mut out: Vec<(usize, usize)> = Vec::new();
    for found in pattern.find_iter(text) {
        if found.is_empty() && out.last().is_some_and(|(_, end)| *end == found.start()) {
            continue;
        }
        out.push((found.start(), found.end()));
    }
    out
}

fn find_all(env: &mut Env<'_>, args: &[Value]) -> Result {
    let (pattern, text) = prepared(env, args)?;
    let most = usize::try_from(int(args, 2)).unwrap_or(usize::MAX);
    let found: Vec<Str> = matches(&pattern, &text)
        .into_iter()
        .take(most)
        .map(|(start, end)| text.get(start..end).unwrap_or_default().into())
        .collect();
    env.spend(found.len())?;
    if found.is_empty() {
        return Ok(Value::TypedNil(&ty::LIST_STRING));
    }
    Ok(List::strings(found).into())
}

fn find(env: &mut Env<'_>, args: &[Value]) -> Result {
    let (pattern, text) = prepared(env, args)?;
    Ok(Value::from(
        pattern.find(&text).map_or("", |found| found.as_str()),
    ))
}

fn replace_all(env: &mut Env<'_>, args: &[Value]) -> Result {
    let (pattern, source) = prepared(env, args)?;
    let template = text(args, 2);
    charge(env, &pattern, &source, template.len())?;
    let out = pattern.replace_all(&source, &template.to_str());
    env.reserve(out.len())?;
    Ok(Value::from(out))
}

fn replace_literal(env: &mut Env<'_>, args: &[Value]) -> Result {
    let (pattern, source) = prepared(env, args)?;
    let replacement = text(args, 2);
    charge(env, &pattern, &source, replacement.len())?;
    Ok(Value::from(
        pattern.replace_all_literal(&source, &replacement.to_str()),
    ))
}

/// Refuses a replacement that would blow the text up, before it is made.
fn charge(
    env: &mut Env<'_>,
    pattern: &Pattern,
    source: &str,
    replacement: usize,
) -> std::result::Result<(), CallError> {
    if replacement > 64 {
        env.reserve(pattern.find_iter(source).count().saturating_mul(replacement))?;
    }
    env.reserve(source.len())
}

/// `regexp.Split`
fn split(env: &mut Env<'_>, args: &[Value]) -> Result {
    let (pattern, text) = prepared(env, args)?;
    let count = int(args, 2);
    if count == 0 {
        return Ok(Value::TypedNil(&ty::LIST_STRING));
    }
    if !pattern.as_str().is_empty() && text.is_empty() {
        return Ok(List::strings([""]).into());
    }
    let most = usize::try_from(count).unwrap_or(usize::MAX);
    let mut out: Vec<Str> = Vec::new();
    let (mut begin, mut end) = (0, 0);
    for (start, stop) in matches(&pattern, &text) {
        if out.len() + 1 == most {
            break;
        }
        end = start;
        if stop != 0 {
            out.push(text.get(begin..end).unwrap_or_default().into());
        }
        begin = stop;
    }
    if end != text.len() {
        out.push(text.get(begin..).unwrap_or_default().into());
    }
    env.spend(out.len())?;
    Ok(List::strings(out).into())
}
