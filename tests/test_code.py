"""What changes the digest of a stranger's code, what does not, and what cannot be told."""

import importlib
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from cvclaims.code import UntoldError, digest_of

HELPERS = """
RATE = 0.1
TABLE = {"a": (1, 2.0), "b": [True, None]}
OTHER = 3

def block(x):
    return x * RATE

def unused(x):
    return x + 1

class Base:
    scale = 2
    def run(self):
        return self.scale * block(1)
"""
NETS = """
import math
import helpers
from helpers import TABLE, Base, block

def net(x, depth=helpers.OTHER):
    '''A network.'''
    y = block(x)  # once
    return math.sqrt(y) + TABLE["a"][0] + depth

def by_module(x):
    return helpers.block(x)

class Net(Base):
    def forward(self, x):
        return inner(x)

def inner(x):
    return outer(x) if x else 0

def outer(x):
    return inner(x - 1)

def lazily(x):
    from helpers import block as late
    return late(x)

def shadowed(data):
    return data + 1

data = object()
"""
EVERY = ("net", "by_module", "Net", "inner", "lazily", "shadowed")
NO_ONE: tuple[str, ...] = ()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    forget()


def forget() -> None:
    for name in ("helpers", "nets"):
        sys.modules.pop(name, None)
    importlib.invalidate_caches()


def digests(project: Path, helpers: str = HELPERS, nets: str = NETS) -> dict[str, str]:
    """The digest of everything of EVERY, with these files."""
    for name, text in (("helpers", helpers), ("nets", nets)):
        (project / f"{name}.py").write_text(text, encoding="utf-8")
    forget()
    for cached in project.glob("__pycache__/*"):
        cached.unlink()
    import linecache

    linecache.clearcache()
    module = importlib.import_module("nets")
    return {name: digest_of(getattr(module, name)) for name in EVERY}


@pytest.mark.parametrize(
    ("file", "before", "after", "changed"),
    [
        ("nets", "# once", "# twice, and no more", NO_ONE),
        ("nets", "'''A network.'''", "'''Another word\n    for it.'''", NO_ONE),
        ("nets", "'''A network.'''\n", "\n\n", NO_ONE),
        ("nets", "y = block(x)", "y = (\n        block( x )\n    )", NO_ONE),
        ("nets", "import math", "import math\n\n\nUNREAD = 5\n", NO_ONE),
        ("helpers", "return x + 1", "return x + 2", NO_ONE),
        ("helpers", "RATE = 0.1", "RATE = 0.10", NO_ONE),
        ("helpers", "RATE = 0.1", "RATE = 0.2", ("net", "by_module", "Net", "lazily")),
        ("helpers", "x * RATE", "x / RATE", ("net", "by_module", "Net", "lazily")),
        ("helpers", "(1, 2.0)", "(1, 2)", ("net",)),
        ("helpers", "(1, 2.0)", "[1, 2.0]", ("net",)),
        ("helpers", "[True, None]", "[1, None]", ("net",)),
        ("helpers", "OTHER = 3", "OTHER = 4", ("net",)),
        ("helpers", "scale = 2", "scale = 3", ("Net",)),
        ("helpers", "return self.scale *", "return 1 + self.scale *", ("Net",)),
        ("nets", "outer(x) if x", "outer(x) if not x", ("Net", "inner")),
        ("nets", "inner(x - 1)", "inner(x - 2)", ("Net", "inner")),
        ("nets", "math.sqrt(y)", "math.cbrt(y)", ("net",)),
        ("nets", "data + 1", "data + 2", ("shadowed",)),
        ("nets", "data = object()", "data = 5", NO_ONE),
    ],
)
def test_an_edit_changes_what_reaches_it_and_nothing_else(
    project: Path, file: str, before: str, after: str, changed: tuple[str, ...]
) -> None:
    texts = {"helpers": HELPERS, "nets": NETS}
    assert before in texts[file]
    edited = {**texts, file: texts[file].replace(before, after)}
    was, now = digests(project, **texts), digests(project, **edited)
    assert {name for name in EVERY if was[name] != now[name]} == set(changed)
    assert len(set(was.values())) == len(EVERY)


def told(project: Path, program: str) -> str:
    """The digest of `f` of a program, or why there is none."""
    (project / "helpers.py").write_text(HELPERS, encoding="utf-8")
    (project / "nets.py").write_text(textwrap.dedent(program), encoding="utf-8")
    forget()
    import linecache

    linecache.clearcache()
    try:
        return digest_of(importlib.import_module("nets").f)
    except UntoldError as why:
        return str(why)


MEND = ": give it a version=, and raise that with each change"


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("def f(x): return eval('x')", "f (nets.py, line 1) calls eval()"),
        ("def f(x): exec('x = 1')", "f (nets.py, line 1) calls exec()"),
        (
            "import importlib\ndef f(n): return importlib.import_module(n)",
            "f (nets.py, line 2) calls importlib.import_module()",
        ),
        (
            "import helpers\ndef f(n): return getattr(helpers, n)",
            "f (nets.py, line 2) takes by getattr() what is named elsewhere",
        ),
        ("import threading\nL = threading.Lock()\ndef f(): return L", "L is _thread.lock"),
        ("exec('def f(): return 1')", "the source of f (<string>, line 1) is not there"),
        (
            "def f():\n    from nowhere_at_all import x\n    return x",
            "f (nets.py, line 1) imports nowhere_at_all, which fails (ModuleNotFoundError: No "
            "module named 'nowhere_at_all')",
        ),
    ],
)
def test_what_cannot_be_told_is_refused(project: Path, program: str, why: str) -> None:
    shown = told(project, program)
    assert re.fullmatch(r"what f \(.*\) reaches cannot be told, as .*", shown), shown
    assert shown.split(", as ", 1)[1] == why + MEND


@pytest.mark.parametrize(
    "program",
    [
        "import torch\nD = torch.device('cpu')\ndef f(): return torch.zeros(1, device=D)",
        "import logging\nLOG = logging.getLogger('x')\ndef f(): LOG.info('x')",
        "from torch import nn\ndef f(name): return getattr(nn, name)()",
        "import functools\ndef g(a, b): return a + b\nf = functools.partial(g, b=3)",
        "import functools\n@functools.cache\ndef f(a): return a",
        "import re\nP = re.compile('x')\ndef f(a): return P.match(a)",
        "import enum\nclass E(enum.Enum):\n    A = 1\ndef f(): return E.A",
        "from dataclasses import dataclass\n@dataclass\nclass C:\n    a: int\n"
        "ONE = C(1)\ndef f(): return ONE.a",
        "from typing import TypeVar\nT = TypeVar('T')\ndef f(x: T) -> T: return x",
        "import helpers\ndef f(): return vars, helpers",
        "class A:\n    @property\n    def p(self): return 1\n    @classmethod\n"
        "    def q(cls): return A\n    @staticmethod\n    def r(): return 2\nf = A",
        "def make(k):\n    def f(x): return x + k\n    return f\nf = make(3)",
    ],
)
def test_what_can_be_told_is(project: Path, program: str) -> None:
    assert re.fullmatch("[0-9a-f]{16}", found := told(project, program)), found


@pytest.mark.parametrize(
    ("program", "before", "after"),
    [
        ("def make(k):\n    def f(x): return x + k\n    return f\nf = make(3)", "(3)", "(4)"),
        ("import numpy as np\nW = np.zeros(3)\ndef f(): return W", "zeros", "ones"),
        ("import torch\nW = torch.zeros(3)\ndef f(): return W", "zeros(3)", "zeros(3, 1)"),
        ("import functools\ndef g(a, b): return a\nf = functools.partial(g, b=3)", "b=3", "b=4"),
        ("import functools\n@functools.cache\ndef f(a): return a", "return a", "return -a"),
        (
            "from dataclasses import dataclass\n@dataclass\nclass C:\n    a: int\n"
            "ONE = C(1)\ndef f(): return ONE.a",
            "C(1)",
            "C(2)",
        ),
        ("import helpers\ndef f(): return vars(helpers.Base)", "vars(", "len("),
        ("import helpers\ndef f(): return helpers", "HELP", "HELP"),
        (
            "class A:\n    @property\n    def p(self): return g()\ndef g(): return 1\nf = A",
            "1",
            "2",
        ),
        ("def deco(k):\n    return lambda g: g\n@deco(1)\ndef f(): return 1", "deco(1)", "deco(2)"),
    ],
)
def test_what_is_reached_in_odd_ways_counts(
    project: Path, program: str, before: str, after: str
) -> None:
    was = told(project, program)
    if before == after:  # of a module that is passed around all counts
        edited = HELPERS.replace("x + 1", "x + 2")
        (project / "helpers.py").write_text(edited, encoding="utf-8")
        forget()
        assert digest_of(importlib.import_module("nets").f) != was
    else:
        assert before in program
        assert told(project, program.replace(before, after)) != was


def test_options_of_our_own_marks_are_no_part_of_the_code(project: Path) -> None:
    plain = "from cvclaims import model\n@model\ndef f(shape, classes, *, width=3): return width"
    marked = plain.replace("@model", "@model(smoke={'width': 1}, light=True)")
    assert told(project, plain) == told(project, marked)


def test_what_was_installed_elsewhere_counts_by_its_name(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path_factory.mktemp("target")
    (place / "gadget" / "inner").mkdir(parents=True)
    (place / "gadget-1.0.dist-info").mkdir()
    monkeypatch.syspath_prepend(str(place))
    program = "from gadget.inner import turn\ndef f(x): return turn(x)"
    found = []
    for power in (1, 2):
        (place / "gadget" / "__init__.py").touch()
        (place / "gadget" / "inner" / "__init__.py").write_text(f"def turn(x): return x**{power}\n")
        for name in ("gadget", "gadget.inner"):
            sys.modules.pop(name, None)
        found.append(told(project, program))
    assert found[0] == found[1]
    assert re.fullmatch("[0-9a-f]{16}", found[0])


def test_it_is_the_same_in_every_process(project: Path) -> None:
    (project / "helpers.py").write_text(HELPERS, encoding="utf-8")
    names = "{'one', 'two', 'three', 'four'}"
    (project / "nets.py").write_text(f"{NETS}\nNAMES = {names}\ndef f(): return NAMES, Net, net\n")
    code = "import nets; from cvclaims.code import digest_of; print(digest_of(nets.f))"
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=project,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join([str(project), *sys.path])},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1
