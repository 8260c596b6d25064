//! What `helm template` prints of a render.

use std::convert::Infallible;

use weir_gotmpl::{Functions, Host, Limits, Options, Set, Value, families};

use super::Rendered;
use super::run::{document, part};
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

    /// The manifest, then the hooks, as `helm template` prints them, part by part: a large chart's need not be in memory
    /// once more.
    ///
    /// # Errors
    /// The first one of `to`.
    pub fn print<E>(&self, show: Show, mut to: impl FnMut(&str) -> Result<(), E>) -> Result<(), E> {
        let crds = self.crds.iter().filter(|_| show.crds);
        let crds = crds.map(|(path, file)| (path.as_str(), file.text()));
        let manifests = self.manifests.iter();
        let manifests = manifests.map(|manifest| (manifest.name.as_str(), manifest.content.as_str().into()));
        let mut documents = crds.chain(manifests).peekable();
        while let Some((source, content)) = documents.next() {
            if documents.peek().is_some() {
                part(source, &content, &mut to)?;
            } else {
                // What is blank at the end of the manifest is not printed.
                let mut last = String::new();
                document(&mut last, source, &content);
                to(last.trim_end())?;
            }
        }
        to("\n")?;
        for hook in self.shown_hooks(show) {
            part(&hook.path, &hook.manifest, &mut to)?;
        }
        Ok(())
    }

    /// The same in one.
    pub fn printed(&self, show: Show) -> String {
        let mut out = String::new();
        let Ok(()) = self.print(show, |part| {
            out.push_str(part);
            Ok::<_, Infallible>(())
        });
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
