//! Moving a tag so that it never names what does not verify.
//!
//! The order of writes, of [`Mover::run`] and what comes before it:
//!
//! 1. content and manifest are in the registry, under the digest alone (not done here);
//! 2. the signature ([`Mover::sign`]) and the attestations ([`Mover::attest`]), where they are missing;
//! 3. the promotion record of this move, unless a run before this one has left it;
//! 4. everything is fetched again and verified with the policy of those who will read the tag, and with the rules of their
//!    clusters where they are given;
//! 5. the tag is looked at again, and only if it is where it was, it is moved;
//! 6. the tag is looked at once more: whoever finds another run's artifact there with no higher number than its own
//!    begins again.
//!
//! Each step looks at what is there and does what is missing, so that a run that was cut is finished by the next one.
//! Between 5 and 6 nothing helps: registries have no compare-and-swap. Two runs at the same moment end in one of the
//! two, each of them complete; who saw the one that lost, and then the other with the same number, finds a fork
//! ([`weir_verify::Move::Fork`]), which the next record ends.

use std::collections::BTreeSet;

use serde_json::Value;
use weir_oci::{Digest, Repository, Tag};
use weir_registry::Client;
use weir_verify::{
    COSIGN_SIGN_PREDICATE, Demands, Digested as _, Examined, Follows, InvalidRecord, Next, NotAdmitted,
    NotVerified, Offer, PROMOTION_PREDICATE, Policy, PredicateTypes, Recorded, SignatureSet, Step, StepKind,
    StepRefused, TagState, Target, Unmet, Verified, admit, examine, records, verify,
};

use crate::attest::{AttestOptions, attest};
use crate::find::{FindError, Sizes, find, find_all, find_attestations};
use crate::keyless::Clock;
use crate::sign::{SignError, SignOptions, sign, sign_keyless};
use crate::statement::Signer;

/// How often a move begins again because somebody else moved the tag meanwhile.
const ATTEMPTS: usize = 8;

/// Somebody who moves tags.
#[derive(Clone, Copy)]
pub struct Mover<'m> {
    /// The registry.
    pub client: &'m Client,
    /// Who signs what is missing.
    pub signer: Signer<'m>,
    /// What those who read the tag ask of it: a signature, and not only an attestation, and records of moves.
    pub policy: &'m Policy,
    /// What the rules of their clusters ask besides.
    pub demands: &'m Demands,
    /// The time.
    pub clock: &'m Clock,
}

impl std::fmt::Debug for Mover<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mover")
            .field("signer", &self.signer)
            .finish_non_exhaustive()
    }
}

/// With what [`Mover::attest`] leaves an artifact as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enough {
    /// The same predicate is stated.
    Same,
    /// Any predicate of the type is stated: each run would word its own in another way, and the first one's holds.
    Any,
}

/// What became of a tag.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Moved {
    /// The record that counts for it.
    pub record: Verified<Recorded>,
    /// Whether the record was made by this run.
    pub recorded: bool,
    /// Whether the tag was moved by this run.
    pub moved: bool,
    /// What the tag names by now, when somebody moved it onward right after.
    pub overtaken_by: Option<Digest>,
    /// The number of an earlier record by which the tag was to name this, where a later one has led it on and this was no rollback:
    /// an old version was published or promoted again, or a registry answered with one.
    pub again: Option<u64>,
    /// The rules of the readers' clusters that are only audited and that it does not meet.
    pub concerns: Vec<Unmet>,
}

/// A tag was not moved, or nobody knows whether it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MoveError {
    /// It could not be seen what a tag names.
    #[error("look at tag {tag:?} of {repository}")]
    Look {
        /// The repository.
        repository: String,
        /// The tag.
        tag: String,
        /// Why.
        source: weir_registry::Error,
    },
    /// What is stated about an artifact could not be fetched.
    #[error(transparent)]
    Find(#[from] FindError),
    /// A good signature covers a record that cannot be read.
    #[error("read what tag {tag:?} is to name")]
    Record {
        /// The tag.
        tag: String,
        /// Why.
        source: InvalidRecord,
    },
    /// The artifact does not verify with the policy of those who read the tag; the tag stays where it is.
    #[error("verify {target} as its readers will")]
    NotVerified {
        /// The artifact.
        target: String,
        /// Why.
        source: Box<NotVerified>,
    },
    /// It is signed in cosign's older layout alone. The record of the move is a bundle, and where there are bundles nothing else
    /// counts: whoever takes the artifact now would refuse it then. Nothing was written.
    #[error(
        "the signatures of {target} that its readers accept are of cosign's older layout, which counts no more beside a promotion \
         record"
    )]
    OlderLayout {
        /// The artifact.
        target: String,
    },
    /// A rule of the readers' clusters refuses the artifact; the tag stays where it is.
    #[error("the policies of its readers refuse {target}")]
    NotAdmitted {
        /// The artifact.
        target: String,
        /// Why.
        source: Box<NotAdmitted>,
    },
    /// The new record is not among those that the policy takes; the tag stays where it is.
    #[error("the policy of the readers takes no promotion record about {target} by this signer")]
    NoRecord {
        /// The artifact.
        target: String,
    },
    /// The move must not be made.
    #[error(transparent)]
    Refused(#[from] StepRefused),
    /// The signature, an attestation or the record could not be made or stored.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The registry did not move the tag. The artifact is complete under its digest.
    #[error("move tag {tag:?} of {repository}")]
    Move {
        /// The repository.
        repository: String,
        /// The tag.
        tag: String,
        /// Why.
        source: weir_registry::Error,
    },
    /// Somebody else moved the tag while it was to be rolled back.
    #[error("tag {0:?} was moved by somebody else meanwhile")]
    Meanwhile(String),
    /// Others move the tag all the time.
    #[error("tag {0:?} was moved by others {ATTEMPTS} times meanwhile")]
    Busy(String),
}

/// What is stated about an artifact, and what the readers' policy thinks of it.
struct Found {
    set: SignatureSet,
    examined: Vec<Examined>,
}

impl Found {
    fn states(&self, predicate_type: &str, predicate: Option<&Value>) -> bool {
        let mut good = self.examined.iter().filter_map(|one| one.verdict.as_ref().ok());
        good.any(|verified| {
            let statement = verified.get().statement.as_ref();
            statement.is_some_and(|statement| {
                statement.predicate_type == predicate_type
                    && predicate.is_none_or(|predicate| statement.predicate == *predicate)
            })
        })
    }

    fn records(&self, repository: &Repository, tag: &Tag) -> Result<Vec<Verified<Recorded>>, MoveError> {
        records(&self.examined, repository, tag).map_err(|source| MoveError::Record {
            tag: tag.to_string(),
            source,
        })
    }
}

impl Mover<'_> {
    async fn find(&self, target: &Target) -> Result<Found, MoveError> {
        let set = find_attestations(self.client, target).await?;
        let examined = examine(target, &set, self.policy, (self.clock)());
        Ok(Found { set, examined })
    }

    /// Whether the readers' policy takes `target`, also when a record of a move is beside it.
    ///
    /// # Errors
    /// When it does not, with the reason for each signature, or they cannot be fetched.
    pub async fn verify(&self, target: &Target) -> Result<Verified<Digest>, MoveError> {
        let found = find_attestations(self.client, target).await?;
        if let Ok(verified) = self.judge(target, &found) {
            return Ok(verified);
        }
        // What is said of it is about all of its signatures.
        match self.judge(target, &find(self.client, target).await?) {
            Ok(_) => Err(MoveError::OlderLayout {
                target: target.to_string(),
            }),
            Err(refused) => Err(refused),
        }
    }

    /// Whether there is a signature that counts: what somebody attests does not say that it may be used.
    fn judge(&self, target: &Target, set: &SignatureSet) -> Result<Verified<Digest>, MoveError> {
        let types = PredicateTypes::OneOf(BTreeSet::from([COSIGN_SIGN_PREDICATE.to_owned()]));
        let policy = self.policy.clone().with_predicate_types(types);
        verify(target, set, &policy, (self.clock)()).map_err(|source| MoveError::NotVerified {
            target: target.to_string(),
            source: Box::new(source),
        })
    }

    /// What the rules of the readers' clusters make of `target`: those that are only audited and that it does not meet. With a tag,
    /// its record must be one that they take, where they ask for records.
    async fn admitted(&self, target: &Target, tag: Option<&Tag>) -> Result<Vec<Unmet>, MoveError> {
        if self.demands.is_empty() {
            return Ok(Vec::new());
        }
        let set = find_all(self.client, target, Sizes::of(self.demands.max_bytes())).await?;
        let now = (self.clock)();
        let onward = |admission: weir_verify::Admission| match tag {
            None => Ok(admission),
            Some(tag) => {
                let offer = Offer {
                    repository: target.repository().clone(),
                    tag: tag.clone(),
                    digest: target.digest(),
                    follows: Follows::Tag,
                };
                admission
                    .onward(None, &offer, now)
                    .map(|(admission, _)| admission)
            }
        };
        let admitted = admit(target, &set, self.demands, now).and_then(onward);
        admitted
            .map(|admission| admission.concerns)
            .map_err(|source| MoveError::NotAdmitted {
                target: target.to_string(),
                source: Box::new(source),
            })
    }

    /// Whether `target` has a signature, and not only attestations, that the readers' policy takes.
    ///
    /// # Errors
    /// See [`MoveError`].
    pub async fn is_signed(&self, target: &Target) -> Result<bool, MoveError> {
        Ok(self.find(target).await?.states(COSIGN_SIGN_PREDICATE, None))
    }

    /// Signs `target`, unless [`Mover::is_signed`]. Whether it did.
    ///
    /// # Errors
    /// See [`MoveError`].
    pub async fn sign(&self, target: &Target) -> Result<bool, MoveError> {
        if self.is_signed(target).await? {
            return Ok(false);
        }
        let options = SignOptions::at((self.clock)());
        // On the heap: they are large, and this function's own future would hold them.
        match self.signer {
            Signer::Key(key) => drop(Box::pin(sign(self.client, target, key, &options)).await?),
            Signer::Identity(keyless, token) => {
                drop(Box::pin(sign_keyless(self.client, target, keyless, token, &options)).await?);
            }
        }
        Ok(true)
    }

    /// States `predicate` about `target`, unless somebody whom the readers' policy takes has stated `enough` already. Whether it
    /// did.
    ///
    /// # Errors
    /// See [`MoveError`].
    pub async fn attest(
        &self,
        target: &Target,
        predicate_type: &str,
        predicate: &Value,
        enough: Enough,
    ) -> Result<bool, MoveError> {
        let same = match enough {
            Enough::Same => Some(predicate),
            Enough::Any => None,
        };
        if self.find(target).await?.states(predicate_type, same) {
            return Ok(false);
        }
        self.state(target, predicate_type, predicate.clone()).await?;
        Ok(true)
    }

    async fn state(&self, target: &Target, predicate_type: &str, predicate: Value) -> Result<(), MoveError> {
        let options = AttestOptions::at((self.clock)());
        let work = attest(
            self.client,
            target,
            self.signer,
            predicate_type,
            predicate,
            &options,
        );
        Box::pin(work).await?;
        Ok(())
    }

    /// What a tag names, and the record that counts for it.
    ///
    /// # Errors
    /// See [`MoveError`].
    pub async fn look(&self, repository: &Repository, tag: &Tag) -> Result<TagState, MoveError> {
        let Some(digest) = self.named(repository, tag).await? else {
            return Ok(TagState::default());
        };
        let target = Target::new(repository.clone(), digest);
        let found = self.find(&target).await?;
        let mut records = found.records(repository, tag)?;
        let record = (!records.is_empty()).then(|| records.remove(0).into_inner());
        Ok(TagState {
            digest: Some(digest),
            record,
        })
    }

    /// What a tag names, if it is there.
    async fn named(&self, repository: &Repository, tag: &Tag) -> Result<Option<Digest>, MoveError> {
        match self.client.resolve(&repository.at_tag(tag.clone())).await {
            Ok(found) => Ok(Some(found.digest)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(source) => Err(MoveError::Look {
                repository: repository.to_string(),
                tag: tag.to_string(),
                source,
            }),
        }
    }

    /// Moves a tag as `step` says, in the order of the module's documentation from 3 on. For a publication, signature and
    /// attestations must be there; what is promoted or rolled back to must have been signed by somebody before.
    ///
    /// # Errors
    /// See [`MoveError`]. The tag is where it was then, except that the answer to the move itself may have been lost.
    pub async fn run(&self, step: &Step) -> Result<Moved, MoveError> {
        let target = Target::new(step.repository.clone(), step.digest);
        if !matches!(step.kind, StepKind::Publish) {
            self.verify(&target).await?;
            self.admitted(&target, None).await?;
        }
        let (mut recorded, mut moved) = (false, false);
        let mut first: Option<TagState> = None;
        let mut again = None;
        for _ in 0..ATTEMPTS {
            let (before, found) =
                tokio::try_join!(self.look(&step.repository, &step.tag), self.find(&target))?;
            let is_first = first.is_none();
            let first = first.get_or_insert_with(|| before.clone());
            if matches!(step.kind, StepKind::Rollback { .. }) && *first != before {
                // What is there now is not what somebody wanted to go back from.
                return Err(MoveError::Meanwhile(step.tag.to_string()));
            }
            let prepared = found.records(&step.repository, &step.tag)?;
            let prepared: Vec<Recorded> = prepared.into_iter().map(Verified::into_inner).collect();
            if is_first {
                again = step.comes_again(&before, &prepared);
            }
            let (wanted, is_there) = match step.next(&before, &prepared, (self.clock)())? {
                Next::Record(promotion) => {
                    let predicate = promotion.to_predicate();
                    self.state(&target, PROMOTION_PREDICATE, predicate).await?;
                    recorded = true;
                    (promotion, false)
                }
                Next::Move(record) => (record.promotion, false),
                Next::Done(record) => (record.promotion, true),
            };
            let ready = self.ready(&target, &wanted).await?;
            let concerns = self.admitted(&target, Some(&step.tag)).await?;
            let done = |moved, overtaken_by| Moved {
                record: ready.clone(),
                recorded,
                moved,
                overtaken_by,
                again,
                concerns: concerns.clone(),
            };
            if is_there {
                return Ok(done(moved, None));
            }
            if before.digest != Some(step.digest) {
                // Others may have moved it while this run signed.
                if self.look(&step.repository, &step.tag).await? != before {
                    continue;
                }
                self.put(&ready, &step.tag).await?;
                moved = true;
            }
            // Its record is asked for where it names another artifact alone.
            if self.named(&step.repository, &step.tag).await? == Some(step.digest) {
                return Ok(done(moved, None));
            }
            let after = self.look(&step.repository, &step.tag).await?;
            if after.digest == Some(step.digest) {
                return Ok(done(moved, None));
            }
            let number = after.record.map_or(0, |record| record.promotion.sequence);
            if number > wanted.sequence {
                return Ok(done(moved, after.digest));
            }
        }
        Err(MoveError::Busy(step.tag.to_string()))
    }

    /// The artifact with its record, as its readers will find it.
    async fn ready(
        &self,
        target: &Target,
        wanted: &weir_verify::Promotion,
    ) -> Result<Verified<Recorded>, MoveError> {
        let found = self.find(target).await?;
        self.judge(target, &found.set)?;
        let records = found.records(target.repository(), &wanted.tag)?;
        let mut same = records
            .into_iter()
            .filter(|one| one.get().promotion.sequence == wanted.sequence);
        same.next().ok_or_else(|| MoveError::NoRecord {
            target: target.to_string(),
        })
    }

    /// Moves the tag: nothing but what was verified with its record can be given to it.
    async fn put(&self, ready: &Verified<Recorded>, tag: &Tag) -> Result<(), MoveError> {
        let record = ready.get();
        let repository = &record.promotion.repository;
        let moved = self.client.tag(repository, &record.digest(), tag).await;
        moved.map_err(|source| MoveError::Move {
            repository: repository.to_string(),
            tag: tag.to_string(),
            source,
        })
    }
}
