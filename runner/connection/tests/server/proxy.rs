//! A network between us and a server that fails on request: it cuts connections, or swallows what they carry.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What happens to a connection after so many bytes from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Nothing.
    Lives,
    /// It is cut.
    IsCut(usize),
    /// Nothing more arrives on either side, and nobody is told.
    IsSwallowed(usize),
}

/// A running proxy.
pub struct Proxy {
    pub port: u16,
    /// Connections that were made through it.
    pub connections: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    /// Leads to a port of this machine; the fate of each connection in turn is asked for by its number.
    pub async fn start(to: u16, fate: impl Fn(usize) -> Fate + Send + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let fate = fate(counted.fetch_add(1, Ordering::Relaxed));
                let server = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
                tokio::spawn(carry(client, server, fate));
            }
        });
        Self {
            port,
            connections,
            task,
        }
    }
}

async fn carry(client: TcpStream, server: TcpStream, fate: Fate) {
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let upwards = async {
        let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
        let _ = to_server.shutdown().await;
        std::future::pending::<()>().await;
    };
    let downwards = async {
        let mut left = match fate {
            Fate::Lives => usize::MAX,
            Fate::IsCut(bytes) | Fate::IsSwallowed(bytes) => bytes,
        };
        let mut buffer = vec![0; 8192];
        while left > 0 {
            let room = buffer.len().min(left);
            match from_server.read(&mut buffer[..room]).await {
                Ok(read @ 1..) if to_client.write_all(&buffer[..read]).await.is_ok() => {
                    left -= read;
                }
                _ => return,
            }
        }
    };
    tokio::select! {
        () = upwards => {}
        () = downwards => {}
    }
    if matches!(fate, Fate::IsSwallowed(_)) {
        // Both sockets stay open and silent.
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        drop((from_client, to_client, from_server, to_server));
    }
}
