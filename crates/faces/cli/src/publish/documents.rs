//! What is stated about an artifact when it is published.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;
use weir_verify::PredicateType;

use crate::attest::document;
use crate::global::Context;
use crate::job::{Materials, NoProvenance, provenance};
use crate::signer::Signer;
use crate::{CommandError, run::Result};

/// Options that name documents.
#[derive(Debug, Args)]
pub(super) struct DocumentArgs {
    /// SLSA provenance v1 to attest; may be repeated [default in GitHub and GitLab: what the job says of itself]
    #[arg(long, value_name = "FILE")]
    provenance: Vec<PathBuf>,
    /// Attest no provenance of the job
    #[arg(long, conflicts_with = "provenance")]
    no_provenance: bool,
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
    /// Whether the job is to say itself where the artifact comes from.
    pub(super) fn is_of_job(&self) -> bool {
        self.provenance.is_empty() && !self.no_provenance
    }

    pub(super) fn read(&self, cx: &mut Context<'_>) -> Result<Vec<Document>> {
        let mut all = Vec::new();
        for (paths, kind) in [
            (&self.provenance, Some(PredicateType::SLSA_PROVENANCE_V1)),
            (&self.sbom, None),
            (&self.vex, Some(PredicateType::OPENVEX)),
        ] {
            for path in paths {
                let kind = match &kind {
                    Some(kind) => kind.clone(),
                    None => sbom_type(path)?,
                };
                let predicate = document(cx, &kind, path)?;
                all.push(Document { kind, predicate });
            }
        }
        Ok(all)
    }
}

/// What the job says of an artifact that it has built. `other` are the source and the revision that the manifest names, where they are
/// not those of the job's checkout.
pub(super) fn of_job(
    cx: &Context<'_>,
    signer: &Signer,
    other: Option<(&str, &str)>,
) -> std::result::Result<Document, NoProvenance> {
    let workflow = match signer {
        Signer::Identity(holder) => holder.token.workflow(),
        Signer::Key(_) => None,
    };
    let materials = Materials {
        other,
        workflow,
        finished: cx.io.now(),
    };
    let kind = PredicateType::SLSA_PROVENANCE_V1;
    provenance(cx.io, &materials).map(|predicate| Document { kind, predicate })
}

/// Which of the two an SBOM says it is.
fn sbom_type(path: &Path) -> Result<PredicateType> {
    let content = std::fs::read(path).map_err(|error| CommandError::file("read the SBOM", path, &error))?;
    let is_cyclonedx =
        serde_json::from_slice::<Value>(&content).is_ok_and(|value| value.get("bomFormat").is_some());
    Ok(if is_cyclonedx {
        PredicateType::CYCLONEDX
    } else {
        PredicateType::SPDX
    })
}
