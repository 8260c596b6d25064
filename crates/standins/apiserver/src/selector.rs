//! Label and field selectors.

use serde_json::Value;

use crate::object;

/// One requirement on a label or field.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
    Greater(String, i64),
    Less(String, i64),
}

/// A conjunction of requirements; the empty one selects everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Selector {
    requirements: Vec<Requirement>,
}

impl Selector {
    pub(crate) fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// Reads a label selector: `a=b,c!=d,e in (f,g),!h`.
    pub(crate) fn labels(text: &str) -> Result<Self, String> {
        let mut requirements = Vec::new();
        for part in split_outside_parentheses(text) {
            let part = part.trim();
            if part.is_empty() {
                continue;
            }
            requirements.push(read_requirement(part).ok_or_else(|| {
                let mut words = part.split_whitespace().skip(1);
                match (words.next(), words.next()) {
                    (Some("in" | "notin"), Some(found)) => {
                        format!("unable to parse requirement: found '{found}' expected: '('")
                    }
                    (found, _) => format!(
                        "unable to parse requirement: found '{}', expected: in, notin, =, ==, !=, gt, lt",
                        found.unwrap_or(part)
                    ),
                }
            })?);
        }
        Ok(Self { requirements })
    }

    /// Reads a field selector: `metadata.name=a,status.phase!=Running`.
    pub(crate) fn fields(text: &str) -> Result<Self, String> {
        let mut requirements = Vec::new();
        for part in text.split(',').filter(|part| !part.trim().is_empty()) {
            let (name, value, equal) = if let Some((name, value)) = part.split_once("!=") {
                (name, value, false)
            } else if let Some((name, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
                (name, value, true)
            } else {
                return Err(format!("invalid selector: '{text}'; can't understand '{part}'"));
            };
            let (name, values) = (name.trim().to_owned(), vec![value.trim().to_owned()]);
            requirements.push(if equal {
                Requirement::In(name, values)
            } else {
                Requirement::NotIn(name, values)
            });
        }
        Ok(Self { requirements })
    }

    /// Reads a `LabelSelector` object.
    pub(crate) fn from_label_selector(selector: &Value) -> Self {
        let mut requirements = Vec::new();
        for (name, value) in object::at(selector, &["matchLabels"])
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            requirements.push(Requirement::In(
                name.clone(),
                vec![value.as_str().unwrap_or_default().to_owned()],
            ));
        }
        for expression in object::list(selector, &["matchExpressions"]) {
            let name = object::text(expression, &["key"]).to_owned();
            let values: Vec<String> = object::list(expression, &["values"])
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect();
            requirements.push(match object::text(expression, &["operator"]) {
                "In" => Requirement::In(name, values),
                "NotIn" => Requirement::NotIn(name, values),
                "DoesNotExist" => Requirement::Absent(name),
                _ => Requirement::Exists(name),
            });
        }
        Self { requirements }
    }

    /// The names a field selector asks for.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.requirements.iter().map(|requirement| match requirement {
            Requirement::In(name, _)
            | Requirement::NotIn(name, _)
            | Requirement::Exists(name)
            | Requirement::Absent(name)
            | Requirement::Greater(name, _)
            | Requirement::Less(name, _) => name.as_str(),
        })
    }

    /// Whether all requirements hold for values that `get` knows.
    pub(crate) fn matches<'v>(&self, get: impl Fn(&str) -> Option<&'v str>) -> bool {
        self.requirements.iter().all(|requirement| match requirement {
            Requirement::In(name, values) => {
                get(name).is_some_and(|value| values.iter().any(|one| one == value))
            }
            Requirement::NotIn(name, values) => {
                get(name).is_none_or(|value| values.iter().all(|one| one != value))
            }
            Requirement::Exists(name) => get(name).is_some(),
            Requirement::Absent(name) => get(name).is_none(),
            Requirement::Greater(name, limit) => number(get(name)).is_some_and(|value| value > *limit),
            Requirement::Less(name, limit) => number(get(name)).is_some_and(|value| value < *limit),
        })
    }

    /// Whether an object's labels satisfy the selector.
    pub(crate) fn matches_labels(&self, object: &Value) -> bool {
        let labels = object::at(object, &["metadata", "labels"]);
        self.matches(|name| labels.and_then(|labels| labels.get(name)).and_then(Value::as_str))
    }

    /// Whether an object's fields satisfy the selector. A field that is absent counts as empty.
    pub(crate) fn matches_fields(&self, object: &Value) -> bool {
        self.requirements.iter().all(|requirement| match requirement {
            Requirement::In(name, values) => values.contains(&field(object, name)),
            Requirement::NotIn(name, values) => !values.contains(&field(object, name)),
            _ => true,
        })
    }
}

/// The text of a field that a selector may name.
fn field(object: &Value, name: &str) -> String {
    // Events name their reporter in one of two fields.
    if name == "reportingComponent" || name == "source" {
        let reporter = object::text(object, &["reportingComponent"]);
        return if reporter.is_empty() {
            object::text(object, &["source", "component"])
        } else {
            reporter
        }
        .to_owned();
    }
    let path: Vec<&str> = name.trim_start_matches('.').split('.').collect();
    match object::at(object, &path) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Bool(flag)) => flag.to_string(),
        _ => match name {
            "spec.unschedulable" | "spec.hostNetwork" => "false".to_owned(),
            "status.successful" | "status.replicas" => "0".to_owned(),
            _ => String::new(),
        },
    }
}

fn number(text: Option<&str>) -> Option<i64> {
    text.and_then(|text| text.parse().ok())
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let (mut depth, mut start) = (0_u32, 0);
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                out.extend(text.get(start..index));
                start = index + 1;
            }
            _ => {}
        }
    }
    out.extend(text.get(start..));
    out
}

fn read_requirement(part: &str) -> Option<Requirement> {
    if let Some(name) = part.strip_prefix('!') {
        return is_key(name.trim()).then(|| Requirement::Absent(name.trim().to_owned()));
    }
    if let Some((name, values)) = part.strip_suffix(')').and_then(|part| part.split_once('(')) {
        let values: Vec<String> = values.split(',').map(|value| value.trim().to_owned()).collect();
        let mut words = name.split_whitespace();
        return match (words.next(), words.next(), words.next()) {
            (Some(name), Some("in"), None) => Some(Requirement::In(name.to_owned(), values)),
            (Some(name), Some("notin"), None) => Some(Requirement::NotIn(name.to_owned(), values)),
            _ => None,
        };
    }
    if let Some((name, value)) = part.split_once("!=") {
        return binary(name, value, Requirement::NotIn);
    }
    if let Some((name, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return binary(name, value, Requirement::In);
    }
    if let Some((name, value)) = part.split_once('>') {
        return Some(Requirement::Greater(
            name.trim().to_owned(),
            value.trim().parse().ok()?,
        ));
    }
    if let Some((name, value)) = part.split_once('<') {
        return Some(Requirement::Less(
            name.trim().to_owned(),
            value.trim().parse().ok()?,
        ));
    }
    is_key(part).then(|| Requirement::Exists(part.to_owned()))
}

fn binary(name: &str, value: &str, make: fn(String, Vec<String>) -> Requirement) -> Option<Requirement> {
    let (name, value) = (name.trim(), value.trim());
    let fits = is_key(name) && crate::validation::is_label_value(value);
    fits.then(|| make(name.to_owned(), vec![value.to_owned()]))
}

fn is_key(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Selector;

    fn check(selector: &str, expected: bool) {
        let object = json!({"metadata": {"labels": {"app": "web", "tier": "front", "n": "5"}}});
        let selector = Selector::labels(selector).expect("readable");
        assert_eq!(selector.matches_labels(&object), expected, "{selector:?}");
    }

    #[test]
    fn labels_are_selected_by_every_operator() {
        check("", true);
        check("app=web", true);
        check("app==web,tier!=back", true);
        check("app=other", false);
        check("app in (a, web)", true);
        check("app notin (a,web)", false);
        check("missing notin (a)", true);
        check("app,!missing", true);
        check("!app", false);
        check("n>4,n<6", true);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["a in b", "=", "((", "a=b=c in (", "!"] {
            assert!(Selector::labels(text).is_err(), "{text}");
        }
        assert!(Selector::fields("nothing").is_err());
    }

    #[test]
    fn absent_fields_count_as_empty() {
        let object = json!({"metadata": {"name": "a"}});
        assert!(
            Selector::fields("metadata.name=a,status.phase=")
                .expect("readable")
                .matches_fields(&object)
        );
        assert!(
            !Selector::fields("metadata.name!=a")
                .expect("readable")
                .matches_fields(&object)
        );
    }
}
