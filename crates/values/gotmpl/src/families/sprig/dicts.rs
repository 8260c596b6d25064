//! Maps.

#![expect(clippy::unnecessary_wraps, reason = "the functions of a table have one type")]

use crate::families::args::{Result, fail, is_empty, map, nil_dereference, strval, text, value};
use crate::fmt::MAX_NESTING;
use crate::types::Kind;
use crate::{CallError, Entry, Env, List, Map, Signature, Str, Type, Value, ty};

/// Those that slim-sprig has too.
pub(super) static SLIM_DICTS: &[Entry] = &[
    ("dict", Signature::variadic(&[&ty::ANY]), dict),
    ("get", Signature::new(&[&ty::MAP_ANY, &ty::STRING]), |_, args| {
        Ok(map(args, 0)
            .and_then(|map| map.get(text(args, 1)))
            .unwrap_or_else(|| Value::from("")))
    }),
    ("set", Signature::new(&[&ty::MAP_ANY, &ty::STRING, &ty::ANY]), set),
    (
        "unset",
        Signature::new(&[&ty::MAP_ANY, &ty::STRING]),
        |_, args| {
            if let Some(map) = map(args, 0) {
                map.remove(text(args, 1));
            }
            Ok(value(args, 0))
        },
    ),
    (
        "hasKey",
        Signature::new(&[&ty::MAP_ANY, &ty::STRING]),
        |_, args| {
            Ok(Value::Bool(
                map(args, 0).is_some_and(|map| map.contains(text(args, 1))),
            ))
        },
    ),
    ("pluck", Signature::variadic(&[&ty::STRING, &ty::MAP_ANY]), pluck),
    ("keys", Signature::variadic(&[&ty::MAP_ANY]), keys),
    ("values", Signature::new(&[&ty::MAP_ANY]), |env, args| {
        let entries = map(args, 0).map(Map::entries).unwrap_or_default();
        env.spend(entries.len())?;
        Ok(entries
            .into_iter()
            .map(|(_, value)| value)
            .collect::<List>()
            .into())
    }),
    ("pick", Signature::variadic(&[&ty::MAP_ANY, &ty::STRING]), pick),
    ("omit", Signature::variadic(&[&ty::MAP_ANY, &ty::STRING]), omit),
    ("dig", Signature::variadic(&[&ty::ANY]), dig),
];

pub(super) static DICTS: &[Entry] = &[
    ("merge", MERGE, |env, args| merge(env, args, false)),
    ("mustMerge", MERGE, |env, args| merge(env, args, false)),
    ("mergeOverwrite", MERGE, |env, args| merge(env, args, true)),
    ("mustMergeOverwrite", MERGE, |env, args| merge(env, args, true)),
    ("deepCopy", Signature::new(&[&ty::ANY]), |env, args| {
        deep_copy(env, &value(args, 0), 0)
    }),
    ("mustDeepCopy", Signature::new(&[&ty::ANY]), |env, args| {
        deep_copy(env, &value(args, 0), 0)
    }),
];

const MERGE: Signature = Signature {
    params: &[&ty::MAP_ANY, &ty::MAP_ANY],
    variadic: true,
};

fn dict(env: &mut Env<'_>, args: &[Value]) -> Result {
    env.spend(args.len())?;
    let map = Map::new();
    for pair in args.chunks(2) {
        let Some(key) = pair.first() else { continue };
        let key = strval(env, key)?;
        map.insert(key, pair.get(1).cloned().unwrap_or_else(|| Value::from("")));
    }
    Ok(map.into())
}

fn set(env: &mut Env<'_>, args: &[Value]) -> Result {
    let Some(map) = map(args, 0) else {
        return Err(fail("assignment to entry in nil map"));
    };
    env.holds(map, &value(args, 2))?;
    map.insert(text(args, 1), value(args, 2));
    Ok(Value::Map(map.clone()))
}

fn pluck(_: &mut Env<'_>, args: &[Value]) -> Result {
    let key = text(args, 0);
    let found = args.iter().skip(1).filter_map(|arg| arg.as_map()?.get(&key));
    Ok(found.collect::<List>().into())
}

/// In order; Go's order is a matter of chance.
fn keys(env: &mut Env<'_>, args: &[Value]) -> Result {
    let keys: Vec<Str> = args
        .iter()
        .filter_map(Value::as_map)
        .flat_map(Map::keys)
        .collect();
    env.spend(keys.len())?;
    Ok(List::strings(keys).into())
}

fn pick(_: &mut Env<'_>, args: &[Value]) -> Result {
    let out = Map::new();
    for index in 1..args.len() {
        let key = text(args, index);
        if let Some(value) = map(args, 0).and_then(|map| map.get(&key)) {
            out.insert(key, value);
        }
    }
    Ok(out.into())
}

fn omit(env: &mut Env<'_>, args: &[Value]) -> Result {
    let entries = map(args, 0).map(Map::entries).unwrap_or_default();
    env.spend(entries.len())?;
    let out = Map::with(&ty::MAP_ANY, entries);
    for index in 1..args.len() {
        out.remove(text(args, index));
    }
    Ok(out.into())
}

/// mergo's merge into the first map, in place.
fn merge(env: &mut Env<'_>, args: &[Value], overwrite: bool) -> Result {
    let target = match args.first() {
        Some(Value::Map(map)) => map.clone(),
        // A nil map is replaced as soon as there is something to merge into it.
        _ if args.iter().skip(1).any(|arg| arg.as_map().is_some()) => Map::new(),
        _ => return Ok(value(args, 0)),
    };
    for source in args.iter().skip(1).filter_map(Value::as_map) {
        merge_into(env, &target, source, overwrite, 0)?;
    }
    Ok(target.into())
}

fn merge_into(
    env: &mut Env<'_>,
    target: &Map,
    source: &Map,
    overwrite: bool,
    depth: usize,
) -> std::result::Result<(), CallError> {
    if depth > MAX_NESTING {
        return Err(CallError::limit("values nest too deeply to be merged"));
    }
    for (key, value) in source.entries() {
        env.spend(1)?;
        let old = target.get(&key);
        if value.is_nil() && !matches!(&value, Value::TypedNil(ty) if ty.kind != Kind::Interface) {
            if overwrite {
                target.insert(key, Value::Nil);
            }
            continue;
        }
        if let (Value::Map(source), Some(Value::Map(target))) = (&value, &old) {
            merge_into(env, target, source, overwrite, depth + 1)?;
        }
        // Asked only now: an empty map may have been filled.
        let keeps = old.as_ref().is_some_and(|old| !is_merge_empty(old));
        let both_maps = value.kind() == Kind::Map && old.as_ref().is_some_and(|old| old.kind() == Kind::Map);
        if keeps && (both_maps || !overwrite) {
            continue;
        }
        env.holds(target, &value)?;
        target.insert(key, value);
    }
    Ok(())
}

/// What mergo takes for empty: a struct never is.
fn is_merge_empty(value: &Value) -> bool {
    match value {
        Value::Complex(_) => false,
        value => is_empty(value),
    }
}

fn deep_copy(env: &mut Env<'_>, value: &Value, depth: usize) -> Result {
    env.spend(1)?;
    if depth > MAX_NESTING {
        return Err(CallError::limit("a value nests too deeply to be copied"));
    }
    Ok(match value {
        Value::Nil if depth == 0 => {
            return Err(fail("reflect: call of reflect.Value.Type on zero Value"));
        }
        Value::Map(map) => map.map_values(|value| deep_copy(env, value, depth + 1))?.into(),
        Value::List(list) => {
            let items: std::result::Result<Vec<_>, _> = list
                .items()
                .iter()
                .map(|item| deep_copy(env, item, depth + 1))
                .collect();
            List::of(list.ty(), items?).into()
        }
        Value::Object(object) => object.deep_copied().unwrap_or_else(|| value.clone()),
        value => value.clone(),
    })
}

/// Go's words for a value that is not of the type that a function counts on.
fn not_a(value: &Value, wanted: Type) -> CallError {
    let found = match value {
        Value::Nil => "nil",
        value => value.type_name(),
    };
    fail(format!(
        "interface conversion: interface {{}} is {found}, not {wanted}"
    ))
}

fn dig(_: &mut Env<'_>, args: &[Value]) -> Result {
    let [keys @ .., default, source] = args else {
        return Err(fail("dig needs at least three arguments"));
    };
    if keys.is_empty() {
        return Err(fail("dig needs at least three arguments"));
    }
    let as_map = |value: &Value| match value {
        Value::Map(map) if ty::MAP_ANY.same(map.ty()) => Ok(Some(map.clone())),
        Value::TypedNil(own) if ty::MAP_ANY.same(own) => Ok(None),
        other => Err(not_a(other, &ty::MAP_ANY)),
    };
    let mut here = as_map(source)?;
    let mut names = Vec::with_capacity(keys.len());
    for key in keys {
        match key {
            Value::Str(key) => names.push(key.clone()),
            other => return Err(not_a(other, &ty::STRING)),
        }
    }
    let Some((last, before)) = names.split_last() else {
        return Err(nil_dereference());
    };
    for name in before {
        let Some(step) = here.as_ref().and_then(|map| map.get(name)) else {
            return Ok(default.clone());
        };
        here = as_map(&step)?;
    }
    Ok(here
        .and_then(|map| map.get(last))
        .unwrap_or_else(|| default.clone()))
}
