//! What the crate does, against other projects' tables, their charts, and Helm itself.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::format_push_string,
    clippy::format_collect,
    clippy::unnecessary_wraps,
    reason = "tests fail loudly and say what they did not run"
)]

mod ahead;
mod charts;
mod chartutil;
mod engine;
mod fuzz;
mod ignore;
mod index;
mod postrender;
mod reference;
mod release;
mod releaseutil;
mod strvals;
mod support;
mod values;
