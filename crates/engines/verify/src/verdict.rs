//! The verdict, and the types that only a good one can make.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use weir_oci::{Digest, Repository, media_type};

use crate::bundle::{Bundle, Content, InvalidBundle, Material};
use crate::dsse::pre_authentication_encoding;
use crate::error::{NotVerified, Refused, Rejection, clip};
use crate::key::Fingerprint;
use crate::payload::SimpleSigning;
use crate::policy::{KeyPolicy, Policy};
use crate::signatures::{FoundBundle, FoundPayload, Layout, MAX_SIGNATURES, SignatureSet};
use crate::statement::{COSIGN_SIGN_PREDICATE, Statement};

/// The artifact that is to be verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    repository: Repository,
    digest: Digest,
}

impl Target {
    /// An artifact by its repository (the original one, whatever mirror it came from) and its digest.
    pub const fn new(repository: Repository, digest: Digest) -> Self {
        Self { repository, digest }
    }

    /// The digest.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The repository.
    pub const fn repository(&self) -> &Repository {
        &self.repository
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.repository, self.digest)
    }
}

/// A value that was verified. Only [`verify`] makes one, for a digest; [`Verified::bind`] carries the verdict
/// over to what has that digest.
#[derive(Clone, Debug)]
pub struct Verified<T> {
    value: T,
    evidence: Evidence,
}

/// What the verdict rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Evidence {
    /// The key that made the signature.
    pub key: Fingerprint,
    /// That key's name in the policy.
    pub key_name: String,
    /// How the signature is stored.
    pub layout: Layout,
    /// The digest of the manifest or layer that holds it.
    pub source: Digest,
    /// What kind of statement was signed; nothing for a payload of the older layout.
    pub predicate_type: Option<String>,
    /// The repository that the signer named; nothing for a bundle.
    pub signed_repository: Option<String>,
    /// The signatures looked at before that did not count.
    pub passed_over: Vec<Refused>,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by key {:?} ({})", self.layout, self.key_name, self.key)?;
        match &self.predicate_type {
            Some(predicate_type) => write!(f, ", predicate type {predicate_type}"),
            None => Ok(()),
        }
    }
}

/// Something with the digest that a verdict is about.
pub trait Digested {
    /// The digest of the manifest this came from.
    fn digest(&self) -> Digest;
}

impl Digested for Digest {
    fn digest(&self) -> Digest {
        *self
    }
}

/// A verdict about one digest was to be carried over to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("digest {found} is not the verified {verified}")]
pub struct NotTheVerified {
    /// The digest the verdict is about.
    pub verified: Digest,
    /// The digest of the other thing.
    pub found: Digest,
}

impl<T> Verified<T> {
    /// The value.
    pub const fn get(&self) -> &T {
        &self.value
    }

    /// What the verdict rests on.
    pub const fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// The value without its verdict.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T: Digested> Verified<T> {
    /// Carries the verdict over to `value`, which must have the verified digest.
    ///
    /// # Errors
    /// When it has another.
    pub fn bind<U: Digested>(self, value: U) -> Result<Verified<U>, NotTheVerified> {
        let (verified, found) = (self.value.digest(), value.digest());
        if verified != found {
            return Err(NotTheVerified { verified, found });
        }
        Ok(Verified {
            value,
            evidence: self.evidence,
        })
    }
}

/// A value that may be used: verified, or no policy asks for it. What was refused is neither.
#[derive(Clone, Debug)]
pub enum Admitted<T> {
    /// It was verified.
    Verified(Verified<T>),
    /// Nobody asked. Status and events must say so.
    NotRequired(NotRequired<T>),
}

/// A value that no policy asks to be verified.
#[derive(Clone, Debug)]
pub struct NotRequired<T>(T);

impl<T> Admitted<T> {
    /// Admits `value` because no policy exists for it. To be called where the absence of a policy was read
    /// from the object, and nowhere else.
    pub const fn without_policy(value: T) -> Self {
        Self::NotRequired(NotRequired(value))
    }

    /// The value.
    pub const fn get(&self) -> &T {
        match self {
            Self::Verified(verified) => verified.get(),
            Self::NotRequired(value) => &value.0,
        }
    }

    /// What the verdict rests on; nothing when none was asked for.
    pub const fn evidence(&self) -> Option<&Evidence> {
        match self {
            Self::Verified(verified) => Some(verified.evidence()),
            Self::NotRequired(_) => None,
        }
    }

    /// For the status: whether and by what this was verified.
    pub fn describe(&self) -> String {
        match self {
            Self::Verified(verified) => format!("signature verified: {}", verified.evidence),
            Self::NotRequired(_) => "unverified: no policy asks for a signature".to_owned(),
        }
    }
}

impl<T: Digested> Admitted<T> {
    /// Carries the admission over to `value`, which must have the admitted digest.
    ///
    /// # Errors
    /// When it has another.
    pub fn bind<U: Digested>(self, value: U) -> Result<Admitted<U>, NotTheVerified> {
        match self {
            Self::Verified(verified) => verified.bind(value).map(Admitted::Verified),
            Self::NotRequired(NotRequired(admitted)) if admitted.digest() == value.digest() => {
                Ok(Admitted::without_policy(value))
            }
            Self::NotRequired(NotRequired(admitted)) => Err(NotTheVerified {
                verified: admitted.digest(),
                found: value.digest(),
            }),
        }
    }
}

impl<T> From<Verified<T>> for Admitted<T> {
    fn from(verified: Verified<T>) -> Self {
        Self::Verified(verified)
    }
}

/// Decides whether `target` is signed as `policy` asks. See the crate's documentation for the rules.
///
/// # Errors
/// When no signature counts, with the reason for each one found.
pub fn verify(
    target: &Target,
    signatures: &SignatureSet,
    policy: &Policy,
) -> Result<Verified<Digest>, NotVerified> {
    let Policy::Keys(policy) = policy;
    let bundles = signatures.bundles.iter().take(MAX_SIGNATURES);
    let bundles: Vec<(&FoundBundle, Result<Bundle, InvalidBundle>)> = bundles
        .map(|found| (found, Bundle::from_json(&found.content)))
        .collect();
    let bundles_count = bundles.iter().any(|(_, bundle)| bundle.is_ok());

    let mut refused = Vec::new();
    let mut consider = |layout, source, result: Result<Accepted, Rejection>| match result {
        Ok(accepted) => {
            let passed_over = std::mem::take(&mut refused);
            let evidence = accepted.evidence(layout, source, passed_over);
            Some(Verified {
                value: target.digest,
                evidence,
            })
        }
        Err(reason) => {
            refused.push(Refused {
                layout,
                source,
                reason,
            });
            None
        }
    };
    for (found, bundle) in bundles {
        let result = bundle
            .map_err(Rejection::from)
            .and_then(|bundle| check_bundle(&bundle, target, policy));
        if let Some(verified) = consider(Layout::Bundle, found.manifest, result) {
            return Ok(verified);
        }
    }
    if !bundles_count {
        for found in signatures.payloads.iter().take(MAX_SIGNATURES) {
            let result = check_payload(found, target, policy);
            if let Some(verified) = consider(Layout::Legacy, found.layer, result) {
                return Ok(verified);
            }
        }
    }
    let dropped = signatures
        .bundles
        .get(MAX_SIGNATURES)
        .map(|found| (Layout::Bundle, found.manifest));
    let dropped = dropped.or(signatures
        .payloads
        .get(MAX_SIGNATURES)
        .map(|found| (Layout::Legacy, found.layer)));
    if let Some((layout, source)) = dropped {
        refused.push(Refused {
            layout,
            source,
            reason: Rejection::TooMany,
        });
    }
    Err(NotVerified {
        reference: target.to_string(),
        refused,
    })
}

/// A signature that counts.
struct Accepted {
    key: Fingerprint,
    key_name: String,
    predicate_type: Option<String>,
    signed_repository: Option<String>,
}

impl Accepted {
    fn evidence(self, layout: Layout, source: Digest, passed_over: Vec<Refused>) -> Evidence {
        let Self {
            key,
            key_name,
            predicate_type,
            signed_repository,
        } = self;
        Evidence {
            key,
            key_name,
            layout,
            source,
            predicate_type,
            signed_repository,
            passed_over,
        }
    }
}

fn check_bundle(bundle: &Bundle, target: &Target, policy: &KeyPolicy) -> Result<Accepted, Rejection> {
    let Content::Envelope(envelope) = &bundle.content else {
        return Err(Rejection::MessageSignature);
    };
    match bundle.material {
        Material::Key => {}
        Material::Certificate => return Err(Rejection::Certificate),
        Material::Nothing => return Err(Rejection::NoMaterial),
    }
    let [signature] = envelope.signatures.as_slice() else {
        return Err(Rejection::SignatureCount(envelope.signatures.len()));
    };
    let message = pre_authentication_encoding(&envelope.payload_type, &envelope.payload);
    let (key_name, key) = signing_key(policy, &message, signature)?;
    // From here on the content is the signer's; before, it was anybody's.
    if envelope.payload_type != media_type::IN_TOTO {
        return Err(Rejection::PayloadType(clip(&envelope.payload_type)));
    }
    let statement = Statement::from_json(&envelope.payload)?;
    if !statement.is_about(target.digest) {
        return Err(Rejection::OtherArtifact);
    }
    if !policy.predicate_types.accept(&statement.predicate_type) {
        return Err(Rejection::PredicateType(clip(&statement.predicate_type)));
    }
    if policy.same_repository {
        return Err(Rejection::NoRepository);
    }
    let predicate_type = Some(statement.predicate_type);
    Ok(Accepted {
        key,
        key_name,
        predicate_type,
        signed_repository: None,
    })
}

fn check_payload(found: &FoundPayload, target: &Target, policy: &KeyPolicy) -> Result<Accepted, Rejection> {
    let signature = STANDARD
        .decode(found.signature.trim())
        .map_err(|_| Rejection::SignatureEncoding)?;
    let (key_name, key) = signing_key(policy, &found.content, &signature)?;
    let payload = SimpleSigning::from_json(&found.content)?;
    if !payload.is_about(target.digest) {
        return Err(Rejection::OtherArtifact);
    }
    if !policy.predicate_types.accept(COSIGN_SIGN_PREDICATE) {
        return Err(Rejection::PredicateType(COSIGN_SIGN_PREDICATE.to_owned()));
    }
    if policy.same_repository && !names(payload.repository(), &target.repository) {
        return Err(Rejection::OtherRepository(clip(payload.repository())));
    }
    let signed_repository = Some(payload.repository().to_owned());
    Ok(Accepted {
        key,
        key_name,
        predicate_type: None,
        signed_repository,
    })
}

/// The key of the policy that made `signature` over `message`.
fn signing_key(
    policy: &KeyPolicy,
    message: &[u8],
    signature: &[u8],
) -> Result<(String, Fingerprint), Rejection> {
    let matching = policy
        .keys
        .iter()
        .find(|(_, key)| key.verifies(message, signature));
    let (name, key) = matching.ok_or(Rejection::NoKeyMatches {
        keys: policy.keys.len(),
    })?;
    Ok((name.clone(), key.fingerprint()))
}

/// Whether a payload's reference, perhaps with a tag or digest, is in `repository`.
fn names(reference: &str, repository: &Repository) -> bool {
    let reference: Result<weir_oci::Reference, _> = reference.parse();
    reference.is_ok_and(|reference| reference.repository() == repository)
}
