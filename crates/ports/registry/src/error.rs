//! What can go wrong, by whose fault it is.

use std::fmt;
use std::time::Duration;

use weir_oci::{Digest, InvalidManifest, Reference, Repository};

use crate::credentials::CredentialError;

/// A verb that failed: what was asked, of which object, and why (the source, an [`ErrorKind`]).
///
/// No secret is in it: messages of servers are cleared of URLs' queries and user information.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation} {target}")]
pub struct Error {
    operation: Operation,
    target: String,
    #[source]
    kind: Box<ErrorKind>,
}

impl Error {
    pub(crate) fn new(operation: Operation, target: impl fmt::Display, kind: ErrorKind) -> Self {
        Self {
            operation,
            target: target.to_string(),
            kind: Box::new(kind),
        }
    }

    /// Why.
    pub const fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// What was asked.
    pub const fn operation(&self) -> Operation {
        self.operation
    }

    /// The repository or reference it was asked of.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Whether the object is not there (which a registry may also say of what it does not show).
    pub fn is_not_found(&self) -> bool {
        matches!(*self.kind, ErrorKind::NotFound(_))
    }

    /// Whether the registry does not do such a thing (405), as many do not delete.
    pub fn is_unsupported(&self) -> bool {
        matches!(*self.kind, ErrorKind::Status { status: 405, .. })
    }

    /// Whether credentials were missing, wrong or not sufficient.
    pub fn is_access(&self) -> bool {
        matches!(
            *self.kind,
            ErrorKind::Unauthorized(_) | ErrorKind::Denied(_) | ErrorKind::Credentials(_)
        )
    }

    /// Whether the same request may succeed later without anything being changed.
    pub fn is_transient(&self) -> bool {
        matches!(
            *self.kind,
            ErrorKind::RateLimited { .. }
                | ErrorKind::Unavailable { .. }
                | ErrorKind::Connect(_)
                | ErrorKind::Transfer(_)
                | ErrorKind::Timeout
                | ErrorKind::Truncated { .. }
        )
    }

    /// What a person could try.
    pub fn hint(&self) -> Option<&'static str> {
        match *self.kind {
            ErrorKind::NotFound(_) => {
                Some("check the name; a private repository may also look absent without credentials")
            }
            ErrorKind::Unauthorized(_) => {
                Some("log in to the registry, or give a pull secret with credentials for it")
            }
            ErrorKind::Denied(_) => Some("the credentials are known but lack the right to do this"),
            ErrorKind::Insecure(_) => Some("allow it explicitly, if you trust the network and the registry"),
            ErrorKind::RateLimited { .. } => Some("log in, or use a mirror of the registry"),
            ErrorKind::DigestMismatch { .. } | ErrorKind::SizeMismatch { .. } => {
                Some("the registry, or something in between, changed the content: do not use it")
            }
            ErrorKind::Connect(_) => {
                Some("check the host, the proxy and the certificates; for plain HTTP, allow it explicitly")
            }
            _ => None,
        }
    }
}

/// What was asked of a registry. Prints as a verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// The first contact.
    Ping,
    /// Tag to digest.
    Resolve,
    /// Read a manifest.
    FetchManifest,
    /// Write a manifest, or move a tag.
    PushManifest,
    /// Remove a manifest or a tag.
    Delete,
    /// Read a blob.
    FetchBlob,
    /// Ask for a blob.
    FindBlob,
    /// Write a blob.
    PushBlob,
    /// Take a blob over from another repository.
    MountBlob,
    /// List tags.
    ListTags,
    /// List referrers.
    ListReferrers,
    /// Add to the list of referrers that clients keep.
    RecordReferrer,
    /// Build the client.
    Configure,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ping => "reach the registry of",
            Self::Resolve => "resolve",
            Self::FetchManifest => "fetch the manifest of",
            Self::PushManifest => "push the manifest of",
            Self::Delete => "delete",
            Self::FetchBlob => "fetch the blob",
            Self::FindBlob => "look for the blob",
            Self::PushBlob => "push the blob",
            Self::MountBlob => "mount the blob",
            Self::ListTags => "list the tags of",
            Self::ListReferrers => "list the referrers of",
            Self::RecordReferrer => "record a referrer of",
            Self::Configure => "configure",
        })
    }
}

/// Why a verb failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// 404.
    #[error("not found{0}")]
    NotFound(Problem),
    /// 401, also with the credentials there are.
    #[error("the registry asks for credentials{0}")]
    Unauthorized(Problem),
    /// 403.
    #[error("the registry refuses access{0}")]
    Denied(Problem),
    /// 429.
    #[error("the registry limits the rate of requests{problem}")]
    RateLimited {
        /// How long it asks to wait.
        retry_after: Option<Duration>,
        /// What it says.
        problem: Problem,
    },
    /// 500 to 599.
    #[error("the registry failed with status {status}{problem}")]
    Unavailable {
        /// The status.
        status: u16,
        /// What it says.
        problem: Problem,
    },
    /// Any other status.
    #[error("the registry answered with status {status}{problem}")]
    Status {
        /// The status.
        status: u16,
        /// What it says.
        problem: Problem,
    },
    /// Something would have sent credentials or content where they must not go.
    #[error("refused as insecure: {0}")]
    Insecure(String),
    /// The content is not what its digest says.
    #[error("the content has digest {actual} instead of {expected}")]
    DigestMismatch {
        /// What was asked for.
        expected: Digest,
        /// What came.
        actual: Digest,
    },
    /// The content is longer than its descriptor says.
    #[error("the content has not the {expected} bytes that its descriptor says")]
    SizeMismatch {
        /// What the descriptor says.
        expected: u64,
    },
    /// The content ended early and could not be resumed.
    #[error("the content ended after {received} of {expected} bytes")]
    Truncated {
        /// What the descriptor says.
        expected: u64,
        /// What came.
        received: u64,
    },
    /// More than a cap allows.
    #[error("{what} exceed the limit of {limit}")]
    TooLarge {
        /// What, with its unit.
        what: &'static str,
        /// The cap.
        limit: u64,
    },
    /// The manifest is none, or not the kind announced.
    #[error(transparent)]
    Manifest(InvalidManifest),
    /// Credentials could not be got.
    #[error(transparent)]
    Credentials(CredentialError),
    /// No connection.
    #[error("no connection")]
    Connect(#[source] Failure),
    /// A connection that broke.
    #[error("the transfer broke off")]
    Transfer(#[source] Failure),
    /// Too slow.
    #[error("timed out")]
    Timeout,
    /// The registry does not keep to the protocol.
    #[error("the registry does not keep to the protocol: {0}")]
    Protocol(String),
    /// The options make no client.
    #[error("{0}")]
    Options(String),
    /// A local file that was to be pushed or written.
    #[error("a local file failed")]
    File(#[source] std::io::Error),
}

/// A failure below HTTP, as text without addresses' secrets.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failure(String);

impl Failure {
    pub(crate) fn new(err: reqwest::Error) -> Self {
        // The URL may hold a signed query; the chain below it does not.
        let err = err.without_url();
        let mut text = String::new();
        let mut next: Option<&dyn std::error::Error> = std::error::Error::source(&err);
        while let Some(err) = next {
            let part = err.to_string();
            if !text.contains(&part) {
                if !text.is_empty() {
                    text.push_str(": ");
                }
                text.push_str(&part);
            }
            next = err.source();
        }
        if text.is_empty() {
            text = err.to_string();
        }
        Self(weir_redact::redact_urls_in(&text))
    }
}

impl ErrorKind {
    /// Sorts a failure of the HTTP library.
    pub(crate) fn of_http(err: reqwest::Error) -> Self {
        if err.is_timeout() {
            Self::Timeout
        } else if err.is_connect() {
            Self::Connect(Failure::new(err))
        } else {
            Self::Transfer(Failure::new(err))
        }
    }

    /// Sorts a status that is no success.
    pub(crate) fn of_status(
        status: http::StatusCode,
        retry_after: Option<Duration>,
        problem: Problem,
    ) -> Self {
        match status.as_u16() {
            401 => Self::Unauthorized(problem),
            403 => Self::Denied(problem),
            404 => Self::NotFound(problem),
            429 => Self::RateLimited { retry_after, problem },
            status @ 500..=599 => Self::Unavailable { status, problem },
            status => Self::Status { status, problem },
        }
    }
}

/// What a registry says about its refusal: the codes and messages of the distribution spec's error body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Problem {
    /// Codes such as `MANIFEST_UNKNOWN`.
    pub codes: Vec<String>,
    /// The messages, joined.
    pub message: String,
}

impl Problem {
    /// Reads an error body; what is no error body gives an empty problem.
    pub(crate) fn parse(body: &[u8]) -> Self {
        #[derive(serde::Deserialize)]
        struct Body {
            #[serde(default)]
            errors: Vec<Entry>,
        }
        #[derive(serde::Deserialize)]
        struct Entry {
            #[serde(default)]
            code: String,
            #[serde(default)]
            message: String,
        }
        let Ok(body) = serde_json::from_slice::<Body>(body) else {
            return Self::default();
        };
        // A few are enough for a person, and a server must not fill our logs.
        let clean = |text: &str| {
            let line: String = text.chars().filter(|c| !c.is_control()).take(300).collect();
            weir_redact::redact_urls_in(&line)
        };
        let entries = || body.errors.iter().take(5);
        Self {
            codes: entries()
                .map(|entry| clean(&entry.code))
                .filter(|code| !code.is_empty())
                .collect(),
            message: entries()
                .map(|entry| clean(&entry.message))
                .filter(|message| !message.is_empty())
                .collect::<Vec<_>>()
                .join("; "),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.codes.is_empty(), self.message.is_empty()) {
            (true, true) => Ok(()),
            (false, true) => write!(f, ": {}", self.codes.join(", ")),
            (true, false) => write!(f, ": {}", self.message),
            (false, false) => write!(f, ": {}: {}", self.codes.join(", "), self.message),
        }
    }
}

/// The object of a request, for messages.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) operation: Operation,
    pub(crate) text: String,
}

impl Target {
    pub(crate) fn repository(operation: Operation, repository: &Repository) -> Self {
        Self {
            operation,
            text: repository.to_string(),
        }
    }

    pub(crate) fn reference(operation: Operation, reference: &Reference) -> Self {
        Self {
            operation,
            text: reference.to_string(),
        }
    }

    pub(crate) fn digest(operation: Operation, repository: &Repository, digest: &Digest) -> Self {
        Self {
            operation,
            text: format!("{repository}@{digest}"),
        }
    }

    pub(crate) fn error(&self, kind: ErrorKind) -> Error {
        Error::new(self.operation, &self.text, kind)
    }
}
