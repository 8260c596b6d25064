//! VerificationPolicy: which signatures the artifacts of some sources must carry, whatever the sources say themselves.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Metadata;
use crate::condition::Condition;

/// `weir.dev/v1alpha1` VerificationPolicy. Cluster-scoped: it holds those who may write sources, not the other way round.
///
/// Fields that do not exist are an error when it is read, and stay in what the API server stores so that they are seen: a
/// misspelled one must not make a policy weaker than it looks (security case N45).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerificationPolicy {
    /// Name and generation.
    #[serde(default)]
    pub metadata: Metadata,
    /// What must be signed, and by whom.
    pub spec: VerificationPolicySpec,
    /// What came of it.
    #[serde(default)]
    pub status: VerificationPolicyStatus,
}

impl VerificationPolicy {
    /// API group.
    pub const GROUP: &'static str = "weir.dev";
    /// Version.
    pub const VERSION: &'static str = "v1alpha1";
    /// Kind.
    pub const KIND: &'static str = "VerificationPolicy";
    /// Resource name.
    pub const PLURAL: &'static str = "verificationpolicies";
}

/// Which sources are meant, and whose signatures their artifacts must carry. It holds in addition to a source's own
/// `spec.verify`, never instead.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct VerificationPolicySpec {
    /// What must have been stated of an artifact, besides that it is signed; all of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub attestations: Vec<PolicyAttestation>,
    /// Whose signatures are needed.
    pub authorities: Authorities,
    /// Which sources are meant; one entry that fits is enough.
    #[serde(rename = "match")]
    #[schemars(length(min = 1))]
    pub matches: Vec<PolicyMatch>,
    /// `enforce` refuses what does not meet the policy; `audit` admits it, and says in the source's status that it would be
    /// refused. Default: `enforce`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["enforce", "audit"], "default" = "enforce"))]
    pub mode: Option<String>,
    /// Lets a source go forward only, whichever registry answers: for a tag, the number of the signed promotion record that `weir
    /// publish`, `weir promote` and `weir rollback` make must go up; a version may not go down, except by a record of a rollback whose
    /// hold has not ended. A record by any one of the authorities counts. A source of a digest goes nowhere, so nothing is asked of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub monotonic: bool,
    /// Takes only signatures that name the repository the artifact is in: those of cosign's older layout. Sigstore bundles do
    /// not say where an artifact was, so with this none of them counts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub same_repository: bool,
}

/// Which sources are meant: every part that is given must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct PolicyMatch {
    /// Kinds of sources. Default: all that have artifacts of their own. Charts from an HTTP repository cannot carry signatures;
    /// where they are meant, they are refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("items" = {"type": "string", "enum": ["OCIRepository", "HelmChart"]}))]
    pub kinds: Vec<String>,
    /// Namespaces of the sources. Default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespaces: Option<PolicyNamespaces>,
    /// How the address of the repository begins, such as `oci://ghcr.io/org`. Whole parts of the path are compared:
    /// `ghcr.io/org-more` does not begin with `ghcr.io/org`. Default: any address. A registry that answers to other names too is
    /// not recognised under them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^(oci|https?)://.+$"))]
    pub url_prefix: Option<String>,
}

/// Which namespaces are meant: every part that is given must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct PolicyNamespaces {
    /// Labels that the namespace must have.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub match_labels: BTreeMap<String, String>,
    /// Its name is one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

/// Whose signatures are needed: one of `anyOf`, where there are any, and every one of `allOf`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schemars(extend(
    "x-kubernetes-preserve-unknown-fields" = true,
    "x-kubernetes-validations" = [{"rule": "(has(self.allOf) && size(self.allOf) > 0) || (has(self.anyOf) && size(self.anyOf) > 0)",
        "message": "at least one authority must be named in anyOf or allOf"}],
))]
pub struct Authorities {
    /// Each of these must have signed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub all_of: Vec<Authority>,
    /// One of these must have signed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub any_of: Vec<Authority>,
}

/// A statement that must be there, such as the provenance of a build. One that counts is enough, however many others there are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct PolicyAttestation {
    /// Who must have stated it. Default: the policy's authorities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorities: Option<Authorities>,
    /// CEL expressions that must all be true. They may speak of `predicate`, what is stated, of `subject`, the list of what it is
    /// stated of, of `statement`, all of it, and of `now`, the time as text for `timestamp()`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub expressions: Vec<String>,
    /// How old it may be, such as `720h`. The time is the one that the kind of statement has by its specification: the end of a
    /// build or scan, the creation of an SBOM, the last change of a VEX document. Where there is none, it is the time of the
    /// signature, if that was made with a certificate; what was signed with a key has no proven time, and is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"))]
    pub max_age: Option<String>,
    /// How large it may be with its envelope, such as `64Mi`. What is larger is refused unread. Default 32Mi; at most 128Mi, which is what
    /// cosign reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]+(Ki|Mi)?$"))]
    pub max_size: Option<String>,
    /// What kind of statement it is: a URI, or one of cosign's names such as `slsaprovenance1`, `spdxjson`, `cyclonedx`, `openvex`.
    #[schemars(length(min = 1))]
    pub predicate_type: String,
}

/// Somebody whose signature counts: by a key or by an identity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend(
    "x-kubernetes-preserve-unknown-fields" = true,
    "x-kubernetes-validations" = [{"rule": "has(self.key) != has(self.keyless)", "message": "exactly one of key and keyless must be set"}],
))]
pub struct Authority {
    /// Any of the public keys in a Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyAuthority>,
    /// An identity that a certificate names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyless: Option<KeylessAuthority>,
    /// What messages call this authority.
    #[schemars(
        length(min = 1, max = 63),
        regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
    )]
    pub name: String,
}

/// Public keys, any of which may have signed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct KeyAuthority {
    /// Secret whose keys ending in `.pub` are the public keys.
    pub secret_ref: PolicySecretRef,
}

/// An identity: issuer and subject are both asked for, each exactly or by an expression that the whole text must match.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schemars(extend(
    "x-kubernetes-preserve-unknown-fields" = true,
    "x-kubernetes-validations" = [
        {"rule": "has(self.issuer) != has(self.issuerRegExp)", "message": "exactly one of issuer and issuerRegExp must be set"},
        {"rule": "has(self.subject) != has(self.subjectRegExp)", "message": "exactly one of subject and subjectRegExp must be set"},
    ],
))]
pub struct KeylessAuthority {
    /// Who vouches for the signer, exactly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Who vouches for the signer, as an expression for the whole text.
    #[serde(rename = "issuerRegExp", skip_serializing_if = "Option::is_none")]
    pub issuer_reg_exp: Option<String>,
    /// Whom the certificate names, exactly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Whom the certificate names, as an expression for the whole text.
    #[serde(rename = "subjectRegExp", skip_serializing_if = "Option::is_none")]
    pub subject_reg_exp: Option<String>,
    /// Secret with a Sigstore trust root under `trusted_root.json`. Default: the public-good instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted_root_secret_ref: Option<PolicySecretRef>,
}

/// A Secret. The namespace has no default: a policy belongs to none, and the controllers' own differs from cluster to cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct PolicySecretRef {
    /// Name.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Namespace.
    #[schemars(length(min = 1))]
    pub namespace: String,
}

/// What came of a policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct VerificationPolicyStatus {
    /// Whether the policy can be used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Last value of the annotation `reconcile.fluxcd.io/requestedAt` that was acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
    /// Generation that was last acted on; -1 before the first success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The sources that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sources: Option<PolicyCounts>,
}

/// How many sources a policy is about, and what it says of the artifacts that they last looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PolicyCounts {
    /// Sources that match.
    pub matched: u32,
    /// Those whose artifact meets the policy.
    pub verified: u32,
    /// Those whose artifact does not meet it: refused, or with mode `audit` to be refused.
    pub would_fail: u32,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Object;

    fn policy(spec: Value) -> Result<VerificationPolicy, String> {
        let object = Object::from_value(
            json!({"apiVersion": "weir.dev/v1alpha1", "kind": "VerificationPolicy",
            "metadata": {"name": "signed"}, "spec": spec}),
        );
        object.unwrap().parse().map_err(|error| format!("{error:?}"))
    }

    #[test]
    fn n45_an_unknown_field_anywhere_in_a_policy_is_an_error() {
        let spec = json!({
            "mode": "audit",
            "attestations": [{"predicateType": "slsaprovenance1", "maxAge": "24h", "expressions": ["true"]}],
            "match": [{"urlPrefix": "oci://ghcr.io/org", "kinds": ["OCIRepository"],
                "namespaces": {"names": ["apps"], "matchLabels": {"team": "a"}}}],
            "authorities": {
                "anyOf": [{"name": "ci", "keyless": {"issuer": "https://issuer.example", "subjectRegExp": "a.*",
                    "trustedRootSecretRef": {"name": "root", "namespace": "weir-system"}}}],
                "allOf": [{"name": "release", "key": {"secretRef": {"name": "keys", "namespace": "weir-system"}}}],
            },
        });
        assert_eq!(policy(spec.clone()).unwrap().spec.mode.as_deref(), Some("audit"));
        for place in [
            "",
            "/match/0",
            "/match/0/namespaces",
            "/authorities",
            "/attestations/0",
            "/authorities/anyOf/0",
            "/authorities/anyOf/0/keyless",
            "/authorities/anyOf/0/keyless/trustedRootSecretRef",
            "/authorities/allOf/0/key",
            "/authorities/allOf/0/key/secretRef",
        ] {
            let mut changed = spec.clone();
            changed.pointer_mut(place).unwrap()["misspelled"] = json!(true);
            let error = policy(changed).unwrap_err();
            assert!(error.contains("misspelled"), "{place}: {error}");
        }
    }
}
