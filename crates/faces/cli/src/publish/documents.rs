//! What is stated about an artifact when it is published.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;
use weir_verify::PredicateType;

use crate::attest::{document, read_type};
use crate::global::Context;
use crate::{CommandError, run::Result};

/// Options that name documents.
#[derive(Debug, Args)]
pub(super) struct DocumentArgs {
    /// SLSA provenance v1 to attest; may be repeated
    #[arg(long, value_name = "FILE")]
    provenance: Vec<PathBuf>,
    /// SBOM to attest, SPDX or CycloneDX, as JSON; may be repeated
    #[arg(long, value_name = "FILE")]
    sbom: Vec<PathBuf>,
    /// OpenVEX document to attest; may be repeated
    #[arg(long, value_name = "FILE")]
    vex: Vec<PathBuf>,
}

/// A document, read and checked.
pub(super) struct Document {
    pub(super) kind: PredicateType,
    pub(super) predicate: Value,
}

impl DocumentArgs {
    pub(super) fn read(&self, cx: &mut Context<'_>) -> Result<Vec<Document>> {
        let mut all = Vec::new();
        for (paths, name) in [
            (&self.provenance, Some("slsaprovenance1")),
            (&self.sbom, None),
            (&self.vex, Some("openvex")),
        ] {
            for path in paths {
                let name = match name {
                    Some(name) => name,
                    None => sbom_type(path)?,
                };
                let kind = read_type(name).map_err(CommandError::usage)?;
                let predicate = document(cx, &kind, path)?;
                all.push(Document { kind, predicate });
            }
        }
        Ok(all)
    }
}

/// Which of the two an SBOM says it is.
fn sbom_type(path: &Path) -> Result<&'static str> {
    let content = std::fs::read(path).map_err(|error| CommandError::file("read the SBOM", path, &error))?;
    let is_cyclonedx =
        serde_json::from_slice::<Value>(&content).is_ok_and(|value| value.get("bomFormat").is_some());
    Ok(if is_cyclonedx { "cyclonedx" } else { "spdxjson" })
}
