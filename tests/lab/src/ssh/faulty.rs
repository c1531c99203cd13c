//! A connection that misbehaves as the scenario says: slow, or cut after so many bytes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::scenario::SshFaults;

/// A stream with the faults of a scenario.
pub struct Faulty<S> {
    stream: S,
    /// How many bytes may still be sent.
    left: Option<u64>,
    latency: Duration,
    /// How many bytes pass in a second; 0 for no bound.
    rate: u64,
    /// How long the chunk before still takes on the line.
    busy: Duration,
    pause: Option<Pin<Box<Sleep>>>,
}

impl<S> Faulty<S> {
    /// Wraps a stream of a connection that has just been accepted.
    pub fn new(stream: S, faults: &SshFaults) -> Self {
        Self {
            stream,
            left: faults.cut_after_bytes,
            latency: Duration::from_millis(faults.latency_ms),
            rate: faults.bytes_per_second,
            busy: Duration::ZERO,
            pause: None,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Faulty<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == Some(0) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Faulty<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.left == Some(0) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let held = self.latency + self.busy;
        if !held.is_zero() {
            let pause = self.pause.get_or_insert_with(|| Box::pin(sleep(held)));
            ready!(pause.as_mut().poll(cx));
        }
        let allowed = self.left.map_or(buf.len(), |left| {
            buf.len().min(usize::try_from(left).unwrap_or(usize::MAX))
        });
        let chunk = buf.get(..allowed).unwrap_or(buf);
        let sent = ready!(Pin::new(&mut self.stream).poll_write(cx, chunk))?;
        self.pause = None;
        let micros = u64::try_from(sent)
            .unwrap_or(u64::MAX)
            .saturating_mul(1_000_000);
        self.busy = Duration::from_micros(micros.checked_div(self.rate).unwrap_or(0));
        self.left = self
            .left
            .map(|left| left.saturating_sub(u64::try_from(sent).unwrap_or(u64::MAX)));
        Poll::Ready(Ok(sent))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test(flavor = "current_thread")]
    async fn a_cut_connection_sends_exactly_so_many_bytes_and_then_fails() {
        let (near, mut far) = tokio::io::duplex(64);
        let mut faulty = Faulty::new(
            near,
            &SshFaults {
                cut_after_bytes: Some(5),
                ..SshFaults::default()
            },
        );
        let error = faulty.write_all(b"0123456789").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        assert!(faulty.read_u8().await.is_err());
        drop(faulty);
        let mut got = Vec::new();
        far.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, b"01234");
    }
}
