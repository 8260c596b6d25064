//! `weir key`, `weir sign` and `weir verify`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::harness::{Ran, registry, weir, weir_with};

pub(crate) async fn generate(folder: &Path, name: &str) -> String {
    let prefix = folder.join(name).to_str().expect("UTF-8").to_owned();
    let args = ["key", "generate", "--output-key-prefix", &prefix];
    weir_with(&args, |io| io.with_env("COSIGN_PASSWORD", "pw"))
        .await
        .success();
    prefix
}

async fn sign(url: &str, key: &str, more: &[&str]) -> Ran {
    let mut args = vec!["sign", url, "--key", key];
    args.extend(more);
    weir_with(&args, |io| io.with_env("COSIGN_PASSWORD", "pw")).await
}

/// An artifact in a registry: its URL by digest.
pub(crate) async fn artifact(host: &str, folder: &Path) -> String {
    fs::write(folder.join("config.yaml"), "kind: ConfigMap\n").expect("writes");
    let url = format!("oci://{host}/org/apps:v1");
    let path = folder.join("config.yaml").to_str().expect("UTF-8").to_owned();
    let args = [
        "artifact",
        "push",
        &url,
        "-p",
        &path,
        "--source",
        "s",
        "--revision",
        "r",
    ];
    weir(&args).await.success().trim().to_owned()
}

#[tokio::test]
async fn a_signature_is_verified_by_its_key_and_by_no_other() {
    let (_, handle) = registry().await;
    let folder = tempfile::tempdir().expect("a folder");
    let (mine, other) = (
        generate(folder.path(), "mine").await,
        generate(folder.path(), "other").await,
    );
    let url = artifact(&handle.host(), folder.path()).await;
    let (mine_pub, other_pub) = (format!("{mine}.pub"), format!("{other}.pub"));

    let unsigned = weir(&["verify", &url, "--key", &mine_pub]).await;
    assert!(
        unsigned.stdout.ends_with(": not verified\n"),
        "{}",
        unsigned.stdout
    );
    assert!(
        unsigned
            .failure()
            .contains("no matching signatures were found for")
    );

    let signed = sign(&url, &format!("{mine}.key"), &[]).await.success();
    assert_eq!(signed.trim(), url);
    let good = weir(&["verify", &url, "--key", &other_pub, "--key", &mine_pub])
        .await
        .success();
    assert!(
        good.contains(": verified\n") && good.contains("good, by key"),
        "{good}"
    );
    assert!(good.contains("mine.pub"), "{good}");

    let bad = weir(&["verify", &url, "--key", &other_pub, "-o", "json"]).await;
    let data: Value = serde_json::from_str(&bad.stdout).expect("JSON");
    assert_eq!(data["verified"], false);
    assert_eq!(data["signatures"][0]["counts"], false);
    assert!(
        data["signatures"][0]["reason"]
            .as_str()
            .expect("a reason")
            .contains("signature is not by the key")
    );
    bad.failure();

    let seen = weir(&["artifact", "inspect", &url]).await.success();
    assert!(seen.contains("sigstore bundle"), "{seen}");
}

#[tokio::test]
async fn older_signatures_do_not_count_beside_a_bundle_and_the_output_says_so() {
    let (_, handle) = registry().await;
    let folder = tempfile::tempdir().expect("a folder");
    let (mine, other) = (
        generate(folder.path(), "mine").await,
        generate(folder.path(), "other").await,
    );
    let url = artifact(&handle.host(), folder.path()).await;
    sign(&url, &format!("{mine}.key"), &["--legacy", "-a", "team=a"])
        .await
        .success();
    let public = format!("{mine}.pub");
    let good = weir(&["verify", &url, "--key", &public]).await.success();
    assert!(
        good.contains("cosign payload") && good.contains("good, by key"),
        "{good}"
    );
    sign(&url, &format!("{other}.key"), &[]).await.success();
    // The bundle of another key takes the word from the payload, as in Flux.
    let bad = weir(&["verify", &url, "--key", &public]).await;
    assert!(bad.stdout.contains("does not count"), "{}", bad.stdout);
    bad.failure();
}

#[tokio::test]
async fn a_tag_is_signed_by_what_it_points_to_with_a_remark() {
    let (_, handle) = registry().await;
    let folder = tempfile::tempdir().expect("a folder");
    let mine = generate(folder.path(), "mine").await;
    let url = artifact(&handle.host(), folder.path()).await;
    let tagged = format!("oci://{}/org/apps:v1", handle.host());
    let ran = sign(&tagged, &format!("{mine}.key"), &[]).await;
    assert!(ran.stderr.contains("a tag can move"), "{}", ran.stderr);
    assert_eq!(ran.success().trim(), url);
}

#[tokio::test]
async fn keys_are_kept_and_passwords_are_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let mine = generate(folder.path(), "mine").await;
    let args = ["key", "generate", "--output-key-prefix", &mine];
    let again = weir_with(&args, |io| io.with_env("COSIGN_PASSWORD", "pw")).await;
    assert!(again.failure().contains("exists already"));
    let private = fs::read_to_string(format!("{mine}.key")).expect("reads");
    assert!(private.starts_with("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(format!("{mine}.key"))
            .expect("is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let key = format!("{mine}.key");
    let said = weir(&["sign", "localhost:1/a", "--key", &key]).await.usage();
    assert!(
        said.contains("needs a password") && said.contains("COSIGN_PASSWORD"),
        "{said}"
    );
    let args = ["sign", "localhost:1/a", "--key", &key, "--password-stdin"];
    let said = weir_with(&args, |io| io.with_stdin("n0pe\n")).await.failure();
    assert!(
        said.contains("cannot use the private key") && !said.contains("n0pe"),
        "{said}"
    );
}

#[tokio::test]
async fn a_private_key_is_no_public_key_and_is_not_repeated() {
    let folder = tempfile::tempdir().expect("a folder");
    let mine = generate(folder.path(), "mine").await;
    let key = format!("{mine}.key");
    let said = weir(&["verify", "localhost:1/a", "--key", &key]).await.failure();
    assert!(
        said.contains("is no public key") && !said.contains("BEGIN"),
        "{said}"
    );
    let said = weir(&["verify", "localhost:1/a", "--key", "awskms://x"])
        .await
        .usage();
    assert!(said.contains("awskms"), "{said}");
}
