//! A registry that lies, and what stands between.

use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use weir_oci::{Digest, ImageIndex, media_type};
use weir_registry::{Client, ClientOptions, Credential, ErrorKind, Keychain, PlainHttp, RetryOptions};
use weir_standin_registry::{Auth, Effect, Fault, Options, Registry};

use crate::support::{World, manifest, noise, options, tag, world};

fn headers(pairs: &[(HeaderName, &str)]) -> Vec<(HeaderName, HeaderValue)> {
    pairs
        .iter()
        .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()))
        .collect()
}

fn with_password(world: &World) -> Client {
    let credential = Credential::basic("user", "s3cr3t");
    world
        .client
        .with_credentials(Keychain::anonymous().with(world.repository.registry(), credential))
}

fn is_insecure(err: &weir_registry::Error) -> bool {
    matches!(err.kind(), ErrorKind::Insecure(_))
}

#[tokio::test]
async fn n20_no_credentials_go_to_a_realm_on_the_metadata_service() {
    for realm in [
        "http://169.254.169.254/token",
        "http://[fe80::1]/token",
        "ftp://127.0.0.1/token",
        "http://metadata.google.internal/t",
    ] {
        let world = world(Options::default()).await;
        let challenge = format!("Bearer realm=\"{realm}\",service=\"x\"");
        world.registry.inject(
            Fault::new(Effect::Answer(
                StatusCode::UNAUTHORIZED,
                headers(&[(header::WWW_AUTHENTICATE, &challenge)]),
            ))
            .always(),
        );
        let err = with_password(&world).tags(&world.repository).await.unwrap_err();
        assert!(is_insecure(&err), "{realm}: {err:?}");
    }
}

#[tokio::test]
async fn n20_a_later_challenge_is_judged_like_the_first() {
    let world = world(Options::default()).await;
    let client = with_password(&world);
    world.seed("v1", b"x");
    client.tags(&world.repository).await.unwrap();
    let challenge = "Bearer realm=\"http://169.254.169.254/token\"";
    world.registry.inject(Fault::new(Effect::Answer(
        StatusCode::UNAUTHORIZED,
        headers(&[(header::WWW_AUTHENTICATE, challenge)]),
    )));
    assert!(is_insecure(&client.tags(&world.repository).await.unwrap_err()));
}

#[tokio::test]
async fn n21_a_redirect_to_another_host_gets_no_credentials() {
    let password = Auth::Basic {
        username: "user".to_owned(),
        password: "s3cr3t".to_owned(),
    };
    let world = world(Options {
        auth: password,
        ..Options::default()
    })
    .await;
    let (_, layer) = world.seed("v1", b"content");
    let elsewhere = Registry::new(Options::default());
    let handle = elsewhere.start().await.unwrap();
    elsewhere.put_blob("org/app", b"content".as_slice());
    let to = format!("http://{}/v2/org/app/blobs/{}", handle.host(), layer.digest);
    world.registry.inject(
        Fault::new(Effect::Answer(
            StatusCode::TEMPORARY_REDIRECT,
            headers(&[(header::LOCATION, &to)]),
        ))
        .on(Method::GET)
        .at("/blobs/"),
    );
    let content = with_password(&world)
        .blob_bytes(&world.repository, &layer, 100)
        .await
        .unwrap();
    assert_eq!(content, "content");
    let seen = elsewhere.seen();
    assert_eq!(seen.len(), 1);
    assert!(seen.iter().all(|seen| seen.authorization.is_none()), "{seen:?}");
}

#[tokio::test]
async fn n21_a_challenge_from_another_host_is_not_answered() {
    let world = world(Options::default()).await;
    let (_, layer) = world.seed("v1", b"content");
    let thief = Registry::new(Options {
        auth: Auth::Basic {
            username: "user".to_owned(),
            password: "s3cr3t".to_owned(),
        },
        ..Options::default()
    });
    let handle = thief.start().await.unwrap();
    let to = format!("http://{}/v2/org/app/blobs/{}", handle.host(), layer.digest);
    world.registry.inject(
        Fault::new(Effect::Answer(
            StatusCode::FOUND,
            headers(&[(header::LOCATION, &to)]),
        ))
        .at("/blobs/")
        .always(),
    );
    let err = with_password(&world)
        .blob_bytes(&world.repository, &layer, 100)
        .await
        .unwrap_err();
    assert!(matches!(err.kind(), ErrorKind::Unauthorized(_)), "{err:?}");
    assert!(thief.seen().iter().all(|seen| seen.authorization.is_none()));
}

#[tokio::test]
async fn n21_an_upload_location_elsewhere_gets_no_credentials() {
    let password = Auth::Basic {
        username: "user".to_owned(),
        password: "s3cr3t".to_owned(),
    };
    let world = world(Options {
        auth: password,
        ..Options::default()
    })
    .await;
    let elsewhere = Registry::new(Options::default());
    let handle = elsewhere.start().await.unwrap();
    let to = format!("http://{}/v2/org/app/blobs/uploads/x", handle.host());
    world.registry.inject(
        Fault::new(Effect::Headers(headers(&[(header::LOCATION, &to)])))
            .on(Method::POST)
            .at("/blobs/uploads/"),
    );
    assert!(
        with_password(&world)
            .push_blob(&world.repository, "x", b"content".to_vec())
            .await
            .is_err()
    );
    let seen = elsewhere.seen();
    assert!(
        !seen.is_empty() && seen.iter().all(|seen| seen.authorization.is_none()),
        "{seen:?}"
    );
    for to in [
        "http://169.254.169.254/x",
        "ftp://127.0.0.1/x",
        "http://a:b@127.0.0.1/x",
    ] {
        world.registry.inject(
            Fault::new(Effect::Headers(headers(&[(header::LOCATION, to)])))
                .on(Method::POST)
                .at("/blobs/uploads/"),
        );
        let err = with_password(&world)
            .push_blob(&world.repository, "x", b"content".to_vec())
            .await
            .unwrap_err();
        assert!(is_insecure(&err), "{to}: {err:?}");
    }
}

#[tokio::test]
async fn n21_redirects_end_and_do_not_reach_link_local_addresses() {
    let world = world(Options::default()).await;
    world.seed("v1", b"x");
    for to in [
        "http://169.254.169.254/latest/meta-data",
        "gopher://x/",
        "http://[::ffff:169.254.1.1]/",
    ] {
        let location = headers(&[(header::LOCATION, to)]);
        world
            .registry
            .inject(Fault::new(Effect::Answer(StatusCode::FOUND, location)).at("/tags/"));
        let err = world.client.tags(&world.repository).await.unwrap_err();
        assert!(is_insecure(&err), "{to}: {err:?}");
    }
    let circle = headers(&[(header::LOCATION, "/v2/org/app/tags/list")]);
    world.registry.inject(
        Fault::new(Effect::Answer(StatusCode::FOUND, circle))
            .at("/tags/")
            .always(),
    );
    let err = world.client.tags(&world.repository).await.unwrap_err();
    assert!(
        matches!(
            err.kind(),
            ErrorKind::TooLarge {
                what: "redirects",
                ..
            }
        ),
        "{err:?}"
    );
}

#[tokio::test]
async fn n22_n43_content_is_read_by_the_digest_that_was_resolved() {
    let world = world(Options::default()).await;
    let (first, _) = world.seed("v1", b"first");
    let resolved = world
        .client
        .resolve(&world.repository.at_tag(tag("v1")))
        .await
        .unwrap();
    let (second, _) = world.seed("v1", b"second");
    assert_ne!(first, second);
    let fetched = world
        .client
        .manifest(&world.repository, &resolved.digest)
        .await
        .unwrap();
    assert_eq!(fetched.digest, first);
}

#[tokio::test]
async fn n24_a_manifest_with_other_bytes_is_refused() {
    let world = world(Options::default()).await;
    let (digest, _) = world.seed("v1", b"first");
    world
        .registry
        .tamper_manifest("org/app", "v1", manifest(b"second"));
    let err = world
        .client
        .manifest(&world.repository, &digest)
        .await
        .unwrap_err();
    assert!(
        matches!(err.kind(), ErrorKind::DigestMismatch { expected, .. } if *expected == digest),
        "{err:?}"
    );
    // By tag, the registry's own header gives it away.
    let err = world
        .client
        .manifest_at(&world.repository.at_tag(tag("v1")))
        .await
        .unwrap_err();
    assert!(matches!(err.kind(), ErrorKind::DigestMismatch { .. }), "{err:?}");
    let err = world
        .client
        .tag(&world.repository, &digest, &tag("v2"))
        .await
        .unwrap_err();
    assert!(
        matches!(err.kind(), ErrorKind::DigestMismatch { .. }),
        "tampered content is not tagged"
    );
}

#[tokio::test]
async fn n24_a_head_with_another_digest_is_refused() {
    let world = world(Options::default()).await;
    let (digest, _) = world.seed("v1", b"first");
    let lie = Digest::of(b"lie").to_string();
    let lie = headers(&[(HeaderName::from_static("docker-content-digest"), &lie)]);
    world
        .registry
        .inject(Fault::new(Effect::Headers(lie)).on(Method::HEAD));
    let err = world
        .client
        .resolve(&world.repository.at_digest(digest))
        .await
        .unwrap_err();
    assert!(matches!(err.kind(), ErrorKind::DigestMismatch { .. }), "{err:?}");
}

#[tokio::test]
async fn n24_a_blob_with_other_bytes_or_another_length_is_refused() {
    let world = world(Options::default()).await;
    let (_, layer) = world.seed("v1", &noise(1000));
    let mut longer = noise(1000);
    longer.push(0);
    for (content, is_right) in [
        (noise(1000), true),
        (vec![0; 1000], false),
        (longer, false),
        (noise(999), false),
        (Vec::new(), false),
    ] {
        world.registry.tamper_blob(&layer.digest, content.clone());
        let outcome = world.client.blob_bytes(&world.repository, &layer, 2000).await;
        assert_eq!(outcome.is_ok(), is_right, "{} bytes", content.len());
    }
}

#[tokio::test]
async fn n24_kinds_are_not_confused() {
    let world = world(Options::default()).await;
    let (digest, _) = world.seed("v1", b"x");
    let kind = headers(&[(header::CONTENT_TYPE, media_type::OCI_INDEX)]);
    world.registry.inject(
        Fault::new(Effect::Headers(kind))
            .on(Method::GET)
            .at("/manifests/"),
    );
    let err = world
        .client
        .manifest(&world.repository, &digest)
        .await
        .unwrap_err();
    assert!(matches!(err.kind(), ErrorKind::Manifest(_)), "{err:?}");
    // A server that does not know the type says a general one: then the bytes decide.
    let kind = headers(&[(header::CONTENT_TYPE, "application/json")]);
    world.registry.inject(
        Fault::new(Effect::Headers(kind))
            .on(Method::GET)
            .at("/manifests/"),
    );
    let fetched = world.client.manifest(&world.repository, &digest).await.unwrap();
    assert_eq!(fetched.media_type, media_type::OCI_MANIFEST);
}

#[tokio::test]
async fn n24_an_image_where_the_list_of_referrers_should_be_is_refused() {
    let world = world(Options {
        referrers_api: false,
        ..Options::default()
    })
    .await;
    let (digest, _) = world.seed("v1", b"x");
    let list = digest.referrers_tag();
    world
        .registry
        .put_manifest(
            "org/app",
            Some(list.as_str()),
            manifest(b"x"),
            media_type::OCI_MANIFEST,
        )
        .unwrap();
    let err = world
        .client
        .referrers(&world.repository, &digest, None)
        .await
        .unwrap_err();
    assert!(matches!(err.kind(), ErrorKind::Protocol(_)), "{err:?}");
    let raw = ImageIndex::new(Vec::new()).to_bytes().unwrap();
    world
        .registry
        .put_manifest("org/app", Some(list.as_str()), raw, media_type::OCI_INDEX)
        .unwrap();
    assert!(
        world
            .client
            .referrers(&world.repository, &digest, None)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn n27_plain_http_is_refused_unless_asked_for() {
    let world = world(Options::default()).await;
    world.seed("v1", b"x");
    let strict = ClientOptions {
        plain_http: PlainHttp::Never,
        retry: RetryOptions {
            attempts: 1,
            ..RetryOptions::default()
        },
        ..options()
    };
    let err = Client::new(strict.clone())
        .unwrap()
        .tags(&world.repository)
        .await
        .unwrap_err();
    assert!(matches!(err.kind(), ErrorKind::Connect(_)), "{err:?}");
    assert_eq!(world.requests("GET", ""), 0, "nothing was said in the clear");
    for plain_http in [
        PlainHttp::Any,
        PlainHttp::Hosts([world.repository.registry().to_owned()].into()),
    ] {
        let client = Client::new(ClientOptions {
            plain_http,
            ..strict.clone()
        })
        .unwrap();
        assert_eq!(client.tags(&world.repository).await.unwrap(), ["v1"]);
    }
}

#[tokio::test]
async fn a_mirror_answers_for_another_name_and_gets_only_its_own_credentials() {
    let world = world(Options::default()).await;
    let name = "registry.example/app".parse().unwrap();
    let mirror = format!("http://{}/org", world.repository.registry())
        .parse()
        .unwrap();
    let mirrors = [("registry.example".to_owned(), mirror)].into();
    let keychain = Keychain::anonymous().with("registry.example", Credential::basic("user", "s3cr3t"));
    let client = Client::new(ClientOptions { mirrors, ..options() })
        .unwrap()
        .with_credentials(keychain);
    world.seed("v1", b"x");
    assert_eq!(client.tags(&name).await.unwrap(), ["v1"]);
    let challenge = headers(&[(header::WWW_AUTHENTICATE, "Basic")]);
    world
        .registry
        .inject(Fault::new(Effect::Answer(StatusCode::UNAUTHORIZED, challenge)).always());
    let err = client.tags(&name).await.unwrap_err();
    assert_eq!(
        err.target(),
        "registry.example/app",
        "errors keep the original name"
    );
    assert!(
        world
            .registry
            .seen()
            .iter()
            .all(|seen| seen.authorization.is_none())
    );
}

#[tokio::test]
async fn n59_a_registry_on_the_metadata_service_is_not_asked() {
    let plain_http = PlainHttp::Any;
    let client = Client::new(ClientOptions {
        plain_http,
        ..options()
    })
    .unwrap();
    for registry in [
        "169.254.169.254",
        "[fe80::1]:80",
        "metadata.google.internal",
        "0.0.0.0:5000",
    ] {
        let err = client
            .tags(&format!("{registry}/latest/meta-data").parse().unwrap())
            .await
            .unwrap_err();
        assert!(is_insecure(&err), "{registry}: {err:?}");
    }
}
