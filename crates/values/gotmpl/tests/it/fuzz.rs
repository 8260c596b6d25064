//! Nothing that is thrown at it makes it panic.

use proptest::prelude::*;
use weir_gotmpl::{Functions, Limits, MissingKey, Value};

use crate::generate::{Source, case};
use crate::support::run_with;

const LIMITS: Limits = Limits {
    output: 4 << 20,
    steps: 200_000,
    depth: 200,
    stack: 1 << 20,
};

fn run(template: &str, data: &serde_json::Value) {
    let run = run_with(
        Functions::helm(),
        MissingKey::Zero,
        template,
        &Value::from_json(data),
        &LIMITS,
    );
    drop(run);
}

#[test]
fn generated_templates_run() {
    for seed in 0..1500 {
        let case = case(seed);
        let missing_key = match case.missing_key {
            "error" => MissingKey::Error,
            "default" => MissingKey::Default,
            _ => MissingKey::Zero,
        };
        let functions = match case.functions {
            "slim" => Functions::slim(),
            "" => Functions::builtins(),
            _ => Functions::helm(),
        };
        let numbers = case.numbers;
        let data = Value::read_json(&case.data, &|number| match (numbers, number.as_i64()) {
            ("number", _) => Value::Number(number.to_string().into()),
            ("int", Some(number)) => Value::int(number),
            ("int64", Some(number)) => Value::int64(number),
            _ => Value::float(number.as_f64().unwrap()),
        });
        drop(run_with(functions, missing_key, &case.template, &data, &LIMITS));
    }
}

#[test]
fn pieces_of_templates_in_any_order_run() {
    for seed in 0..600 {
        let mut source = Source::new(seed);
        let text: Vec<char> = (0..4)
            .flat_map(|more| case(seed + more).template.chars().collect::<Vec<_>>())
            .collect();
        let mut mixed = String::new();
        for _ in 0..12 {
            let from = source.below(text.len());
            let to = (from + source.below(40)).min(text.len());
            mixed.extend(&text[from..to]);
        }
        run(&mixed, &case(seed).data);
    }
}

proptest! {
    #[test]
    fn any_text_parses_or_does_not(text in "\\PC{0,80}") {
        run(&format!("{{{{{text}"), &serde_json::Value::Null);
    }

    #[test]
    fn any_format_prints(format in "[ -~é%]{0,12}", number in any::<f64>(), text in "\\PC{0,8}") {
        let data = serde_json::json!({"n": number, "s": text, "f": format!("%{format}"), "l": [1, null, "x"]});
        run("{{printf .f .n}}{{printf .f .s}}{{printf .f .l .n}}{{printf .f (int .n)}}", &data);
    }

    #[test]
    fn any_text_goes_through_every_reader(text in "[ -~\\n]{0,60}") {
        let data = serde_json::json!({"s": text});
        run("{{fromYaml .s}}{{fromJson .s}}{{fromToml .s}}{{fromYamlArray .s}}{{fromJsonArray .s}}{{b64dec .s}}{{b32dec .s}}", &data);
        run("{{snakecase .s}}{{camelcase .s}}{{kebabcase .s}}{{wrap 5 .s}}{{abbrev 5 .s}}{{title .s}}{{swapcase .s}}{{initials .s}}", &data);
        run("{{toDate .s .s}}{{duration .s}}{{durationRound .s}}{{semver .s}}", &data);
        run("{{urlParse .s}}", &data);
        run("{{mustToDate \"2006-01-02T15:04:05.000Z07:00\" .s}}", &data);
        run("{{regexMatch .s .s}}{{regexQuoteMeta .s}}{{tpl .s .}}", &data);
    }
}
