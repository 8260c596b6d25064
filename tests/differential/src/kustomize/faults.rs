//! Trees broken on purpose, so that both must fail and name the same thing.

use super::tree::Tree;
use crate::dice::Dice;

fn replace(tree: &mut Tree, path: &str, change: impl Fn(&str) -> String) {
    if let Some(content) = tree.files.get_mut(path) {
        let text = String::from_utf8_lossy(content).into_owned();
        *content = change(&text).into_bytes();
    }
}

/// Breaks a tree in one way.
pub(crate) fn break_it(dice: &mut Dice, tree: &mut Tree) {
    let kustomizations: Vec<String> = tree
        .files
        .keys()
        .filter(|path| path.to_lowercase().contains("kustomization"))
        .cloned()
        .collect();
    let Some(file) = dice.one(&kustomizations).cloned() else {
        return;
    };
    let add = |text: &'static str| move |old: &str| format!("{}\n{text}\n", old.trim_end());
    let mention = match dice.below(16) {
        0 => {
            replace(tree, &file, |old| {
                old.replace("\nresources:\n", "\nresources:\n- missing-file.yaml\n")
            });
            "missing-file.yaml"
        }
        1 => {
            replace(tree, &file, add("noSuchField: 1"));
            "noSuchField"
        }
        2 => {
            replace(tree, &file, add("namePrefix: [a]"));
            "namePrefix"
        }
        3 => {
            replace(
                tree,
                &file,
                add("configMapGenerator:\n- name: bad-gen\n  files: [missing-data.txt]"),
            );
            "missing-data.txt"
        }
        4 => {
            replace(tree, &file, add("secretGenerator:\n- literals: [a=b]"));
            "name"
        }
        5 => {
            replace(tree, &file, add("patches:\n- path: missing-patch.yaml"));
            "missing-patch.yaml"
        }
        6 => {
            replace(
                tree,
                &file,
                add(
                    "patches:\n- patch: |\n    apiVersion: v1\n    kind: ConfigMap\n    metadata: {name: absent-object}\n",
                ),
            );
            "absent-object"
        }
        7 => {
            replace(tree, &file, add("components: [missing-component]"));
            "missing-component"
        }
        8 => {
            replace(tree, &file, add("transformers: [missing-transformer.yaml]"));
            "missing-transformer.yaml"
        }
        9 => {
            replace(tree, &file, add("crds: [missing-crd.json]"));
            "missing-crd.json"
        }
        10 => {
            replace(tree, &file, add("configurations: [missing-config.yaml]"));
            "missing-config.yaml"
        }
        11 => {
            replace(tree, &file, add("resources: [\".\"]"));
            "cycle"
        }
        12 => {
            replace(
                tree,
                &file,
                add(
                    "replacements:\n- source: {kind: Absent, name: absent-source}\n  targets: [{select: {kind: x}, fieldPaths: [a]}]",
                ),
            );
            "absent-source"
        }
        13 => {
            let others: Vec<String> = tree
                .files
                .keys()
                .filter(|path| !kustomizations.contains(path))
                .cloned()
                .collect();
            if let Some(other) = dice.one(&others).cloned() {
                replace(tree, &other, |old| format!("{old}\n  bad: [unclosed\n"));
            }
            ""
        }
        14 => {
            let others: Vec<String> = tree
                .files
                .keys()
                .filter(|path| !kustomizations.contains(path))
                .cloned()
                .collect();
            if let Some(other) = dice.one(&others).cloned() {
                tree.files.remove(&other);
            }
            ""
        }
        _ => {
            let others: Vec<String> = tree.files.keys().cloned().collect();
            if let Some(other) = dice.one(&others).cloned() {
                cut(dice, tree, &other);
            }
            ""
        }
    };
    if !mention.is_empty() {
        tree.mention = Some(mention.to_owned());
    }
}

/// Drops, doubles or swaps a line.
fn cut(dice: &mut Dice, tree: &mut Tree, path: &str) {
    let (at, how) = (dice.below(40), dice.below(4));
    replace(tree, path, |old| {
        let mut lines: Vec<&str> = old.split('\n').collect();
        let at = at % lines.len();
        match how {
            0 => {
                lines.remove(at);
            }
            1 => {
                let line = lines.get(at).copied().unwrap_or_default();
                lines.insert(at, line);
            }
            2 => {
                let other = (at + 1) % lines.len();
                lines.swap(at, other);
            }
            _ => {
                if let Some(line) = lines.get_mut(at) {
                    *line = line.strip_prefix(' ').unwrap_or(line);
                }
            }
        }
        lines.join("\n")
    });
}
