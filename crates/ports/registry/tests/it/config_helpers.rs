//! Credential helpers are not run for a Secret's sake.

use weir_registry::{DockerConfig, Keychain};

#[tokio::test]
async fn n52_a_secret_runs_no_program_and_an_own_file_names_the_failure() {
    let json = br#"{"credHelpers":{"registry.example":"weir-test-absent"}}"#;
    let repository = "registry.example/a".parse().unwrap();
    let from_secret = Keychain::anonymous().with_docker_config(DockerConfig::from_secret(json).unwrap());
    assert!(from_secret.is_anonymous());
    assert!(from_secret.lookup(&repository).await.unwrap().is_none());
    let own = Keychain::anonymous().with_docker_config(DockerConfig::from_own_file(json).unwrap());
    let err = own.lookup(&repository).await.unwrap_err();
    assert!(err.to_string().contains("weir-test-absent"), "{err}");
}
