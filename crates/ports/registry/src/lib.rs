//! A client of the OCI distribution protocol, one verb a file.
//!
//! [`Client`] resolves tags, fetches manifests and blobs, pushes, tags, lists and deletes. Every byte that comes
//! back by digest is checked against that digest, large blobs stream, and lists have caps. Credentials go to
//! the registry they belong to and nowhere else: not to the host of a redirect, not to a mirror of another
//! name, not over plain HTTP unless that was asked for.
//!
//! It does not cache content, decide about trust, or read the environment: all comes in through
//! [`ClientOptions`] and [`Keychain`].
//!
//! ```no_run
//! use weir_registry::{Client, ClientOptions, Keychain};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new(ClientOptions::default())?.with_credentials(Keychain::anonymous());
//! let reference = "ghcr.io/stefanprodan/manifests/podinfo:6.9.0".parse()?;
//! let resolved = client.resolve(&reference).await?;
//! let fetched = client.manifest(reference.repository(), &resolved.digest).await?;
//! println!("{} has {} bytes", fetched.digest, fetched.raw.len());
//! # Ok(())
//! # }
//! ```

pub mod credentials;

mod address;
mod auth;
mod authorize;
mod blob;
mod client;
mod delete;
mod endpoint;
mod error;
pub mod guard;
mod link;
mod manifest;
mod options;
mod ping;
mod push_blob;
mod push_manifest;
mod referrers;
mod retry;
mod tags;
mod tls;
mod transport;

pub use blob::BlobStream;
pub use client::{Client, http_client};
pub use credentials::{Credential, DockerConfig, Keychain};
pub use error::{Error, ErrorKind, Operation, Problem};
pub use manifest::Fetched;
pub use options::{
    ClientIdentity, ClientOptions, Limits, PlainHttp, ProxyOptions, RetryOptions, Timeouts, TlsOptions,
};
pub use push_blob::BlobSource;

/// What the verbs return.
pub type Result<T> = std::result::Result<T, Error>;
