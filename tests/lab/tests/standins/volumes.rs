//! Media and file systems.

use crate::{events, lab, sh};

const MOUNT: &str = "mount -t iso9660 -o ro /dev/cdrom /mnt/primary";

#[test]
fn a_disc_is_mounted_read_only_and_taken_off_again() {
    let lab = lab("");
    assert_eq!(sh(&lab, "s1", MOUNT), (0, String::new()));
    let (_, label) = sh(
        &lab,
        "s1",
        "cat /mnt/primary/LABEL; ls /mnt/primary/disk001/opsware_installer",
    );
    assert!(
        label.contains("Product Software") && label.contains("upgrade_opsware.sh"),
        "{label}"
    );
    assert_ne!(sh(&lab, "s1", "touch /mnt/primary/x").0, 0);
    assert!(
        sh(&lab, "s1", "cat /etc/mtab")
            .1
            .contains("/dev/cdrom /mnt/primary iso9660 ro 0 0\n")
    );
    let (status, text) = sh(&lab, "s1", MOUNT);
    assert_eq!(
        (status, text.as_str()),
        (
            32,
            "mount: /dev/cdrom already mounted or /mnt/primary busy\n"
        )
    );
    assert_eq!(
        sh(&lab, "s1", "umount /mnt/primary; ls /mnt/primary"),
        (0, String::new())
    );
    let image = "mount -o ro,loop /depot/upload.iso /mnt/upload; cat /mnt/upload/LABEL";
    assert!(sh(&lab, "s1", image).1.contains("Agent and Utilities"));
}

#[test]
fn a_busy_file_system_stays_and_its_holder_is_named() {
    let lab = lab("hosts: {s1: {volumes: {audit: {busy: true}}}}\n");
    let audit = "/var/opt/opsware/ogfs/mnt/audit";
    let wait = format!(
        "n=0; while [ $n -lt 100 ] && ! fuser -m {audit} >/dev/null; do sleep 0.05; n=`expr $n + 1`; done"
    );
    sh(&lab, "s1", &wait);
    let (status, text) = sh(&lab, "s1", &format!("umount {audit}"));
    assert_eq!(
        (status, text),
        (32, format!("umount: {audit}: target is busy.\n"))
    );
    let (_, holders) = sh(&lab, "s1", &format!("fuser -vm {audit}"));
    assert!(holders.contains("-bash"), "{holders}");
    let log = events(&lab, "mount.umount");
    assert_eq!(log[0].details["status"], 32);
    assert_eq!(sh(&lab, "d1", &format!("umount {audit}")).0, 0);
}

#[test]
fn wrong_and_missing_discs_are_staged() {
    let lab = lab("hosts:\n  s1: {volumes: {disc: upload}}\n  d1: {volumes: {disc: none}}\n");
    let (_, label) = sh(&lab, "s1", &format!("{MOUNT}; cat /mnt/primary/LABEL"));
    assert!(label.contains("Agent and Utilities"), "{label}");
    let (status, text) = sh(&lab, "d1", MOUNT);
    assert_eq!(
        (status, text.as_str()),
        (32, "mount: /dev/cdrom: No medium found\n")
    );
}

#[test]
fn a_solaris_like_host_has_its_own_tables_and_names() {
    let lab = lab("hosts: {s1: {like: solaris}}\n");
    assert_eq!(sh(&lab, "s1", "uname -s").1, "SunOS\n");
    let (_, table) = sh(&lab, "s1", "cat /etc/mnttab");
    assert!(
        table.contains("filer-s:/export/ogfs/audit\t/var/opt/opsware/ogfs/mnt/audit\tnfs\t"),
        "{table}"
    );
    assert_eq!(
        sh(&lab, "s1", "/opt/opsware/bin/rpm -q OPSWspin").1,
        "OPSWspin-32.f-0\n"
    );
    assert!(sh(&lab, "s1", "locale -a").1.contains("en_US.UTF-8\n"));
}

#[test]
fn what_is_mounted_from_the_beginning_is_as_staged() {
    let lab = lab(
        "hosts:\n  s1:\n    volumes:\n      mounted: {primary: /mnt/primary}\n      \
         audit: {mount_point: /var/opt/OPSWmnt/audit}\n  d1: {volumes: {audit: {local: true}}}\n",
    );
    let (_, table) = sh(&lab, "s1", "mount");
    assert!(
        table.contains("/dev/cdrom on /mnt/primary type iso9660 (ro)"),
        "{table}"
    );
    assert!(
        table.contains("filer-s:/export/ogfs/audit on /var/opt/OPSWmnt/audit type nfs"),
        "{table}"
    );
    assert!(
        sh(&lab, "s1", "cat /mnt/primary/LABEL")
            .1
            .contains("Product Software")
    );
    let (_, table) = sh(&lab, "d1", "mount; cat /etc/fstab");
    assert!(
        table.contains("ogfs/store") && !table.contains("ogfs/audit"),
        "{table}"
    );
}
