//! `weir attest download`.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use weir_oci::Reference;
use weir_verify::PredicateType;

use super::{Claim, claims, fetch, read_type};
use crate::global::Context;
use crate::output::{self, Shape};
use crate::remote::{Remote, read_reference};
use crate::{CommandError, Exit, run::Result};

const EXAMPLES: &str = "\
Examples:
  weir attest download oci://ghcr.io/org/apps:latest > attestations.jsonl
  weir attest download oci://ghcr.io/org/apps:latest --type slsaprovenance1 --part statement -o yaml
  weir attest download oci://ghcr.io/org/apps:latest --type cyclonedx --part predicate > sbom.json

Exit codes: 0 something was printed, 1 there is no such attestation, 2 wrong usage.";

/// Print what is stated about an artifact; nothing of it is verified
///
/// Prints one JSON document a line, as `cosign download attestation` does: bundles, and envelopes of the older layout.
/// Use `weir verify --type TYPE -o json` to read only what counts.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Download {
    /// The artifact: oci://HOST/REPOSITORY[:TAG][@DIGEST]
    #[arg(value_name = "REFERENCE", value_parser = read_reference)]
    reference: Reference,
    /// Only statements of this type: one of cosign's names, as in `weir attest --help`, or a URI
    #[arg(long, value_name = "TYPE", value_parser = read_type)]
    r#type: Option<PredicateType>,
    /// How much of each one to print
    #[arg(long, value_enum, default_value_t, value_name = "PART")]
    part: Part,
    /// Form of the output: one document a line, or a list
    #[arg(short, long, value_enum, default_value_t, value_name = "FORM")]
    output: Shape,
    #[command(flatten)]
    remote: Remote,
}

/// How much of an attestation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Part {
    /// All, as it is stored
    #[default]
    Bundle,
    /// What was signed
    Statement,
    /// What it says
    Predicate,
}

impl Download {
    pub(super) async fn run(self, cx: &mut Context<'_>) -> Result {
        let client = self.remote.client(cx, self.reference.repository())?;
        let work = fetch(&client, &self.reference);
        let (target, found) = cx.in_time("fetching the attestations", work).await?;
        let documents: Vec<Value> = claims(&found)
            .iter()
            .filter_map(|claim| self.document(claim))
            .collect();
        if documents.is_empty() {
            let of = self
                .r#type
                .as_ref()
                .map_or_else(String::new, |kind| format!(" of type {kind}"));
            return Err(
                CommandError::rejected(format!("there is no attestation{of} of {target}"))
                    .hint("`weir attest list` shows what there is"),
            );
        }
        match self.output {
            Shape::Text => {
                for document in &documents {
                    cx.io.line(&document.to_string())?;
                }
            }
            Shape::Json | Shape::Yaml => {
                output::print_value(cx.io, &Value::Array(documents), self.output == Shape::Yaml)?;
            }
        }
        Ok(Exit::Success)
    }

    /// What to print of an attestation; nothing of one that is not asked for or cannot be read.
    fn document(&self, claim: &Claim<'_>) -> Option<Value> {
        let statement = claim.statement.as_ref().ok();
        if let Some(kind) = &self.r#type
            && statement.is_none_or(|statement| statement.predicate_type != kind.uri())
        {
            return None;
        }
        match self.part {
            Part::Bundle => serde_json::from_slice(claim.content).ok(),
            Part::Statement => Some(json!(statement?)),
            Part::Predicate => Some(statement?.predicate.clone()),
        }
    }
}
