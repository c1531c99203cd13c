//! The controller's own shells.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod suite;

use sasrun_connection::{Connection, Identity, LocalTarget, Target, Transport};
use suite::Subject;

async fn open(shell: &[&str]) -> Option<Subject> {
    let program = shell.first()?;
    let is_there = std::env::split_paths(&std::env::var_os("PATH")?)
        .any(|directory| directory.join(program).exists());
    if !is_there {
        eprintln!("SKIPPED: there is no {program} here");
        return None;
    }
    let target = Target {
        transport: Transport::Local(LocalTarget {
            shell: shell.iter().map(|&word| word.to_owned()).collect(),
            environment: Vec::new(),
        }),
        ..Target::local("localhost")
    };
    Some(Subject {
        connection: Connection::connect(target).await.unwrap(),
        identity: Identity::Login,
        directory: tempfile::tempdir().unwrap(),
        _keep: Box::new(()),
    })
}

mod dash {
    crate::suite!(super::open(&["dash"]));
}
mod bash {
    crate::suite!(super::open(&["bash"]));
}
mod busybox {
    crate::suite!(super::open(&["busybox", "sh"]));
}
mod ksh {
    crate::suite!(super::open(&["ksh"]));
}
