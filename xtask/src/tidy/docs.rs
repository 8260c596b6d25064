//! Every reason has a page, every path in the guides exists, and no file mentions a machine.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

/// Guides whose `back-ticked/paths` must exist.
const GUIDES: &[&str] = &["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"];
/// Top-level folders; a back-ticked word that starts with one is taken for a path.
const FOLDERS: &[&str] = &["crates/", "docs/", "examples/", "tests/", "xtask/", "deploy/"];

pub(super) fn check(root: &Path) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for reason in weir_apis::reason::ALL {
        let page = format!("docs/reasons/{reason}.md");
        if !root.join(&page).is_file() {
            problems.push(format!("the reason {reason} has no page {page}"));
        }
    }
    for guide in GUIDES {
        let text = fs::read_to_string(root.join(guide)).with_context(|| format!("cannot read {guide}"))?;
        for word in text.split('`').skip(1).step_by(2) {
            let path = word.trim_end_matches('/');
            let is_path =
                FOLDERS.iter().any(|f| word.starts_with(f)) && !word.contains([' ', '*', '<', '…', '{']);
            if is_path && !root.join(path).exists() {
                problems.push(format!("{guide} mentions `{word}`, which does not exist"));
            }
        }
    }
    problems.extend(oversized_and_local(root)?);
    Ok(problems)
}

/// Documents that others have signed: what they call their things is not ours to change.
const SIGNED_BY_OTHERS: &[&str] = &["crates/ports/trust/data/tuf_root.json"];

fn oversized_and_local(root: &Path) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    let output = Command::new("git")
        .current_dir(root)
        .args(["ls-files", "-z"])
        .output()
        .context("cannot run git")?;
    for name in output.stdout.split(|b| *b == 0).filter(|n| !n.is_empty()) {
        let name = String::from_utf8_lossy(name);
        let Ok(bytes) = fs::read(root.join(&*name)) else {
            continue;
        };
        if bytes.len() > 1 << 20 {
            problems.push(format!("{name} is larger than 1 MiB"));
        }
        let text = String::from_utf8_lossy(&bytes);
        // Written in two parts, so that this file does not find itself.
        for local in [
            concat!("/ro", "ot/"),
            concat!("/ho", "me/"),
            concat!("/wo", "rk/"),
        ] {
            if text.contains(local) && !SIGNED_BY_OTHERS.contains(&&*name) {
                problems.push(format!("{name} holds a path of a machine ({local}…)"));
            }
        }
    }
    Ok(problems)
}
