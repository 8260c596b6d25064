//! CEL expressions: what is refused, and what stays bounded.

use serde_json::{Map, Value, json};
use weir_plan::{EvaluationError, Expr, InvalidExpression};

fn data(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn holds(source: &str, value: Value) -> bool {
    Expr::parse(source).unwrap().evaluate_bool(&data(value)).unwrap()
}

#[test]
fn expressions_that_users_write_are_understood() {
    let object = json!({
        "metadata": {"generation": 3, "annotations": {"a/b": "2.1.0"}, "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"replicas": 3, "size": "2Gi", "hosts": ["b", "a"]},
        "status": {"observedGeneration": 3, "ratio": 0.5, "conditions": [
            {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:05Z"},
            {"type": "Synced", "status": "False", "reason": "Busy"},
        ]},
    });
    for source in [
        "status.conditions.filter(c, c.type == 'Ready').all(c, c.status == 'True')",
        "status.conditions.exists(c, c.type == 'Synced' && c.reason.startsWith('Bu'))",
        "has(status.observedGeneration) && status.observedGeneration == metadata.generation",
        "!has(status.phase) || status.phase == 'Up'",
        "spec.replicas + 1 == 4",
        "status.ratio < 1",
        "status.?phase.orValue('none') == 'none'",
        "status.?phase.?x.orValue('none') == 'none'",
        "status.?conditions[0].status.orValue('') == 'True'",
        "!has(status.?phase.x)",
        "spec.replicas == 3.0 && 3 > 2.5 && [1.0] == [1] && 1 != 1.5 && 'a' != 1",
        "quantity(spec.size).isGreaterThan(quantity('1Gi'))",
        "semver(metadata.annotations['a/b']).major() == 2",
        "spec.hosts.sort()[0] == 'a'",
        "timestamp(status.conditions[0].lastTransitionTime) - timestamp(metadata.creationTimestamp) == duration('5s')",
        "spec.hosts.map(h, h + '.x').join(',') == 'b.x,a.x'",
        "spec.hosts[0].matches('^[a-c]$') ? true : false",
        "base64.encode(b'bar') == 'YmFy'",
        "size(status.conditions) == 2 && 'a' in spec.hosts",
    ] {
        assert!(holds(source, object.clone()), "{source}");
    }
}

#[test]
fn a_field_of_what_is_no_map_is_an_error_and_not_false() {
    for source in [
        "spec.name.first == 1",
        "!spec.name.first",
        "spec.missing == false",
        "absent.x",
    ] {
        let result = Expr::parse(source)
            .unwrap()
            .evaluate_bool(&data(json!({"spec": {"name": "a"}})));
        assert!(result.is_err(), "{source}: {result:?}");
    }
}

#[test]
fn an_expression_says_which_fields_it_looks_at() {
    let paths = |source: &str| {
        let expression = Expr::parse(source).unwrap();
        let paths: Vec<String> = expression.paths().map(|path| path.join("/")).collect();
        paths
    };
    assert_eq!(
        paths("predicate.builder.id == 'a' && predicate['builder']['version'][0] == subject[1].name"),
        [
            "predicate/builder/id",
            "predicate/builder/version/0",
            "subject/1/name"
        ]
    );
    // Inside a macro the item has no place of its own; the list has.
    assert_eq!(
        paths("!predicate.statements.exists(s, s.status == predicate.worst)"),
        ["predicate/statements", "predicate/worst"]
    );
    assert_eq!(
        paths("has(a.b) && a.?c.orValue('') != '' && size(a) > d[a.key]"),
        ["a/b", "a/c", "a/key", "d"]
    );
    assert!(paths("true").is_empty());
}

#[test]
fn names_are_checked_when_an_expression_is_read() {
    let two = ["self", "dep"];
    assert!(Expr::compile("dep.status.ready && self.spec.x == 'a'", &two).is_ok());
    assert!(Expr::compile("dep.status.conditions.exists(c, c.status == 'True')", &two).is_ok());
    assert!(matches!(
        Expr::compile("other.status.ready", &two),
        Err(InvalidExpression::UnknownVariable { name, .. }) if name == "other"
    ));
    assert!(matches!(
        Expr::compile("dep.items.exists(c, d.x)", &two),
        Err(InvalidExpression::UnknownVariable { name, .. }) if name == "d"
    ));
    assert!(matches!(
        Expr::parse("status.isReady()"),
        Err(InvalidExpression::UnknownFunction { name, .. }) if name == "isReady"
    ));
    for source in ["'text'", "1", "[true]", "size('a')", "{'a': true}"] {
        assert!(
            matches!(
                Expr::compile(source, &two),
                Err(InvalidExpression::NotBoolean { .. })
            ),
            "{source}"
        );
    }
}

#[test]
fn texts_that_are_no_expressions_are_refused_without_a_panic() {
    for source in [
        "",
        " ",
        "foo.",
        "(",
        "a ? b",
        "'open",
        "a b",
        "{1}",
        "\u{0}",
        "é",
        "Foo{a: 1}",
        "[?a]",
        "a[",
        "..",
        "@result",
    ] {
        let _refused_or_not = Expr::parse(source).is_err();
    }
    assert!(Expr::parse("").is_err());
    assert!(Expr::parse("Foo{a: 1}").is_err());
}

#[test]
fn n16_expressions_that_are_too_long_or_nest_too_deeply_are_refused() {
    assert!(matches!(
        Expr::parse(&format!("'{}' == ''", "x".repeat(5000))),
        Err(InvalidExpression::TooLong { .. })
    ));
    for source in [
        format!("{}true{}", "(".repeat(1000), ")".repeat(1000)),
        format!("{}true", "!".repeat(2000)),
        format!("a{}", ".a".repeat(1900)),
        format!("1{}", "+1".repeat(1900)),
        format!("true{}", "?true:true".repeat(400)),
        format!("{}{}", "[".repeat(2000), "]".repeat(2000)),
        format!("{}1", "-".repeat(2000)),
        // As deep as the check before the parser lets pass.
        format!("a{}", "[a".repeat(999)),
        format!("a{}", ".a".repeat(999)),
        format!("1{}", "+1".repeat(999)),
        format!("{}true", "true?".repeat(999)),
        format!("{}true", "true?true:".repeat(999)),
        format!("{}true", "{1:".repeat(999)),
        format!("{}true", "size(".repeat(999)),
        format!("{}true", "-(".repeat(499)),
        "(".repeat(999),
        format!("{}true{}", "(".repeat(999), ")".repeat(999)),
        format!("{}1{}", "[".repeat(999), "]".repeat(999)),
    ] {
        assert!(Expr::parse(&source).is_err(), "{}", &source[..20]);
    }
}

#[test]
fn n16_whatever_is_accepted_can_be_evaluated_on_a_small_stack() {
    let mut accepted = 0;
    for n in [5, 10, 15, 20, 25, 28, 29, 30, 31, 60, 90] {
        for source in [
            format!("{}1{} == 1", "1+(".repeat(n), ")".repeat(n)),
            format!("1{} == 1", "+1".repeat(n)),
            format!("a{} == 1", ".a".repeat(n)),
            format!("a{} == 1", "[0]".repeat(n)),
            format!("{}true{}", "true?(".repeat(n), "):false".repeat(n)),
            format!("{}1{} == 1", "[".repeat(n), "]".repeat(n)),
            format!("{}1{} == 1", "size([".repeat(n), "])".repeat(n)),
            format!("{}true{}", "[1].all(x, ".repeat(n), ")".repeat(n)),
            format!("'a'{} == ''", ".trim()".repeat(n)),
            format!("true{}", " && true".repeat(n)),
        ] {
            if let Ok(expr) = Expr::parse(&source) {
                accepted += 1;
                let _result = expr.evaluate_bool(&data(json!({"a": {"a": 1}})));
            }
        }
    }
    assert!(accepted > 20, "{accepted}");
}

#[test]
fn n16_patterns_are_checked_when_the_expression_is_read() {
    for pattern in ["(", "(((a{1,100}){1,100}){1,100}){1,100}"] {
        for source in [
            format!("a.matches('{pattern}')"),
            format!("matches(a, '{pattern}')"),
        ] {
            assert!(Expr::parse(&source).is_err(), "{source}");
        }
    }
    let texts = json!({"a": vec!["x"; 1000]});
    let result = Expr::parse("a.all(x, x.matches(x))")
        .unwrap()
        .evaluate_bool(&data(texts.clone()));
    assert!(
        matches!(result, Err(EvaluationError::TooCostly { .. })),
        "{result:?}"
    );
    assert!(holds("a.filter(x, x == 'x').size() == 1000", texts));
    assert!(holds("a.all(x, x.matches('^x$'))", json!({"a": vec!["x"; 100]})));
}

#[test]
fn n16_work_that_multiplies_is_not_started() {
    let many = json!({"spec": {"items": vec!["x".repeat(20); 2000]}});
    for source in [
        "spec.items.all(a, spec.items.all(b, spec.items.all(c, a == b && b == c)))",
        "spec.items.map(a, spec.items.map(b, spec.items)).size() > 0",
        "spec.items.map(a, spec.items.join(a)).size() > 0",
        "lists.range(1000000000).size() > 0",
        "lists.range(spec.items.size()).size() > 0",
    ] {
        let result = Expr::parse(source).unwrap().evaluate_bool(&data(many.clone()));
        assert!(
            matches!(result, Err(EvaluationError::TooCostly { .. })),
            "{source}: {result:?}"
        );
    }
    let doubling = format!(
        "['aaaaaaaaaaaaaaaa']{}.size() == 1",
        ".map(x, x + x + x + x)".repeat(12)
    );
    let result = Expr::parse(&doubling).unwrap().evaluate_bool(&Map::new());
    assert!(
        matches!(result, Err(EvaluationError::TooCostly { .. })),
        "{result:?}"
    );
    assert!(holds("spec.items.all(a, a.size() == 20)", many));
}

#[test]
fn n56_errors_repeat_no_value_of_the_data() {
    let secret = json!({"data": {"password": "correct-horse", "n": 7, "list": ["correct-horse"]}});
    for source in [
        "data.password + 1 == 2",
        "data.password.missing == 1",
        "data.password[0] == 'c'",
        "duration(data.password) == duration('1s')",
        "timestamp(data.password) == timestamp(data.password)",
        "int(data.password) == 1",
        "data.list[data.password] == 1",
        "quantity(data.password).isGreaterThan(quantity('1'))",
        "semver(data.password).major() == 1",
        "-data.password == 1",
        "data.password < data.n",
        "data.n.startsWith(data.password)",
        "data[data.password] == 1",
        "data.password",
        "'x'.matches(data.password + '(')",
        "url(data.password).getHost() == 'a'",
        "{data.list: 1}.size() == 1",
    ] {
        if let Err(error) = Expr::parse(source).unwrap().evaluate_bool(&data(secret.clone())) {
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("correct-horse"), "{shown}");
        }
    }
}
