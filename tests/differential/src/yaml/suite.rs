//! The texts of yaml-test-suite: what is not met there has to be what the Go libraries do.

use std::path::Path;

use anyhow::{Context, Result};
use weir_conformance::yaml_test_suite::visible;
use weir_yaml::parse_one;

/// The suite's texts, and their names.
pub(crate) fn texts(folder: &Path) -> Result<Vec<(String, String)>> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .with_context(|| format!("cannot read {}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    let mut texts = Vec::new();
    for file in files {
        let cases = parse_one(&std::fs::read_to_string(&file)?)
            .with_context(|| format!("cannot read {}", file.display()))?;
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        for (number, case) in cases.items().unwrap_or_default().iter().enumerate() {
            if let Some(text) = case.get("yaml").and_then(|text| text.as_str()) {
                texts.push((format!("{name}-{number}"), visible(text)));
            }
        }
    }
    Ok(texts)
}
