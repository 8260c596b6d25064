//! Chart.yaml.

use std::cell::LazyCell;
use std::collections::BTreeMap;

use weir_re2::Pattern;
use weir_semver::Version;
use weir_yaml::Node;

use super::decode::{self, Fields};
use super::dependency::Dependency;
use super::json::METADATA;

/// The first chart format: dependencies stand in requirements.yaml.
pub const API_V1: &str = "v1";
/// The second: dependencies stand in Chart.yaml.
pub const API_V2: &str = "v2";

/// Somebody who maintains a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Maintainer {
    /// Name of a person or an organisation.
    pub name: String,
    /// Address to write to.
    pub email: String,
    /// Address to look at.
    pub url: String,
}

/// What Chart.yaml says. Fields are named as there; the empty text stands for an absent field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Name of the chart.
    pub name: String,
    /// Address of the project.
    pub home: String,
    /// Addresses of its sources.
    pub sources: Vec<String>,
    /// Version of the chart, a semantic version that may start with `v`.
    pub version: String,
    /// One sentence.
    pub description: String,
    /// For searches.
    pub keywords: Vec<String>,
    /// Who maintains it.
    pub maintainers: Vec<Option<Maintainer>>,
    /// Address of an image.
    pub icon: String,
    /// `v1` or `v2`.
    pub api_version: String,
    /// Kept, without effect.
    pub condition: String,
    /// Kept, without effect.
    pub tags: String,
    /// Version of what the chart installs.
    pub app_version: String,
    /// Whether it should no longer be used.
    pub deprecated: bool,
    /// For other programs.
    pub annotations: BTreeMap<String, String>,
    /// Which Kubernetes versions it needs.
    pub kube_version: String,
    /// The charts it needs.
    pub dependencies: Vec<Option<Dependency>>,
    /// `application`, `library` or empty, which is the former.
    pub kind: String,
}

impl Maintainer {
    /// Reads a mapping over what is there already.
    fn read(&mut self, node: &Node, place: &str) -> Result<(), String> {
        Fields::of(node, place, "v2.Maintainer")?;
        // Go names the innermost type, and the way from the outermost.
        let fields = Fields::of(node, "Maintainer.maintainers", "v2.Maintainer")?;
        for (name, target) in [
            ("email", &mut self.email),
            ("name", &mut self.name),
            ("url", &mut self.url),
        ] {
            replace(&fields, name, target)?;
        }
        Ok(())
    }
}

impl Metadata {
    /// Reads a Chart.yaml. Nothing is validated.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut metadata = Self::default();
        metadata.merge(text)?;
        Ok(metadata)
    }

    /// Reads a text over what is there already: fields that it does not name stay.
    pub(crate) fn merge(&mut self, text: &str) -> Result<(), String> {
        match decode::document(text)? {
            Some(node) => self.merge_node(&node),
            None => Ok(()),
        }
    }

    /// Reads a mapping over what is there already.
    pub(crate) fn merge_node(&mut self, node: &Node) -> Result<(), String> {
        METADATA.check(node)?;
        let fields = Fields::of(node, "Metadata", "v2.Metadata")?;
        // In the order of names: of several mistakes Go reports the first one so.
        fields.text_map_over("annotations", &mut self.annotations)?;
        for (name, target) in [
            ("apiVersion", &mut self.api_version),
            ("appVersion", &mut self.app_version),
            ("condition", &mut self.condition),
        ] {
            replace(&fields, name, target)?;
        }
        fields.list_over(
            "dependencies",
            "[]*v2.Dependency",
            &mut self.dependencies,
            Dependency::read,
        )?;
        if fields.has("deprecated") {
            self.deprecated = fields.flag("deprecated")?;
        }
        for (name, target) in [
            ("description", &mut self.description),
            ("home", &mut self.home),
            ("icon", &mut self.icon),
        ] {
            replace(&fields, name, target)?;
        }
        fields.texts_over("keywords", &mut self.keywords)?;
        replace(&fields, "kubeVersion", &mut self.kube_version)?;
        fields.list_over(
            "maintainers",
            "[]*v2.Maintainer",
            &mut self.maintainers,
            Maintainer::read,
        )?;
        replace(&fields, "name", &mut self.name)?;
        fields.texts_over("sources", &mut self.sources)?;
        for (name, target) in [
            ("tags", &mut self.tags),
            ("type", &mut self.kind),
            ("version", &mut self.version),
        ] {
            replace(&fields, name, target)?;
        }
        Ok(())
    }

    /// As YAML: the fields that Helm knows, by name, without those that are empty.
    pub fn to_yaml(&self) -> String {
        let mut json = String::new();
        crate::release::metadata(self, &mut json);
        let value = serde_json::from_str(&json).unwrap_or_default();
        weir_yaml::emit::sigs(&value)
    }

    /// Whether the chart only lends templates to others.
    pub fn is_library(&self) -> bool {
        self.kind.eq_ignore_ascii_case("library")
    }

    /// Checks what Helm checks, and cleans texts of characters that cannot be printed (N07: a name with a slash, `.`
    /// and `..` are refused).
    pub(crate) fn validate(&mut self) -> Result<(), String> {
        for text in [
            &mut self.name,
            &mut self.description,
            &mut self.home,
            &mut self.icon,
            &mut self.condition,
            &mut self.tags,
            &mut self.app_version,
            &mut self.kube_version,
        ]
        .into_iter()
        .chain(&mut self.sources)
        .chain(&mut self.keywords)
        {
            sanitize(text);
        }
        if self.api_version.is_empty() {
            return Err("chart.metadata.apiVersion is required".into());
        }
        if self.name.is_empty() {
            return Err("chart.metadata.name is required".into());
        }
        if self.name == "." || self.name == ".." {
            return Err(format!("chart.metadata.name {:?} is not allowed", self.name));
        }
        if self.name.contains('/') {
            return Err(format!("chart.metadata.name {:?} is invalid", self.name));
        }
        if self.version.is_empty() {
            return Err("chart.metadata.version is required".into());
        }
        if Version::parse(&self.version).is_err() {
            return Err(format!("chart.metadata.version {:?} is invalid", self.version));
        }
        if !matches!(self.kind.as_str(), "" | "application" | "library") {
            return Err("chart.metadata.type must be application or library".into());
        }
        for maintainer in &mut self.maintainers {
            let Some(maintainer) = maintainer else {
                return Err("maintainers must not contain empty or null nodes".into());
            };
            sanitize(&mut maintainer.name);
            sanitize(&mut maintainer.email);
            sanitize(&mut maintainer.url);
        }
        let mut seen = std::collections::BTreeSet::new();
        for dependency in &mut self.dependencies {
            let Some(dependency) = dependency else {
                return Err("dependencies must not contain empty or null nodes".into());
            };
            dependency.validate()?;
            let key = dependency.key().to_owned();
            if seen.contains(&key) {
                return Err(format!("more than one dependency with name or alias {key:?}"));
            }
            seen.insert(key);
        }
        Ok(())
    }
}

/// Reads a text over another, unless it is absent.
pub(super) fn replace(fields: &Fields<'_>, name: &str, target: &mut String) -> Result<(), String> {
    if fields.has(name) {
        *target = fields.text(name)?;
    }
    Ok(())
}

/// White space becomes blanks, what cannot be printed disappears.
pub(crate) fn sanitize(text: &mut String) {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return;
    }
    // Letters, marks, numbers, punctuation, symbols: what Go calls printable. Letters and numbers are known without the
    // pattern, whose tables take long to set up.
    let printable = LazyCell::new(|| Pattern::new(r"^[\p{L}\p{M}\p{N}\p{P}\p{S}]$").ok());
    let mut buffer = [0; 4];
    *text = text
        .chars()
        .filter_map(|c| {
            if c.is_whitespace() {
                return Some(' ');
            }
            let keep = if c.is_ascii() {
                c.is_ascii_graphic()
            } else {
                c.is_alphanumeric()
                    || printable
                        .as_ref()
                        .is_some_and(|printable| printable.is_match(c.encode_utf8(&mut buffer)))
            };
            keep.then_some(c)
        })
        .collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<Metadata, String> {
        let mut metadata = Metadata::parse(text)?;
        metadata.validate()?;
        Ok(metadata)
    }

    #[test]
    fn numbers_become_text_and_names_match_in_any_case() {
        let chart = check("apiVersion: v2\nNAME: app\nversion: 1.0\nappVersion: 1.10\nkeywords: [1, true]\n")
            .unwrap();
        assert_eq!((chart.name.as_str(), chart.version.as_str()), ("app", "1"));
        assert_eq!(chart.app_version, "1.1");
        assert_eq!(chart.keywords, ["1", "true"]);
    }

    #[test]
    fn n07_names_that_lead_elsewhere_are_refused() {
        for name in [".", "..", "a/b", "../x", "/x", "x/"] {
            let text = format!("apiVersion: v2\nname: {name:?}\nversion: 1.0.0\n");
            assert!(
                check(&text).unwrap_err().contains("chart.metadata.name"),
                "{name}"
            );
        }
    }

    #[test]
    fn n11_wrong_types_are_errors_with_the_field_and_the_line() {
        let error = check("apiVersion: v2\nname: a\nversion: 1.0.0\ndependencies: {a: b}\n").unwrap_err();
        assert!(
            error.contains("cannot unmarshal object into Go struct field Metadata.dependencies"),
            "{error}"
        );
        assert!(error.contains("line 4"), "{error}");
        for text in ["[]", "x", "3", "name: {}\n"] {
            assert!(check(text).is_err(), "{text}");
        }
        for text in ["", "null", "# nothing\n"] {
            assert!(
                check(text).unwrap_err().contains("apiVersion is required"),
                "{text}"
            );
        }
        let error = check("apiVersion: v2\nname: a\nversion: 1.0.0\nmaintainers: [null]\n").unwrap_err();
        assert_eq!(error, "maintainers must not contain empty or null nodes");
    }

    /// As Go's encoding/json reads null: lists and maps are empty then, texts stay.
    #[test]
    fn null_empties_lists_and_maps_alone() {
        let mut chart = Metadata::parse(
            "name: a\nkeywords: [x]\nsources: [z]\nannotations: {k: v}\ndependencies: [{name: d}]\n",
        )
        .unwrap();
        chart
            .merge("name: ~\nkeywords: ~\nsources: ~\nannotations: ~\ndependencies: ~\n")
            .unwrap();
        assert_eq!(chart.name, "a");
        assert!(chart.keywords.is_empty() && chart.sources.is_empty());
        assert!(chart.annotations.is_empty() && chart.dependencies.is_empty());
        chart
            .merge("dependencies: [{name: d, alias: e}]\nkeywords: [x, w]\n")
            .unwrap();
        // Items are read over those in their places.
        chart
            .merge("dependencies: [{name: f}, {name: g}]\nkeywords: [~]\n")
            .unwrap();
        let names: Vec<(&str, &str)> = chart
            .dependencies
            .iter()
            .flatten()
            .map(|dependency| (dependency.name.as_str(), dependency.alias.as_str()))
            .collect();
        assert_eq!(names, [("f", "e"), ("g", "")]);
        assert_eq!(chart.keywords, ["x"]);
        let spelled = Metadata::parse("Keywords: [x]\nkeywords: ~\nSOURCES: ~\nsources: [z]\n").unwrap();
        assert!(spelled.keywords.is_empty() && spelled.sources == ["z"]);
    }

    #[test]
    fn unprintable_characters_disappear() {
        let mut text = "a\u{200b}b\u{a0}c\td\u{7}é€".to_owned();
        sanitize(&mut text);
        assert_eq!(text, "ab c dé€");
    }
}
