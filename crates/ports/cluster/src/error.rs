//! What can go wrong in a conversation with the API server.

use std::error::Error;

use weir_apis::{GroupVersionKind, ObjectRef};

/// A request to the API server that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The API server answered with an error.
    #[error("{}", status_text(*code, reason, message))]
    Status {
        /// HTTP status.
        code: u16,
        /// Machine-readable reason, such as `Conflict`.
        reason: String,
        /// The API server's own words.
        message: String,
    },
    /// No API serves this type.
    #[error("no matches for kind \"{}\" in version \"{}\"", .0.kind, .0.api_version())]
    UnknownKind(GroupVersionKind),
    /// The API server can't be reached, or the connection broke.
    #[error("cannot reach the API server")]
    Transport(#[source] kube::Error),
    /// The answer is not what the API promises.
    #[error("the API server's answer for {what} cannot be read")]
    Answer {
        /// What was asked for.
        what: String,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The request can't be written down, for example because a name holds a character no URL may have.
    #[error("cannot ask for {object}")]
    Request {
        /// Which object was meant.
        object: Box<ObjectRef>,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

fn status_text(code: u16, reason: &str, message: &str) -> String {
    if !message.is_empty() {
        message.to_owned()
    } else if !reason.is_empty() {
        format!("the API server answered {code} ({reason})")
    } else {
        format!("the API server answered {code}")
    }
}

impl ApiError {
    /// HTTP status of the answer, if there was one.
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Status { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// Machine-readable reason of the answer.
    pub fn reason(&self) -> &str {
        match self {
            Self::Status { reason, .. } => reason,
            _ => "",
        }
    }

    /// The object does not exist.
    pub fn is_not_found(&self) -> bool {
        self.code() == Some(404)
    }

    /// Somebody else changed the object in between, or owns a field.
    pub fn is_conflict(&self) -> bool {
        self.code() == Some(409)
    }

    /// RBAC says no.
    pub fn is_forbidden(&self) -> bool {
        self.code() == Some(403)
    }

    /// Trying the same request again may help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Status { code, .. } => matches!(code, 429 | 500 | 502 | 503 | 504),
            Self::Transport(_) => true,
            _ => false,
        }
    }
}

/// An error and all its causes in one line, `a: b: c`.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let next = inner.to_string();
        // Errors from elsewhere often repeat their source's text.
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = inner.source();
    }
    text
}
