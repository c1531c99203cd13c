"""Guesses from a template what its free variables look like, and makes up values for them.

The same values are given to both sides, so a wrong guess costs a template, never the comparison.
"""

from jinja2 import nodes

TEXT_METHODS = {
    "split", "rsplit", "splitlines", "startswith", "endswith", "strip", "lstrip", "rstrip", "lower", "upper", "replace",
    "find", "format", "title", "capitalize", "isdigit", "join", "partition", "zfill", "encode", "count", "index",
}
MAP_METHODS = {"items", "keys", "values", "get", "update", "copy", "pop", "setdefault"}
LIST_METHODS = {"append", "extend", "insert", "remove", "reverse", "sort"}
SAME = {
    "default", "d", "select", "reject", "selectattr", "rejectattr", "list", "unique", "sort", "reverse", "union",
    "difference", "intersect", "symmetric_difference", "shuffle", "flatten", "batch", "mandatory",
}
OF_TEXT = {
    "upper", "lower", "trim", "basename", "dirname", "split", "regex_replace", "regex_search", "regex_findall",
    "b64encode", "quote", "replace", "splitext", "expanduser", "realpath", "capitalize", "title", "hash", "password_hash",
    "indent", "urlsplit", "comment", "regex_escape", "urlencode", "wordcount", "truncate", "checksum", "sha1", "md5",
}
OF_LIST = {
    "map", "join", "first", "last", "length", "count", "sum", "min", "max", "zip", "product", "subelements", "groupby",
    "random", "items2dict", "community.general.json_query",
}
RESULTS = {
    "rc": 0, "changed": True, "failed": False, "skipped": False, "exists": True, "stdout": "one two\nthree",
    "stderr": "", "stdout_lines": ["one two", "three"], "isdir": False, "islnk": False, "isreg": True, "status": 200,
    "finished": 1, "attempts": 1, "size": 1024, "mode": "0644", "msg": "done", "major": "12", "minor": "4", "json": None,
    "mtime": 1700000000.5, "content": "b25lIHR3bw==",
}
WORDS = ["alpha", "beta", "gamma", "delta", "web01", "db01", "/opt/app", "node-a.example.org", "10.0.0.5", "x1"]


class Shape:
    """What is known of a value by the way it is used."""

    def __init__(self):
        self.fields = {}
        self.item = None
        self.kinds = []
        self.compared = []
        self.may_lack = False

    def field(self, name):
        return self.fields.setdefault(name, Shape())

    def element(self):
        if self.item is None:
            self.item = Shape()
        return self.item

    def kind(self, name):
        self.kinds.append(name)


class Reader:
    """Walks a syntax tree and collects the shapes of free names."""

    def __init__(self):
        self.root = Shape()
        self.local = [{}]

    def read(self, tree):
        self.visit(tree)
        return self.root.fields

    def visit(self, node):
        if isinstance(node, nodes.For):
            self.visit_loop(node)
        elif isinstance(node, nodes.Macro):
            names = {arg.name: Shape() for arg in node.args}
            names.update({name: Shape() for name in ("caller", "varargs", "kwargs")})
            self.inside(names, node.iter_child_nodes())
            self.local[-1][node.name] = Shape()
        elif isinstance(node, (nodes.Assign, nodes.AssignBlock)):
            value = None
            if isinstance(node, nodes.Assign):
                value = self.shape(node.node)
            else:
                for child in node.body:
                    self.visit(child)
            self.bind(node.target, value or Shape())
        elif isinstance(node, nodes.Import):
            self.local[-1][node.target] = Shape()
        elif isinstance(node, nodes.If):
            self.truth(node.test)
            for child in [*node.body, *node.elif_, *node.else_]:
                self.visit(child)
        elif isinstance(node, nodes.Expr):
            self.shape(node)
        else:
            for child in node.iter_child_nodes():
                self.visit(child)

    def inside(self, names, children):
        self.local.append(names)
        for child in children:
            self.visit(child)
        self.local.pop()

    def visit_loop(self, node):
        source = node.iter
        called = isinstance(source, nodes.Call) and isinstance(source.node, nodes.Getattr) and source.node.attr == "items"
        pairs = called or (isinstance(source, nodes.Filter) and source.name in ("dictsort", "items"))
        whole = self.shape(source.node.node if called else source.node if pairs else source)
        names = {"loop": Shape()}
        if whole is not None:
            whole.kind("map" if pairs else "list")
        self.local.append(names)
        if pairs and isinstance(node.target, nodes.Tuple) and len(node.target.items) == 2:
            key, value = node.target.items
            self.bind(key, Shape())
            self.bind(value, whole.element() if whole is not None else Shape())
        else:
            self.bind(node.target, whole.element() if whole is not None else Shape())
        if node.test is not None:
            self.truth(node.test)
        for child in [*node.body, *node.else_]:
            self.visit(child)
        self.local.pop()

    def bind(self, target, shape):
        if isinstance(target, nodes.Name):
            self.local[-1][target.name] = shape
        elif isinstance(target, nodes.Tuple):
            for item in target.items:
                self.bind(item, Shape())

    def lookup(self, name):
        for names in reversed(self.local):
            if name in names:
                return names[name]
        return self.root.field(name)

    def truth(self, node):
        """A condition: a bare value in it is a boolean."""
        if isinstance(node, nodes.Not):
            self.truth(node.node)
        elif isinstance(node, (nodes.And, nodes.Or)):
            self.truth(node.left)
            self.truth(node.right)
        else:
            shape = self.shape(node)
            if isinstance(node, (nodes.Name, nodes.Getattr, nodes.Getitem)) and shape is not None:
                shape.kind("bool")

    def shape(self, node):
        """The shape of the value of an expression, if it is that of a variable."""
        if isinstance(node, nodes.Name):
            return self.lookup(node.name)
        if isinstance(node, nodes.Getattr):
            return self.member(self.shape(node.node), node.attr)
        if isinstance(node, nodes.Getitem):
            return self.subscript(node)
        if isinstance(node, nodes.Filter):
            return self.filtered(node)
        if isinstance(node, nodes.Test):
            return self.tested(node)
        if isinstance(node, nodes.Compare):
            return self.compared(node)
        if isinstance(node, nodes.CondExpr):
            self.truth(node.test)
            other = self.shape(node.expr2) if node.expr2 is not None else None
            return self.shape(node.expr1) or other
        if isinstance(node, (nodes.And, nodes.Or, nodes.Not)):
            self.truth(node)
            return None
        if isinstance(node, nodes.BinExpr):
            return self.binary(node)
        if isinstance(node, nodes.Call):
            self.shape(node.node)
            for child in [*node.args, *(word.value for word in node.kwargs)]:
                self.shape(child)
            return Shape()
        for child in node.iter_child_nodes():
            if isinstance(child, nodes.Expr):
                self.shape(child)
            elif isinstance(child, (nodes.Pair, nodes.Keyword)):
                self.visit(child)
        return None

    def member(self, shape, name):
        if shape is None:
            return None
        for names, kind in ((TEXT_METHODS, "text"), (MAP_METHODS, "map"), (LIST_METHODS, "list")):
            if name in names:
                shape.kind(kind)
                return shape.element() if name == "values" else None
        return shape.field(name)

    def subscript(self, node):
        shape = self.shape(node.node)
        if isinstance(node.arg, nodes.Const) and shape is not None:
            if isinstance(node.arg.value, str):
                return shape.field(node.arg.value)
            shape.kind("list")
            return shape.element()
        if not isinstance(node.arg, nodes.Const):
            self.shape(node.arg)
        if shape is None:
            return None
        if isinstance(node.arg, nodes.Slice):
            shape.kind("list")
            return shape
        shape.kind("map")
        return shape.element()

    def filtered(self, node):
        shape = self.shape(node.node) if node.node is not None else None
        for child in [*node.args, *(word.value for word in node.kwargs)]:
            given = self.shape(child)
            if given is not None and node.name in ("union", "difference", "intersect", "zip", "product"):
                given.kind("list")
            elif given is not None and node.name == "combine":
                given.kind("map")
        if shape is None:
            return None
        name = node.name.removeprefix("ansible.builtin.")
        if name in ("default", "d"):
            shape.may_lack = True
            if node.args and isinstance(node.args[0], nodes.Const) and node.args[0].value is not None:
                shape.compared.append(node.args[0].value)
            return shape
        if name in OF_TEXT:
            shape.kind("text")
            return None
        if name in ("int", "float", "abs", "round", "human_readable"):
            shape.kind("number")
            return None
        if name in ("bool", "ternary"):
            shape.kind("bool")
            return None
        if name in ("combine", "dict2items", "dictsort", "items"):
            shape.kind("map")
            return shape if name == "combine" else None
        if name in ("from_json", "from_yaml", "b64decode", "to_datetime", "from_yaml_all"):
            shape.kind(name)
            return Shape()
        if name in SAME or name in OF_LIST:
            return self.of_sequence(shape, node, name)
        return None

    def of_sequence(self, shape, node, name):
        shape.kind("list")
        first = node.args[0].value if node.args and isinstance(node.args[0], nodes.Const) else None
        if name in ("selectattr", "rejectattr") and isinstance(first, str):
            field = self.path(shape.element(), first)
            test = node.args[1].value if len(node.args) > 1 and isinstance(node.args[1], nodes.Const) else None
            if len(node.args) > 2 and isinstance(node.args[2], nodes.Const) and test in ("equalto", "eq", "==", "search", "match"):
                field.compared.append(node.args[2].value)
            return shape
        if name == "map":
            given = {word.key: word.value for word in node.kwargs}
            attribute = given.get("attribute")
            mapped = Shape()
            if isinstance(attribute, nodes.Const) and isinstance(attribute.value, str):
                mapped.item = self.path(shape.element(), attribute.value)
            elif first in OF_TEXT:
                shape.element().kind("text")
            return mapped
        if name in ("first", "last", "random", "min", "max"):
            return shape.element()
        if name == "sum" or name in ("length", "count", "join"):
            return None
        if name in ("items2dict",):
            shape.element().field("key")
            shape.element().field("value")
            return None
        return shape

    def path(self, shape, dotted):
        for part in dotted.split("."):
            shape = shape.field(part)
        return shape

    def tested(self, node):
        shape = self.shape(node.node)
        for child in node.args:
            self.shape(child)
        if shape is None:
            return None
        name = node.name.removeprefix("ansible.builtin.")
        if name in ("defined", "undefined"):
            shape.may_lack = True
        elif name in ("version", "version_compare"):
            shape.kind("version")
        elif name in ("failed", "succeeded", "success", "changed", "change", "skipped", "finished", "started", "failure", "skip"):
            for field in ("failed", "changed", "rc"):
                shape.field(field)
        elif name in ("match", "search", "regex", "exists", "file", "directory"):
            shape.kind("text")
        elif name in ("contains", "subset", "superset"):
            shape.kind("list")
        elif name in ("mapping",):
            shape.kind("map")
        return None

    def compared(self, node):
        left = self.shape(node.expr)
        for operand in node.ops:
            right = self.shape(operand.expr)
            if operand.op in ("in", "notin"):
                if right is not None:
                    right.kind("list")
                    if isinstance(node.expr, nodes.Const):
                        right.element().compared.append(node.expr.value)
                if left is not None and isinstance(operand.expr, (nodes.List, nodes.Tuple)):
                    left.compared.extend(item.value for item in operand.expr.items if isinstance(item, nodes.Const))
                continue
            for shape, other in ((left, operand.expr), (right, node.expr)):
                if shape is not None and isinstance(other, nodes.Const) and other.value is not None:
                    shape.compared.append(other.value)
                elif shape is not None and operand.op not in ("eq", "ne"):
                    shape.kind("number")
        return None

    def binary(self, node):
        left, right = self.shape(node.left), self.shape(node.right)
        for shape, other in ((left, node.right), (right, node.left)):
            if shape is None:
                continue
            if isinstance(other, nodes.Const):
                shape.kind("number" if isinstance(other.value, (int, float)) else "text")
            elif isinstance(other, nodes.List):
                shape.kind("list")
            elif not isinstance(node, nodes.Add):
                shape.kind("number")
        return left if isinstance(node, nodes.Add) else None


def make_up(shape, name, dice, attempt):
    """A value of a shape."""
    kinds = shape.kinds
    if shape.fields and "list" not in kinds:
        fields = dict(shape.fields)
        return {key: make_up(field, key, dice, attempt) for key, field in fields.items() if not lacks(field, dice)}
    if not shape.fields and name in RESULTS and not (kinds and attempt % 2) and not shape.item:
        return RESULTS[name]
    compared = [value for value in shape.compared if isinstance(value, (str, int, float, bool))]
    if compared and dice.random() < 0.6:
        return dice.choice(compared)
    if "list" in kinds or (shape.item is not None and "map" not in kinds):
        item = shape.item or Shape()
        if shape.fields:
            item.fields = {**shape.fields, **item.fields}
        length = 1 + dice.randrange(3)
        return [make_up(item, singular(name), dice, attempt) for _ in range(length)]
    if "map" in kinds or shape.item is not None:
        item = shape.item or Shape()
        return {word: make_up(item, "", dice, attempt) for word in dice.sample(WORDS[:6], 2)}
    order = [kind for kind in dict.fromkeys(kinds)]
    if order and attempt < 6:
        return of_kind(order[attempt % len(order)], dice)
    return by_name(name, dice) if attempt < 4 else of_kind(dice.choice(["text", "number", "bool", "text", "listing"]), dice)


def lacks(shape, dice):
    return shape.may_lack and dice.random() < 0.2


def singular(name):
    return name[:-1] if name.endswith("s") else ""


def of_kind(kind, dice):
    values = {
        "bool": lambda: dice.random() < 0.6,
        "number": lambda: dice.choice([0, 1, 2, 8, 80, 443, 8080]),
        "version": lambda: dice.choice(["1.2.3", "2.10", "7.9", "12"]),
        "from_json": lambda: dice.choice(['{"a": [1, 2], "b": "x"}', '[{"name": "one"}]']),
        "from_yaml": lambda: "a: 1\nb: [x, 'y']\n",
        "from_yaml_all": lambda: "a: 1\n---\nb: 2\n",
        "b64decode": lambda: "aGVsbG8gd29ybGQ=",
        "to_datetime": lambda: "2024-02-29 13:14:15",
        "listing": lambda: dice.sample(WORDS, 2),
    }
    return values.get(kind, lambda: dice.choice(WORDS))()


def by_name(name, dice):
    low = name.lower()
    if low.endswith(("port", "count", "timeout", "size", "number", "retries", "delay", "id", "limit", "max", "min")):
        return of_kind("number", dice)
    if low.startswith(("is_", "use_", "enable", "has_")) or low.endswith(("enabled", "enable", "disabled")):
        return of_kind("bool", dice)
    if low.endswith(("list", "hosts", "packages", "users", "items")):
        return of_kind("listing", dice)
    if "version" in low or "release" in low:
        return of_kind("version", dice)
    return dice.choice(WORDS)
