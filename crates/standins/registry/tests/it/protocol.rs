//! The verbs of the distribution spec.

use http::StatusCode;
use weir_oci::{Descriptor, Digest, ImageIndex, ImageManifest, media_type};
use weir_standin_registry::{Auth, Handle, Options, Registry};

pub(crate) struct World {
    pub(crate) registry: Registry,
    pub(crate) http: reqwest::Client,
    pub(crate) handle: Handle,
}

pub(crate) async fn world(options: Options) -> World {
    // The tests speak plain HTTP, but the library wants a provider to start.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let registry = Registry::new(options);
    let handle = registry.start().await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    World {
        registry,
        http,
        handle,
    }
}

impl World {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.handle.addr())
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            self.url(path)
        };
        self.http.request(method.parse().unwrap(), url)
    }

    pub(crate) async fn send(&self, method: &str, path: &str) -> reqwest::Response {
        self.request(method, path).send().await.unwrap()
    }

    async fn status(&self, method: &str, path: &str) -> u16 {
        self.send(method, path).await.status().as_u16()
    }
}

fn header<'r>(response: &'r reqwest::Response, name: &str) -> &'r str {
    response
        .headers()
        .get(name)
        .unwrap_or_else(|| panic!("no {name}"))
        .to_str()
        .unwrap()
}

#[tokio::test]
async fn a_blob_goes_up_in_one_request_in_two_and_in_chunks() {
    let world = world(Options::default()).await;
    let digest = Digest::of(b"content");
    let single = world
        .request("POST", &format!("/v2/a/b/blobs/uploads/?digest={digest}"))
        .body("content");
    let response = single.send().await.unwrap();
    assert_eq!(response.status(), 201);
    assert_eq!(header(&response, "location"), format!("/v2/a/b/blobs/{digest}"));

    let start = world.send("POST", "/v2/c/blobs/uploads/").await;
    assert_eq!(start.status(), 202);
    let session = header(&start, "location").to_owned();
    let put = world
        .request("PUT", &format!("{session}?digest={digest}"))
        .body("content")
        .send()
        .await
        .unwrap();
    assert_eq!(put.status(), 201);

    let session = header(&world.send("POST", "/v2/d/blobs/uploads/").await, "location").to_owned();
    for (range, part, status, held) in [
        ("0-2", "con", 202, "0-2"),
        ("0-2", "con", 416, "0-2"),
        ("5-6", "nt", 416, "0-2"),
        ("3-4", "te", 202, "0-4"),
    ] {
        let patch = world
            .request("PATCH", &session)
            .header("content-range", range)
            .body(part);
        let response = patch.send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), header(&response, "range")),
            (status, held)
        );
    }
    let status = world.send("GET", &session).await;
    assert_eq!((status.status().as_u16(), header(&status, "range")), (204, "0-4"));
    let put = world
        .request("PUT", &format!("{session}?digest={digest}"))
        .body("nt")
        .send()
        .await
        .unwrap();
    assert_eq!(put.status(), 201);
    assert_eq!(
        world
            .send("GET", &format!("/v2/d/blobs/{digest}"))
            .await
            .text()
            .await
            .unwrap(),
        "content"
    );
}

#[tokio::test]
async fn a_blob_under_a_wrong_name_is_refused() {
    let world = world(Options::default()).await;
    for (digest, status) in [
        (Digest::of(b"other").to_string(), 400),
        ("sha256:00".to_owned(), 400),
        (String::new(), 400),
    ] {
        let session = header(&world.send("POST", "/v2/a/blobs/uploads/").await, "location").to_owned();
        let put = world
            .request("PUT", &format!("{session}?digest={digest}"))
            .body("content");
        assert_eq!(put.send().await.unwrap().status(), status, "{digest}");
    }
    let session = header(&world.send("POST", "/v2/a/blobs/uploads/").await, "location").to_owned();
    assert_eq!(world.status("DELETE", &session).await, 204);
    assert_eq!(world.status("GET", &session).await, 404);
    assert_eq!(world.status("PATCH", "/v2/b/blobs/uploads/unknown").await, 404);
}

#[tokio::test]
async fn blobs_belong_to_repositories_and_come_in_parts() {
    let world = world(Options::default()).await;
    let digest = world.registry.put_blob("a", b"0123456789".as_slice());
    assert_eq!(world.status("GET", &format!("/v2/b/blobs/{digest}")).await, 404);
    let path = format!("/v2/a/blobs/{digest}");
    let head = world.send("HEAD", &path).await;
    assert_eq!(
        (head.status().as_u16(), header(&head, "content-length")),
        (200, "10")
    );
    for (range, status, body) in [
        ("bytes=2-4", 206, "234"),
        ("bytes=8-", 206, "89"),
        ("bytes=10-", 416, ""),
    ] {
        let response = world
            .request("GET", &path)
            .header("range", range)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status().as_u16(), status, "{range}");
        assert_eq!(response.text().await.unwrap(), body, "{range}");
    }
    let mount = world
        .send("POST", &format!("/v2/b/blobs/uploads/?mount={digest}&from=a"))
        .await;
    assert_eq!(mount.status(), 201);
    assert_eq!(world.status("HEAD", &format!("/v2/b/blobs/{digest}")).await, 200);
    let unknown = Digest::of(b"?");
    assert_eq!(
        world
            .status("POST", &format!("/v2/b/blobs/uploads/?mount={unknown}&from=a"))
            .await,
        202
    );
    assert_eq!(world.status("DELETE", &path).await, 202);
    assert_eq!(world.status("HEAD", &path).await, 404);
}

async fn put(world: &World, path: &str, raw: Vec<u8>, kind: &str) -> reqwest::Response {
    world
        .request("PUT", path)
        .header("content-type", kind)
        .body(raw)
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn manifests_are_checked_when_they_come_in() {
    let world = world(Options::default()).await;
    let raw = ImageManifest::new(Descriptor::empty(), vec![Descriptor::of("x", b"layer")])
        .to_bytes()
        .unwrap();
    let digest = Digest::of(&raw);
    let kind = media_type::OCI_MANIFEST;
    let refused = put(&world, "/v2/a/manifests/v1", raw.clone(), kind).await;
    assert_eq!(refused.status(), 404, "its blobs are missing");
    assert!(refused.text().await.unwrap().contains("MANIFEST_BLOB_UNKNOWN"));
    world.registry.put_blob("a", b"{}".as_slice());
    world.registry.put_blob("a", b"layer".as_slice());
    let wrong = format!("/v2/a/manifests/{}", Digest::of(b"?"));
    assert_eq!(put(&world, &wrong, raw.clone(), kind).await.status(), 400);
    assert_eq!(
        put(&world, "/v2/a/manifests/v1", raw.clone(), media_type::OCI_INDEX)
            .await
            .status(),
        400
    );
    assert_eq!(
        put(&world, "/v2/a/manifests/-bad", raw.clone(), kind)
            .await
            .status(),
        400
    );
    let created = put(&world, "/v2/a/manifests/v1", raw.clone(), kind).await;
    assert_eq!(
        (
            created.status().as_u16(),
            header(&created, "docker-content-digest")
        ),
        (201, &*digest.to_string())
    );
    for selector in ["v1", &digest.to_string()] {
        let head = world.send("HEAD", &format!("/v2/a/manifests/{selector}")).await;
        assert_eq!(header(&head, "docker-content-digest"), digest.to_string());
        assert_eq!(header(&head, "content-length"), raw.len().to_string());
        let get = world.send("GET", &format!("/v2/a/manifests/{selector}")).await;
        assert_eq!(header(&get, "content-type"), kind);
        assert_eq!(get.bytes().await.unwrap(), raw);
    }
    let index = ImageIndex::new(vec![Descriptor::of(kind, b"absent")])
        .to_bytes()
        .unwrap();
    assert_eq!(
        put(&world, "/v2/a/manifests/v2", index, media_type::OCI_INDEX)
            .await
            .status(),
        404
    );
}

#[tokio::test]
async fn tags_are_sorted_and_paged() {
    let world = world(Options {
        page_size: 2,
        incomplete_manifests: true,
        ..Options::default()
    })
    .await;
    assert_eq!(world.status("GET", "/v2/a/tags/list").await, 404);
    let raw = ImageManifest::new(Descriptor::empty(), Vec::new())
        .to_bytes()
        .unwrap();
    for tag in ["c", "a", "b"] {
        put(
            &world,
            &format!("/v2/a/manifests/{tag}"),
            raw.clone(),
            media_type::OCI_MANIFEST,
        )
        .await;
    }
    let first = world.send("GET", "/v2/a/tags/list?n=100").await;
    assert_eq!(
        header(&first, "link"),
        "</v2/a/tags/list?n=2&last=b>; rel=\"next\""
    );
    assert_eq!(first.text().await.unwrap(), r#"{"name":"a","tags":["a","b"]}"#);
    let second = world.send("GET", "/v2/a/tags/list?n=2&last=b").await;
    assert!(second.headers().get("link").is_none());
    assert_eq!(second.text().await.unwrap(), r#"{"name":"a","tags":["c"]}"#);
}

#[tokio::test]
async fn referrers_are_listed_filtered_and_paged() {
    let world = world(Options {
        page_size: 2,
        incomplete_manifests: true,
        ..Options::default()
    })
    .await;
    let subject = Descriptor::of(media_type::OCI_MANIFEST, b"subject");
    for (kind, note) in [
        ("application/a", "1"),
        ("application/a", "2"),
        ("application/b", "3"),
        ("application/a", "4"),
    ] {
        let mut manifest = ImageManifest::new(Descriptor::empty(), Vec::new());
        manifest.artifact_type = Some(kind.to_owned());
        manifest.subject = Some(subject.clone());
        manifest.annotations.insert("note".to_owned(), note.to_owned());
        let raw = manifest.to_bytes().unwrap();
        let path = format!("/v2/a/manifests/{}", Digest::of(&raw));
        let response = put(&world, &path, raw, media_type::OCI_MANIFEST).await;
        assert_eq!(header(&response, "oci-subject"), subject.digest.to_string());
    }
    for (query, count, filtered) in [
        ("", 4, false),
        ("?artifactType=application/a", 3, true),
        ("?artifactType=none", 0, true),
    ] {
        let mut path = format!("/v2/a/referrers/{}{query}", subject.digest);
        let mut found = Vec::new();
        loop {
            let response = world.send("GET", &path).await;
            assert_eq!(header(&response, "content-type"), media_type::OCI_INDEX);
            assert_eq!(response.headers().contains_key("oci-filters-applied"), filtered);
            let next = response
                .headers()
                .get("link")
                .map(|link| link.to_str().unwrap().to_owned());
            let index: ImageIndex = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
            found.extend(index.manifests);
            match next {
                None => break,
                Some(next) => path = next.split(['<', '>']).nth(1).unwrap().to_owned(),
            }
        }
        assert_eq!(found.len(), count, "{query}");
        assert!(found.iter().all(|entry| entry.annotations.contains_key("note")));
    }
}

#[tokio::test]
async fn a_registry_without_referrers_says_so() {
    let world = world(Options {
        referrers_api: false,
        incomplete_manifests: true,
        ..Options::default()
    })
    .await;
    assert_eq!(
        world
            .status("GET", &format!("/v2/a/referrers/{}", Digest::of(b"x")))
            .await,
        404
    );
    let mut manifest = ImageManifest::new(Descriptor::empty(), Vec::new());
    manifest.subject = Some(Descriptor::empty());
    let response = put(
        &world,
        "/v2/a/manifests/x",
        manifest.to_bytes().unwrap(),
        media_type::OCI_MANIFEST,
    )
    .await;
    assert_eq!(response.status(), 201);
    assert!(response.headers().get("oci-subject").is_none());
}

#[tokio::test]
async fn deletion_takes_the_tags_along_and_can_be_off() {
    for deletion in [true, false] {
        let world = world(Options {
            deletion,
            incomplete_manifests: true,
            ..Options::default()
        })
        .await;
        let raw = ImageManifest::new(Descriptor::empty(), Vec::new())
            .to_bytes()
            .unwrap();
        let digest = world
            .registry
            .put_manifest("a", Some("v1"), raw, media_type::OCI_MANIFEST)
            .unwrap();
        let status = world.status("DELETE", &format!("/v2/a/manifests/{digest}")).await;
        assert_eq!(status, if deletion { 202 } else { 405 });
        assert_eq!(world.registry.tags("a").is_empty(), deletion);
    }
}

#[tokio::test]
async fn tokens_hold_for_the_scope_they_were_given_for() {
    let auth = Auth::Bearer {
        username: "user".to_owned(),
        password: "password".to_owned(),
        refresh_token: Some("refresh".to_owned()),
        anonymous_pull: true,
        expires_in: 60,
        realm: None,
    };
    let world = world(Options {
        auth,
        ..Options::default()
    })
    .await;
    world.registry.put_blob("a", b"x".as_slice());
    let blob = format!("/v2/a/blobs/{}", Digest::of(b"x"));
    let refused = world.send("GET", &blob).await;
    assert_eq!(refused.status(), 401);
    let challenge = header(&refused, "www-authenticate");
    assert!(
        challenge.contains("/token\"") && challenge.contains("scope=\"repository:a:pull\""),
        "{challenge}"
    );
    let token = |request: reqwest::RequestBuilder| async {
        let answer: serde_json::Value =
            serde_json::from_slice(&request.send().await.unwrap().bytes().await.unwrap()).unwrap();
        answer["token"].as_str().map(str::to_owned)
    };
    let anonymous = token(world.request("GET", "/token?scope=repository:a:pull,push"))
        .await
        .unwrap();
    let known = world
        .request("GET", "/token?scope=repository:a:pull,push")
        .basic_auth("user", Some("password"));
    let known = token(known).await.unwrap();
    let refreshed = world
        .request("POST", "/token")
        .body("grant_type=refresh_token&refresh_token=refresh&scope=repository%3Aa%3Apull");
    let refreshed = token(refreshed).await.unwrap();
    for (token, get, push, other) in [
        (anonymous, 200, 401, 401),
        (known, 200, 202, 401),
        (refreshed, 200, 401, 401),
    ] {
        let status = async |method: &str, path: &str| {
            world
                .request(method, path)
                .bearer_auth(&token)
                .send()
                .await
                .unwrap()
                .status()
                .as_u16()
        };
        assert_eq!(status("GET", &blob).await, get);
        assert_eq!(status("POST", "/v2/a/blobs/uploads/").await, push);
        assert_eq!(status("GET", "/v2/b/tags/list").await, other);
    }
    let wrong = world
        .request("GET", "/token?scope=repository:a:pull")
        .basic_auth("user", Some("wrong"));
    assert_eq!(token(wrong).await, None);
    assert_eq!(
        world
            .request("POST", "/token")
            .body("refresh_token=wrong")
            .send()
            .await
            .unwrap()
            .status(),
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn paths_outside_the_protocol_are_not_found() {
    let world = world(Options::default()).await;
    for path in [
        "/",
        "/v1/",
        "/v2/a",
        "/v2/A/tags/list",
        "/v2/a/unknown/x",
        "/v2//tags/list",
    ] {
        assert_eq!(world.status("GET", path).await, 404, "{path}");
    }
    assert_eq!(world.status("GET", "/v2/").await, 200);
    assert_eq!(world.status("GET", "/v2").await, 200);
}
