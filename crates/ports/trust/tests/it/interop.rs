//! cosign itself on the other side: what it signs we verify, what we sign it verifies, keys of one are read by
//! the other. Runs when cosign has been built by `cargo xtask tools`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use weir_redact::SecretString;
use weir_trust::{SigningKey, find, sign};
use weir_verify::{Layout, verify};

use crate::support::{Setup, now, options, plain_key, policy};

const COSIGN: &str = ".cache/weir/tools/cosign-v3.1.3/cosign";
const PASSWORD: &str = "interop password";

/// The program and a folder to run it in, or a line that it is not there.
pub(crate) struct Cosign {
    program: PathBuf,
    folder: tempfile::TempDir,
}

impl Cosign {
    pub(crate) fn find() -> Option<Self> {
        let program = std::env::home_dir().unwrap_or_default().join(COSIGN);
        if !program.is_file() {
            println!("not run: cosign is not built");
            return None;
        }
        Some(Self {
            program,
            folder: tempfile::tempdir().unwrap(),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs it to its end, and gives what it printed.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(self.path()).env_clear();
        command.env("COSIGN_PASSWORD", PASSWORD).env("HOME", self.path());
        tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap()
    }

    #[track_caller]
    pub(crate) fn succeeded(output: &Output) {
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// A key pair that cosign made.
    pub(crate) async fn generate(&self) -> SigningKey {
        Self::succeeded(&self.run(&["generate-key-pair"]).await);
        let pem = std::fs::read_to_string(self.path().join("cosign.key")).unwrap();
        let key = SigningKey::from_pem(&pem, Some(&SecretString::from(PASSWORD))).unwrap();
        let public = std::fs::read_to_string(self.path().join("cosign.pub")).unwrap();
        assert_eq!(key.public_key().to_pem(), public);
        key
    }

    /// A key pair that we made.
    fn write(&self, key: &SigningKey) {
        let pem = key.to_encrypted_pem(&SecretString::from(PASSWORD)).unwrap();
        std::fs::write(self.path().join("cosign.key"), pem).unwrap();
        std::fs::write(self.path().join("cosign.pub"), key.public_key().to_pem()).unwrap();
    }

    async fn sign(&self, target: &str, layout: Layout) {
        let format = format!("--new-bundle-format={}", layout == Layout::Bundle);
        let output = self
            .run(&[
                "sign",
                "--key=cosign.key",
                "--tlog-upload=false",
                "--use-signing-config=false",
                &format,
                "-y",
                target,
            ])
            .await;
        Self::succeeded(&output);
    }

    async fn verify(&self, target: &str) -> Output {
        let arguments = [
            "verify",
            "--key=cosign.pub",
            "--insecure-ignore-tlog=true",
            "--allow-http-registry=true",
        ];
        self.run(&[arguments.as_slice(), &[target]].concat()).await
    }
}

pub(crate) async fn setups() -> [Setup; 2] {
    [Setup::new().await, Setup::without_referrers_api().await]
}

#[tokio::test(flavor = "multi_thread")]
async fn weir_verifies_what_cosign_signs() {
    let Some(cosign) = Cosign::find() else { return };
    let key = cosign.generate().await;
    for layout in [Layout::Bundle, Layout::Legacy] {
        for setup in setups().await {
            cosign.sign(&setup.target.to_string(), layout).await;
            let found = find(&setup.client, &setup.target).await.unwrap();
            let verified = verify(&setup.target, &found, &policy(&key), now()).unwrap();
            assert_eq!(verified.evidence().layout, layout);
            let other = SigningKey::generate().unwrap();
            assert!(verify(&setup.target, &found, &policy(&other), now()).is_err());
            setup.handle.shutdown().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cosign_verifies_what_weir_signs() {
    let Some(cosign) = Cosign::find() else { return };
    for name in ["p256", "p521", "rsa", "ed25519"] {
        let key = plain_key(name);
        std::fs::write(cosign.path().join("cosign.pub"), key.public_key().to_pem()).unwrap();
        for layout in [Layout::Bundle, Layout::Legacy] {
            for setup in setups().await {
                let target = setup.target.to_string();
                assert!(!cosign.verify(&target).await.status.success());
                sign(&setup.client, &setup.target, &key, &options().in_layout(layout))
                    .await
                    .unwrap();
                Cosign::succeeded(&cosign.verify(&target).await);
                setup.handle.shutdown().await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cosign_signs_with_a_key_of_weirs_beside_weirs_own_signature() {
    let Some(cosign) = Cosign::find() else { return };
    let key = SigningKey::generate().unwrap();
    cosign.write(&key);
    for setup in setups().await {
        let target = setup.target.to_string();
        sign(
            &setup.client,
            &setup.target,
            &SigningKey::generate().unwrap(),
            &options(),
        )
        .await
        .unwrap();
        cosign.sign(&target, Layout::Bundle).await;
        let found = find(&setup.client, &setup.target).await.unwrap();
        assert_eq!(found.bundles.len(), 2);
        assert!(verify(&setup.target, &found, &policy(&key), now()).is_ok());
        Cosign::succeeded(&cosign.verify(&target).await);
        setup.handle.shutdown().await;
    }
}
