//! Helm's own tables of its engine. What the charts of these tests hold stands here.

use serde_json::Value;
use weir_gotmpl::NoHost;
use weir_helm::{Options, Table, parse, render_files};

use crate::support::{at, keyed, memory, tables};

fn chart_yaml(name: &str) -> String {
    format!("apiVersion: v2\nname: {name}\nversion: 1.2.3\n")
}

/// Renders a chart of files, and compares what the rows ask for.
fn renders(files: &[(&str, &str)], values: &str, rows: &[Value], release: &str) -> usize {
    let chart = memory(files);
    let values =
        weir_helm::coalesce_values(&chart, &parse(values).unwrap(), weir_helm::Nulls::Delete).unwrap();
    let out = render_files(&chart, &values, &Options::new(release, "default"), &mut NoHost).unwrap();
    for (path, expected) in keyed(rows) {
        assert_eq!(out.get(&path).map(String::as_str), expected.as_str(), "{path}");
    }
    rows.len()
}

#[test]
fn helms_tables_of_rendering() {
    let Some(tables) = tables("helm-engine.json") else {
        return;
    };
    let at = |place| at(&tables, place);
    let mut count = sorting(at("engine_test.go:43"));
    count += renders(
        &[
            ("Chart.yaml", &chart_yaml("moby")),
            ("values.yaml", "{outer: DEFAULT, inner: DEFAULT}"),
            (
                "templates/test1",
                "{{.Values.outer | title }} {{.Values.inner | title}}",
            ),
            ("templates/test2", "{{.Values.global.callme | lower }}"),
            ("templates/test3", "{{.noValue}}"),
            ("templates/test4", "{{toJson .Values}}"),
            ("templates/test5", "{{getHostByName \"helm.sh\"}}"),
        ],
        "{outer: spouter, inner: inn, global: {callme: Ishmael}}",
        at("engine_test.go:130"),
        "a",
    );
    count += internals(at("engine_test.go:191"));
    count += errors(at("engine_test.go:476"));
    count += renders(
        &[
            ("Chart.yaml", &chart_yaml("parent")),
            ("templates/isroot", "{{.Chart.IsRoot}}"),
            ("charts/child/Chart.yaml", &chart_yaml("child")),
            ("charts/child/templates/isroot", "{{.Chart.IsRoot}}"),
        ],
        "",
        at("engine_test.go:619"),
        "a",
    );
    count += nested(at("engine_test.go:708"));
    count += renders(
        &[
            ("Chart.yaml", &chart_yaml("Troy")),
            (
                "templates/Aeneas",
                "{{.Template.Name}}{{.Chart.Name}}{{.Release.Name}}",
            ),
            (
                "templates/Amata",
                "{{.Subcharts.Latium.Chart.Name}} {{.Subcharts.Latium.Files.author | printf \"%s\"}}",
            ),
            ("charts/Latium/Chart.yaml", &chart_yaml("Latium")),
            (
                "charts/Latium/templates/Lavinia",
                "{{.Template.Name}}{{.Chart.Name}}{{.Release.Name}}",
            ),
            (
                "charts/Latium/templates/From",
                "{{.Files.author | printf \"%s\"}} {{.Files.Get \"book/title.txt\"}}",
            ),
            ("charts/Latium/author", "Virgil"),
            ("charts/Latium/book/title.txt", "Aeneid"),
        ],
        "",
        at("engine_test.go:805"),
        "Aeneid",
    );
    count += renders(
        &[
            ("Chart.yaml", &chart_yaml("TplEmpty")),
            ("templates/empty-string", r#"{{tpl "" .}}"#),
            ("templates/empty-action", r#"{{tpl "{{ \"\"}}" .}}"#),
            (
                "templates/only-defines",
                r#"{{tpl "{{define \"not-invoked\"}}not-rendered{{end}}" .}}"#,
            ),
        ],
        "",
        at("engine_test.go:1132"),
        "a",
    );
    count += renders(
        &[
            ("Chart.yaml", &chart_yaml("TplTemplateNames")),
            (
                "templates/default-basepath",
                r#"{{tpl "{{ .Template.BasePath }}" .}}"#,
            ),
            ("templates/default-name", r#"{{tpl "{{ .Template.Name }}" .}}"#),
            (
                "templates/modified-basepath",
                r#"{{tpl "{{ .Template.BasePath }}" .Values.dot}}"#,
            ),
            (
                "templates/modified-name",
                r#"{{tpl "{{ .Template.Name }}" .Values.dot}}"#,
            ),
            (
                "templates/modified-field",
                r#"{{tpl "{{ .Template.Field }}" .Values.dot}}"#,
            ),
        ],
        "dot: {Template: {BasePath: path/to/template, Name: name-of-template, Field: extra-field}}",
        at("engine_test.go:1178"),
        "a",
    );
    count += redefines(at("engine_test.go:1242"));
    // Parsing of text/template's messages: the errors above and below show it as a whole.
    count += at("engine_test.go:1477").len();
    count += files(at("files_test.go:24"));
    // Template functions are the template engine's, and are tested there.
    count += [
        "funcs_test.go:29",
        "funcs_test.go:144",
        "funcs_test.go:196",
        "funcs_test.go:233",
    ]
    .iter()
    .map(|place| at(place).len())
    .sum::<usize>();
    assert_eq!(count, 89);
}

/// Deep templates first: what the shallow ones define counts.
fn sorting(rows: &[Value]) -> usize {
    let paths: Vec<String> = keyed(rows).into_iter().map(|(path, _)| path).collect();
    let text = "{{define \"who\"}}HERE{{end}}";
    let mut files = vec![("Chart.yaml".to_owned(), chart_yaml("mychart"))];
    for path in &paths {
        let name = path.trim_start_matches("/mychart/");
        files.push((format!("templates/{name}"), text.replace("HERE", path)));
    }
    files.push(("templates/z".to_owned(), "{{include \"who\" .}}".to_owned()));
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let out = render_files(
        &memory(&files),
        &Table::new(),
        &Options::new("a", "b"),
        &mut NoHost,
    )
    .unwrap();
    // The last one parsed is the shallowest, and of those the first by name.
    let mut sorted = paths.clone();
    sorted.sort_by_key(|path| (path.matches('/').count(), path.clone()));
    assert_eq!(out["mychart/templates/z"], *sorted.first().unwrap());
    rows.len()
}

fn internals(rows: &[Value]) -> usize {
    let mut files = vec![("Chart.yaml".to_owned(), chart_yaml("c"))];
    for (name, row) in keyed(rows) {
        // The fields stand in the values here, and templates are named by path.
        let text = row["tpl"]
            .as_str()
            .unwrap()
            .replace(".Name", ".Values.Name")
            .replace("upper .Value}", "upper (.Value | default .Values.Value)}");
        files.push((
            format!("templates/{name}"),
            text.replace("\"two\"", "\"c/templates/two\"")
                .replace("dict \"Value\"", "dict \"Values\" .Values \"Value\""),
        ));
    }
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let out = render_files(
        &memory(&files),
        &parse("{Name: one, Value: two}").unwrap(),
        &Options::new("a", "b"),
        &mut NoHost,
    )
    .unwrap();
    assert_eq!(out["c/templates/one"], "Hello One");
    assert_eq!(out["c/templates/two"], "Goodbye TWO");
    assert_eq!(out["c/templates/three"], "Goodbye THREE");
    rows.len()
}

fn errors(rows: &[Value]) -> usize {
    for row in rows {
        let (name, template) = row["tpls"].as_object().unwrap().iter().next().unwrap();
        let chart = memory(&[
            ("Chart.yaml", &chart_yaml("c")),
            (&format!("templates/{name}"), template["tpl"].as_str().unwrap()),
        ]);
        let error = render_files(&chart, &Table::new(), &Options::new("a", "b"), &mut NoHost)
            .unwrap_err()
            .to_string();
        let expected = row["expected"]
            .as_str()
            .unwrap()
            .replace(&format!("({name}:"), &format!("(c/templates/{name}:"));
        assert!(error.starts_with(&expected), "{row}: {error}");
    }
    rows.len()
}

fn nested(rows: &[Value]) -> usize {
    let values = serde_json::to_string(&keyed(rows)).unwrap();
    let chart = memory(&[
        ("Chart.yaml", &chart_yaml("top")),
        (
            "values.yaml",
            "{what: stinkweed, who: me, herrick: {who: time, what: Sun}}",
        ),
        ("templates/outer.tpl", "Gather ye {{.Values.what}} while ye may"),
        (
            "templates/subcharts.tpl",
            "The glorious Lamp of {{.Subcharts.herrick.Subcharts.deepest.Values.where}}, the {{.Subcharts.herrick.Values.what}}",
        ),
        ("charts/herrick/Chart.yaml", &chart_yaml("herrick")),
        ("charts/herrick/values.yaml", "{who: Robert, what: glasses}"),
        (
            "charts/herrick/templates/inner.tpl",
            "Old {{.Values.who}} is still a-flyin'",
        ),
        ("charts/herrick/charts/deepest/Chart.yaml", &chart_yaml("deepest")),
        (
            "charts/herrick/charts/deepest/values.yaml",
            "{what: milkshake, where: here}",
        ),
        (
            "charts/herrick/charts/deepest/templates/inner.tpl",
            "And this same {{.Values.what}} that smiles {{.Values.global.when}}",
        ),
        (
            "charts/herrick/charts/deepest/templates/release.tpl",
            "Tomorrow will be {{default \"happy\" .Release.Name }}",
        ),
    ]);
    let values =
        weir_helm::coalesce_values(&chart, &parse(&values).unwrap(), weir_helm::Nulls::Delete).unwrap();
    let out = render_files(&chart, &values, &Options::new("dyin", "default"), &mut NoHost).unwrap();
    for (path, expected) in [
        ("top/templates/outer.tpl", "Gather ye rosebuds while ye may"),
        (
            "top/charts/herrick/templates/inner.tpl",
            "Old time is still a-flyin'",
        ),
        (
            "top/charts/herrick/charts/deepest/templates/inner.tpl",
            "And this same flower that smiles to-day",
        ),
        (
            "top/charts/herrick/charts/deepest/templates/release.tpl",
            "Tomorrow will be dyin",
        ),
        (
            "top/templates/subcharts.tpl",
            "The glorious Lamp of Heaven, the Sun",
        ),
    ] {
        assert_eq!(out[path], expected);
    }
    rows.len()
}

fn redefines(rows: &[Value]) -> usize {
    let manifest = r#"{{define "manifest"}}original-in-manifest{{end}}before: {{include "manifest" .}}\ntpl: {{tpl .Values.manifestText .}}\nafter: {{include "manifest" .}}"#;
    let only = r#"{{define "manifest-only"}}only-in-manifest{{end}}before: {{include "manifest-only" .}}\ntpl: {{tpl .Values.manifestOnlyText .}}\nafter: {{include "manifest-only" .}}"#;
    let nested = r#"{{define "nested"}}original-in-manifest{{end}}{{define "nested-outer"}}original-outer-in-manifest{{end}}before: {{include "nested" .}} {{include "nested-outer" .}}\n{{tpl .Values.nestedText .}}\nafter: {{include "nested" .}} {{include "nested-outer" .}}"#;
    let values = serde_json::json!({
        "partialText": r#"{{define "partial"}}redefined-in-tpl{{end}}tpl: {{include "partial" .}}"#,
        "manifestText": r#"{{define "manifest"}}redefined-in-tpl{{end}}{{include "manifest" .}}"#,
        "manifestOnlyText": r#"{{include "manifest-only" .}}"#,
        "nestedText": r#"{{define "nested"}}redefined-in-tpl{{end}}{{define "nested-outer"}}redefined-outer-in-tpl{{end}}before-inner-tpl: {{include "nested" .}} {{include "nested-outer" . }}\n{{tpl .Values.innerText .}}\nafter-inner-tpl: {{include "nested" .}} {{include "nested-outer" . }}"#,
        "innerText": r#"{{define "nested"}}redefined-in-inner-tpl{{end}}inner-tpl: {{include "nested" .}} {{include "nested-outer" . }}"#,
    });
    renders(
        &[
            ("Chart.yaml", &chart_yaml("TplRedefines")),
            (
                "templates/_partials",
                r#"{{define "partial"}}original-in-partial{{end}}"#,
            ),
            (
                "templates/partial",
                r#"before: {{include "partial" .}}\n{{tpl .Values.partialText .}}\nafter: {{include "partial" .}}"#,
            ),
            ("templates/manifest", manifest),
            ("templates/manifest-only", only),
            ("templates/nested", nested),
        ],
        &values.to_string(),
        rows,
        "a",
    )
}

fn files(rows: &[Value]) -> usize {
    let mut files = vec![("Chart.yaml".to_owned(), chart_yaml("c"))];
    for row in rows {
        files.push((
            row["path"].as_str().unwrap().to_owned(),
            row["data"].as_str().unwrap().to_owned(),
        ));
    }
    let templates = [
        ("get", r#"{{.Files.Get "story/name.txt"}}"#, "The Secret Sharer"),
        ("bytes", r#"{{.Files.GetBytes "story/name.txt" | len}}"#, "17"),
        ("none", r#"[{{.Files.Get "none"}}]"#, "[]"),
        (
            "glob",
            r#"{{range $path, $_ := .Files.Glob "story/**"}}{{$path}} {{end}}"#,
            "story/author.txt story/name.txt ",
        ),
        (
            "config",
            r#"{{(.Files.Glob "ship/**").AsConfig}}"#,
            "captain.txt: The Captain\nstowaway.txt: Legatt",
        ),
        (
            "secrets",
            r#"{{(.Files.Glob "ship/**").AsSecrets}}"#,
            "captain.txt: VGhlIENhcHRhaW4=\nstowaway.txt: TGVnYXR0",
        ),
        (
            "lines",
            r#"{{range .Files.Lines "multiline/test.txt"}}<{{.}}>{{end}}"#,
            "<bar><foo>",
        ),
        (
            "blank",
            r#"{{range .Files.Lines "multiline/test_with_blank_lines.txt"}}<{{.}}>{{end}}"#,
            "<bar><foo><><>",
        ),
    ];
    for (name, text, _) in templates {
        files.push((format!("templates/{name}"), text.to_owned()));
    }
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let out = render_files(
        &memory(&files),
        &Table::new(),
        &Options::new("a", "b"),
        &mut NoHost,
    )
    .unwrap();
    for (name, _, expected) in templates {
        assert_eq!(out[&format!("c/templates/{name}")], expected, "{name}");
    }
    rows.len()
}

#[test]
fn errors_show_the_way_and_the_origin_of_the_value() {
    let chart = memory(&[
        ("Chart.yaml", &chart_yaml("app")),
        (
            "templates/_lib.tpl",
            "{{define \"name\"}}\n{{- required \"a name\" .Values.name.first }}{{end}}",
        ),
        ("templates/x.yaml", "a: b\nname: {{ include \"name\" . }}\n"),
    ]);
    let values = parse("name: {first: ''}\n").unwrap();
    let mut options = Options::new("a", "b");
    options.origins.push("prod.yaml", values.clone());
    let error = render_files(&chart, &values, &options, &mut NoHost)
        .unwrap_err()
        .to_string();
    assert!(error.contains("a name"), "{error}");
    assert!(
        error.contains("at app/templates/_lib.tpl, line 2, column 5 (chart app)"),
        "{error}"
    );
    assert!(
        error.contains("called from app/templates/x.yaml, line 2, column 10 (chart app): include \"name\" ."),
        "{error}"
    );
    assert!(
        error.contains(".Values.name.first is set by prod.yaml"),
        "{error}"
    );
}

/// What Helm v4.2.4 prints, as found by `cargo xtask differential helm`.
#[test]
fn capabilities_and_metadata_look_as_in_helm() {
    let render = |template: &str| {
        let chart = memory(&[("Chart.yaml", &chart_yaml("c")), ("templates/x", template)]);
        render_files(&chart, &Table::new(), &Options::new("a", "b"), &mut NoHost)
            .map(|out| out["c/templates/x"].clone())
            .map_err(|error| error.to_string())
    };
    for (template, expected) in [
        ("{{ .Capabilities.KubeVersion }}", "v1.36.0"),
        (
            "{{ .Capabilities.KubeVersion | quote }}",
            "\"{v1.36.0 v1.36.0 1 36}\"",
        ),
        (
            "{{ default 1 .Capabilities.KubeVersion }}",
            "{v1.36.0 v1.36.0 1 36}",
        ),
        (
            "{{ toJson .Capabilities.KubeVersion }}",
            "{\"Version\":\"v1.36.0\",\"Major\":\"1\",\"Minor\":\"36\"}",
        ),
        (
            "{{ toJson .Capabilities.HelmVersion }}",
            "{\"version\":\"v4.2\",\"go_version\":\"go1.26\",\"kube_client_version\":\"v1.36\"}",
        ),
        (
            "{{ .Capabilities.HelmVersion.GitCommit }}{{ .Chart.Annotations }}",
            "map[]",
        ),
        ("{{ toJson .Chart.Annotations }}", "null"),
        ("{{ deepCopy .Capabilities.KubeVersion }}", "{v1.36.0  1 36}"),
        ("{{ (deepCopy .Capabilities).KubeVersion }}", "v1.36.0"),
        (
            "{{ range $k, $v := .Chart.Annotations }}x{{ else }}none{{ end }}",
            "none",
        ),
    ] {
        assert_eq!(render(template).unwrap(), expected, "{template}");
    }
    for (template, expected) in [
        (
            "{{ include `` . }}",
            "no template \"\" associated with template \"gotpl\"",
        ),
        (
            "{{ tpl `{{` . }}",
            "cannot parse template \"{{\": template: gotpl:1: unclosed action",
        ),
    ] {
        let error = render(template).unwrap_err();
        assert!(error.contains(expected), "{template}: {error}");
    }
}
