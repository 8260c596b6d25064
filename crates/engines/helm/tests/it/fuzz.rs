//! Bytes from strangers: nothing panics, nothing hangs.

use proptest::prelude::*;
use weir_helm::{Chart, File, Options, Order, Release, Setter, parse, render_files, sort, split};

use crate::support::{Fixed, Tgz};

fn yaml() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("a".to_owned()),
        Just("global".to_owned()),
        Just("null".to_owned()),
        Just("sub".to_owned()),
        Just("[1, {b: c}]".to_owned()),
        Just("{a: {b: null}}".to_owned()),
        Just("---".to_owned()),
        Just("- ".to_owned()),
        Just("&x *x".to_owned()),
        "[ -~]{0,8}",
    ];
    proptest::collection::vec((0_usize..4, word.clone(), word), 0..12).prop_map(|lines| {
        lines
            .into_iter()
            .map(|(indent, key, value)| format!("{}{key}: {value}\n", "  ".repeat(indent)))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn values_of_any_text(text in prop_oneof![yaml(), any::<String>()]) {
        if let Ok(table) = parse(&text) {
            let _printed = weir_helm::config_digest(&table);
        }
    }

    #[test]
    fn settings_of_any_text(text in "[a-c.,=\\[\\]{}\\\\0-9\"-]{0,40}") {
        for setter in [Setter::Typed, Setter::Text, Setter::Json, Setter::Literal] {
            let _result = setter.parse(&text);
        }
    }

    #[test]
    fn charts_of_any_files(
        definition in yaml(),
        values in yaml(),
        of_subchart in yaml(),
        template in "(\\{\\{|\\}\\}| |\\.Values|\\.a|range|end|toYaml|include|\"x\"|\\.|-){0,12}",
        schema in prop_oneof![yaml(), Just("{}".to_owned())],
    ) {
        let files = vec![
            File::new("Chart.yaml", format!("apiVersion: v2\nname: app\nversion: 1.0.0\n{definition}")),
            File::new("values.yaml", values.clone()),
            File::new("values.schema.json", schema),
            File::new("templates/x.yaml", template),
            File::new("charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 1.0.0\n"),
            File::new("charts/sub/values.yaml", of_subchart),
        ];
        if let Ok(chart) = Chart::from_files(files, &Tgz) {
            let given = parse(&values).unwrap_or_default();
            let options = Options::new("a", "b");
            let _rendered = weir_helm::render(&chart, &given, &options, &mut Fixed::default(), None);
            let _files = render_files(&chart, &given, &options, &mut Fixed::default());
            let _packed = chart.package("2024-01-01T00:00:00Z".parse::<jiff::Timestamp>().unwrap().into());
        }
    }

    #[test]
    fn archives_of_any_bytes(mut bytes in proptest::collection::vec(any::<u8>(), 0..600), at in 0_usize..600, magic: bool) {
        if magic && bytes.len() > 3 {
            bytes[..3].copy_from_slice(&[0x1f, 0x8b, 8]);
        }
        let _loaded = Chart::from_archive(&bytes.clone().into(), &Tgz);
        let nested = vec![
            File::new("Chart.yaml", "apiVersion: v2\nname: app\nversion: 1.0.0\n"),
            File::new("charts/x.tgz", bytes.clone()),
        ];
        let _nested = Chart::from_files(nested, &Tgz);
        bytes.truncate(at);
        let _decoded = Release::decode(&bytes);
    }

    #[test]
    fn records_that_were_changed(at in any::<prop::sample::Index>(), byte: u8, cut in any::<prop::sample::Index>()) {
        let json = include_bytes!("../cases/record/release.json");
        let mut bytes = json.to_vec();
        let place = at.index(bytes.len());
        bytes[place] = byte;
        let _changed = Release::from_json(&bytes);
        bytes.truncate(cut.index(bytes.len()));
        let _cut = Release::from_json(&bytes);
    }

    #[test]
    fn manifests_of_any_text(text in prop_oneof![yaml(), any::<String>()]) {
        let documents = split(&text);
        prop_assert!(documents.iter().all(|document| !document.trim().is_empty()));
        let _sorted = sort([("a/templates/x.yaml", text.as_str())], Order::Install);
    }
}
