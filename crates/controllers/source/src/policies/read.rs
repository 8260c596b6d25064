//! A VerificationPolicy, read with the Secrets that it refers to.

use std::collections::BTreeSet;

use serde_json::Value;
use weir_apis::kind::{
    Authority as Wanted, KeylessAuthority, PolicySecretRef, VerificationPolicy, VerificationPolicySpec,
};
use weir_apis::{InvalidObject, Object};
use weir_re2::Pattern;
use weir_runtime::verdict::chain;
use weir_verify::{
    Authorities, Authority, COSIGN_SIGN_PREDICATE, Identity, IdentityPolicy, Mode, Policy, PredicateTypes,
    Rule, TextMatch, TrustRoot,
};

use super::Scope;
use crate::policy::{keys_in, root_in};

/// Where the Secrets are that policies refer to.
pub trait Secrets {
    /// The Secret, or why it cannot be had.
    fn secret(&self, wanted: &PolicySecretRef) -> impl Future<Output = Result<Object, String>> + Send;
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

    /// What it asks for. One that cannot be used becomes a rule that nothing meets.
    pub async fn rule(self, secrets: &impl Secrets, public_good: &TrustRoot) -> Rule {
        let authorities = self.authorities(secrets, public_good).await;
        Rule {
            name: self.name,
            mode: self.mode,
            authorities: authorities.map_err(|unusable| match unusable {
                Unusable::Written(why) | Unusable::Secret(why) => why,
            }),
        }
    }

    pub(crate) async fn authorities(
        &self,
        secrets: &impl Secrets,
        public_good: &TrustRoot,
    ) -> Result<Authorities, Unusable> {
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
        let mut lists = Vec::new();
        for (field, list) in [
            ("anyOf", &spec.authorities.any_of),
            ("allOf", &spec.authorities.all_of),
        ] {
            let mut read = Vec::new();
            for (index, wanted) in list.iter().enumerate() {
                let place = format!("spec.authorities.{field}[{index}]");
                let policy = policy(&place, wanted, secrets, public_good).await?;
                read.push(Authority {
                    name: wanted.name.clone(),
                    policy: strict(policy, spec.same_repository),
                });
            }
            lists.push(read);
        }
        let all_of = lists.pop().unwrap_or_default();
        let any_of = lists.pop().unwrap_or_default();
        Authorities::new(any_of, all_of).map_err(|error| written(format!("spec.authorities: {error}")))
    }

    /// In what ways it lets in more than it seems to.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let Ok(spec) = &self.spec else {
            return Vec::new();
        };
        let both = spec.authorities.any_of.iter().chain(&spec.authorities.all_of);
        both.filter_map(|wanted| Some((wanted, identity("", wanted.keyless.as_ref()?).ok()?)))
            .flat_map(|(wanted, identity)| {
                let warnings = identity.warnings().into_iter();
                warnings.map(move |warning| format!("authority '{}': {warning}", wanted.name))
            })
            .collect()
    }
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

async fn policy(
    place: &str,
    wanted: &Wanted,
    secrets: &impl Secrets,
    public_good: &TrustRoot,
) -> Result<Policy, Unusable> {
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
            let identity = identity(place, keyless).map_err(Unusable::Written)?;
            let root = match &keyless.trusted_root_secret_ref {
                None => public_good.clone(),
                Some(reference) => {
                    let field = format!("{place}.keyless.trustedRootSecretRef");
                    let object = secret(&field, reference, secrets).await?;
                    root_in(&object).map_err(|why| in_secret(&field, reference, &why))?
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
) -> Result<Object, Unusable> {
    let found = secrets.secret(reference).await;
    found.map_err(|why| in_secret(field, reference, &format!("cannot be read: {why}")))
}

fn in_secret(field: &str, reference: &PolicySecretRef, why: &str) -> Unusable {
    let PolicySecretRef { name, namespace } = reference;
    Unusable::Secret(format!("{field}: Secret '{namespace}/{name}' {why}"))
}

fn identity(place: &str, keyless: &KeylessAuthority) -> Result<Identity, String> {
    let issuer = text(
        place,
        "issuer",
        keyless.issuer.as_deref(),
        keyless.issuer_reg_exp.as_deref(),
    )?;
    let subject = text(
        place,
        "subject",
        keyless.subject.as_deref(),
        keyless.subject_reg_exp.as_deref(),
    )?;
    Identity::new(issuer, subject).map_err(|error| format!("{place}.keyless: {}", chain(&error)))
}

/// A text that is given exactly, or as an expression. The latter must match from beginning to end (security case N38).
fn text(place: &str, field: &str, exact: Option<&str>, pattern: Option<&str>) -> Result<TextMatch, String> {
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
            Pattern::new(pattern).map_err(wrong)?;
            let whole = Pattern::new(&format!("^(?:{pattern})$")).map_err(wrong)?;
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
        async fn secret(&self, _wanted: &PolicySecretRef) -> Result<Object, String> {
            Err("it does not exist".to_owned())
        }
    }

    async fn rule(spec: Value) -> Rule {
        let value = json!({"apiVersion": "weir.dev/v1alpha1", "kind": "VerificationPolicy",
            "metadata": {"name": "signed"}, "spec": spec});
        let object = Object::from_value(value).unwrap();
        PolicyReading::of(&object)
            .rule(&NoSecrets, &TrustRoot::public_good())
            .await
    }

    fn spec(authority: &Value) -> Value {
        json!({"match": [{}], "authorities": {"anyOf": [authority]}})
    }

    #[tokio::test]
    async fn n38_an_expression_must_match_the_whole_text() {
        let pattern = text("p", "subject", None, Some("https://ci/org/|x")).unwrap();
        let TextMatch::Pattern(pattern) = pattern else {
            panic!("{pattern}")
        };
        assert!(pattern.is_match("https://ci/org/") && pattern.is_match("x"));
        for other in ["https://ci/org/app", "ahttps://ci/org/", "xx", "x\n"] {
            assert!(!pattern.is_match(other), "{other}");
        }
        // What would close the parenthesis around it is no expression.
        assert!(text("p", "subject", None, Some("a)|(?:b")).is_err());
        assert!(text("p", "subject", None, Some("")).is_err());
        assert!(text("p", "subject", Some("a"), Some("a")).is_err());
        assert!(text("p", "subject", None, None).is_err());
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
        assert!(rule(keyless(json!({}))).await.authorities.is_ok());
        let mut audited = keyless(json!({}));
        audited["mode"] = json!("audit");
        assert_eq!(rule(audited).await.mode, Mode::Audit);
        let mut odd = keyless(json!({}));
        odd["mode"] = json!("Audit");
        let secret = json!({"name": "keys", "namespace": "weir-system"});
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
        ] {
            let rule = rule(spec.clone()).await;
            let problem = rule.authorities.unwrap_err();
            assert!(problem.contains(why), "{spec}: {problem}");
            assert_eq!(rule.mode, Mode::Enforce, "{spec}");
        }
    }
}
