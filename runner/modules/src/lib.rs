//! The built-in modules, one file each.
//!
//! A module sees only the contract of `sasrun-plugin`: it asks its host for things and never holds
//! a connection, a template or a reporter. What several modules share about files, words, output
//! and patterns lies beside them under its own name.
#![forbid(unsafe_code)]
#![expect(
    clippy::result_large_err,
    reason = "a failure is the contract's own type, moved once at the end of a task"
)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod answers;
mod attributes;
mod changing;
mod commands;
mod controller;
mod describe;
mod digest;
mod facts;
mod files;
mod firewall;
mod jobs;
mod languages;
mod lines;
mod packages;
mod paths;
mod python_json;
mod python_regex;
mod repositories;
mod sources;
mod system;
mod web;
mod words;

use sasrun_plugin::Module;

/// Makes all built-in modules.
pub fn builtin() -> Vec<Box<dyn Module>> {
    vec![
        commands::command::module(),
        commands::raw::module(),
        commands::script::module(),
        commands::shell::module(),
        controller::assert::module(),
        controller::debug::module(),
        controller::fail::module(),
        controller::gate::module(),
        controller::include_vars::module(),
        controller::inventory::add_host(),
        controller::inventory::group_by(),
        controller::meta::module(),
        controller::pause::module(),
        controller::set_fact::module(),
        controller::set_stats::module(),
        controller::validate_argument_spec::module(),
        facts::module(),
        files::assemble::module(),
        files::blockinfile::module(),
        files::copy::module(),
        files::fetch::module(),
        files::file::module(),
        files::find::module(),
        files::htpasswd::module(),
        files::ini_file::module(),
        files::lineinfile::module(),
        files::replace::module(),
        files::slurp::module(),
        files::stat::module(),
        files::tempfile::module(),
        files::template::module(),
        firewall::firewalld::module(),
        firewall::iptables::module(),
        firewall::ufw::module(),
        languages::npm::module(),
        languages::pip::module(),
        jobs::async_status::module(),
        jobs::listed::module(),
        packages::apt::module(),
        packages::debconf::module(),
        packages::dnf::dnf(),
        packages::dnf::yum(),
        packages::dpkg_selections::module(),
        packages::package::module(),
        packages::package_facts::module(),
        repositories::apt_key::module(),
        repositories::apt_repository::module(),
        repositories::deb822_repository::module(),
        repositories::rpm_key::module(),
        repositories::yum_repository::module(),
        sources::archive::module(),
        sources::git::module(),
        sources::unarchive::module(),
        system::alternatives::module(),
        system::authorized_key::module(),
        system::capabilities::module(),
        system::cron::module(),
        system::expect::module(),
        system::getent::module(),
        system::group::module(),
        system::hostname::module(),
        system::known_hosts::module(),
        system::locale_gen::module(),
        system::modprobe::module(),
        system::mount::module(),
        system::mount_facts::module(),
        system::pam_limits::module(),
        system::pamd::module(),
        system::ping::module(),
        system::reboot::module(),
        system::service::module(),
        system::service_facts::module(),
        system::sysctl::module(),
        system::systemd::module(),
        system::sysvinit::module(),
        system::timezone::module(),
        system::user::module(),
        system::wait_for::module(),
        system::wait_for_connection::module(),
        web::get_url::module(),
        web::uri::module(),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use sasrun_plugin::{Arguments, Object};

    use super::builtin;

    #[test]
    fn every_module_is_described_in_full() {
        let mut names = BTreeSet::new();
        for module in builtin() {
            let spec = module.spec();
            let name = &spec.name;
            for known in spec.aliases.iter().chain([name]) {
                assert!(names.insert(known.clone()), "{known} is taken");
            }
            assert!(spec.summary.ends_with('.'), "{name}: summary");
            assert!(!spec.examples.is_empty(), "{name}: examples");
            let mut known = BTreeSet::new();
            for argument in &spec.arguments {
                let of = &argument.name;
                assert!(!argument.description.is_empty(), "{name}: {of}");
                assert!(
                    !(argument.required && argument.default.is_some()),
                    "{name}: {of}"
                );
                for word in argument.aliases.iter().chain([of]) {
                    assert!(known.insert(word.clone()), "{name}: {word} is taken");
                }
            }
            let rules = [
                &spec.mutually_exclusive,
                &spec.required_one_of,
                &spec.required_together,
            ];
            for word in rules.into_iter().flatten().flatten() {
                assert!(known.contains(word), "{name}: a rule about {word}");
            }
        }
    }

    #[test]
    fn defaults_are_values_that_may_be_given() {
        for module in builtin() {
            let spec = module.spec();
            let given: Object = spec
                .arguments
                .iter()
                .filter_map(|argument| Some((argument.name.clone(), argument.default.clone()?)))
                .collect();
            let errors = Arguments::check(spec, &given).err().unwrap_or_default();
            let wrong: Vec<_> = errors
                .iter()
                .filter(|error| given.contains_key(&error.argument))
                .collect();
            assert!(wrong.is_empty(), "{}: {wrong:?}", spec.name);
        }
    }
}
