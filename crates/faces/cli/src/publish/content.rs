//! What is published: the content, where it comes from, and whether it is there.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use weir_oci::{Digest, Manifest, Repository, Tag, media_type};
use weir_registry::{BlobSource, Client};
use weir_store::archive::{Packed, diff_id};
use weir_store::flux::{Metadata, PushError, artifact, push};

use crate::artifact::content::{Selection, name};
use crate::artifact::pull::LARGEST;
use crate::artifact::push::read_annotation;
use crate::global::Context;
use crate::io::Io;
use crate::{CommandError, Kind, job, run::Result};

/// The longest configuration that is read, in bytes. Flux's have some hundreds.
const MAX_CONFIG_BYTES: u64 = 1 << 20;

/// Options of what is published.
#[derive(Debug, Args)]
pub(super) struct ContentArgs {
    /// Folder or file to publish; `-` reads YAML from standard input
    #[arg(value_name = "PATH")]
    path: PathBuf,
    #[command(flatten)]
    selection: Selection,
    /// Where the content comes from, such as the URL of a Git repository [default in GitHub and GitLab: the job's]
    #[arg(long, value_name = "URL")]
    source: Option<String>,
    /// Which revision of it, such as main@sha1:COMMIT [default in GitHub and GitLab: the job's]
    #[arg(long, value_name = "REVISION")]
    revision: Option<String>,
    /// Annotation of the manifest; may be repeated
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = read_annotation)]
    annotations: Vec<(String, String)>,
    /// The time of making, for the manifest; with another time the digest is another one [default: 1970, so that the
    /// same content gives the same digest]
    #[arg(long, value_name = "TIME")]
    created: Option<Timestamp>,
}

/// What is at the registry by now.
pub(super) struct Placed {
    /// The digest that is to get the tags.
    pub(super) digest: Digest,
    /// Whether this run pushed it.
    pub(super) pushed: bool,
    /// Whether it is what this run built, byte for byte, and not only of the same content.
    pub(super) ours: bool,
}

/// What is to be pushed.
pub(super) struct Built {
    packed: Packed,
    metadata: Metadata,
    name: String,
}

impl ContentArgs {
    pub(super) fn build(&self, cx: &mut Context<'_>) -> Result<Built> {
        let (source, revision) = self.origin(cx)?;
        let metadata = Metadata {
            created: self.created.unwrap_or(Timestamp::UNIX_EPOCH),
            source,
            revision,
            annotations: self.annotations.iter().cloned().collect::<BTreeMap<_, _>>(),
        };
        Ok(Built {
            packed: self.selection.pack(&self.path, cx)?,
            metadata,
            name: name(&self.path),
        })
    }

    /// In a job as the actions that Flux users know write it.
    fn origin(&self, cx: &Context<'_>) -> Result<(String, String)> {
        let missing = |option: &str| {
            CommandError::usage(format!(
                "`{option}` is missing, and no job of GitHub or GitLab says it"
            ))
            .hint("give `--source` and `--revision`: they are written into the manifest")
        };
        let source = self
            .source
            .clone()
            .or_else(|| job::source(cx.io))
            .ok_or_else(|| missing("--source"))?;
        let revision = self.revision.clone().or_else(|| job::revision(cx.io));
        Ok((source, revision.ok_or_else(|| missing("--revision"))?))
    }
}

impl Built {
    /// The source and the revision that the manifest names, unless they are those of the job's checkout.
    pub(super) fn other_origin(&self, io: &Io) -> Option<(&str, &str)> {
        let Metadata { source, revision, .. } = &self.metadata;
        let same = job::source(io).as_ref() == Some(source) && job::revision(io).as_ref() == Some(revision);
        (!same).then_some((source.as_str(), revision.as_str()))
    }

    /// Pushes it under its digest alone, unless it is there, or `diff` has the same content.
    pub(super) async fn push(
        &self,
        client: &Client,
        repository: &Repository,
        diff: Option<&Tag>,
    ) -> Result<Placed> {
        let internal = |error: &(dyn std::error::Error + 'static)| CommandError::of(Kind::Internal, error);
        let whole = artifact(&self.packed.summary, &self.metadata).map_err(|error| internal(&error))?;
        let placed = |digest, pushed| Placed {
            digest,
            pushed,
            ours: digest == whole.digest,
        };
        if let Some(tag) = diff
            && let Some(digest) = self.same(client, repository, tag).await?
        {
            return Ok(placed(digest, false));
        }
        // The manifest goes last, so with it all is there.
        match client.manifest(repository, &whole.digest).await {
            Ok(_) => return Ok(placed(whole.digest, false)),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
        let archive = BlobSource::Bytes(self.packed.bytes.clone());
        let pushed = push(
            client,
            repository,
            None,
            archive,
            &self.packed.summary,
            &self.metadata,
        )
        .await
        .map_err(|error| match error {
            PushError::Registry(error) => {
                let failure = format!("cannot push {}", self.name);
                CommandError::caused(Kind::Outside, failure, &error)
                    .hint("no tag was moved; run the command again: it does what is missing")
            }
            other => internal(&other),
        })?;
        Ok(placed(pushed.digest, true))
    }

    /// The digest that the tag names, if that has this content: equal bytes, or an equal tar below another compressor's.
    async fn same(&self, client: &Client, repository: &Repository, tag: &Tag) -> Result<Option<Digest>> {
        let found = match client.manifest_at(&repository.at_tag(tag.clone())).await {
            Ok(found) => found,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let Manifest::Image(image) = &found.manifest else {
            return Ok(None);
        };
        let [layer] = image.layers.as_slice() else {
            return Ok(None);
        };
        if layer.media_type != media_type::FLUX_CONTENT {
            return Ok(None);
        }
        if layer.digest == self.packed.summary.digest {
            return Ok(Some(found.digest));
        }
        let config = client
            .blob_bytes(repository, &image.config, MAX_CONFIG_BYTES)
            .await?;
        let config: serde_json::Value = serde_json::from_slice(&config).unwrap_or_default();
        let claimed = config.pointer("/rootfs/diff_ids/0").and_then(|id| id.as_str());
        if claimed != Some(self.packed.summary.diff_id.to_string().as_str()) {
            return Ok(None);
        }
        // Whoever can push can claim it, and what is found here is signed: the bytes must say it, too.
        let there = client.blob_bytes(repository, layer, LARGEST).await?;
        let same = diff_id(there.as_ref(), LARGEST).ok() == Some(self.packed.summary.diff_id);
        Ok(same.then_some(found.digest))
    }
}
