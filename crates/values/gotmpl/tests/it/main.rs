//! Templates as users run them.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests stop on surprises and say what they skip"
)]

mod errors;
mod fuzz;
mod gotemplate;
mod helm;
mod limits;
mod many;
mod security;
mod sprig;
mod support;
