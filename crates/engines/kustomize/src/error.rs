//! What stops a build.

/// What sort of thing went wrong, for callers that act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// A file or directory is not there.
    NotFound,
    /// A path leads outside what the load restrictor allows (N17, N18).
    Security,
    /// Something remote was asked for; nothing is ever fetched (N17).
    Remote,
    /// A plugin that would run a program was asked for; none is ever run (N17).
    Plugin,
    /// Bases that contain each other.
    Cycle,
    /// The input says something that cannot be built.
    Invalid,
}

/// A failed build: a message that names the object, and its cause.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    message: String,
    kind: ErrorKind,
    #[source]
    source: Option<Box<Self>>,
}

impl Error {
    /// An error without a cause.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            kind,
            source: None,
        }
    }

    /// Bad input, without a cause.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    /// Puts a message in front.
    pub(crate) fn within(self, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            kind: self.kind,
            source: Some(Box::new(self)),
        }
    }

    /// The same failure, of another sort.
    pub(crate) fn of_kind(mut self, kind: ErrorKind) -> Self {
        self.kind = kind;
        self
    }

    /// What sort of thing went wrong at the bottom of the chain.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// All messages of the chain, outermost first, joined by `: `.
    pub fn chain(&self) -> String {
        let mut text = self.message.clone();
        let mut next = self.source.as_deref();
        while let Some(error) = next {
            text.push_str(": ");
            text.push_str(&error.message);
            next = error.source.as_deref();
        }
        text
    }
}

impl From<weir_yaml::ConvertError> for Error {
    fn from(error: weir_yaml::ConvertError) -> Self {
        Self::invalid(error.to_string())
    }
}

/// Result of this crate's operations.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// Adds messages to failures.
pub(crate) trait Within<T> {
    /// Puts a message in front of the error, if there is one.
    fn within(self, message: impl FnOnce() -> String) -> Result<T>;
}

impl<T> Within<T> for Result<T> {
    fn within(self, message: impl FnOnce() -> String) -> Self {
        self.map_err(|error| error.within(message()))
    }
}
