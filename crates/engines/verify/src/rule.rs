//! Rules over policies: what several parties ask of one artifact, and what comes of it together.
//!
//! A source may name a policy of its own, and rules of the cluster may ask for more. All of them must hold: a rule adds, and
//! never replaces. A rule that is only audited admits what does not meet it, and says so.

mod attested;
mod ends;
mod examined;
mod onward;

use std::fmt;
use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use weir_oci::Digest;

use crate::bundle::DEFAULT_BUNDLE_BYTES;
use crate::error::NotVerified;
use crate::judge::Candidates;
use crate::policy::{Policy, fingerprint_of};
use crate::promotion::NotOnward;
use crate::signatures::SignatureSet;
use crate::verdict::{Admitted, Evidence, Target, Verified};

use attested::earlier;
pub use attested::{Attestation, Attested, Condition, Fails, NotAttested, Unfit};
use examined::Examinations;
pub use onward::Records;

/// What happens to an artifact that does not meet a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// It is refused.
    Enforce,
    /// It is admitted, and told that it would be refused.
    Audit,
}

/// Somebody whose signature counts.
#[derive(Clone, Debug)]
pub struct Authority {
    /// What messages call it.
    pub name: String,
    /// How its signatures are told.
    pub policy: Policy,
}

/// Whose signatures a rule asks for: one of some, where there are any, and every one of others.
#[derive(Clone, Debug)]
pub struct Authorities {
    any_of: Vec<Authority>,
    all_of: Vec<Authority>,
}

/// A rule without authorities, which everything would meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no authority is named, so nothing would be asked for")]
pub struct NoAuthorities;

impl Authorities {
    /// One of `any_of`, where there are any, and every one of `all_of`.
    ///
    /// # Errors
    /// When there are none.
    pub fn new(any_of: Vec<Authority>, all_of: Vec<Authority>) -> Result<Self, NoAuthorities> {
        if any_of.is_empty() && all_of.is_empty() {
            return Err(NoAuthorities);
        }
        Ok(Self { any_of, all_of })
    }

    /// The same with other policies.
    #[must_use]
    pub fn map(self, change: impl Fn(Policy) -> Policy) -> Self {
        let change = |list: Vec<Authority>| {
            let changed = list.into_iter().map(|one| Authority {
                policy: change(one.policy),
                name: one.name,
            });
            changed.collect()
        };
        Self {
            any_of: change(self.any_of),
            all_of: change(self.all_of),
        }
    }

    fn describe(&self, parts: &mut Vec<String>) {
        for (word, list) in [("any of", &self.any_of), ("all of", &self.all_of)] {
            parts.extend([word.to_owned(), list.len().to_string()]);
            for one in list {
                parts.extend([one.name.clone(), one.policy.fingerprint().to_string()]);
            }
        }
    }

    /// Who signed, or whose signatures are missing.
    fn met_by(&self, candidates: &Candidates<'_>) -> Result<Vec<Grant>, Vec<Lack>> {
        let mut grants = Vec::new();
        let mut lacks = Vec::new();
        let check = |one: &Authority| {
            let verified = candidates.verify_plain(&one.policy)?;
            Ok::<_, NotVerified>(Grant {
                authority: one.name.clone(),
                verified,
            })
        };
        let mut missing = Vec::new();
        for one in &self.any_of {
            match check(one) {
                Ok(grant) => {
                    grants.push(grant);
                    missing.clear();
                    break;
                }
                Err(why) => missing.push((one.name.clone(), why)),
            }
        }
        if !missing.is_empty() {
            lacks.push(Lack::Signature(missing));
        }
        for one in &self.all_of {
            match check(one) {
                Ok(grant) => grants.push(grant),
                Err(why) => lacks.push(Lack::Signature(vec![(one.name.clone(), why)])),
            }
        }
        if lacks.is_empty() { Ok(grants) } else { Err(lacks) }
    }
}

/// Everything that a rule asks for.
#[derive(Clone, Debug)]
pub struct Asks {
    /// Whose signatures.
    pub authorities: Authorities,
    /// What must have been stated of the artifact besides.
    pub attestations: Vec<Attestation>,
    /// By whose promotion records a source must go forward only, any one of them; nothing where it may go anywhere.
    pub records: Option<Authorities>,
}

/// By what a rule is met.
struct Holds {
    grants: Vec<Grant>,
    attested: Vec<Attested>,
    records: Option<Records>,
}

impl Asks {
    fn describe(&self, parts: &mut Vec<String>) {
        self.authorities.describe(parts);
        for attestation in &self.attestations {
            attestation.describe(parts);
        }
        if let Some(authorities) = &self.records {
            parts.push("forward only".to_owned());
            authorities.describe(parts);
        }
    }

    /// By what it is met, or everything that is missing.
    fn met_by(
        &self,
        target: &Target,
        candidates: &Candidates<'_>,
        examinations: &Examinations<'_>,
    ) -> Result<Holds, Vec<Lack>> {
        let mut lacks = Vec::new();
        let grants = self.authorities.met_by(candidates);
        let grants = grants.unwrap_or_else(|mut missing| {
            lacks.append(&mut missing);
            Vec::new()
        });
        let mut attested = Vec::new();
        for attestation in &self.attestations {
            match attestation.found_in(examinations) {
                Ok(one) => attested.push(one),
                Err(why) => lacks.push(Lack::Attestation(why)),
            }
        }
        let records = match &self.records {
            Some(authorities) => Records::by(authorities, target, examinations).map(Some),
            None => Ok(None),
        };
        let records = records.unwrap_or_else(|why| {
            lacks.push(Lack::Onward(why));
            None
        });
        if lacks.is_empty() {
            Ok(Holds {
                grants,
                attested,
                records,
            })
        } else {
            Err(lacks)
        }
    }
}

impl From<Authorities> for Asks {
    /// Nothing but signatures.
    fn from(authorities: Authorities) -> Self {
        Self {
            authorities,
            attestations: Vec::new(),
            records: None,
        }
    }
}

/// What somebody besides the source asks of its artifacts.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What messages call it.
    pub name: String,
    /// What happens to what does not meet it.
    pub mode: Mode,
    /// What is asked for. A rule that cannot be used says why; nothing meets it.
    pub asks: Result<Asks, String>,
}

/// Everything that is asked of an artifact.
#[derive(Clone, Debug, Default)]
pub struct Demands {
    /// What the source itself asks for.
    pub own: Option<Policy>,
    /// What others ask for besides.
    pub rules: Vec<Rule>,
}

impl Demands {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.own.is_none() && self.rules.is_empty()
    }

    /// A digest of everything that decides: every policy, its trust root, the names and modes of the rules (N23).
    pub fn fingerprint(&self) -> Digest {
        // What a source asked for alone has the fingerprint of its policy, whether or not there could be rules.
        if let (Some(own), []) = (&self.own, self.rules.as_slice()) {
            return own.fingerprint();
        }
        let mut parts = vec!["demands".to_owned()];
        parts.push(match &self.own {
            Some(own) => own.fingerprint().to_string(),
            None => "none".to_owned(),
        });
        for rule in &self.rules {
            parts.extend([rule.name.clone(), format!("{:?}", rule.mode)]);
            match &rule.asks {
                Ok(asks) => asks.describe(&mut parts),
                Err(why) => parts.extend(["unusable".to_owned(), why.clone()]),
            }
        }
        fingerprint_of(parts)
    }

    /// Whether attestations are asked for, of which promotion records are some: those of the older layout are stored elsewhere than
    /// signatures.
    pub fn ask_for_attestations(&self) -> bool {
        self.asks()
            .any(|asks| !asks.attestations.is_empty() || asks.records.is_some())
    }

    /// How long an attestation may be that is asked for, in bytes; [`crate::DEFAULT_BUNDLE_BYTES`] at least.
    pub fn max_bytes(&self) -> u64 {
        let attestations = self.asks().flat_map(|asks| &asks.attestations);
        let asked = attestations.map(|one| one.max_bytes);
        asked.fold(DEFAULT_BUNDLE_BYTES, u64::max)
    }

    /// Whether time alone may change a verdict: whether something that is stated must not be too old, or is compared with the
    /// time.
    pub fn depend_on_time(&self) -> bool {
        let mut attestations = self.asks().flat_map(|asks| &asks.attestations);
        attestations.any(|one| {
            one.max_age.is_some() || one.conditions.iter().any(|condition| condition.depends_on_time())
        })
    }

    /// Whether a rule lets sources go forward only, or cannot be read, so that it may.
    pub fn may_ask_for_records(&self) -> bool {
        let may = |rule: &Rule| rule.asks.as_ref().map_or(true, |asks| asks.records.is_some());
        self.rules.iter().any(may)
    }

    fn asks(&self) -> impl Iterator<Item = &Asks> {
        self.rules.iter().filter_map(|rule| rule.asks.as_ref().ok())
    }

    /// What comes of an artifact that has no signatures which could be looked at, for this reason.
    ///
    /// # Errors
    /// When somebody insists on them.
    pub fn unsigned(&self, why: &str) -> Result<Vec<Unmet>, NotAdmitted> {
        let mut found = Findings::default();
        for rule in &self.rules {
            found.lacking(rule, vec![Lack::Signatures(why.to_owned())]);
        }
        if self.own.is_some() || !found.unmet.is_empty() {
            return Err(NotAdmitted {
                own: self.own.is_some().then(|| why.to_owned()),
                unmet: found.unmet,
            });
        }
        Ok(found.concerns)
    }

    /// The same for an artifact that is known.
    ///
    /// # Errors
    /// When somebody insists on signatures.
    pub fn admit_unsigned(&self, target: &Target, why: &str) -> Result<Admission, NotAdmitted> {
        let concerns = self.unsigned(why)?;
        Ok(Admission {
            admitted: Admitted::without_policy(target.digest()),
            own: None,
            met: Vec::new(),
            concerns,
            until: None,
            ends: None,
        })
    }
}

/// A signature that a rule asked for.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The name of the authority.
    pub authority: String,
    verified: Verified<Digest>,
}

impl Grant {
    /// What it rests on.
    pub const fn evidence(&self) -> &Evidence {
        self.verified.evidence()
    }
}

/// A rule that is met.
#[derive(Clone, Debug)]
pub struct Met {
    /// The name of the rule.
    pub rule: String,
    /// Whether it is enforced.
    pub mode: Mode,
    /// By which signatures; at least one.
    pub grants: Vec<Grant>,
    /// By which attestations.
    pub attested: Vec<Attested>,
    /// The promotion records that count, where the rule asks for them; see [`Admission::onward`].
    pub records: Option<Records>,
}

/// A rule that is not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// The name of the rule.
    pub rule: String,
    /// What it lacks; at least one thing.
    pub lacks: Vec<Lack>,
}

/// Something that a rule asks for and an artifact has not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lack {
    /// A signature by one of these authorities, and why there is none by each.
    Signature(Vec<(String, NotVerified)>),
    /// An attestation.
    Attestation(NotAttested),
    /// The artifact is no step forward.
    Onward(NotOnward),
    /// Signatures could not be looked at.
    Signatures(String),
    /// The rule cannot be used.
    Unusable(String),
}

/// What all that was asked for came to.
#[derive(Clone, Debug)]
pub struct Admission {
    /// The artifact: verified when any policy or rule was met, none being broken that is enforced.
    pub admitted: Admitted<Digest>,
    /// By what the source's own policy was met.
    pub own: Option<Evidence>,
    /// The rules that are met, those that are audited too.
    pub met: Vec<Met>,
    /// The audited rules that are not.
    pub concerns: Vec<Unmet>,
    /// Until when this is sure to hold; nothing when time alone does not change it.
    pub until: Option<Timestamp>,
    /// When it holds no more, or an audited rule has a concern, as far as was looked ahead; see [`admit_ahead`].
    pub ends: Option<Timestamp>,
}

/// An artifact does not have what is insisted on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", refusal(.own.as_deref(), .unmet))]
pub struct NotAdmitted {
    /// Why the source's own policy refuses it, if it does.
    pub own: Option<String>,
    /// The enforced rules that refuse it.
    pub unmet: Vec<Unmet>,
}

#[derive(Default)]
struct Findings {
    met: Vec<Met>,
    unmet: Vec<Unmet>,
    concerns: Vec<Unmet>,
}

impl Findings {
    fn lacking(&mut self, rule: &Rule, lacks: Vec<Lack>) {
        let lacks = match &rule.asks {
            Ok(_) => lacks,
            Err(why) => vec![Lack::Unusable(why.clone())],
        };
        let unmet = Unmet {
            rule: rule.name.clone(),
            lacks,
        };
        match rule.mode {
            Mode::Enforce => self.unmet.push(unmet),
            Mode::Audit => self.concerns.push(unmet),
        }
    }
}

/// Decides whether `target` may be used, `now` being the time: the source's own policy and every enforced rule must be met.
///
/// # Errors
/// When one of them is not, with the reasons of all of them.
pub fn admit(
    target: &Target,
    signatures: &SignatureSet,
    demands: &Demands,
    now: Timestamp,
) -> Result<Admission, NotAdmitted> {
    admit_ahead(target, signatures, demands, now, SignedDuration::ZERO)
}

/// The same for whoever looks again after `ahead`, or when it ends: [`Admission::ends`] says when something that is stated becomes too
/// old, whenever that is, and when a condition on the time becomes false, if that is before then.
///
/// # Errors
/// As for [`admit`].
pub fn admit_ahead(
    target: &Target,
    signatures: &SignatureSet,
    demands: &Demands,
    now: Timestamp,
    ahead: SignedDuration,
) -> Result<Admission, NotAdmitted> {
    let candidates = Candidates::of(target, signatures, now);
    let own = demands.own.as_ref().map(|policy| candidates.verify_plain(policy));
    let examinations = Examinations::new(&candidates, now, ahead);
    let mut found = Findings::default();
    let (mut until, mut ends) = (None, None);
    for rule in &demands.rules {
        let met = match &rule.asks {
            Ok(asks) => asks.met_by(target, &candidates, &examinations),
            Err(why) => Err(vec![Lack::Unusable(why.clone())]),
        };
        match met {
            Ok(holds) => {
                until = holds.attested.iter().map(|one| one.until).fold(until, earlier);
                ends = holds.attested.iter().map(|one| one.ends).fold(ends, earlier);
                found.met.push(Met {
                    rule: rule.name.clone(),
                    mode: rule.mode,
                    grants: holds.grants,
                    attested: holds.attested,
                    records: holds.records,
                });
            }
            Err(lacks) => found.lacking(rule, lacks),
        }
    }
    let own = match own {
        Some(Err(why)) => Err(Some(why.to_string())),
        Some(Ok(_)) | None if !found.unmet.is_empty() => Err(None),
        Some(Ok(verified)) => Ok(Some(verified)),
        None => Ok(None),
    };
    let own = own.map_err(|own| NotAdmitted {
        own,
        unmet: found.unmet,
    })?;
    let by_rule = || {
        let first = found.met.iter().flat_map(|met| &met.grants).next();
        first.map(|grant| grant.verified.clone())
    };
    Ok(Admission {
        own: own.as_ref().map(|verified| verified.evidence().clone()),
        admitted: match own.or_else(by_rule) {
            Some(verified) => verified.into(),
            None => Admitted::without_policy(target.digest()),
        },
        met: found.met,
        concerns: found.concerns,
        until,
        ends,
    })
}

impl fmt::Display for Met {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, grant) in self.grants.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(
                f,
                "{separator}authority '{}': {}",
                grant.authority,
                grant.evidence()
            )?;
        }
        for one in &self.attested {
            write!(f, "; {one}")?;
        }
        if let Some(records) = &self.records {
            records.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, lack) in self.lacks.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{lack}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signature(missing) => {
                // Authorities with the same answer are named together, so that signatures are not listed twice.
                let mut answers: Vec<(Vec<&str>, String)> = Vec::new();
                for (name, why) in missing {
                    let why = why.to_string();
                    match answers.iter_mut().find(|(_, known)| *known == why) {
                        Some((names, _)) => names.push(name),
                        None => answers.push((vec![name], why)),
                    }
                }
                for (index, (names, why)) in answers.iter().enumerate() {
                    let separator = if index == 0 { "" } else { "; " };
                    write!(f, "{separator}authority '{}': {why}", names.join("' or '"))?;
                }
                Ok(())
            }
            Self::Attestation(missing) => missing.fmt(f),
            Self::Onward(why) => why.fmt(f),
            Self::Signatures(why) => f.write_str(why),
            Self::Unusable(why) => write!(f, "the policy cannot be used, so nothing meets it: {why}"),
        }
    }
}

fn refusal(own: Option<&str>, unmet: &[Unmet]) -> String {
    let mut text = own.unwrap_or_default().to_owned();
    for one in unmet {
        let separator = if text.is_empty() { "" } else { "\n" };
        // Writing to a String cannot fail.
        let _ = write!(text, "{separator}refused by policy '{}': {one}", one.rule);
    }
    text
}
