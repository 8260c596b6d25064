//! Go's messages, checked against Go.

use serde_json::json;

use crate::support::helm;

#[test]
fn messages_name_what_is_wrong() {
    let data = json!({"a": {"s": "x", "n": 1.5}, "l": [1.0, null]});
    for (template, message) in [
        (
            "{{.a.b.c}}",
            "x:1:4: executing \"x\" at <.a.b.c>: nil pointer evaluating interface {}.c",
        ),
        (
            "{{.a.s.c}}",
            "x:1:4: executing \"x\" at <.a.s.c>: can't evaluate field c in type interface {}",
        ),
        (
            "{{$x := .a.s}}\n {{$x.c}}",
            "x:2:5: executing \"x\" at <$x.c>: can't evaluate field c in type string",
        ),
        (
            "{{upper .a.n}}",
            "x:1:10: executing \"x\" at <.a.n>: wrong type for value; expected string; got float64",
        ),
        (
            "{{upper .a.none}}",
            "x:1:10: executing \"x\" at <.a.none>: wrong type for value; expected string; got interface {}",
        ),
        (
            "{{upper 1}}",
            "x:1:8: executing \"x\" at <1>: expected string; found 1",
        ),
        (
            "{{repeat \"x\" 1}}",
            "x:1:9: executing \"x\" at <\"x\">: expected integer; found \"x\"",
        ),
        (
            "{{trim}}",
            "x:1:2: executing \"x\" at <trim>: wrong number of args for trim: want 1 got 0",
        ),
        (
            "{{eq 1 1.5}}",
            "error calling eq: incompatible types for comparison: int and float64",
        ),
        (
            "{{eq .a .a}}",
            "error calling eq: non-comparable type map[n:%!s(float64=1.5) s:x]: map[string]interface {}",
        ),
        ("{{range .a.s}}{{end}}", "range can't iterate over x"),
        (
            "{{template \"y\"}}",
            "x:1:11: executing \"x\" at <{{template \"y\"}}>: template \"y\" not defined",
        ),
        (
            "{{include \"y\" .}}",
            "error calling include: template: no template \"y\" associated with template \"gotpl\"",
        ),
        ("{{index .l 5}}", "error calling index: index out of range: 5"),
        (
            "{{index .l 2}}",
            "error calling index: reflect: slice index out of range",
        ),
        (
            "{{div 1 0}}",
            "error calling div: runtime error: integer divide by zero",
        ),
        (
            "{{first .none}}",
            "error calling first: runtime error: invalid memory address or nil pointer dereference",
        ),
        (
            "{{substr 3 1 \"hello\"}}",
            "error calling substr: runtime error: slice bounds out of range [3:1]",
        ),
        (
            "{{regexFind \"a[\" \"\"}}",
            "error calling regexFind: regexp: Compile(`a[`): error parsing regexp: missing closing ]: `[`",
        ),
        (
            "{{semverCompare \"foo\" \"1.0\"}}",
            "error calling semverCompare: improper constraint: \"foo\"",
        ),
    ] {
        let error = helm(template, &data).unwrap_err();
        assert!(error.contains(message), "{template}:\n{error}\n{message}");
    }
}
