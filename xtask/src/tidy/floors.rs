//! A crate depends on lower floors only, lower floors know no I/O, and some crates are banned everywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Folder below `crates/` and its floor. Stand-ins lie between ports and controllers.
const FLOORS: &[(&str, u8)] = &[
    ("values", 0),
    ("engines", 10),
    ("ports", 20),
    ("standins", 25),
    ("controllers", 30),
    ("faces", 40),
];

/// Edges within a floor that are meant (ARCHITECTURE.md says why).
const WITHIN: &[(&str, &str)] = &[
    ("weir-apis", "weir-redact"),
    ("weir-oci", "weir-semver"),
    ("weir-oci", "weir-re2"),
    ("weir-gotmpl", "weir-yaml"),
    ("weir-gotmpl", "weir-semver"),
    ("weir-gotmpl", "weir-re2"),
    ("weir-trust", "weir-registry"),
    ("weir-store", "weir-registry"),
    ("weir-releases", "weir-cluster"),
    ("weir-charts", "weir-registry"),
    ("weir-charts", "weir-store"),
    ("weir-source", "weir-runtime"),
    ("weir-kustomization", "weir-runtime"),
    ("weir-helmrelease", "weir-runtime"),
    ("weir-cli", "weir-house"),
    ("weir", "weir-cli"),
];

/// Not below floor 2: what does I/O or brings a runtime.
const NO_IO: &[&str] = &[
    "tokio",
    "kube",
    "kube-client",
    "reqwest",
    "hyper",
    "axum",
    "tower",
];

/// Nowhere in the graph that is built: a second crypto provider, C libraries, unsound or abandoned crates.
const BANNED: &[&str] = &[
    "ring",
    "openssl",
    "openssl-sys",
    "native-tls",
    "serde_yaml",
    "tokio-tar",
    "go-parse-duration",
];

pub(super) fn check(root: &Path) -> Result<Vec<String>> {
    let metadata = metadata(root)?;
    let mut problems = Vec::new();
    let mut floors: BTreeMap<String, u8> = BTreeMap::new();
    let members: BTreeSet<&str> = metadata["workspace_members"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let packages: Vec<&Value> = metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|p| p["id"].as_str().is_some_and(|id| members.contains(id)))
        .collect();
    for package in &packages {
        let name = text(&package["name"]);
        let manifest = text(&package["manifest_path"]);
        if let Some(floor) = FLOORS
            .iter()
            .find(|(folder, _)| manifest.contains(&format!("/crates/{folder}/")))
        {
            floors.insert(name.to_owned(), floor.1);
        }
        if text(&package["license"]) != "Apache-2.0" {
            problems.push(format!("{name}: its licence must be Apache-2.0"));
        }
    }
    for package in &packages {
        let name = text(&package["name"]);
        let Some(floor) = floors.get(name) else { continue };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            // Tests may reach for anything.
            if dependency["kind"].as_str() == Some("dev") {
                continue;
            }
            let target = text(&dependency["name"]);
            match floors.get(target) {
                Some(other) if other > floor => {
                    problems.push(format!("{name} depends on {target}, which is on a higher floor"));
                }
                Some(other) if other == floor && !WITHIN.contains(&(name, target)) => {
                    problems.push(format!("{name} depends on {target} of its own floor; add the edge to ARCHITECTURE.md and to tidy, or move code"));
                }
                _ => {}
            }
            if *floor < 20 && NO_IO.contains(&target) {
                problems.push(format!(
                    "{name} is on a floor without I/O, but depends on {target}"
                ));
            }
        }
    }
    problems.extend(banned(root)?);
    Ok(problems)
}

/// The lock file names optional crates that nobody builds, so the question is asked of the resolved graph.
fn banned(root: &Path) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    let output = cargo(
        root,
        &[
            "tree",
            "--workspace",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ],
    )?;
    let built: BTreeSet<&str> = output.lines().filter_map(|line| line.split(' ').next()).collect();
    for name in BANNED {
        if built.contains(name) {
            problems.push(format!(
                "the banned crate {name} is in the graph (`cargo tree -i {name}` says why)"
            ));
        }
    }
    Ok(problems)
}

fn metadata(root: &Path) -> Result<Value> {
    let text = cargo(root, &["metadata", "--format-version", "1", "--no-deps"])?;
    serde_json::from_str(&text).context("cannot read the answer of cargo metadata")
}

fn cargo(root: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .current_dir(root)
        .args(arguments)
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        bail!(
            "cargo {} failed: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
