//! Many texts at once, on two threads.

use std::fmt::Write as _;
use std::sync::Arc;

use weir_gotmpl::{Functions, Limits, NoHost, Options, Set, Value};

fn empty() -> Set {
    Set::new(Arc::new(Functions::helm()), Options::default())
}

/// Texts of some 300 KiB together, of which several define the same template.
fn texts() -> Vec<(String, String)> {
    (0..30)
        .map(|number| {
            let mut text = format!("{{{{define \"shared\"}}}}{number}{{{{end}}}}");
            while text.len() < 10 << 10 {
                let _ = writeln!(
                    text,
                    "{{{{ printf \"%d {number}\" 7 | quote }}}}{{{{template \"shared\"}}}}"
                );
            }
            (format!("file-{number}"), text)
        })
        .collect()
}

fn shared(texts: &[(String, String)]) -> Vec<(&str, Arc<String>)> {
    texts
        .iter()
        .map(|(name, text)| (name.as_str(), Arc::new(text.clone())))
        .collect()
}

#[test]
fn many_texts_are_parsed_as_one_after_the_other() {
    let texts = texts();
    let mut at_once = empty();
    at_once.parse_all(&shared(&texts)).unwrap();
    let mut in_turn = empty();
    for (name, text) in &texts {
        in_turn.parse(name, text).unwrap();
    }
    assert_eq!(at_once.names(), in_turn.names());
    for name in at_once.names() {
        let run = |set: &Set| {
            set.execute(&name, &Value::Nil, &mut NoHost, &Limits::default())
                .unwrap()
                .to_string()
        };
        assert_eq!(run(&at_once), run(&in_turn), "{name}");
    }
}

#[test]
fn of_many_texts_the_first_that_is_no_template_is_named() {
    for broken in [&[3, 28][..], &[28], &[20, 28]] {
        let mut texts = texts();
        for at in broken {
            texts[*at].1.push_str("\n{{ nothing }}");
        }
        let mut set = empty();
        let error = set.parse_all(&shared(&texts)).unwrap_err();
        assert_eq!(error.name, format!("file-{}", broken[0]), "{error}");
        assert!(
            error.message.contains("function \"nothing\" not defined"),
            "{error}"
        );
        assert!(set.names().is_empty(), "the set is as before");
    }
}
