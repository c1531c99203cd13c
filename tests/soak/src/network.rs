//! The network between, which can be cut, and which can swallow what it is given.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// A way to a port of another address.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    wire: Arc<Wire>,
}

/// What all connections of a way share.
struct Wire {
    streams: Mutex<Vec<TcpStream>>,
    /// Since when everything is swallowed, on connections that stay open.
    silent_since: OnceLock<Instant>,
    /// Bytes from the server after which it falls silent.
    silent_after: u64,
    from_server: AtomicU64,
}

impl Proxy {
    /// A way to an address and port.
    pub(crate) fn start(to: (Ipv4Addr, u16)) -> io::Result<Self> {
        Self::silent_after(to, u64::MAX)
    }

    /// A way that falls silent after so many bytes from the server.
    pub(crate) fn silent_after(to: (Ipv4Addr, u16), bytes: u64) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let wire = Arc::new(Wire {
            streams: Mutex::default(),
            silent_since: OnceLock::new(),
            silent_after: bytes,
            from_server: AtomicU64::new(0),
        });
        if bytes == 0 {
            wire.fall_silent();
        }
        let own = Arc::clone(&wire);
        // It ends with the process; a trial has no way to wake it.
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(to) else {
                    continue;
                };
                if let Err(error) = carry(&client, &server, &own) {
                    drop(error);
                }
            }
        });
        Ok(Self { port, wire })
    }

    /// Cuts all connections that there are.
    pub(crate) fn cut(&self) {
        let mut streams = self.wire.lock();
        for stream in streams.drain(..) {
            // One that is gone already needs no cutting.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Swallows everything from now on.
    pub(crate) fn fall_silent(&self) {
        self.wire.fall_silent();
    }

    /// Since when it swallows everything; none while it does not.
    pub(crate) fn silent_since(&self) -> Option<Instant> {
        self.wire.silent_since.get().copied()
    }

    /// Bytes that came from the server so far.
    pub(crate) fn bytes_from_server(&self) -> u64 {
        self.wire.from_server.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.cut();
    }
}

impl Wire {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<TcpStream>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_silent(&self) -> bool {
        self.silent_since.get().is_some()
    }

    fn fall_silent(&self) {
        self.silent_since.get_or_init(Instant::now);
    }

    /// How many of these bytes from the server still come through.
    fn let_through(&self, bytes: usize) -> usize {
        let length = u64::try_from(bytes).unwrap_or(u64::MAX);
        let before = self.from_server.fetch_add(length, Ordering::SeqCst);
        let left = self.silent_after.saturating_sub(before);
        if left <= length {
            self.fall_silent();
        }
        usize::try_from(left).unwrap_or(usize::MAX).min(bytes)
    }
}

fn carry(client: &TcpStream, server: &TcpStream, wire: &Arc<Wire>) -> io::Result<()> {
    for stream in [client, server] {
        stream.set_nodelay(true)?;
        wire.lock().push(stream.try_clone()?);
    }
    for (from, to, is_server) in [(client, server, false), (server, client, true)] {
        let (from, to) = (from.try_clone()?, to.try_clone()?);
        let wire = Arc::clone(wire);
        std::thread::spawn(move || {
            // However it ends, the connection is over.
            let _ = pump(&from, &to, is_server, &wire);
            if !wire.is_silent() {
                let _ = to.shutdown(Shutdown::Both);
            }
        });
    }
    Ok(())
}

fn pump(mut from: &TcpStream, mut to: &TcpStream, is_server: bool, wire: &Wire) -> io::Result<()> {
    let mut buffer = [0; 16 << 10];
    loop {
        let length = from.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        let was_silent = wire.is_silent();
        let length = if is_server {
            wire.let_through(length)
        } else {
            length
        };
        if !was_silent {
            to.write_all(buffer.get(..length).unwrap_or_default())?;
        }
    }
}

/// A port whose queue of callers is full: no call to it is ever answered.
pub(crate) struct NoAnswer {
    pub(crate) port: u16,
    _listener: TcpListener,
    _callers: Vec<TcpStream>,
}

impl NoAnswer {
    /// Fills the queue of a new port.
    pub(crate) fn start() -> io::Result<Self> {
        /// A queue is much shorter; more would mean that it is none.
        const MOST_CALLERS: usize = 5000;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let at = listener.local_addr()?;
        let mut callers = Vec::new();
        while let Ok(caller) = TcpStream::connect_timeout(&at, Duration::from_millis(300)) {
            callers.push(caller);
            if callers.len() > MOST_CALLERS {
                return Err(io::Error::other("the queue of callers has no end"));
            }
        }
        Ok(Self {
            port: at.port(),
            _listener: listener,
            _callers: callers,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_answers_at_a_full_queue() {
        let silent = NoAnswer::start().unwrap();
        let at = (Ipv4Addr::LOCALHOST, silent.port).into();
        let began = Instant::now();
        assert!(TcpStream::connect_timeout(&at, Duration::from_millis(200)).is_err());
        assert!(began.elapsed() >= Duration::from_millis(200));
    }

    #[test]
    fn what_comes_after_the_silence_is_swallowed() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let proxy = Proxy::silent_after((Ipv4Addr::LOCALHOST, port), 3).unwrap();
        let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port)).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        server.write_all(b"abcdef").unwrap();
        let mut seen = [0; 3];
        client.read_exact(&mut seen).unwrap();
        assert_eq!(&seen, b"abc");
        client
            .set_read_timeout(Some(Duration::from_millis(100)))
            .unwrap();
        let more = client.read(&mut seen).unwrap_err();
        assert!(matches!(
            more.kind(),
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
        ));
    }
}
