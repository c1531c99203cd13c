//! Records of runs as released programs left them, and as programs to come may: gone on with by the program, or refused by name.
//!
//! A fixture is a run that a failure stopped, with its site. The folder in which it began stands in its record as `/proc/self/cwd`,
//! so that it goes on wherever it lies; its hashes were computed anew for that. Each release that writes another format adds one
//! and leaves the others alone.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sasrun_endtoend::Site;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name)
}

/// Lays a fixture into a site, with the modes that a state directory has.
fn lay(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir_all(&to).unwrap();
            fs::set_permissions(&to, Permissions::from_mode(0o700)).unwrap();
            lay(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), &to).unwrap();
            fs::set_permissions(&to, Permissions::from_mode(0o600)).unwrap();
        }
    }
}

#[test]
fn a_run_recorded_in_format_1_goes_on() {
    let site = Site::new();
    lay(&fixture("format-1"), site.folder());
    let run = "20261123-112951-02b138";
    site.sasrun(&["verify", run])
        .exits(0)
        .says("every hash fits");
    site.sasrun(&["runs"]).exits(0).says(run);
    site.sasrun(&["show", run])
        .exits(0)
        .says("ended badly on a");
    let resume = ["resume", run, "--accept", "version"];
    // What it stopped at still fails: it stops there again, and does nothing that is done.
    site.sasrun(&resume).exits(6).never_says("TASK [one]");
    assert_eq!((site.read("a"), site.read("b")), Default::default());
    site.file("mended", "");
    site.sasrun(&resume).exits(0).never_says("TASK [one]");
    // Registered values, facts, items, a sealed value, a large one and notified handlers are those of the record.
    let (a, b) = (
        "three said by a kind-9 of-x,of-y deb98138c6f70a5ee8a3f21f704185f9 0\ntold kind-9\n",
        "three said by b kind-9 of-x,of-y 3a39c9957c269132256ccaed7fe284f7 1900\ntold kind-9\n",
    );
    assert_eq!(site.read("a"), a);
    assert_eq!(site.read("b"), b);
    site.sasrun(&resume).exits(0).says("nothing to go on with");
    site.sasrun(&["verify", run]).exits(0);
}

#[test]
fn a_record_of_a_format_to_come_is_refused_by_name() {
    let site = Site::new();
    lay(&fixture("format-1"), site.folder());
    let run = "20261123-112951-02b138";
    let journal = site.path("state/runs").join(run).join("journal");
    let text = fs::read_to_string(&journal).unwrap();
    let newer = text.replacen("sasrun-journal 1\n", "sasrun-journal 99\n", 1);
    assert_ne!(newer, text);
    fs::write(&journal, &newer).unwrap();
    for asked in [
        ["resume", run].as_slice(),
        &["resume", run, "--plan"],
        &["resume", run, "--abort"],
    ] {
        site.sasrun(asked)
            .exits(3)
            .says("a journal of format 99, and this sasrun reads formats up to 1");
    }
    assert_eq!(fs::read_to_string(&journal).unwrap(), newer);
    assert_eq!((site.read("a"), site.read("b")), Default::default());
}
