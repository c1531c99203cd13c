//! The shell texts of the job protocol.
//!
//! Files of a job: `about` what it is, `in` its input, `run` its wrapper, `begun` the referee of its one beginning, `void` says
//! that it never began and never will, `pid` its process, start and boot, `out` and `err` its output, `words` what the wrapper's
//! shell said of the command's death, `late` and `stopped` who ended it, `rc` its end.
//!
//! Must not: use anything an old Bourne shell cannot read.

use super::{JobId, JobOffsets, JobRequest};
use crate::error::Problem;
use crate::shell::frame;

/// Size of the blocks in which output is read: `dd` counts in them.
pub(super) const BLOCK_BYTES: u64 = 4096;
/// Bytes of each stream that one look reads at most.
pub(super) const LOOK_BYTES: usize = 64 << 20;

/// Sets `_u` to the user's number and `_r` to the directory of that user's jobs.
pub(super) const ROOT: &str = r#"_u=`id -u 2>/dev/null`
if [ -z "$_u" ]; then _u=`id | sed 's/^uid=\([0-9]*\).*/\1/'`; fi
_r=/var/tmp/sasrun-$_u
"#;

/// Sets `_b` to something that changes with each boot.
pub(super) const BOOT: &str = r#"_b=
if [ -r /proc/sys/kernel/random/boot_id ]; then read _b </proc/sys/kernel/random/boot_id; fi
if [ -z "$_b" ]; then _b=`who -b 2>/dev/null`; _b=`echo $_b`; fi
"#;

/// Finds out about the job in `_j`, named `_i`: its state in `_st` and what `pid` and `rc` say.
///
/// With `_now` at 20 it does not wait for a job that is about to say who it is.
pub(super) const LOOK: &str = r#"_now=0
_alive() {
  kill -0 $1 2>/dev/null || return 1
  if [ -r /proc/$1/cmdline ]; then grep "$_i" /proc/$1/cmdline >/dev/null 2>&1; return $?; fi
  case `ps -o args= -p $1 2>/dev/null` in *"$_i"*) return 0 ;; esac
  return 1
}
_look() {
  _pid=0 _g=0 _start=- _how=- _boot=- _rc=- _k=- _end=- _late=- _left=0 _n=$_now
  if [ ! -d "$_j" ]; then _st=absent; return 0; fi
  if [ -f "$_j/void" ]; then _st=void; return 0; fi
  if [ ! -d "$_j/begun" ]; then _st=starting; return 0; fi
  while [ ! -s "$_j/pid" ] && [ ! -f "$_j/void" ] && [ $_n -lt 20 ]; do
    _n=`expr $_n + 1`
    sleep 0.1 2>/dev/null || { sleep 1; _n=`expr $_n + 9`; }
  done
  if [ -f "$_j/void" ]; then _st=void; return 0; fi
  if [ -s "$_j/pid" ]; then read _pid _g _start _how _boot <"$_j/pid"; fi
  if [ -s "$_j/rc" ]; then _st=finished
  elif [ "$_boot" != "$_b" ]; then _st=rebooted
  elif [ "$_pid" != 0 ] && _alive $_pid; then _st=running
  elif [ -s "$_j/rc" ]; then _st=finished
  else _st=gone
    # A zombie is over, although it answers until somebody reads its end.
    if [ $_g = 1 ] && kill -0 -$_pid 2>/dev/null; then
      _left=`{ ps -e -o pgid= -o stat= || ps -o pgid,stat; } 2>/dev/null | awk '
        $1 == "'$_pid'" && $2 !~ /^Z/ { live = 1 }
        END { if (live || NR < 2) print 1; else print 0 }'`
    fi
  fi
  if [ $_st = finished ]; then read _rc _k _end <"$_j/rc"; fi
  # A stop may have ended the program that tells the time.
  if [ -z "$_k" ]; then _k=-; fi
  if [ -z "$_end" ]; then _end=-; fi
  if [ -f "$_j/late" ]; then _late=late; fi
  if [ -f "$_j/stopped" ]; then _late=stopped; fi
}
_size() {
  if [ -s "$_j/$1" ]; then wc -c <"$_j/$1"; else echo 0; fi
}
_say() {
  _so=0 _se=0
  if [ -s "$_j/out" ]; then _so=`_size out`; fi
  if [ -s "$_j/err" ]; then _se=`_size err`; fi
  echo $1 $2 $_st $_pid $_g $_start $_how $_rc $_k $_end $_late $_left $_so $_se
}
"#;

/// The text that begins a job.
pub(super) fn start(request: &JobRequest, shell: &str) -> Result<String, Problem> {
    let id = request.id.as_str();
    let token = frame::token();
    let about: String = request
        .about
        .iter()
        .map(|(name, value)| format!("{name}={}\n", one_line(value)))
        .collect();
    let input = match request.command.stdin {
        Some(_) => "cat >\"$_j/in\" || _fail\n",
        None => "",
    };
    let wrapper = wrapper(request)?;
    Ok(format!(
        r#"_umask=`umask`
umask 077
{ROOT}_j=$_r/jobs/{id} _i={id}
_fail() {{ rm -rf "$_j"; echo "refused cannot write in $_j"; exit 0; }}
for _n in 1 2 3 4 5 6 7 8 9; do
mkdir "$_r" 2>/dev/null
mkdir "$_r/jobs" 2>/dev/null
for _d in "$_r" "$_r/jobs"; do
# The end of another job may take it away at any moment, so nothing asks before this look.
_l=`ls -ldn "$_d" 2>&1` || if [ $_n -lt 9 ]; then continue 2; fi
set x $_l
case "$2 $4" in drwx------*" $_u") ;; *) echo "refused $_d must be a directory of user $_u with mode 0700: $_l"; exit 0 ;; esac
done
if _m=`mkdir "$_j" 2>&1`; then
_m=
break
fi
if [ -d "$_j" ]; then echo taken; exit 0; fi
done
if [ -n "$_m" ]; then echo refused $_m; exit 0; fi
{input}cat >"$_j/about" <<'{token}' || _fail
{about}{token}
cat >"$_j/run" <<'{token}' || _fail
{wrapper}{token}
if setsid true 2>/dev/null; then
  setsid {shell} "$_j/run" "$_j" setsid $_umask </dev/null >/dev/null 2>&1 7<&- &
elif perl -MPOSIX -e 1 2>/dev/null; then
  perl -MPOSIX -e 'POSIX::setsid(); exec @ARGV' {shell} "$_j/run" "$_j" perl $_umask </dev/null >/dev/null 2>&1 7<&- &
else
  ( set -m; nohup {shell} "$_j/run" "$_j" nohup $_umask </dev/null >/dev/null 2>&1 7<&- & ) 2>/dev/null
fi
echo begun
"#
    ))
}

/// The script that runs as the job: `run DIRECTORY HOW UMASK`.
///
/// Errors are redirected inside the subshell: ksh would write its words about the command's death among them.
fn wrapper(request: &JobRequest) -> Result<String, Problem> {
    let command = &request.command;
    let mut inner = String::new();
    frame::preamble_into(&mut inner, command)?;
    inner.push_str("eval ");
    frame::quote_script(&mut inner, &command.script)?;
    let input = match command.stdin {
        Some(_) => "\"$_j/in\"",
        None => "/dev/null",
    };
    let watch = match command.timeout {
        Some(limit) => watch(limit.as_secs_f64().ceil().max(1.0)),
        None => String::new(),
    };
    Ok(format!(
        r#"_j=$1 _how=$2 _umask=$3 _g=0 _w=
exec 2>/dev/null
trap : 1 2 15
if kill -0 -$$; then _g=1; fi
{BOOT}_t=`date +%s`
_end() {{ echo "$1 $2 `date +%s`" >"$_j/rc.new" && mv -f "$_j/rc.new" "$_j/rc"; }}
mkdir "$_j/begun" || exit 0
echo "$$ $_g $_t $_how $_b" >"$_j/pid" || {{ rmdir "$_j/begun"; exit 0; }}
exec 2>"$_j/words"
{watch}( exec 2>"$_j/err"
umask $_umask
{inner}
) <{input} >"$_j/out"
_s=$? _k=0 _n=0
if [ -s "$_j/words" ]; then _k=1; fi
exec 2>/dev/null
until [ -s "$_j/rc" ] || _end $_s $_k || [ $_n -gt 60 ]; do
  _n=`expr $_n + 1`
  sleep 1
done
if [ -n "$_w" ]; then kill $_w; wait $_w; fi
"#
    ))
}

/// The part of a wrapper that ends the job when its time is over.
///
/// Shells lose signals: one that was just forked forgets what it gets before its traps are in order, and one that is about to
/// wait may not be woken. So the watchman looks for the result itself, before it waits and every few seconds, and its sleep
/// is ended by the signal that nobody can forget.
fn watch(seconds: f64) -> String {
    format!(
        r#"( trap 'kill -9 $!; exit 0' 15
  _n={seconds}
  while [ $_n -gt 0 ]; do
    if [ -s "$_j/rc" ] || [ ! -d "$_j" ]; then exit 0; fi
    _p=5
    if [ $_n -lt 5 ]; then _p=$_n; fi
    sleep $_p &
    wait $!
    _n=`expr $_n - $_p`
  done
  : >"$_j/late"
  trap '' 15
  if [ $_g = 1 ]; then
    kill -15 -$$
    sleep 2
    if [ -s "$_j/rc" ]; then exit 0; fi
    _end 137 1
    kill -9 -$$
  fi ) </dev/null >/dev/null 2>&1 &
_w=$!
"#
    )
}

/// The text that tells a job's state; to settle is to make sure that one that has not begun never will.
pub(super) fn state(id: &JobId, settle: bool) -> String {
    let claim = match settle {
        true => "if [ -d \"$_j\" ] && mkdir \"$_j/begun\" 2>/dev/null; then : >\"$_j/void\"; fi\n",
        false => "",
    };
    format!("{ROOT}{BOOT}_i={id} _j=$_r/jobs/{id}\n{LOOK}{claim}_look\n_say\n")
}

/// The text that tells a job's state and then its output from the offsets' blocks on.
pub(super) fn read(id: &JobId, offsets: &JobOffsets, bytes: usize) -> String {
    let blocks = (bytes as u64).div_ceil(BLOCK_BYTES) + 1;
    let read = |name: &str, offset: u64, to: &str| {
        let skip = offset / BLOCK_BYTES;
        format!(
            "if [ -f \"$_j/{name}\" ]; then dd if=\"$_j/{name}\" bs={BLOCK_BYTES} skip={skip} count={blocks} 2>/dev/null{to}; fi\n"
        )
    };
    let mut text = state(id, false);
    // A descriptor of its own: where dd's chatter goes is no business of the output's.
    text.push_str(&read("out", offsets.stdout, ""));
    text.push_str("exec 5>&2\n");
    text.push_str(&read("err", offsets.stderr, " >&5"));
    text
}

/// The text that ends a job that runs, with the text that kills its processes.
pub(super) fn stop(id: &JobId, kill: &str) -> String {
    format!(
        r#"{ROOT}{BOOT}_i={id} _j=$_r/jobs/{id}
{LOOK}_look
if [ "$_st" != running ] && [ $_left = 0 ]; then echo absent; exit 0; fi
: >"$_j/stopped"
( {kill} )
if [ ! -s "$_j/rc" ] && [ "$_st" = running ]; then
  echo "137 1 `date +%s`" >"$_j/rc.new" && mv -f "$_j/rc.new" "$_j/rc"
fi
if kill -0 $_pid 2>/dev/null && _alive $_pid; then echo alive; else echo gone; fi
"#
    )
}

/// The text that removes a job that does not run.
pub(super) fn remove(id: &JobId) -> String {
    format!(
        r#"{ROOT}{BOOT}_i={id} _j=$_r/jobs/{id}
{LOOK}_look
case $_st in running | starting) echo running; exit 0 ;; esac
rm -rf "$_j" || exit 1
rmdir "$_r/jobs" "$_r" 2>/dev/null
echo removed
"#
    )
}

/// The text that lists jobs: three kinds of lines for each. Many may lie there, so an ended one costs few processes.
pub(super) fn list() -> String {
    format!(
        r#"{BOOT}{LOOK}_now=20
for _d in /var/tmp/sasrun-*/jobs; do
cd "$_d" 2>/dev/null || continue
for _i in *; do
_j=$_d/$_i
if [ ! -d "$_j" ] || [ ! -r "$_j" ]; then continue; fi
_look
_say job "$_i"
if [ -f "$_j/about" ]; then sed 's/^/about /' "$_j/about"; fi
if [ -s "$_j/out" ]; then tail -n 3 "$_j/out" | sed 's/^/last /'; fi
done
done
"#
    )
}

fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(400)
        .collect()
}

/// One of each text, for the test that all shells read them.
#[cfg(test)]
pub(crate) fn every_script() -> Vec<String> {
    use crate::command::Command;
    let id = JobId::new("job-1").unwrap();
    let request = JobRequest {
        id: id.clone(),
        command: Command {
            stdin: Some("x".into()),
            timeout: Some(std::time::Duration::from_secs(3)),
            cwd: Some("/a b".into()),
            ..Command::shell("true")
        },
        about: vec![("run".into(), "a b".into())],
    };
    let offsets = JobOffsets {
        stdout: 5000,
        stderr: 0,
    };
    vec![
        start(&request, "/bin/sh").unwrap(),
        wrapper(&request).unwrap(),
        state(&id, true),
        read(&id, &offsets, LOOK_BYTES),
        stop(&id, "true"),
        remove(&id),
        list(),
    ]
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command as Process;

    use super::*;
    use crate::command::Command;

    /// Begins a job below `place`, where another run's last job ends before each of the first `losses` looks.
    fn start_beside_another(place: &std::path::Path, losses: usize) -> String {
        let jobs = format!("{}/jobs-of-$_u", place.display());
        let ls = format!(
            "#!/bin/sh\necho >>{0}/looks\nif [ `grep -c '' {0}/looks` -le {losses} ]; then rm -rf \"$2\"; fi\n\
             PATH=${{PATH#*:}} exec ls \"$@\"\n",
            place.display()
        );
        fs::write(place.join("ls"), ls).unwrap();
        fs::set_permissions(place.join("ls"), fs::Permissions::from_mode(0o755)).unwrap();
        let request = JobRequest {
            id: JobId::new("r1.t1").unwrap(),
            command: Command::shell("true"),
            about: Vec::new(),
        };
        let text = start(&request, "/bin/sh").unwrap();
        let folder = "/var/tmp/sasrun-$_u";
        // The `ls` above removes what it is asked about: that must never be the real folder.
        assert!(text.contains(folder), "{text}");
        let path = std::env::var("PATH").unwrap();
        let told = Process::new("/bin/sh")
            .arg("-c")
            .arg(text.replace(folder, &jobs))
            .env("PATH", format!("{}:{path}", place.display()))
            .output()
            .unwrap();
        String::from_utf8(told.stdout).unwrap()
    }

    #[test]
    fn a_job_begins_although_others_end_beside_it() {
        for losses in 0..4 {
            let place = tempfile::tempdir().unwrap();
            assert_eq!(start_beside_another(place.path(), losses), "begun\n");
        }
    }

    #[test]
    fn a_folder_that_never_stays_is_refused_with_what_was_seen() {
        let place = tempfile::tempdir().unwrap();
        let told = start_beside_another(place.path(), 1000);
        assert!(told.starts_with("refused "), "{told}");
        assert!(told.contains("No such file"), "{told}");
    }
}
