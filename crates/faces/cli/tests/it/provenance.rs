//! What a job of GitHub or GitLab states of itself when it publishes.

use serde_json::{Value, json};
use weir_cli::Exit;
use weir_verify::PredicateType;

use crate::moving::{self, URL, World, writes_to};

const TYPE: &str = "https://slsa.dev/provenance/v1";

/// What GitHub sets, of what is looked at.
pub(crate) const GITHUB: [(&str, &str); 12] = [
    ("GITHUB_ACTIONS", "true"),
    ("GITHUB_SERVER_URL", "https://github.com"),
    ("GITHUB_REPOSITORY", "org/apps"),
    ("GITHUB_REPOSITORY_ID", "101"),
    ("GITHUB_REPOSITORY_OWNER_ID", "7"),
    ("GITHUB_REF", "refs/tags/v1@2"),
    ("GITHUB_SHA", "0123abcd"),
    (
        "GITHUB_WORKFLOW_REF",
        "org/apps/.github/workflows/push.yml@refs/tags/v1@2",
    ),
    ("GITHUB_EVENT_NAME", "push"),
    ("GITHUB_RUN_ID", "42"),
    ("GITHUB_RUN_ATTEMPT", "3"),
    ("RUNNER_ENVIRONMENT", "github-hosted"),
];

const GITLAB: [(&str, &str); 11] = [
    ("GITLAB_CI", "true"),
    ("CI_PROJECT_URL", "https://gitlab.example/org/apps"),
    ("CI_PROJECT_ID", "9"),
    ("CI_COMMIT_REF_NAME", "main"),
    ("CI_COMMIT_SHA", "0123abcd"),
    ("CI_CONFIG_PATH", "ci/main.yml"),
    ("CI_JOB_NAME", "publish"),
    ("CI_JOB_URL", "https://gitlab.example/org/apps/-/jobs/5"),
    ("CI_PIPELINE_SOURCE", "push"),
    ("CI_RUNNER_ID", "12"),
    ("CI_RUNNER_VERSION", "18.1.0"),
];

fn job(variables: &[(&'static str, &'static str)]) -> World {
    World::new().in_job(variables)
}

/// The world as it is, for a job that differs in one variable.
fn next(world: &World, name: &str, value: &'static str) -> World {
    let other = GITHUB.map(|(one, old)| (one, if one == name { value } else { old }));
    world.copy().in_job(&other)
}

/// Publishes the job's own checkout, and returns what was said to a person.
async fn publish(world: &World, version: &str, more: &[&str]) -> String {
    let path = world.version(version);
    let ran = world
        .run(&[moving::publish_checkout(&path).as_slice(), more].concat())
        .await;
    assert_eq!(ran.exit, Exit::Success, "{}", ran.stderr);
    ran.stderr
}

/// The provenance of what `latest` names.
pub(crate) async fn stated(world: &World) -> Vec<Value> {
    let latest = format!("{URL}:latest");
    let all = world.data(&["attest", "list", &latest]).await;
    let all = all.as_array().expect("a list");
    let count = all.iter().filter(|one| one["predicateType"] == TYPE).count();
    if count == 0 {
        return Vec::new();
    }
    let download = [
        "attest",
        "download",
        &latest,
        "--type",
        "slsaprovenance1",
        "--part",
        "predicate",
    ];
    let text = world.run(&download).await.success();
    let values = serde_json::Deserializer::from_str(&text).into_iter();
    let values: Vec<Value> = values.map(|value| value.expect("JSON")).collect();
    assert_eq!(values.len(), count);
    values
}

#[tokio::test]
async fn a_job_of_github_attests_what_githubs_own_action_would() {
    let job = job(&GITHUB);
    publish(&job, "v1", &[]).await;
    let [stated] = stated(&job).await.try_into().expect("one");
    let expected = json!({
        "buildDefinition": {
            "buildType": "https://actions.github.io/buildtypes/workflow/v1",
            "externalParameters": {"workflow": {
                "ref": "refs/tags/v1@2",
                "repository": "https://github.com/org/apps",
                "path": ".github/workflows/push.yml",
            }},
            "internalParameters": {"github": {
                "event_name": "push", "repository_id": "101", "repository_owner_id": "7",
                "runner_environment": "github-hosted",
            }},
            "resolvedDependencies": [
                {"uri": "git+https://github.com/org/apps@refs/tags/v1@2", "digest": {"gitCommit": "0123abcd"}},
            ],
        },
        "runDetails": {
            "builder": {
                "id": "https://github.com/org/apps/.github/workflows/push.yml@refs/tags/v1@2",
                "version": {"weir": env!("CARGO_PKG_VERSION")},
            },
            "metadata": {
                "invocationId": "https://github.com/org/apps/actions/runs/42/attempts/3",
                "finishedOn": "1970-01-01T00:00:00Z",
            },
        },
    });
    assert_eq!(stated, expected);
    let kind: PredicateType = "slsaprovenance1".parse().expect("a type");
    let text = stated.to_string();
    kind.read(text.as_bytes(), jiff::Timestamp::UNIX_EPOCH)
        .expect("provenance");
}

#[tokio::test]
async fn a_job_of_gitlab_attests_without_its_variables() {
    let secret = [
        GITLAB.as_slice(),
        &[("CI_JOB_TOKEN", "hunter2"), ("PASSWORD", "hunter2")],
    ]
    .concat();
    let job = job(&secret);
    publish(&job, "v1", &[]).await;
    let [stated] = stated(&job).await.try_into().expect("one");
    assert_eq!(
        stated["buildDefinition"],
        json!({
            "buildType": "https://weir.dev/buildtypes/gitlab-job/v1",
            "externalParameters": {
                "source": "https://gitlab.example/org/apps", "ref": "main", "config": "ci/main.yml", "entryPoint": "publish",
            },
            "internalParameters": {"gitlab": {
                "pipeline_source": "push", "project_id": "9", "runner_version": "18.1.0",
            }},
            "resolvedDependencies": [
                {"uri": "git+https://gitlab.example/org/apps@main", "digest": {"gitCommit": "0123abcd"}},
            ],
        })
    );
    assert_eq!(
        stated["runDetails"]["builder"]["id"],
        "https://gitlab.example/org/apps/-/runners/12"
    );
    assert_eq!(
        stated["runDetails"]["metadata"]["invocationId"],
        "https://gitlab.example/org/apps/-/jobs/5"
    );
    assert!(!stated.to_string().contains("hunter2"));
}

#[tokio::test]
async fn a_second_run_of_the_job_states_nothing_and_another_commit_does() {
    let job = job(&GITHUB);
    publish(&job, "v1", &[]).await;
    let again = next(&job, "GITHUB_RUN_ATTEMPT", "4");
    again.registry.forget_seen();
    publish(&again, "v1", &[]).await;
    assert_eq!(writes_to(&again.registry), Vec::<String>::new());
    assert_eq!(stated(&again).await, stated(&job).await);
    let next = next(&job, "GITHUB_SHA", "4567");
    publish(&next, "v1", &[]).await;
    let [stated] = stated(&next).await.try_into().expect("one");
    let commit = stated.pointer("/buildDefinition/resolvedDependencies/0/digest/gitCommit");
    assert_eq!(commit, Some(&json!("4567")));
}

/// The older artifact was another job's work, whatever its content.
#[tokio::test]
async fn of_what_a_diff_tag_found_nothing_is_stated() {
    let job = job(&GITHUB);
    publish(&job, "v1", &["--no-provenance"]).await;
    assert_eq!(stated(&job).await, Vec::<Value>::new());
    let other = next(&job, "GITHUB_SHA", "4567");
    publish(&other, "v1", &["--diff-tag", "latest"]).await;
    assert_eq!(stated(&other).await, Vec::<Value>::new());
    // The job that built it does, with a diff tag, too.
    publish(&job, "v1", &["--diff-tag", "latest"]).await;
    assert_eq!(stated(&job).await.len(), 1);
}

#[tokio::test]
async fn a_file_takes_the_place_of_what_the_job_would_say() {
    let job = job(&GITHUB);
    let own = json!({
        "buildDefinition": {"buildType": "https://example.org/own", "externalParameters": {}},
        "runDetails": {"builder": {"id": "https://example.org/builder"}},
    });
    let file = job.file("provenance.json", &own.to_string());
    publish(&job, "v1", &["--provenance", &file]).await;
    assert_eq!(stated(&job).await, [own]);
    let both = ["publish", ".", "--to", URL, "--tag", "t", "--key", "k"];
    let both = [both.as_slice(), &["--provenance", &file, "--no-provenance"]].concat();
    assert_eq!(job.run(&both).await.exit, Exit::Usage);
}

#[tokio::test]
async fn another_source_than_the_checkout_is_named() {
    let job = job(&GITHUB);
    let path = job.version("v1");
    job.run(&moving::publish(&path, "v1")).await.success();
    let [stated] = stated(&job).await.try_into().expect("one");
    assert_eq!(
        stated["buildDefinition"]["resolvedDependencies"][1],
        json!({"uri": "https://git.example/apps", "annotations": {"revision": "v1"}})
    );
}

#[tokio::test]
async fn where_nobody_says_what_job_it_is_none_is_attested_and_that_is_said() {
    let alone = job(&[]);
    let path = alone.version("v1");
    let ran = alone.run(&moving::publish(&path, "v1")).await;
    assert_eq!(ran.exit, Exit::Success);
    assert!(
        ran.stderr
            .contains("no provenance: this is no job of GitHub or GitLab"),
        "{}",
        ran.stderr
    );
    let some: Vec<_> = GITHUB
        .into_iter()
        .filter(|(name, _)| *name != "GITHUB_RUN_ID")
        .collect();
    let job = job(&some);
    let said = publish(&job, "v1", &[]).await;
    assert!(
        said.contains("no provenance: the job's variable GITHUB_RUN_ID is not set"),
        "{said}"
    );
    assert_eq!(stated(&job).await, Vec::<Value>::new());
}
