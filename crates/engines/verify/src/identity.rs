//! Who may sign, where a certificate says who did.

mod lint;

use std::fmt;

use weir_re2::{Pattern, PatternError};

use crate::certificate;
use crate::error::{Rejection, clip};
use crate::sigstore::{Part, Untrusted};

pub use lint::{Loose, looseness};

/// Somebody who may sign: what the issuer must be, and what one of the certificate's names must be. Both are
/// asked for, always: an issuer alone vouches for everybody it knows, and a name alone is whatever any issuer says.
#[derive(Clone, Debug)]
pub struct Identity {
    issuer: TextMatch,
    subject: TextMatch,
}

/// How a text is compared.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TextMatch {
    /// It is exactly this.
    Exact(String),
    /// The pattern is found somewhere in it, as Go's `MatchString` does: without `^` and `$` a part is enough.
    Pattern(Pattern),
}

/// Why something is no identity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidIdentity {
    /// An empty pattern is found in everything, which nobody means.
    #[error("{0} is empty, which would match everything; write '.*' where that is meant")]
    Empty(&'static str),
    /// No pattern of Go's.
    #[error("{part} {text:?}")]
    Pattern {
        /// Issuer or subject.
        part: &'static str,
        /// The pattern.
        text: String,
        /// Why.
        source: PatternError,
    },
}

impl Identity {
    /// An identity by two ways of comparing.
    ///
    /// # Errors
    /// When one of them is empty.
    pub fn new(issuer: TextMatch, subject: TextMatch) -> Result<Self, InvalidIdentity> {
        for (part, text) in [("issuer", &issuer), ("subject", &subject)] {
            if text.as_str().is_empty() {
                return Err(InvalidIdentity::Empty(part));
            }
        }
        Ok(Self { issuer, subject })
    }

    /// An identity by two patterns, as `matchOIDCIdentity` of Flux.
    ///
    /// # Errors
    /// When one is empty or no pattern.
    pub fn patterns(issuer: &str, subject: &str) -> Result<Self, InvalidIdentity> {
        Self::patterns_with(issuer, subject, Pattern::new)
    }

    /// The same for whoever may have read the patterns before.
    ///
    /// # Errors
    /// As for [`Identity::patterns`].
    pub fn patterns_with(
        issuer: &str,
        subject: &str,
        pattern: impl Fn(&str) -> Result<Pattern, PatternError>,
    ) -> Result<Self, InvalidIdentity> {
        let read = |part, text: &str| {
            let pattern = pattern(text).map_err(|source| InvalidIdentity::Pattern {
                part,
                text: text.to_owned(),
                source,
            })?;
            Ok(TextMatch::Pattern(pattern))
        };
        Self::new(read("issuer", issuer)?, read("subject", subject)?)
    }

    /// Exactly this subject, vouched for by exactly this issuer.
    ///
    /// # Errors
    /// When one is empty.
    pub fn exact(issuer: impl Into<String>, subject: impl Into<String>) -> Result<Self, InvalidIdentity> {
        Self::new(TextMatch::Exact(issuer.into()), TextMatch::Exact(subject.into()))
    }

    /// What the issuer must be.
    pub const fn issuer(&self) -> &TextMatch {
        &self.issuer
    }

    /// What one of the names must be.
    pub const fn subject(&self) -> &TextMatch {
        &self.subject
    }

    /// In what ways it lets in more than it seems to: words for a warning. Nothing is refused for it, since Flux
    /// takes such patterns too.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for (part, text) in [("issuer", &self.issuer), ("subject", &self.subject)] {
            if let TextMatch::Pattern(pattern) = text {
                let found = looseness(pattern.as_str());
                warnings.extend(found.iter().map(|loose| format!("{part} '{pattern}' {loose}")));
            }
        }
        warnings
    }

    /// Whether a certificate (DER) says that it is theirs. Nothing of it is verified: it lets a signer see whose
    /// certificate they were given before they use it in public.
    ///
    /// # Errors
    /// [`Rejection::OtherIdentity`] when it says otherwise; also when it cannot be read or names no issuer.
    pub fn is_claimed_by(&self, certificate: &[u8]) -> Result<(), Rejection> {
        let facts = certificate::facts(certificate)
            .ok_or_else(|| Untrusted::new(Part::Certificate, "certificate names or issuer cannot be read"))?;
        let issuer = facts.issuer.ok_or(Rejection::NoIssuer)?;
        match self.matching(&issuer, &facts.names) {
            Some(_) => Ok(()),
            None => Err(Rejection::OtherIdentity {
                subjects: facts.names,
                issuer: clip(&issuer),
            }),
        }
    }

    /// The name that this identity takes the certificate for, if it does.
    pub(crate) fn matching<'n>(&self, issuer: &str, names: &'n [String]) -> Option<&'n str> {
        if !self.issuer.accepts(issuer) {
            return None;
        }
        names
            .iter()
            .map(String::as_str)
            .find(|name| self.subject.accepts(name))
    }

    /// Everything that decides, unmistakably.
    pub(crate) fn describe(&self, out: &mut Vec<String>) {
        for text in [&self.issuer, &self.subject] {
            match text {
                TextMatch::Exact(text) => out.extend(["is".to_owned(), text.clone()]),
                TextMatch::Pattern(pattern) => out.extend(["has".to_owned(), pattern.as_str().to_owned()]),
            }
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "subject {}, issuer {}", self.subject, self.issuer)
    }
}

impl TextMatch {
    /// The text or the pattern.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Exact(text) => text,
            Self::Pattern(pattern) => pattern.as_str(),
        }
    }

    fn accepts(&self, text: &str) -> bool {
        // A line break could hide an identity behind another one.
        if text.chars().any(char::is_control) {
            return false;
        }
        match self {
            Self::Exact(wanted) => wanted == text,
            Self::Pattern(pattern) => pattern.is_match(text),
        }
    }
}

impl fmt::Display for TextMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(text) => write!(f, "'{text}'"),
            Self::Pattern(pattern) => write!(f, "matching '{pattern}'"),
        }
    }
}
