//! Tokens of service accounts.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng as _;
use serde_json::{Value, json};

use crate::object::{self, at, list};
use crate::options::User;
use crate::write::Cx;

/// The issuer and default audience of tokens.
const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";

/// Tokens live an hour unless another time is asked for, and ten minutes at least.
const DEFAULT_SECONDS: i64 = 3600;
const LEAST_SECONDS: i64 = 600;
const MOST_SECONDS: i64 = 1 << 32;

/// Answers a TokenRequest for `account`. The token has the form of a JSON web token; its signature is random, and the
/// server knows it by heart.
pub(crate) fn issue(cx: &mut Cx<'_>, account: &Value, request: &Value) -> Value {
    let (namespace, name) = (object::namespace(account), object::name(account));
    let uid = object::uid(account);
    let audiences: Vec<Value> = match list(request, &["spec", "audiences"]) {
        [] => vec![json!(ISSUER)],
        asked => asked.to_vec(),
    };
    let seconds = at(request, &["spec", "expirationSeconds"])
        .and_then(Value::as_i64)
        .unwrap_or(DEFAULT_SECONDS)
        .clamp(LEAST_SECONDS, MOST_SECONDS);
    let issued = cx.now.as_second();
    let id = cx.new_uid();
    let subject = format!("system:serviceaccount:{namespace}:{name}");
    let claims = json!({
        "aud": audiences,
        "exp": issued + seconds,
        "iat": issued,
        "nbf": issued,
        "iss": ISSUER,
        "jti": id,
        "sub": subject,
        "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": name, "uid": uid}},
    });
    let signature: [u8; 32] = cx.state.rng.random();
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let header = json!({"alg": "RS256", "kid": "weir"}).to_string();
    let token = format!(
        "{}.{}.{}",
        encode(header.as_bytes()),
        encode(claims.to_string().as_bytes()),
        encode(&signature)
    );
    let user = User {
        name: subject,
        uid: uid.to_owned(),
        groups: vec![
            "system:serviceaccounts".to_owned(),
            format!("system:serviceaccounts:{namespace}"),
        ],
        extra: [(
            "authentication.kubernetes.io/credential-id".to_owned(),
            vec![format!("JTI={id}")],
        )]
        .into(),
    };
    cx.state.tokens.insert(token.clone(), user);
    let expires = cx.now + jiff::SignedDuration::from_secs(seconds);
    let mut out = request.clone();
    object::set(&mut out, &["apiVersion"], json!("authentication.k8s.io/v1"));
    object::set(&mut out, &["kind"], json!("TokenRequest"));
    object::set(&mut out, &["spec", "audiences"], json!(audiences));
    object::set(&mut out, &["spec", "expirationSeconds"], json!(seconds));
    if at(&out, &["spec", "boundObjectRef"]).is_none() {
        object::set(&mut out, &["spec", "boundObjectRef"], Value::Null);
    }
    object::set(
        &mut out,
        &["metadata"],
        json!({
            "name": name,
            "namespace": namespace,
            "creationTimestamp": cx.time(),
        }),
    );
    object::set(
        &mut out,
        &["status"],
        json!({"token": token, "expirationTimestamp": object::write_time(expires)}),
    );
    out
}
