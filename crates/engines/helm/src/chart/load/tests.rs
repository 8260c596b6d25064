use super::*;
use crate::chart::NoArchives;

fn files(files: &[(&str, &str)]) -> Vec<File> {
    files
        .iter()
        .map(|(name, text)| File::new(*name, text.as_bytes().to_vec()))
        .collect()
}

const CHART: (&str, &str) = ("Chart.yaml", "apiVersion: v2\nname: app\nversion: 1.0.0\n");

#[test]
fn every_file_has_its_place() {
    let chart = load(
        files(&[
            ("templates/a.yaml", "a"),
            CHART,
            ("values.yaml", "x: 1\n"),
            ("values.schema.json", "{}"),
            ("README.md", "hello"),
            ("crds/c.yaml", "c"),
            ("crds/README", "not a manifest"),
            ("charts/README.md", "not a chart"),
            ("charts/_off/Chart.yaml", "not loaded"),
            ("charts/.off/Chart.yaml", "not loaded"),
            ("charts/app-1.tgz.prov", "a signature"),
            (
                "charts/sub/Chart.yaml",
                "apiVersion: v1\nname: sub\nversion: 2.0.0\n",
            ),
            (
                "charts/sub/requirements.yaml",
                "dependencies: [{name: deep, version: 1, repository: ''}]\n",
            ),
            ("charts/sub/templates/s.yaml", "s"),
        ]),
        &NoArchives,
        Formats::Known,
    );
    let chart = match chart {
        // A file in `charts/` is taken for a chart without Chart.yaml, as in Helm.
        Err(LoadError::Subchart { name, source, .. }) => {
            assert_eq!((name.as_str(), *source), ("README.md", LoadError::NoMetadata));
            return;
        }
        other => other.unwrap(),
    };
    assert_eq!(chart.name(), "app");
}

#[test]
fn subcharts_and_old_requirements_are_read() {
    let chart = load(
        files(&[
            CHART,
            ("charts/app-1.tgz.prov", "a signature"),
            (
                "charts/sub/Chart.yaml",
                "apiVersion: v1\nname: sub\nversion: 2.0.0\n",
            ),
            (
                "charts/sub/requirements.yaml",
                "dependencies: [{name: deep, version: 1, repository: ''}]\n",
            ),
            ("charts/sub/crds/s.yaml", "s"),
            ("crds/c.yaml", "c"),
        ]),
        &NoArchives,
        Formats::Known,
    )
    .unwrap();
    let sub = chart.dependencies.first().unwrap();
    assert_eq!(
        sub.metadata
            .dependencies
            .first()
            .unwrap()
            .as_ref()
            .unwrap()
            .version,
        "1"
    );
    assert_eq!(sub.missing_dependencies(), ["deep"]);
    let crds: Vec<String> = chart.crds().into_iter().map(|crd| crd.path).collect();
    assert_eq!(crds, ["app/crds/c.yaml", "app/charts/sub/crds/s.yaml"]);
    assert!(
        chart
            .files
            .iter()
            .any(|file| file.name == "charts/app-1.tgz.prov")
    );
}

#[test]
fn n11_files_that_hold_something_else_are_named() {
    for (name, text, expected) in [
        ("values.yaml", "[]", "cannot load values.yaml"),
        ("values.yaml", "a: [", "cannot load values.yaml"),
        ("Chart.lock", "[]", "cannot load Chart.lock"),
        ("Chart.lock", "generated: yesterday\n", "cannot load Chart.lock"),
        (
            "requirements.yaml",
            "dependencies: 3\n",
            "cannot load requirements.yaml",
        ),
    ] {
        let error = load(files(&[CHART, (name, text)]), &NoArchives, Formats::Known)
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert_eq!(
        load(files(&[("a", "b")]), &NoArchives, Formats::Known).unwrap_err(),
        LoadError::NoMetadata
    );
    let error = load(
        files(&[("Chart.yaml", "apiVersion: v3\nname: a\nversion: 1.0.0\n")]),
        &NoArchives,
        Formats::Known,
    )
    .unwrap_err();
    assert!(error.to_string().contains("unsupported chart version"), "{error}");
}

#[test]
fn n06_a_bomb_of_charts_in_charts_ends() {
    let mut path = String::new();
    let mut all = files(&[CHART]);
    for _ in 0..40 {
        path.push_str("charts/app/");
        all.push(File::new(format!("{path}Chart.yaml"), CHART.1));
    }
    let mut error = load(all, &NoArchives, Formats::Known).unwrap_err();
    while let LoadError::Subchart { source, .. } = error {
        error = *source;
    }
    assert_eq!(error, LoadError::Depth);
}
