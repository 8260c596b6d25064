//! Signing with identities, at the stand-in's services over HTTP.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use weir_redact::{RedactedUrl, SecretString};
use weir_registry::ClientOptions;
use weir_standin_sigstore::{Holder, Options, Rekor, Server, Sigstore};
use weir_trust::{
    IdentityToken, InvalidToken, Keyless, KeylessStored, SignError, SignOptions, SigningConfig, find,
    github_actions_token, sign_keyless,
};
use weir_verify::{Identity, IdentityPolicy, Layout, Policy, TrustRoot, verify};

use crate::interop::Cosign;
use crate::keyless::{ISSUER, SUBJECT, cosign_accepts};
use crate::support::{REPOSITORY, Setup};

pub(crate) async fn server() -> Server {
    let from = Timestamp::now() - SignedDuration::from_hours(3);
    Server::start(from, Options::default()).await.unwrap()
}

pub(crate) fn root(sigstore: &Sigstore) -> TrustRoot {
    TrustRoot::from_json(sigstore.trusted_root().to_string().as_bytes()).unwrap()
}

pub(crate) fn token(sigstore: &Sigstore, at: Timestamp) -> IdentityToken {
    let text = sigstore.token(&Holder::new(ISSUER, SUBJECT), at);
    IdentityToken::new(SecretString::new(text)).unwrap()
}

pub(crate) fn keyless(config: &Value, root: TrustRoot, ahead: SignedDuration) -> Keyless {
    let config = SigningConfig::from_json(config.to_string().as_bytes()).unwrap();
    let clock = Arc::new(move || Timestamp::now() + ahead);
    Keyless::new(config, root, clock, &ClientOptions::default()).unwrap()
}

/// Signs, with an error as its whole chain.
async fn try_sign(
    setup: &Setup,
    keyless: &Keyless,
    token: &IdentityToken,
    layout: Layout,
) -> Result<KeylessStored, String> {
    let options = SignOptions::at(Timestamp::now()).in_layout(layout);
    let signed = sign_keyless(&setup.client, &setup.target, keyless, token, &options).await;
    signed.map_err(|error: SignError| {
        let mut text = error.to_string();
        let mut next = std::error::Error::source(&error);
        while let Some(source) = next {
            text = format!("{text}: {source}");
            next = source.source();
        }
        text
    })
}

/// No signature is anywhere.
async fn nothing_is_stored(setup: &Setup) {
    let found = find(&setup.client, &setup.target).await.unwrap();
    assert!(found.bundles.is_empty() && found.payloads.is_empty());
    assert_eq!(setup.registry.tags(REPOSITORY), ["v1"]);
}

pub(crate) fn policy(sigstore: &Sigstore, subject: &str) -> Policy {
    let identity = Identity::exact(ISSUER, subject).unwrap();
    Policy::Identities(IdentityPolicy::new(root(sigstore), [identity]).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn n38_what_an_identity_signs_weir_and_cosign_verify_by_that_identity_alone() {
    let server = server().await;
    let sigstore = server.sigstore();
    let cosign = Cosign::find();
    for (rekor, layout) in [
        (Rekor::V1, Layout::Bundle),
        (Rekor::V2, Layout::Bundle),
        (Rekor::V1, Layout::Legacy),
    ] {
        for setup in [Setup::new().await, Setup::without_referrers_api().await] {
            let keyless = keyless(
                &sigstore.signing_config(rekor),
                root(sigstore),
                SignedDuration::ZERO,
            );
            let stored = try_sign(&setup, &keyless, &token(sigstore, Timestamp::now()), layout).await;
            let stored = stored.unwrap();
            assert_eq!(stored.stored.layout, layout);
            let found = find(&setup.client, &setup.target).await.unwrap();
            let good = verify(
                &setup.target,
                &found,
                &policy(sigstore, SUBJECT),
                Timestamp::now(),
            );
            let good = good.unwrap();
            let (seen, promised) = (good.evidence(), &stored.evidence);
            assert_eq!(seen.layout, layout);
            assert_eq!((&seen.signer, &seen.logged), (&promised.signer, &promised.logged));
            let other = policy(sigstore, "https://x");
            assert!(verify(&setup.target, &found, &other, Timestamp::now()).is_err());
            if let Some(cosign) = &cosign {
                assert!(cosign_accepts(cosign, &setup, sigstore, ISSUER, SUBJECT).await);
                assert!(!cosign_accepts(cosign, &setup, sigstore, ISSUER, "https://x").await);
            }
            setup.handle.shutdown().await;
        }
    }
}

#[tokio::test]
async fn n36_what_would_not_verify_or_cannot_be_made_is_not_stored() {
    let (server, other) = (server().await, server().await);
    let sigstore = server.sigstore();
    let setup = Setup::new().await;
    let now = Timestamp::now();
    let hour = SignedDuration::from_hours(1);
    let good = token(sigstore, now);
    let config = |rekor| sigstore.signing_config(rekor);
    let changed = |part: &str, url: String| {
        let mut config = config(Rekor::V2);
        config[part][0]["url"] = url.into();
        config
    };
    let nowhere = |part| changed(part, "http://127.0.0.1:9".to_owned());
    let foreign = |part, path: &str| changed(part, format!("http://{}/{path}", other.address()));
    let at = |config: &Value, ahead| keyless(config, root(sigstore), ahead);
    let zero = SignedDuration::ZERO;
    let cases = [
        (
            at(&config(Rekor::V2), zero),
            token(sigstore, now - hour * 2),
            "identity token has expired at",
        ),
        (
            at(&config(Rekor::V2), zero),
            token(other.sigstore(), now),
            "(Fulcio) at",
        ),
        (
            at(&nowhere("caUrls"), zero),
            good.clone(),
            "ask the certificate authority",
        ),
        (
            at(&nowhere("rekorTlogUrls"), zero),
            good.clone(),
            "ask the transparency log (Rekor v2)",
        ),
        (
            at(&nowhere("tsaUrls"), zero),
            good.clone(),
            "ask the timestamp authority",
        ),
        (
            at(&foreign("tsaUrls", "tsa/api/v1/timestamp"), zero),
            good.clone(),
            "would not verify",
        ),
        (
            at(&foreign("rekorTlogUrls", "rekor2"), zero),
            good.clone(),
            "unknown log",
        ),
        (
            keyless(&config(Rekor::V1), root(other.sigstore()), zero),
            good.clone(),
            "unknown log",
        ),
        (at(&config(Rekor::V1), -hour), good.clone(), "is in the future"),
        (
            at(&config(Rekor::V2), -(hour * 4)),
            good.clone(),
            "0 of the 1 certificate authorities",
        ),
    ];
    for (keyless, token, says) in cases {
        let error = try_sign(&setup, &keyless, &token, Layout::Bundle)
            .await
            .unwrap_err();
        assert!(error.contains(says), "{says}: {error}");
        nothing_is_stored(&setup).await;
    }
    let expecting = |subject: &str| {
        let identity = Identity::exact(ISSUER, subject).unwrap();
        at(&config(Rekor::V1), zero).expecting(identity)
    };
    let entries = || sigstore.log_size(Rekor::V1);
    let before = entries();
    for layout in [Layout::Bundle, Layout::Legacy] {
        let error = try_sign(&setup, &expecting("https://x"), &good, layout).await;
        let error = error.unwrap_err();
        assert!(error.contains("not for the identity that is to sign"), "{error}");
        assert!(error.contains(SUBJECT), "{error}");
        assert_eq!(entries(), before, "nothing is in the log either");
        nothing_is_stored(&setup).await;
    }
    // The older layout has no place for what a Rekor v2 log gives.
    let error = try_sign(&setup, &at(&config(Rekor::V2), zero), &good, Layout::Legacy).await;
    assert!(error.unwrap_err().contains("needs a Rekor v1 log"));
    nothing_is_stored(&setup).await;
    let signed = try_sign(&setup, &expecting(SUBJECT), &good, Layout::Bundle).await;
    signed.unwrap();
    assert_eq!(entries(), before + 1);
    setup.handle.shutdown().await;
}

/// A token that goes without TLS must not leave this machine.
#[tokio::test]
async fn services_of_this_machine_are_not_asked_through_a_proxy() {
    let (server, setup) = (server().await, Setup::new().await);
    let sigstore = server.sigstore();
    let mut options = ClientOptions::default();
    options.proxy.http = Some(RedactedUrl::new("http://127.0.0.1:9".parse().unwrap()));
    let config = sigstore.signing_config(Rekor::V1).to_string();
    let config = SigningConfig::from_json(config.as_bytes()).unwrap();
    let keyless = Keyless::new(config, root(sigstore), Arc::new(Timestamp::now), &options).unwrap();
    let token = token(sigstore, Timestamp::now());
    try_sign(&setup, &keyless, &token, Layout::Bundle).await.unwrap();
    setup.handle.shutdown().await;
}

#[tokio::test]
async fn a_job_of_github_actions_asks_for_its_token() {
    let server = server().await;
    let (url, secret) = server
        .sigstore()
        .actions_job(&Holder::new(ISSUER, SUBJECT), Timestamp::now());
    let options = ClientOptions::default();
    let token = github_actions_token(&url, &SecretString::new(secret.clone()), &options).await;
    let token = token.unwrap();
    assert_eq!((token.issuer(), token.subject()), (ISSUER, SUBJECT));
    assert!(token.check(Timestamp::now()).is_ok());
    let wrong = SecretString::new(
        server
            .sigstore()
            .token(&Holder::new(ISSUER, SUBJECT), Timestamp::now()),
    );
    let error = github_actions_token(&url, &wrong, &options).await.unwrap_err();
    assert!(error.to_string().contains("401"), "{error}");
    for address in ["", "http://runner.example/token", "ftp://127.0.0.1/"] {
        let error = github_actions_token(address, &wrong, &options).await.unwrap_err();
        assert_eq!(error.to_string(), "address of the token service is no https URL");
    }
}

#[test]
fn tokens_for_others_and_texts_that_are_none_are_refused_without_repeating_them() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let read = |claims: &str| {
        let text = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims));
        IdentityToken::new(SecretString::new(text))
    };
    let other = read(r#"{"iss":"i","sub":"s","aud":"vault","exp":1}"#).unwrap_err();
    assert_eq!(other, InvalidToken::Audience(vec!["vault".to_owned()]));
    assert!(read(r#"{"iss":"i","sub":"s","aud":["x","sigstore"],"exp":1}"#).is_ok());
    assert_eq!(
        read(r#"{"iss":"i","aud":"sigstore","exp":1}"#).unwrap_err(),
        InvalidToken::Missing("sub")
    );
    for text in ["", "hunter2", "a.b", "a.b.c", "a.b.c.d"] {
        let error = IdentityToken::new(SecretString::from(text)).unwrap_err();
        assert_eq!(error, InvalidToken::Malformed);
    }
}

#[test]
fn a_token_is_not_sent_over_plain_http_to_another_machine() {
    let server = Sigstore::new(Timestamp::UNIX_EPOCH);
    let mut config = server.signing_config(Rekor::V1);
    config["caUrls"][0]["url"] = "http://fulcio.example".into();
    let error = SigningConfig::from_json(config.to_string().as_bytes()).unwrap_err();
    assert!(error.to_string().contains("only https"), "{error}");
}
