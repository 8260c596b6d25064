//! What templates must not reach.

use serde_json::json;
use weir_gotmpl::{Functions, Limits, MissingKey, NoHost, Options, Set, Value, families};

use crate::support::{helm, run_with};

#[test]
fn n14_neither_environment_nor_network_can_be_reached() {
    for template in [
        "{{env \"HOME\"}}",
        "{{expandenv \"$HOME\"}}",
        "{{getHostByName \"example.com\"}}",
    ] {
        let functions = Functions::builtins().with(families::SPRIG);
        let error = run_with(
            functions,
            MissingKey::Zero,
            template,
            &Value::Nil,
            &Limits::default(),
        )
        .unwrap_err();
        assert!(error.contains("out of reach"), "{error}");
    }
}

#[test]
fn n14_helm_has_no_env_and_looks_no_name_up() {
    assert!(
        helm("{{env \"HOME\"}}", &json!({}))
            .unwrap_err()
            .contains("function \"env\" not defined")
    );
    assert!(
        helm("{{expandenv \"\"}}", &json!({}))
            .unwrap_err()
            .contains("function \"expandenv\" not defined")
    );
    assert_eq!(
        helm("[{{getHostByName \"example.com\"}}]", &json!({})).unwrap(),
        "[]"
    );
    assert_eq!(
        helm("{{lookup \"v1\" \"Secret\" \"\" \"\"}}", &json!({})).unwrap(),
        "map[]"
    );
}

#[test]
fn n14_flux_has_what_is_hermetic_only() {
    let functions = Functions::flux();
    for name in [
        "env",
        "expandenv",
        "getHostByName",
        "now",
        "date",
        "htmlDate",
        "uuidv4",
        "randAlphaNum",
        "genCA",
        "tpl",
        "include",
        "lookup",
    ] {
        assert!(!functions.contains(name), "{name}");
    }
    for name in [
        "slugify",
        "toYaml",
        "mustToYaml",
        "regexMatch",
        "randInt",
        "ago",
        "slice",
        "dig",
        "urlParse",
    ] {
        assert!(functions.contains(name), "{name}");
    }
}

#[test]
fn without_a_host_there_is_no_chance_and_no_time() {
    for template in [
        "{{randAlpha 3}}",
        "{{now}}",
        "{{uuidv4}}",
        "{{bcrypt \"x\"}}",
        "{{genPrivateKey \"rsa\"}}",
        "{{genCA \"x\" 1}}",
    ] {
        let mut set = Set::new(std::sync::Arc::new(Functions::helm()), Options::default());
        set.parse("x", template).unwrap();
        let error = set
            .execute("x", &Value::Nil, &mut NoHost, &Limits::default())
            .unwrap_err();
        assert!(error.to_string().contains(": no "), "{error}");
    }
}
