"""The code behind a table: what a function names of ours, directly or through others, as text that comments do not change.

Belongs here: following names through our own modules. Does not belong here: which function makes which table (the layers'
modules) or what a changed text means (`assets.definitions`).

Two texts differ exactly where a statement differs that the function can reach: formatting, comments, docstrings and
annotations are left out, and so is what merely carries tables about (`CARRIERS`) and the settings, whose values are told
apart by themselves.
"""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from assets.contracts.quality import SETTINGS_OF_RUN

_ROOT: Final = Path(__file__).resolve().parents[1]
_OURS: Final = "assets."
_SETTING: Final = re.compile(r"\b(service|run)\.([a-z_]+(?:\.[a-z_]+)?)")
CARRIERS: Final = frozenset(
    {
        "assets.analysis.wiring",
        "assets.code_behind",
        "assets.contracts.model",
        "assets.feeds.wrong_input",
        "assets.resources",
        "assets.service",
        "assets.tables",
        "assets.warehouse",
    }
)
"""Modules of ours that move, declare or configure without deciding any figure."""


@dataclass(frozen=True)
class _Module:
    """One module's top level: its statements by the name they bind, and where imported names come from."""

    name: str
    statements: dict[str, list[ast.stmt]]
    imported: dict[str, tuple[str, str | None]]
    _told: dict[str, tuple[str, list[tuple[str, str]]]] = field(default_factory=dict)

    def told(self, bound: str) -> tuple[str, list[tuple[str, str]]]:
        """A name's statements as text, and everything of ours that they name; once, since most are behind many tables."""
        if bound not in self._told:
            statements = self.statements[bound]
            named = [each for statement in statements for each in _named(statement, self.name, self)]
            self._told[bound] = "\n".join(ast.unparse(each) for each in statements), named
        return self._told[bound]


def code_behind(*functions: Callable[..., Any]) -> str:
    """Every statement of ours that the functions can reach, in the order of their names.

    Args:
        functions: top-level functions of modules under `assets`.
    """
    found: dict[tuple[str, str], str] = {}
    waiting = [(function.__module__, function.__qualname__) for function in functions]
    while waiting:
        place = waiting.pop()
        if place in found or (place[0] in CARRIERS and place not in _asked(functions)):
            continue
        if (module := _read(place[0])) and place[1] in module.statements:
            found[place], named = module.told(place[1])
            waiting += named
    return "\n".join(f"{module}.{name}\n{text}" for (module, name), text in sorted(found.items()))


def _asked(functions: tuple[Callable[..., Any], ...]) -> set[tuple[str, str]]:
    return {(function.__module__, function.__qualname__) for function in functions}


def _named(statement: ast.stmt, within: str, module: _Module) -> Iterator[tuple[str, str]]:
    """Everything of ours that a statement names: of its own module, imported by name, or as a module's attribute."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            source, name = module.imported.get(node.value.id, ("", ""))
            whole = f"{source}.{name}" if name else source
            if _is_module(whole):
                yield whole, node.attr
        if isinstance(node, ast.Name):
            if node.id in module.statements:
                yield within, node.id
            elif (origin := module.imported.get(node.id)) and origin[1]:
                yield origin[0], origin[1]


@lru_cache
def _is_module(name: str) -> bool:
    return name.startswith(_OURS) and _file(name) is not None


def _file(name: str) -> Path | None:
    at = _ROOT.joinpath(*name.split("."))
    return next((file for file in (at.with_suffix(".py"), at / "__init__.py") if file.is_file()), None)


@lru_cache
def _read(name: str) -> _Module | None:
    file = _file(name) if name.startswith(_OURS) else None
    if file is None:
        return None
    statements: dict[str, list[ast.stmt]] = {}
    imported: dict[str, tuple[str, str | None]] = {}
    for statement in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.ImportFrom):
            if statement.module and f"{statement.module}.".startswith(_OURS):
                imported |= {each.asname or each.name: (statement.module, each.name) for each in statement.names}
            continue
        plain = _Plain().visit(statement)
        for bound in _bound(statement):
            statements.setdefault(bound, []).append(plain)
    return _Module(name, statements, imported)


def _bound(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.FunctionDef() | ast.ClassDef():
            return [statement.name]
        case ast.Assign():
            return [node.id for target in statement.targets for node in ast.walk(target) if isinstance(node, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.AugAssign(target=ast.Name(id=name)):
            return [name]
    return []


class _Plain(ast.NodeTransformer):
    """Takes docstrings out, and annotations of arguments and answers."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.generic_visit(node)
        node.returns = None
        node.body = _without_docstring(node.body)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        self.generic_visit(node)
        node.body = _without_docstring(node.body)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0]
    is_text = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    return (body[1:] or [ast.Pass()]) if is_text else body


def settings_named(code: str) -> tuple[str, ...]:
    """The settings that a code names: `service.x`, `service.x.y`, or as a column of `quality.run`, sorted."""
    found = {
        SETTINGS_OF_RUN.get(name.partition(".")[0], "") if owner == "run" else name
        for owner, name in _SETTING.findall(code)
    }
    return tuple(sorted(found - {""}))
