//! Commands and files.

use std::os::unix::fs::MetadataExt as _;

use super::executor::{Run, World, mode, with_each_shell};
use serde_json::json;

#[test]
fn commands_get_their_words_as_they_are() {
    with_each_shell(|world| {
        let run = world.run(
            "command",
            json!({"_raw_params": "printf '<%s>' 'a b' \"$HOME\" '$NOPE' ~ 'it''s' \"x\\\"y\""}),
        );
        let home = world.scratch.path().to_str().unwrap();
        assert_eq!(
            run.result("stdout"),
            &json!(format!("<a b><{home}><$NOPE><{home}><its><x\"y>"))
        );
        assert!(run.outcome().changed);
        assert_eq!(run.trips, 1);
        let echo = world.run("command", json!({"argv": ["echo", "a\\tb", "if", "*"]}));
        assert_eq!(echo.result("stdout"), "a\\tb if *");
        let raw = world.run(
            "command",
            json!({"cmd": "echo $HOME ~", "expand_argument_vars": false}),
        );
        assert_eq!(raw.result("stdout"), "$HOME ~");
    });
}

#[test]
fn a_program_that_is_not_there_is_told_by_its_name() {
    with_each_shell(|world| {
        let run = world.run("command", json!({"cmd": "no-such-program here"}));
        let failure = run.failure();
        assert!(
            failure
                .msg
                .contains("[Errno 2] No such file or directory: b'no-such-program'"),
            "{failure:?}"
        );
        assert_eq!(failure.result["rc"], 2);
        let cd = world.run("command", json!({"cmd": "cd /"}));
        assert_eq!(
            cd.failure().result["rc"],
            2,
            "cd is no program: {:?}",
            cd.failure()
        );
    });
}

#[test]
fn shell_text_runs_in_its_directory_with_its_input() {
    with_each_shell(|world| {
        std::fs::create_dir(world.path("sub dir")).unwrap();
        let run = world.run(
            "shell",
            json!({
                "_raw_params": "pwd | sed 's#.*/##'; cat; echo err >&2; exit 3",
                "chdir": world.path("sub dir"), "stdin": "typed",
            }),
        );
        let failure = run.failure();
        assert_eq!(failure.result["stdout_lines"], json!(["sub dir", "typed"]));
        assert_eq!(failure.result["stderr"], "err");
        assert_eq!(
            (failure.msg.as_str(), &failure.result["rc"]),
            ("non-zero return code", &json!(3))
        );
        assert_eq!(failure.result["changed"], true);
    });
}

#[test]
fn guards_decide_before_anything_runs() {
    with_each_shell(|world| {
        world.write("made here", "");
        let guarded = |name: &str| json!({"cmd": "touch made", "creates": world.path(name), "chdir": world.path("")});
        let skipped = world.run("command", guarded("made*"));
        assert!(!skipped.outcome().changed);
        assert!(
            skipped
                .result("msg")
                .as_str()
                .unwrap()
                .starts_with("Did not run command since")
        );
        assert_eq!(skipped.trips, 1);
        let ran = world.run("command", guarded("nothing*"));
        assert!(ran.outcome().changed);
        assert!(std::fs::metadata(world.path("made")).is_ok());
        let removes = world.run("shell", json!({"cmd": "rm made", "removes": "~/gone"}));
        assert!(!removes.outcome().changed);
    });
}

#[test]
fn scripts_run_and_leave_nothing_behind() {
    with_each_shell(|world| {
        world.write("check.sh", "#!/bin/sh\necho \"$0 $*\"\nexit $1\n");
        let run = world.run("script", json!({"_raw_params": "check.sh 0 'b c'"}));
        let stdout = run.result("stdout").as_str().unwrap().to_owned();
        assert!(stdout.ends_with("check.sh 0 b c\n"), "{stdout}");
        let place = stdout.split(' ').next().unwrap();
        assert!(std::fs::metadata(place).is_err(), "{place} is still there");
        let failed = world.run("script", json!({"_raw_params": "check.sh 4"}));
        assert_eq!(failed.failure().result["rc"], 4);
    });
}

#[test]
fn a_directory_is_made_once_with_its_parents() {
    with_each_shell(|world| {
        let path = world.path("one/two three/four");
        let wanted = json!({"path": path, "state": "directory", "mode": "u=rwx,g=rx,o="});
        let made = world.run("file", wanted.clone());
        assert!(made.outcome().changed);
        assert_eq!(
            (mode(&path), made.result("mode"), made.result("state")),
            (0o750, &json!("0750"), &json!("directory"))
        );
        assert_eq!(mode(&world.path("one")), 0o750);
        let again = world.run("file", wanted);
        assert!(!again.outcome().changed);
        assert_eq!(again.trips, 1);
        let narrower = world.run("file", json!({"path": path, "mode": "0700"}));
        assert_eq!(
            (mode(&path), narrower.trips, narrower.result("mode")),
            (0o700, 2, &json!("0700"))
        );
        assert_eq!(narrower.result("owner"), &json!("root"));
    });
}

#[test]
fn attributes_go_all_the_way_down() {
    with_each_shell(|world| {
        std::fs::create_dir_all(world.path("top/sub")).unwrap();
        world.write("top/sub/file", "x");
        let wanted = json!({"path": world.path("top"), "state": "directory", "recurse": true, "mode": "u=rwX,go="});
        assert!(world.run("file", wanted.clone()).outcome().changed);
        assert_eq!(
            (
                mode(&world.path("top/sub")),
                mode(&world.path("top/sub/file"))
            ),
            (0o700, 0o600)
        );
        let again = world.run("file", wanted);
        assert!(!again.outcome().changed);
        assert_eq!(again.trips, 2);
    });
}

#[test]
fn links_are_made_changed_and_kept() {
    with_each_shell(|world| {
        world.write("a", "a");
        std::fs::create_dir(world.path("b")).unwrap();
        let link =
            |target: &str| json!({"src": target, "dest": world.path("link"), "state": "link"});
        assert!(world.run("file", link("a")).outcome().changed);
        let again = world.run("file", link("a"));
        assert!(!again.outcome().changed);
        assert_eq!(again.trips, 1);
        assert!(world.run("file", link("b")).outcome().changed);
        assert_eq!(
            std::fs::read_link(world.path("link")).unwrap().to_str(),
            Some("b")
        );
        // The old link led to a directory; the new one must not end up inside it.
        assert!(world.run("file", link("a")).outcome().changed);
        assert_eq!(
            std::fs::read_link(world.path("link")).unwrap().to_str(),
            Some("a")
        );
        let missing = world.run("file", link("nowhere"));
        assert!(missing.failure().msg.starts_with("src file does not exist"));
        let in_the_way = json!({"src": "a", "dest": world.path("b"), "state": "link"});
        assert!(
            world
                .run("file", in_the_way)
                .failure()
                .msg
                .contains("refusing to convert from directory")
        );
        let hard = json!({"src": world.path("a"), "dest": world.path("hard"), "state": "hard"});
        assert!(world.run("file", hard.clone()).outcome().changed);
        assert!(!world.run("file", hard).outcome().changed);
    });
}

#[test]
fn paths_are_touched_and_removed() {
    with_each_shell(|world| {
        let path = world.path("-odd 'name");
        let touched = world.run(
            "file",
            json!({"path": path, "state": "touch", "mode": "0640"}),
        );
        assert!(touched.outcome().changed);
        assert_eq!(mode(&path), 0o640);
        let stamped = json!({"path": path, "state": "touch", "modification_time": "200001020304.05", "access_time": "preserve"});
        world.run("file", stamped);
        let year_2000 = std::fs::metadata(&path).unwrap().mtime();
        assert!(
            (946_000_000..948_000_000).contains(&year_2000),
            "{year_2000}"
        );
        let kept = json!({"path": path, "state": "touch", "modification_time": "preserve", "access_time": "preserve"});
        assert!(!world.run("file", kept).outcome().changed);
        let gone = json!({"path": path, "state": "absent"});
        assert!(world.run("file", gone.clone()).outcome().changed);
        assert!(std::fs::metadata(&path).is_err());
        let again = world.run("file", gone);
        assert!(!again.outcome().changed);
        assert_eq!(again.trips, 1);
        let absent = world.run("file", json!({"path": path, "state": "file"}));
        assert!(absent.failure().msg.contains("is absent, cannot continue"));
    });
}

#[test]
fn content_is_written_only_if_it_differs() {
    with_each_shell(|world| {
        let dest = world.path("motd");
        let wanted = json!({"content": "hello\n", "dest": dest, "mode": "0600"});
        let first = world.run("copy", wanted.clone());
        assert!(first.outcome().changed);
        assert_eq!(
            (world.read("motd").as_str(), mode(&dest), first.trips),
            ("hello\n", 0o600, 2)
        );
        assert_eq!(
            first.result("checksum"),
            "f572d396fae9206628714fb2ce00f72e94f2258f"
        );
        assert_eq!(first.result("md5sum"), "b1946ac92492d2347c6235b4d2611184");
        let again = world.run("copy", wanted);
        assert_eq!((again.outcome().changed, again.trips), (false, 1));
        let other = world.run(
            "copy",
            json!({"content": "bye\n", "dest": dest, "backup": true}),
        );
        assert_eq!(
            (mode(&dest), world.read("motd.old~").as_str()),
            (0o600, "hello\n")
        );
        let diff = &other.declared.as_ref().unwrap().diff[0];
        assert_eq!(
            (diff.before.as_str(), diff.after.as_str()),
            ("hello\n", "bye\n")
        );
        let kept = world.run(
            "copy",
            json!({"content": "no\n", "dest": dest, "force": false}),
        );
        assert!(!kept.outcome().changed);
        let refused = world.run(
            "copy",
            json!({"content": "bad", "dest": dest, "validate": "grep good %s"}),
        );
        assert!(refused.failure().msg.contains("validate"));
        assert_eq!(world.read("motd"), "bye\n");
        let nowhere = world.run(
            "copy",
            json!({"content": "x", "dest": world.path("no/where")}),
        );
        assert!(nowhere.failure().msg.ends_with("does not exist"));
    });
}

#[test]
fn files_and_trees_of_the_controller_are_sent() {
    with_each_shell(|world| {
        std::fs::create_dir_all(world.path("from/sub")).unwrap();
        std::fs::create_dir_all(world.path("to")).unwrap();
        world.write("from/a", "a");
        world.write("from/sub/b", "b");
        let one = world.run("copy", json!({"src": "from/a", "dest": world.path("to")}));
        assert_eq!(
            (world.read("to/a").as_str(), one.result("dest")),
            ("a", &json!(world.path("to/a")))
        );
        let tree = json!({"src": "from", "dest": world.path("to"), "mode": "0640"});
        assert!(world.run("copy", tree.clone()).outcome().changed);
        assert_eq!(
            (
                world.read("to/from/sub/b").as_str(),
                mode(&world.path("to/from/sub/b"))
            ),
            ("b", 0o640)
        );
        let again = world.run("copy", tree);
        assert_eq!((again.outcome().changed, again.trips), (false, 1));
        world.run("copy", json!({"src": "from/", "dest": world.path("to")}));
        assert_eq!(world.read("to/sub/b"), "b");
        let here =
            json!({"src": world.path("from"), "dest": world.path("copied/"), "remote_src": true});
        std::fs::create_dir(world.path("copied")).unwrap();
        assert!(world.run("copy", here.clone()).outcome().changed);
        assert_eq!(world.read("copied/from/sub/b"), "b");
        assert!(!world.run("copy", here).outcome().changed);
    });
}

#[test]
fn a_tree_is_sent_through_its_links_unless_they_are_to_be_kept() {
    with_each_shell(|world| {
        std::fs::create_dir(world.path("from")).unwrap();
        std::fs::create_dir(world.path("to")).unwrap();
        world.write("elsewhere", "content");
        std::os::unix::fs::symlink("../elsewhere", world.path("from/link")).unwrap();
        let tree = |dest: &str, follow: bool| json!({"src": "from/", "dest": world.path(dest), "local_follow": follow});
        assert!(world.run("copy", tree("to", true)).outcome().changed);
        let is_link = |path: &str| {
            std::fs::symlink_metadata(world.path(path))
                .unwrap()
                .is_symlink()
        };
        assert!(!is_link("to/link"));
        assert_eq!(world.read("to/link"), "content");
        assert!(!world.run("copy", tree("to", true)).outcome().changed);
        assert!(world.run("copy", tree("kept", false)).outcome().changed);
        assert!(is_link("kept/link"));
        assert!(!world.run("copy", tree("kept", false)).outcome().changed);
    });
}

#[test]
fn new_directories_on_the_way_to_a_file_are_as_wanted() {
    with_each_shell(|world| {
        let dest = world.path("new one/deep/");
        let wanted =
            json!({"content": "x", "dest": format!("{dest}file"), "directory_mode": "0750"});
        assert!(
            world
                .run("copy", wanted)
                .failure()
                .msg
                .contains("does not exist")
        );
        world.write("source", "x");
        let wanted = json!({"src": "source", "dest": dest, "directory_mode": "0750"});
        let above = mode(&world.path("."));
        assert!(world.run("copy", wanted.clone()).outcome().changed);
        for new in ["new one", "new one/deep"] {
            assert_eq!(mode(&world.path(new)), 0o750);
        }
        assert_eq!(mode(&world.path(".")), above);
        assert!(!world.run("copy", wanted).outcome().changed);
    });
}

#[test]
fn files_of_a_tree_that_are_in_a_vault_are_opened() {
    let mut world = World::new(&["sh"]);
    std::fs::create_dir(world.path("from")).unwrap();
    world.write("from/sealed", "$ANSIBLE_VAULT;1.1;AES256\n6162\n");
    let sealed = world.path("from/sealed");

    world.values.insert(sealed, json!("opened\n"));
    let tree = json!({"src": "from", "dest": world.path("to")});
    assert!(world.run("copy", tree.clone()).outcome().changed);
    assert_eq!(world.read("to/from/sealed"), "opened\n");
    assert!(!world.run("copy", tree).outcome().changed);
    let closed = json!({"src": "from", "dest": world.path("closed"), "decrypt": false});
    assert!(world.run("copy", closed).outcome().changed);
    assert!(
        world
            .read("closed/from/sealed")
            .starts_with("$ANSIBLE_VAULT")
    );
}

#[test]
fn a_host_copies_from_itself() {
    with_each_shell(|world| {
        std::fs::create_dir_all(world.path("from/ sub \\n")).unwrap();
        world.write("from/ sub \\n/b", "b");
        world.write("elsewhere", "content");
        std::os::unix::fs::symlink("../elsewhere", world.path("from/link")).unwrap();
        let is_link = |path: &str| {
            std::fs::symlink_metadata(world.path(path))
                .unwrap()
                .is_symlink()
        };
        for (dest, follow) in [("through", true), ("kept", false)] {
            let tree = json!({"src": world.path("from/"), "dest": world.path(dest), "remote_src": true, "local_follow": follow});
            assert!(world.run("copy", tree.clone()).outcome().changed);
            assert_eq!(world.read(&format!("{dest}/ sub \\n/b")), "b");
            assert_eq!(is_link(&format!("{dest}/link")), !follow);
            assert!(!world.run("copy", tree.clone()).outcome().changed, "{dest}");
            world.write(&format!("{dest}/ sub \\n/b"), "other");
            let mut left = tree.clone();
            left["force"] = json!(false);
            assert!(!world.run("copy", left).outcome().changed);
            assert!(world.run("copy", tree).outcome().changed);
            assert_eq!(world.read(&format!("{dest}/ sub \\n/b")), "b");
        }
        let special = json!({"src": "/dev/null", "dest": world.path("x"), "remote_src": true});
        assert!(
            world
                .run("copy", special)
                .failure()
                .msg
                .contains("not a file")
        );
    });
}

#[test]
fn a_large_file_of_the_host_is_copied_there() {
    with_each_shell(|world| {
        let large = "0123456789abcdef".repeat(100_000);
        world.write("large", &large);
        let wanted = json!({"src": world.path("large"), "dest": world.path("new/"), "remote_src": true, "mode": "0640"});
        assert!(world.run("copy", wanted.clone()).outcome().changed);
        assert!(world.read("new/large") == large);
        assert_eq!(mode(&world.path("new/large")), 0o640);
        assert!(!world.run("copy", wanted).outcome().changed);
        world.write("old", "old");
        let over = json!({"src": world.path("large"), "dest": world.path("old"), "remote_src": true,
            "validate": "grep -q 'no such thing' %s", "backup": true});
        world.run("copy", over.clone()).failure();
        assert_eq!(world.read("old"), "old");
        assert!(!std::path::Path::new(&world.path("old.sasrun-part")).exists());
        let mut fits = over;
        fits["validate"] = json!("grep -q 0123 %s");
        let replaced = world.run("copy", fits);
        assert!(world.read("old") == large);
        let backup = replaced.result("backup_file").as_str().unwrap().to_owned();
        assert_eq!(std::fs::read_to_string(backup).unwrap(), "old");
    });
}

#[test]
fn templates_become_files() {
    with_each_shell(|world| {
        world.write("app.j2", "at {{ template_destpath }}\n");
        let wanted = json!({"src": "app.j2", "dest": world.path("app.conf")});
        let run = world.run("template", wanted.clone());
        assert_eq!(
            world.read("app.conf"),
            format!("at {}\n", world.path("app.conf"))
        );
        assert_eq!(run.result("state"), "file");
        assert!(!world.run("template", wanted).outcome().changed);
    });
}

#[test]
fn lines_blocks_and_patterns_are_edited_in_place() {
    with_each_shell(|world| {
        let path = world.write("conf", "# Port 22\nRoot yes\nEnd");
        let line = json!({"path": path, "regexp": "^#?\\s*Port", "line": "Port 2222"});
        assert_eq!(
            world.run("lineinfile", line.clone()).result("msg"),
            "line replaced"
        );
        let again = world.run("lineinfile", line);
        assert_eq!((again.outcome().changed, again.trips), (false, 1));
        world.run(
            "lineinfile",
            json!({"path": path, "line": "New", "insertafter": "^Root"}),
        );
        world.run("lineinfile", json!({"path": path, "line": "Last"}));
        world.run(
            "lineinfile",
            json!({"path": path, "regexp": "^Root (.*)$", "line": "Root=\\1", "backrefs": true}),
        );
        assert_eq!(world.read("conf"), "Port 2222\nRoot=yes\nNew\nEnd\nLast\n");
        let removed = world.run(
            "lineinfile",
            json!({"path": path, "regexp": "^(New|End)", "state": "absent"}),
        );
        assert_eq!(removed.result("found"), 2);
        let block = json!({"path": path, "block": "a\nb", "insertbefore": "^Root"});
        assert_eq!(
            world.run("blockinfile", block.clone()).result("msg"),
            "Block inserted"
        );
        assert!(!world.run("blockinfile", block).outcome().changed);
        let marked = "Port 2222\n# BEGIN ANSIBLE MANAGED BLOCK\na\nb\n# END ANSIBLE MANAGED BLOCK\nRoot=yes\nLast\n";
        assert_eq!(world.read("conf"), marked);
        world.run("blockinfile", json!({"path": path, "state": "absent"}));
        let replaced = world.run(
            "replace",
            json!({"path": path, "regexp": "^(\\w+)[= ](.*)$", "replace": "\\2 \\1"}),
        );
        assert_eq!(replaced.result("msg"), "2 replacements made");
        assert_eq!(world.read("conf"), "2222 Port\nyes Root\nLast\n");
        assert!(
            world
                .run(
                    "replace",
                    json!({"path": world.path("none"), "regexp": "x"})
                )
                .failure()
                .msg
                .contains("does not exist")
        );
    });
}

#[test]
fn bytes_that_are_no_text_survive_an_edit() {
    with_each_shell(|world| {
        let path = world.path("latin");
        std::fs::write(&path, b"caf\xe9\nold\n").unwrap();
        world.run(
            "lineinfile",
            json!({"path": path, "regexp": "^old", "line": "n\u{e9}w"}),
        );
        assert_eq!(std::fs::read(&path).unwrap(), b"caf\xe9\nn\xc3\xa9w\n");
    });
}

#[test]
fn files_are_looked_at_and_found() {
    with_each_shell(|world| {
        std::fs::create_dir_all(world.path("logs/old stuff")).unwrap();
        world.write("logs/a.log", "needle\n");
        world.write("logs/b.txt", "");
        world.write("logs/old stuff/c.log", "hay\n");
        world.write("logs/.hidden.log", "");
        let stat = world.run("stat", json!({"path": world.path("logs/a.log")}));
        assert_eq!(stat.result("stat")["size"], 7);
        assert_eq!(
            world
                .run("stat", json!({"path": "~/nothing"}))
                .result("stat"),
            &json!({"exists": false})
        );
        let names = |run: &Run| -> Vec<String> {
            let files = run.result("files").as_array().unwrap();
            let mut names: Vec<String> = files
                .iter()
                .map(|file| {
                    file["path"]
                        .as_str()
                        .unwrap()
                        .rsplit('/')
                        .next()
                        .unwrap()
                        .to_owned()
                })
                .collect();
            names.sort();
            names
        };
        let paths = world.path("logs");
        let flat = world.run("find", json!({"paths": paths, "patterns": "*.log"}));
        assert_eq!(names(&flat), ["a.log"]);
        let deep = world.run(
            "find",
            json!({"paths": paths, "patterns": "*.log", "recurse": true, "hidden": true}),
        );
        assert_eq!(names(&deep), [".hidden.log", "a.log", "c.log"]);
        let contains = world.run(
            "find",
            json!({"paths": paths, "recurse": true, "contains": ".*eed"}),
        );
        assert_eq!(names(&contains), ["a.log"]);
        let directories = world.run("find", json!({"paths": paths, "file_type": "directory"}));
        assert_eq!(names(&directories), ["old stuff"]);
        let slurped = world.run("slurp", json!({"src": world.path("logs/a.log")}));
        assert_eq!(slurped.result("content"), "bmVlZGxlCg==");
        let fetched =
            json!({"src": world.path("logs/a.log"), "dest": world.path("kept/"), "flat": true});
        assert!(world.run("fetch", fetched.clone()).outcome().changed);
        assert_eq!(world.read("kept/a.log"), "needle\n");
        let again = world.run("fetch", fetched);
        assert_eq!((again.outcome().changed, again.trips), (false, 1));
    });
}

#[test]
fn temporary_files_are_new_and_private() {
    with_each_shell(|world| {
        let wanted = json!({"state": "directory", "path": world.path(""), "suffix": "x"});
        let (one, two) = (
            world.run("tempfile", wanted.clone()),
            world.run("tempfile", wanted),
        );
        assert_ne!(one.result("path"), two.result("path"));
        assert_eq!(mode(one.result("path").as_str().unwrap()), 0o700);
        let file = world.run("tempfile", json!({"path": world.path("")}));
        assert_eq!(mode(file.result("path").as_str().unwrap()), 0o600);
        std::fs::create_dir(world.path("parts")).unwrap();
        world.write("parts/2 b", "two\n");
        world.write("parts/1", "one");
        world.run(
            "assemble",
            json!({"src": world.path("parts"), "dest": world.path("whole")}),
        );
        assert_eq!(world.read("whole"), "one\ntwo\n");
    });
}
