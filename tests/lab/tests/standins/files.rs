//! What a host has before anything happens: response files, names, locales, packages.

use crate::{lab, sh};

const RESPONSES: &str = "/var/opt/opsware/install_opsware/resp";

#[test]
fn each_core_writes_its_response_files_in_its_own_way() {
    let lab = lab("hosts: {d1: {response: {truth.vaultPwd: not-this-one}}}\n");
    let (_, list) = sh(
        &lab,
        "s1",
        &format!("ls -l {RESPONSES} | awk 'NR > 1 {{print $1, $3, $9}}'"),
    );
    assert_eq!(
        list,
        "-rw------- root resp.20070524094640\n-rw------- root resp.20071130140511\n"
    );
    let (_, text) = sh(
        &lab,
        "s1",
        &format!("sed -n '/^%truth.servicename/,+1p' {RESPONSES}/*11"),
    );
    assert_eq!(text, "%truth.servicename\ns_truth\n");
    let (_, list) = sh(&lab, "d1", &format!("ls {RESPONSES}"));
    assert_eq!(list, "resp.1180000000\nresp.1196431511\n");
    let (_, text) = sh(
        &lab,
        "d1",
        &format!("grep -h vaultPwd {RESPONSES}/resp.1196431511"),
    );
    assert_eq!(text, "truth.vaultPwd: not-this-one\n");
    let (_, lines) = sh(
        &lab,
        "d1",
        &format!("grep -c : {RESPONSES}/resp.1196431511"),
    );
    assert_eq!(lines, "51\n");
}

#[test]
fn names_locales_and_releases_are_as_staged() {
    let lab = lab(
        "version: 6.5.1.3\nhosts:\n  s1:\n    locales: [C, POSIX]\n    names: {wordcache: \"\", theword: 127.0.0.9}\n    \
         versions: {spin: 6.5.0}\n",
    );
    assert_eq!(sh(&lab, "s1", "locale -a").1, "C\nPOSIX\n");
    assert_eq!(sh(&lab, "s1", "getent hosts wordcache").0, 2);
    assert!(
        sh(&lab, "s1", "getent hosts theword")
            .1
            .starts_with("127.0.0.9")
    );
    assert!(
        sh(&lab, "d1", "getent hosts wordcache")
            .1
            .starts_with("127.61.8.2")
    );
    assert_eq!(
        sh(&lab, "s1", "rpm -q OPSWtruth OPSWspin").1,
        "OPSWtruth-32.d.3-0\nOPSWspin-32.a-0\n"
    );
}
