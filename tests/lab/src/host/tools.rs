//! The directories that hosts see as `/usr/bin` and `/usr/sbin`: the machine's tools with the lab's in their place.
//!
//! Made once for each kind of host and bound read-only into all of them: a directory of links into the machine's own
//! `/usr`, which every host finds at `/.lab/usr`.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::account::become_user;
use crate::machine::namespaces::Rights;
use crate::paths::{Private, StateDir};
use crate::standin;
use crate::world::Like;

/// The tool directory `bin` or `sbin` for hosts of a kind.
pub fn place(state: &StateDir, like: Like, name: &str) -> PathBuf {
    let kind = match like {
        Like::Linux => "linux",
        Like::Solaris => "solaris",
    };
    state.tools().join(kind).join(name)
}

/// Makes the tool directories for hosts of a kind.
pub fn make(state: &StateDir, like: Like, rights: Rights) -> io::Result<()> {
    let mut own: BTreeSet<&str> = standin::tools(like).iter().copied().collect();
    own.extend(become_user::tools(rights));
    let mut placed = BTreeSet::new();
    for name in ["sbin", "bin"] {
        let place = place(state, like, name);
        std::fs::create_dir_all(&place)?;
        link_machine_tools(name, &place, &own, &mut placed, rights)?;
        if name == "bin" {
            for tool in own.iter().filter(|tool| !placed.contains(**tool)) {
                symlink(program(tool, rights), place.join(tool))?;
            }
        }
    }
    Ok(())
}

/// The program that acts as the tool on a host.
fn program(tool: &str, rights: Rights) -> PathBuf {
    let here = Private::inside();
    if rights == Rights::Root && become_user::changes_user(tool) {
        here.become_program()
    } else {
        here.saslab()
    }
}

fn link_machine_tools<'a>(
    name: &str,
    place: &Path,
    own: &BTreeSet<&'a str>,
    placed: &mut BTreeSet<&'a str>,
    rights: Rights,
) -> io::Result<()> {
    for entry in std::fs::read_dir(Path::new("/usr").join(name))? {
        let file = entry?.file_name();
        let Some(tool) = file.to_str() else { continue };
        let target = match own.get(tool) {
            Some(tool) => {
                placed.insert(*tool);
                program(tool, rights)
            }
            None => Path::new("/.lab/usr").join(name).join(tool),
        };
        symlink(target, place.join(tool))?;
    }
    Ok(())
}
