//! Signatures, keys and policy in; a verdict out.
//!
//! [`verify`] takes the digest of an artifact, the signatures found for it ([`SignatureSet`]) and a
//! [`Policy`], and gives a [`Verified`] digest or says for each signature why it did not count. A
//! [`Verified`] value can be made only here, so a function that takes one cannot be given anything unverified;
//! [`Admitted`] is for where a policy may be absent.
//!
//! Today a policy is a list of public keys ([`KeyPolicy`]); the transparency log is not looked at, as Flux
//! does not for keys. Certificates of an identity (keyless signing) are not read yet. Fetching signatures and
//! making them is not done here but in the trust port.
//!
//! The rules, in order:
//!
//! 1. If at least one Sigstore bundle can be read, only bundles count; else cosign's older payloads do.
//! 2. One good signature by any of the keys is enough.
//! 3. A bundle is good when it holds one signed in-toto statement with a subject of exactly the digest.
//! 4. A payload is good when it is signed and names exactly the digest. (cosign as Flux uses it leaves this
//!    check out, so that a signature copied from another artifact passes there.)
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
//! let error = verify(&target, &SignatureSet::default(), &policy).err();
//! assert!(error.is_some_and(|error| error.to_string().starts_with("no matching signatures were found for")));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bundle;
mod dsse;
mod error;
mod key;
mod payload;
mod policy;
mod signatures;
mod statement;
mod verdict;

pub use bundle::{Bundle, InvalidBundle};
pub use dsse::pre_authentication_encoding;
pub use error::{NotVerified, Refused, Rejection};
pub use key::{Algorithm, Fingerprint, InvalidKey, PublicKey};
pub use payload::{COSIGN_PAYLOAD_TYPE, InvalidPayload, SimpleSigning};
pub use policy::{InvalidKeys, KeyPolicy, NoKeys, Policy, PredicateTypes};
pub use signatures::{FoundBundle, FoundPayload, Layout, MAX_SIGNATURES, SignatureSet};
pub use statement::{COSIGN_SIGN_PREDICATE, InvalidStatement, STATEMENT_TYPE, Statement, Subject};
pub use verdict::{Admitted, Digested, Evidence, NotRequired, NotTheVerified, Target, Verified, verify};
