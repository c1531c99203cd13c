//! `media_mount`: a medium at its place, read-only, and the right one.

use sasrun_plugin::{Arguments, Call, Command, Failure, Host, ModuleResult, Object, Outcome};

use crate::identity::{Found, Identity};
use crate::look::{Look, look};
use crate::mount_table::Mount;
use crate::system::{Kind, Wanted, mount_failure};
use crate::unmount::unmount;

/// The task: its arguments in types.
pub(crate) struct Task {
    /// None if a mount of any source is to be taken off.
    pub(crate) wanted: Option<Wanted>,
    pub(crate) path: String,
    pub(crate) limit_ms: u64,
    pub(crate) interval_ms: u64,
    pub(crate) timeout_ms: u64,
    elsewhere: bool,
    remount_stale: bool,
    identity: Identity,
}

/// Carries out the module.
pub(crate) async fn mount(call: Call, host: Host) -> ModuleResult {
    let arguments = Arguments::validated(call.arguments);
    let task = Task::new(&arguments);
    if !task.path.starts_with('/') || task.path == "/" {
        return Err(Failure::new(format!(
            "{:?} cannot be a mount point",
            task.path
        )));
    }
    match (arguments.text_or_empty("state"), &task.wanted) {
        ("unmounted", _) => unmount(&task, &host).await,
        (_, Some(wanted)) => task.mount(wanted, &host).await,
        (_, None) => Err(Failure::new("to mount something, name its `source`")),
    }
}

impl Task {
    fn new(arguments: &Arguments) -> Self {
        let path = match arguments.text_or_empty("path") {
            "/" => "/",
            path => path.trim_end_matches('/'),
        };
        let milliseconds = |name: &str| {
            let seconds = u64::try_from(arguments.integer(name).unwrap_or(0)).unwrap_or(0);
            seconds.saturating_mul(1000)
        };
        Self {
            wanted: arguments.text("source").map(|source| Wanted {
                kind: Kind::named(arguments.text_or_empty("kind")),
                source: source.to_owned(),
                path: path.to_owned(),
                options: arguments.strings("options"),
                filesystem: arguments.text("filesystem").map(str::to_owned),
            }),
            path: path.to_owned(),
            limit_ms: milliseconds("limit"),
            interval_ms: milliseconds("interval").max(100),
            timeout_ms: milliseconds("timeout").max(1000),
            elsewhere: arguments.flag("elsewhere"),
            remount_stale: arguments.flag("remount_stale"),
            identity: Identity::of(arguments),
        }
    }

    async fn mount(&self, wanted: &Wanted, host: &Host) -> ModuleResult {
        let seen = look(host, Some(wanted), self.timeout_ms).await?;
        if let Some(mount) = seen.at(&self.path) {
            return self.use_what_is_there(wanted, &seen, mount, host).await;
        }
        if self.elsewhere
            && let Some(outcome) = self.use_elsewhere(wanted, &seen, host).await?
        {
            return Ok(outcome);
        }
        self.make(wanted, &seen, host).await
    }

    /// Leaves a right mount alone, and stops at a wrong one.
    async fn use_what_is_there(
        &self,
        wanted: &Wanted,
        seen: &Look,
        mount: &Mount,
        host: &Host,
    ) -> ModuleResult {
        let same_source = seen.is(mount, wanted);
        let occupied = || {
            Failure::new(format!(
                "{} is mounted on {} already, not {}; it was left as it is",
                mount.source, mount.point, wanted.source
            ))
        };
        if !same_source && !self.identity.tells() {
            return Err(with_mount(occupied(), mount));
        }
        let found = self.identify(&self.path, wanted, host).await?;
        match self.identity.judge(&found) {
            Ok(()) => Ok(done(false, found.result(), mount)),
            Err(_) if same_source && found.is_stale() && self.remount_stale => {
                self.remount(wanted, seen, host).await
            }
            Err(reason) if same_source => Err(with_mount(Failure::new(reason), mount)),
            Err(reason) => {
                let mut failure = occupied();
                failure.msg = format!("{}; {reason}", failure.msg);
                Err(with_mount(failure, mount))
            }
        }
    }

    /// Takes the medium where it is mounted already, if it is the right one there.
    async fn use_elsewhere(
        &self,
        wanted: &Wanted,
        seen: &Look,
        host: &Host,
    ) -> Result<Option<Outcome>, Failure> {
        let mut wrong = None;
        for mount in seen.elsewhere(wanted) {
            let found = self.identify(&mount.point, wanted, host).await?;
            match self.identity.judge(&found) {
                Ok(()) => return Ok(Some(done(false, found.result(), mount))),
                Err(reason) if seen.is(mount, wanted) => {
                    wrong = Some(with_mount(Failure::new(reason), mount));
                }
                Err(_) => {}
            }
        }
        match wrong {
            // The very source holds something else: mounting it twice would not change that.
            Some(failure) => Err(failure),
            None => Ok(None),
        }
    }

    fn foreseen(&self, wanted: &Wanted) -> Object {
        let mut foreseen = Object::new();
        foreseen.insert("path".into(), self.path.as_str().into());
        foreseen.insert("mounted".into(), true.into());
        foreseen.insert("source".into(), wanted.source.as_str().into());
        foreseen
    }

    async fn make(&self, wanted: &Wanted, seen: &Look, host: &Host) -> ModuleResult {
        let summary = format!("mount {} on {}, read-only", wanted.source, self.path);
        host.will_change(summary, None, self.foreseen(wanted))
            .await?;
        self.mount_and_judge(wanted, seen, host).await
    }

    /// Mounts anew what its server no longer knows.
    async fn remount(&self, wanted: &Wanted, seen: &Look, host: &Host) -> ModuleResult {
        let summary = format!(
            "mount {} on {} again, its handle is stale",
            wanted.source, self.path
        );
        host.will_change(summary, None, self.foreseen(wanted))
            .await?;
        let output = host
            .run(Command {
                script: format!("umount {}", Host::quote(&self.path)),
                timeout_ms: Some(self.timeout_ms),
                ..Command::default()
            })
            .await?;
        if !output.succeeded() {
            return Err(Failure {
                unknown: output.timed_out,
                ..Failure::new(format!(
                    "{}: the NFS handle is stale, and it could not be unmounted: {}",
                    self.path,
                    output.stderr.trim()
                ))
            });
        }
        self.mount_and_judge(wanted, seen, host).await
    }

    async fn mount_and_judge(&self, wanted: &Wanted, seen: &Look, host: &Host) -> ModuleResult {
        let output = host
            .run(Command {
                script: wanted.command(seen.system),
                timeout_ms: Some(self.timeout_ms),
                ..Command::default()
            })
            .await?;
        if !output.succeeded() {
            let text = format!("{}{}", output.stderr, output.stdout);
            let cause = match (output.timed_out, mount_failure(&text)) {
                (true, _) => "the mount did not come to an end; the server may be dead",
                (_, Some(cause)) => cause,
                _ => "the mount failed",
            };
            let (source, said) = (&wanted.source, text.trim());
            return Err(Failure {
                unknown: output.timed_out,
                ..Failure::new(format!("{source} on {}: {cause} ({said})", self.path))
            }
            .with("rc", output.rc));
        }
        let after = look(host, Some(wanted), self.timeout_ms).await?;
        let Some(mount) = after.at(&self.path) else {
            return Err(Failure::new(format!(
                "the mount succeeded, but {} is not in the mount table",
                self.path
            )));
        };
        let judged = match self.identify(&self.path, wanted, host).await {
            Ok(found) => self.identity.judge(&found).map(|()| found),
            Err(failure) => Err(failure.msg),
        };
        match judged {
            Ok(found) => Ok(done(true, found.result(), mount)),
            Err(reason) => Err(self.take_back(reason, host).await?),
        }
    }

    /// Takes off a wrong medium that this task itself mounted.
    async fn take_back(&self, reason: String, host: &Host) -> Result<Failure, Failure> {
        let output = host
            .run(Command {
                script: format!("umount {}", Host::quote(&self.path)),
                timeout_ms: Some(self.timeout_ms),
                ..Command::default()
            })
            .await?;
        let end = if output.succeeded() {
            "it was unmounted again".to_owned()
        } else {
            format!("it could not be unmounted again: {}", output.stderr.trim())
        };
        Ok(Failure::new(format!("{reason}; {end}")).with("mounted", !output.succeeded()))
    }

    async fn identify(&self, path: &str, wanted: &Wanted, host: &Host) -> Result<Found, Failure> {
        let device = match wanted.kind {
            Kind::Dvd | Kind::Image => Some(wanted.source.as_str()),
            Kind::Nfs | Kind::Bind => None,
        };
        self.identity
            .look(host, path, device, self.timeout_ms)
            .await
    }
}

fn done(changed: bool, result: Object, mount: &Mount) -> Outcome {
    let mut outcome = Outcome {
        changed,
        result,
        ..Outcome::default()
    };
    outcome.result.extend(described(mount));
    outcome
}

fn with_mount(mut failure: Failure, mount: &Mount) -> Failure {
    failure.result.extend(described(mount));
    failure
}

fn described(mount: &Mount) -> Object {
    let mut result = Object::new();
    result.insert("path".into(), mount.point.as_str().into());
    result.insert("mounted".into(), true.into());
    result.insert("source".into(), mount.source.as_str().into());
    result.insert("filesystem".into(), mount.filesystem.as_str().into());
    result.insert("options".into(), mount.options.as_str().into());
    result
}
