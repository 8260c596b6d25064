//! Failures say what may have been meant, behind kustomize's own words.

use weir_kustomize::{MemoryFiles, Options, build};

const WEB: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 1}\n";
const SERVICE: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {type: ClusterIP}\n";
const JOB: &str = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: once, namespace: jobs}\n";

/// The failure to build a kustomization beside those objects: what may have been meant, and the whole text.
fn failure(kustomization: &str) -> (Option<String>, String) {
    let files: MemoryFiles = [
        ("/app/kustomization.yaml", kustomization),
        ("/app/web.yaml", WEB),
        ("/app/service.yaml", SERVICE),
        ("/app/job.yaml", JOB),
        (
            "/base/kustomization.yaml",
            "namePrefix: dev-\nresources: [web.yaml]\n",
        ),
        ("/base/web.yaml", WEB),
    ]
    .into_iter()
    .collect();
    let error = build(&files, "/app", &Options::default()).unwrap_err();
    (error.help().map(str::to_owned), error.chain())
}

/// Each kustomization, kustomize's words for what is wrong with it, and ours.
const CASES: [(&str, &str, &str); 17] = [
    (
        "resources: [web.yaml]\npatches: [{patch: '{apiVersion: apps/v1, kind: Deployment, metadata: {name: webb}}'}]",
        "no resource matches strategic merge patch \"Deployment.v1.apps/webb.[noNs]\"",
        "no Deployment is named 'webb'; did you mean 'web'?",
    ),
    (
        "resources: [web.yaml]\npatchesStrategicMerge: ['{apiVersion: apps/v1, kind: Deploymnet, metadata: {name: api}}']",
        "no matches for Id Deploymnet.v1.apps/api.[noNs]; failed to find unique target for patch",
        "there is no Deploymnet at all; did you mean 'Deployment'?",
    ),
    (
        "resources: [web.yaml]\npatches: [{patch: '{apiVersion: v1, kind: Deployment, metadata: {name: web}}'}]",
        "no resource matches strategic merge patch",
        "there is a Deployment 'web' of apiVersion 'apps/v1'; did you mean that?",
    ),
    (
        "resources: [job.yaml]\npatches: [{patch: '{apiVersion: batch/v1, kind: Job, metadata: {name: once}}'}]",
        "no resource matches strategic merge patch",
        "there is a Job 'once' in namespace 'jobs'; did you mean that?",
    ),
    (
        "resources: [../base]\npatches: [{patch: '{apiVersion: apps/v1, kind: Deployment, metadata: {name: prod-web}}'}]",
        "no resource matches strategic merge patch",
        "no Deployment is named 'prod-web'; did you mean 'web'?",
    ),
    (
        "resources: [service.yaml, web.yaml]\nreplacements: [{source: {kind: Service, name: wbe}, targets: [{select: {name: web}}]}]",
        "nothing selected by Service.[noVer].[noGrp]/wbe.[noNs]",
        "no Service is named 'wbe'; did you mean 'web'?",
    ),
    (
        "resources: [service.yaml]\nreplacements: [{source: {kind: Service, name: web, fieldPath: spec.tpye}, targets: [{select: {name: web}}]}]",
        "fieldPath `spec.tpye` is missing for replacement source",
        "there is no 'tpye'; did you mean 'type'?",
    ),
    (
        "resources: [service.yaml]\nreplacements: [{source: {kind: Service, name: web}, targets: [{select: {name: web}, fieldPaths: [spce.type]}]}]",
        "unable to find field \"spce.type\" in replacement target",
        "there is no 'spce'; did you mean 'spec'?",
    ),
    (
        "resources: [web.yaml]\nreplicas: [{name: wbe, count: 1}]",
        "resource with name wbe does not match a config with the following GVK",
        "no object is named 'wbe'; did you mean 'web'?",
    ),
    (
        "resources: [web.yaml]\nvars: [{name: X, objref: {apiVersion: apps/v1, kind: Deployment, name: web}, fieldref: {fieldpath: spec.replica}}]",
        "field specified in var 'X (Deployment.v1.apps/web:spec.replica)' not found in corresponding resource",
        "there is no 'replica'; did you mean 'replicas'?",
    ),
    (
        "resources: [web.yaml]\nvars: [{name: X, objref: {apiVersion: apps/v1, kind: Deployment, name: wob}}]",
        "var 'X (Deployment.v1.apps/wob:metadata.name)' cannot be mapped to a field in the set of known resources",
        "no Deployment is named 'wob'; did you mean 'web'?",
    ),
    (
        "configMapGenerator: [{name: settings, literals: [a=b]}, {name: setings, behavior: merge, literals: [a=c]}]",
        "id ConfigMap.v1.[noGrp]/setings.[noNs] does not exist; cannot merge or replace",
        "no ConfigMap is named 'setings'; did you mean 'settings'?",
    ),
    (
        "resources: [wbe.yaml]",
        "evalsymlink failure on '/app/wbe.yaml'",
        "did you mean './web.yaml'?",
    ),
    (
        "resources: [../bas]",
        "evalsymlink failure on '/bas'",
        "did you mean '../base'?",
    ),
    (
        "components: [../bsae]",
        "evalsymlink failure on '/bsae'",
        "did you mean '../base'?",
    ),
    (
        "resources: [web.yaml]\npatches: [{path: sevrice.yaml}]",
        "failed to get the patch file from path(sevrice.yaml)",
        "did you mean './service.yaml'?",
    ),
    (
        "configMapGenerator: [{name: a, files: [k=job.yml]}]",
        "evalsymlink failure on '/app/job.yml'",
        "did you mean './job.yaml'?",
    ),
];

#[test]
fn what_is_nearly_right_is_asked_for_behind_the_words_of_kustomize() {
    for (kustomization, theirs, ours) in CASES {
        let (help, text) = failure(kustomization);
        assert!(text.contains(theirs), "{kustomization}:\n{text}");
        assert_eq!(help.as_deref(), Some(ours), "{kustomization}:\n{text}");
        assert_eq!(text.matches(ours).count(), 1, "{kustomization}:\n{text}");
    }
}

#[test]
fn what_is_far_from_everything_is_not_guessed() {
    for kustomization in [
        "resources: [something-else.yaml]",
        "resources: [../../other/tree]",
        "resources: [web.yaml]\npatches: [{path: completely-different}]",
    ] {
        assert_eq!(failure(kustomization).0, None, "{kustomization}");
    }
}

#[test]
fn an_unknown_field_is_held_against_those_of_its_place() {
    let (_, text) = failure("resources: [web.yaml]\nimages: [{nmae: x}]\n");
    assert!(
        text.contains("json: unknown field \"nmae\" in images[0], did you mean \"name\"?"),
        "{text}"
    );
}
