//! Pages of spin and of the gateways, through the product's own client.

use crate::{lab, sh};

const CURL: &str = "/opt/opsware/oi_util/curl/bin/curl -s -k";
const CERTIFICATE: &str = "-E /var/opt/opsware/crypto/spin/spin.srv";

#[test]
fn the_mesh_state_page_follows_the_scenario_and_then_the_truth() {
    let lab = lab(
        "cores: {source: {mesh_state: {pages: [{colour: yellow, count: 4980}, error, login, empty, \
         {colour: mauve, count: 1}, refused, {colour: red, count: 2}]}}}\n",
    );
    let poll = format!("{CURL} {CERTIFICATE} -w ' %{{http_code}}' https://spin:1004/mesh_state");
    let wanted = [
        "4980 transactions",
        "500",
        "password",
        "</th></tr>\n</table>",
        "mauve",
        "not authorized",
        "color=\"red\">2 transactions",
        "color=\"black\">0 transactions",
    ];
    for text in wanted {
        let (_, page) = sh(&lab, "s1", &poll);
        assert!(page.contains(text), "{text}: {page}");
    }
}

#[test]
fn the_right_certificate_opens_the_pages_and_others_do_not() {
    let lab = lab("");
    assert_eq!(sh(&lab, "s1", &format!("{CURL} https://spin:1004/")).0, 35);
    assert_eq!(
        sh(
            &lab,
            "s1",
            &format!("{CURL} -E /nowhere https://spin:1004/")
        )
        .0,
        58
    );
    let wrong = "-f -E /var/opt/opsware/crypto/agent/agent-ca.crt";
    assert_eq!(
        sh(
            &lab,
            "s1",
            &format!("{CURL} {wrong} https://spin:1004/mesh_state")
        )
        .0,
        22
    );
    let (status, page) = sh(
        &lab,
        "s1",
        &format!("{CURL} {CERTIFICATE} https://spin:1004/"),
    );
    assert!(status == 0 && page.contains("Mesh State"), "{page}");
}

#[test]
fn a_gateway_shows_who_is_connected_to_it() {
    let lab = lab("");
    let (_, page) = sh(
        &lab,
        "s1",
        &format!("{CURL} {CERTIFICATE} https://127.61.8.1:8085/status"),
    );
    assert!(page.contains("Connected Gateways"), "{page}");
    assert!(
        page.contains("<td>agw0-S</td>") && page.contains("<td>cgw0-D</td>"),
        "{page}"
    );
    assert!(!page.contains("agw0-D"), "{page}");
    sh(&lab, "s1", "/etc/init.d/opsware-sas stop opswgw-agw0");
    let (_, page) = sh(
        &lab,
        "s1",
        &format!("{CURL} {CERTIFICATE} https://127.61.8.1:8085/status"),
    );
    assert!(!page.contains("<td>agw0-S</td>"), "{page}");
}
