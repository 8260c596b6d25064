//! The charts that a chart needs, and Chart.lock.

use weir_yaml::Node;

use super::decode::{self, Fields};
use super::json::LOCK;
use super::metadata::{replace, sanitize};

/// An entry of `import-values`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Import {
    /// A table below the dependency's `exports`, merged into the parent's top.
    Export(String),
    /// A table of the dependency, and where it goes in the parent.
    Table {
        /// Path in the dependency's values.
        child: String,
        /// Path in the parent's values, `.` for the top.
        parent: String,
    },
    /// Anything else; Helm passes over it.
    #[default]
    Other,
}

/// A chart that a chart needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependency {
    /// Name of the chart.
    pub name: String,
    /// Version range, in a lock file a version.
    pub version: String,
    /// Where to fetch it from.
    pub repository: String,
    /// Paths in the values, separated by commas, of which the first boolean decides.
    pub condition: String,
    /// Names below `tags` in the values that switch it.
    pub tags: Vec<String>,
    /// Whether it takes part; decided by condition and tags.
    pub enabled: bool,
    /// Values that go up into the parent.
    pub import_values: Vec<Import>,
    /// Another name for it in this chart.
    pub alias: String,
}

impl Dependency {
    /// Reads a mapping over what is there already.
    pub(crate) fn read(&mut self, node: &Node, place: &str) -> Result<(), String> {
        Fields::of(node, place, "v2.Dependency")?;
        // Go names the innermost type, and the way from the outermost.
        let fields = Fields::of(node, "Dependency.dependencies", "v2.Dependency")?;
        replace(&fields, "name", &mut self.name)?;
        replace(&fields, "version", &mut self.version)?;
        replace(&fields, "repository", &mut self.repository)?;
        replace(&fields, "condition", &mut self.condition)?;
        fields.texts_over("tags", &mut self.tags)?;
        if fields.has("enabled") {
            self.enabled = fields.flag("enabled")?;
        }
        fields.items_over(
            "import-values",
            "[]interface {}",
            &mut self.import_values,
            |target, item, _| {
                *target = import(item);
                Ok(())
            },
        )?;
        replace(&fields, "alias", &mut self.alias)
    }

    /// The name it goes by in the chart: the alias, else its own.
    pub fn key(&self) -> &str {
        if self.alias.is_empty() {
            &self.name
        } else {
            &self.alias
        }
    }

    pub(crate) fn validate(&mut self) -> Result<(), String> {
        for text in [
            &mut self.name,
            &mut self.version,
            &mut self.repository,
            &mut self.condition,
        ]
        .into_iter()
        .chain(&mut self.tags)
        {
            sanitize(text);
        }
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if !self.alias.bytes().all(legal) {
            return Err(format!(
                "dependency {:?} has disallowed characters in the alias",
                self.name
            ));
        }
        Ok(())
    }
}

/// Go formats what stands in a mapping with `%v`; only scalars make sense there.
fn import(node: &Node) -> Import {
    let field = |name: &str| {
        node.get(name).map_or_else(
            || "<nil>".to_owned(),
            |value| decode::text(value, "").unwrap_or_default(),
        )
    };
    match node.data() {
        weir_yaml::Data::Mapping(_) => Import::Table {
            child: field("child"),
            parent: field("parent"),
        },
        weir_yaml::Data::Scalar(text) if decode::is_text(node) => Import::Export(text.to_string()),
        _ => Import::Other,
    }
}

/// Chart.lock: which versions the dependencies were fetched in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// When, in RFC 3339 as written; empty if it does not say.
    pub generated: String,
    /// Digest of what was asked for.
    pub digest: String,
    /// What was found.
    pub dependencies: Vec<Option<Dependency>>,
}

impl Lock {
    /// The digest of what was asked for and what was found, as Helm 3 and 4 make it.
    pub fn digest_of(wanted: &[Option<Dependency>], found: &[Option<Dependency>]) -> String {
        let mut json = String::from("[");
        go_list(wanted, &mut json);
        json.push(',');
        go_list(found, &mut json);
        json.push(']');
        crate::release::sha256(json.as_bytes())
    }

    /// The digest of what was asked for, as Helm 2 made it.
    pub fn digest_of_helm2(wanted: &[Option<Dependency>]) -> String {
        let mut json = String::from("{\"dependencies\":");
        go_list(wanted, &mut json);
        json.push('}');
        crate::release::sha256(json.as_bytes())
    }

    /// As YAML, as Chart.lock holds it.
    pub fn to_yaml(&self) -> String {
        let mut json = String::new();
        crate::release::lock(self, &mut json);
        let value = serde_json::from_str(&json).unwrap_or_default();
        weir_yaml::emit::sigs(&value)
    }

    /// Reads a Chart.lock; nothing or null is no lock.
    pub fn parse(text: &str) -> Result<Option<Self>, String> {
        let Some(node) = decode::document(text)? else {
            return Ok(None);
        };
        LOCK.check(&node)?;
        let fields = Fields::of(&node, "Lock", "v2.Lock")?;
        let generated = fields.text("generated")?;
        if !generated.is_empty() && crate::time::Time::parse(&generated).is_none() {
            return Err(format!(
                "error unmarshaling JSON: while decoding JSON: parsing time {generated:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse {generated:?}"
            ));
        }
        Ok(Some(Self {
            generated,
            digest: fields.text("digest")?,
            dependencies: fields.list("dependencies", "[]*v2.Dependency", Dependency::read)?,
        }))
    }
}

/// An empty list is a nil slice in Go.
fn go_list(dependencies: &[Option<Dependency>], json: &mut String) {
    if dependencies.is_empty() {
        json.push_str("null");
    } else {
        crate::release::dependencies(dependencies, json);
    }
}
