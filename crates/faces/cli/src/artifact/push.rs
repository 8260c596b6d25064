//! `weir artifact push`.

use std::collections::BTreeMap;

use clap::Args;
use jiff::Timestamp;
use serde_json::json;
use weir_oci::{Reference, Tag};
use weir_registry::BlobSource;
use weir_store::flux::{Metadata, PushError, push};

use super::content::Content;
use crate::global::Context;
use crate::output::{self, Shape};
use crate::remote::{Remote, read_reference};
use crate::{CommandError, Exit, Kind, run::Result};

const EXAMPLES: &str = "\
Examples:
  weir artifact push oci://ghcr.io/org/apps:latest --path ./deploy \\
    --source \"$(git config --get remote.origin.url)\" \\
    --revision \"$(git branch --show-current)@sha1:$(git rev-parse HEAD)\"
  weir kustomize build clusters/dev | weir artifact push oci://localhost:5000/dev:latest -p - \\
    --source local --revision local
  weir artifact push oci://ghcr.io/org/apps:v1 -p . --source URL --revision REV \\
    -o json | jq -r .digest";

/// Pack a folder and push it to a registry
///
/// Prints the reference by digest. The artifact is the one that `flux push artifact` makes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Push {
    /// Where to: oci://HOST/REPOSITORY:TAG [default tag: latest]
    #[arg(value_name = "REFERENCE", value_parser = read_reference)]
    reference: Reference,
    #[command(flatten)]
    content: Content,
    /// Where the content comes from, such as the URL of a Git repository
    #[arg(long, value_name = "URL")]
    source: String,
    /// Which revision of it, such as main@sha1:COMMIT
    #[arg(long, value_name = "REVISION")]
    revision: String,
    /// Annotation of the manifest; may be repeated
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = read_annotation)]
    annotations: Vec<(String, String)>,
    /// Leave out the time of the push, so that the same content always gives the same digest
    #[arg(long)]
    reproducible: bool,
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t, value_name = "FORM")]
    output: Shape,
    #[command(flatten)]
    remote: Remote,
}

/// Exactly one `=`, as flux wants it.
pub(crate) fn read_annotation(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && !value.contains('=') => {
            Ok((key.to_owned(), value.to_owned()))
        }
        _ => Err("expected KEY=VALUE with exactly one `=`".to_owned()),
    }
}

impl Push {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        if self.reference.digest().is_some() {
            return Err(CommandError::usage("a digest cannot be pushed to")
                .hint("name a tag: it will point to the new digest"));
        }
        let repository = self.reference.repository().clone();
        let tag = self.reference.tag().cloned().unwrap_or_else(Tag::latest);
        let client = self.remote.client(cx, &repository)?;
        let packed = self.content.pack(cx)?;
        let metadata = Metadata {
            created: if self.reproducible {
                Timestamp::UNIX_EPOCH
            } else {
                cx.io.now()
            },
            source: self.source,
            revision: self.revision,
            annotations: self.annotations.into_iter().collect::<BTreeMap<_, _>>(),
        };
        cx.io
            .talk(&format!("pushing {} to {repository}:{tag}", self.content.name()));
        let archive = BlobSource::Bytes(packed.bytes.clone());
        let work = async {
            push(
                &client,
                &repository,
                Some(&tag),
                archive,
                &packed.summary,
                &metadata,
            )
            .await
            .map_err(|error| match error {
                PushError::Registry(error) => error.into(),
                other => CommandError::of(Kind::Internal, &other),
            })
        };
        let pushed = cx.in_time("pushing the artifact", work).await?;
        let url = format!("oci://{repository}@{}", pushed.digest);
        match self.output {
            Shape::Text => cx.io.line(&url)?,
            Shape::Json | Shape::Yaml => {
                let value = json!({
                    "url": url,
                    "repository": repository.to_string(),
                    "tag": tag.to_string(),
                    "digest": pushed.digest.to_string(),
                });
                output::print_value(cx.io, &value, self.output == Shape::Yaml)?;
            }
        }
        Ok(Exit::Success)
    }
}
