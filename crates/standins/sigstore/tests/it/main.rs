//! The stand-in's protocols, where they refuse. That they work, cosign says in the trust port's tests.
#![expect(clippy::unwrap_used, reason = "tests stop on surprises")]

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use weir_standin_sigstore::{Holder, Options, Server, Sigstore, Workload};

const SUBJECT: &str = "release@example.org";

async fn server() -> (Server, Client) {
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let from = Timestamp::now() - SignedDuration::from_hours(1);
    let server = Server::start(from, Options::default()).await.unwrap();
    (server, Client::new())
}

fn holder() -> Holder {
    Holder::new("https://accounts.example", SUBJECT)
}

/// A request for a certificate for a new key, whose holder signs `proven`.
fn request(proven: &str) -> Value {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let spki = key.public_key().as_der().unwrap();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        STANDARD.encode(spki.as_ref())
    );
    let proof = key.sign(&SystemRandom::new(), proven.as_bytes()).unwrap();
    json!({ "publicKeyRequest": {
        "publicKey": { "algorithm": "ECDSA", "content": pem },
        "proofOfPossession": STANDARD.encode(proof.as_ref()),
    } })
}

async fn answer(server: &Server, client: &Client, token: &str, request: &Value) -> (StatusCode, String) {
    let url = format!("http://{}/fulcio/api/v2/signingCert", server.address());
    let sent = client.post(url).bearer_auth(token).json(request).send().await;
    let answer = sent.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

/// The certificate that somebody got, as text with holes: names and issuers are readable in it.
fn certificate(answer: &str) -> String {
    let answer: Value = serde_json::from_str(answer).unwrap();
    let chain = &answer["signedCertificateEmbeddedSct"]["chain"]["certificates"];
    let pem: String = chain[0]
        .as_str()
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    String::from_utf8_lossy(&STANDARD.decode(pem).unwrap()).into_owned()
}

fn actions() -> Workload {
    Workload::Actions {
        repository: "org/apps".to_owned(),
        workflow: "push.yml".to_owned(),
        reference: "refs/heads/main".to_owned(),
        commit: "0123abcd".to_owned(),
    }
}

async fn ask(server: &Server, client: &Client, token: &str, request: &Value) -> StatusCode {
    let url = format!("http://{}/fulcio/api/v2/signingCert", server.address());
    let sent = client.post(url).bearer_auth(token).json(request).send().await;
    sent.unwrap().status()
}

#[tokio::test]
async fn a_certificate_needs_a_token_of_this_instance_and_a_proof_by_its_key() {
    let (server, client) = server().await;
    let now = Timestamp::now();
    let token = server.sigstore().token(&holder(), now);
    assert_eq!(
        ask(&server, &client, &token, &request(SUBJECT)).await,
        StatusCode::OK
    );
    assert_eq!(
        ask(&server, &client, &token, &request("somebody else")).await,
        StatusCode::BAD_REQUEST
    );

    let old = server
        .sigstore()
        .token(&holder(), now - SignedDuration::from_hours(2));
    let foreign = Sigstore::new(now).token(&holder(), now);
    let (head, rest) = token.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let other = server
        .sigstore()
        .token(&Holder::new("https://accounts.example", "x@example.org"), now);
    let (_, claims) = other.split_once('.').unwrap();
    let spliced = format!("{head}.{}.{signature}", claims.split_once('.').unwrap().0);
    for bad in [
        old.as_str(),
        foreign.as_str(),
        spliced.as_str(),
        "",
        "a.b",
        "a.b.c",
    ] {
        let status = ask(&server, &client, bad, &request(SUBJECT)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{bad}");
    }
}

#[tokio::test]
async fn what_is_no_request_is_refused() {
    let (server, client) = server().await;
    for (path, body) in [
        ("rekor/api/v1/log/entries", "not json"),
        ("rekor/api/v1/log/entries", "{}"),
        ("rekor/api/v1/log/entries", r#"{"kind":"rpm","spec":{}}"#),
        (
            "rekor/api/v1/log/entries",
            r#"{"kind":"dsse","spec":{"proposedContent":{"envelope":"{"}}}"#,
        ),
        ("rekor2/api/v2/log/entries", "{}"),
        ("rekor2/api/v2/log/entries", r#"{"dsseRequestV002":{}}"#),
        ("tsa/api/v1/timestamp", ""),
        ("tsa/api/v1/timestamp", "0\u{1}0"),
    ] {
        let url = format!("http://{}/{path}", server.address());
        let answer = client.post(url).body(body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{path} {body}");
    }
}

#[tokio::test]
async fn the_keys_of_a_provider_are_discovered_and_its_claims_become_names() {
    let (provider, client) = server().await;
    let from = Timestamp::now() - SignedDuration::from_hours(1);
    let options = Options {
        issuers: vec![provider.sigstore().issuer()],
        ..Options::default()
    };
    // One that knows the other's provider, and that one itself.
    let other = Server::start(from, options).await.unwrap();
    let gitlab = Workload::GitLab {
        host: "gitlab.example".to_owned(),
        project: "org/apps".to_owned(),
        branch: "main".to_owned(),
        commit: "0123abcd".to_owned(),
    };
    let account = Workload::ServiceAccount {
        namespace: "ci".to_owned(),
        name: "publisher".to_owned(),
    };
    let person = Workload::Person {
        email: SUBJECT.to_owned(),
    };
    for (workload, proof, name) in [
        (
            actions(),
            "repo:org/apps:ref:refs/heads/main",
            "https://github.com/org/apps/.github/workflows/push.yml@refs/heads/main",
        ),
        (
            gitlab,
            "project_path:org/apps:ref_type:branch:ref:main",
            "https://gitlab.example/org/apps//.gitlab-ci.yml@refs/heads/main",
        ),
        (
            account,
            "system:serviceaccount:ci:publisher",
            "https://kubernetes.io/namespaces/ci/serviceaccounts/publisher",
        ),
        (person, SUBJECT, SUBJECT),
    ] {
        let issuer = provider.sigstore().issuer();
        let token = provider
            .sigstore()
            .workload_token(&workload, "sigstore", Timestamp::now());
        for server in [&provider, &other] {
            let (status, text) = answer(server, &client, &token, &request(proof)).await;
            assert_eq!(status, StatusCode::OK, "{text}");
            let certificate = certificate(&text);
            assert!(
                certificate.contains(name) && certificate.contains(&issuer),
                "{certificate}"
            );
        }
    }
}

#[tokio::test]
async fn a_providers_token_is_refused_when_it_is_old_for_others_forged_or_its_provider_is_away() {
    let (provider, client) = server().await;
    let from = Timestamp::now() - SignedDuration::from_hours(1);
    let issuers = vec![provider.sigstore().issuer()];
    let options = Options {
        issuers,
        ..Options::default()
    };
    let other = Server::start(from, options).await.unwrap();
    let (sigstore, now) = (provider.sigstore(), Timestamp::now());
    let hour = SignedDuration::from_hours(1);
    let good = sigstore.workload_token(&actions(), "sigstore", now);
    // By the key for anybody, with the provider's name on it.
    let forged = other
        .sigstore()
        .token(&Holder::new(sigstore.issuer(), SUBJECT), now);
    let proof = request("repo:org/apps:ref:refs/heads/main");
    for (token, why) in [
        (
            sigstore.workload_token(&actions(), "sigstore", now - hour * 2),
            "expired",
        ),
        (
            sigstore.workload_token(&actions(), "sigstore", now + hour),
            "not good yet",
        ),
        (
            sigstore.workload_token(&actions(), "vault", now),
            "for somebody else",
        ),
        (forged, "not signed by a known issuer"),
    ] {
        let (status, said) = answer(&other, &client, &token, &proof).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{why}");
        assert!(said.contains(why), "{said}");
    }
    let (status, said) = answer(&other, &client, &good, &proof).await;
    assert_eq!(status, StatusCode::OK, "{said}");
    drop(provider);
    // Until its listener is gone.
    for _ in 0..100 {
        let (status, said) = answer(&other, &client, &good, &proof).await;
        if status == StatusCode::UNAUTHORIZED {
            assert!(said.contains("cannot be asked for its keys"), "{said}");
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the provider does not go");
}

#[tokio::test]
async fn a_job_gets_tokens_for_the_audience_that_it_asks_for() {
    let (server, client) = server().await;
    let (url, secret) = server.sigstore().job(&actions(), Timestamp::now());
    let token = async |secret: &str, audience: &str| {
        let url = format!("{url}&audience={audience}");
        let answer = client.get(url).bearer_auth(secret).send().await.unwrap();
        (answer.status(), answer.json::<Value>().await.unwrap_or_default())
    };
    let (_, given) = token(&secret, "sigstore").await;
    assert_eq!(given["count"], 1);
    let given = given["value"].as_str().unwrap();
    let proof = request("repo:org/apps:ref:refs/heads/main");
    assert_eq!(ask(&server, &client, given, &proof).await, StatusCode::OK);
    let (_, other) = token(&secret, "vault").await;
    let other = other["value"].as_str().unwrap();
    assert_eq!(
        ask(&server, &client, other, &proof).await,
        StatusCode::UNAUTHORIZED
    );
    // What it gives is nothing to ask with.
    assert_eq!(token(given, "sigstore").await.0, StatusCode::UNAUTHORIZED);
}
