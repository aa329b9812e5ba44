"""Which tests touch what changed since a commit: python -m tests.touched [commit].

Those that changed themselves, and those that name a changed module in an import. Prints their
files, one a line, for `make check`; what is reached by more than one step is left to `make test`.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
# They start processes, or walk through all claims: `make test` has the time for that.
SLOW = ("tests/plugins", "tests/cli", "tests/engines/test_resume.py", "tests/engines/test_race.py")


def changed(commit: str = "HEAD") -> set[str]:
    """The files that differ from a commit, new ones among them, from the root."""
    asked = (
        ["git", "diff", "--name-only", "--diff-filter=d", commit],
        ["git", "ls-files", "--others", "--exclude-standard"],
    )
    found: set[str] = set()
    for command in asked:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        found.update(done.stdout.split("\n"))
    return {name for name in found if name.endswith(".py")}


def module_of(file: str) -> str:
    """What a file is imported as."""
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imported(file: Path) -> Iterator[str]:
    """The modules, and the things in them, that a file's imports name."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def touched(files: set[str]) -> list[str]:
    """The test files to run where these files have changed."""
    modules = {module_of(file) for file in files}
    found = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        file = path.relative_to(ROOT).as_posix()
        if file in files or (not file.startswith(SLOW) and modules & set(imported(path))):
            found.append(file)
    return found


if __name__ == "__main__":
    print("\n".join(touched(changed(*sys.argv[1:2]))))
