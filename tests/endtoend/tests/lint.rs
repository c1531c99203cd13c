//! `sasrun lint`: every file of a role is read, also those that only a condition would choose.

use sasrun_endtoend::Site;

#[test]
fn a_role_is_read_with_all_its_files() {
    let site = Site::new();
    site.file(
        "roles/web/tasks/main.yml",
        "- include_tasks: \"{{ ansible_os_family }}.yml\"\n",
    )
    .file(
        "roles/web/tasks/Debian.yml",
        "- apt: {name: nginx}\n- service: {nmae: nginx}\n",
    )
    .file(
        "roles/web/tasks/RedHat.yml",
        "- seboolean: {name: x, state: true}\n",
    )
    .file("play.yml", "- hosts: all\n  roles: [web]\n");
    site.sasrun(&["lint", "play.yml"])
        .exits(0)
        .says("0 errors, 0 warnings; 1 playbook");
    for path in ["roles/web", "."] {
        let ended = site.sasrun(&["lint", path]);
        ended
            .exits(3)
            .says("roles/web/tasks/Debian.yml:2:")
            .says("Did you mean 'name'?")
            .says("there is no module `seboolean` here")
            .says("2 errors, 1 warning; ");
    }
    site.file(
        "roles/web/tasks/Debian.yml",
        "- service: {name: nginx, state: started}\n",
    );
    site.sasrun(&["lint"]).exits(0).says("1 playbook, 1 role, ");
}

#[test]
fn a_folder_without_either_is_no_success() {
    let site = Site::new();
    site.file("notes/x.yml", "a: 1\n");
    site.sasrun(&["lint", "notes"])
        .exits(3)
        .says("there is no playbook and no role here");
}
