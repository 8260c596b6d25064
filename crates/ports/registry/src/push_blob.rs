//! Writing blobs: only what is missing, in one request or in chunks, or taken over from a neighbour.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, LOCATION};
use http::{Method, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use url::Url;
use weir_oci::{Descriptor, Digest, Hasher, Repository};

use crate::auth::{Access, Scopes};
use crate::endpoint::Endpoint;
use crate::error::{ErrorKind, Operation, Target};
use crate::transport::{Answer, Call, Payload};
use crate::{Client, Result, address};

/// Content to push. It is read more than once: for its digest, and again when a request is repeated.
#[derive(Debug, Clone)]
pub enum BlobSource {
    /// In memory.
    Bytes(Bytes),
    /// A file that must not change meanwhile.
    File(PathBuf),
}

impl From<Bytes> for BlobSource {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Vec<u8>> for BlobSource {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl From<&Path> for BlobSource {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl BlobSource {
    /// The digest and length of the content; a file is read through, not into memory.
    async fn describe(&self) -> std::io::Result<(Digest, u64)> {
        match self {
            Self::Bytes(bytes) => Ok((Digest::of(bytes), bytes.len() as u64)),
            Self::File(path) => {
                let mut file = tokio::fs::File::open(path).await?;
                let mut hasher = Hasher::new();
                let mut buffer = vec![0; 256 << 10];
                loop {
                    let count = file.read(&mut buffer).await?;
                    if count == 0 {
                        let length = hasher.length();
                        return Ok((hasher.finish(), length));
                    }
                    hasher.update(buffer.get(..count).unwrap_or_default());
                }
            }
        }
    }

    fn part(&self, offset: u64, length: u64) -> Payload {
        match self {
            Self::Bytes(bytes) => {
                let at = |position: u64| usize::try_from(position).unwrap_or(usize::MAX).min(bytes.len());
                let (start, end) = (at(offset), at(offset.saturating_add(length)));
                Payload::Bytes(bytes.slice(start..end.max(start)))
            }
            Self::File(path) => Payload::File {
                path: path.clone(),
                offset,
                length,
            },
        }
    }
}

/// A part of a file as a request body.
pub(crate) async fn file_body(path: &Path, offset: u64, length: u64) -> std::io::Result<reqwest::Body> {
    let mut file = tokio::fs::File::open(path).await?;
    file.seek(std::io::SeekFrom::Start(offset)).await?;
    let reader = tokio_util::io::ReaderStream::with_capacity(file.take(length), 256 << 10);
    Ok(reqwest::Body::wrap_stream(reader))
}

impl Client {
    /// Makes sure that the repository has the content, and says how to name it. Content that is there already
    /// is not sent; content longer than [`crate::Limits::upload_chunk`] goes up in chunks, and after a
    /// broken connection goes on where the registry says it stands.
    ///
    /// # Errors
    /// When the content cannot be read, or access or the connection fails.
    pub async fn push_blob(
        &self,
        repository: &Repository,
        media_type: &str,
        source: impl Into<BlobSource>,
    ) -> Result<Descriptor> {
        let source = source.into();
        let nameless = Target::repository(Operation::PushBlob, repository);
        let (digest, size) = source
            .describe()
            .await
            .map_err(|err| nameless.error(ErrorKind::File(err)))?;
        let descriptor = Descriptor::new(media_type, digest, size);
        if self
            .blob_exists_for(repository, &digest, Access::Push)
            .await?
            .is_some()
        {
            return Ok(descriptor);
        }
        let target = Target::digest(Operation::PushBlob, repository, &digest);
        let endpoint = self.endpoint(&target, repository).await?;
        let upload = Upload {
            client: self,
            target: &target,
            endpoint: &endpoint,
            source: &source,
            digest,
            size,
        };
        upload.run().await?;
        Ok(descriptor)
    }

    /// Takes a blob over from another repository of the same registry, without moving it. False when the
    /// registry would not, and the blob must be pushed.
    ///
    /// # Errors
    /// When access or the connection fails.
    pub async fn mount_blob(
        &self,
        repository: &Repository,
        digest: &Digest,
        from: &Repository,
    ) -> Result<bool> {
        if repository.registry() != from.registry() {
            return Ok(false);
        }
        let target = Target::digest(Operation::MountBlob, repository, digest);
        let endpoint = self.endpoint(&target, repository).await?;
        let source = self.endpoint(&target, from).await?;
        // The token must speak for both, or the registry sees no right to read the source.
        let scopes = Scopes::one(&endpoint.wire, Access::Push).and(&source.wire, Access::Pull);
        let digest_text = digest.to_string();
        let query = [("mount", digest_text.as_str()), ("from", source.wire.path())];
        let url = endpoint.url("blobs/uploads/", &query);
        let call = Call::get(&target, &endpoint, url, scopes, self)
            .method(Method::POST)
            .body(Payload::Bytes(Bytes::new()));
        let answer = self.send(&call).await?;
        match answer.status() {
            StatusCode::CREATED => Ok(true),
            StatusCode::ACCEPTED => {
                // The registry opened an upload instead. It is closed so that it does not linger; when that
                // fails the registry's own clean-up has to do.
                if let Ok(session) = session_url(&target, &endpoint, &answer) {
                    let scopes = Scopes::one(&endpoint.wire, Access::Push);
                    let call = Call::get(&target, &endpoint, session, scopes, self).method(Method::DELETE);
                    drop(self.send(&call).await);
                }
                Ok(false)
            }
            // Some registries refuse where others open an upload.
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::FORBIDDEN => Ok(false),
            _ => Err(self.refusal(&target, answer).await),
        }
    }
}

/// The address of an upload, from the `Location` of an answer. It may be on another host; then it gets no
/// credentials (security case N21).
fn session_url(target: &Target, endpoint: &Endpoint, answer: &Answer) -> Result<Url> {
    let url = answer
        .header(LOCATION)
        .and_then(|location| answer.url.join(location).ok())
        .ok_or_else(|| target.error(ErrorKind::Protocol("an upload without a location".to_owned())))?;
    address::may_follow(&answer.url, &url)
        .and_then(|()| address::may_follow(&endpoint.base, &url))
        .map_err(|why| target.error(ErrorKind::Insecure(why)))?;
    Ok(url)
}

/// One blob going up.
struct Upload<'a> {
    client: &'a Client,
    target: &'a Target,
    endpoint: &'a Endpoint,
    source: &'a BlobSource,
    digest: Digest,
    size: u64,
}

impl Upload<'_> {
    async fn run(&self) -> Result<()> {
        let start = self.call(
            Method::POST,
            self.endpoint.url("blobs/uploads/", &[]),
            Payload::Bytes(Bytes::new()),
        );
        let answer = self.client.send(&start).await?;
        if answer.status() != StatusCode::ACCEPTED {
            return Err(self.client.refusal(self.target, answer).await);
        }
        let session = session_url(self.target, self.endpoint, &answer)?;
        let chunk = answer
            .header("oci-chunk-min-length")
            .and_then(|least| least.parse().ok())
            .unwrap_or(0)
            .max(self.client.options().limits.upload_chunk)
            .max(1);
        if self.size <= chunk {
            return self.close(session, self.source.part(0, self.size)).await;
        }
        let session = self.chunks(session, chunk).await?;
        self.close(session, Payload::Bytes(Bytes::new())).await
    }

    /// Sends chunk after chunk. After a failure the registry is asked how much it has.
    async fn chunks(&self, mut session: Url, chunk: u64) -> Result<Url> {
        let mut offset = 0;
        let mut failures = 0;
        while offset < self.size {
            let length = chunk.min(self.size.saturating_sub(offset));
            let range = format!("{offset}-{}", offset.saturating_add(length).saturating_sub(1));
            let call = self
                .call(Method::PATCH, session.clone(), self.source.part(offset, length))
                .header(CONTENT_TYPE, "application/octet-stream")
                .header(CONTENT_RANGE, &range);
            let failure = match self.client.send(&call).await {
                Ok(answer) if matches!(answer.status(), StatusCode::ACCEPTED | StatusCode::NO_CONTENT) => {
                    session = session_url(self.target, self.endpoint, &answer)?;
                    offset = offset.saturating_add(length);
                    failures = 0;
                    continue;
                }
                Ok(answer) => self.client.refusal(self.target, answer).await,
                Err(err) => err,
            };
            let out_of_step = matches!(failure.kind(), ErrorKind::Status { status: 416, .. });
            failures += 1;
            if failures > 3 || !(failure.is_transient() || out_of_step) {
                return Err(failure);
            }
            (session, offset) = self.progress(session).await?;
        }
        Ok(session)
    }

    /// How much the registry has of an upload.
    async fn progress(&self, session: Url) -> Result<(Url, u64)> {
        let answer = self
            .client
            .send(&self.call(Method::GET, session, Payload::None))
            .await?;
        if !answer.status().is_success() {
            return Err(self.client.refusal(self.target, answer).await);
        }
        // `0-99` for a hundred bytes; distribution says `0-0` for none, which is read as none: at worst one
        // byte is sent again and the registry says 416.
        let end = answer
            .header("range")
            .and_then(|range| range.rsplit_once('-')?.1.parse::<u64>().ok());
        let offset = match end {
            None | Some(0) => 0,
            Some(end) => end.saturating_add(1),
        };
        if offset > self.size {
            let why = "an upload with more than was sent".to_owned();
            return Err(self.target.error(ErrorKind::Protocol(why)));
        }
        Ok((session_url(self.target, self.endpoint, &answer)?, offset))
    }

    /// Ends the upload with its last bytes and its name.
    async fn close(&self, mut session: Url, body: Payload) -> Result<()> {
        session
            .query_pairs_mut()
            .append_pair("digest", &self.digest.to_string());
        let call = self
            .call(Method::PUT, session, body)
            .header(CONTENT_TYPE, "application/octet-stream");
        let answer = self.client.send(&call).await?;
        match answer.status() {
            StatusCode::CREATED | StatusCode::NO_CONTENT | StatusCode::OK => Ok(()),
            _ => Err(self.client.refusal(self.target, answer).await),
        }
    }

    fn call(&self, method: Method, url: Url, body: Payload) -> Call<'_> {
        let scopes = Scopes::one(&self.endpoint.wire, Access::Push);
        let mut call = Call::get(self.target, self.endpoint, url, scopes, self.client).method(method);
        let length = match &body {
            Payload::None => None,
            Payload::Bytes(bytes) => Some(bytes.len() as u64),
            Payload::File { length, .. } => Some(*length),
        };
        let seconds = length.unwrap_or(0) / self.client.options().limits.slowest_transfer.max(1);
        call.timeout = call
            .timeout
            .map(|timeout| timeout.saturating_add(std::time::Duration::from_secs(seconds)));
        // An empty body says so: some servers wait for a length.
        if length == Some(0) {
            call = call.header(CONTENT_LENGTH, "0");
        }
        call.body(body)
    }
}
