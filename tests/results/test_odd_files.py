"""Whatever became of a file of the results folder, a session goes on, says so and mends it."""

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from claims.vgg_batch_size.section import FILE, BatchSizes
from cvclaims.results import output, writing
from cvclaims.results.claims_json import CLAIMS
from cvclaims.results.figures import drawing
from cvclaims.results.figures.index import INDEX
from cvclaims.results.page import PAGE
from cvclaims.results.view import ClaimView
from tests.claims.test_batch_sizes import HALF
from tests.claims.test_batch_sizes import row as swept
from tests.results.synthetic import CE, MSE, Shelf, judged, row

CHANGES = 300
ROWS = [judged("5.04", {"ce": CE, "mse": MSE}), row("5.05"), swept()]
# None of a report that sweeps the batch size: grids are read from the file.
NEW = [row("5.06")]
SHELF = Shelf(CE, MSE)

DEEP = "lists in lists"
ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 10**30, 1e308, float("nan"), float("inf"), 0.5),
    *("", "\ud800", "\x00\x1b[2J\u202e", "a" * 5000, "../../x", "figures/../x-curves.svg"),
    *("CON", "figures/a/b-curves.svg", "0" * 64, "*" * 64),
    *([], {}, [[]], [None], {"": None}, [1, "a", {}], {"\udc80": "\udc80"}),
)


def parts(form: Any) -> Iterator[tuple[Any, Any]]:
    """Every container of a form with a name or place in it."""
    if isinstance(form, dict | list):
        for name in form if isinstance(form, dict) else range(len(form)):
            yield form, name
            yield from parts(form[name])


def changed(sound: bytes, rng: random.Random) -> bytes:
    """The file with one to three things wrong."""
    form = json.loads(sound)
    for _ in range(rng.randint(1, 3)):
        there = list(parts(form))
        if not there:
            break
        container, name = rng.choice(there)
        kind = rng.randrange(4)
        if kind == 0:
            del container[name]
        elif kind == 1 and isinstance(container, dict):
            container[str(rng.choice(ODD))] = container.pop(name)
        elif kind == 2:
            container[name] = DEEP
        else:
            container[name] = rng.choice(ODD)
    text = json.dumps(form, ensure_ascii=rng.random() < 0.5)
    depth = rng.choice([3, 200, 900, 5000])
    return spoilt(text.replace(f'"{DEEP}"', "[" * depth + "1" + "]" * depth), rng)


def spoilt(text: str, rng: random.Random) -> bytes:
    """A text as bytes: as it is four times in five, else cut, garbled or in another encoding."""
    content = text.encode("utf-8", "surrogatepass")
    kind = rng.randrange(25)
    if kind == 0:
        return content[: rng.randrange(len(content) + 1)]
    if kind == 1:
        at = rng.randrange(len(content) + 1)
        return content[:at] + rng.randbytes(4) + content[at:]
    if kind == 2:
        return text.encode("utf-16", "surrogatepass")
    if kind == 3:
        return b"\xef\xbb\xbf" + content
    if kind == 4:
        return b"[" * 100_000
    return content


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A results folder with every file that there is, and pictures that are not ours."""
    monkeypatch.setattr(drawing, "draw", lambda kind, *_: b"curves" if kind == "curves" else None)
    monkeypatch.setattr(drawing, "svg", lambda _, title: title.encode())
    folder = tmp_path / "results"
    write(folder, ROWS)
    for stranger in strangers(folder):
        stranger.parent.mkdir(parents=True, exist_ok=True)
        stranger.write_bytes(b"mine")
    return folder


def strangers(folder: Path) -> list[Path]:
    return [folder / name for name in ("x-curves.svg", "../x", "figures/x.svg", "figures/a/b.svg")]


def write(folder: Path, rows: list[ClaimView]) -> writing.Written:
    return writing.write_results(folder, rows, SHELF, lambda: HALF, [BatchSizes("vgg")])


def attempt(folder: Path) -> writing.Written | None:
    """What a session wrote; None where it refused a file that a newer cvclaims might have made."""
    try:
        return write(folder, NEW)
    except output.ResultsError as error:
        if "upgrade cvclaims" in str(error):
            return None
        raise


@pytest.mark.parametrize("name", [CLAIMS, FILE, INDEX])
def test_random_changes(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda _: None)
    write(folder, NEW)
    sound = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    rng = random.Random(12)
    named = 0
    for _ in range(CHANGES):
        odd = changed(sound[folder / name], rng)
        (folder / name).write_bytes(odd)
        done = attempt(folder)
        if done is None:
            assert name == CLAIMS
            continue
        named += bool(done.problems)
        assert len(done.problems) <= 1
        assert all(problem.isprintable() for problem in done.problems)
        if name == INDEX or (name == FILE and done.problems):
            assert done.page.read_bytes() == sound[done.page]
            assert (folder / name).read_bytes() == sound[folder / name]
        elif done.problems:
            assert odd in {path.read_bytes() for path in folder.glob("*.damaged")}
        assert {path.read_bytes() for path in strangers(folder)} == {b"mine"}
        for path in folder.glob("*.damaged"):
            path.unlink()
        for path in {*done.written, *done.removed} & sound.keys():
            path.write_bytes(sound[path])
    assert named > CHANGES / 2


@pytest.mark.parametrize("name", [FILE, INDEX])
def test_a_folder_in_its_place_is_named_and_costs_nothing_else(folder: Path, name: str) -> None:
    text = (folder / "README.md").read_text()
    (folder / name).unlink()
    (folder / name).mkdir()
    done = write(folder, ROWS)
    (problem,) = done.problems
    assert problem.startswith(f"{folder / name} cannot be ")
    assert done.page.read_text() == text


@pytest.mark.parametrize("name", [FILE, INDEX])
def test_a_pipe_in_its_place_is_named_and_not_waited_for(folder: Path, name: str) -> None:
    text = (folder / "README.md").read_text()
    (folder / name).unlink()
    os.mkfifo(folder / name)
    done = write(folder, ROWS)
    (problem,) = done.problems
    assert problem.startswith(f"{folder / name} cannot be ")
    assert "is no plain file" in problem
    assert (folder / name).is_fifo()
    assert done.page.read_text() == text


@pytest.mark.parametrize("name", [CLAIMS, PAGE])
def test_a_pipe_in_the_place_of_the_table_or_the_page(folder: Path, name: str) -> None:
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(output.ResultsError, match=rf"{name} cannot be .*is no plain file"):
        write(folder, NEW)
    assert (folder / name).is_fifo()
