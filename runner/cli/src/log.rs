//! The runner's own log, for those who look for a fault in it.

/// The runner's own log, apart from the report.
pub(crate) fn start_log(verbosity: u8) {
    use tracing_subscriber::EnvFilter;
    let default = match verbosity {
        0..=2 => "off",
        3 => "info",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_env("SASRUN_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    // A second start in one process is harmless.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .try_init();
}
