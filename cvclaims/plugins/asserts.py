"""What can be seen in a property's source: whether anything in it could refute it.

Nothing is run. Where the source does not tell, the property gets the benefit of the doubt.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterable, Iterator
from typing import Any

# By these names an assertion is caught, and these context managers catch what they are given.
_CATCHES = {"AssertionError", "Exception", "BaseException"}
_CATCHERS = {"suppress", "raises"}


def mistake(test: Callable[..., Any]) -> str | None:
    """Why the assertions of a function say nothing, or None."""
    if hasattr(test, "__wrapped__"):
        return None  # what wraps it may assert
    try:
        (function,) = ast.parse(textwrap.dedent(inspect.getsource(test))).body
    except (OSError, TypeError, ValueError, SyntaxError):
        return None
    if not isinstance(function, ast.FunctionDef):
        return None
    for node in ast.walk(function):
        if isinstance(node, ast.Assert) and not _is_placeholder(node) and _is_true(node.test):
            shown = ast.unparse(node.test)
            shown = shown if len(shown) <= 60 else f"{shown[:60]}…"
            return f"`assert {shown}` always holds, so nothing can refute it"
    if not _can_refute(function):
        return "its property asserts nothing, so nothing can refute it: write `assert ...`"
    return None


def _can_refute(function: ast.FunctionDef) -> bool:
    """Whether anything that a function does could get out of it as a failed assertion."""
    out = [node for statement in function.body for node in _getting_out(statement)]
    if any(isinstance(node, ast.Raise | ast.Assert) for node in out):
        return True
    if any(
        isinstance(node, ast.Assert) and not _is_placeholder(node) for node in ast.walk(function)
    ):
        # It asserts, where that is caught. What it calls for a result is not called to assert.
        return any(isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) for node in out)
    return any(isinstance(node, ast.Call) for node in out)


def _getting_out(node: ast.AST) -> Iterator[ast.AST]:
    """A node and those below it, but for what is caught, thrown away or always holds."""
    if isinstance(node, ast.Assert) and _is_placeholder(node):
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Compare | ast.BoolOp):
        return  # compared, and the outcome thrown away
    yield node
    below: Iterable[ast.AST] = ast.iter_child_nodes(node)
    if isinstance(node, ast.Try | ast.TryStar):
        if any(_catches(handler.type) for handler in node.handlers):
            below = [*node.handlers, *node.orelse, *node.finalbody]
    elif isinstance(node, ast.With) and any(map(_is_catcher, node.items)):
        below = []
    for child in below:
        yield from _getting_out(child)


def _is_placeholder(node: ast.Assert) -> bool:
    """Whether it is `assert True`, which some write where nothing else stands."""
    return isinstance(node.test, ast.Constant) and bool(node.test.value)


def _is_true(node: ast.expr) -> bool:
    """Whether an expression is plainly true, whatever the values in it are."""
    match node:
        case ast.Constant():
            return bool(node.value)
        case ast.GeneratorExp() | ast.Lambda() | ast.JoinedStr():
            return True
        case ast.Tuple() | ast.List() | ast.Set():
            return any(not isinstance(part, ast.Starred) for part in node.elts)
        case ast.Dict():
            return any(key is not None for key in node.keys)
        case ast.BoolOp(op=ast.Or()):
            return any(map(_is_true, node.values))
        case ast.BoolOp():
            return all(map(_is_true, node.values))
        case ast.NamedExpr():
            return _is_true(node.value)
        case ast.IfExp():
            return _is_true(node.body) and _is_true(node.orelse)
        case ast.UnaryOp(op=ast.Not(), operand=ast.Constant(value=value)):
            return not value
    return False


def _is_catcher(item: ast.withitem) -> bool:
    call = item.context_expr
    if not isinstance(call, ast.Call) or _name(call.func) not in _CATCHERS:
        return False
    return any(map(_catches, call.args))


def _catches(type: ast.expr | None) -> bool:
    """Whether a handler of this type, which may be a tuple of types, catches an assertion."""
    if isinstance(type, ast.Tuple):
        return any(map(_catches, type.elts))
    return type is None or _name(type) in _CATCHES


def _name(node: ast.expr) -> str:
    """ "raises" of `raises` and of `pytest.raises`."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
