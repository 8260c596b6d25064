//! What CI does: build, push by digest, sign, and only then move the tag.

use std::collections::BTreeMap;

use jiff::Timestamp;
use weir_oci::{Digest, Repository, Tag};
use weir_registry::Client;
use weir_store::Tree;
use weir_store::archive::{Form, pack_tree};
use weir_store::flux::{Metadata, push};
use weir_verify::{Evidence, Target};

use super::signer::Signer;
use super::unexpected;
use crate::run::Result;
use crate::{CommandError, Kind};

/// Who publishes, and where.
#[derive(Debug)]
pub(super) struct Publisher<'a> {
    pub(super) registry: &'a Client,
    pub(super) repository: Repository,
}

impl Publisher<'_> {
    /// Builds an artifact from files and pushes it by digest; no tag names it yet.
    pub(super) async fn push(&self, files: &BTreeMap<String, String>, revision: &str) -> Result<Digest> {
        let mut tree = Tree::default();
        for (path, content) in files {
            tree.insert(path, content.clone())
                .map_err(|e| unexpected(format!("{path}: {e}")))?;
        }
        let packed = pack_tree(&tree, Form::Push).map_err(|e| unexpected(e.to_string()))?;
        let metadata = Metadata {
            created: Timestamp::UNIX_EPOCH,
            source: "https://git.example/acme/platform".into(),
            revision: revision.into(),
            annotations: BTreeMap::new(),
        };
        let pushed = push(
            self.registry,
            &self.repository,
            None,
            packed.bytes.clone().into(),
            &packed.summary,
            &metadata,
        )
        .await
        .map_err(|e| CommandError::of(Kind::Outside, &e))?;
        Ok(pushed.digest)
    }

    /// Signs a digest.
    pub(super) async fn sign(&self, digest: Digest, signer: &Signer) -> Result<Evidence> {
        let target = Target::new(self.repository.clone(), digest);
        signer.sign(self.registry, &target).await
    }

    /// Makes a tag name a digest.
    pub(super) async fn tag(&self, digest: Digest, tag: &str) -> Result<()> {
        let tag = Tag::new(tag).map_err(|e| unexpected(e.to_string()))?;
        self.registry.tag(&self.repository, &digest, &tag).await?;
        Ok(())
    }
}
