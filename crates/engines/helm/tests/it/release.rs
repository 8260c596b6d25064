//! Release records, against one that Helm's own packages wrote (cases/record; its README says how).

use std::path::{Path, PathBuf};

use weir_helm::{
    Chart, DecodeError, Event, File, Hook, HookRun, Info, Options, Phase, Policy, Release, SnapshotDigest,
    Status, Time, render, storage_labels, storage_name,
};

use crate::support::{Fixed, Tgz, folder};

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/record")
}

fn time(text: &str) -> Option<Time> {
    Some(Time::parse(text).unwrap())
}

fn release() -> Release {
    let modified: jiff::Timestamp = "2024-05-06T07:08:09Z".parse().unwrap();
    let files: Vec<File> = folder(&cases().join("chart"))
        .into_iter()
        .map(|file| file.at(modified))
        .collect();
    let chart = Chart::from_folder(files, &Tgz).unwrap();
    let values = weir_helm::Setter::Typed.parse("replicas=5,other.name=y").unwrap();
    let mut values = values;
    weir_helm::overlay(
        &mut values,
        weir_helm::parse("{pi: 3.14, tiny: 1e-9, huge: 1e21}").unwrap(),
    );
    let rendered = render(
        &chart,
        &values,
        &Options::new("web", "apps"),
        &mut Fixed::default(),
        None,
    )
    .unwrap();
    Release {
        name: "web".into(),
        namespace: "apps".into(),
        version: 7,
        chart: Some(rendered.chart),
        config: Some(values),
        apply_method: "ssa".into(),
        manifest: "---\n# Source: app/templates/a.yaml\nkind: ConfigMap # <x>\n".into(),
        info: Some(Info {
            first_deployed: time("2024-01-02T03:04:05.6789+02:00"),
            last_deployed: time("2024-02-03T04:05:06.000000007Z"),
            deleted: None,
            description: "Upgrade \"complete\"".into(),
            status: Status::Deployed,
            notes: "Hi\tthere\u{2028}".into(),
        }),
        hooks: vec![
            Hook {
                name: "h".into(),
                kind: "Job".into(),
                path: "app/templates/h.yaml".into(),
                manifest: "kind: Job\n".into(),
                events: vec![Event::PreInstall, Event::PostUpgrade],
                weight: -5,
                delete_policies: vec![Policy::Succeeded],
                output_log_policies: vec![Policy::Failed],
                last_run: HookRun {
                    started_at: time("2024-05-06T07:08:09Z"),
                    completed_at: time("2024-05-06T07:08:10Z"),
                    phase: Phase::Succeeded,
                },
            },
            Hook {
                name: "t".into(),
                kind: "Pod".into(),
                path: "app/templates/t.yaml".into(),
                manifest: "kind: Pod\n".into(),
                events: vec![Event::Test],
                ..Hook::default()
            },
        ],
        ..Release::default()
    }
}

fn expected() -> String {
    std::fs::read_to_string(cases().join("release.json")).unwrap()
}

#[test]
fn the_record_is_helms_byte_for_byte() {
    assert_eq!(release().to_json(), expected());
}

#[test]
fn what_is_read_is_written_again() {
    let read = Release::from_json(expected().as_bytes()).unwrap();
    assert_eq!(read.to_json(), expected());
    let again = Release::decode(read.encode().as_bytes()).unwrap();
    assert_eq!(again, read);
}

#[test]
fn the_snapshot_digest_is_gos() {
    let digest = SnapshotDigest {
        release: &Release::from_json(expected().as_bytes()).unwrap(),
        oci_digest: "sha256:abc",
    };
    let expected = std::fs::read_to_string(cases().join("digest.txt")).unwrap();
    assert_eq!(digest.compute(), expected.trim());
}

#[test]
fn records_of_helm_3_and_unpacked_ones_are_read() {
    use base64::Engine;
    let json = r#"{"name":"web","info":{"first_deployed":"2020-01-01T00:00:00Z","last_deployed":"","deleted":"","status":"superseded"},
        "hooks":[{"name":"h","events":["pre-install","no-such"],"last_run":{"started_at":"","completed_at":"","phase":""}}],
        "version":3,"unknown":[1]}"#;
    let read = Release::decode(base64::engine::general_purpose::STANDARD.encode(json).as_bytes()).unwrap();
    assert_eq!(read.version, 3);
    assert_eq!(read.status(), Status::Superseded);
    let info = read.info.as_ref().unwrap();
    assert_eq!((info.last_deployed, info.deleted), (None, None));
    assert!(
        read.to_json()
            .contains(r#""info":{"first_deployed":"2020-01-01T00:00:00Z","status":"superseded"}"#)
    );
    assert_eq!(read.apply_method(), weir_helm::ApplyMethod::Client);
}

#[test]
fn what_is_no_record_is_refused() {
    use base64::Engine;
    let encode = |text: &[u8]| base64::engine::general_purpose::STANDARD.encode(text);
    assert!(matches!(Release::decode(b"%%%"), Err(DecodeError::Base64(_))));
    assert!(matches!(
        Release::decode(encode(b"{").as_bytes()),
        Err(DecodeError::Json(_))
    ));
    assert!(matches!(
        Release::decode(encode(&[0x1f, 0x8b, 8, 0]).as_bytes()),
        Err(DecodeError::Gzip(_))
    ));
    for json in [
        "[]",
        "3",
        r#"{"info":3}"#,
        r#"{"version":"x"}"#,
        r#"{"chart":{"templates":[{"data":"%"}]}}"#,
        r#"{"info":{"deleted":"never"}}"#,
    ] {
        let result = Release::decode(encode(json.as_bytes()).as_bytes());
        assert!(
            matches!(result, Err(DecodeError::Field(..))),
            "{json}: {result:?}"
        );
    }
}

#[test]
fn labels_and_names_are_helms() {
    let mut release = release();
    release.labels.insert("team".into(), "a".into());
    release.labels.insert("status".into(), "mine".into());
    let labels: Vec<(String, String)> = storage_labels(&release, ("createdAt", 1_700_000_000))
        .into_iter()
        .collect();
    let labels: Vec<(&str, &str)> = labels
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        labels,
        [
            ("createdAt", "1700000000"),
            ("name", "web"),
            ("owner", "helm"),
            ("status", "deployed"),
            ("team", "a"),
            ("version", "7")
        ]
    );
    assert_eq!(storage_name("web", 7), "sh.helm.release.v1.web.v7");
}

#[test]
fn hooks_run_by_weight_then_by_name() {
    let hook = |name: &str, weight, events: &[Event]| Hook {
        name: name.into(),
        weight,
        events: events.to_vec(),
        ..Hook::default()
    };
    let hooks = [
        hook("b", 0, &[Event::PreInstall]),
        hook("a", 0, &[Event::PreInstall, Event::PreUpgrade]),
        hook("c", -1, &[Event::PreInstall]),
        hook("d", 0, &[Event::Test]),
    ];
    assert_eq!(Hook::at(&hooks, Event::PreInstall), [2, 1, 0]);
    assert_eq!(Hook::at(&hooks, Event::PreUpgrade), [1]);
    assert!(Hook::at(&hooks, Event::PostDelete).is_empty());
    let mut plain = hook("a", 0, &[]);
    assert!(plain.is_deleted(&Policy::BeforeCreation) && !plain.is_deleted(&Policy::Succeeded));
    plain.kind = "CustomResourceDefinition".into();
    assert!(!plain.is_deleted(&Policy::BeforeCreation));
}
