//! Options that several of the commands take, named as Helm names them.

use std::cell::RefCell;
use std::fs;
use std::path::Path;

use clap::Args;
use weir_helm::{FileReader, Origins, Sources, Table};

use crate::global::Context;
use crate::{CommandError, run::Result};

/// Where values come from.
#[derive(Debug, Default, Args)]
pub(super) struct Values {
    /// Read values from a file, `-` for standard input; may be repeated, the last one wins
    #[arg(short = 'f', long = "values", value_name = "FILE", value_delimiter = ',')]
    files: Vec<String>,
    /// Set values: `image.tag=1.2,list[0]=a,other={a,b}`
    #[arg(long = "set", value_name = "VALUES")]
    set: Vec<String>,
    /// Set values that stay texts, whatever they look like
    #[arg(long = "set-string", value_name = "VALUES")]
    strings: Vec<String>,
    /// Set values to the contents of files: `key=path`
    #[arg(long = "set-file", value_name = "VALUES")]
    set_files: Vec<String>,
    /// Set values from JSON: `key=JSON`, or an object
    #[arg(long = "set-json", value_name = "VALUES")]
    json: Vec<String>,
    /// Set a value to the rest of the argument as it stands
    #[arg(long = "set-literal", value_name = "VALUE")]
    literals: Vec<String>,
}

impl Values {
    /// All of them, laid over each other, and what sets what.
    pub(super) fn read(self, cx: &mut Context<'_>) -> Result<(Table, Origins)> {
        let sources = Sources {
            files: self.files,
            json: self.json,
            set: self.set,
            strings: self.strings,
            set_files: self.set_files,
            literals: self.literals,
        };
        let disk = Disk(RefCell::new(cx));
        sources
            .merge(&disk)
            .map_err(|error| CommandError::user(error.to_string()))
    }
}

struct Disk<'c, 'i>(RefCell<&'c mut Context<'i>>);

impl FileReader for Disk<'_, '_> {
    fn read(&self, name: &str) -> std::result::Result<Vec<u8>, String> {
        if name.trim() == "-" {
            return self
                .0
                .borrow_mut()
                .io
                .read_stdin()
                .map_err(|error| error.to_string());
        }
        if name.starts_with("http://") || name.starts_with("https://") {
            return Err("values are read from this machine only; fetch the file first".to_owned());
        }
        fs::read(Path::new(name)).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
            _ => error.to_string(),
        })
    }
}
