//! `weir artifact inspect`.

use clap::Args;
use serde_json::{Value, json};
use weir_oci::{Digest, Manifest, Reference, media_type};
use weir_registry::{Client, Fetched};
use weir_store::extract::{Layer, Symlinks, layer};
use weir_store::{Limits, Tree};
use weir_trust::find;
use weir_verify::{SignatureSet, Target};

use super::pull::LARGEST;
use crate::global::Context;
use crate::output::{self, Shape, put};
use crate::remote::{Remote, read_reference};
use crate::{CommandError, Exit, Kind, run::Result};

const EXAMPLES: &str = "\
Examples:
  weir artifact inspect oci://ghcr.io/org/apps:latest
  weir artifact inspect oci://ghcr.io/org/apps:latest -o json | jq -r '.files[].path'";

/// Show what an artifact is: manifest, layers, files, annotations, signatures
///
/// Signatures are listed and not judged; that is what `weir verify` does.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Inspect {
    /// The artifact: oci://HOST/REPOSITORY[:TAG][@DIGEST]
    #[arg(value_name = "REFERENCE", value_parser = read_reference)]
    reference: Reference,
    /// Form of the output
    #[arg(short, long, value_enum, default_value_t, value_name = "FORM")]
    output: Shape,
    #[command(flatten)]
    remote: Remote,
}

struct Seen {
    digest: Digest,
    fetched: Fetched,
    /// Files of the first layer, when it is an archive.
    files: Option<Tree>,
    signatures: SignatureSet,
}

impl Inspect {
    pub(crate) async fn run(self, cx: &mut Context<'_>) -> Result {
        let client = self.remote.client(cx, self.reference.repository())?;
        let seen = cx.in_time("inspecting the artifact", self.look(&client)).await?;
        match self.output {
            Shape::Text => cx.io.print(&self.text(&seen))?,
            Shape::Json | Shape::Yaml => {
                output::print_value(cx.io, &self.data(&seen), self.output == Shape::Yaml)?;
            }
        }
        Ok(Exit::Success)
    }

    async fn look(&self, client: &Client) -> Result<Seen> {
        let repository = self.reference.repository();
        let fetched = client.manifest_at(&self.reference).await?;
        let digest = fetched.digest;
        let mut files = None;
        if let Manifest::Image(image) = &fetched.manifest
            && let Some(first) = image.layers.first()
            && is_archive(&first.media_type)
            && first.size <= LARGEST
        {
            let bytes = client.blob_bytes(repository, first, LARGEST).await?;
            let read = layer(&bytes, &Limits::default(), Symlinks::Drop).map_err(|error| {
                CommandError::caused(Kind::Rejected, format!("cannot unpack {}", first.digest), &error)
            })?;
            if let Layer::Tree(tree) = read {
                files = Some(tree);
            }
        }
        let target = Target::new(repository.clone(), digest);
        let signatures = find(client, &target)
            .await
            .map_err(|error| CommandError::caused(Kind::Outside, "cannot look for signatures", &error))?;
        Ok(Seen {
            digest,
            fetched,
            files,
            signatures,
        })
    }

    fn text(&self, seen: &Seen) -> String {
        let mut out = String::new();
        let mut fact =
            |name: &str, value: &str| put(&mut out, format_args!("{:<12}{value}\n", format!("{name}:")));
        fact("Reference", &self.reference.to_string());
        fact("Digest", &seen.digest.to_string());
        fact("Media type", &seen.fetched.media_type);
        if let Manifest::Image(image) = &seen.fetched.manifest {
            fact("Type", image.effective_artifact_type());
        }
        let annotations = seen.fetched.manifest.annotations();
        if !annotations.is_empty() {
            out.push_str("Annotations:\n");
            for (key, value) in annotations {
                put(
                    &mut out,
                    format_args!("  {key}: {}\n", weir_redact::redact_urls_in(value)),
                );
            }
        }
        match &seen.fetched.manifest {
            Manifest::Image(image) => {
                out.push_str("Layers:\n");
                for layer in &image.layers {
                    put(
                        &mut out,
                        format_args!("  {} {} {} bytes\n", layer.digest, layer.media_type, layer.size),
                    );
                }
            }
            Manifest::Index(index) => {
                out.push_str("Manifests:\n");
                for entry in &index.manifests {
                    let platform = entry
                        .platform
                        .as_ref()
                        .map(|platform| format!(" {}/{}", platform.os, platform.architecture))
                        .unwrap_or_default();
                    put(
                        &mut out,
                        format_args!("  {} {}{platform}\n", entry.digest, entry.media_type),
                    );
                }
            }
        }
        if let Some(files) = &seen.files {
            put(&mut out, format_args!("Files: {}\n", files.len()));
            for (path, entry) in files.files() {
                put(&mut out, format_args!("  {:>9} {path}\n", entry.bytes.len()));
            }
        }
        let signatures = signatures(&seen.signatures);
        if signatures.is_empty() {
            out.push_str("Signatures: none\n");
        } else {
            out.push_str("Signatures:\n");
            for (layout, digest) in signatures {
                put(&mut out, format_args!("  {digest} {layout}\n"));
            }
        }
        out
    }

    fn data(&self, seen: &Seen) -> Value {
        let manifest: Value = serde_json::from_slice(&seen.fetched.raw).unwrap_or_default();
        let files: Option<Vec<Value>> = seen.files.as_ref().map(|files| {
            files
                .files()
                .map(|(path, entry)| {
                    json!({"path": path, "size": entry.bytes.len(), "executable": entry.executable,
                           "digest": Digest::of(&entry.bytes).to_string()})
                })
                .collect()
        });
        let signatures: Vec<Value> = signatures(&seen.signatures)
            .into_iter()
            .map(|(layout, digest)| json!({"layout": layout, "digest": digest}))
            .collect();
        json!({
            "reference": self.reference.to_string(),
            "digest": seen.digest.to_string(),
            "mediaType": seen.fetched.media_type,
            "manifest": manifest,
            "files": files,
            "signatures": signatures,
        })
    }
}

fn is_archive(media_type: &str) -> bool {
    media_type == media_type::FLUX_CONTENT
        || media_type == media_type::HELM_CHART
        || media_type.ends_with("tar+gzip")
        || media_type.ends_with("tar.gzip")
}

/// Layout and digest of each signature found.
fn signatures(set: &SignatureSet) -> Vec<(String, String)> {
    use weir_verify::Layout;
    let bundles = set
        .bundles
        .iter()
        .map(|found| (Layout::Bundle.to_string(), found.manifest.to_string()));
    let payloads = set
        .payloads
        .iter()
        .map(|found| (Layout::Legacy.to_string(), found.layer.to_string()));
    bundles.chain(payloads).collect()
}
