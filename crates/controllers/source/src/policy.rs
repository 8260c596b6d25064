//! `spec.verify` and the Secrets it refers to, as a policy.

use serde_json::Value;
use weir_apis::kind::Verify;
use weir_apis::{Object, reason, secret};
use weir_runtime::Deps;
use weir_runtime::verdict::chain;
use weir_verify::{Identity, IdentityPolicy, KeyPolicy, Policy, PublicKey, TrustRoot};

use crate::gather::{again, invalid, read};
use crate::known::Known;
use crate::status::Failed;

/// The entry of a Secret that holds a trust root, as in Flux.
const TRUST_ROOT_ENTRY: &str = "trusted_root.json";

/// Which signatures a source itself asks for.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) policy: Policy,
    /// What Flux calls this kind of policy in messages.
    pub(crate) provider: &'static str,
}

/// Reads `spec.verify`. A form that can't be checked is an error, never "unverified" (security case N45).
pub(crate) async fn policy(
    deps: &Deps,
    public_good: &TrustRoot,
    known: &Known,
    namespace: &str,
    verify: Option<&Verify>,
) -> Result<Option<Own>, Failed> {
    let Some(verify) = verify else {
        return Ok(None);
    };
    if verify.provider != "cosign" {
        let message = format!(
            "spec.verify: provider '{}' is not built yet, so nothing can be admitted; use provider 'cosign'",
            verify.provider
        );
        return Err(invalid(reason::FEATURE_GATE_DISABLED, message));
    }
    let own = match &verify.secret_ref {
        Some(reference) => keys(deps, namespace, verify, &reference.name).await?,
        None => identities(deps, public_good, known, namespace, verify).await?,
    };
    Ok(Some(own))
}

/// The public keys in a Secret, or what is wrong with it.
pub(crate) fn keys_in(object: &Object) -> Result<KeyPolicy, String> {
    let data = object.get(&["data"]).and_then(Value::as_object);
    let mut keys = Vec::new();
    for name in data.into_iter().flat_map(serde_json::Map::keys) {
        if name.strip_suffix(".pub").is_none() {
            continue;
        }
        let value = secret::value(object, name);
        let pem = value
            .as_ref()
            .and_then(|value| std::str::from_utf8(value.expose()).ok());
        let pem = pem.ok_or_else(|| format!("holds no PEM under '{name}'"))?;
        let key = PublicKey::from_pem(pem)
            .map_err(|error| format!("holds no public key under '{name}': {}", chain(&error)))?;
        keys.push((name.clone(), key));
    }
    KeyPolicy::new(keys).map_err(|_| "has no key that ends in '.pub'".to_owned())
}

/// The trust root in a Secret, or what is wrong with it.
pub(crate) fn root_in(object: &Object, known: &Known) -> Result<TrustRoot, String> {
    let json =
        secret::value(object, TRUST_ROOT_ENTRY).ok_or_else(|| format!("has no key '{TRUST_ROOT_ENTRY}'"))?;
    known.root(json.expose()).map_err(|error| {
        format!(
            "holds no trust root under '{TRUST_ROOT_ENTRY}': {}",
            chain(&error)
        )
    })
}

async fn keys(deps: &Deps, namespace: &str, verify: &Verify, secret_name: &str) -> Result<Own, Failed> {
    for (is_set, field) in [
        (!verify.match_oidc_identity.is_empty(), "matchOIDCIdentity"),
        (verify.trusted_root_secret_ref.is_some(), "trustedRootSecretRef"),
    ] {
        if is_set {
            let message = format!(
                "spec.verify: {field} is for keyless signatures and secretRef for keys; only one of them may be set"
            );
            return Err(invalid(reason::VERIFICATION_ERROR, message));
        }
    }
    let object = read(deps, namespace, "Secret", secret_name, "spec.verify.secretRef").await?;
    let policy = keys_in(&object).map_err(|why| {
        let message = format!("spec.verify.secretRef: Secret '{secret_name}' {why}");
        again(reason::VERIFICATION_ERROR, message)
    })?;
    Ok(Own {
        policy: Policy::Keys(policy),
        provider: "cosign",
    })
}

async fn identities(
    deps: &Deps,
    public_good: &TrustRoot,
    known: &Known,
    namespace: &str,
    verify: &Verify,
) -> Result<Own, Failed> {
    let root = match &verify.trusted_root_secret_ref {
        None => public_good.clone(),
        Some(reference) => {
            let field = "spec.verify.trustedRootSecretRef";
            let object = read(deps, namespace, "Secret", &reference.name, field).await?;
            root_in(&object, known).map_err(|why| {
                let message = format!("{field}: Secret '{}' {why}", reference.name);
                again(reason::VERIFICATION_ERROR, message)
            })?
        }
    };
    let mut identities = Vec::new();
    for (index, wanted) in verify.match_oidc_identity.iter().enumerate() {
        let identity = Identity::patterns_with(&wanted.issuer, &wanted.subject, |text| known.pattern(text));
        let identity = identity.map_err(|error| {
            let message = format!("spec.verify.matchOIDCIdentity[{index}]: {}", chain(&error));
            invalid(reason::VERIFICATION_ERROR, message)
        })?;
        identities.push(identity);
    }
    // Without a list, Flux takes any identity; so do we, and say it each time.
    let policy = match IdentityPolicy::new(root.clone(), identities) {
        Ok(policy) => policy,
        Err(_) => IdentityPolicy::any_identity_unsafe(root),
    };
    Ok(Own {
        policy: Policy::Identities(policy),
        provider: "cosign keyless",
    })
}
