//! What fields are in Go, read from type declarations.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A field: its JSON name (empty: embedded), its Go type, and whether an empty value is left out.
struct Field {
    name: String,
    go_type: String,
    omits: bool,
}

/// Declarations of one package: structs, and what other named types stand for.
#[derive(Default)]
struct Package {
    structs: BTreeMap<String, Vec<Field>>,
    others: BTreeMap<String, String>,
    messages: BTreeMap<String, Vec<WireField>>,
}

/// A protobuf field: its name, number and bare type.
struct WireField {
    name: String,
    number: u32,
    kind: String,
}

/// Packages of the Kubernetes modules, read when first needed.
pub(crate) struct Types {
    modules: PathBuf,
    version: String,
    packages: BTreeMap<String, Package>,
}

impl Types {
    pub(crate) fn new(modules: &Path, version: &str) -> Self {
        Self {
            modules: modules.to_owned(),
            version: version.to_owned(),
            packages: BTreeMap::new(),
        }
    }

    /// The fields of an OpenAPI type that need a word:
    /// `s` a struct in place, `t` a time in place, `z` a value printed even when it is zero, `o` a scalar left out
    /// when it is zero, `l` a list or map left out when it is empty. Pointers need none.
    pub(crate) fn classes(&mut self, openapi_name: &str) -> Vec<(String, &'static str)> {
        let Some((package, name)) = self.place(openapi_name) else {
            return Vec::new();
        };
        self.load(&package);
        let mut out = Vec::new();
        self.collect(&package, &name, &mut out);
        out
    }

    /// The protobuf field numbers on the way to each JSON field of an OpenAPI type: more than one where Go embeds a
    /// struct, whose fields JSON shows in place.
    pub(crate) fn numbers(
        &mut self,
        openapi_name: &str,
        json_name: &dyn Fn(&str) -> Option<String>,
    ) -> Vec<(String, Vec<u32>)> {
        let Some((package, name)) = self.place(openapi_name) else {
            return Vec::new();
        };
        self.load(&package);
        let mut out = Vec::new();
        self.collect_numbers(&package, &name, &mut Vec::new(), json_name, &mut out);
        out
    }

    fn collect_numbers(
        &self,
        package: &str,
        message: &str,
        prefix: &mut Vec<u32>,
        json_name: &dyn Fn(&str) -> Option<String>,
        out: &mut Vec<(String, Vec<u32>)>,
    ) {
        let fields = self
            .packages
            .get(package)
            .and_then(|loaded| loaded.messages.get(message));
        for field in fields.into_iter().flatten() {
            prefix.push(field.number);
            if let Some(name) = json_name(&field.name) {
                out.push((name, prefix.clone()));
            } else if prefix.len() < 3 {
                // Deeper nesting of embedded structs does not occur; recursive types do.
                self.collect_numbers(package, &field.kind, prefix, json_name, out);
            }
            prefix.pop();
        }
    }

    fn place(&self, openapi_name: &str) -> Option<(String, String)> {
        let version = &self.version;
        let (rest, root) = [
            ("io.k8s.api.", format!("api@{version}/")),
            ("io.k8s.apimachinery.", format!("apimachinery@{version}/")),
            (
                "io.k8s.apiextensions-apiserver.",
                format!("apiextensions-apiserver@{version}/"),
            ),
            ("io.k8s.kube-aggregator.", format!("kube-aggregator@{version}/")),
        ]
        .into_iter()
        .find_map(|(prefix, root)| {
            openapi_name
                .strip_prefix(prefix)
                .map(|rest| (rest.to_owned(), root))
        })?;
        let (package, name) = rest.rsplit_once('.')?;
        Some((format!("{root}{}", package.replace('.', "/")), name.to_owned()))
    }

    fn load(&mut self, package: &str) {
        if self.packages.contains_key(package) {
            return;
        }
        let mut loaded = Package::default();
        for entry in std::fs::read_dir(self.modules.join(package))
            .into_iter()
            .flatten()
            .flatten()
        {
            let path = entry.path();
            if path.ends_with("generated.proto") {
                read_messages(&std::fs::read_to_string(&path).unwrap_or_default(), &mut loaded);
            }
            let file = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default()
                .to_owned();
            if path.extension().is_some_and(|extension| extension == "go")
                && !file.ends_with("_test.go")
                && !file.starts_with("zz_")
                && file != "generated.pb.go"
            {
                read_file(&std::fs::read_to_string(&path).unwrap_or_default(), &mut loaded);
            }
        }
        self.packages.insert(package.to_owned(), loaded);
    }

    fn collect(&mut self, package: &str, name: &str, out: &mut Vec<(String, &'static str)>) {
        let fields: Vec<(String, String, bool)> = self
            .packages
            .get(package)
            .and_then(|loaded| loaded.structs.get(name))
            .into_iter()
            .flatten()
            .map(|field| (field.name.clone(), field.go_type.clone(), field.omits))
            .collect();
        for (field, go_type, omits) in fields {
            if go_type.starts_with('*') {
                if !omits {
                    out.push((field, "z"));
                }
                continue;
            }
            let (place, base) = self.resolve(package, &go_type);
            if field.is_empty() {
                self.load(&place);
                self.collect(&place, &base, out);
                continue;
            }
            if let Some(class) = self.class(&place, &base, omits) {
                out.push((field, class));
            }
        }
    }

    /// The package and bare name of a type.
    fn resolve(&self, package: &str, go_type: &str) -> (String, String) {
        let version = &self.version;
        match go_type.split_once('.') {
            Some(("metav1", name)) => (
                format!("apimachinery@{version}/pkg/apis/meta/v1"),
                name.to_owned(),
            ),
            Some(("v1" | "corev1", name))
                if !package.ends_with("core/v1") && go_type.starts_with("v1.")
                    || go_type.starts_with("corev1.") =>
            {
                (format!("api@{version}/core/v1"), name.to_owned())
            }
            Some((other, name)) => (other.to_owned(), name.to_owned()),
            None => (package.to_owned(), go_type.to_owned()),
        }
    }

    fn class(&mut self, package: &str, base: &str, omits: bool) -> Option<&'static str> {
        if base.starts_with("[]") || base.starts_with("map[") {
            return Some(if omits { "l" } else { "z" });
        }
        match base {
            "Time" | "MicroTime" if package.ends_with("meta/v1") => {
                return (!omits || base == "MicroTime" || base == "Time").then_some("t");
            }
            "Quantity" | "IntOrString" | "RawExtension" => return Some("s"),
            "string" | "bool" | "int" | "int32" | "int64" | "float64" | "UID" | "Protocol" => {
                return Some(if omits { "o" } else { "z" });
            }
            _ => {}
        }
        self.load(package);
        let loaded = self.packages.get(package)?;
        if loaded.structs.contains_key(base) {
            return Some("s");
        }
        let (inner, omitted) = (loaded.others.get(base).cloned(), omits);
        match inner {
            Some(inner) => self.class(package, &inner, omitted),
            None => Some(if omits { "o" } else { "z" }),
        }
    }
}

fn read_file(text: &str, out: &mut Package) {
    let mut current: Option<String> = None;
    for line in text.lines() {
        let line = line.trim();
        if let Some(name) = &current {
            if line == "}" {
                current = None;
                continue;
            }
            if let Some(field) = read_field(line)
                && let Some(fields) = out.structs.get_mut(name)
            {
                fields.push(field);
            }
            continue;
        }
        let Some(rest) = line.strip_prefix("type ") else {
            continue;
        };
        let mut words = rest.split_whitespace();
        let (Some(name), Some(second)) = (words.next(), words.next()) else {
            continue;
        };
        if second == "struct" {
            out.structs.insert(name.to_owned(), Vec::new());
            if !rest.ends_with('}') {
                current = Some(name.to_owned());
            }
        } else {
            let target = if second == "=" {
                words.next().unwrap_or_default()
            } else {
                second
            };
            out.others.insert(name.to_owned(), target.to_owned());
        }
    }
}

fn read_field(line: &str) -> Option<Field> {
    if line.starts_with("//") {
        return None;
    }
    let tag = line.split_once("json:\"")?.1;
    let tag = tag.split('"').next()?;
    let mut parts = tag.split(',');
    let name = parts.next()?.to_owned();
    let options: Vec<&str> = parts.collect();
    let before = line.split('`').next()?.trim();
    let mut words = before.split_whitespace();
    let first = words.next()?;
    // An embedded field has a type and no name.
    let go_type = words.next().unwrap_or(first).to_owned();
    if name == "-" {
        return None;
    }
    if name.is_empty() && !options.contains(&"inline") {
        return None;
    }
    // A time that is omitted when zero is as a pointer.
    let zero = options.contains(&"omitzero");
    let go_type = if zero && go_type.ends_with("Time") {
        format!("*{go_type}")
    } else {
        go_type
    };
    Some(Field {
        name,
        go_type,
        omits: options.contains(&"omitempty") || zero,
    })
}

fn read_messages(text: &str, out: &mut Package) {
    let mut current: Option<String> = None;
    for line in text.lines().map(str::trim) {
        if let Some(name) = line
            .strip_prefix("message ")
            .and_then(|rest| rest.split_whitespace().next())
        {
            out.messages.insert(name.to_owned(), Vec::new());
            current = (!line.ends_with("{}")).then(|| name.to_owned());
        } else if line == "}" {
            current = None;
        } else if let Some(fields) = current.as_ref().and_then(|name| out.messages.get_mut(name)) {
            fields.extend(read_wire_field(line));
        }
    }
}

/// Reads `optional PodSpec spec = 2;`, `repeated string args = 3;` or `map<string, string> labels = 11;`.
fn read_wire_field(line: &str) -> Option<WireField> {
    let (before, number) = line.strip_suffix(';')?.rsplit_once(" = ")?;
    let mut words = before.split_whitespace().rev();
    let name = words.next()?.to_owned();
    let kind = words.next()?.trim_start_matches('.').to_owned();
    Some(WireField {
        name,
        number: number.parse().ok()?,
        kind,
    })
}
