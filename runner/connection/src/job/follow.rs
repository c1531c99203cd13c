//! Following a job to its end, through lost connections.
//!
//! Must not: begin a job whose beginning is in doubt before that is settled.

use std::time::{Duration, Instant};

use tokio::time;

use super::{JobId, JobRequest, JobStart, JobState, JobView};
use crate::command::OutputSink;
use crate::connection::Connection;
use crate::error::ConnectionError;
use crate::identity::Identity;

/// Where the next bytes of a job's two output streams begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JobOffsets {
    /// Bytes of standard output that are known.
    pub stdout: u64,
    /// Bytes of standard error that are known.
    pub stderr: u64,
}

/// How long and how often a viewer looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patience {
    /// Longest pause between two looks.
    pub longest_pause: Duration,
    /// Longest time without a connection before the viewer gives up; the job goes on.
    pub reconnect: Duration,
    /// Longest silence of the job before it is ended.
    pub silence: Option<Duration>,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            longest_pause: Duration::from_secs(1),
            reconnect: Duration::from_secs(15 * 60),
            silence: None,
        }
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(10);

/// Pauses between attempts to reach a host that is gone.
pub(super) struct BackOff {
    since: Option<Instant>,
    pause: Duration,
}

impl BackOff {
    pub(super) fn new() -> Self {
        Self {
            since: None,
            pause: Duration::from_millis(100),
        }
    }

    /// Waits before another attempt; gives the error back when it was the last, or would not go better.
    pub(super) async fn wait(
        &mut self,
        error: ConnectionError,
        patience: &Patience,
    ) -> Result<(), ConnectionError> {
        let since = *self.since.get_or_insert_with(Instant::now);
        if !is_passing(&error) || since.elapsed() >= patience.reconnect {
            return Err(error);
        }
        tracing::debug!(%error, "the connection to a job is lost; it goes on");
        // Many viewers lose their host together; spread them.
        let jitter = rand::random_range(0.5..1.5);
        time::sleep(self.pause.mul_f64(jitter)).await;
        self.pause = (self.pause * 2).min(LONGEST_BACK_OFF);
        Ok(())
    }
}

/// Tells a failure that may be over the next time from one that will not be.
fn is_passing(error: &ConnectionError) -> bool {
    let refused = [
        "host_key_unknown",
        "host_key_changed",
        "host_key_revoked",
        "known_hosts",
        "identity_file",
        "authentication",
    ];
    (error.is_unreachable() && !refused.contains(&error.kind())) || error.kind() == "shell_lost"
}

impl Connection {
    /// Begins a job, or finds it begun, whatever happens to the connection meanwhile.
    ///
    /// # Errors
    /// The host could not be reached for too long, or takes no jobs.
    pub async fn ensure_job(
        &self,
        identity: &Identity,
        request: &JobRequest,
        patience: &Patience,
    ) -> Result<JobStart, ConnectionError> {
        let mut back_off = BackOff::new();
        loop {
            match self.start_job(identity, request).await {
                Ok(start) => return Ok(start),
                Err(error) => back_off.wait(error, patience).await?,
            }
            match self.settle_job(identity, &request.id).await {
                Ok(view) if view.state == JobState::Absent => {
                    if let Err(error) = self.remove_job(identity, &request.id).await {
                        back_off.wait(error, patience).await?;
                    }
                }
                Ok(_) => return Ok(JobStart::Begun),
                Err(error) => back_off.wait(error, patience).await?,
            }
        }
    }

    /// Follows a job to its end and hands its output to the sink, from the offsets on, each byte once.
    ///
    /// The connection may be lost and come back meanwhile. Dropping the future leaves the job alone.
    ///
    /// # Errors
    /// The host could not be reached for longer than patience allows; the job may go on.
    pub async fn follow_job(
        &self,
        identity: &Identity,
        id: &JobId,
        offsets: &mut JobOffsets,
        sink: &mut dyn OutputSink,
        patience: &Patience,
    ) -> Result<JobView, ConnectionError> {
        let mut back_off = BackOff::new();
        let mut pause = FIRST_PAUSE;
        let mut heard_at = Instant::now();
        loop {
            let before = *offsets;
            match self.read_job(identity, id, offsets, sink).await {
                Ok(view) => {
                    back_off = BackOff::new();
                    let is_whole = offsets.stdout >= view.written.stdout
                        && offsets.stderr >= view.written.stderr;
                    if view.state.is_final() && is_whole {
                        return Ok(view);
                    }
                    if *offsets != before {
                        heard_at = Instant::now();
                        pause = FIRST_PAUSE;
                    }
                    if !is_whole {
                        continue;
                    }
                }
                Err(error) => {
                    if *offsets != before {
                        // It was reached in the meantime: a network that comes and goes is no dead one.
                        back_off = BackOff::new();
                    }
                    back_off.wait(error, patience).await?;
                    continue;
                }
            }
            if patience
                .silence
                .is_some_and(|limit| heard_at.elapsed() >= limit)
            {
                self.stop_job(identity, id).await?;
                heard_at = Instant::now();
            }
            time::sleep(pause).await;
            pause = (pause * 3 / 2).min(patience.longest_pause);
        }
    }
}
