//! Indexes of chart repositories.

use weir_helm::{Index, IndexError, NotFound, highest_tag, is_range};

const SMALL: &str = "\
apiVersion: v1
generated: 2026-01-02T03:04:05.5Z
entries:
  web:
  - name: web
    version: 1.2.0
    appVersion: 7.0
    created: 2026-01-01T00:00:00Z
    digest: ab00000000000000000000000000000000000000000000000000000000000000
    urls:
    - web-1.2.0.tgz
  - name: web
    apiVersion: v2
    version: 2.0.0-rc.1
    urls: [https://cdn.example/web-2.0.0-rc.1.tgz]
  - apiVersion: v2
    name: web
    version: 1.10.0
    description: a <b> & c
    deprecated: true
    dependencies:
    - name: a
      repository: ''
    - name: a
      repository: ''
    urls:
    - web-1.10.0.tgz
  none: []
";

fn read(text: &str) -> Index {
    Index::read(text.as_bytes()).unwrap()
}

fn versions<'i>(index: &'i Index, chart: &str) -> Vec<&'i str> {
    let versions = index.versions(chart).unwrap();
    versions.iter().map(|entry| &*entry.version).collect()
}

#[test]
fn versions_come_from_the_highest_down_and_the_rest_is_there() {
    let index = read(SMALL);
    assert_eq!(index.names().collect::<Vec<_>>(), ["none", "web"]);
    assert_eq!(versions(&index, "web"), ["2.0.0-rc.1", "1.10.0", "1.2.0"]);
    let entry = index.get("web", "1.2.0").unwrap();
    assert_eq!((&*entry.name, &*entry.app_version), ("web", "7"));
    assert_eq!(&*entry.urls, [Box::from("web-1.2.0.tgz")]);
    assert_eq!(entry.created.unwrap().to_string(), "2026-01-01T00:00:00Z");
    assert!(!entry.deprecated && index.get("web", "1.10.0").unwrap().deprecated);
    assert_eq!((index.len(), index.skipped()), (3, 0));
}

#[test]
fn ranges_mean_what_they_mean_to_helm_and_to_flux() {
    let index = read(SMALL);
    let helm = |version: &str| index.get("web", version).map(|entry| entry.version.to_string());
    let flux = |version: &str| {
        index
            .latest("web", version)
            .map(|entry| entry.version.to_string())
    };
    for (range, expected) in [
        ("", "1.10.0"),
        ("*", "1.10.0"),
        ("^1.2", "1.10.0"),
        ("1.2.x", "1.2.0"),
        (">0.0.0-0", "2.0.0-rc.1"),
        ("2.0.0-rc.1", "2.0.0-rc.1"),
        ("<1.5", "1.2.0"),
    ] {
        assert_eq!(helm(range).as_deref(), Ok(expected), "{range}");
        assert_eq!(flux(range).as_deref(), Ok(expected), "{range}");
    }
    assert_eq!(
        helm("3").unwrap_err().to_string(),
        "no chart version found for web-3"
    );
    assert_eq!(
        flux("3").unwrap_err().to_string(),
        "no 'web' chart with version matching '3' found"
    );
    assert_eq!(index.get("other", ""), Err(NotFound::Name));
    assert_eq!(index.get("none", ""), Err(NotFound::NoVersions));
    assert!(matches!(index.get("web", "~>> x"), Err(NotFound::Range(_))));
    for (text, expected) in [
        ("1.2.3", false),
        ("1.2.3-x", false),
        ("1.x", true),
        ("1 - 2", true),
        ("a||b", true),
    ] {
        assert_eq!(is_range(text), expected, "{text}");
    }
}

#[test]
fn of_builds_of_one_version_flux_takes_the_newest() {
    let entry = |build: &str, day: u8| {
        format!("  - {{name: a, version: 1.0.0+{build}, created: 2026-01-0{day}T00:00:00Z, urls: [x]}}\n")
    };
    let text = format!(
        "apiVersion: v1\nentries:\n  a:\n{}{}{}",
        entry("1", 1),
        entry("3", 3),
        entry("2", 2)
    );
    let index = read(&text);
    assert_eq!(&*index.latest("a", "1.x").unwrap().version, "1.0.0+3");
    assert_eq!(&*index.get("a", "1.x").unwrap().version, "1.0.0+1");
    assert_eq!(&*index.latest("a", "1.0.0+2").unwrap().version, "1.0.0+2");
}

#[test]
fn entries_that_break_a_rule_are_skipped() {
    let index = read(
        "apiVersion: v1\nentries:\n  a:\n  - null\n  - {name: a, version: x.y}\n  - {version: 1.0.0}\n  - {name: ../a, version: 1.0.0}\n  - {name: a, version: 1.0.0}\n  b:\n",
    );
    assert_eq!(versions(&index, "a"), ["1.0.0"]);
    assert_eq!(index.skipped(), 4);
    assert!(index.warnings()[1].contains("\"x.y\""), "{:?}", index.warnings());
    assert_eq!(index.get("b", ""), Err(NotFound::NoVersions));
}

#[test]
fn n11_what_is_no_index_is_an_error() {
    for (text, expected) in [
        ("", "empty index.yaml file"),
        ("null", "no API version specified"),
        ("{}", "no API version specified"),
        ("apiVersion: ''\nentries: {}", "no API version specified"),
        (
            "entries: {a: [{name: a, version: 1.0.0}]}",
            "no API version specified",
        ),
        ("[]", "cannot unmarshal array"),
        ("- a", "cannot unmarshal array"),
        ("just text", "cannot unmarshal string"),
        ("<html><body>Not Found</body></html>", "cannot unmarshal string"),
        ("apiVersion: v1\nentries: []", "cannot unmarshal array"),
        ("apiVersion: v1\nentries: {a: 1}", "cannot unmarshal number"),
        (
            "apiVersion: v1\nentries: {a: {b: {c: d}}}",
            "cannot unmarshal object",
        ),
        ("apiVersion: v1\nentries: {a: [1]}", "cannot unmarshal number"),
        (
            "apiVersion: v1\nentries: {a: [{name: []}]}",
            "cannot unmarshal array",
        ),
        (
            "apiVersion: v1\nentries: {a: [{name: a, version: 1.0.0, urls: b}]}",
            "cannot unmarshal string",
        ),
        (
            "apiVersion: v1\nentries: {a: [{name: a, version: 1.0.0, created: now}]}",
            "parsing time",
        ),
        (
            "apiVersion: v1\nentries: {a: [{name: a, nmae: b}]}",
            "unknown field \"nmae\"",
        ),
        ("apiVersion: v1\nother: 1", "unknown field \"other\""),
        ("apiVersion: v1\nentries: {a: [], a: []}", "already defined"),
        (
            "apiVersion: v1\nentries: {a: [{name: a, name: b}]}",
            "already defined",
        ),
        ("apiVersion: v1\nentries:\n  a: [", "yaml"),
        (
            r#"{"apiVersion": "v1", "entries": {"a": [{"name": 1}]}}"#,
            "cannot unmarshal number",
        ),
        (r#"{"apiVersion": "v1", "entries": []}"#, "sequence"),
        (
            r#"{"apiVersion": "v1", "entries": {"a": "b"}}"#,
            "a list of versions",
        ),
    ] {
        let error = Index::read(text.as_bytes()).expect_err(text);
        assert!(error.to_string().contains(expected), "{text}: {error}");
    }
    assert!(matches!(Index::read(b"\xff\xfe{"), Err(IndexError::Malformed(_))));
}

#[test]
fn json_is_read_leniently_and_yaml_strictly_as_helm_does() {
    let json = r#"{"apiVersion":"v1","new":true,"entries":{"a":[{"name":"a","version":"1.0.0","new":1,"urls":["x"]}],"a":[{"name":"a","version":"2.0","urls":null},null]}}"#;
    let index = read(json);
    assert_eq!(versions(&index, "a"), ["2.0"]);
    assert_eq!(index.skipped(), 1);
    // What looks like a number in quotes is a text.
    assert_eq!(&*index.get("a", "").unwrap().version, "2.0");
}

#[test]
fn aliases_mean_what_stands_elsewhere() {
    let index = read(
        "apiVersion: v1\nentries:\n  a:\n  - &one {name: a, version: 1.0.0, urls: &u [x]}\n  - {name: a, version: 2.0.0, urls: *u}\n  b:\n  - *one\n",
    );
    assert_eq!(versions(&index, "a"), ["2.0.0", "1.0.0"]);
    assert_eq!(
        index.get("a", "2.0.0").unwrap().urls,
        index.get("b", "").unwrap().urls
    );
}

#[test]
fn n10_aliases_in_a_large_index_are_refused() {
    let text = format!(
        "apiVersion: v1\nentries:\n  a:\n  - &one {{name: a, version: 1.0.0}}\n  - *one\n#{}\n",
        "x".repeat(9 << 20)
    );
    let error = Index::read(text.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("aliases"), "{error}");
}

#[test]
fn an_index_is_written_as_go_writes_it() {
    let index = Index::read_whole(SMALL.as_bytes()).unwrap();
    let expected = r#"{
  "apiVersion": "v1",
  "generated": "2026-01-02T03:04:05.5Z",
  "entries": {
    "none": [],
    "web": [
      {
        "name": "web",
        "version": "2.0.0-rc.1",
        "apiVersion": "v2",
        "urls": [
          "https://cdn.example/web-2.0.0-rc.1.tgz"
        ],
        "created": "0001-01-01T00:00:00Z"
      },
      {
        "name": "web",
        "version": "1.10.0",
        "description": "a \u003cb\u003e \u0026 c",
        "apiVersion": "v2",
        "deprecated": true,
        "dependencies": [
          {
            "name": "a",
            "repository": ""
          },
          {
            "name": "a",
            "repository": ""
          }
        ],
        "urls": [
          "web-1.10.0.tgz"
        ],
        "created": "0001-01-01T00:00:00Z"
      },
      {
        "name": "web",
        "version": "1.2.0",
        "apiVersion": "v1",
        "appVersion": "7",
        "urls": [
          "web-1.2.0.tgz"
        ],
        "created": "2026-01-01T00:00:00Z",
        "digest": "ab00000000000000000000000000000000000000000000000000000000000000"
      }
    ]
  }
}"#;
    assert_eq!(index.to_json(), expected);
    // What was written is read again, and is the same.
    let again = Index::read_whole(expected.as_bytes()).unwrap();
    assert_eq!(again.to_json(), expected);
    assert_eq!(read(expected), read(SMALL));
}

#[test]
fn tags_of_a_registry_are_versions_with_an_underscore_for_the_plus() {
    let tags = [
        "latest",
        "1.0.0",
        "1.2.0_7",
        "2.0.0-rc.1",
        "v3.0.0",
        "1.1",
        "sha256-00.sig",
    ];
    let chosen = |version: &str| highest_tag(tags, version).map_err(|error| error.to_string());
    for (version, expected) in [
        ("", "1.2.0+7"),
        ("*", "1.2.0+7"),
        ("1.0.x", "1.0.0"),
        (">0.0.0-0", "2.0.0-rc.1"),
        ("1.2.0+7", "1.2.0+7"),
    ] {
        assert_eq!(chosen(version).as_deref(), Ok(expected), "{version}");
    }
    assert_eq!(
        chosen("9.x").unwrap_err(),
        "could not locate a version matching provided version string 9.x"
    );
}
