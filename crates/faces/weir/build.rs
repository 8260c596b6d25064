//! How the program is linked for release on Linux: so that what runs fills few pages of memory (docs/benchmarks.md).

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// Functions to put first, by patterns of their names, in this order.
const LAYOUT: &str = "layout.txt";
/// Linkers that read no linker script.
const WITHOUT_SCRIPTS: [&str; 2] = ["mold", "wild"];
/// The first glibc that reads relocations as a bitmap.
const RELR: (u32, u32) = (2, 36);

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={LAYOUT}");
    let is = |variable: &str, value: &str| env::var(variable).is_ok_and(|set| set == value);
    let linker = ["RUSTC_LINKER", "CARGO_ENCODED_RUSTFLAGS"].map(|name| env::var(name).unwrap_or_default());
    let reads_scripts = !WITHOUT_SCRIPTS
        .iter()
        .any(|name| linker.iter().any(|set| set.contains(name)));
    if !is("PROFILE", "release") || !is("CARGO_CFG_TARGET_OS", "linux") || !reads_scripts {
        return Ok(());
    }
    let script = Path::new(&env::var("OUT_DIR")?).join("layout.ld");
    fs::write(&script, layout(&fs::read_to_string(LAYOUT)?)?)?;
    println!("cargo::rustc-link-arg-bins=-T{}", script.display());
    // Some 80,000 addresses in the program's tables depend on where it is loaded. One by one they are 2 MiB that every
    // start reads, as a bitmap 30 KiB.
    if reads_bitmaps()? {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    Ok(())
}

/// Whether what loads the program reads relocations as a bitmap. With musl the program does it by itself (musl 1.2.4,
/// Rust has 1.2.5); with glibc the machine's loader does, and what is built for another must not ask for more than that has.
fn reads_bitmaps() -> Result<bool, env::VarError> {
    let is_for_here = env::var("HOST")? == env::var("TARGET")?;
    Ok(match env::var("CARGO_CFG_TARGET_ENV")?.as_str() {
        "musl" => true,
        "gnu" => is_for_here && glibc().is_some_and(|version| version >= RELR),
        _ => false,
    })
}

/// What compilers put between `.text` and a function's name: nothing, or what they know of when it runs.
const PARTS: [&str; 4] = ["", ".unlikely", ".startup", ".exit"];

/// Parts of libraries in C that every command runs: musl, and what the names of generated objects are hashed with. Their functions
/// have no sections of their own.
const LIBRARIES: [&str; 2] = ["*libc.a:*", "*libaws_lc_sys*:*sha256-x86_64.o"];

/// The allocator: what it is made of lies in the list, its constants do not.
const ALLOCATOR: &str = "*libtikv_jemalloc_sys*:*";

/// Crates whose constants commands read that people wait for, those first that `kustomize build` does. Their names stand in those
/// of the objects that they are compiled to. Left out are those with large tables of which little is read, such as
/// `regex_syntax` and `weir_schema`.
const CONSTANTS: [&str; 35] = [
    "weir_kustomize",
    "weir_yaml",
    "clap_builder",
    "clap_lex",
    "std",
    "alloc",
    "itoa",
    "memchr",
    "bytes",
    "thin_vec",
    "hashbrown",
    "indexmap",
    "ryu",
    "tempfile",
    "zstd_safe",
    "rustls_pki_types",
    "aho_corasick",
    "regex_automata",
    "serde_json",
    "core",
    "weir_cli",
    "zmij",
    "weir_helm",
    "weir_gotmpl",
    "weir_store",
    "weir_semver",
    "weir_re2",
    "flate2",
    "zlib_rs",
    "anstyle",
    "base64",
    "serde",
    "serde_core",
    "sha2",
    "tokio",
];

/// A linker script that adds to the linker's own: a section of the functions in the list, before all others, and one of the
/// constants that they read: numbers and strings, which the linker keeps once for all crates, the tables by which functions
/// branch, and what else the crates have.
fn layout(list: &str) -> Result<String, std::fmt::Error> {
    let names = || list.lines().filter(|line| !line.starts_with('#'));
    let mut script = "SECTIONS\n{\n  .text.first :\n  {\n".to_owned();
    for library in LIBRARIES {
        writeln!(script, "    {library}(.text .text.*)")?;
    }
    for name in names() {
        let sections = PARTS.map(|part| format!(".text{part}.{name}"));
        writeln!(script, "    *({})", sections.join(" "))?;
    }
    script
        .push_str("  }\n}\nINSERT BEFORE .text;\nSECTIONS\n{\n  .rodata.first :\n  {\n    *(.rodata.cst*)\n");
    for library in LIBRARIES.iter().chain([&ALLOCATOR]) {
        writeln!(script, "    {library}(.rodata .rodata.*)")?;
    }
    for name in names() {
        writeln!(script, "    *(.rodata.{name})")?;
    }
    for name in CONSTANTS {
        writeln!(script, "    *.{name}.*-cgu.*.rcgu.o(.rodata .rodata.*)")?;
    }
    script.push_str("  }\n}\nINSERT BEFORE .rodata;\n");
    Ok(script)
}

/// This machine's.
fn glibc() -> Option<(u32, u32)> {
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = text.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
}
