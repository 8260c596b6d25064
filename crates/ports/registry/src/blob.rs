//! Reading blobs: streamed, checked while they stream, resumed where they broke off.

use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, RANGE};
use http::{Method, StatusCode};
use tokio::io::{AsyncRead, AsyncWriteExt as _};
use tokio::time::Instant;
use weir_oci::{Descriptor, Digest, Hasher, Repository};

use crate::auth::{Access, Scopes};
use crate::error::{ErrorKind, Operation, Target};
use crate::transport::Call;
use crate::{Client, Error, Result};

/// How often a transfer is resumed at most.
const RESUMES: u32 = 5;

/// A blob on its way.
///
/// The digest can be known only at the end: whoever reads must treat what came so far as nothing when the
/// stream ends in an error. [`Client::blob_bytes`] and [`Client::blob_to_file`] do that.
pub struct BlobStream {
    stream: Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>,
}

impl BlobStream {
    /// The blob as a reader; an [`Error`] is inside its I/O error.
    pub fn into_reader(self) -> impl AsyncRead + Send + Unpin {
        tokio_util::io::StreamReader::new(self.stream.map_err(std::io::Error::other))
    }
}

impl std::fmt::Debug for BlobStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BlobStream")
    }
}

impl Stream for BlobStream {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.stream.poll_next_unpin(context)
    }
}

impl Client {
    /// The blob that `descriptor` names, as a stream. The first bytes are asked for before this returns, so
    /// that a missing blob is an error here.
    ///
    /// # Errors
    /// Here and in the stream: when the blob is not there, is not what the descriptor says, or the transfer
    /// breaks off more often than it can be resumed.
    pub async fn blob(&self, repository: &Repository, descriptor: &Descriptor) -> Result<BlobStream> {
        let mut transfer = Transfer::new(self, repository, descriptor);
        transfer.open().await?;
        let stream = futures::stream::try_unfold(transfer, |mut transfer| async move {
            Ok(transfer.next().await?.map(|chunk| (chunk, transfer)))
        });
        Ok(BlobStream {
            stream: Box::pin(stream),
        })
    }

    /// The blob in memory.
    ///
    /// # Errors
    /// As for [`Client::blob`], and when the descriptor says that it has more than `limit` bytes.
    pub async fn blob_bytes(
        &self,
        repository: &Repository,
        descriptor: &Descriptor,
        limit: u64,
    ) -> Result<Bytes> {
        if descriptor.size > limit {
            let target = Target::digest(Operation::FetchBlob, repository, &descriptor.digest);
            return Err(target.error(ErrorKind::TooLarge {
                what: "bytes of a blob",
                limit,
            }));
        }
        let mut stream = self.blob(repository, descriptor).await?;
        let mut bytes = Vec::new();
        while let Some(chunk) = stream.try_next().await? {
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes.into())
    }

    /// Writes the blob to a new file at `path`. A file that could not be completed is removed.
    ///
    /// # Errors
    /// As for [`Client::blob`], and when the file exists or cannot be written.
    pub async fn blob_to_file(
        &self,
        repository: &Repository,
        descriptor: &Descriptor,
        path: &Path,
    ) -> Result<()> {
        let target = Target::digest(Operation::FetchBlob, repository, &descriptor.digest);
        let failed = |err| target.error(ErrorKind::File(err));
        let mut stream = self.blob(repository, descriptor).await?;
        let mut file = tokio::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path)
            .await
            .map_err(failed)?;
        let written: Result<()> = async {
            while let Some(chunk) = stream.try_next().await? {
                file.write_all(&chunk).await.map_err(failed)?;
            }
            file.sync_all().await.map_err(failed)
        }
        .await;
        if written.is_err() {
            // The error that led here matters more than one of cleaning up.
            drop(tokio::fs::remove_file(path).await);
        }
        written
    }

    /// Whether the repository has a blob, and how long it is if the registry says so.
    ///
    /// # Errors
    /// When access or the connection fails.
    pub async fn blob_exists(&self, repository: &Repository, digest: &Digest) -> Result<Option<u64>> {
        self.blob_exists_for(repository, digest, Access::Pull).await
    }

    pub(crate) async fn blob_exists_for(
        &self,
        repository: &Repository,
        digest: &Digest,
        access: Access,
    ) -> Result<Option<u64>> {
        let target = Target::digest(Operation::FindBlob, repository, digest);
        let endpoint = self.endpoint(&target, repository).await?;
        let url = endpoint.url(&format!("blobs/{digest}"), &[]);
        let scopes = Scopes::one(&endpoint.wire, access);
        let call = Call::get(&target, &endpoint, url, scopes, self).method(Method::HEAD);
        let answer = self.send(&call).await?;
        match answer.status() {
            status if status.is_success() => Ok(Some(
                answer
                    .header(CONTENT_LENGTH)
                    .and_then(|length| length.parse().ok())
                    .unwrap_or(0),
            )),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(self.refusal(&target, answer).await),
        }
    }
}

/// A blob's transfer: how far it is, and how to go on.
struct Transfer {
    client: Client,
    repository: Repository,
    target: Target,
    expected: Digest,
    size: u64,
    received: u64,
    hasher: Option<Hasher>,
    response: Option<reqwest::Response>,
    /// What was read beyond the known part of an answer that could not be resumed by range.
    rest: Option<Bytes>,
    resumes: u32,
    deadline: Instant,
}

impl Transfer {
    fn new(client: &Client, repository: &Repository, descriptor: &Descriptor) -> Self {
        let options = client.options();
        let by_size = descriptor.size / options.limits.slowest_transfer.max(1);
        // A year stands for "never" where the numbers are absurd, since instants overflow.
        let allowed = options
            .timeouts
            .blob
            .saturating_add(Duration::from_secs(by_size))
            .min(Duration::from_hours(8760));
        Self {
            client: client.clone(),
            repository: repository.clone(),
            target: Target::digest(Operation::FetchBlob, repository, &descriptor.digest),
            expected: descriptor.digest,
            size: descriptor.size,
            received: 0,
            hasher: Some(Hasher::new()),
            response: None,
            rest: None,
            resumes: 0,
            deadline: Instant::now() + allowed,
        }
    }

    fn error(&self, kind: ErrorKind) -> Error {
        self.target.error(kind)
    }

    /// Asks for the blob from where it stands.
    async fn open(&mut self) -> Result<()> {
        let endpoint = self.client.endpoint(&self.target, &self.repository).await?;
        let url = endpoint.url(&format!("blobs/{}", self.expected), &[]);
        let scopes = Scopes::one(&endpoint.wire, Access::Pull);
        let mut call = Call::get(&self.target, &endpoint, url, scopes, &self.client);
        call.timeout = None;
        // A proxy that compresses would change the bytes and the meaning of ranges.
        call = call.header(ACCEPT_ENCODING, "identity");
        if self.received > 0 {
            call = call.header(RANGE, &format!("bytes={}-", self.received));
        }
        let answer = tokio::time::timeout_at(self.deadline, self.client.send(&call))
            .await
            .map_err(|_| self.error(ErrorKind::Timeout))??;
        match answer.status() {
            StatusCode::OK => {
                if self.received > 0 {
                    // No ranges here: begin anew and throw the known part away.
                    self.response = Some(answer.response);
                    return self.skip().await;
                }
            }
            StatusCode::PARTIAL_CONTENT if self.received > 0 => {
                let start = answer.header(CONTENT_RANGE).and_then(range_start);
                if start != Some(self.received) {
                    let why = "a range other than the one asked for".to_owned();
                    return Err(self.error(ErrorKind::Protocol(why)));
                }
            }
            _ => return Err(self.client.refusal(&self.target, answer).await),
        }
        self.response = Some(answer.response);
        Ok(())
    }

    /// Throws away the part of a whole answer that is known already.
    async fn skip(&mut self) -> Result<()> {
        let mut left = usize::try_from(self.received).unwrap_or(usize::MAX);
        while left > 0 {
            let Some(mut chunk) = self.chunk().await? else {
                return Err(self.truncated());
            };
            let known = left.min(chunk.len());
            left -= known;
            self.rest = Some(chunk.split_off(known)).filter(|rest| !rest.is_empty());
        }
        Ok(())
    }

    /// The next chunk of the current answer.
    async fn chunk(&mut self) -> Result<Option<Bytes>> {
        if let Some(rest) = self.rest.take() {
            return Ok(Some(rest));
        }
        let Some(response) = self.response.as_mut() else {
            return Ok(None);
        };
        match tokio::time::timeout_at(self.deadline, response.chunk()).await {
            Ok(Ok(chunk)) => Ok(chunk),
            Ok(Err(err)) => Err(self.target.error(ErrorKind::of_http(err))),
            Err(_) => Err(self.target.error(ErrorKind::Timeout)),
        }
    }

    fn truncated(&self) -> Error {
        self.error(ErrorKind::Truncated {
            expected: self.size,
            received: self.received,
        })
    }

    /// The next piece of the blob; none when it is complete and right.
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if self.hasher.is_none() {
                return Ok(None);
            }
            let failure = match self.chunk().await {
                Ok(Some(chunk)) if chunk.is_empty() => continue,
                Ok(Some(chunk)) => return self.take(chunk).map(Some),
                Ok(None) if self.received >= self.size => return self.finish(),
                Ok(None) => self.truncated(),
                Err(err) => err,
            };
            self.response = None;
            self.resumes += 1;
            let hopeless =
                !failure.is_transient() || self.resumes > RESUMES || Instant::now() >= self.deadline;
            if hopeless || !self.client.shared.budget.take() {
                self.hasher = None;
                return Err(failure);
            }
            if let Some(wait) = crate::retry::delay(&self.client.options().retry, self.resumes + 1, None) {
                tokio::time::sleep(wait).await;
            }
            tracing::debug!(target = %self.target.text, at = self.received, "resuming the blob");
            self.open().await?;
        }
    }

    fn take(&mut self, chunk: Bytes) -> Result<Bytes> {
        self.received = self.received.saturating_add(chunk.len() as u64);
        if self.received > self.size {
            self.hasher = None;
            return Err(self.error(ErrorKind::SizeMismatch { expected: self.size }));
        }
        if let Some(hasher) = self.hasher.as_mut() {
            hasher.update(&chunk);
        }
        Ok(chunk)
    }

    fn finish(&mut self) -> Result<Option<Bytes>> {
        let Some(hasher) = self.hasher.take() else {
            return Ok(None);
        };
        let actual = hasher.finish();
        if actual == self.expected {
            return Ok(None);
        }
        Err(self.error(ErrorKind::DigestMismatch {
            expected: self.expected,
            actual,
        }))
    }
}

/// The first position in `bytes 5-9/10`.
fn range_start(value: &str) -> Option<u64> {
    value
        .strip_prefix("bytes ")?
        .split_once('-')?
        .0
        .trim()
        .parse()
        .ok()
}
