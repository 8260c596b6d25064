//! The files in `examples/actions`, run as they are by a runner of our own, with the binary alone.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use weir_standin_registry::{Auth, Options};
use weir_standin_sigstore::{Rekor, Workload};

use crate::outside::{Outside, Variables};
use crate::runner::{github, gitlab};

const PUSH: &str = "https://github.com/org/apps/.github/workflows/push.yml@refs/heads/main";

type Inputs<'i> = Vec<(&'i str, &'i str)>;

/// The content, and where the files of the Sigstore are.
struct Given {
    repository: String,
    config: String,
    root: String,
}

impl Given {
    fn new(outside: &Outside) -> Self {
        outside.write("apps/config.yaml", "kind: ConfigMap\nv: 1\n");
        Self {
            repository: format!("oci://{}/org/apps", outside.host()),
            config: outside.path("signing_config.json"),
            root: outside.path("trusted_root.json"),
        }
    }

    fn inputs<'i>(&'i self, more: &[(&'i str, &'i str)]) -> Inputs<'i> {
        let mut inputs = vec![
            ("repository", self.repository.as_str()),
            ("signing-config", &self.config),
            ("trusted-root", &self.root),
        ];
        inputs.extend(more);
        inputs
    }
}

/// The outputs of D2's push action, with what is known of them.
fn expected(outside: &Outside, pushed: bool, moved: bool, tag: &str) -> BTreeMap<String, String> {
    let digest = outside.registry.tag("org/apps", tag).expect("a tag");
    let repository = format!("{}/org/apps", outside.host());
    [
        ("pushed", pushed.to_string()),
        ("moved", moved.to_string()),
        ("digest", digest.to_string()),
        ("digest-url", format!("{repository}@{digest}")),
        ("url", format!("oci://{repository}@{digest}")),
        ("repository", repository),
        ("tag", tag.to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// Whether the binary says that `subject` has signed what a tag names.
async fn verifies(outside: &Outside, tag: &str, subject: &str) -> bool {
    let (url, root) = (
        format!("oci://{}/org/apps:{tag}", outside.host()),
        outside.path("trusted_root.json"),
    );
    let issuer = outside.sigstore().issuer();
    let args = [
        "verify",
        &url,
        "--trusted-root",
        &root,
        "--certificate-oidc-issuer",
        &issuer,
    ];
    let args = [args.as_slice(), &["--certificate-identity", subject]].concat();
    outside.weir(&args).await.status.success()
}

/// Who has built what a tag names, as the provenance says that the binary finds there.
async fn builders(outside: &Outside, tag: &str, subject: &str) -> Vec<String> {
    let url = format!("oci://{}/org/apps:{tag}", outside.host());
    let (root, issuer) = (outside.path("trusted_root.json"), outside.sigstore().issuer());
    let kind = ["--type", "slsaprovenance1"];
    let by = [
        "--certificate-identity",
        subject,
        "--certificate-oidc-issuer",
        &issuer,
    ];
    let verify = ["verify", &url, "--trusted-root", &root];
    let verified = outside.weir(&[verify.as_slice(), &kind, &by].concat()).await;
    assert!(verified.status.success(), "{verified:?}");
    let download = ["attest", "download", &url, "--part", "predicate"];
    let all = outside.weir(&[download.as_slice(), &kind].concat()).await.stdout;
    let all = serde_json::Deserializer::from_slice(&all).into_iter::<Value>();
    let builder = |one: Value| one["runDetails"]["builder"]["id"].as_str().map(str::to_owned);
    all.map(|one| builder(one.expect("JSON")).expect("a builder"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn github_publishes_then_promotes_and_a_second_run_pushes_nothing() {
    let outside = Outside::start(Options::default()).await;
    let given = Given::new(&outside);
    let job = outside.job("push.yml");
    let publish = given.inputs(&[
        ("path", "apps"),
        ("diff-tag", "latest"),
        ("tags", "v1, v1.0\nv1.0.0"),
    ]);

    let outputs = github(&outside, "publish", &publish, &job).await.outputs();
    assert_eq!(outputs, expected(&outside, true, true, "latest"));
    let tags = ["latest", "v1", "v1.0", "v1.0.0"];
    assert_eq!(outside.registry.tags("org/apps"), tags);
    assert!(verifies(&outside, "latest", PUSH).await);
    assert!(
        !verifies(
            &outside,
            "latest",
            "https://github.com/org/apps/.github/workflows/x.yml@refs/heads/main"
        )
        .await
    );

    // The workflow that was called, as the certificate names it, and not the one that calls it.
    assert_eq!(builders(&outside, "latest", PUSH).await, [PUSH]);

    let promote = given.inputs(&[("reason", "tested")]);
    let outputs = github(&outside, "promote", &promote, &job).await.outputs();
    assert_eq!(outputs, expected(&outside, false, true, "latest-stable"));
    assert_eq!(
        outside.registry.tag("org/apps", "latest-stable"),
        outside.registry.tag("org/apps", "latest")
    );

    outside.registry.forget_seen();
    let logged = outside.sigstore().log_size(Rekor::V2);
    let outputs = github(&outside, "publish", &publish, &job).await.outputs();
    assert_eq!(outputs, expected(&outside, false, false, "latest"));
    let outputs = github(&outside, "promote", &promote, &job).await.outputs();
    assert_eq!(outputs, expected(&outside, false, false, "latest-stable"));
    assert_eq!(outside.writes(), Vec::<String>::new());
    assert_eq!(outside.sigstore().log_size(Rekor::V2), logged);

    // A change is pushed, and the stable tag stays where it is.
    outside.write("apps/config.yaml", "kind: ConfigMap\nv: 2\n");
    let outputs = github(&outside, "publish", &publish, &job).await.outputs();
    assert_eq!(outputs, expected(&outside, true, true, "latest"));
    assert_ne!(
        outside.registry.tag("org/apps", "latest-stable"),
        outside.registry.tag("org/apps", "latest")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn in_github_one_workflow_publishes_and_another_promotes() {
    let outside = Outside::start(Options::default()).await;
    let given = Given::new(&outside);
    let issuer = outside.sigstore().issuer();
    let readers = [
        (
            "reader-identity-regexp",
            r"^https://github\.com/org/apps/\.github/workflows/(push|release)\.yml@refs/heads/main$",
        ),
        ("reader-issuer", issuer.as_str()),
    ];
    let publish = [
        given.inputs(&[("path", "apps"), ("tags", "latest")]),
        readers.to_vec(),
    ]
    .concat();
    github(&outside, "publish", &publish, &outside.job("push.yml"))
        .await
        .outputs();
    let release = outside.job("release.yml");
    // By itself it accepts what it has signed itself.
    let said = github(&outside, "promote", &given.inputs(&[]), &release)
        .await
        .failure();
    assert!(said.contains("no tag was moved"), "{said}");
    let promote = [given.inputs(&[]), readers.to_vec()].concat();
    let outputs = github(&outside, "promote", &promote, &release).await.outputs();
    assert_eq!(outputs, expected(&outside, false, true, "latest-stable"));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_github_what_the_readers_policies_refuse_gets_no_tag() {
    let outside = Outside::start(Options::default()).await;
    let given = Given::new(&outside);
    let policy = json!({"apiVersion": "weir.dev/v1alpha1", "kind": "VerificationPolicy", "metadata": {"name": "org"},
        "spec": {"match": [{}], "attestations": [{"predicateType": "cyclonedx"}],
            "authorities": {"anyOf": [{"name": "ci", "keyless": {
                "issuer": outside.sigstore().issuer(), "subject": PUSH,
                "trustedRootSecretRef": {"name": "root", "namespace": "weir-system"}}}]}}});
    let root = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "root", "namespace": "weir-system"},
        "stringData": {"trusted_root.json": outside.sigstore().trusted_root().to_string()}});
    outside.write("policy.yaml", &format!("{policy}\n---\n{root}\n"));
    outside.write("sbom.json", r#"{"bomFormat": "CycloneDX", "specVersion": "1.6"}"#);
    let job = outside.job("push.yml");
    let publish = given.inputs(&[
        ("path", "apps"),
        ("tags", "latest"),
        ("reader-policy", "policy.yaml"),
    ]);
    let said = github(&outside, "publish", &publish, &job).await.failure();
    assert!(
        said.contains("refused by policy 'org': attestation cyclonedx"),
        "{said}"
    );
    assert_eq!(outside.registry.tag("org/apps", "latest"), None);
    let publish = [publish, vec![("sbom", "sbom.json")]].concat();
    github(&outside, "publish", &publish, &job).await.outputs();
    let promote = given.inputs(&[("reader-policy", "policy.yaml")]);
    let outputs = github(&outside, "promote", &promote, &job).await.outputs();
    assert_eq!(outputs, expected(&outside, false, true, "latest-stable"));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_github_what_may_not_sign_moves_no_tag() {
    let outside = Outside::start(Options::default()).await;
    let given = Given::new(&outside);
    let publish = given.inputs(&[("path", "apps"), ("tags", "latest")]);
    let mut job = outside.job("push.yml");
    job.retain(|name, _| !name.starts_with("ACTIONS_ID_TOKEN"));
    let said = github(&outside, "publish", &publish, &job).await.failure();
    assert!(said.contains("permissions: id-token: write"), "{said}");

    // A job of another name.
    let issuer = outside.sigstore().issuer();
    let named = [
        ("certificate-identity", PUSH),
        ("certificate-oidc-issuer", &issuer),
    ];
    let publish = [publish, named.to_vec()].concat();
    let ended = github(&outside, "publish", &publish, &outside.job("pull.yml")).await;
    assert_eq!(ended.outputs["digest"], "");
    let said = ended.failure();
    assert!(said.contains("nothing was signed"), "{said}");
    assert_eq!(outside.sigstore().log_size(Rekor::V2), 0);
    assert_eq!(outside.registry.tag("org/apps", "latest"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn n56_the_password_of_a_registry_is_used_and_in_no_output() {
    let auth = Auth::Basic {
        username: "alice".to_owned(),
        password: "hunter2\"$(id)".to_owned(),
    };
    let outside = Outside::start(Options {
        auth,
        ..Options::default()
    })
    .await;
    let given = Given::new(&outside);
    let job = outside.job("push.yml");
    let content = [("path", "apps"), ("tags", "latest")];
    github(&outside, "publish", &given.inputs(&content), &job)
        .await
        .failure();
    let login = [
        ("registry-username", "alice"),
        ("registry-password", "hunter2\"$(id)"),
    ];
    let publish = [given.inputs(&content), login.to_vec()].concat();
    let ended = github(&outside, "publish", &publish, &job).await;
    assert!(!ended.said.contains("hunter2"), "{}", ended.said);
    assert_eq!(ended.outputs()["pushed"], "true");
    let promote = [given.inputs(&[]), login.to_vec()].concat();
    assert_eq!(
        github(&outside, "promote", &promote, &job).await.outputs()["moved"],
        "true"
    );
}

/// The variables of a pipeline.
fn pipeline(outside: &Outside) -> Variables {
    let mut variables = outside.variables();
    let image = format!("{}/org/apps", outside.host());
    for (name, value) in [
        ("GITLAB_CI", "true"),
        ("CI_PROJECT_URL", "https://gitlab.example/org/apps"),
        ("CI_COMMIT_REF_NAME", "main"),
        ("CI_COMMIT_SHA", "0123abcd"),
        ("CI_JOB_NAME", "weir-publish"),
        ("CI_JOB_URL", "https://gitlab.example/org/apps/-/jobs/5"),
        ("CI_RUNNER_ID", "12"),
        ("CI_REGISTRY_IMAGE", &image),
        ("GITLAB_USER_LOGIN", "alice"),
    ] {
        variables.insert(name.to_owned(), value.to_owned());
    }
    variables
}

#[tokio::test(flavor = "multi_thread")]
async fn gitlab_publishes_then_promotes_and_a_second_run_pushes_nothing() {
    let outside = Outside::start(Options::default()).await;
    let given = Given::new(&outside);
    let pipeline = pipeline(&outside);
    let workload = Workload::GitLab {
        host: "gitlab.example".to_owned(),
        project: "org/apps".to_owned(),
        branch: "main".to_owned(),
        commit: "0123abcd".to_owned(),
    };
    let token = |audience: &str| {
        outside
            .sigstore()
            .workload_token(&workload, audience, Timestamp::now())
    };
    let mut publish = given.inputs(&[("path", "apps"), ("diff-tag", "latest"), ("tags", "v1 v1.0")]);
    let mut promote = given.inputs(&[("reason", "tested in staging")]);
    for inputs in [&mut publish, &mut promote] {
        inputs.retain(|(name, _)| *name != "repository");
        inputs.push(("repository", "oci://$CI_REGISTRY_IMAGE"));
    }
    // A dotenv report takes no dash.
    let expected = |pushed, moved, tag: &str| -> BTreeMap<String, String> {
        let all = expected(&outside, pushed, moved, tag).into_iter();
        all.map(|(name, value)| (name.replace('-', "_"), value)).collect()
    };
    let outputs = gitlab(&outside, "publish", &publish, &pipeline, token)
        .await
        .outputs();
    assert_eq!(outputs, expected(true, true, "latest"));
    assert_eq!(outside.registry.tags("org/apps"), ["latest", "v1", "v1.0"]);
    let outputs = gitlab(&outside, "promote", &promote, &pipeline, token)
        .await
        .outputs();
    assert_eq!(outputs, expected(false, true, "latest-stable"));
    let signer = "https://gitlab.example/org/apps//.gitlab-ci.yml@refs/heads/main";
    assert!(verifies(&outside, "latest-stable", signer).await);
    assert_eq!(
        builders(&outside, "latest-stable", signer).await,
        ["https://gitlab.example/org/apps/-/runners/12"]
    );

    outside.registry.forget_seen();
    let outputs = gitlab(&outside, "publish", &publish, &pipeline, token)
        .await
        .outputs();
    assert_eq!(outputs, expected(false, false, "latest"));
    let outputs = gitlab(&outside, "promote", &promote, &pipeline, token)
        .await
        .outputs();
    assert_eq!(outputs, expected(false, false, "latest-stable"));
    assert_eq!(outside.writes(), Vec::<String>::new());
}
