//! `weir artifact pull`.

use std::path::PathBuf;

use clap::Args;
use weir_oci::Reference;
use weir_store::Limits;
use weir_store::extract::{Layer, Symlinks, layer, write_tree};
use weir_store::flux::{LayerSelector, PullError, Pulled, pull};

use crate::global::Context;
use crate::remote::{Remote, read_reference};
use crate::{CommandError, Exit, Kind, run::Result};

/// The largest layer that is taken: far above any tree of manifests, and still fits into memory.
pub(crate) const LARGEST: u64 = 512 << 20;

const EXAMPLES: &str = "\
Examples:
  weir artifact pull oci://ghcr.io/org/apps:latest --output ./apps
  weir artifact pull oci://ghcr.io/org/apps@sha256:DIGEST -o ./apps";

/// Pull an artifact and unpack it into a folder
///
/// The folder must be empty or not there yet. What is in the archive can't get out of it. Prints the digest that
/// was pulled. A layer that is no archive becomes a file.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Pull {
    /// What to pull: oci://HOST/REPOSITORY[:TAG][@DIGEST]
    #[arg(value_name = "REFERENCE", value_parser = read_reference)]
    reference: Reference,
    /// Folder to unpack into
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    #[command(flatten)]
    remote: Remote,
}

/// Fetches the first layer of an artifact.
pub(super) async fn fetch(
    cx: &Context<'_>,
    client: &weir_registry::Client,
    reference: &Reference,
) -> Result<(weir_oci::Digest, Pulled)> {
    let work = async {
        let digest = client.resolve(reference).await?.digest;
        let pulled = pull(
            client,
            reference.repository(),
            &digest,
            &LayerSelector::default(),
            LARGEST,
        )
        .await
        .map_err(|error| match error {
            PullError::Registry(error) => CommandError::from(error),
            other => CommandError::caused(Kind::User, format!("cannot use {reference}"), &other),
        })?;
        Ok((digest, pulled))
    };
    cx.in_time("pulling the artifact", work).await
}

impl Pull {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        let client = self.remote.client(cx, self.reference.repository())?;
        let (digest, pulled) = fetch(cx, &client, &self.reference).await?;
        let bad = |error: &weir_store::extract::ExtractError| {
            CommandError::caused(
                Kind::Rejected,
                format!("cannot unpack {} into {}", self.reference, self.output.display()),
                error,
            )
        };
        match layer(&pulled.content, &Limits::default(), Symlinks::Drop).map_err(|error| bad(&error))? {
            Layer::Tree(tree) => {
                write_tree(&tree, &self.output).map_err(|error| bad(&error))?;
                cx.io.talk(&format!(
                    "unpacked {} files into {}",
                    tree.len(),
                    self.output.display()
                ));
            }
            Layer::File(bytes) => {
                let failed = |error| CommandError::file("write", &self.output, &error);
                std::fs::create_dir_all(&self.output).map_err(failed)?;
                let path = self.output.join(file_name(&pulled));
                std::fs::write(&path, &bytes).map_err(failed)?;
                cx.io.talk(&format!("wrote {}", path.display()));
            }
        }
        cx.io.line(&digest.to_string())?;
        Ok(Exit::Success)
    }
}

/// The title that the layer carries, if it can be a file's name, else `artifact`.
fn file_name(pulled: &Pulled) -> String {
    let title = pulled
        .layer
        .annotations
        .get(weir_oci::annotation::TITLE)
        .map(String::as_str)
        .unwrap_or_default();
    let plain = !title.is_empty()
        && !title.starts_with('.')
        && title
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    if plain {
        title.to_owned()
    } else {
        "artifact".to_owned()
    }
}
