//! `weir sign`.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::json;
use weir_oci::Reference;
use weir_trust::{SignOptions, sign};
use weir_verify::{Layout, Target};

use crate::global::Context;
use crate::output::{self, Shape};
use crate::remote::{Remote, read_reference};
use crate::{CommandError, Exit, Kind, keys, run::Result};

const EXAMPLES: &str = "\
Examples:
  COSIGN_PASSWORD=... weir sign oci://ghcr.io/org/apps@sha256:DIGEST --key cosign.key
  weir sign oci://ghcr.io/org/apps:latest --key env://SIGNING_KEY --password-stdin < password
  weir sign oci://ghcr.io/org/apps@sha256:DIGEST --key k8s://flux-system/cosign --legacy";

/// Sign an artifact with a key, as cosign does
///
/// The signature is stored beside the artifact, where weir, Flux and cosign find it. A tag is resolved first, and
/// what it points to at that moment is signed: name the digest wherever you know it. Prints what was signed.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Sign {
    /// The artifact: oci://HOST/REPOSITORY[:TAG][@DIGEST]
    #[arg(value_name = "REFERENCE", value_parser = read_reference)]
    reference: Reference,
    /// Private key: a file, env://VARIABLE, or k8s://NAMESPACE/SECRET
    #[arg(long, value_name = "KEY")]
    key: String,
    /// Read the key's password from the first line of standard input [default: `$COSIGN_PASSWORD`]
    #[arg(long)]
    password_stdin: bool,
    /// Store it the way cosign did before version 3, under a tag `sha256-….sig`
    #[arg(long)]
    legacy: bool,
    /// Remark to sign along; with `--legacy` only; may be repeated
    #[arg(short, long, value_name = "KEY=VALUE", requires = "legacy", value_parser = read_annotation)]
    annotations: Vec<(String, String)>,
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t, value_name = "FORM")]
    output: Shape,
    #[command(flatten)]
    remote: Remote,
}

fn read_annotation(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

impl Sign {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        let key = keys::private(cx, &self.key, self.password_stdin).await?;
        let repository = self.reference.repository();
        let client = self.remote.client(cx, repository)?;
        let digest = cx
            .in_time("resolving the artifact", async {
                Ok(client.resolve(&self.reference).await?.digest)
            })
            .await?;
        if self.reference.digest().is_none() {
            cx.io.talk(&format!(
                "{} is {digest} now; a tag can move, so name the digest where you know it",
                self.reference
            ));
        }
        let layout = if self.legacy {
            Layout::Legacy
        } else {
            Layout::Bundle
        };
        let mut options = SignOptions::at(cx.io.now()).in_layout(layout);
        options.annotations = self.annotations.into_iter().collect::<BTreeMap<_, _>>();
        let target = Target::new(repository.clone(), digest);
        let work = async {
            // On the heap: it is large, and this function's own future would hold it.
            Box::pin(sign(&client, &target, &key, &options))
                .await
                .map_err(|error| {
                    CommandError::caused(
                        Kind::Outside,
                        format!("cannot sign {repository}@{digest}"),
                        &error,
                    )
                })
        };
        let stored = cx.in_time("signing", work).await?;
        let fingerprint = key.public_key().fingerprint().to_string();
        match self.output {
            Shape::Text => {
                cx.io.talk(&format!(
                    "signed by key {fingerprint}; {} {}",
                    stored.layout, stored.manifest
                ));
                cx.io.line(&format!("oci://{repository}@{digest}"))?;
            }
            Shape::Json | Shape::Yaml => {
                let value = json!({
                    "repository": repository.to_string(),
                    "digest": digest.to_string(),
                    "layout": stored.layout.to_string(),
                    "signature": stored.manifest.to_string(),
                    "key": fingerprint,
                });
                output::print_value(cx.io, &value, self.output == Shape::Yaml)?;
            }
        }
        Ok(Exit::Success)
    }
}
