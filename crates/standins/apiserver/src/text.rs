//! Texts as Go prints them.

/// A value as Go's `%v` prints decoded JSON: texts bare, lists and maps in brackets.
pub(crate) fn go_plain(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(go_plain).collect::<Vec<_>>().join(" ")),
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{name}:{}", go_plain(value)))
                .collect();
            format!("map[{}]", fields.join(" "))
        }
        other => other.to_string(),
    }
}

/// A slice of strings as `%#v` prints it: `[]string{"a", "b"}`.
pub(crate) fn go_strings<T: AsRef<str>>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(|item| format!("{:?}", item.as_ref())).collect();
    format!("[]string{{{}}}", items.join(", "))
}

/// A value as validation messages show it: compact JSON with sorted keys.
pub(crate) fn go_json(value: &serde_json::Value) -> String {
    value.to_string()
}
