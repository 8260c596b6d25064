//! Commands, run as a person runs them: arguments in; standard output, standard error and exit code out.

mod artifact;
mod attest;
mod charts;
mod day_two;
mod harness;
mod helm;
mod helm_lint;
mod help;
mod install;
mod interop;
mod keyless;
mod keys;
mod kustomize;
mod kustomize_lint;
mod line;
mod logs;
mod moving;
mod moving_cut;
mod moving_sigstore;
mod pages;
mod policy_attested;
mod posture;
mod private_sigstore;
mod registry;
mod sign_keyless;
mod trust;
