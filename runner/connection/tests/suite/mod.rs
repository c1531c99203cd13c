//! What every transport and every shell must do: one list of cases, run for each of them.

mod commands;
mod dialogues;
mod files;
mod jobs;

use std::future::Future;
use std::time::{Duration, Instant};

use sasrun_connection::{Captured, Command, Connection, Identity, Output};

pub use commands::*;
pub use dialogues::*;
pub use files::*;
pub use jobs::*;

/// Something that cases can be run on, and what of them it cannot do.
pub struct Subject {
    pub connection: Connection,
    pub identity: Identity,
    /// A directory on the host, for the case alone.
    pub directory: tempfile::TempDir,
    /// Whatever must live as long as the connection.
    pub _keep: Box<dyn std::any::Any + Send>,
}

impl Subject {
    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.directory.path().display())
    }

    async fn run(&self, command: Command) -> Output {
        self.connection
            .run(&self.identity, &command, None)
            .await
            .unwrap()
    }

    async fn shell(&self, script: &str) -> Output {
        self.run(Command::shell(script)).await
    }
}

/// Makes one test of each case; `$open` gives a subject, or `None` where it cannot be had here.
#[macro_export]
macro_rules! suite {
    ($open:expr) => {
        $crate::suite!(@cases $open,
            status_and_streams many_commands_keep_their_order signals_and_codes_are_told_apart
            commands_do_not_change_the_shell forged_markers_are_output binary_output_is_untouched
            binary_input_is_untouched unread_input_is_not_run large_output_keeps_head_and_tail
            sinks_see_everything background_processes_hold_and_pollute_nothing
            writers_between_frames_pollute_nothing timeouts_end_whole_trees idle_timeouts_end_silence
            abandoned_commands_end directory_and_environment impossible_requests_are_refused
            parallel_commands_have_their_own_shells reset_gives_a_fresh_shell
            killing_the_shell_is_told stats_of_all_kinds odd_names_are_only_names
            batches_answer_in_order files_are_read_up_to_a_limit written_files_are_what_was_asked
            written_permissions overwriting_keeps_and_guards failed_writes_leave_the_old_file
            large_files_travel_both_ways dialogues_echo dialogues_guard_what_is_sent
            jobs_give_status_and_streams jobs_begin_once jobs_are_read_from_any_byte
            jobs_outlive_their_connection jobs_are_stopped_with_all_they_started
            jobs_hold_their_own_time_limit interrupted_jobs_are_told a_settled_job_never_begins
            jobs_are_listed dialogues_can_be_ended held_dialogues_go_on_without_a_viewer held_dialogues_can_be_ended terminals_for_single_commands nothing_is_left_behind
        );
    };
    (@cases $open:expr, $($case:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let Some(subject) = $open.await else { return };
                let name = stringify!($case);
                $crate::suite::within(name, $crate::suite::$case(&subject)).await;
                subject.connection.close().await;
            }
        )*
    };
}

/// Bounds a case, so that a hang is a failure with a name.
pub async fn within(name: &str, case: impl Future<Output = ()>) {
    let limit = Duration::from_secs(90);
    if tokio::time::timeout(limit, case).await.is_err() {
        panic!("{name} did not end within {limit:?}");
    }
}

fn text(captured: &Captured) -> String {
    captured.text().into_owned()
}

/// Waits until a condition holds, and fails when it does not within ten seconds.
async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let begun = Instant::now();
    while !condition().await {
        assert!(begun.elapsed() < Duration::from_secs(10), "not so: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn noise(count: usize, mut seed: u64) -> Vec<u8> {
    (0..count)
        .map(|_| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            (seed >> 24) as u8
        })
        .collect()
}
