//! Credentials: where they go, and that they go nowhere else.

use weir_oci::media_type;
use weir_registry::{Credential, DockerConfig, ErrorKind, Keychain};
use weir_standin_registry::{Auth, Options};

use crate::support::{World, chain, manifest, tag, world};

const PASSWORD: &str = "s3cr3t-passw0rd";

fn bearer() -> Auth {
    Auth::Bearer {
        username: "user".to_owned(),
        password: PASSWORD.to_owned(),
        refresh_token: Some("refr3sh".to_owned()),
        anonymous_pull: true,
        expires_in: 300,
        realm: None,
    }
}

fn basic() -> Auth {
    Auth::Basic {
        username: "user".to_owned(),
        password: PASSWORD.to_owned(),
    }
}

async fn world_of(auth: Auth) -> World {
    world(Options {
        auth,
        incomplete_manifests: true,
        ..Options::default()
    })
    .await
}

fn keychain(world: &World, credential: Credential) -> Keychain {
    Keychain::anonymous().with(world.repository.registry(), credential)
}

async fn push(world: &World, keychain: Keychain) -> weir_registry::Result<weir_oci::Digest> {
    let client = world.client.with_credentials(keychain);
    client.push_blob(&world.repository, "x", b"blob".to_vec()).await?;
    client
        .push_manifest(
            &world.repository,
            Some(&tag("v1")),
            manifest(b"x"),
            media_type::OCI_MANIFEST,
        )
        .await
}

#[tokio::test]
async fn basic_credentials_open_a_registry_that_asks_for_them() {
    let world = world_of(basic()).await;
    push(&world, keychain(&world, Credential::basic("user", PASSWORD)))
        .await
        .unwrap();
    let err = world.client.tags(&world.repository).await.unwrap_err();
    assert!(matches!(err.kind(), ErrorKind::Unauthorized(_)), "{err:?}");
    assert!(err.is_access() && err.hint().is_some());
}

#[tokio::test]
async fn tokens_are_fetched_once_for_a_scope() {
    let world = world_of(bearer()).await;
    push(&world, keychain(&world, Credential::basic("user", PASSWORD)))
        .await
        .unwrap();
    assert_eq!(
        world.requests("GET", "/token"),
        1,
        "all of a push needs one scope"
    );
    assert_eq!(world.requests("GET", "/v2/?"), 0);
    let seen = world.registry.seen();
    let tokens: Vec<_> = seen
        .iter()
        .filter(|seen| seen.path.starts_with("/token"))
        .collect();
    assert_eq!(
        tokens.first().and_then(|seen| seen.authorization.as_deref()),
        Some("Basic")
    );
    assert!(
        seen.iter()
            .filter(|seen| seen.path.starts_with("/v2/org"))
            .all(|seen| seen.authorization.as_deref() == Some("Bearer")),
        "{seen:?}"
    );
}

#[tokio::test]
async fn a_refresh_token_is_posted_and_not_shown_in_an_address() {
    let world = world_of(bearer()).await;
    push(&world, keychain(&world, Credential::Identity("refr3sh".into())))
        .await
        .unwrap();
    assert_eq!(world.requests("POST", "/token"), 1);
    assert!(
        world
            .registry
            .seen()
            .iter()
            .all(|seen| !seen.path.contains("refr3sh"))
    );
    let err = push(
        &world,
        keychain(&world, Credential::Identity("wr0ng-t0ken".into())),
    )
    .await
    .unwrap_err();
    assert!(matches!(err.kind(), ErrorKind::Credentials(_)), "{err:?}");
}

#[tokio::test]
async fn anonymous_clients_may_pull_and_not_push() {
    let world = world_of(bearer()).await;
    world.seed("v1", b"x");
    assert_eq!(world.client.tags(&world.repository).await.unwrap(), ["v1"]);
    let err = push(&world, Keychain::anonymous()).await.unwrap_err();
    assert!(err.is_access(), "{err:?}");
}

#[tokio::test]
async fn a_token_that_ended_early_is_replaced() {
    let world = world_of(bearer()).await;
    world.seed("v1", b"x");
    world.client.tags(&world.repository).await.unwrap();
    world.registry.revoke_tokens();
    world.client.tags(&world.repository).await.unwrap();
    assert_eq!(world.requests("GET", "/token"), 2);
}

#[tokio::test]
async fn a_token_without_life_is_not_kept() {
    let Auth::Bearer {
        username,
        password,
        refresh_token,
        anonymous_pull,
        realm,
        ..
    } = bearer()
    else {
        return;
    };
    let auth = Auth::Bearer {
        username,
        password,
        refresh_token,
        anonymous_pull,
        realm,
        expires_in: 0,
    };
    let world = world_of(auth).await;
    world.seed("v1", b"x");
    world.client.tags(&world.repository).await.unwrap();
    world.client.tags(&world.repository).await.unwrap();
    assert_eq!(world.requests("GET", "/token"), 2);
}

#[tokio::test]
async fn a_mount_asks_for_a_token_that_speaks_for_both_repositories() {
    let world = world_of(bearer()).await;
    let digest = world.registry.put_blob("org/other", b"shared".as_slice());
    let other = format!("{}/org/other", world.repository.registry())
        .parse()
        .unwrap();
    let client = world
        .client
        .with_credentials(keychain(&world, Credential::basic("user", PASSWORD)));
    assert!(
        client
            .mount_blob(&world.repository, &digest, &other)
            .await
            .unwrap()
    );
    let tokens = world
        .registry
        .seen()
        .into_iter()
        .find(|seen| seen.path.starts_with("/token"))
        .unwrap();
    assert!(
        tokens.path.contains("org%2Fapp") && tokens.path.contains("org%2Fother"),
        "{}",
        tokens.path
    );
}

#[tokio::test]
async fn a_docker_configuration_is_a_keychain() {
    let world = world_of(bearer()).await;
    let config = format!(
        r#"{{"auths":{{"http://{}":{{"username":"user","password":"{PASSWORD}"}}}}}}"#,
        world.repository.registry()
    );
    let keychain = Keychain::anonymous()
        .with_docker_config(DockerConfig::from_secret(br#"{"auths":{"other.io":{"auth":"eDp5"}}}"#).unwrap())
        .with_docker_config(DockerConfig::from_secret(config.as_bytes()).unwrap());
    assert!(keychain.covers(&world.repository) && !keychain.is_anonymous());
    push(&world, keychain).await.unwrap();
}

#[tokio::test]
async fn clients_with_other_credentials_share_no_tokens() {
    let world = world_of(bearer()).await;
    push(&world, keychain(&world, Credential::basic("user", PASSWORD)))
        .await
        .unwrap();
    assert!(push(&world, Keychain::anonymous()).await.is_err());
}

#[tokio::test]
async fn n56_wrong_credentials_are_in_no_error() {
    for auth in [basic(), bearer()] {
        let world = world_of(auth).await;
        for credential in [
            Credential::basic("user", "wr0ng-passw0rd"),
            Credential::Identity("wr0ng-t0ken".into()),
            Credential::Bearer("wr0ng-b3arer".into()),
        ] {
            let client = world.client.with_credentials(keychain(&world, credential));
            let err = client.tags(&world.repository).await.unwrap_err();
            let text = format!("{} {err:?} {client:?}", chain(&err));
            assert!(!text.contains("wr0ng"), "{text}");
        }
    }
}
