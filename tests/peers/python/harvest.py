"""Takes expressions and templates out of the roles and playbooks of a wheel of collections.

Reads the wheel as it is, without unpacking it. Must not render anything.
"""

import posixpath
import re
import zipfile

import yaml

CONDITIONS = {"when", "until", "changed_when", "failed_when", "that", "break_when"}
PLACES = re.compile(r"^ansible_collections/([^/]+/[^/]+)/(roles|playbooks)/.*\.(ya?ml|j2)$")
ROLE = re.compile(r"^(ansible_collections/[^/]+/[^/]+/roles/[^/]+)/")
LARGEST_FILE = 200_000
STRING_TAG = "tag:yaml.org,2002:str"


class Piece:
    """A text with its place and the variables of its role."""

    def __init__(self, kind, text, path, line, role):
        self.kind = kind
        self.text = text
        self.path = path.removeprefix("ansible_collections/")
        self.line = line
        self.role = role

    @property
    def collection(self):
        return "/".join(self.path.split("/")[:2])


class Wheel:
    """The roles and playbooks inside a wheel."""

    def __init__(self, path):
        self.archive = zipfile.ZipFile(path)
        self.names = sorted(name for name in self.archive.namelist() if PLACES.match(name))
        self.known = set(self.names)
        self.variables = {}

    def pieces(self):
        """Everything that is a template, each text once."""
        seen = set()
        for name in self.names:
            if self.archive.getinfo(name).file_size > LARGEST_FILE:
                continue
            try:
                text = self.archive.read(name).decode("utf-8")
            except UnicodeDecodeError:
                continue
            matched = ROLE.match(name)
            role = matched.group(1) if matched else None
            for kind, found, line in of_file(name, text):
                if (kind, found) not in seen:
                    seen.add((kind, found))
                    yield Piece(kind, found, name, line, role)

    def role_variables(self, role):
        """Defaults and variables of a role, as they are written."""
        if role is None:
            return {}
        if role not in self.variables:
            merged = {}
            for part in ("defaults", "vars"):
                for ending in ("yml", "yaml"):
                    name = posixpath.join(role, part, f"main.{ending}")
                    if name in self.known:
                        merged.update(plain_mapping(self.archive.read(name)))
            self.variables[role] = merged
        return self.variables[role]


def of_file(name, text):
    """Kind, text and line of each template of a file."""
    if name.endswith(".j2"):
        if "{{" in text or "{%" in text:
            yield "file", text, 1
        return
    try:
        documents = list(yaml.compose_all(text, Loader=yaml.CSafeLoader))
    except (yaml.YAMLError, ValueError):
        return
    for document in documents:
        yield from of_node(document, False)


def of_node(node, is_condition):
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from of_node(value, key.value in CONDITIONS if isinstance(key.value, str) else False)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from of_node(item, is_condition)
    elif isinstance(node, yaml.ScalarNode) and node.tag == STRING_TAG:
        line = node.start_mark.line + 1
        marked = "{{" in node.value or "{%" in node.value
        if is_condition and not marked and node.value.strip():
            yield "when", node.value, line
        elif marked and not is_condition:
            yield "value", node.value, line


def plain_mapping(content):
    """A file of variables without what JSON cannot say."""
    try:
        loaded = yaml.load(content, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError):
        return {}
    if not isinstance(loaded, dict):
        return {}
    return {key: value for key, value in loaded.items() if isinstance(key, str) and is_plain(value)}


def is_plain(value):
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_plain(item) for key, item in value.items())
    if isinstance(value, list):
        return all(is_plain(item) for item in value)
    return value is None or isinstance(value, (str, bool, int, float))
