//! A template can neither hang nor exhaust the process.

use serde_json::json;
use weir_gotmpl::{Functions, Limits, MissingKey, Value};

use crate::support::{helm, run_with};

fn bounded(template: &str, limits: &Limits) -> String {
    let data = Value::from_json(&json!({"m": {}, "s": "x"}));
    run_with(Functions::helm(), MissingKey::Zero, template, &data, limits).unwrap_err()
}

const SMALL: Limits = Limits {
    output: 1 << 20,
    steps: 100_000,
    depth: 100,
    stack: 1 << 20,
};

#[test]
fn n16_steps_are_bounded() {
    for template in [
        "{{range 1000000000}}{{end}}",
        "{{range until 1000000000}}{{end}}",
        "{{define \"a\"}}{{range 100}}{{template \"b\"}}{{end}}{{end}}{{define \"b\"}}{{range 100}}{{range 100}}{{end}}{{end}}{{end}}{{range 100}}{{template \"a\"}}{{end}}",
        "{{$l := list 1}}{{range 30}}{{$l = concat $l $l}}{{end}}",
        "{{$l := until 3000}}{{uniq $l}}",
        "{{regexReplaceAll \"(a*)*b\" (repeat 500000 \"a\") \"\"}}{{range 1000}}{{regexMatch \"(a*)*(b|c|d)*x{100}\" (repeat 500000 \"a\")}}{{end}}",
    ] {
        let error = bounded(template, &SMALL);
        assert!(
            error.contains("more than 100000 steps") || error.contains("more than 1048576 bytes"),
            "{error}"
        );
    }
}

#[test]
fn n16_output_is_bounded() {
    for template in [
        "{{repeat 2000000 \"x\"}}",
        "{{printf \"%1000000d%1000000d\" 1 2}}",
        "{{printf \"%.1000000f%.1000000f\" 1.5 1.5}}",
        "{{$s := .s}}{{range 40}}{{$s = printf \"%s%s\" $s $s}}{{end}}",
        "{{$s := .s}}{{range 40}}{{$s = cat $s $s}}{{end}}",
        "{{$s := .s}}{{range 40}}{{$s = replace \"x\" \"xx\" $s}}{{end}}",
        "{{$s := .s}}{{range 40}}{{$s = regexReplaceAll \"x\" $s \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}}{{end}}",
        "{{indent 1000000 \"a\\nb\\nc\"}}",
        "{{nindent 9223372036854775807 \"a\"}}",
        "{{range 100000}}0123456789012345678901234567890123456789{{end}}",
        "{{$m := dict \"a\" 1}}{{range 40}}{{$m = dict \"a\" $m \"b\" $m}}{{end}}{{$m | toJson | len}}",
        "{{$m := dict \"a\" 1}}{{range 40}}{{$m = dict \"a\" $m \"b\" $m}}{{end}}{{$m | toYaml | len}}",
        "{{$m := dict \"a\" 1}}{{range 40}}{{$m = dict \"a\" $m \"b\" $m}}{{end}}{{$m}}",
        "{{$m := dict \"a\" 1}}{{range 40}}{{$m = dict \"a\" $m \"b\" $m}}{{end}}{{deepCopy $m | len}}",
        "{{randAlphaNum 1000000000}}",
    ] {
        let error = bounded(template, &SMALL);
        assert!(
            error.contains("more than 1048576 bytes") || error.contains("more than 100000 steps"),
            "{template}: {error}"
        );
    }
}

#[test]
fn n16_nesting_is_bounded_on_any_thread() {
    for template in [
        "{{define \"a\"}}{{template \"a\"}}{{end}}{{template \"a\"}}",
        "{{define \"a\"}}{{include \"b\" .}}{{end}}{{define \"b\"}}{{include \"a\" .}}{{end}}{{include \"a\" .}}",
        "{{define \"a\"}}{{tpl `{{include \"a\" .}}` .}}{{end}}{{include \"a\" .}}",
    ] {
        let error = bounded(template, &Limits::default());
        assert!(error.contains("exceeded maximum template depth"), "{error}");
    }
}

#[test]
fn n16_a_map_that_holds_itself_is_an_error() {
    let itself = "{{$_ := set .m \"self\" .m}}";
    for (call, message) in [
        ("{{.m}}", "nests too deeply"),
        ("{{printf \"%v\" .m}}", "nests too deeply"),
        (
            "{{mustToJson .m}}",
            "encountered a cycle via map[string]interface {}",
        ),
        (
            "{{mustToYaml .m}}",
            "encountered a cycle via map[string]interface {}",
        ),
        ("{{deepCopy .m}}", "nests too deeply"),
        ("{{merge .m (deepCopy .m)}}", "nests too deeply"),
        ("{{toToml .m}}", "nests too deeply"),
        (
            "{{deepEqual .m (set (dict) \"self\" (set (dict) \"self\" .m))}}",
            "",
        ),
    ] {
        let result = helm(&format!("{itself}{call}"), &json!({"m": {}}));
        if message.is_empty() {
            result.unwrap();
        } else {
            let error = result.unwrap_err();
            assert!(error.contains(message), "{call}: {error}");
        }
    }
    assert_eq!(
        helm(&format!("{itself}[{{{{toYaml .m}}}}]"), &json!({"m": {}})).unwrap(),
        "[]"
    );
}

#[test]
fn a_map_may_be_merged_into_itself() {
    let template = "{{merge .m .m | toJson}}{{range $k, $v := .m}}{{$_ := unset $.m $k}}{{$_ := set $.m (print $k $k) $v}}{{end}}{{toJson .m}}";
    assert_eq!(
        helm(template, &json!({"m": {"a": {"b": 1}}})).unwrap(),
        "{\"a\":{\"b\":1}}{\"aa\":{\"b\":1}}"
    );
}

#[test]
fn deep_templates_are_refused() {
    let deep = format!("{{{{{}1{}}}}}", "(".repeat(100_000), ")".repeat(100_000));
    let error = helm(&deep, &json!({})).unwrap_err();
    assert!(error.contains("max expression depth exceeded"), "{error}");
    let deep = "{{if 1}}".repeat(100_000);
    let error = helm(&deep, &json!({})).unwrap_err();
    assert!(error.contains("max expression depth exceeded"), "{error}");
    let fine = format!("{}x{}", "{{if 1}}".repeat(60), "{{end}}".repeat(60));
    assert_eq!(helm(&fine, &json!({})).unwrap(), "x");
    let fine = format!("{{{{{}1{}}}}}", "(".repeat(60), ")".repeat(60));
    assert_eq!(helm(&fine, &json!({})).unwrap(), "1");
}

#[test]
fn n16_values_may_nest_deeper_than_any_stack() {
    let list = "{{$l := list 1}}{{range 300000}}{{$l = list $l}}{{end}}{{len $l}}";
    assert_eq!(helm(list, &json!({})).unwrap(), "1");
    let map = "{{$m := dict}}{{range 200000}}{{$m = dict \"a\" $m}}{{end}}{{len $m}}";
    assert_eq!(helm(map, &json!({})).unwrap(), "1");
    let both = "{{$m := dict}}{{range 200000}}{{$m = dict \"a\" (list $m)}}{{end}}{{toYaml $m}}";
    assert!(helm(both, &json!({})).unwrap_err().contains("nests too deeply"));
}

#[test]
fn n16_a_map_that_holds_itself_is_emptied_after_the_run() {
    let data = Value::from_json(&json!({"m": {"k": 1}, "other": {"a": {"b": 2}}}));
    let template = "{{$_ := set .m \"self\" (list (dict \"deep\" .m))}}{{$_ := set .other \"c\" .other.a}}";
    run_with(
        Functions::helm(),
        MissingKey::Zero,
        template,
        &data,
        &Limits::default(),
    )
    .unwrap();
    let get = |name: &str| {
        data.as_map()
            .and_then(|map| map.get(name))
            .and_then(|value| value.as_map().cloned())
            .unwrap()
    };
    assert!(get("m").is_empty());
    assert_eq!(get("other").len(), 2);
}
