//! What stops a build.

use crate::place::Place;

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
    place: Option<Box<Place>>,
    help: Option<Box<str>>,
    #[source]
    source: Option<Box<Self>>,
}

impl Error {
    /// An error without a cause.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            kind,
            place: None,
            help: None,
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
            place: None,
            help: None,
            source: Some(Box::new(self)),
        }
    }

    /// Adds what a person may have meant, if that is known.
    pub(crate) fn helped(mut self, help: Option<String>) -> Self {
        if let Some(help) = help {
            self.help = Some(help.into());
        }
        self
    }

    /// What the person may have meant: a question or two, lower-case, no full stop.
    pub fn help(&self) -> Option<&str> {
        let own = self.help.as_deref();
        own.or_else(|| self.source.as_deref().and_then(Self::help))
    }

    /// Says in which field of which file it happened. What is known already is not changed.
    pub(crate) fn at(mut self, place: Place) -> Self {
        if self.place.is_none() {
            self.place = Some(Box::new(place));
        }
        self
    }

    /// Says in which file it happened, where only the field was known.
    pub(crate) fn in_file(mut self, file: &str) -> Self {
        let mut next = Some(&mut self);
        while let Some(error) = next {
            if let Some(place) = error.place.as_mut().filter(|place| place.file.is_empty()) {
                file.clone_into(&mut place.file);
            }
            next = error.source.as_deref_mut();
        }
        self
    }

    /// The fields that the failure went through: of the kustomization that was asked for first, of the base where it
    /// happened last.
    pub fn places(&self) -> Vec<&Place> {
        let mut places = Vec::new();
        let mut next = Some(self);
        while let Some(error) = next {
            places.extend(error.place.as_deref().filter(|place| !place.file.is_empty()));
            next = error.source.as_deref();
        }
        places
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

    /// All messages of the chain, outermost first, joined by `: `, and what may have been meant.
    pub fn chain(&self) -> String {
        let mut text = self.messages();
        if let Some(help) = self.help() {
            text.push_str("; ");
            text.push_str(help);
        }
        text
    }

    /// The message at the bottom of the chain.
    pub(crate) fn innermost(&self) -> &str {
        self.source
            .as_deref()
            .map_or(self.message.as_str(), Self::innermost)
    }

    /// All messages of the chain, outermost first, joined by `: `.
    pub(crate) fn messages(&self) -> String {
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

    /// Says in which field of which file the error happened, if there is one.
    fn at(self, place: impl FnOnce() -> Place) -> Result<T>;
}

impl<T> Within<T> for Result<T> {
    fn within(self, message: impl FnOnce() -> String) -> Self {
        self.map_err(|error| error.within(message()))
    }

    fn at(self, place: impl FnOnce() -> Place) -> Self {
        self.map_err(|error| error.at(place()))
    }
}
