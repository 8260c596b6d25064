//! Making an attestation.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use weir_oci::Reference;
use weir_registry::Client;
use weir_trust::{AttestOptions, attest, find};
use weir_verify::{InvalidPredicate, Layout, PredicateType, Target};

use super::read_type;
use crate::global::Context;
use crate::output::Shape;
use crate::remote::{Remote, read_reference};
use crate::signer::{Done, SignerArgs};
use crate::{CommandError, Exit, Kind, run::Result};

/// The name of standard input where a file is asked for.
const STDIN: &str = "-";

/// Options of making an attestation.
// A group that has flattened ones in it is empty, and so never there, unless it is told its members.
#[derive(Debug, Args)]
#[group(arg = "reference")]
pub(super) struct Make {
    /// The artifact: oci://HOST/REPOSITORY[:TAG][@DIGEST]
    #[arg(value_name = "REFERENCE", value_parser = read_reference)]
    reference: Reference,
    /// What kind of thing is stated: one of cosign's names, below, or a URI
    #[arg(long, value_name = "TYPE", value_parser = read_type)]
    r#type: PredicateType,
    /// The document that is stated, JSON; `-` is standard input
    #[arg(long, value_name = "FILE")]
    predicate: PathBuf,
    /// Afterwards, remove the artifact's other attestations of this type, whoever signed them
    #[arg(long)]
    replace: bool,
    /// Store it the way cosign did before version 3, under a tag `sha256-….att`
    #[arg(long)]
    legacy: bool,
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t, value_name = "FORM")]
    output: Shape,
    #[command(flatten)]
    signer: SignerArgs,
    #[command(flatten)]
    remote: Remote,
}

impl Make {
    pub(super) async fn run(self, cx: &mut Context<'_>) -> Result {
        let predicate = document(cx, &self.r#type, &self.predicate)?;
        let signer = self.signer.read(cx, &self.remote).await?;
        let (client, target) = self.remote.target(cx, &self.reference).await?;
        let mut options = AttestOptions::at(cx.io.now());
        options.replace = self.replace;
        if self.legacy {
            options.layout = Layout::LegacyAttestation;
        }
        let uri = self.r#type.uri();
        let shadows = !self.legacy && is_of_older_layout(&client, &target).await;
        // On the heap: it is large, and this function's own future would hold it.
        let work = Box::pin(attest(
            &client,
            &target,
            signer.as_port(),
            uri,
            predicate,
            &options,
        ));
        let work = async {
            let failed = |error| {
                let failure = format!("cannot attest {uri} about {target}");
                self.signer.explain(failure, &error)
            };
            work.await.map_err(failed)
        };
        let attested = cx.in_time("attesting", work).await?;
        if shadows {
            cx.io.talk(
                "warning: its signatures are of cosign's older layout, which count no more beside this bundle, here, in cosign and in \
                 Flux: sign it once more with `weir sign`, or use `--legacy` for both",
            );
        }
        for one in &attested.replaced {
            cx.io
                .talk(&format!("removed {one}, an earlier attestation of this type"));
        }
        let replaced: Vec<String> = attested.replaced.iter().map(ToString::to_string).collect();
        let evidence = attested.evidence.as_ref();
        // The evidence says what is stated.
        let done = evidence.map_or_else(|| format!("attested {uri}"), |_| "attested".to_owned());
        Done::new("attestation", attested.stored, &signer, evidence)
            .with("predicateType", json!(uri))
            .with("replaced", json!(replaced))
            .print(cx, &target, &done, self.output)?;
        Ok(Exit::Success)
    }
}

/// Whether an artifact has signatures of cosign's older layout and nothing beside that makes them count no more. What cannot be told is
/// no reason not to attest.
async fn is_of_older_layout(client: &Client, target: &Target) -> bool {
    let found = find(client, target).await;
    found.is_ok_and(|set| set.bundles.is_empty() && !set.payloads.is_empty())
}

/// Reads a document that is to be a predicate of this type; `-` is standard input.
pub(crate) fn document(cx: &mut Context<'_>, kind: &PredicateType, path: &Path) -> Result<Value> {
    let (name, document) = if path == Path::new(STDIN) {
        let document = cx
            .io
            .read_stdin()
            .map_err(|error| CommandError::caused(Kind::Outside, "cannot read standard input", &error))?;
        ("standard input".to_owned(), document)
    } else {
        let document =
            std::fs::read(path).map_err(|error| CommandError::file("read the predicate", path, &error))?;
        (path.display().to_string(), document)
    };
    kind.read(&document, cx.io.now())
        .map_err(|error| explain(kind, &name, &document, &error))
}

/// What is wrong with the document, where, and what to try.
fn explain(kind: &PredicateType, name: &str, document: &[u8], error: &InvalidPredicate) -> CommandError {
    let failure = format!("cannot attest {name} as {kind}");
    let mut explained = CommandError::caused(Kind::User, failure, error);
    if let Ok(text) = std::str::from_utf8(document)
        && let Some((line, column)) = place(text, error)
    {
        explained = explained.at(name, line, column, Some(text));
    }
    match error {
        InvalidPredicate::Malformed { .. } if document.starts_with(b"SPDXVersion:") => {
            explained.hint("convert it to JSON; Sigstore's verifiers read no predicates that are text")
        }
        InvalidPredicate::Malformed { .. } => {
            explained.hint("a predicate is JSON; `--type custom` takes any text")
        }
        InvalidPredicate::Field { .. } => explained.hint(
            "give the document alone, with no envelope or statement around it, and the `--type` that it is",
        ),
        _ => explained,
    }
}

/// Where in a document something is wrong: at the field, or at what should have it.
fn place(text: &str, error: &InvalidPredicate) -> Option<(usize, usize)> {
    match error {
        InvalidPredicate::Malformed { line, column, .. } => Some((*line, *column)),
        InvalidPredicate::Field { path, .. } => {
            let mut node = &weir_yaml::parse_one(text).ok()?;
            for name in path {
                let Some(inner) = node.get(name) else { break };
                node = inner;
            }
            let number = |number: u32| usize::try_from(number).ok();
            Some((number(node.span().line)?, number(node.span().column)?))
        }
        _ => None,
    }
}
