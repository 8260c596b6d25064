//! Files in `deploy/` that are made from the code: the CustomResourceDefinitions.

use std::fs;

use anyhow::{Context, Result, bail};

/// Writes the generated files, or with `check` fails if one differs from what is on disk.
pub(crate) fn run(check: bool) -> Result<()> {
    let root = crate::root()?;
    let mut outdated = Vec::new();
    for definition in weir_apis::crd::all() {
        let name = definition
            .pointer("/metadata/name")
            .and_then(|n| n.as_str())
            .context("a CRD without a name")?;
        let path = root.join("deploy/crds").join(format!("{name}.json"));
        let text = format!("{}\n", serde_json::to_string_pretty(&definition)?);
        if fs::read_to_string(&path).ok().as_deref() == Some(&text) {
            continue;
        }
        if check {
            outdated.push(path.display().to_string());
        } else {
            fs::create_dir_all(root.join("deploy/crds"))?;
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
            println!("wrote {}", path.display());
        }
    }
    if !outdated.is_empty() {
        bail!("out of date, run `cargo xtask codegen`: {}", outdated.join(", "));
    }
    Ok(())
}
