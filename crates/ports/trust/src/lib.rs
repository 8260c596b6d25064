//! cosign's registry layouts, keys and signing.
//!
//! [`find`] fetches the signatures of an artifact, for [`weir_verify::verify`] to judge, and [`find_attestations`] what was
//! stated about it. [`sign`] and [`attest`] make them and store them where cosign, Flux and weir look: as a Sigstore
//! bundle attached to the artifact (what cosign v3 writes), or as cosign's older payload under the tag
//! `sha256-<hex>.sig` and its older attestation under `sha256-<hex>.att`. [`SigningKey`] reads and writes cosign's
//! private keys; a [`KeySigner`] is any key that signs, such as one that never leaves a key management service.
//! [`sign_keyless`], and [`attest`] with [`Signer::Identity`], sign with an [`IdentityToken`] instead: a certificate of
//! Fulcio, an entry in Rekor and a timestamp come from the services that a [`SigningConfig`] names, and what the engine
//! would not accept is not stored. [`Keyless::sign_blob`] does the same for a file. [`refresh`] brings a trust root and
//! a signing configuration up to date by The Update Framework.
//!
//! It does not decide whether a signature is good, reads no environment, and keeps nothing.
//!
//! ```no_run
//! use weir_registry::{Client, ClientOptions};
//! use weir_trust::{SignOptions, SigningKey, find, sign};
//! use weir_verify::{KeyPolicy, Policy, Target, verify};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new(ClientOptions::default())?;
//! let target = Target::new("ghcr.io/org/app".parse()?, weir_oci::Digest::of(b"manifest"));
//!
//! let key = SigningKey::generate()?;
//! let now: jiff::Timestamp = "2026-01-01T00:00:00Z".parse()?;
//! sign(&client, &target, &key, &SignOptions::at(now)).await?;
//!
//! let signatures = find(&client, &target).await?;
//! let policy = Policy::Keys(KeyPolicy::new([("cosign.pub".to_owned(), key.public_key().clone())])?);
//! println!("{}", verify(&target, &signatures, &policy, now)?.evidence());
//! # Ok(())
//! # }
//! ```

mod attest;
mod find;
mod http;
mod key;
mod keyless;
mod layout;
mod moves;
mod secret;
mod sign;
mod statement;
mod store;
mod tuf;

pub use attest::{AttestOptions, Attested, attest};
pub use find::{FindError, MAX_PAYLOAD_BYTES, Sizes, find, find_all, find_attestations};
pub use http::CallError;
pub use key::{KeyError, KeySigner, KeySignerError, SigningKey, ToSign};
pub use keyless::{
    Clock, IdentityToken, InvalidSigningConfig, InvalidToken, Keyless, KeylessError, NoService,
    SigningConfig, TokenError, github_actions_token,
};
pub use layout::{attestation_tag, legacy_tag};
pub use moves::{Enough, MoveError, Moved, Mover};
pub use secret::{KEY_ENTRY, PASSWORD_ENTRY, PUBLIC_KEY_ENTRY, SecretError};
pub use sign::{KeylessStored, SignError, SignOptions, Stored, sign, sign_keyless};
pub use statement::Signer;
pub use tuf::{
    FolderMirror, HttpMirror, Known, Mirror, MirrorError, PUBLIC_GOOD_MIRROR, RefreshError, Refreshed, Seen,
    State, Versions, Written, public_good_tuf_root, refresh,
};
