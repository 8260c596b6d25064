//! Signatures, keys and policy in; a verdict out.
//!
//! [`verify`] takes the digest of an artifact, the signatures found for it ([`SignatureSet`]), a [`Policy`] and the
//! time, and gives a [`Verified`] digest or says for each signature why it did not count. A [`Verified`] value can
//! be made only here, so a function that takes one cannot be given anything unverified; [`Admitted`] is for where a
//! policy may be absent. [`verify_blob`] is the same for a file and the bundle beside it.
//!
//! A policy is a list of public keys ([`KeyPolicy`]), where the transparency log is looked at only when asked for,
//! as in Flux, or a list of identities ([`IdentityPolicy`]) whom certificates name ("keyless"), where a [`TrustRoot`]
//! says which authorities count. Fetching signatures, trust roots and making signatures is not done here but in the
//! trust port.
//!
//! The rules, in order:
//!
//! 1. If at least one Sigstore bundle (of version 0.3, as cosign attaches them) can be read, only bundles count;
//!    else cosign's older payloads do, and its older attestations where they were looked for.
//! 2. One good signature by any of the keys or identities is enough.
//! 3. A signature by an identity is good when its certificate chains to an authority of the root, was published in
//!    a certificate log, and was valid when the signature was made, which a transparency log or a timestamp
//!    authority proves; when a transparency log holds an entry of exactly this signature; and when issuer and a
//!    name of the certificate match one identity.
//! 4. A bundle or an older attestation is good when it holds one signed in-toto statement with a subject of exactly the
//!    digest.
//! 5. A payload is good when it is signed and names exactly the digest. (cosign as Flux uses it leaves this
//!    check out, so that a signature copied from another artifact passes there.)
//!
//! [`admit`] is for artifacts of which several parties ask something: a source its own policy, a cluster its [`Rule`]s. All of
//! them must hold; a rule that is audited is only told. Rules may ask for [`Attestation`]s besides signatures.
//!
//! Not read: bundles with Rekor entries other than `hashedrekord` 0.0.1 and 0.0.2, `dsse` 0.0.1 and `intoto` 0.0.2,
//! certificates with more than one signed certificate timestamp, authorities whose certificates constrain e-mail
//! addresses or URIs. All of these are refused, each with its reason.
//!
//! ```
//! use weir_verify::{KeyPolicy, Policy, PublicKey, SignatureSet, Target, verify};
//!
//! let pem = "-----BEGIN PUBLIC KEY-----
//! MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEyd0ndMp9d+tU0l52eIZ4UNpjEjIu
//! urHEODEIDI54yvq0+j/gHFndFvLWRcA1tl0udUDRgxDDQk49xvERHoUOVA==
//! -----END PUBLIC KEY-----";
//! let policy = Policy::Keys(KeyPolicy::new([("cosign.pub".to_owned(), PublicKey::from_pem(pem)?)])?);
//! let target = Target::new("ghcr.io/org/app".parse()?, weir_oci::Digest::of(b"manifest"));
//!
//! let error = verify(&target, &SignatureSet::default(), &policy, "2026-01-01T00:00:00Z".parse()?).err();
//! assert!(error.is_some_and(|error| error.to_string().starts_with("no matching signatures were found for")));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod blob;
mod bundle;
mod certificate;
mod der;
mod dsse;
mod error;
mod identity;
mod judge;
mod key;
mod payload;
mod pem;
mod policy;
mod predicate;
mod promotion;
mod root;
mod rule;
mod scope;
mod signatures;
mod sigstore;
mod statement;
mod verdict;

pub use blob::{Blob, BlobEvidence, verify_blob};
pub use bundle::{Bundle, DEFAULT_BUNDLE_BYTES, InvalidBundle, MAX_BUNDLE_BYTES};
pub use dsse::pre_authentication_encoding;
pub use error::{NotVerified, Refused, Rejection};
pub use identity::{Identity, InvalidIdentity, Loose, TextMatch, looseness};
pub use judge::{examine, verify};
pub use key::{Algorithm, Fingerprint, InvalidKey, PublicKey};
pub use payload::{COSIGN_PAYLOAD_TYPE, InvalidPayload, SimpleSigning};
pub use policy::{IdentityPolicy, InvalidKeys, KeyPolicy, NoIdentities, NoKeys, Policy, PredicateTypes};
pub use predicate::{InvalidPredicate, InvalidPredicateType, PredicateType, UnreadableTime};
pub use promotion::{
    Action, Follows, Hold, InvalidRecord, Move, Next, NotOnward, Offer, PROMOTION_PREDICATE, Position,
    Promotion, Recorded, Rollback, Standing, Step, StepKind, StepRefused, TagState, governing, onward,
    records, records_of,
};
pub use root::{
    AuthorityPart, InvalidPart, InvalidTrustRoot, LogPart, RootParts, TrustRoot, Trusted, TrustedCertificate,
    TrustedFor, TrustedKey, WrongPart,
};
pub use rule::{
    Admission, Asks, Attestation, Attested, Authorities, Authority, Condition, Demands, Fails, Grant, Lack,
    Met, Mode, NoAuthorities, NotAdmitted, NotAttested, Records, Rule, Unfit, Unmet, admit, admit_ahead,
};
pub use scope::{InvalidPrefix, Prefix};
pub use signatures::{
    FoundAttestation, FoundBundle, FoundPayload, Layout, MAX_SIGNATURES, PayloadMaterial, SignatureSet,
};
pub use sigstore::{Part, Untrusted};
pub use statement::{COSIGN_SIGN_PREDICATE, InvalidStatement, STATEMENT_TYPE, Statement, Subject};
pub use verdict::{
    Admitted, Digested, Evidence, Examined, LogPlace, NotRequired, NotTheVerified, Signed, Signer, Target,
    Verified,
};
