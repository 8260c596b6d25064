//! The rules: which signature counts.

use std::cell::RefCell;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use sigstore_verify::types::{Artifact, Bundle as SigstoreBundle};
use weir_oci::{Digest, Repository};

use crate::bundle::{Bundle, Content, Envelope, InvalidBundle, Material};
use crate::certificate::Facts;
use crate::dsse::pre_authentication_encoding;
use crate::error::{NotVerified, Refused, Rejection, clip};
use crate::key::PublicKey;
use crate::payload::SimpleSigning;
use crate::policy::{Claims, IdentityPolicy, KeyPolicy, Policy};
use crate::root::TrustRoot;
use crate::signatures::{FoundAttestation, FoundBundle, FoundPayload, Layout, MAX_SIGNATURES, SignatureSet};
use crate::sigstore::{self, Certified, Checked, Part, Untrusted};
use crate::statement::{COSIGN_SIGN_PREDICATE, Statement};
use crate::verdict::{Evidence, Examined, LogPlace, Signed, Signer, Target, Verified};

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
    Candidates::of(target, signatures, now).verify(policy)
}

/// What [`verify`] thinks of each signature by itself, in the order in which it looks at them: it says yes when one of
/// these counts. For those who want to know what was stated, or why something does not count.
pub fn examine(target: &Target, signatures: &SignatureSet, policy: &Policy, now: Timestamp) -> Vec<Examined> {
    Candidates::of(target, signatures, now).examine(policy)
}

/// The signatures of an artifact that are looked at, in order. Several policies may ask for them; what is the same for all is found
/// once.
pub(crate) struct Candidates<'s> {
    target: &'s Target,
    signatures: &'s SignatureSet,
    now: Timestamp,
    all: Vec<Candidate<'s>>,
}

/// A signature that may count.
struct Candidate<'s> {
    layout: Layout,
    source: Digest,
    /// It is of an older layout, and there are bundles.
    shadowed: bool,
    found: Found<'s>,
    /// What was found of its certificate, by trust root.
    certified: RefCell<Vec<(Digest, Result<Certified, Untrusted>)>>,
}

enum Found<'s> {
    Bundle(&'s FoundBundle, Result<Bundle, InvalidBundle>),
    Payload(&'s FoundPayload),
    Attestation(&'s FoundAttestation),
    Unread(&'s Rejection),
}

impl Found<'_> {
    /// How long it is, in bytes; nothing for what was not read.
    fn bytes(&self) -> usize {
        match self {
            Self::Bundle(found, _) => found.content.len(),
            Self::Payload(found) => found.content.len(),
            Self::Attestation(found) => found.content.len(),
            Self::Unread(_) => 0,
        }
    }
}

impl<'s> Candidates<'s> {
    pub(crate) fn of(target: &'s Target, signatures: &'s SignatureSet, now: Timestamp) -> Self {
        let mut all: Vec<Candidate<'_>> = Vec::new();
        for one in signatures.bundles.iter().take(MAX_SIGNATURES) {
            let found = Found::Bundle(one, Bundle::from_json(&one.content));
            all.push(Candidate::new(Layout::Bundle, one.manifest, found));
        }
        let shadowed = all
            .iter()
            .any(|candidate| matches!(candidate.found, Found::Bundle(_, Ok(_))));
        for one in signatures.payloads.iter().take(MAX_SIGNATURES) {
            let mut candidate = Candidate::new(Layout::Legacy, one.layer, Found::Payload(one));
            candidate.shadowed = shadowed;
            all.push(candidate);
        }
        for one in signatures.attestations.iter().take(MAX_SIGNATURES) {
            let found = Found::Attestation(one);
            let mut candidate = Candidate::new(Layout::LegacyAttestation, one.layer, found);
            candidate.shadowed = shadowed;
            all.push(candidate);
        }
        for one in &signatures.unread {
            all.push(Candidate::new(one.layout, one.source, Found::Unread(&one.reason)));
        }
        Self {
            target,
            signatures,
            now,
            all,
        }
    }

    /// Whether one of them is as `policy` asks.
    pub(crate) fn verify(&self, policy: &Policy) -> Result<Verified<Digest>, NotVerified> {
        self.verify_of(policy, |_| true)
    }

    /// The same without attestations of the older layout: they are there for those who ask for them, and are no signatures.
    pub(crate) fn verify_plain(&self, policy: &Policy) -> Result<Verified<Digest>, NotVerified> {
        self.verify_of(policy, |layout| layout != Layout::LegacyAttestation)
    }

    fn verify_of(
        &self,
        policy: &Policy,
        counts: impl Fn(Layout) -> bool,
    ) -> Result<Verified<Digest>, NotVerified> {
        let mut refused = Vec::new();
        for candidate in &self.all {
            if candidate.shadowed || !counts(candidate.layout) {
                continue;
            }
            match candidate.check(self, policy) {
                Ok(accepted) => {
                    let evidence = accepted.evidence(candidate, refused);
                    return Ok(Verified::new(self.target.digest(), evidence));
                }
                Err(reason) => refused.push(Refused {
                    layout: candidate.layout,
                    source: candidate.source,
                    reason,
                }),
            }
        }
        refused.extend(self.past_the_limit().filter(|one| counts(one.layout)));
        Err(NotVerified {
            reference: self.target.to_string(),
            refused,
        })
    }

    /// What `policy` thinks of each.
    pub(crate) fn examine(&self, policy: &Policy) -> Vec<Examined> {
        let mut examined = Vec::new();
        for candidate in &self.all {
            let verdict = if candidate.shadowed {
                Err(Rejection::BundlesOnly)
            } else {
                candidate.check(self, policy)
            };
            examined.push(Examined {
                layout: candidate.layout,
                source: candidate.source,
                bytes: candidate.found.bytes(),
                verdict: verdict.map(|mut accepted| {
                    let signed = Signed {
                        digest: self.target.digest(),
                        statement: accepted.statement.take(),
                    };
                    Verified::new(signed, accepted.evidence(candidate, Vec::new()))
                }),
            });
        }
        if let Some(Refused {
            layout,
            source,
            reason,
        }) = self.past_the_limit()
        {
            examined.push(Examined {
                layout,
                source,
                bytes: 0,
                verdict: Err(reason),
            });
        }
        examined
    }

    /// The first signature that is not looked at because there are too many.
    fn past_the_limit(&self) -> Option<Refused> {
        let set = self.signatures;
        let bundle = set.bundles.get(MAX_SIGNATURES);
        let payload = set.payloads.get(MAX_SIGNATURES);
        let attestation = set.attestations.get(MAX_SIGNATURES);
        let past = bundle
            .map(|found| (Layout::Bundle, found.manifest))
            .or(payload.map(|found| (Layout::Legacy, found.layer)))
            .or(attestation.map(|found| (Layout::LegacyAttestation, found.layer)));
        past.map(|(layout, source)| Refused {
            layout,
            source,
            reason: Rejection::TooMany,
        })
    }
}

impl<'s> Candidate<'s> {
    fn new(layout: Layout, source: Digest, found: Found<'s>) -> Self {
        Self {
            layout,
            source,
            shadowed: false,
            found,
            certified: RefCell::default(),
        }
    }

    fn check(&self, of: &Candidates<'_>, policy: &Policy) -> Result<Accepted, Rejection> {
        match &self.found {
            Found::Bundle(found, Ok(bundle)) => self.check_bundle(found, bundle, of, policy),
            Found::Bundle(_, Err(invalid)) => Err(invalid.clone().into()),
            Found::Payload(found) => self.check_payload(found, of, policy),
            Found::Attestation(found) => self.check_attestation(found, of, policy),
            Found::Unread(reason) => Err((*reason).clone()),
        }
    }

    /// What there is to know of the certificate with a trust root, whoever the policy asks for: most of the work of a verdict.
    fn certified<'a>(
        &self,
        root: &TrustRoot,
        now: Timestamp,
        bundle: impl FnOnce() -> Result<(SigstoreBundle, Artifact<'a>), Untrusted>,
    ) -> Result<Certified, Untrusted> {
        let known = |all: &[(Digest, Result<Certified, Untrusted>)]| {
            let mut all = all.iter();
            all.find(|(known, _)| *known == root.fingerprint())
                .map(|(_, found)| found.clone())
        };
        if let Some(found) = known(&self.certified.borrow()) {
            return found;
        }
        let found =
            bundle().and_then(|(bundle, artifact)| sigstore::by_certificate(root, &bundle, &artifact, now));
        self.certified
            .borrow_mut()
            .push((root.fingerprint(), found.clone()));
        found
    }

    fn check_bundle(
        &self,
        found: &FoundBundle,
        bundle: &Bundle,
        of: &Candidates<'_>,
        policy: &Policy,
    ) -> Result<Accepted, Rejection> {
        let Content::Envelope(envelope) = &bundle.content else {
            return Err(Rejection::MessageSignature);
        };
        if bundle.material == Material::Nothing {
            return Err(Rejection::NoMaterial);
        }
        let by_certificate = bundle.material == Material::Certificate;
        self.check_envelope(envelope, by_certificate, of, policy, |_| {
            sigstore::read(&found.content)
        })
    }

    fn check_attestation(
        &self,
        found: &FoundAttestation,
        of: &Candidates<'_>,
        policy: &Policy,
    ) -> Result<Accepted, Rejection> {
        let envelope = Envelope::from_json(&found.content)?;
        let by_certificate = found.material.certificate.is_some();
        self.check_envelope(&envelope, by_certificate, of, policy, |key| {
            sigstore::attestation_bundle(&envelope, &found.material, key)
        })
    }

    /// Whether an envelope is signed as the policy asks and states something about the artifact; `bundle` gives the envelope with
    /// its certificate or a given key, and its log entries.
    fn check_envelope(
        &self,
        envelope: &Envelope,
        by_certificate: bool,
        of: &Candidates<'_>,
        policy: &Policy,
        bundle: impl FnOnce(Option<&PublicKey>) -> Result<SigstoreBundle, Untrusted>,
    ) -> Result<Accepted, Rejection> {
        let signature = envelope.signature()?;
        let digest = of.target.digest();
        let (signer, logged) = match policy {
            Policy::Keys(_) if by_certificate => return Err(Rejection::Certificate),
            Policy::Identities(_) if !by_certificate => return Err(Rejection::Key),
            Policy::Keys(policy) => {
                let message = pre_authentication_encoding(&envelope.payload_type, &envelope.payload);
                by_key(
                    policy,
                    |key| key.verifies(&message, signature),
                    of.now,
                    |key| Ok((bundle(Some(key))?, sigstore::digested(digest)?)),
                )?
            }
            Policy::Identities(policy) => {
                let certified = self.certified(&policy.root, of.now, || {
                    Ok((bundle(None)?, sigstore::digested(digest)?))
                });
                by_identity(policy, certified.map_err(other_artifact)?)?
            }
        };
        // From here on the content is the signer's; before, it was anybody's.
        let statement = envelope.statement()?;
        check_statement(&statement, digest, policy.claims())?;
        if policy.claims().same_repository {
            return Err(Rejection::NoRepository);
        }
        Ok(Accepted {
            signer,
            logged,
            predicate_type: Some(statement.predicate_type.clone()),
            statement: Some(statement),
            signed_repository: None,
        })
    }

    fn check_payload(
        &self,
        found: &FoundPayload,
        of: &Candidates<'_>,
        policy: &Policy,
    ) -> Result<Accepted, Rejection> {
        let (signer, logged) = match policy {
            Policy::Keys(policy) => {
                let signature = STANDARD
                    .decode(found.signature.trim())
                    .map_err(|_| Rejection::SignatureEncoding)?;
                by_key(
                    policy,
                    |key| key.verifies(&found.content, &signature),
                    of.now,
                    |key| {
                        let bundle = sigstore::payload_bundle(found, Some(key))?;
                        Ok((bundle, Artifact::from_blob(&found.content)))
                    },
                )?
            }
            Policy::Identities(_) if found.material.certificate.is_none() => return Err(Rejection::Key),
            Policy::Identities(policy) => {
                let certified = self.certified(&policy.root, of.now, || {
                    let bundle = sigstore::payload_bundle(found, None)?;
                    Ok((bundle, Artifact::from_blob(&found.content)))
                });
                by_identity(policy, certified?)?
            }
        };
        let payload = SimpleSigning::from_json(&found.content)?;
        if !payload.is_about(of.target.digest()) {
            return Err(Rejection::OtherArtifact);
        }
        let claims = policy.claims();
        if !claims.predicate_types.accept(COSIGN_SIGN_PREDICATE) {
            return Err(Rejection::PredicateType(COSIGN_SIGN_PREDICATE.to_owned()));
        }
        if claims.same_repository && !names(payload.repository(), of.target.repository()) {
            return Err(Rejection::OtherRepository(clip(payload.repository())));
        }
        let signed_repository = Some(payload.repository().to_owned());
        Ok(Accepted {
            signer,
            logged,
            statement: None,
            predicate_type: None,
            signed_repository,
        })
    }
}

/// A signature that counts.
struct Accepted {
    signer: Signer,
    logged: Vec<LogPlace>,
    statement: Option<Statement>,
    predicate_type: Option<String>,
    signed_repository: Option<String>,
}

impl Accepted {
    fn evidence(self, candidate: &Candidate<'_>, passed_over: Vec<Refused>) -> Evidence {
        let Self {
            signer,
            logged,
            statement: _,
            predicate_type,
            signed_repository,
        } = self;
        Evidence {
            signer,
            logged,
            layout: candidate.layout,
            source: candidate.source,
            predicate_type,
            signed_repository,
            passed_over,
        }
    }
}

/// Whether a signed statement is about `digest` and of a kind that is asked for.
pub(crate) fn check_statement(
    statement: &Statement,
    digest: Digest,
    claims: &Claims,
) -> Result<(), Rejection> {
    if !statement.is_about(digest) {
        return Err(Rejection::OtherArtifact);
    }
    if !claims.predicate_types.accept(&statement.predicate_type) {
        return Err(Rejection::PredicateType(clip(&statement.predicate_type)));
    }
    Ok(())
}

/// Whether a key of the policy made a signature and, where the policy asks for a log, whether it is in one; `made` says
/// of a key whether the signature is its own, `logged` gives the signature as a bundle and what it is over.
pub(crate) fn by_key<'a>(
    policy: &KeyPolicy,
    made: impl Fn(&PublicKey) -> bool,
    now: Timestamp,
    logged: impl FnOnce(&PublicKey) -> Result<(SigstoreBundle, Artifact<'a>), Untrusted>,
) -> Result<(Signer, Vec<LogPlace>), Rejection> {
    let matching = policy.keys.iter().find(|(_, key)| made(key));
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
    (checked, facts): Certified,
) -> Result<(Signer, Vec<LogPlace>), Rejection> {
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
fn other_artifact(untrusted: Untrusted) -> Rejection {
    if untrusted.part == Part::Artifact {
        return Rejection::OtherArtifact;
    }
    untrusted.into()
}

/// Whether a payload's reference, perhaps with a tag or digest, is in `repository`.
fn names(reference: &str, repository: &Repository) -> bool {
    let reference: Result<weir_oci::Reference, _> = reference.parse();
    reference.is_ok_and(|reference| reference.repository() == repository)
}
