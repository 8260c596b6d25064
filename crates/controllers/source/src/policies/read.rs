//! A VerificationPolicy, read with the Secrets that it refers to.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::Value;
use weir_apis::kind::{
    Authorities as WantedAll, Authority as Wanted, KeylessAuthority, PolicyAttestation, PolicySecretRef,
    VerificationPolicy, VerificationPolicySpec,
};
use weir_apis::{InvalidObject, Object};
use weir_runtime::verdict::{chain, duration};
use weir_verify::{
    Asks, Attestation, Authorities, Authority, COSIGN_SIGN_PREDICATE, Condition, DEFAULT_BUNDLE_BYTES,
    Identity, IdentityPolicy, InvalidPredicateType, MAX_BUNDLE_BYTES, Mode, Policy, PredicateType,
    PredicateTypes, Rule, TextMatch, TrustRoot,
};

use super::Scope;
use crate::known::Known;
use crate::policy::{keys_in, root_in};

/// Where the Secrets are that policies refer to.
pub trait Secrets {
    /// The Secret, or why it cannot be had.
    fn secret(&self, wanted: &PolicySecretRef) -> impl Future<Output = Result<Arc<Object>, String>> + Send;
}

/// What can be told of a policy by itself.
#[derive(Debug)]
pub struct PolicyReading {
    /// Its name.
    pub name: String,
    /// What happens to what does not meet it; whatever is not an audit is enforced.
    pub mode: Mode,
    /// Which sources it is about.
    pub scope: Scope,
    spec: Result<VerificationPolicySpec, String>,
}

/// Why a policy cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// As it is written.
    Written(String),
    /// As its Secrets are.
    Secret(String),
}

impl PolicyReading {
    /// Reads a policy. That it cannot be used is found out by [`PolicyReading::rule`].
    pub fn of(object: &Object) -> Self {
        let said = object.get(&["spec", "mode"]).and_then(Value::as_str);
        let read = object.parse::<VerificationPolicy>();
        Self {
            name: object.name().to_owned(),
            mode: if said == Some("audit") {
                Mode::Audit
            } else {
                Mode::Enforce
            },
            scope: Scope::of(object),
            spec: read.map(|policy| policy.spec).map_err(|error| match &error {
                InvalidObject::Shape { field, source, .. } => format!("{field}: {source}"),
                error => chain(error),
            }),
        }
    }

    /// What it asks for, with the Secrets as they are now; what was read before is in `known`. One that cannot be used becomes a rule
    /// that nothing meets.
    pub async fn rule(self, secrets: &impl Secrets, public_good: &TrustRoot, known: &Known) -> Rule {
        let asks = self.asks(secrets, public_good, known).await;
        Rule {
            name: self.name,
            mode: self.mode,
            asks: asks.map_err(|unusable| match unusable {
                Unusable::Written(why) | Unusable::Secret(why) => why,
            }),
        }
    }

    /// Everything that it asks for.
    pub(crate) async fn asks(
        &self,
        secrets: &impl Secrets,
        public_good: &TrustRoot,
        known: &Known,
    ) -> Result<Asks, Unusable> {
        let from = Inputs {
            secrets,
            public_good,
            known,
        };
        let written = |why: String| Unusable::Written(why);
        let spec = self.spec.as_ref().map_err(|why| written(why.clone()))?;
        if let Some(why) = self.scope.problem() {
            return Err(written(why.to_owned()));
        }
        if let Some(mode) = spec.mode.as_deref()
            && !["audit", "enforce"].contains(&mode)
        {
            return Err(written(format!(
                "spec.mode: '{mode}' is neither enforce nor audit"
            )));
        }
        let wanted = &spec.authorities;
        let all = list("spec.authorities", wanted, &from).await?;
        let mut attestations = Vec::new();
        for (index, one) in spec.attestations.iter().enumerate() {
            let place = format!("spec.attestations[{index}]");
            let by = match &one.authorities {
                None => all.clone(),
                Some(by) => list(&format!("{place}.authorities"), by, &from).await?,
            };
            attestations.push(attestation(&place, one, by, known).map_err(Unusable::Written)?);
        }
        Ok(Asks {
            records: spec.monotonic.then(|| all.clone()),
            authorities: all.map(|policy| strict(policy, spec.same_repository)),
            attestations,
        })
    }

    /// The Secrets that it refers to.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &PolicySecretRef> {
        self.wanted().flat_map(|wanted| {
            let key = wanted.key.as_ref().map(|key| &key.secret_ref);
            let keyless = wanted.keyless.as_ref();
            let root = keyless.and_then(|keyless| keyless.trusted_root_secret_ref.as_ref());
            key.into_iter().chain(root)
        })
    }

    /// Everybody whom it names, for signatures and for attestations.
    fn wanted(&self) -> impl Iterator<Item = &Wanted> {
        self.spec.iter().flat_map(|spec| {
            let attestations = spec
                .attestations
                .iter()
                .filter_map(|one| one.authorities.as_ref());
            let lists = std::iter::once(&spec.authorities).chain(attestations);
            lists.flat_map(|list| list.any_of.iter().chain(&list.all_of))
        })
    }

    /// In what ways it lets in more than it seems to.
    pub(crate) fn warnings(&self, known: &Known) -> Vec<String> {
        self.wanted()
            .filter_map(|wanted| Some((wanted, identity("", wanted.keyless.as_ref()?, known).ok()?)))
            .flat_map(|(wanted, identity)| {
                let warnings = identity.warnings().into_iter();
                warnings.map(move |warning| format!("authority '{}': {warning}", wanted.name))
            })
            .collect()
    }
}

/// What a policy is read from.
struct Inputs<'f, S> {
    secrets: &'f S,
    public_good: &'f TrustRoot,
    known: &'f Known,
}

async fn list<S: Secrets>(
    place: &str,
    wanted: &WantedAll,
    from: &Inputs<'_, S>,
) -> Result<Authorities, Unusable> {
    let (mut any_of, mut all_of) = (Vec::new(), Vec::new());
    for (field, wanted, read) in [
        ("anyOf", &wanted.any_of, &mut any_of),
        ("allOf", &wanted.all_of, &mut all_of),
    ] {
        for (index, wanted) in wanted.iter().enumerate() {
            let place = format!("{place}.{field}[{index}]");
            let policy = policy(&place, wanted, from).await?;
            read.push(Authority {
                name: wanted.name.clone(),
                policy,
            });
        }
    }
    Authorities::new(any_of, all_of).map_err(|error| Unusable::Written(format!("{place}: {error}")))
}

fn attestation(
    place: &str,
    wanted: &PolicyAttestation,
    authorities: Authorities,
    known: &Known,
) -> Result<Attestation, String> {
    let predicate_type = wanted.predicate_type.parse();
    let predicate_type: PredicateType = predicate_type.map_err(|error: InvalidPredicateType| {
        format!("{place}.predicateType: '{}' is {error}", wanted.predicate_type)
    })?;
    let mut conditions: Vec<Arc<dyn Condition>> = Vec::new();
    for (index, text) in wanted.expressions.iter().enumerate() {
        let expression = known.expression(text);
        conditions.push(expression.map_err(|error| format!("{place}.expressions[{index}]: {error}"))?);
    }
    let age = |text: &str| {
        let read = duration(&format!("{place}.maxAge"), text).map_err(|failure| failure.message)?;
        SignedDuration::try_from(read).map_err(|error| format!("{place}.maxAge: {error}"))
    };
    Ok(Attestation {
        predicate_type,
        authorities,
        conditions,
        max_age: wanted.max_age.as_deref().map(age).transpose()?,
        max_bytes: match wanted.max_size.as_deref() {
            None => DEFAULT_BUNDLE_BYTES,
            Some(text) => size(text).ok_or_else(|| {
                format!("{place}.maxSize: '{text}' is not a size such as 64Mi, from 1 to {LARGEST}")
            })?,
        },
    })
}

/// The largest attestation that a policy may ask for.
const LARGEST: &str = "128Mi";

/// A size in bytes, Ki or Mi, of what the engine reads.
fn size(text: &str) -> Option<u64> {
    let (number, unit) = [("Ki", 1 << 10), ("Mi", 1 << 20)]
        .into_iter()
        .find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))
        .unwrap_or((text, 1));
    let bytes = number.parse::<u64>().ok()?.checked_mul(unit)?;
    (1..=MAX_BUNDLE_BYTES as u64).contains(&bytes).then_some(bytes)
}

/// Plain signatures alone: what somebody attests of an artifact does not say that it may be used (security case N37).
fn strict(policy: Policy, same_repository: bool) -> Policy {
    let types = BTreeSet::from([COSIGN_SIGN_PREDICATE.to_owned()]);
    let policy = policy.with_predicate_types(PredicateTypes::OneOf(types));
    if same_repository {
        policy.for_same_repository_only()
    } else {
        policy
    }
}

async fn policy<S: Secrets>(place: &str, wanted: &Wanted, from: &Inputs<'_, S>) -> Result<Policy, Unusable> {
    let Inputs {
        secrets,
        public_good,
        known,
    } = *from;
    match (&wanted.key, &wanted.keyless) {
        (Some(key), None) => {
            let field = format!("{place}.key.secretRef");
            let object = secret(&field, &key.secret_ref, secrets).await?;
            let keys = keys_in(&object);
            Ok(Policy::Keys(
                keys.map_err(|why| in_secret(&field, &key.secret_ref, &why))?,
            ))
        }
        (None, Some(keyless)) => {
            let identity = identity(place, keyless, known).map_err(Unusable::Written)?;
            let root = match &keyless.trusted_root_secret_ref {
                None => public_good.clone(),
                Some(reference) => {
                    let field = format!("{place}.keyless.trustedRootSecretRef");
                    let object = secret(&field, reference, secrets).await?;
                    root_in(&object, known).map_err(|why| in_secret(&field, reference, &why))?
                }
            };
            let policy = IdentityPolicy::new(root, [identity]);
            Ok(Policy::Identities(policy.map_err(|error| {
                Unusable::Written(format!("{place}: {error}"))
            })?))
        }
        _ => Err(Unusable::Written(format!(
            "{place}: exactly one of key and keyless must be set"
        ))),
    }
}

async fn secret(
    field: &str,
    reference: &PolicySecretRef,
    secrets: &impl Secrets,
) -> Result<Arc<Object>, Unusable> {
    let found = secrets.secret(reference).await;
    found.map_err(|why| in_secret(field, reference, &format!("cannot be read: {why}")))
}

fn in_secret(field: &str, reference: &PolicySecretRef, why: &str) -> Unusable {
    let PolicySecretRef { name, namespace } = reference;
    Unusable::Secret(format!("{field}: Secret '{namespace}/{name}' {why}"))
}

fn identity(place: &str, keyless: &KeylessAuthority, known: &Known) -> Result<Identity, String> {
    let text = |field, exact: &Option<String>, pattern: &Option<String>| {
        text(place, field, exact.as_deref(), pattern.as_deref(), known)
    };
    let issuer = text("issuer", &keyless.issuer, &keyless.issuer_reg_exp)?;
    let subject = text("subject", &keyless.subject, &keyless.subject_reg_exp)?;
    Identity::new(issuer, subject).map_err(|error| format!("{place}.keyless: {}", chain(&error)))
}

/// A text that is given exactly, or as an expression. The latter must match from beginning to end (security case N38).
fn text(
    place: &str,
    field: &str,
    exact: Option<&str>,
    pattern: Option<&str>,
    known: &Known,
) -> Result<TextMatch, String> {
    match (exact, pattern) {
        (Some(exact), None) => Ok(TextMatch::Exact(exact.to_owned())),
        (None, Some(pattern)) => {
            let wrong =
                |error: weir_re2::PatternError| format!("{place}.keyless.{field}RegExp: {}", chain(&error));
            if pattern.is_empty() {
                return Err(format!(
                    "{place}.keyless.{field}RegExp is empty; write '.*' where everything is meant"
                ));
            }
            // By itself first: together with what goes around it, a wrong one could be right.
            known.pattern(pattern).map_err(wrong)?;
            let whole = known.pattern(&format!("^(?:{pattern})$")).map_err(wrong)?;
            Ok(TextMatch::Pattern(whole))
        }
        _ => Err(format!(
            "{place}.keyless: exactly one of {field} and {field}RegExp must be set"
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    struct NoSecrets;

    impl Secrets for NoSecrets {
        async fn secret(&self, _wanted: &PolicySecretRef) -> Result<Arc<Object>, String> {
            Err("it does not exist".to_owned())
        }
    }

    async fn rule(spec: Value) -> Rule {
        let value = json!({"apiVersion": "weir.dev/v1alpha1", "kind": "VerificationPolicy",
            "metadata": {"name": "signed"}, "spec": spec});
        let object = Object::from_value(value).unwrap();
        PolicyReading::of(&object)
            .rule(&NoSecrets, &TrustRoot::public_good(), &Known::default())
            .await
    }

    fn spec(authority: &Value) -> Value {
        json!({"match": [{}], "authorities": {"anyOf": [authority]}})
    }

    #[tokio::test]
    async fn n38_an_expression_must_match_the_whole_text() {
        let known = Known::default();
        let text = |exact, pattern| text("p", "subject", exact, pattern, &known);
        let pattern = text(None, Some("https://ci/org/|x")).unwrap();
        let TextMatch::Pattern(pattern) = pattern else {
            panic!("{pattern}")
        };
        assert!(pattern.is_match("https://ci/org/") && pattern.is_match("x"));
        for other in ["https://ci/org/app", "ahttps://ci/org/", "xx", "x\n"] {
            assert!(!pattern.is_match(other), "{other}");
        }
        // What would close the parenthesis around it is no expression.
        assert!(text(None, Some("a)|(?:b")).is_err());
        // Also where somebody else means what the two make together.
        known.pattern("^(?:a)|(?:b)$").unwrap();
        assert!(text(None, Some("a)|(?:b")).is_err());
        assert!(text(None, Some("")).is_err());
        assert!(text(Some("a"), Some("a")).is_err());
        assert!(text(None, None).is_err());
    }

    #[test]
    fn sizes_are_read_up_to_what_cosign_reads() {
        for (text, bytes) in [
            ("1", Some(1)),
            ("64Ki", Some(64 << 10)),
            ("128Mi", size(LARGEST)),
            ("128Mi", Some(128 << 20)),
            ("131073Ki", None),
            ("0", None),
            ("-1", None),
            ("1.5Mi", None),
            ("18446744073709551615Mi", None),
            ("Mi", None),
            ("1Gi", None),
        ] {
            assert_eq!(size(text), bytes, "{text}");
        }
    }

    #[tokio::test]
    async fn n45_what_cannot_be_used_says_where_and_is_met_by_nothing() {
        let keyless = |more: Value| {
            let mut keyless = json!({"issuer": "https://ci", "subject": "me"});
            for (name, value) in more.as_object().unwrap() {
                keyless[name] = value.clone();
            }
            spec(&json!({"name": "ci", "keyless": keyless}))
        };
        assert!(rule(keyless(json!({}))).await.asks.is_ok());
        let mut audited = keyless(json!({}));
        audited["mode"] = json!("audit");
        assert_eq!(rule(audited).await.mode, Mode::Audit);
        let mut odd = keyless(json!({}));
        odd["mode"] = json!("Audit");
        let secret = json!({"name": "keys", "namespace": "weir-system"});
        let attested = |more: Value| {
            let mut spec = keyless(json!({}));
            spec["attestations"] = json!([{"predicateType": "slsaprovenance1"}]);
            for (name, value) in more.as_object().unwrap() {
                spec["attestations"][0][name] = value.clone();
            }
            spec
        };
        assert_eq!(
            rule(attested(json!({}))).await.asks.unwrap().attestations.len(),
            1
        );
        for (spec, why) in [
            (json!({"match": [{}]}), "authorities"),
            (json!({"match": [{}], "authorities": {}}), "no authority is named"),
            (
                spec(&json!({"name": "ci"})),
                "anyOf[0]: exactly one of key and keyless",
            ),
            (
                keyless(json!({"subjectRegExp": ".*"})),
                "exactly one of subject and subjectRegExp",
            ),
            (keyless(json!({"subjectRegexp": ".*"})), "subjectRegexp"),
            (
                keyless(json!({"subject": null, "subjectRegExp": "("})),
                "subjectRegExp",
            ),
            (
                keyless(json!({"trustedRootSecretRef": secret})),
                "keyless.trustedRootSecretRef: Secret 'weir-system/keys' cannot be read",
            ),
            (
                spec(&json!({"name": "ci", "key": {"secretRef": secret}})),
                "key.secretRef: Secret 'weir-system/keys' cannot be read: it does not exist",
            ),
            (odd, "neither enforce nor audit"),
            (
                attested(json!({"expressions": ["true", "predicate.x =="]})),
                "attestations[0].expressions[1]: ",
            ),
            (
                attested(json!({"expressions": ["secret == 1"]})),
                "variable 'secret' at line 1, column 1",
            ),
            (
                attested(json!({"expressions": ["size(predicate)"]})),
                "expected bool",
            ),
            (
                attested(json!({"predicateType": "nothing"})),
                "attestations[0].predicateType: 'nothing' is no predicate type",
            ),
            (
                attested(json!({"maxAge": "a week"})),
                "attestations[0].maxAge: 'a week' is not a duration",
            ),
            (
                attested(json!({"maxSize": "129Mi"})),
                "attestations[0].maxSize: '129Mi' is not a size such as 64Mi, from 1 to 128Mi",
            ),
            (
                attested(json!({"maxSize": "1Gi"})),
                "attestations[0].maxSize: '1Gi' is not a size",
            ),
            (
                attested(json!({"authorities": {}})),
                "attestations[0].authorities: no authority is named",
            ),
            (
                attested(json!({"expression": "true"})),
                "unknown field `expression`",
            ),
        ] {
            let rule = rule(spec.clone()).await;
            let problem = rule.asks.unwrap_err();
            assert!(problem.contains(why), "{spec}: {problem}");
            assert_eq!(rule.mode, Mode::Enforce, "{spec}");
        }
    }
}
