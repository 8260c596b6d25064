//! `weir artifact tag`.

use clap::Args;
use serde_json::json;
use weir_oci::Reference;

use crate::global::Context;
use crate::output::{Shape, print_value};
use crate::remote::{Remote, read_reference};
use crate::{Exit, run::Result};

const EXAMPLES: &str = "\
Examples:
  weir artifact tag oci://ghcr.io/org/apps@sha256:DIGEST --tag latest-stable
  weir artifact tag oci://ghcr.io/org/apps:v1.2.3 --tag v1,latest-stable
  weir artifact tag oci://ghcr.io/org/apps:v1.2.3 --tag v1 --output json";

/// Let tags point to an artifact that is in the registry
///
/// Prints a reference for each tag.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Tag {
    /// The artifact: oci://HOST/REPOSITORY[:TAG][@DIGEST]
    #[arg(value_name = "REFERENCE", value_parser = read_reference)]
    reference: Reference,
    /// Tag to set; may be repeated
    #[arg(long = "tag", value_name = "TAG", required = true, value_delimiter = ',')]
    tags: Vec<weir_oci::Tag>,
    #[command(flatten)]
    remote: Remote,
    /// How to print the result
    #[arg(short, long, value_enum, default_value_t)]
    output: Shape,
}

impl Tag {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        let repository = self.reference.repository();
        let client = self.remote.client(cx, repository)?;
        // Resolved once: the tags must agree although the one that was named may move meanwhile.
        let digest = cx
            .in_time("resolving the artifact", async {
                Ok(client.resolve(&self.reference).await?.digest)
            })
            .await?;
        let mut set = Vec::new();
        for tag in &self.tags {
            cx.in_time("setting a tag", async {
                Ok(client.tag(repository, &digest, tag).await?)
            })
            .await?;
            let reference = format!("oci://{repository}:{tag}@{digest}");
            if self.output == Shape::Text {
                cx.io.line(&reference)?;
            } else {
                set.push(json!({"tag": tag.to_string(), "reference": reference}));
            }
        }
        if self.output != Shape::Text {
            let value =
                json!({"repository": repository.to_string(), "digest": digest.to_string(), "tags": set});
            print_value(cx.io, &value, self.output == Shape::Yaml)?;
        }
        Ok(Exit::Success)
    }
}
