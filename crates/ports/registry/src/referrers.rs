//! What is attached to a manifest: the referrers API, and the tag that stands in for it.

use bytes::Bytes;
use http::StatusCode;
use http::header::{ACCEPT, CONTENT_TYPE};
use weir_oci::{Descriptor, Digest, ImageIndex, Manifest, Repository, media_type};

use crate::auth::{Access, Scopes};
use crate::endpoint::Endpoint;
use crate::error::{ErrorKind, Operation, Target};
use crate::transport::Call;
use crate::{Client, Result, link};

/// How often the list under the tag is written when someone else writes it at the same time.
const ATTEMPTS: u32 = 4;

impl Client {
    /// The manifests attached to `digest`; with `artifact_type`, those of that type.
    ///
    /// Where the registry has no referrers API (404, 400, 406 or an answer that is no index), the list under
    /// the tag `sha256-<hex>` is read. No list is an empty list.
    ///
    /// # Errors
    /// When access or the connection fails, or the list is longer than the limits allow (security case N25).
    pub async fn referrers(
        &self,
        repository: &Repository,
        digest: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Descriptor>> {
        let target = Target::digest(Operation::ListReferrers, repository, digest);
        let endpoint = self.endpoint(&target, repository).await?;
        let mut found = match self
            .referrers_by_api(&target, &endpoint, digest, artifact_type)
            .await?
        {
            Some(found) => found,
            None => self.referrers_by_tag(&target, &endpoint, digest).await?,
        };
        // The API may have filtered, or not; the tag never does.
        if let Some(wanted) = artifact_type {
            found.retain(|entry| entry.artifact_type.as_deref() == Some(wanted));
        }
        Ok(found)
    }

    /// None when the registry has no such API.
    async fn referrers_by_api(
        &self,
        target: &Target,
        endpoint: &Endpoint,
        digest: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Option<Vec<Descriptor>>> {
        let limits = &self.options().limits;
        let query: Vec<(&str, &str)> = artifact_type
            .map(|kind| ("artifactType", kind))
            .into_iter()
            .collect();
        let mut url = endpoint.url(&format!("referrers/{digest}"), &query);
        let mut found = Vec::new();
        for page in 0..limits.pages {
            let scopes = Scopes::one(&endpoint.wire, Access::Pull);
            let call =
                Call::get(target, endpoint, url.clone(), scopes, self).header(ACCEPT, media_type::OCI_INDEX);
            let answer = self.send(&call).await?;
            let status = answer.status();
            if page == 0
                && matches!(
                    status,
                    StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST | StatusCode::NOT_ACCEPTABLE
                )
            {
                return Ok(None);
            }
            if status != StatusCode::OK {
                return Err(self.refusal(target, answer).await);
            }
            let kind = media_type::essence(answer.header(CONTENT_TYPE).unwrap_or_default());
            if page == 0 && kind != media_type::OCI_INDEX {
                return Ok(None);
            }
            let next = link::next(answer.response.headers(), &answer.url);
            let body = self
                .read(target, answer, limits.answer_bytes, "bytes of a list")
                .await?;
            found.extend(index(target, &kind, &body)?.manifests);
            if found.len() > limits.referrers {
                return Err(too_many(target, limits.referrers));
            }
            match next {
                None => return Ok(Some(found)),
                Some(next) => url = link::next_page(target, endpoint, &url, next)?,
            }
        }
        Err(target.error(ErrorKind::TooLarge {
            what: "pages of a list",
            limit: limits.pages as u64,
        }))
    }

    async fn referrers_by_tag(
        &self,
        target: &Target,
        endpoint: &Endpoint,
        digest: &Digest,
    ) -> Result<Vec<Descriptor>> {
        let tag = digest.referrers_tag();
        let limit = self.options().limits.referrers;
        let fetched = match self.get_manifest(target, endpoint, tag.as_str(), None).await {
            Ok(fetched) => fetched,
            Err(err) if err.is_not_found() => return Ok(Vec::new()),
            Err(err) => return Err(err),
        };
        match fetched.manifest {
            Manifest::Index(index) if index.manifests.len() <= limit => Ok(index.manifests),
            Manifest::Index(_) => Err(too_many(target, limit)),
            Manifest::Image(_) => Err(target.error(ErrorKind::Protocol(
                "an image where the list of referrers should be".to_owned(),
            ))),
        }
    }

    /// Removes a manifest that is attached to `subject`. Where clients keep the list of referrers, it is taken from there
    /// first, and that is enough where the registry does not delete manifests.
    ///
    /// # Errors
    /// When it is in no such list and cannot be deleted, or access or the connection fails.
    pub async fn delete_referrer(
        &self,
        repository: &Repository,
        subject: &Digest,
        digest: &Digest,
    ) -> Result<()> {
        let target = Target::digest(Operation::RecordReferrer, repository, subject);
        let endpoint = self.endpoint(&target, repository).await?;
        let mut entries = self.referrers_by_tag(&target, &endpoint, subject).await?;
        let before = entries.len();
        entries.retain(|entry| entry.digest != *digest);
        let listed = entries.len() < before;
        if listed {
            self.put_referrers(&target, repository, subject, entries).await?;
        }
        match self.delete_manifest(repository, digest).await {
            Err(error) if listed && (error.is_not_found() || error.is_unsupported()) => Ok(()),
            done => done,
        }
    }

    /// Writes the list under the tag.
    async fn put_referrers(
        &self,
        target: &Target,
        repository: &Repository,
        subject: &Digest,
        entries: Vec<Descriptor>,
    ) -> Result<()> {
        let raw = ImageIndex::new(entries)
            .to_bytes()
            .map_err(|err| target.error(ErrorKind::Protocol(err.to_string())))?;
        let tag = subject.referrers_tag();
        self.put_manifest(
            target,
            repository,
            Some(&tag),
            Bytes::from(raw),
            media_type::OCI_INDEX,
        )
        .await?;
        Ok(())
    }

    /// Adds `entry` to the list under the tag. Two writers can overtake each other there, so the list is read
    /// again afterwards.
    pub(crate) async fn record_referrer(
        &self,
        repository: &Repository,
        subject: &Digest,
        entry: Descriptor,
    ) -> Result<()> {
        let target = Target::digest(Operation::RecordReferrer, repository, subject);
        let endpoint = self.endpoint(&target, repository).await?;
        for attempt in 1..=ATTEMPTS {
            let mut entries = self.referrers_by_tag(&target, &endpoint, subject).await?;
            if entries.iter().any(|known| known.digest == entry.digest) {
                return Ok(());
            }
            if attempt == ATTEMPTS {
                break;
            }
            entries.push(entry.clone());
            self.put_referrers(&target, repository, subject, entries).await?;
        }
        Err(target.error(ErrorKind::Protocol(
            "others kept overwriting the list of referrers".to_owned(),
        )))
    }
}

fn index(target: &Target, kind: &str, body: &[u8]) -> Result<ImageIndex> {
    match Manifest::parse(kind, body).map_err(|err| target.error(ErrorKind::Manifest(err)))? {
        Manifest::Index(index) => Ok(index),
        Manifest::Image(_) => Err(target.error(ErrorKind::Protocol(
            "an image where a list of referrers should be".to_owned(),
        ))),
    }
}

fn too_many(target: &Target, limit: usize) -> crate::Error {
    target.error(ErrorKind::TooLarge {
        what: "referrers",
        limit: limit as u64,
    })
}
