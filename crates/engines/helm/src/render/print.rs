//! What `helm template` prints of a render.

use weir_gotmpl::{Functions, Host, Limits, Options, Set, Value, families};

use super::Rendered;
use crate::Hook;

/// The name of a release that nobody named.
pub const DEFAULT_NAME: &str = "release-name";

/// What of a render is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Show {
    /// `--include-crds`: the manifests in crds/ too.
    pub crds: bool,
    /// `--no-hooks`.
    pub no_hooks: bool,
    /// `--skip-tests`.
    pub skip_tests: bool,
}

impl Rendered {
    /// The hooks that are shown.
    pub fn shown_hooks(&self, show: Show) -> impl Iterator<Item = &Hook> {
        self.hooks
            .iter()
            .filter(move |hook| !(show.no_hooks || show.skip_tests && hook.is_test()))
    }

    /// The manifest, then the hooks, as `helm template` prints them.
    pub fn printed(&self, show: Show) -> String {
        let mut out = if show.crds {
            self.manifest_with_crds()
        } else {
            self.manifest()
        };
        out.truncate(out.trim_end().len());
        out.drain(..out.len() - out.trim_start().len());
        out.push('\n');
        for hook in self.shown_hooks(show) {
            for part in ["---\n# Source: ", &hook.path, "\n", &hook.manifest, "\n"] {
                out.push_str(part);
            }
        }
        out
    }
}

/// The name that `--name-template` gives a release.
pub fn name_of_template(template: &str, host: &mut dyn Host) -> Result<String, String> {
    let functions = Functions::builtins().with(families::SPRIG);
    let mut set = Set::new(functions.into(), Options::default());
    set.parse("name-template", template)
        .map_err(|error| error.to_string())?;
    set.execute("name-template", &Value::Nil, host, &Limits::default())
        .map(|name| name.to_string())
        .map_err(|error| error.to_string())
}
