//! The places where the word does harm: each makes an error that would show it.

/// What a template makes of the word.
#[derive(Debug)]
pub(crate) struct Harm {
    pub(crate) name: &'static str,
    /// Rendered where the value `harm` is its name.
    template: &'static str,
    /// Whether it is one for values in the object itself, too: those are secret in Secrets alone.
    pub(crate) is_inline: bool,
}

const fn harm(name: &'static str, template: &'static str) -> Harm {
    Harm {
        name,
        template,
        is_inline: false,
    }
}

const fn of_a_secret(name: &'static str, template: &'static str) -> Harm {
    Harm {
        name,
        template,
        is_inline: true,
    }
}

/// The schema that refuses the word where the value `harm` is `schema`, in each way that would show it.
const SCHEMA: &str = r#"{
  "if": {"properties": {"harm": {"const": "schema"}}},
  "then": {"properties": {"word": {"type": ["integer", "null"], "pattern": "^never$", "maxLength": 1, "enum": ["never"], "maximum": 5}}}
}"#;

pub(crate) const HARMS: &[Harm] = &[
    harm("fail", "{{ fail (.Values.word | toString) }}"),
    harm(
        "required",
        "{{ required (.Values.word | toString) .Values.none }}",
    ),
    harm("include", "{{ include (.Values.word | toString) . }}"),
    harm("tpl", "{{ tpl (printf \"{{ %v }\" .Values.word) . }}"),
    harm("deep", "{{ .Values.word.deep.deeper }}"),
    harm("index", "{{ index .Values.word 70 }}"),
    harm("semver", "{{ semver (.Values.word | toString) }}"),
    harm("decode", "{{ fail (printf \"%q\" .Values.word) }}"),
    harm("encoded", "{{ fail (printf \"user:%v\" .Values.word | b64enc) }}"),
    harm("yaml", "kind: [{{ .Values.word | toString | quote }}"),
    harm("tabs", "kind: ConfigMap\n\t{{ .Values.word | toString | quote }}"),
    harm(
        "plain-yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: [{{ .Values.word }}}",
    ),
    harm("schema", "# The schema refuses before this."),
    harm(
        "kind",
        "apiVersion: v1\nkind: {{ .Values.word | toString | quote }}\nmetadata: {name: a}",
    ),
    harm(
        "version",
        "apiVersion: {{ .Values.word | toString | quote }}\nkind: A\nmetadata: {name: a}",
    ),
    harm(
        "number",
        "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  ports: [{port: {{ .Values.word | toString | quote }}}]",
    ),
    harm(
        "label",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {a: {{ printf \"%v /\" .Values.word | quote }}}}",
    ),
    harm(
        "field",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n{{ .Values.word | toString | quote }}: {a: b}",
    ),
    harm(
        "hook",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {helm.sh/hook: \"pre-install,pre-upgrade\"}, labels: {a: {{ printf \"%v /\" .Values.word | quote }}}}",
    ),
    of_a_secret(
        "type",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {a: {b: {{ .Values.word | toString | quote }}}}",
    ),
    of_a_secret(
        "no-base64",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {a: {{ printf \"%v!\" .Values.word | quote }}}",
    ),
    // What the last revision's Secret holds is known when the next one's templates fail.
    of_a_secret(
        "again",
        "{{ if .Release.IsUpgrade }}{{ fail (.Values.word | toString) }}{{ end }}",
    ),
];

impl Harm {
    /// A chart's files: a template that does the harm where it is asked for; a Secret that holds the word for good; and a hook
    /// of the removal, with the word in it, that no API server takes.
    pub(crate) fn files(&self) -> Vec<(&'static str, String)> {
        let harm = format!(
            "{{{{ if eq .Values.harm \"{}\" }}}}\n{}\n{{{{ end }}}}\n",
            self.name, self.template
        );
        let kept = "apiVersion: v1\nkind: Secret\nmetadata: {name: kept}\nstringData: {a: {{ .Values.word | toString | quote }}}\n";
        let last = "{{ if .Values.last }}\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: last, annotations: {helm.sh/hook: pre-delete}, labels: {a: {{ printf \"%v /\" .Values.word | quote }}}}\n{{ end }}\n";
        let values = "colour: blue\nbroken: false\nharm: none\nlast: false\n";
        vec![
            ("templates/harm.yaml", harm),
            ("templates/kept.yaml", kept.to_owned()),
            ("templates/last.yaml", last.to_owned()),
            ("values.yaml", values.to_owned()),
            ("values.schema.json", SCHEMA.to_owned()),
        ]
    }
}
