//! What attestations say, by kind: the names that cosign has for the kinds, and what makes a document one of a kind.

mod shape;
mod time;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::error::place;
use crate::promotion::{PROMOTION_PREDICATE, Promotion};
pub(crate) use shape::Shape;
pub use time::UnreadableTime;

/// cosign's own kind: any text, wrapped in an object.
const CUSTOM: &str = "https://cosign.sigstore.dev/attestation/v1";
const SLSA_V02: &str = "https://slsa.dev/provenance/v0.2";
const SLSA_V1: &str = "https://slsa.dev/provenance/v1";
const SPDX: &str = "https://spdx.dev/Document";
const CYCLONEDX: &str = "https://cyclonedx.org/bom";
const LINK: &str = "https://in-toto.io/Link/v1";
const VULN: &str = "https://cosign.sigstore.dev/attestation/vuln/v1";
const OPENVEX: &str = "https://openvex.dev/ns";

/// cosign's names for predicate types, the usual one of a type first.
const NAMES: [(&str, &str); 10] = [
    ("slsaprovenance1", SLSA_V1),
    ("slsaprovenance", SLSA_V02),
    ("slsaprovenance02", SLSA_V02),
    ("spdxjson", SPDX),
    ("spdx", SPDX),
    ("cyclonedx", CYCLONEDX),
    ("openvex", OPENVEX),
    ("vuln", VULN),
    ("link", LINK),
    ("custom", CUSTOM),
];

/// What kind of thing an attestation says: a URI, read from one of cosign's short names or as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PredicateType(Cow<'static, str>);

/// A text is neither a known name nor a URI.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no predicate type: expected a URI or one of {}", NAMES.map(|(name, _)| name).join(", "))]
pub struct InvalidPredicateType;

/// A document is no predicate of its type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPredicate {
    /// It is no UTF-8.
    #[error("predicate is no UTF-8")]
    Encoding,
    /// It is no JSON.
    #[error("predicate is {what}")]
    Malformed {
        /// What is wrong, and where.
        what: String,
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in bytes.
        column: usize,
    },
    /// A field is missing or is something else than it must be.
    #[error("no {kind}: {} {problem}", named(.path))]
    Field {
        /// What it should be.
        kind: &'static str,
        /// The names that lead to the field.
        path: Vec<String>,
        /// What is wrong with it.
        problem: String,
    },
}

fn named(path: &[String]) -> String {
    if path.is_empty() {
        return "the document".to_owned();
    }
    format!("the field `{}`", path.join("."))
}

impl PredicateType {
    /// SLSA provenance, version 1 (<https://slsa.dev/spec/v1.0/provenance>).
    pub const SLSA_PROVENANCE_V1: Self = Self(Cow::Borrowed(SLSA_V1));
    /// An SPDX document (<https://spdx.dev/Document>).
    pub const SPDX: Self = Self(Cow::Borrowed(SPDX));
    /// A `CycloneDX` document (<https://cyclonedx.org/bom>).
    pub const CYCLONEDX: Self = Self(Cow::Borrowed(CYCLONEDX));
    /// An `OpenVEX` document (<https://openvex.dev/ns>).
    pub const OPENVEX: Self = Self(Cow::Borrowed(OPENVEX));

    /// The URI that is signed.
    pub fn uri(&self) -> &str {
        &self.0
    }

    /// cosign's name for a URI, if it has one.
    pub fn short_name(uri: &str) -> Option<&'static str> {
        let known = NAMES.iter().find(|(_, known)| *known == uri);
        known.map(|(name, _)| *name)
    }

    /// The predicate that `document` is, to be signed at `now`; the time is signed along for cosign's own kind alone.
    ///
    /// What makes a document one of its kind is checked, not everything that its schema says.
    ///
    /// # Errors
    /// Where it is none, see [`InvalidPredicate`].
    pub fn read(&self, document: &[u8], now: Timestamp) -> Result<Value, InvalidPredicate> {
        let text = std::str::from_utf8(document).map_err(|_| InvalidPredicate::Encoding)?;
        if self.0 == CUSTOM {
            let now = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            return Ok(json!({ "Data": text, "Timestamp": now }));
        }
        let value: Value = serde_json::from_str(text).map_err(|error| InvalidPredicate::Malformed {
            what: place(&error),
            line: error.line(),
            column: error.column(),
        })?;
        self.check(&value)?;
        Ok(value)
    }

    fn check(&self, value: &Value) -> Result<(), InvalidPredicate> {
        let of = |kind| Shape::of(kind, value);
        match self.0.as_ref() {
            SLSA_V1 => {
                let shape = of("SLSA provenance v1")?;
                shape.text(&["buildDefinition", "buildType"])?;
                shape.object(&["buildDefinition", "externalParameters"])?;
                shape.text(&["runDetails", "builder", "id"])
            }
            SLSA_V02 => {
                let shape = of("SLSA provenance v0.2")?;
                shape.text(&["builder", "id"])?;
                shape.text(&["buildType"])
            }
            SPDX => spdx(&of("SPDX document")?),
            CYCLONEDX => {
                let shape = of("CycloneDX document")?;
                shape.one_of(&["bomFormat"], &["CycloneDX"])?;
                shape.starting(&["specVersion"], "1.")
            }
            OPENVEX => {
                let shape = of("OpenVEX document")?;
                shape.starting(&["@context"], "https://openvex.dev/ns")?;
                shape.text(&["@id"])?;
                shape.text(&["author"])?;
                shape.time(&["timestamp"])?;
                shape.filled_list(&["statements"])
            }
            VULN => {
                let shape = of("vulnerability scan of cosign's kind")?;
                shape.text(&["scanner", "uri"])?;
                shape.time(&["metadata", "scanStartedOn"])?;
                shape.time(&["metadata", "scanFinishedOn"])
            }
            PROMOTION_PREDICATE => Promotion::from_predicate(value).map(|_| ()),
            LINK => {
                let shape = of("in-toto link")?;
                shape.one_of(&["_type"], &["link"])?;
                shape.text(&["name"])?;
                shape.list(&["command"])?;
                for field in ["materials", "products", "byproducts", "environment"] {
                    shape.object(&[field])?;
                }
                Ok(())
            }
            // cosign's verifier and Sigstore's libraries read nothing but objects.
            _ => of("predicate").map(|_| ()),
        }
    }
}

/// Version 2 in JSON, or version 3 in JSON-LD.
fn spdx(shape: &Shape<'_>) -> Result<(), InvalidPredicate> {
    if shape.has("@context") {
        shape.starting(&["@context"], "https://spdx.org/rdf/3.")?;
        return shape.filled_list(&["@graph"]);
    }
    shape.starting(&["spdxVersion"], "SPDX-2.")?;
    shape.one_of(&["SPDXID"], &["SPDXRef-DOCUMENT"])?;
    shape.text(&["name"])?;
    shape.text(&["documentNamespace"])?;
    shape.time(&["creationInfo", "created"])?;
    shape.filled_list(&["creationInfo", "creators"])
}

impl FromStr for PredicateType {
    type Err = InvalidPredicateType;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some((_, uri)) = NAMES.iter().find(|(name, _)| *name == text) {
            return Ok(Self(Cow::Borrowed(uri)));
        }
        // RFC 3986: a scheme, a colon, something after it, and nothing that a URI cannot have.
        let (scheme, rest) = text.split_once(':').ok_or(InvalidPredicateType)?;
        let in_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        let is_uri = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(in_scheme)
            && !rest.is_empty()
            && rest
                .chars()
                .all(|c| c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(c));
        is_uri
            .then(|| Self(Cow::Owned(text.to_owned())))
            .ok_or(InvalidPredicateType)
    }
}

impl fmt::Display for PredicateType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
