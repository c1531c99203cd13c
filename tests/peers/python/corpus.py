"""Renders templates of public roles with ansible-core, and writes each with its variables and its result.

    corpus.py WHEEL --count 1000 --seed 7 --out FILE

One line of JSON for each template: `kind` (value, when, file), `text`, `role` (variables as templates), `data`
(variables as data), and `expect`. The last line counts what was left out, and why.
"""

import argparse
import json
import math
import random
import re
import sys
from collections import Counter

import harvest
import shapes
from ansible.errors import AnsibleError, AnsibleValueOmittedError
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template
from jinja2 import Environment, TemplateError

ATTEMPTS = 10
OMITTED = "(omit)"
GLOBALS = {"omit", "undef", "range", "dict", "lipsum", "cycler", "joiner", "namespace", "true", "false", "none", "True", "False", "None"}
IMPURE = re.compile(
    r"\b(lookup|query|q)\b|\bnow\s*\(|password_hash|\brandom|shuffle|vault|to_uuid\b.*random|realpath|expanduser|"
    r"\bis\s+(not\s+)?(ansible\.builtin\.)?(file|directory|link|exists|mount|abs|same_file|link_exists)\b|\bansible_managed\b|"
    r"strftime|fileglob|\bvars\b|hostvars|template_(path|host|uid|destpath|mtime|run_date|fullpath)|\bgroups\b"
)
OTHER_FILES = re.compile(r"{%-?\s*(include|import|from|extends)\b")
BARE = re.compile(r"{{\s*[\w.]+\s*}}")
FACTS = {
    "inventory_hostname": "web01", "inventory_hostname_short": "web01", "inventory_dir": "/srv/inventory",
    "playbook_dir": "/srv/play", "role_path": "/srv/play/roles/one", "role_name": "one", "ansible_check_mode": False,
    "ansible_diff_mode": False, "ansible_play_hosts": ["web01", "db01"], "ansible_play_batch": ["web01", "db01"],
    "play_hosts": ["web01", "db01"], "group_names": ["web", "all_sites"], "ansible_host": "10.0.0.5",
    "ansible_user": "deploy", "ansible_os_family": "Debian", "ansible_distribution": "Debian",
    "ansible_distribution_release": "bookworm", "ansible_distribution_version": "12.4",
    "ansible_distribution_major_version": "12", "ansible_architecture": "x86_64", "ansible_system": "Linux",
    "ansible_kernel": "6.1.0-18-amd64", "ansible_hostname": "web01", "ansible_fqdn": "web01.example.org",
    "ansible_nodename": "web01", "ansible_domain": "example.org", "ansible_processor_vcpus": 4,
    "ansible_memtotal_mb": 7961, "ansible_pkg_mgr": "apt", "ansible_service_mgr": "systemd",
    "ansible_python_version": "3.11.2", "ansible_user_id": "deploy", "ansible_env": {"HOME": "/home/deploy", "PATH": "/usr/bin:/bin"},
    "ansible_default_ipv4": {"address": "10.0.0.5", "interface": "eth0", "gateway": "10.0.0.1", "netmask": "255.255.255.0"},
    "ansible_all_ipv4_addresses": ["10.0.0.5", "192.168.7.1"], "ansible_interfaces": ["lo", "eth0"],
    "ansible_date_time": {"iso8601": "2026-03-04T05:06:07Z", "date": "2026-03-04", "epoch": "1772600767", "year": "2026",
                          "iso8601_basic_short": "20260304T050607", "month": "03", "day": "04", "time": "05:06:07"},
    "ansible_eth0": {"device": "eth0", "ipv4": {"address": "10.0.0.5"}, "active": True, "macaddress": "52:54:00:12:34:56"},
    "ansible_mounts": [{"mount": "/", "device": "/dev/sda1", "size_available": 1234567890, "size_total": 9876543210, "fstype": "ext4"}],
    "ansible_version": {"full": "2.19.0", "major": 2, "minor": 19, "revision": 0, "string": "2.19.0"},
}
FACTS["ansible_facts"] = {
    name.removeprefix("ansible_"): value
    for name, value in FACTS.items()
    if name.startswith("ansible_") and name not in ("ansible_check_mode", "ansible_diff_mode", "ansible_host", "ansible_play_hosts")
}


class Refused(Exception):
    """A template that is left out, with the reason."""


class Corpus:
    """Renders pieces with ansible-core."""

    def __init__(self, wheel, seed):
        self.wheel = wheel
        self.seed = seed
        init_plugin_loader()
        self.loader = DataLoader()
        self.syntax = Environment(extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"])

    def tree(self, kind, text):
        return self.syntax.parse("{{ " + text + " }}" if kind == "when" else text)

    def prepare(self, piece):
        """The variables of the role that the text leads to, and the shapes of all that nobody defines."""
        if piece.kind == "value" and BARE.fullmatch(piece.text.strip()):
            raise Refused("only names a variable")
        if IMPURE.search(piece.text):
            raise Refused("asks the clock, chance, files or other hosts")
        if piece.kind == "file" and OTHER_FILES.search(piece.text):
            raise Refused("needs other files")
        reader = shapes.Reader()
        free, role = set(), {}
        try:
            tree = self.tree(piece.kind, piece.text)
        except (TemplateError, RecursionError) as error:
            raise Refused("is no template that Jinja2 can read") from error
        reader.read(tree)
        written = self.wheel.role_variables(piece.role)
        while True:
            wanted = sorted(set(reader.root.fields) - free - role.keys() - GLOBALS)
            if not wanted:
                break
            name = wanted[0]
            if name not in written:
                free.add(name)
                continue
            role[name] = written[name]
            for text in texts(written[name]):
                if IMPURE.search(text):
                    raise Refused("asks the clock, chance, files or other hosts")
                try:
                    tree = self.tree("value", text)
                except TemplateError as error:
                    raise Refused("is no template that Jinja2 can read") from error
                reader.read(tree)
        if len(json.dumps(role)) > 60_000:
            raise Refused("needs very large variables")
        return role, {name: reader.root.field(name) for name in sorted(free)}

    def render(self, piece, role, data):
        variables = {**data, **{name: trusted(value) for name, value in role.items()}}
        templar = Templar(loader=self.loader, variables=variables)
        text = trust_as_template(piece.text)
        if piece.kind == "when":
            return templar.evaluate_conditional(text)
        if piece.kind == "file":
            overrides = {"trim_blocks": True, "lstrip_blocks": False, "newline_sequence": "\n"}
            result = templar.template(text, escape_backslashes=False, overrides=overrides)
            return "" if result is None else str(result)
        try:
            return templar.template(text)
        except AnsibleValueOmittedError:
            return OMITTED

    def case(self, piece):
        """A line of the corpus; none where ansible-core renders it with no value that was tried."""
        role, free = self.prepare(piece)
        last = None
        for attempt in range(ATTEMPTS):
            dice = random.Random(f"{self.seed}:{piece.path}:{piece.line}:{attempt}")
            data = {}
            for name, shape in free.items():
                if name in FACTS:
                    data[name] = FACTS[name]
                    for field, inner in shape.fields.items():
                        if isinstance(FACTS[name], dict) and field not in FACTS[name] and not shapes.lacks(inner, dice):
                            data[name] = {**data[name], field: shapes.make_up(inner, field, dice, attempt)}
                elif not shapes.lacks(shape, dice):
                    data[name] = shapes.make_up(shape, name, dice, attempt)
            try:
                expect = plain(self.render(piece, role, data))
            except (AnsibleError, RecursionError) as error:
                last = error
                continue
            return {
                "source": f"{piece.path}:{piece.line}", "kind": piece.kind, "text": piece.text, "role": role,
                "data": data, "expect": expect,
            }
        text = str(last)
        for sign, reason in (("No filter named", "a filter of another collection"), ("No test named", "a test of another collection"),
                             ("filter plugin", "a filter of another collection"), ("Could not load", "a plugin of another collection")):
            if sign in text:
                raise Refused(reason)
        raise Refused("ansible-core renders it with none of the values tried")


def texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def trusted(value):
    if isinstance(value, str):
        return trust_as_template(value)
    if isinstance(value, dict):
        return {key: trusted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [trusted(item) for item in value]
    return value


def plain(value):
    """A result as JSON says it."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Refused("gives what JSON cannot say")
        return float(value)
    if isinstance(value, str):
        if hasattr(value, "isoformat"):
            raise Refused("gives what JSON cannot say")
        return str(value)
    if isinstance(value, dict):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item) for item in value), key=str)
    raise Refused("gives what JSON cannot say")


def spread(pieces, seed):
    """An order in which no collection is taken twice before every one was taken once."""
    dice = random.Random(seed)
    piles = {}
    for piece in pieces:
        piles.setdefault(piece.collection, []).append(piece)
    for pile in piles.values():
        dice.shuffle(pile)
    names = sorted(piles)
    while names:
        dice.shuffle(names)
        for name in names:
            yield piles[name].pop()
        names = [name for name in names if piles[name]]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("wheel")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    pieces = list(harvest.Wheel.pieces(wheel := harvest.Wheel(arguments.wheel)))
    corpus = Corpus(wheel, arguments.seed)
    left_out, found = Counter(), 0
    with open(arguments.out, "w", encoding="utf-8") as out:
        for piece in spread(pieces, arguments.seed):
            if found == arguments.count:
                break
            try:
                line = corpus.case(piece)
            except Refused as reason:
                left_out[str(reason)] += 1
                continue
            found += 1
            out.write(json.dumps(line) + "\n")
        json.dump({"harvested": len(pieces), "left_out": dict(left_out.most_common())}, out)
        out.write("\n")
    return 0 if found == arguments.count else 1


if __name__ == "__main__":
    sys.exit(main())
