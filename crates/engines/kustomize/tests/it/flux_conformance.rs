//! Test data of Flux's own packages and commands: trees, and what becomes of them.
//!
//! `flux build kustomization` also adds labels that name the owner, and masks what SOPS encrypted: the labels are taken
//! out of what is expected, and the masked Secrets are compared without their content.

use std::path::Path;

use serde_json::{Value, json};
use weir_conformance::judge;
use weir_kustomize::flux::{Overrides, build_directory, generate};
use weir_kustomize::{MemoryFiles, Patch, Resources};
use weir_subst::{Mode, Variables, substitute};
use weir_yaml::{Dialect, emit, parse_all, parse_one, to_json};

use crate::support::{shared, tree};

type Outcome = Result<(), String>;

#[test]
fn what_flux_builds_is_built_or_listed() {
    let Some(root) = shared("WEIR_CONFORMANCE", "conformance") else {
        return;
    };
    let root = root.join("flux");
    let mut outcomes: Vec<(String, Outcome)> = Vec::new();
    let mut case = |name: &str, outcome: Outcome| outcomes.push((name.to_owned(), outcome));
    for (directory, result) in [
        ("podinfo", "podinfo-result.yaml"),
        ("delete-service", "podinfo-without-service-result.yaml"),
        ("var-substitution", "podinfo-with-var-substitution-result.yaml"),
        ("ignore", "podinfo-with-ignore-result.yaml"),
        ("podinfo-with-my-app", "podinfo-with-my-app-result.yaml"),
    ] {
        let folder = root.join("build-kustomization");
        case(
            &format!("build-kustomization/{directory}"),
            flux_build(&folder, directory, result),
        );
    }
    let trees = root.join("kustomize");
    case("kustomize/varsub", varsub(&trees));
    case("kustomize/varsubstrict", varsub_strict(&trees));
    case("kustomize/varsubalways", varsub_always(&trees));
    case("kustomize/varsubstrictempty", varsub_empty(&trees));
    case("kustomize/noResources", no_resources(&trees));
    case("kustomize/empty", empty(&trees));
    case("kustomize/name", name(&trees));
    case("kustomize/buildMetadata", build_metadata(&trees));
    case("kustomize/nokustomization", scanned(&trees));
    case("kustomize/panic", panic(&trees));
    case("kustomize/openapiPollution", pollution(&trees));
    case("kustomize/components", components(&trees));
    let trees = root.join("kustomize-controller");
    case(
        "kustomize-controller/transformers",
        transformed(&trees, "transformers"),
    );
    case(
        "kustomize-controller/file-transformer",
        transformed(&trees, "file-transformer"),
    );
    case("kustomize-controller/patch", patch(&trees));
    case("kustomize-controller/invalid", invalid(&trees));
    judge("flux", outcomes);
}

fn ensure(holds: bool, message: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(message()) }
}

/// Builds the root of a folder.
fn built(folder: &Path, overrides: &Overrides) -> Result<Resources, String> {
    build_directory(&tree(folder, ""), "/", overrides).map_err(|error| error.chain())
}

fn values(folder: &Path, overrides: &Overrides) -> Result<Vec<Value>, String> {
    Ok(built(folder, overrides)?.to_json_objects())
}

/// The kustomization file that is made of a folder.
fn generated(folder: &Path, overrides: &Overrides) -> Result<Value, String> {
    let files = tree(folder, "");
    let overlay = generate(&files, "/", overrides).map_err(|error| error.chain())?;
    let root = parse_one(overlay.kustomization()).map_err(|error| error.to_string())?;
    to_json(&root, Dialect::Sigs).map_err(|error| error.to_string())
}

fn into(namespace: &str) -> Overrides {
    Overrides {
        target_namespace: Some(namespace.into()),
        ..Overrides::default()
    }
}

fn documents(text: &str) -> Result<Vec<Value>, String> {
    let documents = parse_all(text).map_err(|error| error.to_string())?;
    documents
        .iter()
        .filter_map(|document| document.root.as_ref())
        .filter(|root| !root.is_null())
        .map(|root| to_json(root, Dialect::Sigs).map_err(|error| error.to_string()))
        .collect()
}

/// What postBuild does with one object.
fn substituted(object: &Value, variables: &Variables, mode: Mode) -> Result<Value, String> {
    let labels = object.pointer("/metadata/labels");
    let opts_out = labels.and_then(|labels| labels.get("kustomize.toolkit.fluxcd.io/substitute"));
    if opts_out == Some(&json!("disabled")) {
        return Ok(object.clone());
    }
    let text = substitute(&emit::sigs(object), variables, mode).map_err(|error| error.to_string())?;
    documents(&text)?.pop().ok_or_else(|| "nothing is left".into())
}

fn variables(pairs: &[(&str, &str)]) -> Variables {
    let mut variables = Variables::default();
    for (name, value) in pairs {
        variables.set(*name, value).unwrap();
    }
    variables
}

/// Whether SOPS encrypted an object, or the file that it was made of.
fn is_encrypted(object: &Value) -> bool {
    let data = |field: &str| object.get(field).and_then(Value::as_object).into_iter().flatten();
    object.get("sops").is_some()
        || data("data").any(|(_, value)| {
            let text = value.as_str().unwrap_or_default();
            // `{"data": "ENC[`, with spaces in between, in base64.
            text.starts_with("IHsKICAgICAiZGF0YSI6ICJFTkNb")
        })
}

fn without_content(object: &Value) -> Value {
    let mut object = object.clone();
    let map = object.as_object_mut().unwrap();
    map.remove("data");
    map.remove("stringData");
    map.remove("sops");
    object
}

fn flux_build(folder: &Path, directory: &str, result: &str) -> Outcome {
    let mut files = tree(&folder.join(directory), "");
    if directory == "ignore" {
        // `--ignore-paths '!configmap.yaml,!secret.yaml'` leaves these two; which files are ignored is the store's matter.
        files = MemoryFiles::new();
        for name in ["configmap.yaml", "secret.yaml"] {
            let path = folder.join(directory).join(name);
            files.insert(
                &format!("/{name}"),
                std::fs::read(path).map_err(|error| error.to_string())?,
            );
        }
    }
    let build = |files: &MemoryFiles| {
        let built = build_directory(files, "/", &into("default")).map_err(|error| error.chain())?;
        Ok::<_, String>(built.to_json_objects())
    };
    let mut ours = build(&files)?;
    if directory == "podinfo-with-my-app" {
        // `--recursive` builds the Kustomization that is among the objects, too.
        ours.extend(build(&tree(&folder.join("my-app"), ""))?);
    }
    let known = variables(&[("cluster_env", "prod"), ("cluster_region", "eu-central-1")]);
    let ours = ours
        .iter()
        .map(|object| substituted(object, &known, Mode::Lenient))
        .collect::<Result<Vec<_>, _>>()?;
    let text = std::fs::read_to_string(folder.join(result)).map_err(|error| error.to_string())?;
    let mut theirs = documents(&text.replace("{{ .fluxns }}", "flux-system"))?;
    for object in &mut theirs {
        let meta = object["metadata"].as_object_mut().unwrap();
        let labels = meta["labels"].as_object_mut().unwrap();
        labels.retain(|name, _| {
            ![
                "kustomize.toolkit.fluxcd.io/name",
                "kustomize.toolkit.fluxcd.io/namespace",
            ]
            .contains(&name.as_str())
        });
        if labels.is_empty() {
            meta.remove("labels");
        }
    }
    if ours.len() != theirs.len() {
        return Err(format!("{} objects instead of {}", ours.len(), theirs.len()));
    }
    for (ours, theirs) in ours.iter().zip(&theirs) {
        let same = if is_encrypted(ours) {
            without_content(ours) == without_content(theirs)
        } else {
            ours == theirs
        };
        ensure(same, || format!("{ours} instead of {theirs}"))?;
    }
    Ok(())
}

fn varsub(trees: &Path) -> Outcome {
    let expected = std::fs::read_to_string(trees.join("kustomization_varsub_expected.yaml")).unwrap();
    let known = variables(&[
        ("prometheus_scrape", "\"true\""),
        ("prometheus_port", "\"9797\""),
        ("image", "nginx:1.21.4"),
        ("cluster_env", "prod"),
        ("cluster_region", "eu-central-1"),
    ]);
    let objects = values(&trees.join("resources"), &Overrides::default())?
        .iter()
        .map(|object| substituted(object, &known, Mode::Lenient))
        .collect::<Result<Vec<_>, _>>()?;
    let printed = emit::sigs_stream(&objects);
    ensure(printed == expected, || printed.clone())
}

fn varsub_strict(trees: &Path) -> Outcome {
    let known = variables(&[("cluster_env", "prod"), ("cluster_region", "eu-central-1")]);
    let objects = values(&trees.join("varsubstrict"), &Overrides::default())?;
    substituted(&objects[0], &known, Mode::Lenient)?;
    match substituted(&objects[0], &known, Mode::Strict) {
        Err(message) => ensure(message.contains("missing"), || message.clone()),
        Ok(_) => Err("an unknown variable is let through".into()),
    }
}

fn varsub_always(trees: &Path) -> Outcome {
    let objects = values(&trees.join("varsubalways"), &Overrides::default())?;
    let object = substituted(&objects[0], &Variables::default(), Mode::Lenient)?;
    ensure(
        object["metadata"]["labels"]["environment"] == "dev" && object["data"]["region"] == "eu-central-1",
        || object.to_string(),
    )
}

fn varsub_empty(trees: &Path) -> Outcome {
    let known = variables(&[("empty_inline", ""), ("empty_cm", ""), ("empty_secret", "")]);
    let objects = values(&trees.join("varsubstrictempty"), &Overrides::default())?;
    let set = substituted(&objects[0], &known, Mode::Strict)?;
    let unset = substituted(&objects[0], &Variables::default(), Mode::Lenient)?;
    let labels = json!({"from-inline": null, "from-configmap": null, "from-secret": null});
    ensure(set["metadata"]["labels"] == labels && set == unset, || {
        format!("{set} and {unset}")
    })
}

fn no_resources(trees: &Path) -> Outcome {
    let folder = trees.join("noResources");
    let overrides = Overrides::default();
    let file = generated(&folder, &overrides)?;
    ensure(file["buildMetadata"] == json!(["originAnnotations"]), || {
        file.to_string()
    })?;
    let objects = values(&folder, &overrides)?;
    ensure(objects.is_empty(), || format!("{objects:?}"))?;
    let overrides = Overrides {
        build_metadata: vec!["transformerAnnotations".into()],
        ..Overrides::default()
    };
    let file = generated(&folder, &overrides)?;
    ensure(file["buildMetadata"] == json!(["transformerAnnotations"]), || {
        file.to_string()
    })
}

fn empty(_: &Path) -> Outcome {
    // The folder holds the Kustomization object alone, which upstream's test does not copy either.
    let files = MemoryFiles::from_iter([("/readme.md", "")]);
    let overlay = generate(&files, "/", &Overrides::default()).map_err(|error| error.chain())?;
    ensure(overlay.kustomization().contains("_placeholder"), || {
        overlay.kustomization().to_owned()
    })?;
    let built = overlay.build().map_err(|error| error.chain())?;
    ensure(built.objects().is_empty(), || built.to_yaml())
}

fn name(trees: &Path) -> Outcome {
    let overrides = Overrides {
        name_prefix: Some("prefix-".into()),
        name_suffix: Some("-suffix".into()),
        ..into("test-namespace")
    };
    let objects = values(&trees.join("name"), &overrides)?;
    let meta =
        |object: &Value, field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
    ensure(
        objects.len() == 1
            && meta(&objects[0], "name").contains("prefix-test-configmap-suffix")
            && meta(&objects[0], "namespace") == "test-namespace",
        || format!("{objects:?}"),
    )
}

fn build_metadata(trees: &Path) -> Outcome {
    let folder = trees.join("buildMetadata");
    let both = ["originAnnotations", "transformerAnnotations"];
    let overrides = Overrides {
        build_metadata: both.map(str::to_owned).to_vec(),
        ..Overrides::default()
    };
    let file = generated(&folder, &overrides)?;
    ensure(file["buildMetadata"] == json!(both), || file.to_string())?;
    let objects = values(&folder, &overrides)?;
    ensure(objects.len() == 1, || format!("{objects:?}"))?;
    let file = generated(&folder, &Overrides::default())?;
    ensure(file["buildMetadata"] == json!(["originAnnotations"]), || {
        file.to_string()
    })
}

fn scanned(trees: &Path) -> Outcome {
    let folder = trees.join("nokustomization/resources");
    let objects = values(&folder, &Overrides::default())?;
    let kinds: Vec<&str> = objects
        .iter()
        .filter_map(|object| object["kind"].as_str())
        .collect();
    ensure(kinds == ["ConfigMap", "Secret"], || format!("{objects:?}"))?;
    // The same folder of the other name holds a file that is no YAML.
    let error = build_directory(
        &tree(&trees.join("nokustomization/panic"), ""),
        "/",
        &Overrides::default(),
    );
    let message = error.err().ok_or("YAML with a bad escape is accepted")?.chain();
    ensure(message.contains("alert.yaml"), || message.clone())
}

/// An encrypted kind made kustomize panic; it must be an error or work, again and again.
fn panic(trees: &Path) -> Outcome {
    let first = built(&trees.join("panic"), &Overrides::default()).map(|built| built.to_yaml());
    let second = built(&trees.join("panic"), &Overrides::default()).map(|built| built.to_yaml());
    ensure(first == second, || format!("{first:?} and {second:?}"))
}

/// A schema of one build must not reach the next.
fn pollution(trees: &Path) -> Outcome {
    let trees = trees.join("openapiPollution");
    let victim = || built(&trees.join("victim"), &Overrides::default()).map(|built| built.to_yaml());
    let before = victim()?;
    built(&trees.join("pollutor"), &Overrides::default())?;
    let after = victim()?;
    ensure(before == after && after.contains("image: busybox:latest"), || {
        after.clone()
    })
}

fn components(trees: &Path) -> Outcome {
    let overrides = Overrides {
        components: vec!["componentB".into()],
        ..Overrides::default()
    };
    let file = generated(&trees.join("components"), &overrides)?;
    ensure(file["components"] == json!(["componentA", "componentB"]), || {
        file.to_string()
    })
}

/// The same transformations, as fields and as files of their own.
fn transformed(trees: &Path, directory: &str) -> Outcome {
    let objects = values(&trees.join(directory), &Overrides::default())?;
    let of = |kind: &str| objects.iter().find(|object| object["kind"] == kind);
    let (Some(deployment), Some(quota)) = (of("Deployment"), of("ResourceQuota")) else {
        return Err(format!("{objects:?}"));
    };
    let namespace = if directory == "transformers" {
        "transformers-inline"
    } else {
        "transformer-files"
    };
    for (at, expected) in [
        ("/metadata/name", json!("test-podinfo-transform")),
        ("/metadata/namespace", json!(namespace)),
        ("/metadata/annotations/test", json!("annotations")),
        ("/metadata/labels/test", json!("labels")),
        ("/metadata/labels/app.kubernetes.io~1version", json!("1.21.0")),
        ("/metadata/labels/patch", json!("json6902")),
        ("/spec/replicas", json!(2)),
        ("/spec/selector/matchLabels/test", json!("labels")),
        ("/spec/template/spec/serviceAccountName", json!("test")),
        ("/spec/template/spec/containers/0/image", json!("podinfo:6.0.0")),
    ] {
        let found = deployment.pointer(at);
        ensure(found == Some(&expected), || format!("{at} is {found:?}"))?;
    }
    let memory = quota.pointer("/spec/hard/limits.memory");
    ensure(memory == Some(&json!("24Gi")), || {
        format!("the quota is {memory:?}")
    })
}

fn patch(trees: &Path) -> Outcome {
    let patch: Patch = serde_json::from_value(json!({
        "patch": "- op: add\n  path: /metadata/labels/patch\n  value: inline-json\n",
        "target": {"kind": "Deployment", "labelSelector": "app=podinfo"},
    }))
    .unwrap();
    let overrides = Overrides {
        patches: vec![patch],
        ..Overrides::default()
    };
    let objects = values(&trees.join("patch"), &overrides)?;
    ensure(objects[0]["metadata"]["labels"]["patch"] == "inline-json", || {
        objects[0].to_string()
    })
}

/// An object whose apiVersion is misspelt. kustomize builds it as it stands, and so does this; that nothing without an
/// apiVersion is applied is the plan's matter.
fn invalid(trees: &Path) -> Outcome {
    for directory in ["plain", "overlay"] {
        let objects = values(&trees.join("invalid").join(directory), &Overrides::default())?;
        let kinds: Vec<&str> = objects
            .iter()
            .filter_map(|object| object["kind"].as_str())
            .collect();
        ensure(
            kinds == ["Deployment", "Provider"] && objects[1].get("apiVersion").is_none(),
            || format!("{directory}: {objects:?}"),
        )?;
    }
    Ok(())
}
