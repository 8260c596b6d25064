//! Helm's own tables of taking manifests apart and putting them in order.

use serde_json::Value;
use weir_helm::{Order, sort, split};

use crate::support::{at, tables};

fn text<'v>(value: &'v Value, path: &str) -> &'v str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

/// Names in the order of their kinds.
fn ordered(rows: &[Value], order: Order) -> String {
    let mut rows: Vec<&Value> = rows.iter().collect();
    order.sort(&mut rows, |row| text(row, "/Head/Kind"));
    rows.iter().map(|row| text(row, "/Name")).collect()
}

#[test]
fn helms_tables_of_manifests() {
    let Some(tables) = tables("helm-releaseutil.json") else {
        return;
    };
    let mut count = 0;
    let all = at(&tables, "kind_sorter_test.go:27");
    count += all.len();
    for (place, is_hooks) in [
        ("kind_sorter_test.go:186", false),
        ("kind_sorter_test.go:319", true),
    ] {
        for row in at(&tables, place) {
            let order = if text(row, "/description") == "install" {
                Order::Install
            } else {
                Order::Uninstall
            };
            let kinds: Vec<&str> = row["order"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(Value::as_str)
                .collect();
            assert_eq!(order.kinds(), kinds);
            if is_hooks {
                let mut hooks = [
                    ("i", "ClusterRole"),
                    ("j", "ClusterRoleBinding"),
                    ("c", "LimitRange"),
                    ("a", "Namespace"),
                ];
                order.sort(&mut hooks, |(_, kind)| kind);
                assert_eq!(hooks.map(|(name, _)| name).concat(), text(row, "/expected"));
            } else {
                assert_eq!(ordered(all, order), text(row, "/expected"));
            }
            count += 1;
        }
    }
    let kept = at(&tables, "kind_sorter_test.go:218");
    // Kinds that are not known come last, and what is of one kind stays as it was.
    assert_eq!(ordered(kept, Order::Install), "01aAz!u2u1t3");
    count += kept.len();
    for place in ["kind_sorter_test.go:287", "kind_sorter_test.go:290"] {
        let rows = at(&tables, place);
        assert_eq!(ordered(rows, Order::Install), "ba");
        count += rows.len();
    }
    count += sorted(at(&tables, "manifest_sorter_test.go:30"));
    for row in at(&tables, "manifest_test.go:25") {
        let expected = row["expected"].as_object().unwrap();
        let found = split(text(row, "/input"));
        assert_eq!(found.len(), expected.len(), "{row}");
        for (number, document) in found.iter().enumerate() {
            assert_eq!(expected[&format!("manifest-{number}")], *document, "{row}");
        }
        count += 1;
    }
    assert_eq!(count, 85);
}

/// Files with hooks and objects: which of them are hooks, for what.
fn sorted(rows: &[Value]) -> usize {
    let files: Vec<(&str, &str)> = rows
        .iter()
        .map(|row| (text(row, "/path"), text(row, "/manifest")))
        .collect();
    let sorted = sort(files, Order::Install).unwrap();
    for row in rows {
        let names = row["name"].as_array().unwrap();
        let kinds = row["kind"].as_array().unwrap();
        for (name, kind) in names.iter().zip(kinds) {
            let name = name.as_str().unwrap();
            let path = text(row, "/path");
            let hook = sorted
                .hooks
                .iter()
                .find(|hook| hook.path == path && hook.name == name);
            let wanted = row["hooks"].get(name).and_then(Value::as_array);
            let manifest = sorted
                .manifests
                .iter()
                .find(|one| one.name == path && one.head.name == name);
            match (wanted, hook) {
                (Some(events), Some(hook)) => {
                    assert_eq!(hook.kind, kind.as_str().unwrap());
                    assert!(manifest.is_none());
                    let events: Vec<String> = events
                        .iter()
                        .map(|event| {
                            text(event, "/$const")
                                .trim_start_matches("release.Hook")
                                .to_lowercase()
                        })
                        .collect();
                    let found: Vec<String> = hook
                        .events
                        .iter()
                        .map(|event| event.as_str().replace('-', ""))
                        .collect();
                    assert_eq!(found, events, "{row}");
                }
                (None, None) => {}
                (wanted, hook) => panic!("{row}: {wanted:?}, {hook:?}"),
            }
        }
    }
    rows.len()
}

#[test]
fn bad_documents_are_named() {
    let error = sort([("app/templates/a.yaml", "a: b\n---\nkind: [\n")], Order::Install).unwrap_err();
    assert_eq!((error.path.as_str(), error.document), ("app/templates/a.yaml", 1));
    assert!(
        error.to_string().starts_with(
            "YAML parse error on app/templates/a.yaml: error converting YAML to JSON: yaml: line "
        )
    );
}
