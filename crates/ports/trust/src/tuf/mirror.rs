//! Where documents come from. None of it is trusted.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use sigstore_tuf::transport::FetchFuture;
use sigstore_tuf::{Error, Repository};
use url::Url;
use weir_registry::ClientOptions;

use super::keys;
use crate::http::{CallError, Http, Place, is_safe};

/// Somebody who has a copy of a repository.
pub trait Mirror: Send + Sync {
    /// The file at `path`, such as `timestamp.json` or `targets/<hash>.<name>`; nothing where there is none.
    ///
    /// # Errors
    /// When it cannot be read, and when it is longer than `max_bytes`: no more than those are read.
    fn fetch<'m>(
        &'m self,
        path: &'m str,
        max_bytes: u64,
    ) -> BoxFuture<'m, std::result::Result<Option<Vec<u8>>, MirrorError>>;
}

/// Why a mirror gives nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MirrorError {
    /// It is asked without TLS, where everybody on the way could hold back what is new.
    #[error("mirror {0} is asked over plain HTTP, which is done on this machine only")]
    Insecure(Url),
    /// It cannot be asked, or refuses.
    #[error(transparent)]
    Call(#[from] CallError),
    /// A file of a folder cannot be read.
    #[error("read {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is longer than it may be.
    #[error("{path} is longer than {max_bytes} bytes")]
    TooLong {
        /// The file.
        path: String,
        /// How long it may be.
        max_bytes: u64,
    },
    /// A name would lead out of the mirror.
    #[error("name {0:?} leads out of the mirror")]
    Name(String),
    /// It lacks a file that must be there.
    #[error("mirror lacks a document ({0})")]
    Lacking(String),
}

/// A mirror behind an address: the documents below it, what they list below `targets/`.
#[derive(Clone, Debug)]
pub struct HttpMirror {
    http: Http,
    base: Url,
}

impl HttpMirror {
    /// The mirror at `base`. Of `options`, certificates, proxies, time-outs for a connection and the user agent count here.
    ///
    /// # Errors
    /// When the address is not safe, or certificates or proxies of `options` cannot be used.
    pub fn new(base: Url, options: &ClientOptions) -> std::result::Result<Self, MirrorError> {
        if !is_safe(&base) {
            return Err(MirrorError::Insecure(base));
        }
        Ok(Self {
            http: Http::new(options)?,
            base,
        })
    }
}

impl Mirror for HttpMirror {
    fn fetch<'m>(
        &'m self,
        path: &'m str,
        max_bytes: u64,
    ) -> BoxFuture<'m, std::result::Result<Option<Vec<u8>>, MirrorError>> {
        async move {
            inside(path)?;
            let mut url = self.base.clone();
            let full = format!("{}/{path}", self.base.path().trim_end_matches('/'));
            url.set_path(&full);
            // Written otherwise means understood otherwise.
            if url.path() != full {
                return Err(MirrorError::Name(path.to_owned()));
            }
            let place = Place {
                service: "TUF mirror",
                url,
            };
            let max_bytes = usize::try_from(max_bytes).unwrap_or(usize::MAX);
            Ok(self.http.file(&place, max_bytes).await?)
        }
        .boxed()
    }
}

/// A mirror in a folder, for where there is no network.
#[derive(Clone, Debug)]
pub struct FolderMirror(PathBuf);

impl FolderMirror {
    /// The mirror in `folder`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    fn read(&self, path: &str, max_bytes: u64) -> std::result::Result<Option<Vec<u8>>, MirrorError> {
        inside(path)?;
        let place = self.0.join(path);
        let failed = |source| MirrorError::File {
            path: place.clone(),
            source,
        };
        let file = match File::open(&place) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let mut content = Vec::new();
        let limit = max_bytes.saturating_add(1);
        file.take(limit).read_to_end(&mut content).map_err(failed)?;
        if u64::try_from(content.len()).unwrap_or(u64::MAX) > max_bytes {
            return Err(MirrorError::TooLong {
                path: path.to_owned(),
                max_bytes,
            });
        }
        Ok(Some(content))
    }
}

impl Mirror for FolderMirror {
    fn fetch<'m>(
        &'m self,
        path: &'m str,
        max_bytes: u64,
    ) -> BoxFuture<'m, std::result::Result<Option<Vec<u8>>, MirrorError>> {
        async move { self.read(path, max_bytes) }.boxed()
    }
}

/// Refuses names that are no plain path below a place, whoever reads them.
fn inside(path: &str) -> std::result::Result<(), MirrorError> {
    let plain = |part: &str| {
        !matches!(part, "" | "." | "..")
            && !part.contains(['\\', ':', '?', '#'])
            && !part.contains(char::is_control)
    };
    if path.split('/').all(plain) {
        Ok(())
    } else {
        Err(MirrorError::Name(path.to_owned()))
    }
}

/// A mirror as the workflow takes it: what it says of keys is looked at before it counts.
pub(super) struct Guarded(Arc<dyn Mirror>);

impl Guarded {
    pub(super) fn new(mirror: Arc<dyn Mirror>) -> Self {
        Self(mirror)
    }
}

impl Repository for Guarded {
    fn fetch_metadata<'a>(&'a self, name: &'a str, max_length: u64) -> FetchFuture<'a> {
        let work = async move {
            let content = self.0.fetch(name, max_length).await.map_err(transport)?;
            if let Some(content) = &content {
                keys::distinct(content).map_err(|why| Error::Malformed(format!("{name}: {why}")))?;
            }
            Ok(content)
        };
        Box::pin(work)
    }

    fn fetch_target<'a>(&'a self, path: &'a str, max_length: u64) -> FetchFuture<'a> {
        let work = async move {
            let path = format!("targets/{path}");
            self.0.fetch(&path, max_length).await.map_err(transport)
        };
        Box::pin(work)
    }
}

fn transport(error: MirrorError) -> Error {
    Error::transport_with_source("ask the mirror", error)
}
