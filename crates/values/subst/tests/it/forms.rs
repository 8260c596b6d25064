//! The forms, compared with recorded answers of the Go library, and what weir adds.

use proptest::prelude::*;
use serde_json::Value;
use weir_subst::{MAX_DEPTH, Mode, Problem, Template, Variables, substitute};

fn variables(pairs: &[(&str, &str)]) -> Variables {
    let mut variables = Variables::default();
    for (name, value) in pairs {
        variables.set(*name, value).unwrap();
    }
    variables
}

#[track_caller]
fn located(text: &str, mode: Mode, message: &str) {
    let error = substitute(text, &Variables::default(), mode).unwrap_err();
    assert_eq!(error.to_string(), message);
}

#[test]
fn n19_every_recorded_answer_of_the_go_library_holds() {
    let cases: Value = serde_json::from_str(include_str!("../cases/reference.json")).unwrap();
    let mut variables = Variables::default();
    for (name, value) in cases["variables"].as_object().unwrap() {
        variables.set(name, value.as_str().unwrap()).unwrap();
    }
    let rows = cases["rows"].as_array().unwrap();
    let mut failed = Vec::new();
    for row in rows {
        let input = row["input"].as_str().unwrap();
        let expected = row["output"].as_str().unwrap_or_default();
        let holds = match (
            substitute(input, &variables, Mode::Lenient),
            row["error"].as_str(),
        ) {
            (Ok(output), None) => output == expected,
            (Err(error), Some(message)) => error.to_string().starts_with(message),
            // Upstream writes half a character there, which no YAML parser takes.
            (Err(error), None) => error.problem == Problem::CutsCharacter && expected.contains('\u{fffd}'),
            (Ok(_), Some(_)) => false,
        };
        if !holds {
            failed.push(format!(
                "{row}\n  {:?}",
                substitute(input, &variables, Mode::Lenient)
            ));
        }
    }
    println!(
        "{} of {} recorded answers hold",
        rows.len() - failed.len(),
        rows.len()
    );
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn n19_values_are_inserted_once_and_not_read_again() {
    let variables = variables(&[("a", "${b}"), ("b", "secret"), ("c", "x\n  y: z")]);
    assert_eq!(
        substitute("${a} ${c}", &variables, Mode::Strict).unwrap(),
        "${b} x  y: z"
    );
}

#[test]
fn errors_say_where_and_which_variable() {
    located(
        "a: 1\n  é: ${{ x }}",
        Mode::Lenient,
        "unable to parse variable name at line 2, column 6",
    );
    located(
        "${a-b}",
        Mode::Lenient,
        "missing closing brace at line 1, column 1, in the expression of \"a\"",
    );
    located(
        "${a:=x${b#}\n",
        Mode::Lenient,
        "unable to parse substitution within function at line 1, column 7, in the expression of \"b\"",
    );
    located(
        "ok\n\nx ${b}",
        Mode::Strict,
        "variable not set (strict mode): \"b\" at line 3, column 3",
    );
    located(
        "${a:=${b}}",
        Mode::Strict,
        "variable not set (strict mode): \"b\" at line 1, column 6",
    );
}

#[test]
fn strict_mode_takes_defaults_and_empty_values() {
    let variables = variables(&[("empty", "")]);
    assert_eq!(
        substitute("[${empty}${x:-d}${y=e}]", &variables, Mode::Strict).unwrap(),
        "[de]"
    );
}

#[test]
fn the_names_used_are_listed() {
    let template = Template::parse("${a} ${b:=${c}} ${a^} $${d}").unwrap();
    assert_eq!(template.variables(), ["a", "b", "c"]);
}

#[test]
fn n16_nesting_is_limited() {
    let nested = |depth: usize| format!("{}x{}", "${a:=".repeat(depth), "}".repeat(depth));
    assert_eq!(
        substitute(&nested(MAX_DEPTH), &Variables::default(), Mode::Strict).unwrap(),
        "x"
    );
    let error = substitute(&nested(MAX_DEPTH + 1), &Variables::default(), Mode::Strict).unwrap_err();
    assert_eq!(error.problem, Problem::TooDeep);
}

#[test]
fn n16_output_is_limited() {
    let variables = variables(&[("a", &"a".repeat(10_000))]);
    let error = substitute("${a//a/${a}}", &variables, Mode::Lenient).unwrap_err();
    assert_eq!(error.problem, Problem::TooLong);
    let error = substitute(&"${a}".repeat(4_000), &variables, Mode::Lenient).unwrap_err();
    assert_eq!(error.problem, Problem::TooLong);
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(19),
        ..ProptestConfig::default()
    })]

    #[test]
    fn text_without_dollar_brace_changes_only_in_double_dollars(text in "[^$]{0,40}") {
        let output = substitute(&text, &Variables::default(), Mode::Strict).unwrap();
        prop_assert_eq!(output, text);
    }

    #[test]
    fn no_input_panics(text in "([$]|[{]|[}]|[ave:=/#%^,*?\\\\\\[\\]é1-]){0,24}", value in "[a-zé*/]{0,12}") {
        let variables = variables(&[("a", &value), ("v", &value), ("e", "")]);
        drop(substitute(&text, &variables, Mode::Lenient));
    }
}
