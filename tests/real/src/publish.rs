//! Publishing trees into the ground's registry.

use std::collections::BTreeMap;

use anyhow::Result;
use weir_oci::{Digest, Repository, Tag, media_type};
use weir_store::Tree;
use weir_store::archive::{Form, pack_tree};
use weir_store::flux::{Metadata, push};
use weir_trust::{AttestOptions, SignOptions, Signer, SigningKey, attest, sign};
use weir_verify::{PredicateType, Target};

use crate::Ground;
use crate::ground::REGISTRY;

/// Files by path.
pub type Files = BTreeMap<String, String>;

/// Files from pairs.
pub fn files<const N: usize>(pairs: [(&str, &str); N]) -> Files {
    pairs
        .into_iter()
        .map(|(path, content)| (path.to_owned(), content.to_owned()))
        .collect()
}

impl Ground {
    /// The repository `name` in the ground's registry.
    pub fn repository(&self, name: &str) -> Result<Repository> {
        Ok(Repository::new(REGISTRY, name)?)
    }

    /// Pushes a tree and tags it.
    pub async fn publish(&self, name: &str, tag: &str, files: &Files) -> Result<Digest> {
        let digest = self.push(name, files).await?;
        self.tag(name, digest, tag).await?;
        Ok(digest)
    }

    /// Pushes a tree by digest.
    pub async fn push(&self, name: &str, files: &Files) -> Result<Digest> {
        let mut tree = Tree::default();
        for (path, content) in files {
            tree.insert(path, content.clone())?;
        }
        let packed = pack_tree(&tree, Form::Push)?;
        let metadata = Metadata {
            source: "https://git.example/x".into(),
            revision: "main@sha1:1".into(),
            ..Metadata::default()
        };
        let repository = self.repository(name)?;
        let pushed = push(
            &self.registry,
            &repository,
            None,
            packed.bytes.clone().into(),
            &packed.summary,
            &metadata,
        )
        .await?;
        Ok(pushed.digest)
    }

    /// Makes a tag name a digest.
    pub async fn tag(&self, name: &str, digest: Digest, tag: &str) -> Result<()> {
        Ok(self
            .registry
            .tag(&self.repository(name)?, &digest, &Tag::new(tag)?)
            .await?)
    }

    /// Signs a digest in a layout.
    pub async fn sign(
        &self,
        name: &str,
        digest: Digest,
        key: &SigningKey,
        layout: weir_verify::Layout,
    ) -> Result<()> {
        let target = Target::new(self.repository(name)?, digest);
        let options = SignOptions::at(jiff::Timestamp::UNIX_EPOCH).in_layout(layout);
        sign(&self.registry, &target, key, &options).await?;
        Ok(())
    }

    /// States something of a digest, as `weir attest` does with a key.
    pub async fn attest(
        &self,
        name: &str,
        digest: Digest,
        key: &SigningKey,
        kind: &str,
        predicate: serde_json::Value,
    ) -> Result<()> {
        let target = Target::new(self.repository(name)?, digest);
        let kind: PredicateType = kind.parse()?;
        let options = AttestOptions::at(jiff::Timestamp::UNIX_EPOCH);
        let signer = Signer::Key(key);
        attest(&self.registry, &target, signer, kind.uri(), predicate, &options).await?;
        Ok(())
    }

    /// Attaches a Sigstore bundle to a digest, as cosign does.
    pub async fn attach_bundle(&self, name: &str, digest: Digest, bundle: &serde_json::Value) -> Result<()> {
        let repository = self.repository(name)?;
        let kind = media_type::SIGSTORE_BUNDLE_V03;
        let layer = bundle.to_string().into_bytes();
        let layer = self.registry.push_blob(&repository, kind, layer).await?;
        let config = self
            .registry
            .push_blob(&repository, media_type::OCI_EMPTY, b"{}".to_vec())
            .await?;
        let mut manifest = weir_oci::ImageManifest::new(config, vec![layer]);
        manifest.artifact_type = Some(kind.to_owned());
        manifest.subject = Some(self.registry.manifest(&repository, &digest).await?.descriptor());
        self.registry
            .push_manifest(&repository, None, manifest.to_bytes()?, media_type::OCI_MANIFEST)
            .await?;
        Ok(())
    }
}
