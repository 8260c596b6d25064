//! Files that are made from the code: the CustomResourceDefinitions and what `weir install` applies in `deploy/`, and the
//! list of security cases with their tests.

mod security;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

/// The image that the manifests name.
const IMAGE: &str = concat!("ghcr.io/weir-dev/weir:v", env!("CARGO_PKG_VERSION"));

/// Writes the generated files, or with `check` fails if one differs from what is on disk.
pub(crate) fn run(check: bool) -> Result<()> {
    let root = crate::root()?;
    let mut files = Vec::new();
    for definition in weir_apis::crd::all() {
        let name = definition
            .pointer("/metadata/name")
            .and_then(|n| n.as_str())
            .context("a CRD without a name")?
            .to_owned();
        files.push((
            format!("deploy/crds/{name}.yaml"),
            weir_yaml::emit::sigs_stream([&definition]),
        ));
    }
    files.push(("deploy/install.yaml".to_owned(), install(&root)?));
    files.push(("docs/security-cases.md".to_owned(), security::page(&root)?));
    let mut outdated = Vec::new();
    for (name, text) in files {
        let path = root.join(&name);
        if fs::read_to_string(&path).ok().as_deref() == Some(&text) {
            continue;
        }
        if check {
            outdated.push(name);
            continue;
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, text).with_context(|| format!("cannot write {name}"))?;
        println!("wrote {name}");
    }
    if !outdated.is_empty() {
        bail!("out of date, run `cargo xtask codegen`: {}", outdated.join(", "));
    }
    Ok(())
}

/// What `weir install --export` prints. The command is run, because these tasks must not wait until all of weir is
/// compiled.
fn install(root: &Path) -> Result<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "run",
            "--quiet",
            "--package",
            "weir",
            "--",
            "install",
            "--export",
            "--image",
            IMAGE,
        ])
        .current_dir(root)
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    ensure!(output.status.success(), "`weir install --export` failed");
    Ok(String::from_utf8(output.stdout)?)
}
