"""Syntax trees of Python: what of one counts, in a form that is the same in every version."""

import ast
from collections.abc import Iterator
from typing import Any

# Fields of a syntax tree that say nothing of what is done.
_SILENT = {"ctx", "kind", "type_comment", "type_ignores", "lineno", "end_lineno"}


def walk(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a tree in the order of the text; of a dotted name the whole alone."""
    yield tree
    if dotted(tree):
        return
    for child in ast.iter_child_nodes(tree):
        yield from walk(child)


def dotted(node: ast.AST) -> list[str]:
    """The parts of a name that is read, such as `helpers.block`; empty for any other node."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute) and (before := dotted(node.value)):
        return [*before, node.attr]
    return []


def outside(node: ast.AST) -> list[ast.AST]:
    """The parts of a definition that are carried out where it stands; of anything else all."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
    return [node]


def form(node: Any) -> object:
    """A tree as nested tuples, without what says nothing: the same in every version of Python."""
    if isinstance(node, list):
        return tuple(map(form, node))
    if not isinstance(node, ast.AST):
        return (type(node).__name__, repr(node))
    fields = []
    for name, value in ast.iter_fields(node):
        if name == "body" and isinstance(value, list):
            value = _without_docstring(node, value)
        if name not in _SILENT and value is not None and value != []:
            fields.append((name, form(value)))
    return (type(node).__name__, *fields)


def _without_docstring(node: ast.AST, body: list[Any]) -> list[Any]:
    documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module
    if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
        return body[1:]
    return body
