//! Templates and charts against Helm v4.2.4.

mod chart;
mod charts;
mod command;
mod coverage;
mod engine;
mod fleet;
mod functions;
pub(crate) mod fuzz;
mod lint;
mod operands;
mod run;
mod shrink;
mod template;

pub(crate) use run::{Arguments, run};
