//! A chart and values into rendered files.

mod context;
mod error;
mod print;
mod run;

pub use error::{Caller, RenderError, TemplateError};
pub use print::{DEFAULT_NAME, Show, name_of_template};
pub use run::{Options, Rendered, definitions, render, render_ahead, render_files};
pub(crate) use run::{lint, template_set};

/// Whether a file is a partial, which is included and never rendered by itself.
pub(crate) fn is_partial(path: &str) -> bool {
    path.rsplit('/').next().unwrap_or(path).starts_with('_')
}
