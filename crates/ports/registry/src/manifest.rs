//! Tag to digest, and manifests by digest.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use http::{Method, StatusCode};
use weir_oci::{Descriptor, Digest, Manifest, Reference, Repository, media_type};

use crate::auth::{Access, Scopes};
use crate::endpoint::Endpoint;
use crate::error::{ErrorKind, Operation, Target};
use crate::transport::{Answer, Call};
use crate::{Client, Result};

/// The header in which registries name what they send.
const DOCKER_CONTENT_DIGEST: &str = "docker-content-digest";

/// A manifest as it came.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The bytes, whose digest is `digest`.
    pub raw: Bytes,
    /// What they say.
    pub manifest: Manifest,
    /// Their digest: computed, not taken from the registry.
    pub digest: Digest,
    /// Their media type, as announced and confirmed by the bytes.
    pub media_type: String,
}

impl Fetched {
    /// Media type, size and digest.
    pub fn descriptor(&self) -> Descriptor {
        Descriptor::new(self.media_type.clone(), self.digest, self.raw.len() as u64)
    }
}

impl Client {
    /// What `reference` points to now: a HEAD, or a GET where the registry's HEAD says too little. The digest
    /// of an index stays the index's.
    ///
    /// A reference with a digest is looked up by it and keeps it. The digest of a tag is the registry's word
    /// until [`Client::manifest`] has fetched it; everything after this call must work by that digest
    /// (security case N22).
    ///
    /// # Errors
    /// When there is no such manifest, or access or the connection fails.
    pub async fn resolve(&self, reference: &Reference) -> Result<Descriptor> {
        let target = Target::reference(Operation::Resolve, reference);
        let repository = reference.repository();
        let endpoint = self.endpoint(&target, repository).await?;
        let call = self
            .manifest_call(&target, &endpoint, &reference.selector())
            .method(Method::HEAD);
        let answer = self.send(&call).await?;
        if answer.status().is_success()
            && let Some(found) = described(&answer)
        {
            return match reference.digest() {
                Some(expected) if expected != found.digest => Err(target.error(ErrorKind::DigestMismatch {
                    expected,
                    actual: found.digest,
                })),
                _ => Ok(found),
            };
        }
        // A HEAD has no body to say what is wrong, and some registries refuse it; a GET tells.
        let fetched = self
            .get_manifest(&target, &endpoint, &reference.selector(), reference.digest())
            .await?;
        Ok(fetched.descriptor())
    }

    /// The manifest with this digest. Its bytes are checked against the digest and its kind against its media
    /// type (security case N24).
    ///
    /// # Errors
    /// When it is not there, is not what its digest says, or is no manifest.
    pub async fn manifest(&self, repository: &Repository, digest: &Digest) -> Result<Fetched> {
        let target = Target::digest(Operation::FetchManifest, repository, digest);
        let endpoint = self.endpoint(&target, repository).await?;
        self.get_manifest(&target, &endpoint, &digest.to_string(), Some(*digest))
            .await
    }

    /// The manifest that `reference` points to, in one request. For callers that verify nothing in between;
    /// others resolve first.
    ///
    /// # Errors
    /// As for [`Client::manifest`].
    pub async fn manifest_at(&self, reference: &Reference) -> Result<Fetched> {
        let target = Target::reference(Operation::FetchManifest, reference);
        let endpoint = self.endpoint(&target, reference.repository()).await?;
        self.get_manifest(&target, &endpoint, &reference.selector(), reference.digest())
            .await
    }

    pub(crate) async fn get_manifest(
        &self,
        target: &Target,
        endpoint: &Endpoint,
        selector: &str,
        expected: Option<Digest>,
    ) -> Result<Fetched> {
        let answer = self.send(&self.manifest_call(target, endpoint, selector)).await?;
        if answer.status() != StatusCode::OK {
            return Err(self.refusal(target, answer).await);
        }
        let announced = answer.header(CONTENT_TYPE).unwrap_or_default().to_owned();
        let claimed = claimed_digest(&answer);
        let limit = self.options().limits.manifest_bytes;
        let raw = self.read(target, answer, limit, "bytes of a manifest").await?;
        let digest = Digest::of(&raw);
        for expected in expected.into_iter().chain(claimed) {
            if expected != digest {
                return Err(target.error(ErrorKind::DigestMismatch {
                    expected,
                    actual: digest,
                }));
            }
        }
        // A server that does not know the type sends a general one; then the body's own word counts.
        let announced = media_type::essence(&announced);
        let announced = match announced.as_str() {
            "application/json" | "application/octet-stream" | "text/plain" => "",
            other => other,
        };
        let manifest =
            Manifest::parse(announced, &raw).map_err(|err| target.error(ErrorKind::Manifest(err)))?;
        let own = match &manifest {
            Manifest::Image(image) => image.media_type.as_deref(),
            Manifest::Index(index) => index.media_type.as_deref(),
        };
        let media_type = own.filter(|own| !own.is_empty()).unwrap_or(announced).to_owned();
        Ok(Fetched {
            raw,
            manifest,
            digest,
            media_type,
        })
    }

    fn manifest_call<'a>(&self, target: &'a Target, endpoint: &'a Endpoint, selector: &str) -> Call<'a> {
        let url = endpoint.url(&format!("manifests/{selector}"), &[]);
        let scopes = Scopes::one(&endpoint.wire, Access::Pull);
        Call::get(target, endpoint, url, scopes, self).header(ACCEPT, &media_type::MANIFESTS.join(", "))
    }
}

fn claimed_digest(answer: &Answer) -> Option<Digest> {
    answer.header(DOCKER_CONTENT_DIGEST)?.parse().ok()
}

/// The descriptor that a HEAD's headers make, when they say enough.
fn described(answer: &Answer) -> Option<Descriptor> {
    let kind = media_type::essence(answer.header(CONTENT_TYPE)?);
    let known = media_type::is_image(&kind) || media_type::is_index(&kind);
    let size = answer.header(CONTENT_LENGTH)?.parse().ok()?;
    Some(Descriptor::new(kind, claimed_digest(answer)?, size)).filter(|_| known)
}
