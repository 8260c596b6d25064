//! Generated charts with values and options: subcharts with aliases, conditions, tags and imports, globals, nulls,
//! schemas, libraries, hooks, definitions, ignored files, and now and then a mistake.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};

use super::operands::SCALARS;
use crate::dice::Dice;
use crate::value::{Y, map, raw};
use crate::writer;

/// A chart's folder, values files, and how it is rendered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Release {
    /// Below the folder; the chart is in `chart/`.
    pub(crate) files: BTreeMap<String, String>,
    /// What stands behind `helm template`; `{}` is the folder.
    pub(crate) arguments: Vec<String>,
}

impl Release {
    /// Writes the files below a folder.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        for (path, content) in &self.files {
            let path = folder.join(path);
            let parent = path.parent().context("a file lies in a folder")?;
            std::fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
            std::fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }

    /// The command's arguments for files in a folder.
    pub(crate) fn command(&self, folder: &Path) -> Vec<String> {
        let folder = folder.to_string_lossy();
        let arguments = self
            .arguments
            .iter()
            .map(|argument| argument.replace("{}", &folder));
        ["template".to_owned()].into_iter().chain(arguments).collect()
    }

    /// All of it as one text, for a terminal.
    pub(crate) fn show(&self) -> String {
        let mut text = String::new();
        for (path, content) in &self.files {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "--- {path}\n{}", content.trim_end());
        }
        let _ = writeln!(text, "--- helm template {}", self.arguments.join(" "));
        text
    }
}

const KEYS: [&str; 11] = [
    "a", "b", "c", "name", "image", "list", "cfg", "enabled", "x.y", "port", "zero",
];

/// The release that chance makes.
pub(crate) fn release(dice: &mut Dice) -> Release {
    let mut generator = Generator {
        dice,
        files: BTreeMap::new(),
        subcharts: Vec::new(),
    };
    let mut top = generator.chart("chart", "top", 0);
    if generator.dice.chance(15) {
        let path = "chart/.helmignore";
        let mut rules = "# left out\n".to_owned();
        for _ in 0..=generator.dice.below(3) {
            // A rule that is turned around leaves out all else, Chart.yaml too: rare.
            rules.push_str(generator.dice.pick(&[
                "*.bak",
                "/files/secret*",
                "deep/",
                "files",
                " templates/*.txt ",
                "crds/*",
                "\\#x",
                "a[0-9].yml",
                "/*.txt",
                "charts/sub1",
                "[a",
                "templates/m?.yaml",
                "",
                "files/",
                "nothing/at/all",
                "NOTES.txt",
            ]));
            rules.push('\n');
        }
        if generator.dice.chance(5) {
            rules.push_str(generator.dice.pick(&["!keep.bak\n", "**/x\n", "*\n"]));
        }
        generator.files.insert(path.into(), rules);
        generator
            .files
            .insert("chart/templates/x.bak".into(), "kind: Ignored\n".into());
        generator
            .files
            .insert("chart/files/secret.txt".into(), "no\n".into());
    }
    let arguments = generator.arguments(&mut top);
    Release {
        files: generator.files,
        arguments,
    }
}

struct Generator<'d> {
    dice: &'d mut Dice,
    files: BTreeMap<String, String>,
    /// Names under which values find subcharts.
    subcharts: Vec<String>,
}

impl Generator<'_> {
    /// A chart in a folder; its values, which those above lay theirs over.
    fn chart(&mut self, folder: &str, name: &str, depth: usize) -> Y {
        let old = self.dice.chance(12);
        let is_library = depth > 0 && self.dice.chance(10);
        let mut metadata = map([
            ("apiVersion", if old { "v1" } else { "v2" }.into()),
            ("name", name.into()),
            (
                "version",
                self.dice.pick(&["0.1.0", "1.2.3-rc.1+b", "10.0.0"]).into(),
            ),
        ]);
        if self.dice.chance(60) {
            metadata.push(
                "appVersion",
                raw(self.dice.pick(&["\"1.0\"", "1.10", "v2", "2024-01-02", "3"])),
            );
        }
        if is_library {
            metadata.push("type", "library");
        } else if self.dice.chance(20) {
            metadata.push("type", "application");
        }
        if self.dice.chance(10) {
            let range = self
                .dice
                .pick(&[">=1.20.0-0", "^1.30", "~1.36.0", "1.x || 2.x", "!=1.10", ">=1.99"]);
            metadata.push("kubeVersion", range);
        }
        if self.dice.chance(20) {
            metadata.push("annotations", map([("k", "v".into()), ("n", raw("\"1\""))]));
            metadata.push("keywords", Y::Seq(vec!["one".into(), "two".into()]));
        }
        if self.dice.chance(5) {
            metadata.push("deprecated", raw("true"));
        }
        let mut values = self.table(3);
        let mut dependencies = Vec::new();
        if depth < 2 && self.dice.chance(if depth == 0 { 65 } else { 30 }) {
            for index in 0..=self.dice.below(2) {
                let child = format!("{}{index}", if depth == 0 { "sub" } else { "leaf" });
                let inner = self.chart(&format!("{folder}/charts/{child}"), &child, depth + 1);
                if self.dice.chance(85) {
                    dependencies.push(self.dependency(&child, &mut values, inner));
                } else {
                    // A chart in charts/ needs no mention.
                    self.subcharts.push(child.clone());
                    self.lay_over(&mut values, &child, inner);
                }
            }
            if self.dice.chance(40) {
                values.push("tags", map([("front", self.bool()), ("back", self.bool())]));
            }
        }
        if self.dice.chance(40) {
            values.push("global", self.table(2));
        }
        if !dependencies.is_empty() {
            let list = Y::Seq(dependencies);
            if old {
                let text = writer::write(self.dice, &map([("dependencies", list)]), false);
                self.files.insert(format!("{folder}/requirements.yaml"), text);
            } else {
                metadata.push("dependencies", list);
            }
        }
        let text = writer::write(self.dice, &metadata, false);
        self.files.insert(format!("{folder}/Chart.yaml"), text);
        if self.dice.chance(92) {
            let odd = self.dice.chance(30);
            let text = writer::write(self.dice, &values, odd);
            self.files.insert(format!("{folder}/values.yaml"), text);
        }
        if self.dice.chance(15) {
            let schema = self.schema();
            self.files.insert(format!("{folder}/values.schema.json"), schema);
        }
        self.templates(folder, name);
        values
    }

    fn dependency(&mut self, child: &str, values: &mut Y, inner: Y) -> Y {
        let mut dependency = map([
            ("name", child.into()),
            (
                "version",
                self.dice.pick(&["*", ">=0.0.0-0", "0.1.0", "x"]).into(),
            ),
            ("repository", "file://x".into()),
        ]);
        let mut name = child.to_owned();
        if self.dice.chance(25) {
            name = format!("{child}-alias");
            dependency.push("alias", name.as_str());
        }
        if self.dice.chance(40) {
            let condition = self.dice.pick(&[
                "{}.enabled",
                "{}.enabled,global.on",
                "global.on",
                "a.b",
                "nope.x, {}.enabled",
            ]);
            dependency.push("condition", condition.replace("{}", &name));
        }
        if self.dice.chance(30) {
            let tags = self.dice.pick(&["front", "back", "other"]);
            dependency.push("tags", Y::Seq(vec![tags.into(), "front".into()]));
        }
        if self.dice.chance(25) {
            let key = self.dice.pick(&KEYS);
            let imports = match self.dice.below(3) {
                0 => vec!["data".into()],
                1 => vec![map([("child", "cfg".into()), ("parent", "imported".into())])],
                _ => vec![
                    "data".into(),
                    map([("child", key.into()), ("parent", ".".into())]),
                    map([("child", "default.data".into()), ("parent", "a.b".into())]),
                ],
            };
            dependency.push("import-values", Y::Seq(imports));
        }
        self.subcharts.push(name.clone());
        self.lay_over(values, &name, inner);
        dependency
    }

    /// A chart's values for a subchart: some of its keys, with other values, or gone.
    fn lay_over(&mut self, values: &mut Y, name: &str, inner: Y) {
        if self.dice.chance(30) {
            return;
        }
        if self.dice.chance(2) {
            values.push(name, raw(self.dice.pick(&["~", "text", "[1]", "{}"])));
            return;
        }
        let mut changed = self.changed(&inner, 3);
        if self.dice.chance(50) {
            changed.push("enabled", self.bool());
        }
        values.push(name, changed);
    }

    /// Some of a table's entries: as they are, with other values, or null.
    fn changed(&mut self, value: &Y, depth: usize) -> Y {
        let Y::Map(entries) = value else {
            return self.value(1);
        };
        let mut out = Y::Map(Vec::new());
        let mut seen = Vec::new();
        for (key, value) in entries {
            if seen.contains(key) || !self.dice.chance(60) {
                continue;
            }
            seen.push(key.clone());
            let changed = match self.dice.below(10) {
                0 | 1 => raw("null"),
                2 => self.value(2),
                3 => value.clone(),
                _ if depth > 0 => self.changed(value, depth - 1),
                _ => self.scalar(),
            };
            out.push(key, changed);
        }
        if self.dice.chance(25) {
            let key = self.dice.pick(&["new", "extra", "q"]);
            out.push(key, self.value(1));
        }
        out
    }

    fn bool(&mut self) -> Y {
        raw(self
            .dice
            .pick(&["true", "false", "true", "false", "\"true\"", "~", "1"]))
    }

    fn scalar(&mut self) -> Y {
        if self.dice.chance(40) {
            return raw(self
                .dice
                .pick(&["1", "2", "true", "false", "80", "0", "~", "1.5", "\"\"", "x"]));
        }
        if self.dice.chance(50) {
            return self
                .dice
                .pick(&[
                    "text",
                    "two words",
                    "a: b",
                    "#no",
                    "é",
                    "{{ .Release.Name }}",
                    "multi\nline\n",
                ])
                .into();
        }
        let scalar = self.dice.pick(SCALARS);
        // What JSON has no number for is no value at all, nor is what stands on several lines.
        let refused =
            scalar.contains('\n') || scalar.is_empty() || scalar.contains("inf") || scalar == "1e400";
        raw(if refused { "~" } else { scalar })
    }

    fn value(&mut self, depth: usize) -> Y {
        match self.dice.below(if depth == 0 { 5 } else { 10 }) {
            0..=4 => self.scalar(),
            5 => raw("null"),
            6 | 7 => {
                let count = self.dice.below(3);
                Y::Seq((0..count).map(|_| self.value(depth - 1)).collect())
            }
            _ => self.table(depth - 1),
        }
    }

    fn table(&mut self, depth: usize) -> Y {
        let mut out = Y::Map(Vec::new());
        let mut seen = Vec::new();
        for _ in 0..=self.dice.below(5) {
            let key = self.dice.pick(&KEYS);
            if !seen.contains(&key) {
                seen.push(key);
                out.push(key, self.value(depth));
            }
        }
        if self.dice.chance(15) {
            out.push(
                "exports",
                map([("data", map([("exported", self.scalar()), ("b", self.value(1))]))]),
            );
        }
        if self.dice.chance(10) {
            out.push("default", map([("data", self.value(1))]));
        }
        out
    }

    fn schema(&mut self) -> String {
        let draft = self.dice.pick(&[
            "",
            "\"$schema\": \"http://json-schema.org/draft-04/schema#\",",
            "\"$schema\": \"http://json-schema.org/draft-06/schema#\",",
            "\"$schema\": \"http://json-schema.org/draft-07/schema#\",",
            "\"$schema\": \"https://json-schema.org/draft/2019-09/schema\",",
            "\"$schema\": \"https://json-schema.org/draft/2020-12/schema\",",
        ]);
        let mut properties = Vec::new();
        let mut seen = Vec::new();
        for _ in 0..=self.dice.below(2) {
            let key = self.dice.pick(&KEYS);
            if seen.contains(&key) {
                continue;
            }
            seen.push(key);
            let what = self.dice.pick(&[
                "{\"type\": [\"string\", \"number\", \"null\", \"object\", \"boolean\", \"array\"]}",
                "{}",
                "true",
                "{\"type\": [\"object\", \"null\"]}",
                "{\"type\": \"string\"}",
                "{\"type\": \"integer\", \"minimum\": 2}",
                "{\"enum\": [1, \"x\", true]}",
                "{\"anyOf\": [{\"type\": \"string\"}, {\"type\": \"number\", \"maximum\": 5}]}",
                "{\"not\": {\"type\": \"null\"}}",
                "{\"type\": \"array\", \"items\": {\"type\": \"string\"}, \"uniqueItems\": true}",
                "{\"$ref\": \"#/definitions/d\"}",
                "{\"pattern\": \"^t\", \"minLength\": 2}",
                "{\"const\": 80}",
            ]);
            properties.push(format!("\"{key}\": {what}"));
        }
        let required = self.dice.pick(&[
            "",
            "",
            "",
            "\"required\": [\"a\"],",
            "\"additionalProperties\": false,",
        ]);
        format!(
            "{{{draft}\"type\": \"object\", {required}\"definitions\": {{\"d\": {{\"minProperties\": 1}}}}, \"properties\": {{{}}}}}\n",
            properties.join(", ")
        )
    }

    fn templates(&mut self, folder: &str, name: &str) {
        let mut add = |path: &str, text: String| {
            self.files.insert(format!("{folder}/{path}"), text);
        };
        add(
            "templates/_helpers.tpl",
            format!(
                "{{{{/* helpers */}}}}\n{{{{- define \"{name}.name\" -}}}}\n{{{{ .Chart.Name }}}}-{{{{ .Release.Name | trunc 63 }}}}\n\
                 {{{{- end }}}}\n{{{{ define \"shared\" }}}}from {name}{{{{ end }}}}\n{{{{ define \"labels\" -}}}}\napp: {{{{ include \
                 \"{name}.name\" . }}}}\nchart: {{{{ printf \"%s-%s\" .Chart.Name .Chart.Version | replace \"+\" \"_\" }}}}\n\
                 {{{{- end }}}}\n"
            ),
        );
        add(
            "templates/values.yaml",
            format!(
                "kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: {{{{ include \"{name}.name\" . }}}}\ndata:\n  \
                 {{{{- toYaml .Values | nindent 2 }}}}\nshared: {{{{ include \"shared\" . }}}}\n"
            ),
        );
        let count = self.dice.below(4);
        for index in 0..count {
            let text = self.template(name);
            let path = self.dice.pick(&[
                "templates/m{}.yaml",
                "templates/a{}.yml",
                "templates/deep/z{}.yaml",
                "templates/n{}.txt",
            ]);
            self.files.insert(
                format!("{folder}/{}", path.replace("{}", &index.to_string())),
                text,
            );
        }
        if self.dice.chance(30) {
            let text =
                "Hello {{ .Release.Name }}, {{ .Values.name | default \"nobody\" }}\n{{ .Chart.Name }}\n";
            self.files
                .insert(format!("{folder}/templates/NOTES.txt"), text.into());
        }
        if self.dice.chance(20) {
            let text = "---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: {{not}}.a template}\n";
            let file = self
                .dice
                .pick(&["crds/a.yaml", "crds/deep/b.yml", "crds/c.json", "crds/README.md"]);
            self.files.insert(format!("{folder}/{file}"), text.into());
        }
        if self.dice.chance(25) {
            self.files.insert(
                format!("{folder}/files/a.txt"),
                "line é\nanother: {{ .x }}\n".into(),
            );
            self.files
                .insert(format!("{folder}/files/b.json"), "{\"a\": [1, 2]}".into());
            let text = "kind: Secret\napiVersion: v1\nmetadata: {name: files}\ndata:\n  {{- (.Files.Glob \"files/*\").AsSecrets | nindent 2 }}\n\
                        stringData:\n  {{- (.Files.Glob \"**.json\").AsConfig | nindent 2 }}\nlines: {{ .Files.Lines \"files/a.txt\" | len }}\n";
            self.files
                .insert(format!("{folder}/templates/files.yaml"), text.into());
        }
    }

    /// A template of objects, hooks or mistakes.
    fn template(&mut self, name: &str) -> String {
        let mut text = String::new();
        if self.dice.chance(2) {
            let mistake = self.dice.pick(&[
                "a: {{ .Values.nope.deep }}\n",
                "a: {{ required \"give a name\" .Values.nope }}\n",
                "\n\n{{- if .Values.a }}x: {{ fail \"never a\" }}{{ end }}\n",
                "a: [\n",
                "a: {{ include \"nothing\" . }}\n",
                "{{ if }}\n",
                "kind: X\n  bad: indent\n",
                "{{ tpl \"{{ .Values.x.y.z }}\" . }}\n",
                "{{ include \"labels\" .Values }}\n",
                "- a\n- list\n",
                "just text\n",
                "{{ template \"shared\" }}: {{ .Values.list | first | upper }}\n",
            ]);
            return mistake.to_owned();
        }
        if self.dice.chance(20) {
            let gate = self.dice.pick(&[
                "{{- if .Values.enabled }}\n",
                "{{- if and .Values.a (not .Values.b) }}\n",
                "{{- with .Values.cfg }}\n{{- end }}{{ if true }}\n",
                "{{- if .Capabilities.APIVersions.Has \"custom/v1\" }}\n",
                "{{- if semverCompare \">=1.30-0\" .Capabilities.KubeVersion.Version }}\n",
                "{{- if .Release.IsUpgrade }}\n",
            ]);
            let body = self.object(name);
            return format!("{gate}{body}{{{{- end }}}}\n");
        }
        for index in 0..=self.dice.below(3) {
            if index > 0 {
                text.push_str(self.dice.pick(&[
                    "---\n",
                    "---\n",
                    "--- # more\n",
                    "\n---\n\n",
                    "---\n---\n",
                    "---\r\n",
                ]));
            } else {
                text.push_str(
                    self.dice
                        .pick(&["", "", "", "---\n", "# comment\n", "\n\n", "# only\n---\n"]),
                );
            }
            text.push_str(&self.object(name));
        }
        text
    }

    fn object(&mut self, chart: &str) -> String {
        const KINDS: [(&str, &str); 20] = [
            ("v1", "ConfigMap"),
            ("v1", "Secret"),
            ("v1", "Service"),
            ("v1", "Namespace"),
            ("v1", "ServiceAccount"),
            ("v1", "Pod"),
            ("v1", "PersistentVolumeClaim"),
            ("apps/v1", "Deployment"),
            ("apps/v1", "StatefulSet"),
            ("apps/v1", "DaemonSet"),
            ("batch/v1", "Job"),
            ("batch/v1", "CronJob"),
            ("rbac.authorization.k8s.io/v1", "ClusterRole"),
            ("rbac.authorization.k8s.io/v1", "RoleBinding"),
            ("networking.k8s.io/v1", "Ingress"),
            ("networking.k8s.io/v1", "NetworkPolicy"),
            ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
            ("policy/v1", "PodDisruptionBudget"),
            ("example.com/v1", "Widget"),
            ("example.com/v1", "Alpha"),
        ];
        let (api, kind) = self.dice.one(&KINDS).copied().unwrap_or_default();
        let mut text = format!("apiVersion: {api}\nkind: {kind}\nmetadata:\n  name: ");
        text.push_str(
            self.dice
                .pick(&["{{ .Release.Name }}-x", "b", "a", "c.d", "{{ .Chart.Name }}"]),
        );
        if self.dice.chance(25) {
            text.push_str("\n  namespace: {{ .Release.Namespace }}");
        }
        if self.dice.chance(30) {
            text.push_str("\n  labels:\n    {{- include \"labels\" . | nindent 4 }}");
        }
        if self.dice.chance(30) {
            let event = self.dice.pick(&[
                "pre-install",
                "post-install",
                "pre-install,post-upgrade",
                "test",
                "test-success",
                "pre-delete, post-rollback",
                "crd-install",
                "nonsense",
                "pre-upgrade,nonsense",
                "test-failure",
                "",
            ]);
            let _ = write!(text, "\n  annotations:\n    helm.sh/hook: \"{event}\"");
            if self.dice.chance(60) {
                let weight = self
                    .dice
                    .pick(&["\"5\"", "\"-5\"", "\"0\"", "\"10\"", "\"x\"", "5", "\"+3\""]);
                let _ = write!(text, "\n    helm.sh/hook-weight: {weight}");
            }
            if self.dice.chance(40) {
                let policy = self
                    .dice
                    .pick(&["before-hook-creation", "hook-succeeded,hook-failed", "odd"]);
                let _ = write!(text, "\n    helm.sh/hook-delete-policy: {policy}");
            }
        } else if self.dice.chance(8) {
            text.push_str("\n  annotations:\n    helm.sh/resource-policy: keep");
        }
        text.push('\n');
        if self.dice.chance(60) {
            let key = self.dice.pick(&KEYS);
            let spec = self.dice.pick(&[
                "spec: {{ .Values.{} | default 1 | toJson }}\n",
                "spec:\n  value: {{ get .Values \"{}\" | quote }}\n",
                "spec: {{- toYaml .Values.global | nindent 2 }}\n",
                "{{- range $k, $v := .Values.cfg }}\n\"k{{ $k }}\": {{ $v | toJson }}\n{{- end }}\n",
                "spec: {{ tpl (.Values.name | default \"none\" | toString) . | quote }}\n",
                "sub: {{ .Subcharts | keys | sortAlpha | join \",\" }}\n",
                "caps: {{ .Capabilities.KubeVersion }}/{{ .Capabilities.KubeVersion.Minor }}/{{ .Release.Revision }}\n",
                "where: {{ .Template.Name }} {{ .Template.BasePath }} {{ .Chart.IsRoot }}\n",
                "own: {{ include \"CHART.name\" . }} {{ .Chart.AppVersion | quote }}\n",
                "spec:\n  text: |\n    ---\n    not: split\n",
                "chart: {{ .Chart.Dependencies | toJson }}\n",
                "has: {{ hasKey .Values \"{}\" }} {{ kindOf .Values.{} }}\n",
            ]);
            text.push_str(
                &spec
                    .replace("{}", key)
                    .replace("x.y", "xy")
                    .replace("CHART", chart),
            );
        }
        // What has no JSON, or nearly: one such object makes the whole chart fail.
        if self.dice.chance(3) {
            text.push_str(self.dice.pick(&[
                "odd: [.nan]\n",
                "odd: {a: -.INF, b: 1}\n",
                "odd: {a: .inf, a: 1}\n",
                "odd: {a: !!int x, a: 1}\n",
                "odd: {a: !!float 1, b: !!str 2, c: !!int '3'}\n",
                "odd: {a: !!bool x}\n",
                "odd: {a: !!binary '%', a: 1}\n",
                "odd: {a: !!binary a G k}\n",
                "odd: {~: 1}\n",
                "odd: {18446744073709551615: 1, 0.5: 2}\n",
                "odd: {1: .nan, 01: 2}\n",
                "odd: {? {a: 1} : 2}\n",
                "odd: {2024-01-01: 1, y: 2, .inf: 3}\n",
                "Kind: .inf\n",
                "KIND: ConfigMap\n",
                "Metadata: {Name: -.inf, annotations: {a: .nan}}\n",
                "metadata: {other: .inf}\n",
            ]));
        }
        text
    }

    fn arguments(&mut self, top: &mut Y) -> Vec<String> {
        let mut arguments = vec!["rel".to_owned(), "{}/chart".to_owned()];
        let mut option = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
        for index in 0..self.dice.below(3) {
            let values = self.changed(top, 3);
            let odd = self.dice.chance(30);
            let text = writer::write(self.dice, &values, odd);
            let file = format!("values{index}.yaml");
            self.files.insert(file.clone(), text);
            option("-f", format!("{{}}/{file}"));
        }
        let name = self
            .dice
            .one(&self.subcharts)
            .cloned()
            .unwrap_or_else(|| "a".into());
        if self.dice.chance(30) {
            let line = self.dice.pick(&[
                "a=1,b.c=two,list[0]=x,list[2]=~",
                "c=null",
                "NAME.enabled=true,NAME.a=null",
                "tags.front=false,NAME.enabled=false",
                "global.on=true,global.a.b=c",
                "a.b.c={1,x,true}",
                "list[1].name=x,list[0]=~",
                "a\\.b=esc\\,aped,x\\.y=1",
                "a=",
                "zero=007,port=1e3,name=true",
                "a[",
                "=x",
                "image.tag=1.10,image.n=12345678901234567890",
            ]);
            option("--set", line.replace("NAME", &name));
        }
        if self.dice.chance(12) {
            option(
                "--set-string",
                self.dice
                    .pick(&["a=1", "cfg.b=true,c=null", "list={1,2}", "NAME.a=0"])
                    .replace("NAME", &name),
            );
        }
        if self.dice.chance(12) {
            let line = self.dice.pick(&[
                "a={\"b\":[1,2.5,null]}",
                "cfg=null",
                "{\"a\":{\"c\":1},\"b\":null}",
                "list=[1,{\"x\":~}]",
                "NAME={\"enabled\":true}",
            ]);
            option("--set-json", line.replace("NAME", &name));
        }
        if self.dice.chance(8) {
            option(
                "--set-literal",
                self.dice.pick(&["a=x,y={z}", "cfg.b=[1]", "name=\\a"]).to_owned(),
            );
        }
        if self.dice.chance(8) {
            self.files
                .insert("data.txt".into(), "from a file\nline: 2\n".into());
            option(
                "--set-file",
                self.dice
                    .pick(&["a={}/data.txt", "cfg.b={}/data.txt", "a={}/nothing.txt"])
                    .to_owned(),
            );
        }
        if self.dice.chance(15) {
            option(
                "--kube-version",
                self.dice
                    .pick(&["1.31.0", "v1.20.3", "1.33", "v1.30.1-gke.5", "1.99.0+x", "x"])
                    .to_owned(),
            );
        }
        if self.dice.chance(10) {
            option(
                "--api-versions",
                self.dice
                    .pick(&["custom/v1", "custom/v1,other/v1/Kind"])
                    .to_owned(),
            );
        }
        if self.dice.chance(15) {
            option("--namespace", "other".to_owned());
        }
        if self.dice.chance(12) {
            let path = self.dice.pick(&[
                "templates/values.yaml",
                "templates/m0.yaml",
                "templates/*",
                "charts/sub0/templates/values.yaml",
                "templates/none.yaml",
            ]);
            option("--show-only", path.to_owned());
        }
        for (flag, percent) in [
            ("--is-upgrade", 15),
            ("--include-crds", 30),
            ("--no-hooks", 8),
            ("--skip-tests", 12),
            ("--skip-schema-validation", 6),
        ] {
            if self.dice.chance(percent) {
                arguments.push(flag.to_owned());
            }
        }
        arguments
    }
}
