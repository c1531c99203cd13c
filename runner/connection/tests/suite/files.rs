//! Files: looked at, read, written, with odd names and in any size.

use std::path::Path;

use sasrun_connection::{
    ChecksumAlgorithm, Cksum, Command, Content, ExitStatus, Expected, FileKind, Read, ReadAnswer,
    StatRequest, WriteFile, quote,
};

use super::{Subject, noise, text};

pub async fn stats_of_all_kinds(s: &Subject) {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    let (file, link, fifo) = (s.path("file"), s.path("link"), s.path("fifo"));
    std::fs::write(&file, b"abc").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o4751)).unwrap();
    symlink("file", &link).unwrap();
    s.shell(&format!("mkfifo {fifo}")).await;
    let request = |path: &str, follow| StatRequest {
        follow,
        checksum: Some(ChecksumAlgorithm::Sha256),
        ..StatRequest::new(path)
    };
    let requests = [
        request(&file, false),
        request(&link, false),
        request(&link, true),
        request(&fifo, false),
        request("/dev/null", false),
        request(&s.path(""), false),
        request(&s.path("absent"), false),
    ];
    let stats = s.connection.stat(&s.identity, &requests).await.unwrap();
    let kinds: Vec<_> = stats.iter().map(|stat| stat.kind).collect();
    assert_eq!(
        kinds,
        [
            Some(FileKind::File),
            Some(FileKind::Link),
            Some(FileKind::File),
            Some(FileKind::Fifo),
            Some(FileKind::CharacterDevice),
            Some(FileKind::Directory),
            None,
        ]
    );
    let metadata = std::fs::metadata(&file).unwrap();
    let stat = &stats[0];
    assert_eq!(
        (stat.mode, stat.size, stat.uid),
        (0o4751, 3, metadata.uid())
    );
    assert_eq!((stat.inode, stat.nlink), (metadata.ino(), 1));
    assert_eq!(stat.mtime.map(|t| t as i64), Some(metadata.mtime()));
    // Other programs than GNU's tell whole seconds.
    let program = s.shell("stat --version 2>/dev/null | head -n 1").await;
    if program.stdout.text().contains("GNU") {
        let fraction = metadata.mtime_nsec() as f64 / 1e9;
        let told = stat.mtime.unwrap().fract();
        assert!((told - fraction).abs() < 1e-5, "{told} {fraction}");
    }
    assert!(stat.readable && stat.executable);
    let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(
        stat.checksum,
        Some((ChecksumAlgorithm::Sha256, digest.to_owned()))
    );
    assert_eq!(stats[1].link_target.as_deref(), Some("file"));
    let real = std::fs::canonicalize(&file).unwrap();
    assert_eq!(stats[1].link_source.as_deref(), real.to_str());
    assert_eq!(stats[2].link_source.as_deref(), real.to_str());
    assert_eq!(stats[2].checksum, stat.checksum);
    assert!(!stats[6].exists);
    assert!(
        s.connection
            .stat(&s.identity, &[])
            .await
            .unwrap()
            .is_empty()
    );
}

/// Names that have broken other programs.
const ODD_NAMES: [&str; 10] = [
    "-rf",
    "two\nlines\n",
    "a'b\"c",
    "sp ace",
    "dollar$(id)`id`",
    "back\\slash",
    "ünïcödé ✓",
    "*?[x]",
    "~root",
    "#x;y&z|",
];

pub async fn odd_names_are_only_names(s: &Subject) {
    let path = |name: &str| s.path(name);
    for name in ODD_NAMES {
        let write = WriteFile::new(path(name), name.as_bytes().to_vec());
        let written = s.connection.write_file(&s.identity, &write).await.unwrap();
        assert_eq!(written.stat.size, name.len() as u64, "{name:?}");
        assert_eq!(std::fs::read(path(name)).unwrap(), name.as_bytes());
        let read = s
            .connection
            .read_file(&s.identity, &path(name), 1000)
            .await
            .unwrap();
        assert_eq!(read.bytes, name.as_bytes(), "{name:?}");
        let link = path(&format!("link to {name}"));
        std::os::unix::fs::symlink(path(name), &link).unwrap();
        let stats = s
            .connection
            .stat(&s.identity, &[StatRequest::new(&*link)])
            .await
            .unwrap();
        assert_eq!(stats[0].link_target.as_deref(), Some(&*path(name)));
    }
    // Also where the name begins the path.
    let command = Command {
        cwd: Some(path("")),
        ..Command::shell(format!("cat {}", quote::path("-rf")))
    };
    assert_eq!(text(&s.run(command).await.stdout), "-rf");
}

pub async fn batches_answer_in_order(s: &Subject) {
    let file = s.path("file");
    std::fs::write(&file, b"content").unwrap();
    let reads = vec![
        Read::Script(Command::shell("echo one; exit 1")),
        Read::Stat(StatRequest::new(&*file)),
        Read::File {
            path: file.clone(),
            max_bytes: 4,
        },
        Read::File {
            path: s.path("absent"),
            max_bytes: 4,
        },
        Read::Stat(StatRequest::new(s.path("absent"))),
        Read::Script(Command::shell("echo two >&2")),
    ];
    let answers = s.connection.read_batch(&s.identity, reads).await.unwrap();
    match answers.as_slice() {
        [
            ReadAnswer::Script(one),
            ReadAnswer::Stat(there),
            ReadAnswer::File(Ok(beginning)),
            ReadAnswer::File(Err(error)),
            ReadAnswer::Stat(absent),
            ReadAnswer::Script(two),
        ] => {
            assert_eq!(
                (one.status, text(&one.stdout)),
                (ExitStatus::Code(1), "one\n".into())
            );
            assert_eq!(there.size, 7);
            assert_eq!(
                (beginning.bytes.as_slice(), beginning.is_truncated),
                (&b"cont"[..], true)
            );
            assert_eq!(error.kind(), "file");
            assert!(!absent.exists);
            assert_eq!(text(&two.stderr), "two\n");
        }
        other => panic!("{other:?}"),
    }
    assert!(
        s.connection
            .read_batch(&s.identity, Vec::new())
            .await
            .unwrap()
            .is_empty()
    );
}

pub async fn files_are_read_up_to_a_limit(s: &Subject) {
    let bytes = noise(300_000, 3);
    let path = s.path("noise");
    std::fs::write(&path, &bytes).unwrap();
    let read = |limit| s.connection.read_file(&s.identity, &path, limit);
    let whole = read(300_000).await.unwrap();
    assert!(whole.bytes == bytes && !whole.is_truncated);
    let part = read(1234).await.unwrap();
    assert!(part.bytes == bytes[..1234] && part.is_truncated);
    assert!(read(0).await.unwrap().bytes.is_empty());
    for bad in [s.path(""), s.path("absent"), String::new()] {
        let error = s
            .connection
            .read_file(&s.identity, &bad, 10)
            .await
            .unwrap_err();
        assert!(["file", "request"].contains(&error.kind()), "{error}");
    }
}

pub async fn written_files_are_what_was_asked(s: &Subject) {
    let path = s.path("new");
    for (content, seed) in [
        (0usize, 1u64),
        (1, 2),
        (4095, 3),
        (4097, 4),
        (65536, 5),
        (65537, 6),
        (400_000, 7),
    ] {
        let bytes = noise(content, seed);
        let write = WriteFile::new(&*path, bytes.clone());
        let written = s.connection.write_file(&s.identity, &write).await.unwrap();
        assert!(std::fs::read(&path).unwrap() == bytes, "{content} bytes");
        assert_eq!(written.stat.size, content as u64);
        assert!(written.backup.is_none());
        let request = StatRequest {
            checksum: Some(ChecksumAlgorithm::Sha1),
            ..StatRequest::new(&*path)
        };
        let stat = s.connection.stat(&s.identity, &[request]).await.unwrap();
        assert_eq!(written.stat.checksum, stat[0].checksum);
        assert_eq!(
            (written.stat.inode, written.stat.mode),
            (stat[0].inode, stat[0].mode)
        );
    }
    let text = "%s %d \\n \\\\ $HOME `id` 'quoted' \"double\" -n\n\ttab\r\n! end";
    let write = WriteFile::new(&*path, text);
    s.connection.write_file(&s.identity, &write).await.unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    let deep = s.path("x/y z/file");
    let mut write = WriteFile::new(&*deep, "deep");
    assert_eq!(
        s.connection
            .write_file(&s.identity, &write)
            .await
            .unwrap_err()
            .kind(),
        "file"
    );
    write.create_parents = true;
    s.connection.write_file(&s.identity, &write).await.unwrap();
    assert_eq!(std::fs::read_to_string(&deep).unwrap(), "deep");
}

pub async fn written_permissions(s: &Subject) {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let path = s.path("file");
    let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
    for wanted in [0o600, 0o644, 0o4755, 0o444, 0o640, 0o777, 0o400] {
        for is_old in [false, true] {
            if !is_old {
                let _ = std::fs::remove_file(&path);
            }
            let write = WriteFile {
                mode: Some(wanted),
                ..WriteFile::new(&*path, "x")
            };
            let written = s.connection.write_file(&s.identity, &write).await.unwrap();
            assert_eq!(
                (mode(), written.stat.mode),
                (wanted, wanted),
                "{wanted:o} {is_old}"
            );
        }
    }
    // Without a wish the old file's stay, also for one that its owner may not write.
    for old in [0o444, 0o751] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(old)).unwrap();
        let write = WriteFile::new(&*path, "y");
        s.connection.write_file(&s.identity, &write).await.unwrap();
        assert_eq!(mode(), old);
    }
    if std::fs::metadata(&path).unwrap().uid() == 0 {
        let write = WriteFile {
            owner: Some("1234".into()),
            group: Some("4321".into()),
            mode: Some(0o640),
            ..WriteFile::new(&*path, "z")
        };
        let written = s.connection.write_file(&s.identity, &write).await.unwrap();
        assert_eq!(
            (written.stat.uid, written.stat.gid, mode()),
            (1234, 4321, 0o640)
        );
        assert_eq!(written.stat.owner, None);
        let write = WriteFile::new(&*path, "kept");
        let written = s.connection.write_file(&s.identity, &write).await.unwrap();
        assert_eq!(
            (written.stat.uid, written.stat.gid, mode()),
            (1234, 4321, 0o640)
        );
    }
}

pub async fn overwriting_keeps_and_guards(s: &Subject) {
    let path = s.path("file");
    let mut write = WriteFile {
        backup: true,
        expected_before: Some(Expected::Absent),
        ..WriteFile::new(&*path, "one")
    };
    let written = s.connection.write_file(&s.identity, &write).await.unwrap();
    assert_eq!(written.backup, None);
    let error = s
        .connection
        .write_file(&s.identity, &write)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), "file_changed");
    let (algorithm, digest) = written.stat.checksum.unwrap();
    write.expected_before = Some(Expected::Checksum(algorithm, digest));
    write.content = Content::Bytes("two".into());
    let written = s.connection.write_file(&s.identity, &write).await.unwrap();
    let backup = written.backup.unwrap();
    assert!(
        backup.starts_with(&path) && backup.ends_with('~'),
        "{backup}"
    );
    assert_eq!(std::fs::read_to_string(&backup).unwrap(), "one");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
    let error = s
        .connection
        .write_file(&s.identity, &write)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), "file_changed");
    // A link is replaced, not followed.
    let link = s.path("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    s.connection
        .write_file(&s.identity, &WriteFile::new(&*link, "three"))
        .await
        .unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_file());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
}

pub async fn failed_writes_leave_the_old_file(s: &Subject) {
    let path = s.path("file");
    std::fs::write(&path, "old").unwrap();
    let mut write = WriteFile {
        validate: Some("grep -q valid %s || { echo refused >&2; exit 9; }".into()),
        ..WriteFile::new(&*path, "bad")
    };
    let error = s
        .connection
        .write_file(&s.identity, &write)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), "validation");
    assert!(
        error.to_string().contains("code 9") && error.to_string().contains("refused"),
        "{error}"
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
    write.content = Content::Bytes("valid".into());
    s.connection.write_file(&s.identity, &write).await.unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "valid");
    let directory = WriteFile::new(s.path(""), "x");
    assert_eq!(
        s.connection
            .write_file(&s.identity, &directory)
            .await
            .unwrap_err()
            .kind(),
        "file"
    );
    let left: Vec<_> = std::fs::read_dir(s.directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["file"]);
}

pub async fn large_files_travel_both_ways(s: &Subject) {
    let bytes = noise(5 << 20, 9);
    let (local, remote, back) = (s.path("local"), s.path("remote"), s.path("back"));
    std::fs::write(&local, &bytes).unwrap();
    let request = StatRequest {
        checksum: Some(ChecksumAlgorithm::Sha1),
        ..StatRequest::new(&*local)
    };
    let stat = s
        .connection
        .stat(&s.identity, &[request])
        .await
        .unwrap()
        .remove(0);
    let sha1 = stat.checksum.unwrap().1;
    let mut write = WriteFile {
        mode: Some(0o600),
        content: Content::LocalFile {
            path: local.into(),
            size: stat.size,
            sha1: sha1.clone(),
            cksum: Cksum::of(&bytes),
        },
        ..WriteFile::new(&*remote, "")
    };
    s.connection.write_file(&s.identity, &write).await.unwrap();
    assert!(std::fs::read(&remote).unwrap() == bytes);
    let fetched = s
        .connection
        .fetch_file(&s.identity, &remote, back.as_ref())
        .await
        .unwrap();
    assert_eq!(
        (fetched.size, fetched.sha1.as_str()),
        (5 << 20, sha1.as_str())
    );
    assert!(std::fs::read(&back).unwrap() == bytes);
    // A file that became another one meanwhile is not put in place.
    if let Content::LocalFile { sha1, cksum, .. } = &mut write.content {
        *sha1 = "0".repeat(40);
        *cksum ^= 1;
    }
    assert_eq!(
        s.connection
            .write_file(&s.identity, &write)
            .await
            .unwrap_err()
            .kind(),
        "file"
    );
    let absent = s
        .connection
        .fetch_file(&s.identity, &s.path("absent"), s.path("never").as_ref())
        .await;
    assert_eq!(absent.unwrap_err().kind(), "file");
    assert!(!Path::new(&s.path("never")).exists());
}
