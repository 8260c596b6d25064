//! What the crate does, against other projects' tables, their charts, and Helm itself.

mod charts;
mod chartutil;
mod engine;
mod ignore;
mod reference;
mod release;
mod releaseutil;
mod strvals;
mod support;
mod values;
