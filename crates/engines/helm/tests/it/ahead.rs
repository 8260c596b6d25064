//! What is done ahead changes nothing but the time.

use std::io::Write;

use bytes::Bytes;
use serde_json::json;
use weir_gotmpl::NoHost;
use weir_helm::{Ahead, Chart, Options, Table, render, render_ahead};

use super::support::{self, Tgz};

const MAIN: &str = "apiVersion: v2\nname: main\nversion: 1.0.0\n";

fn archive(files: &[(&str, &str)]) -> Bytes {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, path, content.as_bytes()).unwrap();
    }
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&tar.into_inner().unwrap()).unwrap();
    gz.finish().unwrap().into()
}

fn plainly(archive: &Bytes, values: &Table) -> Result<(String, String), String> {
    let chart = Chart::from_archive(archive, &Tgz).map_err(|error| error.to_string())?;
    render(&chart, values, &Options::new("rel", "ns"), &mut NoHost, None)
        .map(|rendered| (rendered.manifest_with_crds(), rendered.notes))
        .map_err(|error| error.to_string())
}

fn ahead(archive: &Bytes, values: &Table) -> Result<(String, String), String> {
    let ahead = Ahead::default();
    ahead.beside(|| {
        let chart = Chart::from_archive_ahead(archive, &Tgz, &ahead).map_err(|error| error.to_string())?;
        render_ahead(&chart, values, &Options::new("rel", "ns"), &mut NoHost, &ahead)
            .map(|rendered| (rendered.manifest_with_crds(), rendered.notes))
            .map_err(|error| error.to_string())
    })
}

/// The answer, the same both ways. Who begins with what is chance: several times.
fn both(files: &[(&str, &str)], values: serde_json::Value) -> Result<(String, String), String> {
    let archive = archive(files);
    let serde_json::Value::Object(values) = values else {
        panic!("values are a table");
    };
    let wanted = plainly(&archive, &values);
    for _ in 0..20 {
        assert_eq!(ahead(&archive, &values), wanted);
    }
    wanted
}

#[test]
fn charts_render_the_same() {
    let many: Vec<(String, String)> = (0..50)
        .map(|at| {
            let text = format!(
                "a: {at}\nb: {{{{ include \"d{at}\" . }}}}\n{{{{ define \"d{at}\" }}}}x{{{{ end }}}}"
            );
            (format!("main/templates/t{at}.yaml"), text)
        })
        .collect();
    let mut files: Vec<(&str, &str)> = many
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let values = format!("# {}\nv: 1\n", "long ".repeat(2000));
    files.insert(0, ("main/Chart.yaml", MAIN));
    files.push(("main/values.yaml", &values));
    files.push(("main/templates/NOTES.txt", "v is {{ .Values.v }}"));
    files.push(("main/templates/empty.yaml", ""));
    let (manifest, notes) = both(&files, json!({"v": 2})).unwrap();
    assert_eq!((manifest.matches("b: x").count(), notes.as_str()), (50, "v is 2"));
}

#[test]
fn a_folder_need_not_be_named_as_its_chart() {
    let files = [
        ("other/Chart.yaml", MAIN),
        ("other/templates/a.yaml", "a: {{ .Template.Name }}"),
    ];
    let (manifest, _) = both(&files, json!({})).unwrap();
    assert!(manifest.contains("a: main/templates/a.yaml"), "{manifest}");
    let broken = [
        ("other/Chart.yaml", MAIN),
        ("other/templates/a.yaml", "a: {{ if }}"),
    ];
    let error = both(&broken, json!({})).unwrap_err();
    assert!(error.contains("main/templates/a.yaml:1"), "{error}");
}

#[test]
fn an_alias_names_templates_anew() {
    let chart = format!(
        "{MAIN}dependencies:\n- name: sub\n  version: 1.0.0\n- name: sub\n  alias: twin\n  version: 1.0.0\n"
    );
    let files = [
        ("main/Chart.yaml", chart.as_str()),
        (
            "main/charts/sub/Chart.yaml",
            "apiVersion: v2\nname: sub\nversion: 1.0.0\n",
        ),
        ("main/charts/sub/templates/a.yaml", "a: {{ .Template.Name }}"),
    ];
    let (manifest, _) = both(&files, json!({})).unwrap();
    assert!(
        manifest.contains("a: main/charts/sub/templates/a.yaml"),
        "{manifest}"
    );
    assert!(
        manifest.contains("a: main/charts/twin/templates/a.yaml"),
        "{manifest}"
    );
}

#[test]
fn templates_of_charts_that_take_no_part_may_be_broken() {
    let chart = format!("{MAIN}dependencies:\n- name: sub\n  version: 1.0.0\n  condition: sub.enabled\n");
    let files = [
        ("main/Chart.yaml", chart.as_str()),
        ("main/templates/a.yaml", "a: 1"),
        (
            "main/charts/sub/Chart.yaml",
            "apiVersion: v2\nname: sub\nversion: 1.0.0\n",
        ),
        ("main/charts/sub/templates/b.yaml", "{{ if }}"),
        ("main/charts/sub/templates/a.yaml", "{{ nowhere }}"),
    ];
    both(&files, json!({"sub": {"enabled": false}})).unwrap();
    // Of several the one that Helm parses first.
    let error = both(&files, json!({})).unwrap_err();
    assert!(error.contains("sub/templates/b.yaml"), "{error}");
}

#[test]
fn what_cannot_be_loaded_is_refused_with_the_same_words() {
    let long = format!("# {}\na: [\n", "long ".repeat(2000));
    let broken_values = [("main/Chart.yaml", MAIN), ("main/values.yaml", long.as_str())];
    both(&broken_values, json!({})).unwrap_err();
    let outside = [
        ("main/Chart.yaml", MAIN),
        ("main/templates/a.yaml", "{{"),
        ("stray", "x"),
    ];
    let error = both(&outside, json!({})).unwrap_err();
    assert!(error.contains("outside the base directory"), "{error}");
    both(&[("main/values.yaml", long.as_str())], json!({})).unwrap_err();
    let cut = {
        let whole = archive(&[("main/Chart.yaml", MAIN), ("main/templates/a.yaml", "a: 1")]);
        whole.slice(..whole.len() - 20)
    };
    let wanted = plainly(&cut, &Table::new()).unwrap_err();
    assert_eq!(ahead(&cut, &Table::new()), Err(wanted));
}

#[test]
fn charts_that_many_use_render_the_same() {
    let Some(root) = support::shared("WEIR_D2", "d2") else {
        return;
    };
    for entry in std::fs::read_dir(root.join("charts")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "tgz") {
            let archive = std::fs::read(&path).unwrap().into();
            let values = json!({"grafana": {"adminPassword": "x"}});
            let values = values.as_object().unwrap();
            assert_eq!(
                ahead(&archive, values),
                plainly(&archive, values),
                "{}",
                path.display()
            );
        }
    }
}

/// A definition that is worth leaving packed.
fn definition() -> String {
    format!("kind: CustomResourceDefinition\n# {}\n", "long ".repeat(10_000))
}

/// What is rendered without definitions, and whether one was missed.
fn without_definitions(template: &str) -> (String, bool) {
    let definition = definition();
    let archive = archive(&[
        ("main/Chart.yaml", MAIN),
        ("main/crds/a.yaml", &definition),
        ("main/crds/README.md", &definition),
        (
            "main/charts/sub/Chart.yaml",
            "apiVersion: v2\nname: sub\nversion: 1.0.0\n",
        ),
        ("main/charts/sub/crds/b.yaml", &definition),
        ("main/charts/sub/templates/b.yaml", template),
        ("main/templates/a.yaml", template),
    ]);
    let ahead = Ahead::default().without_definitions();
    let manifest = ahead.beside(|| {
        let chart = Chart::from_archive_ahead(&archive, &Tgz, &ahead).unwrap();
        assert!(chart.crds().iter().all(|crd| crd.file.data.is_empty()));
        assert!(chart.crds().len() == 2);
        let rendered = render_ahead(
            &chart,
            &Table::new(),
            &Options::new("r", "n"),
            &mut NoHost,
            &ahead,
        );
        rendered.unwrap().manifest()
    });
    (manifest, ahead.was_missed())
}

#[test]
fn definitions_that_no_template_reads_stay_packed() {
    for template in [
        "a: 1",
        "a: {{ len (.Files.Get \"crds/README.md\") }}",
        "a: {{ .Files.Get \"crds/none.yaml\" | quote }}",
        "a: {{ kindOf (.Files.Glob \"**\") }}",
    ] {
        let (manifest, was_missed) = without_definitions(template);
        assert!(!was_missed && manifest.contains("a: "), "{template}: {manifest}");
    }
}

#[test]
fn a_template_that_reads_a_definition_misses_it() {
    for template in [
        "a: {{ .Files.Get \"crds/a.yaml\" | len }}",
        "a: {{ .Files.GetBytes \"crds/b.yaml\" | len }}",
        "a: {{ .Files.Lines \"crds/a.yaml\" | len }}",
        "{{ (.Files.Glob \"crds/*\").AsConfig }}",
        "a:{{ range $path, $bytes := .Files.Glob \"crds/*\" }}\n- {{ $path }}\n{{ end }}",
        "a: {{ index .Files \"crds/a.yaml\" | len }}",
        "a: {{ printf \"%s\" .Files | len }}",
        "a: {{ toYaml .Files | len }}",
        "a: {{ tpl \"{{ .Files.Get (printf \\\"%s/a.yaml\\\" \\\"crds\\\") }}\" . | len }}",
    ] {
        let (manifest, was_missed) = without_definitions(template);
        assert!(was_missed, "{template}: {manifest}");
    }
}
