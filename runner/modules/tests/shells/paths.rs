//! What a path is made, and what is found below one.

use super::executor::{World, mode, with_each_shell};
use serde_json::json;

#[test]
fn files_that_cannot_be_as_they_shall_be_are_not_left() {
    with_each_shell(|world| {
        let path = world.path("x");
        let touch = json!({"path": path, "state": "touch", "owner": "nobody-of-this-name"});
        world.run("file", touch).failure();
        assert!(!std::path::Path::new(&path).exists());
    });
}

#[test]
fn a_time_that_is_there_already_is_no_change() {
    with_each_shell(|world| {
        let path = world.write("dated", "");
        let date = json!({"path": path, "state": "file", "modification_time": "202001022030.40"});
        assert!(world.run("file", date.clone()).outcome().changed);
        assert!(!world.run("file", date).outcome().changed);
    });
}

#[test]
fn what_links_lead_to_is_below_if_they_are_followed() {
    with_each_shell(|world| {
        let other = world.write("other", "");
        let tree = world.path("tree");
        std::fs::create_dir(&tree).unwrap();
        std::os::unix::fs::symlink(&other, format!("{tree}/link")).unwrap();
        let set = |follow: bool| {
            let given = json!({"path": tree, "state": "directory", "mode": "u=rwx,go=",
                "recurse": true, "follow": follow});
            world.run("file", given).outcome().changed
        };
        set(false);
        assert_eq!(mode(&other) & 0o100, 0);
        assert!(set(true));
        assert_eq!(mode(&other), 0o700);
        assert!(!set(true));
    });
}

#[test]
fn bits_beyond_nine_are_shown_as_ansible_shows_them() {
    let world = World::new(&["sh"]);
    let path = world.path("sticky");
    let made = world.run(
        "file",
        json!({"path": path, "state": "directory", "mode": "1777"}),
    );
    assert_eq!(made.result("mode"), "01777");
    let stat = world.run("stat", json!({"path": path, "get_mime": false}));
    assert_eq!(stat.result("stat")["mode"], "1777");
    let stray = world.run("file", json!({"path": path, "src": "x"}));
    assert_eq!(
        stray.failure().msg,
        "src option requires state to be 'link' or 'hard'"
    );
}

#[test]
fn content_is_looked_for_in_its_own_encoding() {
    with_each_shell(|world| {
        let root = world.path("texts");
        std::fs::create_dir(&root).unwrap();
        std::fs::write(format!("{root}/a.txt"), b"caf\xe9\n").unwrap();
        let find = |encoding: &str| {
            world.run(
                "find",
                json!({"paths": root, "contains": "café", "encoding": encoding}),
            )
        };
        assert_eq!(find("latin-1").result("matched"), 1);
        let wrong = find("utf-8");
        assert_eq!(
            wrong.result("skipped_paths")[&root],
            format!(
                "Failed to read the file {root}/a.txt due to an encoding error. current encoding: utf-8"
            )
        );
        assert_eq!(
            find("none-such").result("skipped_paths")[&root],
            "unknown encoding: none-such"
        );
    });
}

#[test]
fn only_what_is_asked_for_is_found() {
    with_each_shell(|world| {
        let root = world.path("deep");
        std::fs::create_dir_all(format!("{root}/a/b/c")).unwrap();
        std::fs::write(format!("{root}/a/b/x y"), "x").unwrap();
        std::os::unix::fs::symlink("b/x y", format!("{root}/a/link")).unwrap();
        let find = |more: serde_json::Value| {
            let mut given = json!({"paths": root});
            let more = more.as_object().unwrap().clone();
            given.as_object_mut().unwrap().extend(more);
            world.run("find", given)
        };
        let two = find(json!({"recurse": true, "depth": 2, "file_type": "any"}));
        assert_eq!(
            (two.result("matched"), two.result("examined")),
            (&json!(3), &json!(5))
        );
        let all = find(json!({"recurse": true, "follow": true}));
        assert_eq!(all.result("matched"), 1);
        let large = find(json!({"size": "1m", "file_type": "directory"}));
        assert_eq!(large.result("matched"), 1);
        let flat = find(json!({"file_type": "any"}));
        assert_eq!(
            (flat.result("matched"), flat.result("examined")),
            (&json!(1), &json!(1))
        );
    });
}
