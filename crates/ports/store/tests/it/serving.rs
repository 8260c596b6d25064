//! Stored artifacts over HTTP.

use axum::body::{Body, to_bytes};
use http::{Method, Request, StatusCode};
use jiff::Timestamp;
use tower::ServiceExt as _;
use weir_store::{Location, Store, serve};
use weir_verify::Admitted;

async fn ask(store: &Store, method: Method, path: &str) -> (StatusCode, Option<String>, String) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .body(Body::empty())
        .unwrap();
    let response = serve::router(store).oneshot(request).await.unwrap();
    let status = response.status();
    let length = response
        .headers()
        .get("content-length")
        .map(|value| value.to_str().unwrap().to_owned());
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, length, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn files_are_served_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("outside"), "secret").unwrap();
    let store = Store::open(folder.path().join("store")).unwrap();
    let location = Location::new("GitRepository", "ns", "name").unwrap();
    let content = Admitted::without_policy(bytes::Bytes::from_static(b"content"));
    let stored = store
        .put(
            &location,
            "sha256:aa.tar.gz",
            Some("latest.tar.gz"),
            &content,
            Timestamp::UNIX_EPOCH,
        )
        .unwrap();
    std::fs::write(store.root().join("gitrepository/ns/name/.tmp-9"), "half").unwrap();
    let fine = (StatusCode::OK, Some("7".to_owned()), "content".to_owned());
    assert_eq!(ask(&store, Method::GET, &format!("/{}", stored.path)).await, fine);
    assert_eq!(
        ask(&store, Method::GET, "/gitrepository/ns/name/sha256%3Aaa.tar.gz").await,
        fine
    );
    assert_eq!(
        ask(&store, Method::GET, "/gitrepository/ns/name/latest.tar.gz").await,
        fine
    );
    let head = ask(&store, Method::HEAD, &format!("/{}", stored.path)).await;
    assert_eq!(head, (StatusCode::OK, Some("7".to_owned()), String::new()));
    for path in [
        "/",
        "/gitrepository",
        "/gitrepository/ns/name",
        "/gitrepository/ns/name/",
        "/gitrepository/ns/name/.tmp-9",
        "/../outside",
        "/%2e%2e/outside",
        "/gitrepository/../../outside",
        "//etc/passwd",
        "/gitrepository/ns/name/missing",
    ] {
        assert_eq!(
            ask(&store, Method::GET, path).await.0,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    assert_eq!(
        ask(&store, Method::PUT, "/x").await.0,
        StatusCode::METHOD_NOT_ALLOWED
    );
}
