//! What the crate does, against other projects' tables, their charts, and Helm itself.

mod chartutil;
mod engine;
mod ignore;
mod releaseutil;
mod strvals;
mod support;
mod values;
