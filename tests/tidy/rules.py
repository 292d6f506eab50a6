"""The rules of house style that a program can check: each takes a source text and returns complaints, "line: what".

Pure functions over text, so that test_rules.py can show that each one is able to fail.
What must not enter: reading the tree (test_tidy.py), rules that ruff or import-linter know.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

HEAD_LINES = range(3, 9)  # house style 9: three to eight
LONGEST_FUNCTION = 60  # lines of a body: past it, nobody reads the branches together
BANNED_WORDS = frozenset(
    ("manager", "util", "utils", "helper", "helpers", "common", "misc", "base")
    + ("handler", "handlers", "processor", "processors", "wrapper", "wrappers")
)
BANNED_VERBS = ("do_", "process_", "handle_")
CLOCK_CALLS = frozenset({"now", "utcnow", "today", "monotonic", "perf_counter", "urandom", "uuid1", "uuid4", "uuid7"})
CLOCK_OWNERS = frozenset({"datetime", "date", "time", "os", "uuid", "secrets"})

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def head(source: str) -> list[str]:
    """A file opens with three to eight lines that say what belongs here and what must not enter."""
    if not source.strip():
        return []
    text = ast.get_docstring(ast.parse(source))
    if text is None:
        return ["1: no file head: say what belongs here, the paragraph it follows, one thing that must not enter"]
    lines = len([line for line in text.splitlines() if line.strip()])
    if lines not in HEAD_LINES:
        return [f"1: the file head has {lines} lines; {HEAD_LINES[0]} to {HEAD_LINES[-1]} are asked"]
    return []


def names(source: str) -> list[str]:
    """No name that says nothing: manager, helper, handle_..."""
    return [
        f"{line}: the name {name} says nothing ({banned}): take the field's word (glossary)"
        for line, name in _defined_names(ast.parse(source))
        if (banned := banned_in(name)) is not None
    ]


def banned_in(name: str) -> str | None:
    """The banned word or verb in a name, None when it is clean."""
    for verb in BANNED_VERBS:
        if name.lstrip("_").startswith(verb):
            return verb
    split = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower().split("_")
    return next((word for word in split if word in BANNED_WORDS), None)


def _defined_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, _Function | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr


def function_lengths(source: str) -> dict[str, int]:
    """Lines of each function's body without its docstring, by qualified name."""
    return dict(_lengths(ast.parse(source), ""))


def _lengths(node: ast.AST, prefix: str) -> Iterator[tuple[str, int]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _Function):
            body = child.body[1:] if ast.get_docstring(child) is not None else child.body
            yield prefix + child.name, (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
        inner = f"{prefix}{child.name}." if isinstance(child, _Function | ast.ClassDef) else prefix
        yield from _lengths(child, inner)


def naked_tasks(source: str) -> list[str]:
    """Tasks are born in a TaskGroup that outlives them."""
    complaints = []
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name)):
            continue
        called = ast.unparse(node.func)
        owner, _, verb = called.rpartition(".")
        naked = verb == "ensure_future" or (verb == "create_task" and (not owner or re.search("asyncio|loop", owner)))
        if naked:
            complaints.append(f"{node.lineno}: {called} gives a task that nobody owns: use a TaskGroup")
    return complaints


def wide_excepts(source: str) -> list[str]:
    """`except Exception` needs a comment that names the boundary, on its line or the next."""
    lines = source.splitlines()
    complaints = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ExceptHandler):
            continue
        caught = "everything" if node.type is None else ast.unparse(node.type)
        if not re.search(r"everything|\bException\b|\bBaseException\b", caught):
            continue
        beside = lines[node.lineno - 1] + (lines[node.lineno].strip() if node.lineno < len(lines) else "")
        if "#" not in beside:
            complaints.append(f"{node.lineno}: except {caught} without a comment that names its boundary")
    return complaints


def clocks(source: str) -> list[str]:
    """Time, chance and identity are arguments in pure rooms."""
    complaints = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCK_CALLS:
            owner = ast.unparse(node.func.value).rpartition(".")[2]
            if owner in CLOCK_OWNERS:
                complaints.append(f"{node.lineno}: {ast.unparse(node.func)}() in a pure room: take it as an argument")
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        complaints += [f"{node.lineno}: {name} in a pure room" for name in modules if name in ("uuid", "secrets")]
    return complaints


def sleeps_and_doubles(source: str) -> list[str]:
    """No time.sleep in a test, no doubles of our own classes."""
    complaints = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "time.sleep":
            complaints.append(f"{node.lineno}: time.sleep in a test: wait for the fact")
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("unittest"):
            complaints.append(f"{node.lineno}: {node.module}: use the real thing or a simulator")
        if isinstance(node, ast.Import) and any(alias.name.startswith("unittest.mock") for alias in node.names):
            complaints.append(f"{node.lineno}: unittest.mock: use the real thing or a simulator")
    return complaints


def places(text: str) -> list[str]:
    """No path of one machine, no registry by name."""
    # written in pieces, so that this file passes its own rule
    machine = "|".join(("/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/[a-z]", "/opt/" + "pypi", "/opt/" + "wheels"))
    registry = "|".join((r"py" + r"pi\.org", "python" + "hosted", r"registry\." + "npmjs", r"deb\." + "debian"))
    return [
        f"{number}: {found[0]} is a place of one machine or a registry's name"
        for number, line in enumerate(text.splitlines(), 1)
        if (found := re.search(f"{machine}|{registry}", line))
    ]


def unused_statements(sql_files: dict[str, str], sources: list[str]) -> list[str]:
    """Every named statement is asked for by name somewhere: name -> text of the files, the sources of storage."""
    words = {word for source in sources for word in re.findall(r"""["']([a-z][a-z0-9_]*)["']""", source)}
    return [
        f"{file}: nobody uses the statement {name}"
        for file, text in sorted(sql_files.items())
        for name in re.findall(r"^-- name: (\w+)", text, re.MULTILINE)
        if name not in words
    ]
