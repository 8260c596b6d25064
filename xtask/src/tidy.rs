//! The repository's own rules, checked from `cargo metadata` and the files themselves.

mod docs;
mod floors;

use anyhow::{Result, bail};

/// Prints every broken rule and fails if there is one.
pub(crate) fn run() -> Result<()> {
    let root = crate::root()?;
    let mut problems = floors::check(&root)?;
    problems.extend(docs::check(&root)?);
    for problem in &problems {
        println!("tidy: {problem}");
    }
    if problems.is_empty() {
        println!("tidy: all rules hold");
        Ok(())
    } else {
        bail!("{} rules are broken", problems.len())
    }
}
