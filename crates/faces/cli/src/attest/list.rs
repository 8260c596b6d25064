//! `weir attest list`.

use clap::Args;
use serde_json::{Value, json};
use weir_oci::Reference;
use weir_verify::{PredicateType, Target};

use super::{Claim, claims, fetch};
use crate::global::Context;
use crate::output::{self, Format};
use crate::remote::{Remote, read_reference};
use crate::table::Table;
use crate::{Exit, run::Result};

const EXAMPLES: &str = "\
Examples:
  weir attest list oci://ghcr.io/org/apps:latest
  weir attest list oci://ghcr.io/org/apps@sha256:DIGEST -o json | jq -r '.[].predicateType'";

/// List what is stated about an artifact; nothing of it is verified
///
/// Whoever can push can store an attestation: `weir verify --type` says which ones count. Signatures that are bundles
/// are statements, too, and are listed as such.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct List {
    /// The artifact: oci://HOST/REPOSITORY[:TAG][@DIGEST]
    #[arg(value_name = "REFERENCE", value_parser = read_reference)]
    reference: Reference,
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t, value_name = "FORM")]
    output: Format,
    #[command(flatten)]
    remote: Remote,
}

impl List {
    pub(super) async fn run(self, cx: &mut Context<'_>) -> Result {
        let client = self.remote.client(cx, self.reference.repository())?;
        let work = fetch(&client, &self.reference);
        let (target, found) = cx.in_time("fetching the attestations", work).await?;
        let claims = claims(&found);
        match self.output {
            Format::Table if claims.is_empty() => cx.io.talk(&format!("nothing is stated about {target}")),
            Format::Table => {
                let mut table = Table::new(&["TYPE", "ABOUT", "LAYOUT", "DIGEST"]);
                for claim in &claims {
                    table.row(row(claim, &target));
                }
                cx.io.print(&table.render())?;
            }
            Format::Name => {
                for claim in &claims {
                    cx.io.line(&claim.source.to_string())?;
                }
            }
            Format::Json | Format::Yaml => {
                let list = claims.iter().map(|claim| data(claim, &target)).collect();
                output::print_value(cx.io, &Value::Array(list), self.output == Format::Yaml)?;
            }
        }
        Ok(Exit::Success)
    }
}

fn row(claim: &Claim<'_>, target: &Target) -> Vec<String> {
    let (kind, about) = match &claim.statement {
        Ok(statement) => {
            let uri = &statement.predicate_type;
            let kind = PredicateType::short_name(uri).map_or_else(|| uri.clone(), str::to_owned);
            let about = if statement.is_about(target.digest()) {
                "this artifact"
            } else {
                "something else"
            };
            (kind, about.to_owned())
        }
        Err(why) => ("-".to_owned(), format!("unreadable: {why}")),
    };
    vec![kind, about, claim.layout.to_string(), claim.source.to_string()]
}

fn data(claim: &Claim<'_>, target: &Target) -> Value {
    let mut value = json!({
        "layout": claim.layout.to_string(),
        "source": claim.source.to_string(),
    });
    match &claim.statement {
        Ok(statement) => {
            value["predicateType"] = json!(statement.predicate_type);
            value["subject"] = json!(statement.subject);
            value["isAboutArtifact"] = json!(statement.is_about(target.digest()));
        }
        Err(why) => value["unreadable"] = json!(why.to_string()),
    }
    value
}
