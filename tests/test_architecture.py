"""The flow: claim → recipe → plan → engine → training → record → verdict → results.

Nothing imports against it, and no two files of a room import each other. Imports for types alone
do not count: they are not carried out.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from itertools import takewhile
from pathlib import Path

import pytest

import cvclaims

ROOT = Path(cvclaims.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

# What each room may import. A room stands below all that it may import: no circle can arise.
ROOMS: dict[str, set[str]] = {
    "text": set(),
    "catalogue": set(),
    "seeds": set(),
    "events": set(),
    "watching": {"text", "events"},
    "queue": {"catalogue"},
    "files": set(),
    "session": set(),
    "locks": {"text"},
    "syntax": set(),
    "code": {"syntax"},
    "logs": {"text", "catalogue"},
    "specs": {"catalogue", "code"},
    "scales": {"catalogue"},
    "recipe": {"catalogue", "specs", "scales"},
    "trainable": {"catalogue", "specs", "recipe", "logs"},
    "claim": {"catalogue", "trainable"},
    "plan": {"catalogue", "recipe", "scales", "trainable", "claim"},
    "records": {"catalogue", "specs", "recipe", "trainable", "files", "locks", "text", "session"},
    "data": {"catalogue", "specs", "files", "locks", "text"},
    "own": {"catalogue", "code", "specs", "data"},
    "models": {"catalogue", "specs", "seeds", "recipe"},
    "training": {"catalogue", "specs", "files", "seeds", "recipe", "trainable", "data", "models"},
    "engines": {
        *("catalogue", "seeds", "locks", "text", "events", "logs", "recipe", "trainable", "plan"),
        *("records", "data", "models", "training"),
    },
    "schedule": {"claim", "plan"},
    "estimate": {"specs", "recipe", "trainable", "plan", "records", "training", "engines"},
    "verdict": {
        *("catalogue", "specs", "recipe", "trainable", "claim", "plan", "records", "engines"),
    },
    "results": {
        *("text", "catalogue", "specs", "files", "locks", "recipe", "trainable", "claim"),
        *("records", "verdict"),
    },
}
ROOMS["plugins"] = set(ROOMS)  # they connect the rooms
ROOMS["cli"] = {
    "text",
    "files",
    "results",
    "records",
    "specs",
    "data",
    "locks",
    "queue",
    "events",
    "watching",
    "plugins",
}
ROOMS["__main__"] = {"cli"}

# Needed while tests are collected, in any project: nothing heavy at all.
COLLECTED = (
    *("catalogue", "claim", "files", "locks", "plan", "recipe", "scales", "seeds"),
    *("session", "syntax", "code", "specs", "trainable", "own", "logs"),
    *("records", "records.measure", "engines", "engines.replay", "data.folder"),
    *("plugins.claims", "plugins.torch_fixtures", "plugins.results"),
    *("text", "cli", "cli.compare", "cli.evidence", "queue", "results.changes"),
    *("plugins.cases", "plugins.outcome", "plugins.settings", "plugins.suite"),
    *("verdict", "verdict.judgment", "results.view", "plugins.hooks"),
    *("plugins.asserts", "plugins.gpu", "plugins.identity", "plugins.properties"),
)
# Needed for a replay, which reads, judges and draws, and has no use for torch.
REPLAYED = ("verdict.judge", "results.folder", "results.writing", "results.figures.drawing")
TORCH_ROOMS = {"data", "models", "training", "engines"}
HEAVY = {"torch", "torchvision", "numpy", "scipy", "sklearn", "matplotlib"}


def module_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def room_of(module: str) -> str:
    """The first part of a name: a room of this package, or another package."""
    return module.partition(".")[0]


def carried_out(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Imports at any depth, but for those under `if TYPE_CHECKING`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        yield from carried_out(child)


def names_in(node: ast.Import | ast.ImportFrom) -> list[str]:
    """The modules that an import statement names, in full."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    assert node.level == 0, f"line {node.lineno}: write imports out in full"
    assert node.module is not None
    if node.module == "cvclaims":
        return [f"cvclaims.{alias.name}" for alias in node.names]
    return [node.module]


def imported(file: Path) -> set[str]:
    """The modules that a file imports."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {name for node in carried_out(tree) for name in names_in(node)}


def rooms_imported(file: Path) -> set[str]:
    own = room_of(module_of(file))
    inside = (name.split(".") for name in imported(file))
    return {parts[1] for parts in inside if parts[0] == "cvclaims" and len(parts) > 1} - {own}


@pytest.mark.parametrize("file", FILES, ids=lambda file: module_of(file) or "cvclaims")
def test_nothing_imports_against_the_flow(file: Path) -> None:
    room = room_of(module_of(file))
    if room == "":
        assert rooms_imported(file) == set(), "`import cvclaims` has to stay cheap"
        return
    assert room in ROOMS, f"the room {room} is new: say here what it may import"
    wrong = rooms_imported(file) - ROOMS[room]
    assert not wrong, f"{module_of(file)} imports {wrong}, against the flow"


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_stands_above_it(room: str) -> None:
    assert ROOMS[room] <= set(takewhile(lambda other: other != room, ROOMS))


def inside(file: Path, names: set[str]) -> set[str]:
    """The files of its own room that a file imports."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = set()
    for node in carried_out(tree):
        for name in names_in(node):
            module = name.removeprefix("cvclaims.")
            parts = (f"{module}.{alias.name}" for alias in node.names)
            found |= {part for part in parts if part in names} or {module} & names
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_no_two_files_of_a_room_import_each_other(room: str) -> None:
    files = {name: file for file in FILES if room_of(name := module_of(file)) == room}
    graph = {name: inside(file, {*files}) - {name} for name, file in files.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"import each other: {' -> '.join(error.args[1])}")


def test_every_room_is_there() -> None:
    assert {room_of(module_of(file)) for file in FILES} - {""} == set(ROOMS)


def test_imports_are_seen_wherever_they_stand(tmp_path: Path) -> None:
    file = tmp_path / "file.py"
    file.write_text(
        "from cvclaims import plan\n"
        "if TYPE_CHECKING:\n    import cvclaims.results\n"
        "def f():\n    from cvclaims.data.load import load\n    import torch.nn\n"
        "    from cvclaims.data import folder\n"
    )
    data = {"data", "data.load", "data.folder", "data.main"}
    assert imported(file) == {"cvclaims.plan", "cvclaims.data.load", "cvclaims.data", "torch.nn"}
    assert inside(file, data) == {"data.load", "data.folder"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: module_of(file) or "cvclaims")
def test_torch_is_imported_where_it_is_needed(file: Path) -> None:
    if room_of(module_of(file)) in TORCH_ROOMS and module_of(file) not in COLLECTED:
        return
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    inside = {id(found) for function in functions for found in carried_out(function)}
    for found in carried_out(tree):
        if id(found) not in inside:  # a function may import torch once it is called
            assert {room_of(name) for name in names_in(found)}.isdisjoint({"torch", "torchvision"})


def test_importing_stays_light_step_by_step() -> None:
    steps = (COLLECTED, REPLAYED)
    code = f"import importlib, sys\nfor step in {steps!r}:\n"
    code += "    for name in step: importlib.import_module('cvclaims.' + name)\n"
    code += f"    print(*sorted({HEAVY!r} & set(sys.modules)))\n"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT.parent, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    collected, replayed = done.stdout.splitlines()
    assert collected == ""
    assert "torch" not in replayed.split()
    assert "torchvision" not in replayed.split()
