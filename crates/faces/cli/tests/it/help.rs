//! Every command says how it is used.

use clap::{Command, CommandFactory as _};
use weir_cli::Cli;

use crate::harness::weir;

fn visit(command: &Command, path: &str, check: &mut dyn FnMut(&str, &Command)) {
    check(path, command);
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        visit(sub, &format!("{path} {}", sub.get_name()), check);
    }
}

#[test]
fn every_command_has_a_line_about_it_and_an_example_of_itself() {
    let mut cli = Cli::command();
    cli.build();
    let mut count = 0;
    visit(&cli, "weir", &mut |path, command| {
        count += 1;
        assert!(command.get_about().is_some(), "{path} has no line about it");
        let help = command
            .get_after_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        assert!(help.starts_with("Examples:\n"), "{path} has no examples");
        assert!(help.contains(path), "{path}: the examples show another command");
        for line in help.lines() {
            // Wider ones are broken, and a command that is broken cannot be copied.
            assert!(line.len() <= 100, "{path}: too wide: {line}");
        }
    });
    assert!(count > 20, "only {count} commands were seen");
}

#[test]
fn examples_are_commands_that_exist() {
    let mut cli = Cli::command();
    cli.build();
    let mut words: Vec<String> = Vec::new();
    visit(&cli, "weir", &mut |path, _| words.push(path.to_owned()));
    visit(&cli, "weir", &mut |path, command| {
        let help = command
            .get_after_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        for line in help.lines().filter_map(|line| line.trim().strip_prefix("weir ")) {
            let first = line.split(' ').next().unwrap_or_default();
            let known = words.iter().any(|word| word == &format!("weir {first}"));
            assert!(known, "{path}: `weir {first}` does not exist");
        }
    });
}

#[test]
fn every_option_says_what_it_does() {
    let mut cli = Cli::command();
    cli.build();
    visit(&cli, "weir", &mut |path, command| {
        for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
            assert!(
                argument.get_help().is_some(),
                "{path}: {} has no help",
                argument.get_id()
            );
        }
    });
}

/// Commands whose output is what they are for, or that have none; `helm` ones print what helm prints.
const WITHOUT_DATA: &[(&str, &str)] = &[
    ("weir artifact build", "its output is a file"),
    ("weir artifact pull", "its output is a folder"),
    ("weir completion", "a script"),
    ("weir controller", "logs, as JSON with `--log-encoding`"),
    ("weir export", "manifests"),
    ("weir helm dependency build", "as helm"),
    ("weir helm dependency list", "as helm"),
    ("weir helm dependency update", "as helm"),
    ("weir helm package", "as helm"),
    ("weir helm pull", "as helm"),
    ("weir helm push", "as helm"),
    ("weir helm show all", "as helm"),
    ("weir helm show chart", "as helm"),
    ("weir helm show crds", "as helm"),
    ("weir helm show readme", "as helm"),
    ("weir helm show values", "as helm"),
    ("weir helm template", "manifests"),
    ("weir kustomize build", "manifests"),
    ("weir trust create", "a trust root"),
];

#[test]
fn every_command_prints_data_for_programs() {
    let mut cli = Cli::command();
    cli.build();
    let mut without = Vec::new();
    visit(&cli, "weir", &mut |path, command| {
        let is_leaf = command.get_subcommands().next().is_none();
        let output = command
            .get_arguments()
            .find(|argument| argument.get_id() == "output");
        let values = output.map(clap::Arg::get_possible_values).unwrap_or_default();
        if is_leaf && !values.iter().any(|value| value.get_name() == "json") {
            without.push(path.to_owned());
        }
    });
    let known: Vec<&str> = WITHOUT_DATA.iter().map(|(path, _)| *path).collect();
    assert_eq!(without, known);
}

#[tokio::test]
async fn help_goes_to_standard_output_and_mistakes_to_standard_error() {
    let help = weir(&["--help"]).await;
    assert!(help.stderr.is_empty());
    assert!(help.success().contains("Usage: weir"));
    let wrong = weir(&["gett"]).await;
    assert!(wrong.stdout.is_empty());
    assert!(wrong.usage().contains("unrecognized subcommand"));
    let version = weir(&["--version"]).await.success();
    assert!(version.starts_with("weir 0."));
}

#[tokio::test]
async fn completion_scripts_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = weir(&["completion", shell]).await.success();
        assert!(script.contains("kustomize"), "{shell}");
    }
    weir(&["completion", "tcsh"]).await.usage();
}

#[tokio::test]
async fn durations_and_mirrors_are_checked_before_anything_happens() {
    assert!(
        weir(&["check", "--timeout", "soon"])
            .await
            .usage()
            .contains("invalid duration")
    );
    assert!(
        weir(&["check", "--timeout", "0s"])
            .await
            .usage()
            .contains("above zero")
    );
    assert!(
        weir(&["check", "--registry-mirror", "ghcr.io"])
            .await
            .usage()
            .contains("HOST=URL")
    );
}

/// Flux's manifests write flags as `--flag=true`; people write `--flag`.
#[test]
fn switches_of_the_controllers_take_a_value_or_none() {
    for flags in [
        ["--no-cross-namespace-refs", "--watch-all-namespaces=false"],
        ["--no-cross-namespace-refs=true", "--enable-leader-election=false"],
        ["--no-remote-bases=true", "--disable-config-watchers"],
        [
            "--custom-apply-stage-kinds=rbac.authorization.k8s.io/Role,example.com/Thing",
            "--override-manager=a",
        ],
    ] {
        let parsed = Cli::command().try_get_matches_from(["weir", "controller"].into_iter().chain(flags));
        assert!(parsed.is_ok(), "{flags:?}: {parsed:?}");
    }
    for flag in [
        "--no-remote-bases=false",
        "--custom-apply-stage-kinds=Role",
        "--no-cross-namespace-refs=perhaps",
    ] {
        let parsed = Cli::command().try_get_matches_from(["weir", "controller", flag]);
        assert!(parsed.is_err(), "{flag}");
    }
}
