//! The plugin's side of the wire: reads asks, writes replies.

use std::io::{self, BufRead, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Ask, FromPlugin, Hello, Offering, PROTOCOL, Reply, ToPlugin};
use crate::Library;

/// What answers asks; must stand several at once.
pub trait Backend: Send + Sync + 'static {
    /// Answers one ask, or nothing to those that want no reply.
    fn reply(&self, id: u64, ask: Ask) -> Option<Reply>;
}

/// Serves a backend until the input ends.
///
/// Each ask gets a thread of its own, so that one that hangs holds up no other.
///
/// # Errors
/// The input or the output broke, or a line of the input is not a message.
pub fn serve(
    backend: Arc<dyn Backend>,
    input: impl BufRead,
    output: impl Write + Send + 'static,
) -> io::Result<()> {
    let output = Arc::new(Mutex::new(output));
    for line in input.lines() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let message: ToPlugin = serde_json::from_str(&line)?;
        let Some(id) = message.id else {
            let reply = match message.ask {
                Ask::Hello(_) => Reply::Hello(Hello { protocol: PROTOCOL }),
                _ => Reply::Error("a message other than hello needs an id".into()),
            };
            write_line(&output, &FromPlugin { id: None, reply })?;
            continue;
        };
        let (backend, output) = (Arc::clone(&backend), Arc::clone(&output));
        std::thread::Builder::new().spawn(move || {
            if let Some(reply) = backend.reply(id, message.ask) {
                // A reader that is gone is noticed by the end of the input.
                let _ = write_line(
                    &output,
                    &FromPlugin {
                        id: Some(id),
                        reply,
                    },
                );
            }
        })?;
    }
    Ok(())
}

/// Serves a library on standard input and output: the whole `main` of a plugin that is an
/// executable written in Rust.
///
/// # Errors
/// As [`serve`].
pub fn serve_stdio(library: Library) -> io::Result<()> {
    serve(
        Arc::new(Offering::new(library)),
        io::stdin().lock(),
        io::stdout(),
    )
}

fn write_line<W: Write>(output: &Mutex<W>, message: &FromPlugin) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
    output.write_all(&line)?;
    output.flush()
}
