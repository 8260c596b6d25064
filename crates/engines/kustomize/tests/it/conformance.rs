//! kustomize's own cases.

use std::path::Path;

use serde_json::Value;
use weir_kustomize::{LoadRestrictions, MemoryFiles, Options, Reorder, build, build_with_charts};

use crate::charts::Renderer;
use crate::support::{add, shared};
use weir_conformance::judge;

#[test]
fn kustomize_cases_are_met_or_listed() {
    let Some(root) = shared("WEIR_CONFORMANCE", "conformance") else {
        return;
    };
    let root = root.join("kustomize");
    let index: Vec<Value> =
        serde_json::from_str(&std::fs::read_to_string(root.join("index.json")).unwrap()).unwrap();
    let outcomes = index
        .iter()
        .map(|case| {
            let (area, id) = (case["area"].as_str().unwrap(), case["id"].as_str().unwrap());
            let name = format!("{area}/{id}");
            let outcome = run(&root.join(&name));
            (name, outcome)
        })
        .collect();
    judge("kustomize", outcomes);
}

fn run(folder: &Path) -> Result<(), String> {
    let case: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("case.json")).unwrap()).unwrap();
    // The stand-in for the absolute path of the case's folder.
    let root = if case.to_string().contains("/@@ROOT@@") {
        "/@@ROOT@@"
    } else {
        ""
    };
    let mut files = MemoryFiles::new();
    add(&mut files, &folder.join("files"), root);
    let option = |name: &str| case["options"].get(name);
    let options = Options {
        load_restrictions: match option("LoadRestrictions").and_then(Value::as_str) {
            Some(text) if text.ends_with("LoadRestrictionsNone") => LoadRestrictions::None,
            _ => LoadRestrictions::RootOnly,
        },
        reorder: match option("Reorder").and_then(Value::as_str) {
            Some(text) if text.to_lowercase().ends_with("legacy") => Reorder::Legacy,
            Some(text) if text.to_lowercase().ends_with("unspecified") => Reorder::Legacy,
            _ => Reorder::None,
        },
        add_managed_by_label: option("AddManagedbyLabel").and_then(Value::as_bool) == Some(true),
    };
    let directory = format!("{root}/{}", case["path"].as_str().unwrap());
    let result = if option("PluginConfig.HelmConfig.Enabled").and_then(Value::as_bool) == Some(true) {
        build_with_charts(&files, &directory, &options, &Renderer)
    } else {
        build(&files, &directory, &options)
    };
    let expected = || std::fs::read_to_string(folder.join("expected.yaml")).unwrap();
    match (case["status"].as_str().unwrap(), result) {
        ("error", Ok(_)) => Err("built, but must fail".into()),
        ("error", Err(error)) => check_message(&case, &error.chain()),
        (_, Err(error)) => Err(format!("failed: {}", error.chain())),
        ("success", Ok(_)) => Ok(()),
        ("partial", Ok(resources)) if resources.to_yaml().contains(&expected()) => Ok(()),
        ("yaml", Ok(resources)) if resources.to_yaml() == expected() => Ok(()),
        (_, Ok(resources)) => {
            if let Some(keep) = std::env::var_os("WEIR_KEEP") {
                let name = folder.file_name().unwrap().to_str().unwrap();
                std::fs::write(Path::new(&keep).join(name), resources.to_yaml()).unwrap();
            }
            Err("output differs".into())
        }
    }
}

/// Whether a message holds what a user would search for.
fn check_message(case: &Value, message: &str) -> Result<(), String> {
    let texts = |key: &str| -> Vec<String> {
        match &case[key] {
            Value::String(text) => vec![text.clone()],
            Value::Array(items) => items
                .iter()
                .map(|item| item.as_str().unwrap().to_owned())
                .collect(),
            _ => Vec::new(),
        }
    };
    // Paths are rooted here; a case may give one relative to the file system's root.
    let unrooted = message.replace("'/", "'");
    let contains = |text: &String| message.contains(text.trim()) || unrooted.contains(text.trim());
    let all = texts("err_contains")
        .iter()
        .chain(&texts("err_equals"))
        .all(contains);
    let any = texts("err_any");
    let patterns = texts("err_regex");
    let matched = patterns
        .iter()
        .all(|pattern| weir_re2::Pattern::new(pattern).unwrap().is_match(message));
    if all && matched && (any.is_empty() || any.iter().any(contains)) {
        return Ok(());
    }
    Err(format!("message lacks what is expected: {message}"))
}
