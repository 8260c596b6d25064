//! Label selectors in their text form: `a=b,c!=d,e in (f, g),h,!i,j>1`.

use std::collections::BTreeSet;

/// A parsed label selector: all requirements must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelSelector(Vec<Requirement>);

/// A text that is no label selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("label selector `{text}` has an unreadable requirement `{part}`")]
pub struct InvalidLabelSelector {
    /// The whole text.
    pub text: String,
    /// The part that can't be read.
    pub part: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    In(BTreeSet<String>),
    NotIn(BTreeSet<String>),
    Exists,
    Absent,
    Greater(i64),
    Less(i64),
}

impl LabelSelector {
    /// Reads a selector. An empty text selects everything.
    pub fn parse(text: &str) -> Result<Self, InvalidLabelSelector> {
        let mut requirements = Vec::new();
        if text.trim().is_empty() {
            return Ok(Self(requirements));
        }
        for part in split(text) {
            let requirement = requirement(part.trim()).ok_or_else(|| InvalidLabelSelector {
                text: text.to_owned(),
                part: part.trim().to_owned(),
            })?;
            requirements.push(requirement);
        }
        Ok(Self(requirements))
    }

    /// Whether the selector holds; `value_of` gives a label's value.
    pub fn matches<'a>(&self, value_of: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.0.iter().all(|requirement| {
            let value = value_of(&requirement.key);
            let number = || value.and_then(|v| v.parse::<i64>().ok());
            match &requirement.test {
                Test::In(set) => value.is_some_and(|v| set.contains(v)),
                Test::NotIn(set) => value.is_none_or(|v| !set.contains(v)),
                Test::Exists => value.is_some(),
                Test::Absent => value.is_none(),
                Test::Greater(limit) => number().is_some_and(|n| n > *limit),
                Test::Less(limit) => number().is_some_and(|n| n < *limit),
            }
        })
    }
}

/// Splits at commas outside parentheses.
fn split(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    text.split(move |c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
    .collect()
}

fn requirement(part: &str) -> Option<Requirement> {
    let of = |key: &str, test| {
        let key = key.trim();
        is_key(key).then(|| Requirement {
            key: key.to_owned(),
            test,
        })
    };
    let one = |value: &str| {
        let value = value.trim();
        is_value(value).then(|| BTreeSet::from([value.to_owned()]))
    };
    if let Some((key, value)) = part.split_once("!=") {
        return of(key, Test::NotIn(one(value)?));
    }
    if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return of(key, Test::In(one(value)?));
    }
    if let Some((key, value)) = part.split_once('>') {
        return of(key, Test::Greater(value.trim().parse().ok()?));
    }
    if let Some((key, value)) = part.split_once('<') {
        return of(key, Test::Less(value.trim().parse().ok()?));
    }
    if let Some(key) = part.strip_prefix('!') {
        return of(key, Test::Absent);
    }
    let Some((head, set)) = part.split_once('(') else {
        return of(part, Test::Exists);
    };
    let values: Option<BTreeSet<String>> = set
        .strip_suffix(')')?
        .split(',')
        .map(|v| is_value(v.trim()).then(|| v.trim().to_owned()))
        .collect();
    let (key, operator) = head.trim().rsplit_once(char::is_whitespace)?;
    match operator {
        "in" => of(key, Test::In(values?)),
        "notin" => of(key, Test::NotIn(values?)),
        _ => None,
    }
}

/// `[prefix/]name`, both of the usual characters.
fn is_key(key: &str) -> bool {
    let name = match key.split_once('/') {
        Some((prefix, name))
            if !prefix.is_empty() && prefix.len() <= 253 && prefix.chars().all(is_label_char) =>
        {
            name
        }
        Some(_) => return false,
        None => key,
    };
    !name.is_empty() && is_value(name)
}

fn is_value(value: &str) -> bool {
    let edge = |c: Option<char>| c.is_none_or(|c| c.is_ascii_alphanumeric());
    value.len() <= 63
        && value.chars().all(is_label_char)
        && edge(value.chars().next())
        && edge(value.chars().next_back())
}

fn is_label_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_requirement_is_read() {
        let labels = |key: &str| match key {
            "a" => Some("b"),
            "x.y/n" => Some("5"),
            _ => None,
        };
        for (text, expected) in [
            ("a=b", true),
            ("a == b", true),
            ("a!=b", false),
            ("z!=b", true),
            ("a in (b, c)", true),
            ("a notin (b)", false),
            ("z notin (b)", true),
            ("a", true),
            ("!a", false),
            ("!z,a", true),
            ("x.y/n>4,x.y/n<6", true),
            ("", true),
        ] {
            assert_eq!(
                LabelSelector::parse(text).unwrap().matches(labels),
                expected,
                "{text}"
            );
        }
        for text in ["a in b", "a in (b", "=b", "a b", "a,,b", "a > b", "a/b/c", "a=-"] {
            assert!(LabelSelector::parse(text).is_err(), "{text}");
        }
    }
}
