//! Helm's functions: its own tests, and how `include` and `tpl` see each other's definitions.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use weir_gotmpl::{
    Env, Functions, Kind, Limits, MissingKey, Object, Options, Set, Shape, Type, TypeInfo, Value, ty,
};

use crate::support::{Still, helm, run_with, tables};
use weir_conformance::judge;

/// A `map[int]string`.
struct NumberKeys;

impl Object for NumberKeys {
    fn ty(&self) -> Type {
        static TYPE: TypeInfo = TypeInfo::new("map[int]string", Kind::Map, Some(&ty::STRING));
        &TYPE
    }

    fn shape(&self) -> Shape {
        Shape::Map(vec![(Value::int(1), Value::from("one"))])
    }
}

/// The rows of the tables that are about functions alone; the others need the engine around them.
#[test]
fn rows_about_functions_hold() {
    let Some(tables) = tables("helm-engine.json") else {
        return;
    };
    let mut outcomes = Vec::new();
    for table in &tables {
        let source = table["source"].as_str().unwrap();
        if table["table"] != "TestFuncs" {
            continue;
        }
        let line = source.rsplit(':').next().unwrap();
        for (index, row) in table["rows"].as_array().unwrap().iter().enumerate() {
            let template = row["tpl"].as_str().unwrap();
            let mut data = Value::read_json(&row["vars"], &|number| Value::int(number.as_i64().unwrap()));
            // What the table cannot show of the second test's data.
            match (line, index, data.as_map()) {
                ("144", 0..=3, Some(map)) => map.insert("loopRef", map.clone()),
                ("144", 4, _) => data = Value::object(NumberKeys),
                _ => {}
            }
            let result = run_with(
                Functions::helm(),
                MissingKey::Default,
                template,
                &data,
                &Limits::default(),
            );
            let outcome = match (result, &row["expect"]) {
                (Ok(out), Json::String(expected)) if out == *expected => Ok(()),
                (Err(_), Json::Null) => Ok(()),
                (result, expected) => Err(format!("{template}: {result:?}, expected {expected}")),
            };
            outcomes.push((format!("funcs/{line}/{index}"), outcome));
        }
    }
    judge("helm-engine", outcomes);
}

#[test]
fn errors_of_required_and_fail_are_marked() {
    let error = helm(
        "{{required \"foo is required\" .Values.foo}}",
        &json!({"Values": {}}),
    )
    .unwrap_err();
    assert_eq!(
        error,
        "template: x:1:2: executing \"x\" at <required \"foo is required\" .Values.foo>: error calling required: \
         HELM_ERR_STARTfoo is requiredHELM_ERR_END"
    );
    let error = helm("{{fail \"no\\nway\"}}", &json!({})).unwrap_err();
    assert!(error.ends_with("HELM_ERR_STARTno\nwayHELM_ERR_END"), "{error}");
}

#[test]
fn tpl_redefines_for_itself_only() {
    let template = "{{define \"n\"}}outer{{end}}{{include \"n\" .}} \
        {{tpl `{{define \"n\"}}inner{{end}}{{include \"n\" .}}{{template \"n\"}}` .}} {{include \"n\" .}}";
    assert_eq!(helm(template, &json!({})).unwrap(), "outer innerinner outer");
}

#[test]
fn tpl_drops_what_is_missing() {
    assert_eq!(
        helm("{{tpl `[{{.a}}]` .}}[{{.a}}]", &json!({})).unwrap(),
        "[][<no value>]"
    );
    assert_eq!(helm("{{tpl `` .}}{{tpl ` ` .}}", &json!({})).unwrap(), " ");
}

#[test]
fn set_is_seen_by_every_holder() {
    let template = "{{define \"t\"}}{{$_ := set .m \"k\" \"changed\"}}{{end}}{{$m := .m}}{{include \"t\" .}}{{$m.k}}{{.m.k}}";
    assert_eq!(
        helm(template, &json!({"m": {"k": "old"}})).unwrap(),
        "changedchanged"
    );
}

#[test]
fn errors_carry_the_chain_of_includes() {
    let options = Options {
        name: "gotpl".to_owned(),
        missing_key: MissingKey::Zero,
        ..Options::default()
    };
    let mut set = Set::new(Arc::new(Functions::helm()), options);
    set.parse(
        "c/templates/_h.tpl",
        "{{define \"a\"}}\n{{ include \"b\" . }}{{end}}{{define \"b\"}}{{.x.y.z}}{{end}}",
    )
    .unwrap();
    set.parse("c/templates/x.yaml", "k: {{ include \"a\" . }}")
        .unwrap();
    let mut host = Still(1);
    let mut env = Env::new(&set, &mut host, &Limits::default());
    let error = env
        .execute("c/templates/x.yaml", &Value::from_json(&json!({})))
        .unwrap_err();
    let places: Vec<String> = error
        .frames()
        .map(|frame| {
            format!(
                "{}:{}:{} {} <{}>",
                frame.file, frame.line, frame.column, frame.template, frame.expression
            )
        })
        .collect();
    assert_eq!(
        places,
        [
            "c/templates/x.yaml:1:6 c/templates/x.yaml <include \"a\" .>",
            "c/templates/_h.tpl:2:3 a <include \"b\" .>",
            "c/templates/_h.tpl:2:44 b <.x.y.z>",
        ]
    );
    let chain: Vec<String> = error.chain().collect();
    assert_eq!(chain.len(), 3);
    assert_eq!(chain.first(), Some(&error.to_string()));
    assert_eq!(
        chain.last().unwrap(),
        "template: c/templates/_h.tpl:2:44: executing \"b\" at <.x.y.z>: nil pointer evaluating interface {}.y"
    );
}

#[test]
fn recursion_ends_as_helms() {
    let options = Options {
        name: "gotpl".to_owned(),
        missing_key: MissingKey::Zero,
        ..Options::default()
    };
    let mut set = Set::new(Arc::new(Functions::helm()), options);
    set.parse(
        "x",
        "{{define \"r\"}}{{include \"r\" .}}{{end}}{{include \"r\" .}}",
    )
    .unwrap();
    let thread = std::thread::Builder::new().stack_size(256 << 20);
    let run = move || {
        let limits = Limits {
            stack: 240 << 20,
            ..Limits::default()
        };
        let error = set.execute("x", &Value::Nil, &mut Still(1), &limits).unwrap_err();
        assert_eq!(error.frames().count(), 1002);
        error.to_string()
    };
    let message = thread.spawn(run).unwrap().join().unwrap();
    assert!(
        message.ends_with("rendering template has a nested reference name: r: unable to execute template"),
        "{}",
        message.get(message.len() - 300..).unwrap()
    );
}

/// A struct with a field that is not exported, names for JSON, and `String` on its pointer alone; as a field of a pointer.
struct Release {
    is_field: bool,
}

static RELEASE: TypeInfo = TypeInfo::declared("x.Release", Kind::Struct, None);

impl Object for Release {
    fn ty(&self) -> Type {
        &RELEASE
    }

    fn shape(&self) -> Shape {
        Shape::Struct(vec![
            ("Zone", "z".into()),
            ("hidden", "h".into()),
            ("Alias", "".into()),
        ])
    }

    fn json_fields(&self) -> Option<Vec<(&'static str, Value)>> {
        Some(vec![("zone", "z".into())])
    }

    fn pointed_text(&self) -> Option<weir_gotmpl::Str> {
        self.is_field.then(|| "text".into())
    }

    fn copied(&self) -> Option<Value> {
        self.is_field.then(|| Value::object(Self { is_field: false }))
    }
}

/// A pointer to a struct of which a release is a field.
struct Pointer(Value);

impl Object for Pointer {
    fn ty(&self) -> Type {
        static STRUCT: TypeInfo = TypeInfo::declared("x.Outer", Kind::Struct, None);
        static TYPE: TypeInfo = TypeInfo::new("*x.Outer", Kind::Ptr, Some(&STRUCT));
        &TYPE
    }

    fn shape(&self) -> Shape {
        Shape::Pointer(Some(self.0.clone()))
    }
}

/// What Go and Helm v4.2.4 print, as found by `cargo xtask differential helm`.
#[test]
fn structs_are_printed_and_encoded_as_in_go() {
    let data = weir_gotmpl::Map::new();
    let release = || Value::object(Release { is_field: true });
    data.insert("r", release());
    data.insert("p", Value::object(Pointer(release())));
    data.insert("nil", Value::TypedNil(&ty::MAP_STRING));
    data.insert("bytes", Value::TypedNil(&ty::BYTES));
    let run = |template: &str| {
        run_with(
            Functions::helm(),
            MissingKey::Zero,
            template,
            &data.clone().into(),
            &Limits::default(),
        )
    };
    for (template, expected) in [
        // An action prints the field itself, of which there is a pointer; functions have a copy.
        ("{{.r}}", "text"),
        ("{{required `x` .r}}", "{z h }"),
        ("{{html .r}} {{quote .r}}", "{z h } \"{z h }\""),
        ("{{toJson .r}}", "{\"zone\":\"z\"}"),
        ("{{toYaml .r}}", "zone: z"),
        ("{{toYamlPretty .r}}", "zone: z\nalias: \"\""),
        (
            "{{toYamlPretty (dict `a` (toDate `2006` `2020`) `b` `2020-01-01T00:00:00Z`)}}",
            "a: 2020-01-01T00:00:00Z\nb: \"2020-01-01T00:00:00Z\"",
        ),
        ("{{toToml .r}}", "Zone = \"z\"\nAlias = \"\"\n"),
        ("{{toPrettyJson .p}}", "{\n  \"zone\": \"z\"\n}"),
        ("{{toJson .nil}} {{toYamlPretty .nil}}", "null {}"),
        (
            "{{quote .bytes}}{{printf `%s` .bytes}}{{printf `%v` .bytes}}",
            "\"\"[]",
        ),
        (
            "{{toYamlPretty (dict `b` 1 `a` (list 1 `x`))}}",
            "a:\n  - 1\n  - x\nb: 1",
        ),
        (
            "{{toYamlPretty (list (float64 `NaN`) (float64 `+Inf`) (float64 `-Inf`))}}",
            "- .nan\n- .inf\n- -.inf",
        ),
    ] {
        assert_eq!(run(template).unwrap(), expected, "{template}");
    }
    for (template, expected) in [
        (
            "{{toYamlPretty 1i}}",
            "<toYamlPretty 1i>: error calling toYamlPretty: cannot marshal type: complex128",
        ),
        (
            "{{toYamlPretty (list 1i)}}",
            "error calling toYamlPretty: cannot marshal type: complex128",
        ),
    ] {
        let error = run(template).unwrap_err();
        assert!(error.ends_with(expected), "{error}");
    }
    let error = run("{{.r.hidden}}").unwrap_err();
    assert!(
        error.ends_with("<.r.hidden>: hidden is an unexported field of struct type interface {}"),
        "{error}"
    );
}

#[test]
fn nothing_is_no_toml() {
    for function in ["toToml", "mustToToml"] {
        let error = helm(&format!("{{{{{function} .x}}}}"), &json!({})).unwrap_err();
        assert!(
            error.ends_with("reflect: call of reflect.Value.Type on zero Value"),
            "{error}"
        );
    }
}

#[test]
fn toml_that_cannot_be_read_is_described_as_in_go() {
    for (text, expected) in [
        ("%", "line 1: expected '.' or '=', but got '%' instead"),
        ("a=1\n=2", "line 2: unexpected '=': key name appears blank"),
        (".a=1", "line 1: unexpected '.': keys cannot start with a '.'"),
        ("a.=1", "line 1: unexpected '='"),
        (
            "[]",
            "line 1: unexpected end of table name (table names cannot be empty)",
        ),
        (
            "[a..b]",
            "line 1: unexpected table separator (table names cannot be empty)",
        ),
        (
            "M==",
            "line 1 (last key \"M\"): expected value but found '=' instead",
        ),
        (
            "M=.5",
            "line 1 (last key \"M\"): floats must start with a digit, not '.'",
        ),
        ("M=+x", "line 1 (last key \"M\"): expected a digit but got 'x'"),
        (
            "M=maybe-not",
            "line 1 (last key \"M\"): expected value but found \"maybe\" instead",
        ),
        (
            "a=1 b",
            "line 1: expected a top-level item to end with a newline, comment, or EOF, but got 'b' instead",
        ),
        ("M=", "line 1 (last key \"M\"): unexpected EOF; expected value"),
        (
            "[t]\na.b=",
            "line 2 (last key \"t.a.b\"): unexpected EOF; expected value",
        ),
    ] {
        let out = helm("{{(fromToml .t).Error}}", &json!({"t": text})).unwrap();
        assert_eq!(out, format!("toml: {expected}"), "{text}");
    }
}

#[test]
fn a_text_too_short_to_decrypt_is_refused_as_in_go() {
    for (text, expected) in [
        ("ZQ==", "[:16] with capacity 3"),
        ("AAAAAAAAAAAAAAAAAAA=", "[:16] with capacity 15"),
        ("AAAA\nAAAAAAAAAAAAAAA=\n\n\n", "[16:14]"),
    ] {
        let error = helm("{{decryptAES \"k\" .t}}", &json!({"t": text})).unwrap_err();
        let expected = format!("runtime error: slice bounds out of range {expected}");
        assert!(error.ends_with(&expected), "{text}: {error}");
    }
}
