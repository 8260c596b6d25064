//! Why nothing counted.

use std::fmt::Write as _;

use crate::Layout;
use crate::bundle::InvalidBundle;
use crate::payload::InvalidPayload;
use crate::sigstore::Untrusted;
use crate::statement::InvalidStatement;

/// No signature met the policy. Starts with the words that Flux and cosign users search for, and lists every
/// signature that was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no matching signatures were found for '{reference}'{}", listed(.refused))]
pub struct NotVerified {
    /// The artifact.
    pub reference: String,
    /// The signatures found, in the order in which they were looked at.
    pub refused: Vec<Refused>,
}

/// A signature that did not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// How it is stored.
    pub layout: Layout,
    /// The digest of the manifest or layer that holds it.
    pub source: weir_oci::Digest,
    /// Why it did not count.
    pub reason: Rejection,
}

/// Why a signature does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// It is no bundle at all.
    #[error("{0}")]
    Bundle(#[from] InvalidBundle),
    /// It signs a blob and not a statement about an artifact.
    #[error("bundle signs a message, not a statement")]
    MessageSignature,
    /// It was made with a certificate; the policy asks for keys.
    #[error("signed with a certificate, and keys are asked for")]
    Certificate,
    /// It was made with a given key; the policy asks for identities.
    #[error("signed with a key, and certificates of identities are asked for")]
    Key,
    /// Its certificate, log entries or timestamps do not hold.
    #[error("{0}")]
    Untrusted(#[from] Untrusted),
    /// The certificate is good and says who signed: nobody that the policy names.
    #[error(
        "signed by {} (issuer {issuer:?}), which is none of the identities asked for",
        quoted(.subjects)
    )]
    OtherIdentity {
        /// All names of the certificate.
        subjects: Vec<String>,
        /// Who vouches for them.
        issuer: String,
    },
    /// The certificate does not say who vouches for the signer.
    #[error("certificate names no issuer")]
    NoIssuer,
    /// The signature is in fewer logs than the policy asks for; entries of one log count once.
    #[error("signature is in {found} transparency logs, and {wanted} are asked for")]
    FewLogs {
        /// How many logs have it.
        found: usize,
        /// How many must.
        wanted: usize,
    },
    /// It says neither key nor certificate.
    #[error("bundle names neither key nor certificate")]
    NoMaterial,
    /// An envelope must have exactly one signature.
    #[error("envelope has {0} signatures instead of one")]
    SignatureCount(usize),
    /// The envelope's payload is no in-toto statement.
    #[error("payload type {0:?} is no in-toto statement")]
    PayloadType(String),
    /// The signature is no base64.
    #[error("signature is no base64")]
    SignatureEncoding,
    /// No key of the policy made the signature over this content.
    #[error("signature is {}, or the content was changed", not_by(*.keys))]
    NoKeyMatches {
        /// How many keys were tried.
        keys: usize,
    },
    /// The signed payload is no statement.
    #[error("{0}")]
    Statement(#[from] InvalidStatement),
    /// The signed payload is no simple-signing document.
    #[error("{0}")]
    Payload(#[from] InvalidPayload),
    /// It is a signature of something else.
    #[error("signed for another artifact")]
    OtherArtifact,
    /// It is about this artifact, but says something that is not asked for.
    #[error("predicate type {0:?} is not asked for")]
    PredicateType(String),
    /// It was made for this artifact in another repository, and the policy minds.
    #[error("signed for repository {0:?}")]
    OtherRepository(String),
    /// It does not say for which repository it was made, and the policy minds.
    #[error("signed for no named repository")]
    NoRepository,
    /// It is of an older layout, and there are bundles: as in cosign and Flux, nothing else counts then.
    #[error("there are Sigstore bundles, so only those count")]
    BundlesOnly,
    /// It is larger than is read; see [`crate::DEFAULT_BUNDLE_BYTES`].
    #[error("it has {bytes} bytes, and no more than {limit} are read")]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// What is read at most.
        limit: u64,
    },
    /// It was not read, since all that is attached to the artifact is too much.
    #[error("it was not read: with it and what is smaller there are more than {limit} bytes")]
    TooMuch {
        /// What is read at most.
        limit: u64,
    },
    /// Signatures past [`crate::MAX_SIGNATURES`] are not looked at.
    #[error("more than {max} signatures, the rest was not looked at", max = crate::MAX_SIGNATURES)]
    TooMany,
}

fn listed(refused: &[Refused]) -> String {
    let mut text = String::new();
    for (index, one) in refused.iter().enumerate() {
        let separator = if index == 0 { ": " } else { "; " };
        // Writing to a String cannot fail.
        let _ = write!(text, "{separator}{} {}: {}", one.layout, one.source, one.reason);
    }
    if refused.is_empty() {
        text.push_str(": the artifact has no signatures");
    }
    text
}

fn not_by(keys: usize) -> String {
    match keys {
        1 => "not by the key".to_owned(),
        _ => format!("by none of the {keys} keys"),
    }
}

fn quoted(texts: &[String]) -> String {
    // Names of workflows are long, and their ends tell them apart.
    let quoted: Vec<String> = texts
        .iter()
        .map(|text| format!("{:?}", text.chars().take(300).collect::<String>()))
        .collect();
    if quoted.is_empty() {
        return "nobody".to_owned();
    }
    quoted.join(" or ")
}

/// Text from outside, cut to what fits into a message.
pub(crate) fn clip(text: &str) -> String {
    text.chars().take(100).collect()
}

/// Where a JSON text is wrong, without repeating the text.
pub(crate) fn place(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Data => "unexpected shape",
        serde_json::error::Category::Eof => "cut off",
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => "no JSON",
    };
    format!("{what} at line {}, column {}", error.line(), error.column())
}
