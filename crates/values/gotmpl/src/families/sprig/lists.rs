//! Lists.

#![expect(clippy::unnecessary_wraps, reason = "the functions of a table have one type")]

use std::borrow::Cow;

use crate::encode::deep_equal;
use crate::families::args::{Result, fail, int, is_empty, items, nil_dereference, to_int64, value};
use crate::types::Kind;
use crate::{CallError, Entry, Env, List, Signature, Value, ty};

pub(crate) static LISTS: &[Entry] = &[
    ("list", ANY, list),
    ("tuple", ANY, list),
    ("append", TWO, push),
    ("push", TWO, push),
    ("mustAppend", TWO, push),
    ("mustPush", TWO, push),
    ("prepend", TWO, prepend),
    ("mustPrepend", TWO, prepend),
    ("first", ONE, first),
    ("mustFirst", ONE, first),
    ("rest", ONE, rest),
    ("mustRest", ONE, rest),
    ("last", ONE, last),
    ("mustLast", ONE, last),
    ("initial", ONE, initial),
    ("mustInitial", ONE, initial),
    ("reverse", ONE, reverse),
    ("mustReverse", ONE, reverse),
    ("compact", ONE, compact),
    ("mustCompact", ONE, compact),
    ("uniq", ONE, uniq),
    ("mustUniq", ONE, uniq),
    ("without", Signature::variadic(&[&ty::ANY, &ty::ANY]), without),
    ("mustWithout", Signature::variadic(&[&ty::ANY, &ty::ANY]), without),
    ("has", TWO, has),
    ("mustHas", TWO, has),
    ("slice", Signature::variadic(&[&ty::ANY, &ty::ANY]), slice),
    ("mustSlice", Signature::variadic(&[&ty::ANY, &ty::ANY]), slice),
    ("concat", ANY, concat),
    ("chunk", Signature::new(&[&ty::INT, &ty::ANY]), chunk),
    ("mustChunk", Signature::new(&[&ty::INT, &ty::ANY]), chunk),
];

const ONE: Signature = Signature {
    params: &[&ty::ANY],
    variadic: false,
};
const TWO: Signature = Signature {
    params: &[&ty::ANY, &ty::ANY],
    variadic: false,
};
const ANY: Signature = Signature {
    params: &[&ty::ANY],
    variadic: true,
};

/// The items, or the failure that Go's reflection makes of something else.
fn items_of<'v>(
    env: &mut Env<'_>,
    value: &'v Value,
    complaint: &str,
) -> std::result::Result<Cow<'v, [Value]>, CallError> {
    match items(value) {
        Ok(items) => {
            env.spend(items.len() / 4)?;
            Ok(items)
        }
        Err(Kind::Invalid) => Err(nil_dereference()),
        Err(kind) => Err(fail(format!("{complaint} {}", kind.name()))),
    }
}

fn made(items: Vec<Value>) -> Result {
    Ok(List::new(items).into())
}

/// A list of no items that Go's functions return as nil.
fn nil_list() -> Value {
    Value::TypedNil(&ty::LIST_ANY)
}

fn list(env: &mut Env<'_>, args: &[Value]) -> Result {
    env.spend(args.len())?;
    made(args.to_vec())
}

fn push(env: &mut Env<'_>, args: &[Value]) -> Result {
    let list = value(args, 0);
    let mut items = items_of(env, &list, "Cannot push on type")?.into_owned();
    env.spend(items.len())?;
    items.push(value(args, 1));
    made(items)
}

fn prepend(env: &mut Env<'_>, args: &[Value]) -> Result {
    let list = value(args, 0);
    let mut items = items_of(env, &list, "Cannot prepend on type")?.into_owned();
    env.spend(items.len())?;
    items.insert(0, value(args, 1));
    made(items)
}

fn first(env: &mut Env<'_>, args: &[Value]) -> Result {
    let list = value(args, 0);
    Ok(items_of(env, &list, "Cannot find first on type")?
        .first()
        .cloned()
        .unwrap_or_default())
}

fn last(env: &mut Env<'_>, args: &[Value]) -> Result {
    let list = value(args, 0);
    Ok(items_of(env, &list, "Cannot find last on type")?
        .last()
        .cloned()
        .unwrap_or_default())
}

fn rest(env: &mut Env<'_>, args: &[Value]) -> Result {
    let list = value(args, 0);
    match items_of(env, &list, "Cannot find rest on type")?.split_first() {
        Some((_, rest)) => made(rest.to_vec()),
        None => Ok(nil_list()),
    }
}

fn initial(env: &mut Env<'_>, args: &[Value]) -> Result {
    let list = value(args, 0);
    match items_of(env, &list, "Cannot find initial on type")?.split_last() {
        Some((_, initial)) => made(initial.to_vec()),
        None => Ok(nil_list()),
    }
}

fn reverse(env: &mut Env<'_>, args: &[Value]) -> Result {
    let list = value(args, 0);
    let mut items = items_of(env, &list, "Cannot find reverse on type")?.into_owned();
    items.reverse();
    made(items)
}

fn compact(env: &mut Env<'_>, args: &[Value]) -> Result {
    let list = value(args, 0);
    let items = items_of(env, &list, "Cannot compact on type")?;
    made(items.iter().filter(|item| !is_empty(item)).cloned().collect())
}

fn contains(env: &mut Env<'_>, items: &[Value], wanted: &Value) -> std::result::Result<bool, CallError> {
    for item in items {
        if deep_equal(env, wanted, item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn uniq(env: &mut Env<'_>, args: &[Value]) -> Result {
    let list = value(args, 0);
    let items = items_of(env, &list, "Cannot find uniq on type")?;
    let mut out: Vec<Value> = Vec::new();
    for item in items.iter() {
        if !contains(env, &out, item)? {
            out.push(item.clone());
        }
    }
    made(out)
}

fn without(env: &mut Env<'_>, args: &[Value]) -> Result {
    let list = value(args, 0);
    let items = items_of(env, &list, "Cannot find without on type")?;
    let mut out = Vec::new();
    for item in items.iter() {
        if !contains(env, args.get(1..).unwrap_or_default(), item)? {
            out.push(item.clone());
        }
    }
    made(out)
}

fn has(env: &mut Env<'_>, args: &[Value]) -> Result {
    let list = value(args, 1);
    if matches!(list, Value::Nil) {
        return Ok(Value::Bool(false));
    }
    let items = items_of(env, &list, "Cannot find has on type")?;
    contains(env, &items, &value(args, 0)).map(Value::Bool)
}

fn slice(env: &mut Env<'_>, args: &[Value]) -> Result {
    let list = value(args, 0);
    let items = items_of(env, &list, "list should be type of slice or array but")?;
    if items.is_empty() {
        return Ok(Value::Nil);
    }
    let start = args.get(1).map_or(0, to_int64);
    let end = args
        .get(2)
        .map_or(i64::try_from(items.len()).unwrap_or(i64::MAX), to_int64);
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    let part = range.and_then(|(start, end)| items.get(start..end));
    let Some(part) = part else {
        return Err(fail("reflect.Value.Slice: slice index out of bounds"));
    };
    let ty = list.ty().unwrap_or(&ty::LIST_ANY);
    if let Value::Bytes(_) = list {
        let bytes: Vec<u8> = part
            .iter()
            .map(|item| match item {
                Value::Uint(byte, _) => u8::try_from(*byte).unwrap_or(0),
                _ => 0,
            })
            .collect();
        return Ok(Value::Bytes(bytes.into()));
    }
    Ok(List::of(ty, part.to_vec()).into())
}

fn concat(env: &mut Env<'_>, args: &[Value]) -> Result {
    let mut out = Vec::new();
    for list in args {
        match items(list) {
            Ok(items) => {
                env.spend(items.len())?;
                out.extend_from_slice(&items);
            }
            Err(Kind::Invalid) => return Err(nil_dereference()),
            Err(kind) => return Err(fail(format!("Cannot concat type {} as list", kind.name()))),
        }
    }
    if out.is_empty() { Ok(nil_list()) } else { made(out) }
}

fn chunk(env: &mut Env<'_>, args: &[Value]) -> Result {
    let list = value(args, 1);
    let items = items_of(env, &list, "Cannot chunk type")?;
    let size = int(args, 0);
    let Some(size) = usize::try_from(size).ok().filter(|size| *size > 0) else {
        // Go divides by it and asks for a slice of the nonsense that comes out.
        return Err(fail("runtime error: makeslice: len out of range"));
    };
    if items.is_empty() {
        return Ok(List::of(&ty::LIST_LIST_ANY, Vec::new()).into());
    }
    let chunks = items
        .chunks(size)
        .map(|chunk| List::new(chunk.to_vec()).into())
        .collect();
    Ok(List::of(&ty::LIST_LIST_ANY, chunks).into())
}
