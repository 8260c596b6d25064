//! Writing manifests and moving tags.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};
use weir_oci::{Descriptor, Digest, Manifest, Repository, Tag};

use crate::auth::{Access, Scopes};
use crate::error::{ErrorKind, Operation, Target};
use crate::transport::{Call, Payload};
use crate::{Client, Result};

impl Client {
    /// Pushes a manifest under `tag`, or under its digest alone, and returns its digest. Its blobs must be
    /// there.
    ///
    /// A manifest with a `subject` is also entered into the subject's list of referrers where the registry
    /// does not keep one itself: under the tag `sha256-<hex>`, as the distribution spec asks of clients.
    ///
    /// # Errors
    /// When the bytes are no manifest of that media type, or access or the connection fails.
    pub async fn push_manifest(
        &self,
        repository: &Repository,
        tag: Option<&Tag>,
        raw: impl Into<Bytes>,
        media_type: &str,
    ) -> Result<Digest> {
        let raw = raw.into();
        let digest = Digest::of(&raw);
        let target = match tag {
            Some(tag) => Target::reference(Operation::PushManifest, &repository.at_tag(tag.clone())),
            None => Target::digest(Operation::PushManifest, repository, &digest),
        };
        let manifest =
            Manifest::parse(media_type, &raw).map_err(|err| target.error(ErrorKind::Manifest(err)))?;
        let recorded = self
            .put_manifest(&target, repository, tag, raw.clone(), media_type)
            .await?;
        if let Some(subject) = manifest.subject()
            && !recorded
        {
            let mut entry = Descriptor::new(media_type, digest, raw.len() as u64);
            entry.artifact_type = Some(match &manifest {
                Manifest::Image(image) => image.effective_artifact_type().to_owned(),
                Manifest::Index(index) => index.artifact_type.clone().unwrap_or_default(),
            })
            .filter(|kind| !kind.is_empty());
            entry.annotations.clone_from(manifest.annotations());
            self.record_referrer(repository, &subject.digest, entry).await?;
        }
        Ok(digest)
    }

    /// Makes `tag` point to the manifest with this digest. Its bytes are fetched, checked and put under the new
    /// name, so they stay the same bytes.
    ///
    /// # Errors
    /// When there is no such manifest, or access or the connection fails.
    pub async fn tag(&self, repository: &Repository, digest: &Digest, tag: &Tag) -> Result<()> {
        let fetched = self.manifest(repository, digest).await?;
        let target = Target::reference(Operation::PushManifest, &repository.at_tag(tag.clone()));
        self.put_manifest(&target, repository, Some(tag), fetched.raw, &fetched.media_type)
            .await?;
        Ok(())
    }

    /// Whether the registry says that it entered the subject's list of referrers.
    pub(crate) async fn put_manifest(
        &self,
        target: &Target,
        repository: &Repository,
        tag: Option<&Tag>,
        raw: Bytes,
        media_type: &str,
    ) -> Result<bool> {
        let digest = Digest::of(&raw);
        let selector = tag.map_or_else(|| digest.to_string(), ToString::to_string);
        let endpoint = self.endpoint(target, repository).await?;
        let url = endpoint.url(&format!("manifests/{selector}"), &[]);
        let scopes = Scopes::one(&endpoint.wire, Access::Push);
        let call = Call::get(target, &endpoint, url, scopes, self)
            .method(Method::PUT)
            .header(CONTENT_TYPE, media_type)
            .body(Payload::Bytes(raw));
        let answer = self.send(&call).await?;
        if !matches!(
            answer.status(),
            StatusCode::CREATED | StatusCode::OK | StatusCode::ACCEPTED
        ) {
            return Err(self.refusal(target, answer).await);
        }
        if let Some(actual) = answer
            .header("docker-content-digest")
            .and_then(|text| text.parse::<Digest>().ok())
            && actual != digest
        {
            return Err(target.error(ErrorKind::DigestMismatch {
                expected: digest,
                actual,
            }));
        }
        Ok(answer.header("oci-subject").is_some())
    }
}
