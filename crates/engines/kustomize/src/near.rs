//! What a person may have meant who wrote a name that is not there.

use crate::files::{FileKind, Files, base_name, join, parent};
use crate::id::IdRef;
use crate::resource::Resource;

/// How many names a question offers.
const OFFERED: usize = 3;

/// The names nearest to a word, the nearest first, at most three: those that a typing mistake or two lead to, then those
/// that are the word with something before or behind a hyphen, as prefixes and suffixes of names make them.
///
/// Upper and lower case do not matter. One mistake is forgiven in up to five characters, and one more for each three
/// beyond, so that short names are not all near each other.
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = word.to_lowercase();
    let bound = wanted.chars().count().max(3) / 3;
    let rank = |name: &'a str| {
        let lower = name.to_lowercase();
        let distance = distance(&wanted, &lower);
        if distance <= bound {
            return Some((distance, name));
        }
        let extends = |long: &str, short: &str| {
            !short.is_empty()
                && (long.strip_suffix(short).is_some_and(|rest| rest.ends_with('-'))
                    || long.strip_prefix(short).is_some_and(|rest| rest.starts_with('-')))
        };
        (extends(&lower, &wanted) || extends(&wanted, &lower)).then_some((bound + 1, name))
    };
    let mut ranked: Vec<(usize, &str)> = names.into_iter().filter_map(rank).collect();
    ranked.sort_unstable();
    ranked.dedup();
    ranked.into_iter().take(OFFERED).map(|(_, name)| name).collect()
}

/// The name nearest to a mistyped one.
pub fn closest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest(word, names).into_iter().next()
}

/// `did you mean 'a', 'b' or 'c'?`; nothing without names.
pub fn question(names: &[&str]) -> Option<String> {
    let quoted: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    let (last, before) = quoted.split_last()?;
    Some(if before.is_empty() {
        format!("did you mean {last}?")
    } else {
        format!("did you mean {} or {last}?", before.join(", "))
    })
}

/// Edits from one text to another: a character more, less or changed, or two neighbours swapped.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let cell = |up: usize, left: usize| {
                let above = rows.len().checked_sub(up).and_then(|row| rows.get(row))?;
                above.get((j + 1).checked_sub(left)?).copied()
            };
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x) && x != y;
            let ways = [
                cell(1, 1).map(|cost| cost + usize::from(x != y)),
                cell(1, 0).map(|cost| cost + 1),
                row.last().map(|cost| cost + 1),
                cell(2, 2).filter(|_| swapped).map(|cost| cost + 1),
            ];
            row.push(ways.into_iter().flatten().min().unwrap_or_default());
        }
        rows.push(row);
    }
    rows.last()
        .and_then(|row| row.last())
        .copied()
        .unwrap_or_default()
}

/// Objects that a selector's type and name may have meant; empty parts stand for anything.
pub(crate) fn selected(objects: &[Resource], wanted: &IdRef<'_>) -> Option<String> {
    let gvk = wanted.to_gvk();
    object(objects, wanted, |id| id.is_selected_by(&gvk))
}

/// Objects that an id may have meant.
pub(crate) fn exact(objects: &[Resource], wanted: &IdRef<'_>) -> Option<String> {
    object(objects, wanted, |id| {
        (id.group, id.version) == (wanted.group, wanted.version)
    })
}

fn object(objects: &[Resource], wanted: &IdRef<'_>, is_type: impl Fn(&IdRef<'_>) -> bool) -> Option<String> {
    let ids = || {
        objects
            .iter()
            .filter(|object| !object.is_empty())
            .flat_map(|object| std::iter::once(object.loose_ref()).chain(object.previous_refs()))
    };
    let of_kind = |id: &IdRef<'_>| wanted.kind.is_empty() || id.kind == wanted.kind;
    let (kind, one) = match wanted.kind {
        "" => ("object", "object"),
        kind => (kind, kind),
    };
    if let Some(same) = ids().find(|id| of_kind(id) && id.name == wanted.name) {
        let version = same.to_gvk().api_version();
        let other_type = !is_type(&same);
        if !other_type && same.effective_namespace() == wanted.effective_namespace() {
            return None;
        }
        return Some(match (other_type, same.namespace) {
            (true, _) => format!(
                "there is a {} '{}' of apiVersion '{version}'; did you mean that?",
                same.kind, same.name
            ),
            (false, "") => format!(
                "the {} '{}' has no namespace; did you mean that?",
                same.kind, same.name
            ),
            (false, namespace) => format!(
                "there is a {} '{}' in namespace '{namespace}'; did you mean that?",
                same.kind, same.name
            ),
        });
    }
    if let Some(question) = question(&nearest(wanted.name, ids().filter(of_kind).map(|id| id.name))) {
        return Some(format!("no {kind} is named '{}'; {question}", wanted.name));
    }
    if let Some(same) = ids().find(|id| id.name == wanted.name) {
        return Some(format!(
            "no {kind} is named '{}', but a {} is; did you mean that?",
            wanted.name, same.kind
        ));
    }
    if !ids().any(|id| of_kind(&id)) {
        let near = nearest(wanted.kind, ids().map(|id| id.kind));
        return question(&near).map(|question| format!("there is no {one} at all; {question}"));
    }
    let mut names: Vec<&str> = ids().filter(of_kind).map(|id| id.name).collect();
    names.dedup();
    let shown: Vec<String> = names
        .iter()
        .take(OFFERED)
        .map(|name| format!("'{name}'"))
        .collect();
    let more = if names.len() > OFFERED { " and more" } else { "" };
    Some(format!(
        "no {kind} is named '{}'; there is {}{more}",
        wanted.name,
        shown.join(", ")
    ))
}

/// A path that a missing one may have meant, as it would be written in a kustomization of `root`.
pub(crate) fn file(files: &dyn Files, root: &str, written: &str) -> Option<String> {
    let path = join(root, written);
    let exists = |path: &str| matches!(files.find(path), Ok(Some(_)));
    if exists(&path) {
        return None;
    }
    // The first part that is missing.
    let mut missing = path.as_str();
    while !exists(parent(missing)) && parent(missing) != "/" {
        missing = parent(missing);
    }
    let rest = path.strip_prefix(missing).unwrap_or_default();
    let entries = files.list(parent(missing)).ok()?;
    let names = entries.iter().map(|entry| entry.name.as_str());
    let mut found: Vec<String> = nearest(base_name(missing), names)
        .into_iter()
        .map(|name| format!("{}{rest}", join(parent(missing), name)))
        .filter(|path| exists(path))
        .collect();
    if found.is_empty() {
        // It may lie in a folder below.
        let entries = files.list(root).ok()?;
        found = entries
            .iter()
            .filter(|entry| entry.kind == FileKind::Directory)
            .map(|entry| join(&join(root, &entry.name), base_name(&path)))
            .filter(|path| exists(path))
            .collect();
        found.sort();
    }
    let relative: Vec<String> = found
        .iter()
        .take(OFFERED)
        .map(|path| relative(root, path))
        .collect();
    question(&relative.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The way from a directory to a path, both clean.
fn relative(from: &str, to: &str) -> String {
    let split = |path: &str| -> Vec<String> {
        let parts = path.split('/').filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect()
    };
    let (from, to) = (split(from), split(to));
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", from.len() - common);
    let parts: Vec<&str> = up.chain(to.iter().skip(common).map(String::as_str)).collect();
    match parts.first() {
        Some(&"..") => parts.join("/"),
        _ => format!("./{}", parts.join("/")),
    }
}

/// Keys that the first missing part of a field path may have meant.
pub(crate) fn field(node: &weir_yaml::Node, parts: &[String]) -> Option<String> {
    let mut at = node;
    for part in parts {
        let Some(entries) = at.entries() else {
            // Into a list only what is there can be followed.
            at = crate::ops::lookup(at, std::slice::from_ref(part))
                .ok()
                .flatten()?;
            continue;
        };
        if let Some(next) = at.get(part) {
            at = next;
            continue;
        }
        let keys = entries.iter().filter_map(|(key, _)| key.as_str());
        let question = question(&nearest(part, keys))?;
        return Some(format!("there is no '{part}'; {question}"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryFiles;

    #[test]
    fn a_mistake_or_two_are_forgiven_as_the_length_allows() {
        let check = |word: &str, names: &[&str], expected: &[&str]| {
            assert_eq!(nearest(word, names.iter().copied()), expected, "{word}");
        };
        check("webb", &["api", "web", "db"], &["web"]);
        check("Depolyment", &["Deployment", "DaemonSet"], &["Deployment"]);
        check("patchs", &["path", "patches", "resources"], &["patches", "path"]);
        check("a", &["b"], &["b"]);
        check("web", &["api", "db", "job"], &[]);
        check("web", &["dev-web", "web-v2", "cobweb"], &["dev-web", "web-v2"]);
        check("dev-web", &["web"], &["web"]);
        check("RESOURCES", &["resources"], &["resources"]);
        check("", &["api"], &[]);
        check("x1", &["x4", "x3", "x2", "x5"], &["x2", "x3", "x4"]);
    }

    #[test]
    fn neighbours_that_are_swapped_are_one_mistake() {
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("abc", "acb"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("aa", "aa"), 0);
    }

    #[test]
    fn a_question_names_what_there_is() {
        assert_eq!(question(&[]), None);
        assert_eq!(question(&["a"]).as_deref(), Some("did you mean 'a'?"));
        assert_eq!(
            question(&["a", "b", "c"]).as_deref(),
            Some("did you mean 'a', 'b' or 'c'?")
        );
    }

    #[test]
    fn missing_paths_are_looked_for_nearby() {
        let files: MemoryFiles = [
            "/app/base/deploy.yaml",
            "/app/prod/patch.yaml",
            "/app/prod/more/extra.yaml",
        ]
        .into_iter()
        .map(|path| (path, ""))
        .collect();
        let near = |written| file(&files, "/app/prod", written);
        assert_eq!(near("pach.yaml").as_deref(), Some("did you mean './patch.yaml'?"));
        assert_eq!(near("patch.yml").as_deref(), Some("did you mean './patch.yaml'?"));
        assert_eq!(
            near("../bsae/deploy.yaml").as_deref(),
            Some("did you mean '../base/deploy.yaml'?")
        );
        assert_eq!(
            near("extra.yaml").as_deref(),
            Some("did you mean './more/extra.yaml'?")
        );
        assert_eq!(near("nothing-like-it"), None);
        assert_eq!(near("../../../../nothing-like-it"), None);
    }
}
