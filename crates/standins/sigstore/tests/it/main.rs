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
use weir_standin_sigstore::{Holder, Options, Server, Sigstore};

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
