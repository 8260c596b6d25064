//! Nothing that is thrown at it makes it panic. Generated templates are in `tests/differential`.

use proptest::prelude::*;
use weir_gotmpl::{Functions, Limits, MissingKey, Value};

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
