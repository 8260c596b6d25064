//! What a build refuses (N10, N17, N18).

use std::borrow::Cow;

use weir_kustomize::{
    Entry, ErrorKind, FileError, FileKind, Files, Found, LoadRestrictions, MemoryFiles, Options, build,
};

const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n";

fn files(list: &[(&str, &str)]) -> MemoryFiles {
    list.iter().map(|(path, text)| (*path, *text)).collect()
}

/// The kind and text of the failure to build `/app`.
fn refusal(files: &dyn Files, restrictions: LoadRestrictions) -> (ErrorKind, String) {
    let options = Options {
        load_restrictions: restrictions,
        ..Options::default()
    };
    let error = build(files, "/app", &options).unwrap_err();
    (error.kind(), error.chain())
}

#[test]
fn n17_nothing_remote_is_fetched() {
    for address in [
        "https://example.com/a.yaml",
        "http://169.254.169.254/latest",
        "https://github.com/o/r//path?ref=v1",
        "git@github.com:o/r.git",
        "git::https://example.com/r.git",
        "ssh://git@example.com/r",
        "file:///etc/passwd",
        "github.com/o/r//path?ref=v1",
        "github.com/o/r",
    ] {
        for field in ["resources", "components", "bases"] {
            let text = format!("{field}: ['{address}']\n");
            let (kind, message) = refusal(
                &files(&[("/app/kustomization.yaml", &text)]),
                LoadRestrictions::None,
            );
            if field == "components" {
                assert!(message.contains("is refused"), "{field} {address}: {message}");
            } else {
                assert_eq!(kind, ErrorKind::Remote, "{field} {address}: {message}");
            }
            assert!(message.contains(address), "{message}");
        }
    }
}

#[test]
fn n17_remote_files_are_refused_wherever_a_file_is_named() {
    let url = "https://example.com/x.yaml";
    for text in [
        format!("patches: [{{path: '{url}'}}]"),
        format!("patchesStrategicMerge: ['{url}']"),
        format!("patchesJson6902: [{{target: {{name: a}}, path: '{url}'}}]"),
        format!("configMapGenerator: [{{name: x, files: ['k={url}']}}]"),
        format!("configMapGenerator: [{{name: x, envs: ['{url}']}}]"),
        format!("configurations: ['{url}']"),
        format!("crds: ['{url}']"),
        format!("openapi: {{path: '{url}'}}"),
        format!("generators: ['{url}']"),
        format!("transformers: ['{url}']"),
        format!("validators: ['{url}']"),
        format!("replacements: [{{path: '{url}'}}]"),
    ] {
        let text = format!("{text}\nresources: [a.yaml]\n");
        let tree = files(&[("/app/kustomization.yaml", &text), ("/app/a.yaml", CONFIG)]);
        let (kind, message) = refusal(&tree, LoadRestrictions::None);
        assert_eq!(kind, ErrorKind::Remote, "{text}: {message}");
    }
}

#[test]
fn n17_files_outside_the_directory_are_refused() {
    for text in [
        "resources: [../other/a.yaml]",
        "resources: [/other/a.yaml]",
        "patches: [{path: ../other/a.yaml}]",
        "configMapGenerator: [{name: x, files: [../other/a.yaml]}]",
        "configMapGenerator: [{name: x, files: [k=/other/a.yaml]}]",
        "secretGenerator: [{name: x, envs: [../other/a.yaml]}]",
        "replacements: [{path: ../other/a.yaml}]",
        "openapi: {path: ../other/a.yaml}",
        "crds: [../other/a.yaml]",
        "patches: [{path: /other/a.yaml}]",
        "patchesStrategicMerge: [../other/a.yaml]",
        "patchesJson6902: [{target: {name: a}, path: /other/a.yaml}]",
        "configurations: [../other/a.yaml]",
        "secretGenerator: [{name: x, env: /other/a.yaml}]",
        "generators: [../other/a.yaml]",
        "transformers: [/other/a.yaml]",
        "validators: [../other/a.yaml]",
    ] {
        let tree = files(&[("/app/kustomization.yaml", text), ("/other/a.yaml", CONFIG)]);
        let (kind, message) = refusal(&tree, LoadRestrictions::RootOnly);
        assert_eq!(kind, ErrorKind::Security, "{text}: {message}");
        assert!(message.contains("security; file '/other/a.yaml' is not in or below '/app'"));
    }
}

#[test]
fn n18_dots_do_not_lead_out_of_the_tree() {
    let tree = files(&[
        (
            "/app/kustomization.yaml",
            "configMapGenerator: [{name: x, files: [../../../../etc/passwd]}]",
        ),
        ("/etc/shadow", "not this one"),
    ]);
    let (kind, _) = refusal(&tree, LoadRestrictions::None);
    assert_eq!(kind, ErrorKind::NotFound);
}

/// A tree in which `/app/link` is a link to `/secret`.
struct Linked(MemoryFiles);

impl Linked {
    fn real(path: &str) -> String {
        path.replacen("/app/link", "/secret", 1)
    }
}

impl Files for Linked {
    fn find(&self, path: &str) -> Result<Option<Found>, FileError> {
        self.0.find(&Self::real(path))
    }

    fn read(&self, path: &str) -> Result<Cow<'_, [u8]>, FileError> {
        self.0.read(&Self::real(path))
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, FileError> {
        let mut entries = self.0.list(&Self::real(path))?;
        if path == "/app" {
            entries.push(Entry {
                name: "link".into(),
                kind: FileKind::File,
            });
        }
        Ok(entries)
    }
}

#[test]
fn n18_links_are_judged_by_where_they_lead() {
    let tree = Linked(files(&[
        (
            "/app/kustomization.yaml",
            "configMapGenerator: [{name: x, files: [link]}]",
        ),
        ("/secret", "token"),
    ]));
    let (kind, message) = refusal(&tree, LoadRestrictions::RootOnly);
    assert_eq!(kind, ErrorKind::Security, "{message}");
    assert!(!message.contains("token"));
}

#[test]
fn n17_no_plugin_is_run() {
    for (field, kind) in [
        ("generators", "ChartInflator"),
        ("transformers", "SedTransformer"),
    ] {
        for annotation in ["exec: {path: ./run.sh}", "container: {image: x}"] {
            let plugin = format!(
                "apiVersion: someteam.example.com/v1\nkind: {kind}\nmetadata:\n  name: p\n  \
                 annotations:\n    config.kubernetes.io/function: |\n      {annotation}\n"
            );
            let text = format!("resources: [a.yaml]\n{field}: [p.yaml]\n");
            let tree = files(&[
                ("/app/kustomization.yaml", &text),
                ("/app/a.yaml", CONFIG),
                ("/app/p.yaml", &plugin),
            ]);
            let (kind, message) = refusal(&tree, LoadRestrictions::None);
            assert_eq!(kind, ErrorKind::Plugin, "{message}");
            assert!(message.contains("unable to load external plugin"));
        }
    }
    let text = "helmCharts: [{name: minecraft, repo: https://example.com}]";
    let (kind, message) = refusal(
        &files(&[("/app/kustomization.yaml", text)]),
        LoadRestrictions::None,
    );
    assert_eq!(kind, ErrorKind::Plugin);
    assert!(message.contains("must specify --enable-helm"));
}

#[test]
fn n17_cycles_are_named() {
    for (base, text) in [
        ("/app/base", "resources: [..]"),
        ("/other", "resources: [../app]"),
        ("/app/base", "components: [../../app]"),
        ("/app/base", "resources: [../base]"),
    ] {
        let path = if base == "/other" { "../other" } else { "base" };
        let tree = files(&[
            ("/app/kustomization.yaml", &format!("resources: ['{path}']")),
            (&format!("{base}/kustomization.yaml"), text),
        ]);
        let (kind, message) = refusal(&tree, LoadRestrictions::RootOnly);
        assert_eq!(kind, ErrorKind::Cycle, "{text}: {message}");
        assert!(message.contains("cycle detected: candidate root"), "{message}");
    }
    // One that takes more than a step back is seen, too.
    let tree = files(&[
        ("/app/kustomization.yaml", "resources: [../a]"),
        ("/a/kustomization.yaml", "components: [../b]"),
        (
            "/b/kustomization.yaml",
            "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\nresources: [../c]",
        ),
        ("/c/kustomization.yaml", "resources: [../a]"),
    ]);
    let (kind, message) = refusal(&tree, LoadRestrictions::RootOnly);
    assert_eq!(kind, ErrorKind::Cycle, "{message}");
    assert!(
        message.contains("candidate root '/a' contains visited root '/a'"),
        "{message}"
    );
}

#[test]
fn n10_manifests_with_repeated_keys_are_refused_with_file_and_line() {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  name: b\n";
    let tree = files(&[
        ("/app/kustomization.yaml", "resources: [a.yaml]"),
        ("/app/a.yaml", text),
    ]);
    let (_, message) = refusal(&tree, LoadRestrictions::RootOnly);
    assert!(message.contains("'a.yaml'"), "{message}");
    assert!(message.contains("line 5"), "{message}");
    assert!(
        message.contains("mapping key \"name\" already defined at line 4"),
        "{message}"
    );
}

#[test]
fn n10_a_replacement_into_its_own_source_stops_growing() {
    let paths: Vec<String> = (0..64).map(|number| format!("spec.t.f{number}")).collect();
    let paths = paths.join(", ");
    let kustomization = format!(
        "resources: [a.yaml]\nreplacements:\n- source: {{name: a, fieldPath: spec.t}}\n  targets:\n  - select: {{name: a}}\n    options: {{create: true}}\n    fieldPaths: [{paths}]\n"
    );
    let files = files(&[
        ("/app/kustomization.yaml", &kustomization),
        ("/app/a.yaml", "kind: A\nmetadata: {name: a}\nspec: {t: {x: y}}\n"),
    ]);
    let (_, message) = refusal(&files, LoadRestrictions::RootOnly);
    assert!(message.contains("the source at spec.t grows beyond"), "{message}");
}

#[test]
fn n11_odd_manifests_and_kustomizations_fail_without_a_panic() {
    for text in [
        "",
        "~",
        "[]",
        "a",
        "1",
        "resources: 1",
        "resources: {}",
        "resources: [1]",
        "patches: [1]",
        "patches: [{}]",
        "images: x",
        "kind: Nope",
        "apiVersion: v9",
        "resources: ['']",
        "resources: ['.']",
        "resources: [a.yaml, a.yaml]",
        "vars: [{name: x}]\nresources: [a.yaml]",
        "replacements: [{}]\nresources: [a.yaml]",
        "sortOptions: {}\nresources: [a.yaml]",
        "replacements: [{source: {}, targets: [{select: {name: '['}}]}]\nresources: [a.yaml]",
        "patches: [{target: {name: '('}, patch: '[]'}]\nresources: [a.yaml]",
        "patches: [{target: {labelSelector: '=='}, patch: '[{\"op\":\"add\",\"path\":\"/a\"}]'}]\nresources: [a.yaml]",
        "replicas: [{name: nope, count: 1}]\nresources: [a.yaml]",
        "openapi: {path: a.yaml, version: x}",
        "crds: [a.yaml]\nresources: [a.yaml]\nopenapi: {version: v9}",
        "transformers: ['{}']",
        "configMapGenerator: [{}]",
        "secretGenerator: [{name: x, literals: [x]}]",
        "secretGenerator: [{name: x, files: ['=a', 'b=', 'a=b=c']}]",
        "resources: [b.yaml]",
        "buildMetadata: 1",
        "namespace: [x]",
        "labels: [{pairs: {a: 1}}]",
    ] {
        for manifest in [
            CONFIG,
            "",
            "- 1",
            "kind: x",
            "kind: [x]\nmetadata: {name: y}",
            "{}",
            "metadata: 1\nkind: x\n",
            "apiVersion: v1\nkind: List\nitems: 1\n",
        ] {
            let tree = files(&[("/app/kustomization.yaml", text), ("/app/a.yaml", manifest)]);
            // What must not happen is a panic; most of these fail, some build.
            drop(build(&tree, "/app", &Options::default()));
        }
    }
}
