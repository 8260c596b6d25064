//! The rules: which signature counts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use sigstore_verify::types::{Artifact, Bundle as SigstoreBundle};
use weir_oci::{Digest, Repository, media_type};

use crate::bundle::{Bundle, Content, InvalidBundle, Material};
use crate::certificate::Facts;
use crate::dsse::pre_authentication_encoding;
use crate::error::{NotVerified, Refused, Rejection, clip};
use crate::key::PublicKey;
use crate::payload::SimpleSigning;
use crate::policy::{Claims, IdentityPolicy, KeyPolicy, Policy};
use crate::signatures::{FoundBundle, FoundPayload, Layout, MAX_SIGNATURES, SignatureSet};
use crate::sigstore::{self, Checked, Part, Untrusted};
use crate::statement::{COSIGN_SIGN_PREDICATE, Statement};
use crate::verdict::{Evidence, LogPlace, Signer, Target, Verified};

/// Decides whether `target` is signed as `policy` asks, `now` being the time. See the crate's documentation for the
/// rules.
///
/// # Errors
/// When no signature counts, with the reason for each one found.
pub fn verify(
    target: &Target,
    signatures: &SignatureSet,
    policy: &Policy,
    now: Timestamp,
) -> Result<Verified<Digest>, NotVerified> {
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
                value: target.digest(),
                evidence: Box::new(evidence),
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
            .and_then(|bundle| check_bundle(found, &bundle, target, policy, now));
        if let Some(verified) = consider(Layout::Bundle, found.manifest, result) {
            return Ok(verified);
        }
    }
    if !bundles_count {
        for found in signatures.payloads.iter().take(MAX_SIGNATURES) {
            let result = check_payload(found, target, policy, now);
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
    signer: Signer,
    logged: Vec<LogPlace>,
    predicate_type: Option<String>,
    signed_repository: Option<String>,
}

impl Accepted {
    fn evidence(self, layout: Layout, source: Digest, passed_over: Vec<Refused>) -> Evidence {
        let Self {
            signer,
            logged,
            predicate_type,
            signed_repository,
        } = self;
        Evidence {
            signer,
            logged,
            layout,
            source,
            predicate_type,
            signed_repository,
            passed_over,
        }
    }
}

fn check_bundle(
    found: &FoundBundle,
    bundle: &Bundle,
    target: &Target,
    policy: &Policy,
    now: Timestamp,
) -> Result<Accepted, Rejection> {
    let Content::Envelope(envelope) = &bundle.content else {
        return Err(Rejection::MessageSignature);
    };
    let [signature] = envelope.signatures.as_slice() else {
        return Err(Rejection::SignatureCount(envelope.signatures.len()));
    };
    let (signer, logged) = match (bundle.material, policy) {
        (Material::Nothing, _) => return Err(Rejection::NoMaterial),
        (Material::Certificate, Policy::Keys(_)) => return Err(Rejection::Certificate),
        (Material::Key, Policy::Identities(_)) => return Err(Rejection::Key),
        (Material::Key, Policy::Keys(policy)) => {
            let message = pre_authentication_encoding(&envelope.payload_type, &envelope.payload);
            by_key(policy, &message, signature, now, |_| {
                Ok((
                    sigstore::read(&found.content)?,
                    sigstore::digested(target.digest())?,
                ))
            })?
        }
        (Material::Certificate, Policy::Identities(policy)) => {
            let bundle = sigstore::read(&found.content)?;
            let artifact = sigstore::digested(target.digest())?;
            by_identity(policy, &bundle, &artifact, now).map_err(other_artifact)?
        }
    };
    // From here on the content is the signer's; before, it was anybody's.
    let predicate_type = check_statement(
        &envelope.payload_type,
        &envelope.payload,
        target.digest(),
        policy.claims(),
    )?;
    if policy.claims().same_repository {
        return Err(Rejection::NoRepository);
    }
    Ok(Accepted {
        signer,
        logged,
        predicate_type: Some(predicate_type),
        signed_repository: None,
    })
}

fn check_payload(
    found: &FoundPayload,
    target: &Target,
    policy: &Policy,
    now: Timestamp,
) -> Result<Accepted, Rejection> {
    let (signer, logged) = match policy {
        Policy::Keys(policy) => {
            let signature = STANDARD
                .decode(found.signature.trim())
                .map_err(|_| Rejection::SignatureEncoding)?;
            by_key(policy, &found.content, &signature, now, |key| {
                let bundle = sigstore::payload_bundle(found, Some(key))?;
                Ok((bundle, Artifact::from_blob(&found.content)))
            })?
        }
        Policy::Identities(_) if found.material.certificate.is_none() => return Err(Rejection::Key),
        Policy::Identities(policy) => {
            let bundle = sigstore::payload_bundle(found, None)?;
            by_identity(policy, &bundle, &Artifact::from_blob(&found.content), now)?
        }
    };
    let payload = SimpleSigning::from_json(&found.content)?;
    if !payload.is_about(target.digest()) {
        return Err(Rejection::OtherArtifact);
    }
    let claims = policy.claims();
    if !claims.predicate_types.accept(COSIGN_SIGN_PREDICATE) {
        return Err(Rejection::PredicateType(COSIGN_SIGN_PREDICATE.to_owned()));
    }
    if claims.same_repository && !names(payload.repository(), target.repository()) {
        return Err(Rejection::OtherRepository(clip(payload.repository())));
    }
    let signed_repository = Some(payload.repository().to_owned());
    Ok(Accepted {
        signer,
        logged,
        predicate_type: None,
        signed_repository,
    })
}

/// The predicate type of a signed statement about `digest`.
pub(crate) fn check_statement(
    payload_type: &str,
    payload: &[u8],
    digest: Digest,
    claims: &Claims,
) -> Result<String, Rejection> {
    if payload_type != media_type::IN_TOTO {
        return Err(Rejection::PayloadType(clip(payload_type)));
    }
    let statement = Statement::from_json(payload)?;
    if !statement.is_about(digest) {
        return Err(Rejection::OtherArtifact);
    }
    if !claims.predicate_types.accept(&statement.predicate_type) {
        return Err(Rejection::PredicateType(clip(&statement.predicate_type)));
    }
    Ok(statement.predicate_type)
}

/// Whether a key of the policy made `signature` over `message` and, where the policy asks for a log, whether it is
/// in one; `logged` gives the signature as a bundle and what it is over.
pub(crate) fn by_key<'a>(
    policy: &KeyPolicy,
    message: &[u8],
    signature: &[u8],
    now: Timestamp,
    logged: impl FnOnce(&PublicKey) -> Result<(SigstoreBundle, Artifact<'a>), Untrusted>,
) -> Result<(Signer, Vec<LogPlace>), Rejection> {
    let matching = policy
        .keys
        .iter()
        .find(|(_, key)| key.verifies(message, signature));
    let (name, key) = matching.ok_or(Rejection::NoKeyMatches {
        keys: policy.keys.len(),
    })?;
    let signer = Signer::Key {
        name: name.clone(),
        fingerprint: key.fingerprint(),
    };
    let Some(root) = &policy.log else {
        return Ok((signer, Vec::new()));
    };
    let (bundle, artifact) = logged(key)?;
    let checked = sigstore::by_key(root, &bundle, &artifact, key, now)?;
    Ok((signer, places(&checked)))
}

/// Whether the certificate's holder is one whom the policy names.
pub(crate) fn by_identity(
    policy: &IdentityPolicy,
    bundle: &SigstoreBundle,
    artifact: &Artifact<'_>,
    now: Timestamp,
) -> Result<(Signer, Vec<LogPlace>), Rejection> {
    let (checked, facts) = sigstore::by_certificate(&policy.root, bundle, artifact, now)?;
    let mut logs: Vec<&[u8]> = checked.logged.iter().map(|one| one.log_id.as_slice()).collect();
    logs.sort_unstable();
    logs.dedup();
    if logs.len() < policy.distinct_logs.get() {
        return Err(Rejection::FewLogs {
            found: logs.len(),
            wanted: policy.distinct_logs.get(),
        });
    }
    let Facts {
        names,
        issuer,
        source,
    } = facts;
    let issuer = issuer.ok_or(Rejection::NoIssuer)?;
    let subject = match &policy.identities {
        // Whoever it is has a name; a certificate without one is not Fulcio's.
        None => names.first().map(String::as_str),
        Some(identities) => identities.iter().find_map(|one| one.matching(&issuer, &names)),
    };
    let Some((subject, signed_at)) = subject.map(str::to_owned).zip(checked.times.first().copied()) else {
        return Err(Rejection::OtherIdentity {
            subjects: names,
            issuer: clip(&issuer),
        });
    };
    let signer = Signer::Identity {
        subject,
        issuer,
        signed_at,
        source,
    };
    Ok((signer, places(&checked)))
}

fn places(checked: &Checked) -> Vec<LogPlace> {
    let place = |one: &sigstore::Logged| LogPlace {
        log: one.log.clone(),
        index: one.index,
    };
    checked.logged.iter().map(place).collect()
}

/// A statement that is not about the artifact has a name of its own among the reasons.
fn other_artifact(reason: Rejection) -> Rejection {
    match reason {
        Rejection::Untrusted(untrusted) if untrusted.part == Part::Artifact => Rejection::OtherArtifact,
        reason => reason,
    }
}

/// Whether a payload's reference, perhaps with a tag or digest, is in `repository`.
fn names(reference: &str, repository: &Repository) -> bool {
    let reference: Result<weir_oci::Reference, _> = reference.parse();
    reference.is_ok_and(|reference| reference.repository() == repository)
}
