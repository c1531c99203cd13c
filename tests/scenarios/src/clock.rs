//! Clocks that are wrong: a library that shifts what programs are told of the date, for the controller or for a host.
//!
//! Only the date is shifted. Spans are measured with clocks that nobody can set, as on any machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Shifts the date by the seconds in a file, which is read each time.
const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long shift(void) {
    const char *path = getenv("SHIFTED_CLOCK");
    char text[32] = {0};
    int file = open(path ? path : "/etc/shifted-clock", O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t got = read(file, text, sizeof text - 1);
    close(file);
    return got > 0 ? atol(text) : 0;
}
int clock_gettime(clockid_t which, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(which, at);
    if (result == 0 && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) at->tv_sec += shift();
    return result;
}
int gettimeofday(struct timeval *at, void *zone) {
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}
time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
"#;

/// Sets the clock of a host, given by its root directory, off by seconds.
pub(crate) fn set_on_host(folder: &Path, root: &Path, seconds: i64) -> Result<()> {
    let library = library(folder)?;
    let place = Path::new("usr/local/bin/shifted-clock.so");
    fs::copy(library, root.join(place))?;
    fs::write(root.join("etc/shifted-clock"), format!("{seconds}\n"))?;
    let line = format!("/{}\n", place.display());
    Ok(fs::write(root.join("etc/ld.so.preload"), line)?)
}

/// Gives a program a clock of its own, right until it is set.
pub(crate) fn give_to(command: &mut Command, folder: &Path) -> Result<()> {
    command.env("LD_PRELOAD", library(folder)?);
    command.env("SHIFTED_CLOCK", shift(folder));
    Ok(())
}

/// Sets the clock that programs were given off by seconds.
pub(crate) fn set(folder: &Path, seconds: i64) -> Result<()> {
    let new = folder.join("shift.new");
    fs::write(&new, format!("{seconds}\n"))?;
    Ok(fs::rename(new, shift(folder))?)
}

fn shift(folder: &Path) -> PathBuf {
    folder.join("shift")
}

/// Builds the library where it is not there yet.
fn library(folder: &Path) -> Result<PathBuf> {
    let library = folder.join("shifted-clock.so");
    if library.exists() {
        return Ok(library);
    }
    let source = folder.join("shifted-clock.c");
    fs::write(&source, SOURCE)?;
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(&source)
        .arg("-ldl")
        .output()
        .context("cc")?;
    if !built.status.success() {
        bail!("cc: {}", String::from_utf8_lossy(&built.stderr));
    }
    Ok(library)
}
