//! Step three: are the signatures there that the spec and the cluster's policies ask for? The only way to an [`Admitted`] digest.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use weir_apis::condition::{SOURCE_VERIFIED, Status};
use weir_apis::reason;
use weir_apis::time::Time;
use weir_oci::Digest;
use weir_registry::Client;
use weir_runtime::verdict::chain;
use weir_runtime::{Draft, Event, Failure, Severity};
use weir_verify::{
    Admission, Admitted, Demands, NotAdmitted, Policy, SignatureSet, Standing, Target, admit_ahead,
};

use crate::policies::{concerns, lines, message};
use crate::policy::Own;
use crate::standing::Course;
use crate::status::{At, Failed};
use crate::verdicts::Verdicts;

/// How the message of a refusal begins. Flux's words, which alerts match on, go on with `using provider …` where the source's own
/// policy refuses.
pub(crate) const REFUSAL: &str = "failed to verify the signature: ";

/// Everything that is asked of a source's artifact.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) demands: Demands,
    /// What Flux calls the kind of the source's own policy in messages.
    provider: &'static str,
}

impl Asked {
    /// What a source asks for itself, and what the cluster's policies ask of it besides.
    pub(crate) fn new(own: Option<Own>, rules: Vec<weir_verify::Rule>) -> Self {
        let (own, provider) = own.map(|own| (own.policy, own.provider)).unzip();
        Self {
            demands: Demands { own, rules },
            provider: provider.unwrap_or_default(),
        }
    }

    fn refused(&self, refusal: &NotAdmitted) -> Failed {
        let mut lines = Vec::new();
        if let Some(why) = &refusal.own {
            let provider = self.provider;
            lines.push(format!(
                "failed to verify the signature using provider '{provider}': {why}"
            ));
        }
        for unmet in &refusal.unmet {
            let begin = if lines.is_empty() { REFUSAL } else { "" };
            lines.push(format!("{begin}refused by policy '{}': {unmet}", unmet.rule));
        }
        Failed {
            at: At::Verify,
            failure: Failure::retry(reason::VERIFICATION_ERROR, message(&lines)),
        }
    }
}

/// What is to be admitted, and who is asked for its signatures.
#[derive(Debug)]
pub(crate) struct Candidate<'c> {
    pub(crate) asked: &'c Asked,
    pub(crate) registry: &'c Client,
    pub(crate) target: Target,
    /// What the status calls it, such as `revision latest@sha256:…`.
    pub(crate) name: &'c str,
    /// Where the source is; nothing for one that is to take this very digest, which goes nowhere.
    pub(crate) course: Option<Course>,
    /// When it is looked at again anyway.
    pub(crate) interval: Duration,
}

/// What was admitted.
#[derive(Debug)]
pub(crate) struct Passed {
    pub(crate) admitted: Admitted<Digest>,
    /// Where the source is then, where a policy asks that it goes forward only.
    pub(crate) standing: Option<Standing>,
    /// When to look again at the latest: what is stated of it is too old then, or something else that depends on the time changes.
    pub(crate) at_latest: Option<Duration>,
}

/// What is judged at once, in bytes of signatures and attestations. More takes so long that others must go on meanwhile.
const AT_ONCE: usize = 1 << 20;

impl Candidate<'_> {
    async fn judge(
        &self,
        signatures: SignatureSet,
        now: Time,
    ) -> Result<Result<Admission, NotAdmitted>, Failed> {
        let ahead = SignedDuration::try_from(self.interval).unwrap_or(SignedDuration::MAX);
        let (demands, now) = (&self.asked.demands, now.timestamp());
        if signatures.bytes() <= AT_ONCE {
            return Ok(admit_ahead(&self.target, &signatures, demands, now, ahead));
        }
        let (target, demands) = (self.target.clone(), demands.clone());
        let work = move || admit_ahead(&target, &signatures, &demands, now, ahead);
        let judged = tokio::task::spawn_blocking(work).await;
        judged.map_err(|error| Failed {
            at: At::Verify,
            failure: Failure::retry(
                reason::VERIFICATION_ERROR,
                format!("verifying did not end: {error}"),
            ),
        })
    }

    /// What is left of a verdict for this very source.
    fn onward(&self, admission: Admission, now: Time) -> Result<(Admission, Option<Standing>), NotAdmitted> {
        let Some(course) = &self.course else {
            return Ok((admission, None));
        };
        let stands = course.stands.as_ref();
        let (admission, standing) = admission.onward(stands, &course.offer, now.timestamp())?;
        // An audit that lets something pass for another reason takes the source nowhere, either.
        let stays = stands.filter(|_| self.asked.demands.may_ask_for_records());
        Ok((admission, standing.or_else(|| stays.cloned())))
    }
}

/// Checks the signatures of a candidate against all that is asked of it, and says in the draft's conditions what came of it. Where
/// nothing is asked the artifact is admitted unverified, and the condition goes.
pub(crate) async fn admit(
    candidate: &Candidate<'_>,
    verdicts: &Verdicts,
    draft: &mut Draft,
    now: Time,
) -> Result<Passed, Failed> {
    let Candidate {
        asked,
        target,
        registry,
        name,
        course: _,
        interval: _,
    } = candidate;
    if asked.demands.is_empty() {
        draft.conditions.remove(SOURCE_VERIFIED);
        return Ok(Passed {
            admitted: Admitted::without_policy(target.digest()),
            standing: None,
            at_latest: None,
        });
    }
    let fingerprint = asked.demands.fingerprint();
    // A verdict that is remembered may lack a record that was made since.
    let kept = verdicts.get(target, fingerprint, now.timestamp());
    let kept = kept.and_then(|admission| candidate.onward(admission, now).ok());
    let kept = kept.filter(|(admission, _)| admission.concerns.is_empty());
    let (admission, standing) = if let Some(kept) = kept {
        kept
    } else {
        let found = if asked.demands.ask_for_attestations() {
            let sizes = weir_trust::Sizes::of(asked.demands.max_bytes());
            weir_trust::find_all(registry, target, sizes).await
        } else {
            weir_trust::find(registry, target).await
        };
        let judged = match found {
            Ok(signatures) => candidate.judge(signatures, now).await?,
            Err(error) => asked
                .demands
                .admit_unsigned(target, &format!("cannot look for signatures: {}", chain(&error))),
        };
        let admission = judged.map_err(|refusal| asked.refused(&refusal))?;
        // What an audit misses may come at any time.
        if admission.concerns.is_empty() {
            verdicts.keep(target, fingerprint, &admission);
        }
        let onward = candidate.onward(admission, now);
        onward.map_err(|refusal| asked.refused(&refusal))?
    };
    say(draft, asked, name, &admission, now);
    let wait = |ends: Timestamp| {
        let left = ends.duration_since(now.timestamp());
        Duration::try_from(left).unwrap_or_default()
    };
    Ok(Passed {
        at_latest: admission.ends.map(wait),
        admitted: admission.admitted,
        standing,
    })
}

/// The same for what cannot carry signatures: it is admitted where nobody insists on them.
pub(crate) fn admit_unsigned(
    asked: &Asked,
    name: &str,
    why: &str,
    draft: &mut Draft,
    now: Time,
) -> Result<(), Failed> {
    if asked.demands.is_empty() {
        draft.conditions.remove(SOURCE_VERIFIED);
        return Ok(());
    }
    let unmet = asked.demands.unsigned(why);
    let concerns = unmet.map_err(|refusal| asked.refused(&refusal))?;
    let admission = Admission {
        admitted: Admitted::without_policy(Digest::of(&[])),
        own: None,
        met: Vec::new(),
        concerns,
        until: None,
        ends: None,
    };
    say(draft, asked, name, &admission, now);
    Ok(())
}

fn say(draft: &mut Draft, asked: &Asked, name: &str, admission: &Admission, now: Time) {
    let fingerprint = asked.demands.fingerprint();
    let (status, reason, mut first) = match admission.admitted.evidence() {
        Some(evidence) => {
            let verdict = format!("{}{evidence}", verdict_on(name, fingerprint));
            (Status::True, reason::SUCCEEDED, verdict)
        }
        None => (
            Status::False,
            reason::WOULD_BE_REFUSED,
            format!(
                "{}no policy that asks for a signature is enforced",
                unverified(name)
            ),
        ),
    };
    let warnings = match &asked.demands.own {
        Some(Policy::Identities(own)) if admission.own.is_some() => own.warnings(),
        _ => Vec::new(),
    };
    if let Some((warning, more)) = warnings.split_first() {
        first.push_str("; warning: ");
        first.push_str(warning);
        if !more.is_empty() {
            let more = format!(" (and {} more, which `weir verify` shows)", more.len());
            first.push_str(&more);
        }
    }
    let mut all = vec![first];
    all.extend(lines(admission));
    draft.set(SOURCE_VERIFIED, status, reason, &message(&all), now);
}

/// How the condition's message begins for what has this name, under everything that has this fingerprint: the status remembers by it
/// what the verdict was about, so that other keys in a Secret, another trust root or another policy ask for a new one.
fn verdict_on(name: &str, policy: Digest) -> String {
    let policy: String = policy.hex().chars().take(12).collect();
    format!("verified signature of {name} under policy {policy}: ")
}

/// Whether the verdict in the status still holds: it was given for this very artifact, generation and policy, and no audit would
/// have it refused. A newer one may have been verified and then not fetched, which says nothing of the stored one.
pub(crate) fn is_admitted(draft: &Draft, asked: &Asked, name: &str) -> bool {
    let verdict = draft.conditions.get(SOURCE_VERIFIED);
    if asked.demands.is_empty() {
        // Dropping the condition of a policy that is gone is done where the absence is noticed.
        return verdict.is_none();
    }
    // What time alone may change is looked up among the verdicts, which know when they end.
    !asked.demands.depend_on_time()
        && verdict.is_some_and(|c| {
            c.status == Status::True
                && c.observed_generation == Some(draft.object.generation())
                && c.message
                    .starts_with(&verdict_on(name, asked.demands.fingerprint()))
                && concerns(&c.message).is_empty()
        })
}

/// How the message begins where nothing that is asked for was found, and nobody insists.
fn unverified(name: &str) -> String {
    format!("admitted {name} unverified: ")
}

/// Whether the status speaks of this very artifact, as admitted under whatever policies: it need not be fetched again for a new
/// verdict.
pub(crate) fn is_judged(draft: &Draft, name: &str) -> bool {
    let verified = format!("verified signature of {name} under policy ");
    draft.conditions.get(SOURCE_VERIFIED).is_some_and(|c| {
        c.observed_generation == Some(draft.object.generation())
            && (c.message.starts_with(&verified) || c.message.starts_with(&unverified(name)))
    })
}

/// What policies under audit say now and did not say before.
pub(crate) fn news(draft: &Draft) -> Option<Event> {
    let of = |conditions: &weir_apis::condition::Conditions| {
        let message = conditions.get(SOURCE_VERIFIED).map(|c| c.message.as_str());
        concerns(message.unwrap_or_default())
    };
    let now = of(&draft.conditions);
    let before = of(&weir_apis::condition::Conditions::of(&draft.object));
    (!now.is_empty() && now != before).then(|| Event::new(Severity::Warning, reason::WOULD_BE_REFUSED, now))
}
