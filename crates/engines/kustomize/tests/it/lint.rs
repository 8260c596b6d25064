//! Findings: `tests/lint/CASE/{case.json,files/,expected.txt}`. `UPDATE=1` rewrites what is expected.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;
use weir_kustomize::lint::{Change, Finding, LintOptions, Report, Severity, fix, lint};
use weir_kustomize::{Files, LoadRestrictions, MemoryFiles, Options, build, build_with_charts};

use crate::charts::Renderer;
use crate::support::{add, shared, tree, workspace};

/// Looks at a directory of a tree in which nothing is ignored.
fn found(files: &dyn Files, directory: &str, build: &Options) -> Report {
    let options = LintOptions {
        build,
        charts: Some(&Renderer),
        is_ignored: &|_, _| false,
    };
    lint(files, directory, &options).unwrap()
}

fn show(finding: &Finding) -> String {
    let mut out = format!(
        "{}[{}] {}:{}:{} {}\n  because: {}\n",
        finding.severity.name(),
        finding.code,
        finding.file,
        finding.line,
        finding.column,
        finding.message,
        finding.why
    );
    if let Some(help) = &finding.help {
        writeln!(out, "  try: {help}").unwrap();
    }
    if let Some(Change { before, after }) = &finding.change {
        let lines = |text: &str, mark: &str| -> String {
            {
                let lines: Vec<String> = text.lines().map(|line| format!("  {mark}{line}\n")).collect();
                lines.concat()
            }
        };
        out.push_str(&lines(before, "-"));
        out.push_str(&lines(after, "+"));
    }
    out
}

#[test]
fn cases_have_the_findings_that_are_expected() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lint");
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(root).unwrap() {
        let case = entry.unwrap().path();
        if !case.is_dir() {
            continue;
        }
        count += 1;
        let settings = std::fs::read_to_string(case.join("case.json")).unwrap();
        let settings: Value = serde_json::from_str(&settings).unwrap();
        let directory = format!("/{}", settings["path"].as_str().unwrap());
        let report = found(&tree(&case.join("files"), ""), &directory, &Options::default());
        let text: String = report.findings.iter().map(show).collect();
        let expected = case.join("expected.txt");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&expected, &text).unwrap();
        }
        if std::fs::read_to_string(&expected).unwrap() != text {
            wrong.push(format!("{}:\n{text}", case.display()));
        }
    }
    assert!(count > 5);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The cases that kustomize's own tests are: name, tree, directory, options.
fn conformance() -> Vec<(String, MemoryFiles, String, Options)> {
    let Some(root) = shared("WEIR_CONFORMANCE", "conformance") else {
        return Vec::new();
    };
    let root = root.join("kustomize");
    let index: Vec<Value> =
        serde_json::from_str(&std::fs::read_to_string(root.join("index.json")).unwrap()).unwrap();
    index
        .iter()
        .map(|case| {
            let name = format!(
                "{}/{}",
                case["area"].as_str().unwrap(),
                case["id"].as_str().unwrap()
            );
            let mut files = MemoryFiles::new();
            add(&mut files, &root.join(&name).join("files"), "");
            let any_file = case["options"]["LoadRestrictions"]
                .as_str()
                .is_some_and(|text| text.ends_with("LoadRestrictionsNone"));
            let options = Options {
                load_restrictions: if any_file {
                    LoadRestrictions::None
                } else {
                    LoadRestrictions::RootOnly
                },
                ..Options::default()
            };
            (
                name,
                files,
                format!("/{}", case["path"].as_str().unwrap()),
                options,
            )
        })
        .collect()
}

#[test]
fn deprecated_fields_are_edited_so_that_builds_stay_the_same() {
    let (mut trees, mut fields, mut left) = (0, 0, Vec::new());
    for (name, files, directory, build) in conformance() {
        let options = LintOptions {
            build: &build,
            charts: Some(&Renderer),
            is_ignored: &|_, _| false,
        };
        let Ok(before) = build_with_charts(&files, &directory, &build, &Renderer) else {
            continue;
        };
        let fixed = fix(&files, &directory, &options).unwrap();
        left.extend(
            fixed
                .left
                .iter()
                .map(|(path, field, why)| format!("{name}{path}: {field}: {why}")),
        );
        if fixed.fixed.is_empty() {
            continue;
        }
        trees += 1;
        fields += fixed.fixed.len();
        let mut edited = files.clone();
        for (path, text) in &fixed.files {
            edited.insert(path, text.as_str());
        }
        let after = build_with_charts(&edited, &directory, &build, &Renderer).unwrap();
        assert_eq!(after.to_yaml(), before.to_yaml(), "{name}");
        // What was edited is not found again, and a second edit finds nothing to do.
        let again = fix(&edited, &directory, &options).unwrap();
        assert_eq!((again.fixed, again.left), (Vec::new(), fixed.left), "{name}");
        assert_comments_stay(
            &files,
            &edited,
            &fixed.files.keys().map(String::as_str).collect::<Vec<_>>(),
        );
    }
    eprintln!(
        "edited {fields} deprecated fields in {trees} trees; left {}:",
        left.len()
    );
    for line in &left {
        eprintln!("  {line}");
    }
    assert!(
        trees == 0 || trees > 40,
        "the data is there, so there must be much to edit: {trees}"
    );
}

/// Every comment of the old texts stands in the new ones.
fn assert_comments_stay(old: &MemoryFiles, new: &MemoryFiles, paths: &[&str]) {
    let comments = |files: &MemoryFiles, path: &str| -> Vec<String> {
        let bytes = files.read(path).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let mut comments: Vec<String> = text
            .lines()
            .filter_map(|line| {
                Some(
                    line.trim_start()
                        .starts_with('#')
                        .then(|| line.trim())?
                        .to_owned(),
                )
            })
            .collect();
        comments.sort();
        comments
    };
    for path in paths {
        assert_eq!(comments(old, path), comments(new, path), "{path}");
    }
}

#[test]
fn trees_that_are_right_have_no_errors() {
    // What kustomize's own tests build may be outdated or idle, but nothing in it stops a build.
    for (name, files, directory, build) in conformance() {
        let Ok(_) = build_with_charts(&files, &directory, &build, &Renderer) else {
            continue;
        };
        let report = found(&files, &directory, &build);
        let errors: Vec<String> = report
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .map(show)
            .collect();
        assert!(errors.is_empty(), "{name}:\n{}", errors.join(""));
        if std::env::var_os("WEIR_SHOW").is_some() {
            let all: String = report.findings.iter().map(show).collect();
            eprintln!("== {name}\n{all}");
        }
    }
}

#[test]
fn a_tree_that_cannot_be_built_has_an_error() {
    for (name, files, directory, options) in conformance() {
        let fails = build_with_charts(&files, &directory, &options, &Renderer).is_err();
        let settings = LintOptions {
            build: &options,
            charts: Some(&Renderer),
            is_ignored: &|_, _| false,
        };
        let has_error = match lint(&files, &directory, &settings) {
            Ok(report) => report
                .findings
                .iter()
                .any(|finding| finding.severity == Severity::Error),
            Err(_) => true,
        };
        assert_eq!(has_error, fails, "{name}");
    }
}

#[test]
fn our_examples_and_the_d2_repositories_are_clean() {
    let mut folders = vec![workspace().join("examples")];
    folders.extend(shared("WEIR_D2", "d2").map(|root| root.join("repos")));
    let mut count = 0;
    for folder in folders {
        let files = tree(&folder, "");
        let mut waiting = vec!["/".to_owned()];
        while let Some(directory) = waiting.pop() {
            let entries = files.list(&directory).unwrap();
            let below = |name: &str| format!("{}/{name}", directory.trim_end_matches('/'));
            for entry in &entries {
                match entry.kind {
                    weir_kustomize::FileKind::Directory => waiting.push(below(&entry.name)),
                    weir_kustomize::FileKind::File => {}
                }
            }
            if !entries.iter().any(|entry| entry.name == "kustomization.yaml") {
                continue;
            }
            // A component is no whole; it is looked at with what uses it.
            if build(&files, &directory, &Options::default()).is_err() {
                continue;
            }
            count += 1;
            let report = found(&files, &directory, &Options::default());
            let text: String = report.findings.iter().map(show).collect();
            assert!(
                report.findings.is_empty(),
                "{}{directory}:\n{text}",
                folder.display()
            );
        }
    }
    assert!(count >= 6, "{count}");
}

#[test]
fn n17_a_tree_that_leads_in_a_circle_or_outside_is_looked_at_and_ends() {
    for text in [
        "resources: [..]",
        "resources: [../app]",
        "components: [../app]",
        "resources: [https://example.com/a.yaml, ../../../../etc]",
        "transformers: [../app]",
    ] {
        let files: MemoryFiles = [
            ("/app/kustomization.yaml", "resources: [base]\n"),
            ("/app/base/kustomization.yaml", text),
        ]
        .into_iter()
        .collect();
        let report = found(&files, "/app", &Options::default());
        assert!(
            report
                .findings
                .iter()
                .any(|finding| finding.severity == Severity::Error),
            "{text}: {:?}",
            report.findings
        );
    }
}

/// kustomize v5.8.1 warns of the same fields in the same order.
#[test]
fn a_build_warns_of_deprecated_fields() {
    let files: MemoryFiles = [
        (
            "/app/kustomization.yaml",
            "vars: []\nimageTags: [{name: a, newTag: b}]\npatchesStrategicMerge: []\ncommonLabels: {a: b}\nbases: [base]\n",
        ),
        ("/app/base/kustomization.yaml", "resources: [a.yaml]\n"),
        (
            "/app/base/a.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
        ),
    ]
    .into_iter()
    .collect();
    let built = build(&files, "/app", &Options::default()).unwrap();
    assert_eq!(
        built.warnings(),
        [
            "'bases' is deprecated. Please use 'resources' instead. (/app/kustomization.yaml)",
            "'commonLabels' is deprecated. Please use 'labels' instead. (/app/kustomization.yaml)",
            "'imageTags' is deprecated. Please use 'images' instead. (/app/kustomization.yaml)",
        ]
    );
}
