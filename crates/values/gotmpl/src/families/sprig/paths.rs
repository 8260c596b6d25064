//! Paths with slashes; the operating system's are the same.

use crate::families::args::string;
use crate::{Entry, Signature, Value, ty};

pub(super) static PATHS: &[Entry] = &[
    ("base", ONE, |_, args| Ok(Value::from(base(&string(args, 0))))),
    ("dir", ONE, |_, args| Ok(Value::from(dir(&string(args, 0))))),
    ("clean", ONE, |_, args| Ok(Value::from(clean(&string(args, 0))))),
    ("ext", ONE, |_, args| Ok(Value::from(ext(&string(args, 0))))),
    ("isAbs", ONE, |_, args| {
        Ok(Value::Bool(string(args, 0).starts_with('/')))
    }),
    ("osBase", ONE, |_, args| Ok(Value::from(base(&string(args, 0))))),
    ("osDir", ONE, |_, args| Ok(Value::from(dir(&string(args, 0))))),
    ("osClean", ONE, |_, args| Ok(Value::from(clean(&string(args, 0))))),
    ("osExt", ONE, |_, args| Ok(Value::from(ext(&string(args, 0))))),
    ("osIsAbs", ONE, |_, args| {
        Ok(Value::Bool(string(args, 0).starts_with('/')))
    }),
];

const ONE: Signature = Signature {
    params: &[&ty::STRING],
    variadic: false,
};

/// `path.Base`
fn base(path: &str) -> String {
    if path.is_empty() {
        return ".".to_owned();
    }
    let trimmed = path.trim_end_matches('/');
    let last = trimmed.rsplit('/').next().unwrap_or_default();
    if last.is_empty() {
        "/".to_owned()
    } else {
        last.to_owned()
    }
}

/// `path.Dir`
fn dir(path: &str) -> String {
    clean(
        path.rfind('/')
            .and_then(|slash| path.get(..=slash))
            .unwrap_or_default(),
    )
}

/// `path.Ext`
fn ext(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.rfind('.')
        .and_then(|dot| name.get(dot..))
        .unwrap_or_default()
}

/// `path.Clean`
fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}
