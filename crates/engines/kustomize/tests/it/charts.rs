//! Charts in a build, rendered by the Helm engine.

use weir_gotmpl::{CallError, Host};
use weir_helm::{
    Chart, DEFAULT_NAME, File, KubeVersion, NoArchives, Options, Show, name_of_template, overlay, parse,
    render,
};
use weir_kustomize::{
    ChartError, ChartRequest, Charts, ErrorKind, MemoryFiles, Options as BuildOptions, build,
    build_with_charts,
};

/// Renders charts, with the same random numbers each time.
pub(crate) struct Renderer;

#[derive(Default)]
struct Fixed;

impl Host for Fixed {
    fn random(&mut self, bytes: &mut [u8]) -> Result<(), CallError> {
        bytes.fill(7);
        Ok(())
    }
}

impl Charts for Renderer {
    fn template(&self, request: &ChartRequest) -> Result<String, ChartError> {
        print(request).map_err(ChartError)
    }
}

fn print(request: &ChartRequest) -> Result<String, String> {
    let files = request.files.iter();
    let files = files.map(|(name, content)| File::new(name.clone(), content.clone()));
    let chart = Chart::from_folder(files.collect(), &NoArchives).map_err(|error| error.to_string())?;
    let mut values = weir_helm::Table::new();
    for (_, text) in &request.values {
        let text = std::str::from_utf8(text).map_err(|error| error.to_string())?;
        overlay(&mut values, parse(text).map_err(|error| error.to_string())?);
    }
    let name = match (&request.release_name, &request.name_template) {
        (Some(name), _) => name.clone(),
        (None, Some(template)) => name_of_template(template, &mut Fixed)?,
        (None, None) => DEFAULT_NAME.to_owned(),
    };
    let mut options = Options::new(
        name,
        request.namespace.clone().unwrap_or_else(|| "default".into()),
    );
    if let Some(version) = &request.kube_version {
        options.capabilities.kube_version = KubeVersion::parse(version).map_err(|error| error.to_string())?;
    }
    let api_versions = request.api_versions.iter().cloned();
    options.capabilities.api_versions.extend(api_versions);
    let rendered = render(&chart, &values, &options, &mut Fixed, None).map_err(|error| error.to_string())?;
    Ok(rendered.printed(Show {
        crds: request.include_crds,
        no_hooks: request.skip_hooks,
        skip_tests: request.skip_tests,
    }))
}

/// Keeps the last request instead of rendering anything.
struct Witness(std::cell::RefCell<Option<ChartRequest>>);

impl Charts for Witness {
    fn template(&self, request: &ChartRequest) -> Result<String, ChartError> {
        *self.0.borrow_mut() = Some(request.clone());
        Ok("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: made\n".into())
    }
}

fn tree(kustomization: &str) -> MemoryFiles {
    MemoryFiles::from_iter([
        ("/app/kustomization.yaml", kustomization),
        ("/app/charts/web/Chart.yaml", "name: web"),
        ("/app/charts/web/values.yaml", "a: {b: 1, c: 2}\nlist: [1]\n"),
        ("/app/own/web-2/web/Chart.yaml", "name: web"),
        ("/app/own/web-2/web/values.yaml", "own: true\n"),
        ("/app/more.yaml", "more: 1\n"),
    ])
}

fn request(kustomization: &str) -> Result<ChartRequest, weir_kustomize::Error> {
    let witness = Witness(std::cell::RefCell::default());
    build_with_charts(&tree(kustomization), "/app", &BuildOptions::default(), &witness)?;
    Ok(witness.0.into_inner().unwrap())
}

#[test]
fn an_entry_becomes_what_kustomize_asks_helm_for() {
    let asked = request(
        "helmCharts:\n- name: web\n  releaseName: shop\n  namespace: apps\n  includeCRDs: true\n  skipHooks: true\n  \
         kubeVersion: '1.30'\n  apiVersions: [a/v1]\n  additionalValuesFiles: [more.yaml]\n",
    )
    .unwrap();
    assert_eq!(asked.directory, "/app/charts/web");
    assert_eq!(asked.release_name.as_deref(), Some("shop"));
    assert_eq!(asked.namespace.as_deref(), Some("apps"));
    assert_eq!(asked.kube_version.as_deref(), Some("1.30"));
    assert_eq!(asked.api_versions, ["a/v1"]);
    assert!(asked.include_crds && asked.skip_hooks && !asked.skip_tests);
    let names: Vec<&str> = asked.files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Chart.yaml", "values.yaml"]);
    let values: Vec<&str> = asked.values.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(values, ["/app/charts/web/values.yaml", "/app/more.yaml"]);
}

#[test]
fn inline_values_are_merged_in_three_ways() {
    for (how, expected) in [
        ("", "a:\n  b: 9\n  c: 2\nd: x\nlist:\n- 2\n"),
        ("override", "a:\n  b: 9\n  c: 2\nd: x\nlist:\n- 2\n"),
        ("merge", "a:\n  b: 1\n  c: 2\nd: x\nlist:\n- 1\n"),
        ("replace", "a:\n  b: 9\nd: x\nlist:\n- 2\n"),
    ] {
        let asked = request(&format!(
            "helmCharts:\n- name: web\n  valuesMerge: '{how}'\n  valuesInline: {{a: {{b: 9}}, d: x, list: [2]}}\n"
        ))
        .unwrap();
        let [(_, text)] = asked.values.as_slice() else {
            panic!("{:?}", asked.values);
        };
        assert_eq!(String::from_utf8_lossy(text), expected, "{how:?}");
        assert_eq!(asked.release_name, None);
    }
}

#[test]
fn a_home_and_a_version_say_where_the_chart_is() {
    let asked = request(
        "helmGlobals: {chartHome: own}\nhelmCharts: [{name: web, version: '2', repo: 'https://example.com'}]\n",
    )
    .unwrap();
    assert_eq!(asked.directory, "/app/own/web-2/web");
    let older =
        request("helmChartInflationGenerator: [{chartName: web, releaseName: old, values: more.yaml}]\n")
            .unwrap();
    assert_eq!(older.release_name.as_deref(), Some("old"));
    assert_eq!(older.values[0].0, "more.yaml");
}

#[test]
fn n17_charts_are_rendered_only_where_allowed_and_never_fetched() {
    let options = BuildOptions::default();
    let one = "helmCharts: [{name: web}]\n";
    let refused = build(&tree(one), "/app", &options).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Plugin);
    assert!(
        refused.chain().contains("must specify --enable-helm"),
        "{}",
        refused.chain()
    );
    for (entry, message) in [
        ("{}", "chart name cannot be empty"),
        (
            "{name: absent}",
            "no repo specified for pull, no chart found at '/app/charts/absent'",
        ),
        (
            "{name: absent, repo: 'https://example.com'}",
            "nothing is fetched from 'https://example.com'",
        ),
        (
            "{name: web, valuesMerge: other}",
            "valuesMerge must be one of [merge override replace]",
        ),
        ("{name: web, valuesFile: ../secret.yaml}", "doesn't exist"),
        (
            "{name: web, additionalValuesFiles: [absent.yaml]}",
            "could not load additionalValuesFile",
        ),
    ] {
        let error = request(&format!("helmCharts: [{entry}]\n")).unwrap_err();
        assert!(error.chain().contains(message), "{entry}: {}", error.chain());
    }
}

#[test]
fn fields_of_charts_are_checked_as_kustomize_checks_them() {
    for (file, message) in [
        ("helmCharts: [{name: web, digest: x}]", "unknown field \"digest\""),
        (
            "helmCharts: [{name: {a: b}}]",
            "cannot unmarshal object into field helmCharts[0].name of type string",
        ),
        (
            "helmChartInflationGenerator: [{chartName: web, name: x}]",
            "unknown field \"name\"",
        ),
        (
            "helmGlobals: {chartHome: [x]}",
            "cannot unmarshal array into field helmGlobals.chartHome of type string",
        ),
    ] {
        let error = request(file).unwrap_err().chain();
        assert!(error.contains(message), "{file}: {error}");
    }
}

#[test]
fn n17_values_files_outside_the_directory_are_refused() {
    for entry in [
        "{name: web, valuesFile: ../secret.yaml}",
        "{name: web, valuesFile: /secret.yaml, valuesInline: {a: 1}}",
        "{name: web, additionalValuesFiles: [../secret.yaml]}",
        "{name: web, valuesFile: 'https://example.com/values.yaml'}",
    ] {
        let mut files = tree(&format!("helmCharts: [{entry}]\n"));
        files.insert("/secret.yaml", "token: s3cret\n");
        let witness = Witness(std::cell::RefCell::default());
        let error = build_with_charts(&files, "/app", &BuildOptions::default(), &witness).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Security | ErrorKind::Remote),
            "{entry}: {}",
            error.chain()
        );
        assert!(witness.0.borrow().is_none(), "{entry}: the chart was rendered");
        assert!(!error.chain().contains("s3cret"), "{}", error.chain());
    }
}
