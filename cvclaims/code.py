"""A digest of a stranger's code: of a function or class and everything of its project it reaches.

It belongs to the key of a run. An edited function, or an edited helper of it, changes the digest;
a comment, a docstring, layout, and whatever it does not reach do not. What is reached is looked up
as Python would: names in closures and in the module, attributes of modules. Where it cannot be
told, as with `exec`, `UntoldError` says so: nothing is guessed.
"""

import ast
import enum
import functools
import hashlib
import importlib
import inspect
import re
import sys
import sysconfig
import textwrap
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

from cvclaims import syntax

# What makes it impossible to tell what is reached.
_DYNAMIC = ("eval", "exec", "compile", "__import__", "globals", "import_module")
_PLAIN = (type(None), bool, int, float, complex, str, bytes, type(...), type(NotImplemented), range)
_INSTALLED = tuple(
    Path(path).resolve()
    for path in {
        sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")
    }
    if path
)
_FOLDERS = {"site-packages", "dist-packages"}


class UntoldError(ValueError):
    """What is reached cannot be told; the message is one line and says what to do."""


def digest_of(thing: Callable[..., object]) -> str:
    """16 hex digits of SHA-256 over the code of a function or class and all that it reaches.

    Raises UntoldError.
    """
    reach = _Reach(thing)
    form = reach.form(thing)
    return hashlib.sha256(repr(form).encode("utf-8", "surrogatepass")).hexdigest()[:16]


class _Reach:
    """What one thing reaches; each function and class is told once, by where it comes first."""

    def __init__(self, thing: object) -> None:
        self._told: dict[int, int] = {}
        # Kept, so that no id is given twice.
        self._kept: list[object] = []
        self._top = thing
        self._package = (getattr(thing, "__module__", None) or "").partition(".")[0]

    def form(self, thing: Any, where: str = "") -> object:
        """A thing as nested tuples that say all of it; `where` names it in an error."""
        if isinstance(thing, _PLAIN):
            return (type(thing).__name__, repr(thing))
        if isinstance(thing, enum.Enum):
            return ("enum", self.form(type(thing), where), thing.name)
        if isinstance(thing, PurePath | re.Pattern | slice):
            return (type(thing).__name__, repr(thing))
        if isinstance(thing, functools.partial):
            parts = (thing.func, list(thing.args), dict(thing.keywords))
            return ("partial", *(self.form(part, where) for part in parts))
        if isinstance(thing, types.MethodType):
            return ("method", self.form(thing.__func__, where), self.form(thing.__self__, where))
        if isinstance(thing, staticmethod | classmethod):
            return (type(thing).__name__, self.form(thing.__func__, where))
        if isinstance(thing, property):
            return (
                "property",
                *(self.form(f, where) for f in (thing.fget, thing.fset, thing.fdel)),
            )
        if isinstance(thing, types.ModuleType):
            return self._module(thing)
        if isinstance(thing, types.FunctionType | type) or hasattr(thing, "__wrapped__"):
            return self._code(thing)
        return self._value(thing, where)

    def _value(self, thing: Any, where: str) -> object:
        if id(thing) in self._told:
            return ("again", self._told[id(thing)])
        if isinstance(thing, Mapping | list | tuple | set | frozenset):
            self._note(thing)
            return self._container(thing, where)
        kind = type(thing)
        if _says_itself(thing):
            return ("named", kind.__module__, repr(thing))
        if (numbers := _array_of(thing)) is not None:
            return ("array", *numbers)
        if not self._is_ours(kind):
            name = getattr(thing, "__qualname__", None) or getattr(thing, "__name__", None)
            if isinstance(name, str) and callable(thing) and not self._is_ours(thing):
                return ("named", getattr(thing, "__module__", None), name)
            raise self._untold(f"{where or 'a value'} is {kind.__module__}.{kind.__qualname__}")
        self._note(thing)
        held = getattr(thing, "__dict__", None)
        slots = {n: getattr(thing, n) for n in _slots(kind) if hasattr(thing, n)}
        return ("instance", self._code(kind), self.form({**(held or {}), **slots}, where))

    def _container(self, thing: Any, where: str) -> object:
        kind = self._code(type(thing)) if self._is_ours(type(thing)) else type(thing).__name__
        if isinstance(thing, Mapping):
            pairs = ((self.form(k, where), self.form(v, where)) for k, v in thing.items())
            return ("mapping", kind, *pairs)
        if isinstance(thing, set | frozenset):
            return ("set", kind, *sorted((self.form(part, where) for part in thing), key=repr))
        return ("sequence", kind, *(self.form(part, where) for part in thing))

    def _note(self, thing: object) -> None:
        self._told[id(thing)] = len(self._told)
        self._kept.append(thing)

    def _code(self, thing: Any) -> object:
        """A function or class: its tree and what that reaches; its name where it is installed."""
        if id(thing) in self._told:
            return ("again", self._told[id(thing)])
        if not self._is_ours(thing):
            return ("named", thing.__module__, getattr(thing, "__qualname__", repr(thing)))
        self._note(thing)
        if (inner := getattr(thing, "__wrapped__", None)) is not None:
            outer = () if isinstance(thing, types.FunctionType) else (type(thing).__qualname__,)
            wrapper = self._tree(thing) if isinstance(thing, types.FunctionType) else None
            return ("wrapped", *outer, wrapper, self.form(inner))
        return self._tree(thing)

    def _tree(self, thing: Any) -> object:
        tree = self._source(thing)
        if isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            kept = [mark for mark in tree.decorator_list if not self._is_mark(mark, thing)]
            tree.decorator_list = kept
        scope = _scope_of(thing)
        reached = [
            (name, self.form(found, name)) for name, found in self._reached(tree, scope, thing)
        ]
        bases: tuple[object, ...] = ()
        if isinstance(thing, type):
            bases = tuple(self.form(base) for base in (*thing.__mro__[1:], type(thing)))
        return (type(thing).__name__, syntax.form(tree), tuple(reached), bases)

    def _source(self, thing: Any) -> ast.AST:
        try:
            text = textwrap.dedent(inspect.getsource(thing))
            (tree,) = ast.parse(text).body
        except (OSError, TypeError, ValueError):  # typed at a prompt, or made by exec
            raise self._untold(f"the source of {_name(thing)} is not there") from None
        except SyntaxError:  # a lambda in the middle of an expression
            raise self._untold(f"the source of {_name(thing)} does not stand alone") from None
        return tree

    def _is_mark(self, mark: ast.expr, thing: Any) -> bool:
        """Whether a decorator is one of cvclaims, whose options are no part of the code."""
        called = mark.func if isinstance(mark, ast.Call) else mark
        names = ast.unparse(called).split(".")
        found = _scope_of(thing).get(names[0])
        for name in names[1:]:
            found = getattr(found, name, None)
        return (getattr(found, "__module__", None) or "").split(".")[0] == "cvclaims"

    def _reached(
        self, tree: ast.AST, scope: Mapping[str, Any], thing: Any
    ) -> Iterator[tuple[str, object]]:
        """What the names in a tree stand for, each once, in the order in which they stand there."""
        seen: set[str] = set()
        read = _read_globally(tree, thing)
        for node in syntax.walk(tree):
            if isinstance(node, ast.Call):
                self._refuse_dynamic(node, thing)
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield from self._imported(node, thing)
            name = syntax.dotted(node)
            if not name or (read is not None and name[0] not in read):
                continue
            found, path = self._looked_up(name, scope)
            if path and path not in seen:
                seen.add(path)
                yield path, found

    def _looked_up(self, name: list[str], scope: Mapping[str, Any]) -> tuple[Any, str]:
        """What a dotted name stands for, through modules of the project, and how far it goes."""
        if name[0] not in scope:
            # A local name, or a built-in one.
            return None, ""
        found, path = scope[name[0]], name[0]
        for part in name[1:]:
            if not isinstance(found, types.ModuleType) or not hasattr(found, part):
                break
            found, path = getattr(found, part), f"{path}.{part}"
        return found, path

    def _imported(
        self, node: ast.Import | ast.ImportFrom, thing: Any
    ) -> Iterator[tuple[str, object]]:
        """What an import inside of a function brings."""
        package = _scope_of(thing).get("__package__") or ""
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, self._import(alias.name, package, thing)
            return
        module = self._import("." * node.level + (node.module or ""), package, thing)
        for alias in node.names:
            if alias.name == "*":
                yield module.__name__, module
            elif hasattr(module, alias.name):
                yield alias.name, getattr(module, alias.name)
            else:
                inner = f"{module.__name__}.{alias.name}"
                yield alias.name, self._import(inner, package, thing)

    def _import(self, name: str, package: str, thing: Any) -> types.ModuleType:
        try:
            return importlib.import_module(name, package or None)
        except Exception as error:
            what = f"{type(error).__name__}: {error}".splitlines()[0]
            raise self._untold(f"{_name(thing)} imports {name}, which fails ({what})") from None

    def _refuse_dynamic(self, node: ast.Call, thing: Any) -> None:
        called = ast.unparse(node.func)
        last = called.rpartition(".")[2]
        # A method of that name, such as a pattern's or a network's, is another thing.
        is_one = last in _DYNAMIC and (
            last == called or called.split(".")[0] in ("builtins", "importlib")
        )
        if is_one and not (last == "compile" and called != "compile"):
            raise self._untold(f"{_name(thing)} calls {called}() ")
        if (
            called == "getattr"
            and len(node.args) > 1
            and not isinstance(node.args[1], ast.Constant)
        ):
            found = _scope_of(thing).get(ast.unparse(node.args[0]))
            if isinstance(found, types.ModuleType) and self._is_ours(found):
                raise self._untold(f"{_name(thing)} takes by getattr() what is named elsewhere")
        if called == "vars" and node.args:
            found = _scope_of(thing).get(ast.unparse(node.args[0]))
            if isinstance(found, types.ModuleType) and self._is_ours(found):
                raise self._untold(f"{_name(thing)} calls vars() of a module")

    def _module(self, module: types.ModuleType) -> object:
        """A module that is passed around: all of it, where it is of the project."""
        if not self._is_ours(module):
            return ("module", module.__name__)
        if id(module) in self._told:
            return ("again", self._told[id(module)])
        self._note(module)
        try:
            tree = ast.parse(Path(module.__file__ or "").read_text(encoding="utf-8"))
        except (OSError, ValueError, SyntaxError):
            raise self._untold(f"the source of module {module.__name__} is not there") from None
        reached = self._reached(tree, vars(module), module)
        return (
            "module",
            syntax.form(tree),
            tuple((name, self.form(of, name)) for name, of in reached),
        )

    def _is_ours(self, thing: Any) -> bool:
        """Whether a module, function or class belongs to the project of what is told."""
        name = thing.__name__ if isinstance(thing, types.ModuleType) else None
        name = name or getattr(thing, "__module__", None)
        if not isinstance(name, str) or name == "builtins":
            return False
        top = name.partition(".")[0]
        if top == "cvclaims":
            return False
        if top == self._package:
            return True
        file = getattr(sys.modules.get(name), "__file__", None)
        if file is None and isinstance(thing, types.FunctionType):
            file = thing.__code__.co_filename
        if file is None:  # typed at a prompt, or part of an interpreter or an extension
            return name == "__main__"
        return not _is_installed(Path(file).resolve(), name.count("."))

    def _untold(self, what: str) -> UntoldError:
        return UntoldError(
            f"what {_name(self._top)} reaches cannot be told, as {what.strip()}: give it a "
            "version=, and raise that with each change"
        )


def _is_installed(path: Path, depth: int) -> bool:
    """Whether a module's file came with Python or by an installer, wherever that put it."""
    if _FOLDERS & set(path.parts) or any(path.is_relative_to(place) for place in _INSTALLED):
        return True
    # Beside the top of a package that an installer put there lies what says so.
    levels = depth + (path.name == "__init__.py")
    return _has_installed(path.parents[min(levels, len(path.parents) - 1)])


@functools.cache
def _has_installed(folder: Path) -> bool:
    return any(folder.glob("*.dist-info"))


def _scope_of(thing: Any) -> Mapping[str, Any]:
    """What names stand for in a function, a class or a module."""
    if isinstance(thing, types.ModuleType):
        return vars(thing)
    if isinstance(thing, types.FunctionType):
        cells = zip(thing.__code__.co_freevars, thing.__closure__ or (), strict=True)
        held = {name: _held(cell) for name, cell in cells}
        return {**thing.__globals__, **{n: of for n, of in held.items() if of is not None}}
    scope: dict[str, Any] = {}
    for function in _functions_of(thing):
        scope = {**scope, **_scope_of(function)}
    module = sys.modules.get(thing.__module__)
    return scope or (vars(module) if module is not None else {})


def _read_globally(tree: ast.AST, thing: Any) -> set[str] | None:
    """The names that a function's or class's code reads from around it; None: any may be."""
    if isinstance(thing, types.FunctionType):
        codes, outside = [thing.__code__], syntax.outside(tree)
    elif isinstance(thing, type):
        codes = [f.__code__ for f in _functions_of(thing)]
        outside = [part for node in ast.iter_child_nodes(tree) for part in syntax.outside(node)]
    else:
        return None
    names = {node.id for part in outside for node in ast.walk(part) if isinstance(node, ast.Name)}
    while codes:
        code = codes.pop()
        names.update(code.co_names, code.co_freevars)
        codes += [const for const in code.co_consts if isinstance(const, types.CodeType)]
    return names


def _functions_of(kind: type) -> Iterator[types.FunctionType]:
    """The functions that a class's body defines."""
    for part in vars(kind).values():
        inner = part.fget if isinstance(part, property) else getattr(part, "__func__", part)
        function = inspect.unwrap(inner) if callable(inner) else inner
        if isinstance(function, types.FunctionType) and function.__module__ == kind.__module__:
            yield function


def _array_of(thing: Any) -> tuple[str, ...] | None:
    """An array's or a tensor's type, shape and bytes; None for anything else."""
    kind = type(thing)
    if (kind.__module__, kind.__name__) == ("torch", "Tensor"):
        thing = thing.detach().cpu().numpy()
    elif (kind.__module__, kind.__name__) != ("numpy", "ndarray") or thing.dtype.hasobject:
        return None
    digest = hashlib.sha256(thing.tobytes()).hexdigest()
    return kind.__name__, thing.dtype.str, str(thing.shape), digest


def _says_itself(thing: Any) -> bool:
    """Whether what is of an installed package is all in how it is written out."""
    kind = type(thing)
    written = {"torch": ("dtype", "device", "Size"), "logging": ("Logger", "RootLogger")}
    of_typing = kind.__module__ in ("typing", "types")
    return of_typing or kind.__name__ in written.get(kind.__module__, ())


def _held(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # it has none yet
        return None


def _slots(kind: type) -> Iterable[str]:
    for base in kind.__mro__:
        slots = base.__dict__.get("__slots__", ())
        yield from (slots,) if isinstance(slots, str) else slots


def _name(thing: Any) -> str:
    """A thing by its name and, where it is known, the file and the line."""
    name = getattr(thing, "__qualname__", None) or getattr(thing, "__name__", None) or repr(thing)
    code = getattr(thing, "__code__", None)
    if not isinstance(code, types.CodeType):
        return str(name)
    return f"{name} ({Path(code.co_filename).name}, line {code.co_firstlineno})"
