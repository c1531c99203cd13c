//! What is not about files: waiting, facts, the web, packages, and check mode.

use super::executor::{End, World, mode, with_each_shell};
use serde_json::{Value, json};

#[test]
fn ports_and_files_are_waited_for() {
    with_each_shell(|world| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let open = world.run("wait_for", json!({"port": port, "timeout": 5}));
        assert_eq!(open.result("state"), "started");
        drop(listener);
        assert!(
            world
                .run(
                    "wait_for",
                    json!({"port": port, "state": "stopped", "timeout": 5})
                )
                .outcome()
                .result
                .contains_key("elapsed")
        );
        let late = world.run("wait_for", json!({"port": port, "timeout": 1}));
        assert_eq!(
            late.failure().msg,
            format!("Timeout when waiting for 127.0.0.1:{port}")
        );
        let path = world.write("log", "step 7 done\n");
        let found = world.run(
            "wait_for",
            json!({"path": path, "search_regex": "step (?P<n>\\d+)"}),
        );
        assert_eq!(found.result("match_groupdict"), &json!({"n": "7"}));
        assert_eq!(world.run("ping", json!({})).result("ping"), "pong");
        let root = world.run("getent", json!({"database": "passwd", "key": "root"}));
        assert_eq!(root.outcome().facts["getent_passwd"]["root"][1], "0");
    });
}

#[test]
fn facts_are_gathered_in_one_round_trip() {
    with_each_shell(|world| {
        let run = world.run("setup", json!({"fact_path": world.path("facts d")}));
        assert_eq!(run.trips, 1);
        let facts = &run.outcome().facts;
        assert_eq!(facts["ansible_system"], "Linux");
        assert_eq!(facts["ansible_user_id"], "root");
        assert_ne!(facts["ansible_distribution"], "Linux");
        assert!(facts["ansible_memtotal_mb"].as_u64().unwrap() > 0);
        assert!(facts["ansible_processor_vcpus"].as_u64().unwrap() > 0);
        assert!(facts["ansible_date_time"]["epoch"].as_str().unwrap().len() >= 10);
        assert!(
            facts["ansible_env"]["HOME"]
                .as_str()
                .unwrap()
                .starts_with('/')
        );
        world.run(
            "file",
            json!({"path": world.path("facts d"), "state": "directory"}),
        );
        world.write("facts d/good.fact", "#!/bin/sh\necho '{\"x\": 1}'\n");
        world.write(
            "facts d/bad.fact",
            "#!/bin/sh\necho 1\necho why >&2\nexit 3\n",
        );
        for name in ["good", "bad"] {
            let path = world.path(&format!("facts d/{name}.fact"));
            world.run("file", json!({"path": path, "mode": "0755"}));
        }
        let run = world.run("setup", json!({"fact_path": world.path("facts d")}));
        let local = &run.outcome().facts["ansible_local"];
        assert_eq!(local["good"], json!({"x": 1}));
        let bad = local["bad"].as_str().unwrap();
        assert!(bad.starts_with("Failure executing fact script"), "{bad}");
        assert!(bad.ends_with("rc: 3, err: why"), "{bad}");
        let few = world.run(
            "setup",
            json!({"gather_subset": ["!all", "!min"], "filter": "ansible_host*"}),
        );
        let names: Vec<&String> = few.outcome().facts.keys().collect();
        assert_eq!(names, ["ansible_hostname"]);
    });
}

#[test]
fn web_servers_are_asked_by_the_hosts_own_client() {
    let port = serve(vec![
        (
            "GET /state",
            "200 OK\r\nContent-Type: application/json",
            "{\"green\": true}",
        ),
        ("POST /form", "201 Created", "made"),
        ("GET /gone", "404 Not Found", "no"),
        ("GET /file", "200 OK", "payload"),
        ("HEAD /file", "304 Not Modified", ""),
    ]);
    let url = |path: &str| format!("http://127.0.0.1:{port}{path}");
    let world = World::new(&["sh"]);
    let page = world.run("uri", json!({"url": url("/state"), "return_content": true}));
    assert_eq!(
        (page.result("status"), &page.result("json")["green"]),
        (&json!(200), &json!(true))
    );
    assert_eq!(page.trips, 1);
    let form = json!({"url": url("/form"), "method": "POST", "body_format": "form-urlencoded",
        "body": {"a": "b c"}, "status_code": "200,201"});
    assert_eq!(world.run("uri", form).result("status"), 201);
    let gone = world.run("uri", json!({"url": url("/gone")}));
    assert_eq!(
        gone.failure().msg,
        "Status code was 404 and not [200]: HTTP Error 404: Not Found"
    );
    let load = json!({"url": url("/file"), "dest": world.path("payload"), "mode": "0600"});
    assert!(world.run("get_url", load.clone()).outcome().changed);
    assert_eq!(
        (world.read("payload").as_str(), mode(&world.path("payload"))),
        ("payload", 0o600)
    );
    let again = world.run("get_url", load);
    // Whether the server has it newer is asked.
    assert_eq!((again.outcome().changed, again.trips), (false, 2));
    let wrong = json!({"url": url("/file"), "dest": world.path("other"), "checksum": "sha1:00"});
    assert!(
        world
            .run("get_url", wrong)
            .failure()
            .msg
            .contains("did not match")
    );
    assert!(std::fs::metadata(world.path("other.sasrun-part")).is_err());
}

#[test]
fn servers_are_followed_and_answered_as_they_ask() {
    let port = serve(vec![
        ("GET /here", "302 Found\r\nLocation: /there", ""),
        ("POST /form", "303 See Other\r\nLocation: /made", ""),
        ("GET /made", "200 OK", "made"),
        ("GET /locked|Authorization: Basic", "200 OK", "open"),
        (
            "GET /locked",
            "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"",
            "",
        ),
    ]);
    let url = |path: &str| format!("http://127.0.0.1:{port}{path}");
    let world = World::new(&["sh"]);
    let here = json!({"url": url("/here"), "follow_redirects": "none", "status_code": 302});
    assert_eq!(world.run("uri", here).result("location"), &url("/there"));
    let form = json!({"url": url("/form"), "method": "POST", "body": "a=b",
        "follow_redirects": "all", "return_content": true});
    assert_eq!(world.run("uri", form).result("content"), "made");
    let locked = json!({"url": url("/locked"), "url_username": "a", "url_password": "b",
        "return_content": true});
    let open = world.run("uri", locked);
    assert_eq!(open.result("content"), "open");
    assert_eq!(open.result("redirected"), false);
}

/// Answers requests by the start of their first line, until the test ends.
fn serve(pages: Vec<(&'static str, &'static str, &'static str)>) -> u16 {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap();
            let request = String::from_utf8_lossy(&request[..length]).into_owned();
            let page = pages
                .iter()
                .find(|(start, ..)| {
                    // What must be there besides the beginning comes after a bar.
                    let (start, also) = start.split_once('|').unwrap_or((start, ""));
                    request.starts_with(start) && request.contains(also)
                })
                .unwrap();
            let (head, body) = (page.1, page.2);
            let size = body.len();
            write!(
                stream,
                "HTTP/1.1 {head}\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n{body}"
            )
            .unwrap();
        }
    });
    port
}

#[test]
fn packages_and_accounts_of_this_machine_are_only_read() {
    with_each_shell(|world| {
        let root = world.run("user", json!({"name": "root", "uid": 0, "home": "/root"}));
        assert_eq!((root.outcome().changed, root.trips), (false, 1));
        assert!(
            !world
                .run("group", json!({"name": "root", "gid": 0}))
                .outcome()
                .changed
        );
        if std::fs::metadata("/var/lib/dpkg/status").is_ok() {
            let there = world.run("apt", json!({"name": ["dpkg", "base-files"]}));
            assert_eq!((there.outcome().changed, there.trips), (false, 1));
            let packages = world.run("package_facts", json!({}));
            assert_eq!(
                packages.outcome().facts["packages"]["dpkg"][0]["source"],
                "apt"
            );
        }
    });
}

#[test]
fn repositories_and_archives_are_brought_in() {
    with_each_shell(|world| {
        let make = "git init -q -b main up && cd up && git config user.email a@b && git config user.name a \
            && echo 1 > f && git add f && git commit -q -m 1 && git tag v1 && echo 2 > f && git commit -q -a -m 2 \
            && cd .. && mkdir arc && echo a > arc/a && tar -czf arc.tgz arc && rm -r arc";
        assert_eq!(world.run("shell", json!({"cmd": make})).result("rc"), 0);
        let tree = |version: &str| json!({"repo": world.path("up"), "dest": world.path("sub/down"), "version": version});
        let cloned = world.run("git", tree("main"));
        assert!(cloned.outcome().changed);
        assert_eq!(world.read("sub/down/f"), "2\n");
        assert!(!world.run("git", tree("main")).outcome().changed);
        assert!(world.run("git", tree("v1")).outcome().changed);
        assert_eq!(world.read("sub/down/f"), "1\n");
        world.write("sub/down/f", "mine\n");
        assert!(
            world
                .run("git", tree("main"))
                .failure()
                .msg
                .starts_with("Local modifications exist")
        );
        std::fs::create_dir(world.path("out dir")).unwrap();
        for remote in [true, false] {
            let unpack = json!({"src": world.path("arc.tgz"), "dest": world.path("out dir"), "remote_src": remote});
            let first = world.run("unarchive", unpack.clone());
            assert_eq!(first.outcome().changed, remote);
            assert_eq!(world.read("out dir/arc/a"), "a\n");
            assert!(!world.run("unarchive", unpack).outcome().changed);
        }
        assert_eq!(std::fs::read_dir(world.path("out dir")).unwrap().count(), 1);
    });
}

#[test]
fn check_mode_changes_nothing() {
    with_each_shell(|world| {
        let path = world.write("file", "old\n");
        world.check_mode.set(true);
        for (module, arguments) in [
            ("copy", json!({"content": "new", "dest": path})),
            ("lineinfile", json!({"path": path, "line": "new"})),
            ("file", json!({"path": path, "state": "absent"})),
            (
                "file",
                json!({"path": world.path("new"), "state": "directory"}),
            ),
            ("file", json!({"path": world.path("new"), "state": "touch"})),
            ("command", json!({"cmd": "rm file", "removes": path})),
        ] {
            let run = world.run(module, arguments);
            assert!(
                matches!(run.end, End::WouldChange),
                "{module}: {:?}",
                run.end
            );
        }
        let unknown = world.run("shell", json!({"cmd": "rm file"}));
        assert!(matches!(unknown.end, End::CannotKnow));
        assert_eq!(world.read("file"), "old\n");
        assert_eq!(std::fs::read_dir(world.scratch.path()).unwrap().count(), 1);
    });
}

#[test]
fn conditions_messages_and_gates_need_no_host() {
    let mut world = World::new(&["sh"]);
    world.values = json!({"a > 1": true, "b": [], "name": {"k": 1}, "MM-13": "yes"})
        .as_object()
        .unwrap()
        .clone();
    let good = world.run("assert", json!({"that": ["a > 1", "name"], "quiet": true}));
    assert_eq!(
        (good.result("msg"), good.trips),
        (&json!("All assertions passed"), 0)
    );
    let bad = world.run("assert", json!({"that": "b", "fail_msg": "no b"}));
    assert_eq!(
        (
            bad.failure().msg.as_str(),
            &bad.failure().result["assertion"]
        ),
        ("no b", &json!("b"))
    );
    assert_eq!(
        world.run("debug", json!({"var": "name"})).result("name"),
        &json!({"k": 1})
    );
    assert_eq!(
        world.run("debug", json!({"var": "nope"})).result("nope"),
        "VARIABLE IS NOT DEFINED!"
    );
    assert!(
        world
            .run("debug", json!({"msg": "x", "verbosity": 1}))
            .outcome()
            .skipped
    );
    assert_eq!(
        world
            .run("gate", json!({"id": "MM-13", "text": "look"}))
            .result("answer"),
        "yes"
    );
    let closed = world.run("gate", json!({"id": "MM-14", "text": "look"}));
    assert!(closed.failure().msg.contains("MM-14"));
    let set = world.run("set_fact", json!({"x": Value::Null, "cacheable": "yes"}));
    assert_eq!(set.result("ansible_facts"), &json!({"x": null}));
    assert!(
        world
            .run("set_fact", json!({"1x": 1}))
            .failure()
            .msg
            .contains("Invalid variable name '1x'")
    );
    let named = world.run(
        "include_vars",
        json!({"file": "vars.yml", "name": "all_of_it"}),
    );
    assert_eq!(named.result("ansible_facts")["all_of_it"]["MM-13"], "yes");
}
