//! The weir binary: it joins [`weir_cli`] to this process.

mod log;

use std::process::ExitCode;

use weir_cli::Io;

/// Reconciles take and give back trees of small pieces on every thread, between objects that stay. With glibc's arenas the
/// controller keeps twice the memory for the same work (docs/benchmarks.md).
#[cfg(unix)]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Threads for builds and files. Hundreds of builds side by side end no sooner than a few, and each thread would keep
/// memory of its own.
const BLOCKING_THREADS: usize = 16;

fn main() -> ExitCode {
    let mut io = Io::process();
    let cli = match weir_cli::parse(std::env::args_os(), &mut io) {
        Ok(cli) => cli,
        Err(exit) => return exit.into(),
    };
    // What others wait for, such as a build in an editor or a script, is over before a runtime would be up.
    let cli = match weir_cli::execute_alone(cli, &mut io) {
        Ok(exit) => return exit.into(),
        Err(cli) => *cli,
    };
    let (level, encoding) = cli.log();
    log::start(level, encoding);
    // An error says that a provider is installed already, which is as good.
    let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .build();
    match runtime {
        Ok(runtime) => {
            let exit = runtime.block_on(weir_cli::execute(cli, &mut io));
            // A read of standard input that nobody waits for any more must not keep the process.
            runtime.shutdown_background();
            exit.into()
        }
        Err(error) => {
            weir_cli::CommandError::runtime(&error).print(&mut io);
            weir_cli::Exit::Failure.into()
        }
    }
}
