//! The lock on one host: a directory in `/var/tmp` that only one can make, its owner in a file.
//!
//! What is sent must be read by old Bourne shells.

use sasrun_connection::{Command, Connection, Identity};
use sasrun_model::LockClaim;

/// Where locks are on hosts; the name follows.
const BEFORE_NAME: &str = "/var/tmp/sasrun-lock-";

/// Makes the directory and its owner, or tells who has it. Between making one and naming its owner
/// there is a moment that the other waits for.
const TAKE: &str = r#"umask 022
if mkdir "$SASRUN_LOCK" 2>/dev/null; then
  cat >"$SASRUN_LOCK/owner.new" <<SASRUN_END && mv -f "$SASRUN_LOCK/owner.new" "$SASRUN_LOCK/owner" && echo taken && exit 0
$SASRUN_CLAIM
SASRUN_END
  rm -f "$SASRUN_LOCK/owner.new" "$SASRUN_LOCK/owner"
  rmdir "$SASRUN_LOCK"
  exit 1
fi
if test ! -d "$SASRUN_LOCK"; then
  mkdir "$SASRUN_LOCK"
  exit 1
fi
n=0
while test ! -f "$SASRUN_LOCK/owner" && test -d "$SASRUN_LOCK" && test $n -lt 5; do
  sleep 1
  n=`expr $n + 1`
done
echo held
cat "$SASRUN_LOCK/owner" 2>/dev/null
exit 0"#;

/// Names another owner.
const TAKE_OVER: &str = r#"umask 022
cat >"$SASRUN_LOCK/owner.new" <<SASRUN_END && mv -f "$SASRUN_LOCK/owner.new" "$SASRUN_LOCK/owner"
$SASRUN_CLAIM
SASRUN_END"#;

/// Tells who has it, and when its owner was last heard of.
const LOOK: &str = r#"if test -f "$SASRUN_LOCK/owner"; then cat "$SASRUN_LOCK/owner"; fi"#;

/// Notes that its owner is alive.
const BEAT: &str = r#"touch "$SASRUN_LOCK/heartbeat""#;

/// Gives it back.
const REMOVE: &str = r#"rm -f "$SASRUN_LOCK/heartbeat" "$SASRUN_LOCK/owner.new" "$SASRUN_LOCK/owner" &&
rmdir "$SASRUN_LOCK""#;

/// What came of asking for it.
pub(super) enum Taking {
    /// It is ours, with this fencing number.
    Taken(u64),
    /// Another run has it.
    Held(Box<LockClaim>),
}

/// Who has it.
pub(super) enum Found {
    /// This run.
    Ours,
    /// Nobody.
    Gone,
    /// Another run, or this one after somebody went on with it.
    Of(Box<LockClaim>),
}

/// Takes the lock, or takes it over where the same run has it already.
pub(super) async fn take(connection: &Connection, claim: &LockClaim) -> Result<Taking, String> {
    for _ in 0..3 {
        let said = run(connection, TAKE, claim).await?;
        if said.trim() == "taken" {
            return Ok(Taking::Taken(claim.fence));
        }
        let Some(owner) = said.strip_prefix("held\n") else {
            return Err(format!("it answered {said:?}"));
        };
        // Its owner gave it back while we looked.
        if owner.trim().is_empty() {
            continue;
        }
        let held = parse(owner)?;
        if held.run != claim.run {
            return Ok(Taking::Held(Box::new(held)));
        }
        let claim = LockClaim {
            fence: claim.fence.max(held.fence + 1),
            ..claim.clone()
        };
        run(connection, TAKE_OVER, &claim).await?;
        return Ok(Taking::Taken(claim.fence));
    }
    Err(format!(
        "somebody began to take {} and did not; remove it when nobody is at it",
        directory(&claim.name)
    ))
}

/// Notes that the owner is alive, and tells whether it still is the owner.
pub(super) async fn beat(connection: &Connection, claim: &LockClaim) -> Result<Found, String> {
    let found = look(connection, claim).await?;
    if matches!(found, Found::Ours) {
        run(connection, BEAT, claim).await?;
    }
    Ok(found)
}

/// Gives the lock back, unless somebody took it over.
pub(super) async fn release(connection: &Connection, claim: &LockClaim) -> Result<(), String> {
    match look(connection, claim).await? {
        Found::Ours => run(connection, REMOVE, claim).await.map(drop),
        Found::Gone | Found::Of(_) => Ok(()),
    }
}

/// Gives the lock back for a run that will not; false when that run does not have it.
pub(super) async fn unlock(
    connection: &Connection,
    name: &str,
    run_id: &str,
) -> Result<bool, String> {
    let said = run_named(connection, LOOK, name, "").await?;
    if said.trim().is_empty() || parse(&said)?.run != run_id {
        return Ok(false);
    }
    run_named(connection, REMOVE, name, "").await?;
    Ok(true)
}

async fn look(connection: &Connection, claim: &LockClaim) -> Result<Found, String> {
    let said = run(connection, LOOK, claim).await?;
    if said.trim().is_empty() {
        return Ok(Found::Gone);
    }
    let held = parse(&said)?;
    Ok(if held.run == claim.run && held.fence <= claim.fence {
        Found::Ours
    } else {
        Found::Of(Box::new(held))
    })
}

fn parse(owner: &str) -> Result<LockClaim, String> {
    serde_json::from_str(owner.trim())
        .map_err(|_| "a lock is there that does not say whose it is".to_owned())
}

async fn run(connection: &Connection, script: &str, claim: &LockClaim) -> Result<String, String> {
    let json = serde_json::to_string(claim).map_err(|error| error.to_string())?;
    run_named(connection, script, &claim.name, &json).await
}

async fn run_named(
    connection: &Connection,
    script: &str,
    name: &str,
    claim: &str,
) -> Result<String, String> {
    let mut command = Command::shell(script);
    command.environment = vec![
        ("SASRUN_LOCK".to_owned(), directory(name)),
        ("SASRUN_CLAIM".to_owned(), claim.to_owned()),
    ];
    let output = connection
        .run(&Identity::Login, &command, None)
        .await
        .map_err(|error| error.to_string())?;
    if output.status.is_success() {
        return Ok(output.stdout.text().into_owned());
    }
    let said = output.stderr.text();
    Err(format!(
        "{} cannot be used: {}",
        directory(name),
        said.trim()
    ))
}

/// Where the lock of a name is.
fn directory(name: &str) -> String {
    let fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let kept = name.chars().map(|c| if fit(c) { c } else { '-' });
    let kept: String = kept.take(100).collect();
    format!("{BEFORE_NAME}{kept}")
}
