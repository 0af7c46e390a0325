"""What may import what, and how large folders grow: the order of the house, read from its imports.

Imports inside functions count, and so do the lazy ones of `deixis/__init__.py`.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import deixis

ROOT = Path(deixis.__file__).parent

# What each folder, or module beside the folders, may import; from low to high, so none names one below it.
ALLOWED: dict[str, tuple[str, ...]] = {
    "errors": (),
    "extras": ("errors",),
    "progress": ("errors",),
    "devices": ("errors",),
    "files": ("errors",),
    "endpoints": ("errors", "files"),
    "regions": ("errors", "files"),
    "pictures": ("errors", "files", "regions"),
    "painting": ("errors", "files", "pictures", "regions"),
    "answers": ("errors", "extras", "files", "painting", "pictures", "regions"),
    "client": ("answers", "endpoints", "errors", "files", "pictures", "regions"),
    "text": ("answers", "errors", "files", "regions"),
    "english": ("errors", "regions", "text"),
    "layers": ("errors", "files", "pictures", "regions", "text"),
    "checkpoints": ("errors", "files", "layers", "text"),
    "engine": ("answers", "errors", "layers", "text"),
    "records": ("answers", "errors", "files", "pictures", "regions", "text"),
    "data": (
        "answers", "endpoints", "english", "errors", "files", "painting", "pictures", "progress", "records",
        "regions", "text",
    ),
    "training": (
        "checkpoints", "data", "devices", "errors", "extras", "files", "layers", "progress", "records",
    ),
    "systems": (
        "answers", "checkpoints", "data", "devices", "engine", "english", "errors", "extras", "files",
        "layers", "painting", "pictures", "progress", "records", "regions", "text", "training",
    ),
    "deixis": ("answers", "errors", "painting", "pictures", "regions", "systems"),
    "runs": ("data", "devices", "errors", "files", "progress", "systems", "training"),
    "evaluation": (
        "answers", "client", "data", "deixis", "endpoints", "engine", "english", "errors", "extras", "files",
        "painting", "pictures", "progress", "records", "regions", "systems", "text",
    ),
    "chat": (
        "answers", "deixis", "errors", "files", "painting", "pictures", "records", "regions", "systems",
    ),
    "gallery": (
        "answers", "data", "english", "errors", "evaluation", "files", "painting", "pictures", "regions",
    ),
    "comparison": (
        "answers", "data", "errors", "evaluation", "files", "gallery", "pictures", "regions",
    ),
    "studies": (
        "checkpoints", "data", "errors", "evaluation", "files", "layers", "pictures", "progress", "runs",
        "text", "training",
    ),
    "serving": (
        "answers", "checkpoints", "client", "deixis", "devices", "engine", "errors", "pictures", "progress",
        "records", "regions", "systems",
    ),
    "server": (
        "answers", "deixis", "endpoints", "engine", "errors", "extras", "pictures", "regions", "serving",
        "systems",
    ),
    "studio": (
        "answers", "endpoints", "errors", "pictures", "records", "regions", "server", "serving", "systems",
    ),
    "cli": (
        "answers", "chat", "checkpoints", "client", "comparison", "data", "deixis", "devices", "endpoints",
        "engine", "english", "errors", "evaluation", "extras", "files", "gallery", "painting", "pictures",
        "progress",
        "records", "regions", "runs", "server", "serving", "studies", "studio", "systems", "text", "training",
    ),
    "__main__": ("cli",),
}  # fmt: skip

MOST_FILES = 15
VAGUE = {"util", "utils", "common", "misc", "helper", "helpers"}


def modules() -> dict[str, Path]:
    """Every module of the package by its full name."""
    found = {}
    for path in ROOT.rglob("*.py"):
        name = ".".join(("deixis", *path.relative_to(ROOT).with_suffix("").parts))
        found[name.removesuffix(".__init__")] = path
    return found


MODULES = modules()


def imports_of(path: Path, own: str) -> Iterator[str]:
    """The modules of the package that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            for alias in node.names:
                name = f"{module}.{alias.name}"
                if name in MODULES or module in MODULES:
                    yield name if name in MODULES else module
        elif own == "deixis" and isinstance(node, ast.Constant) and node.value in MODULES:
            yield str(node.value)  # of the table of lazy names


def arrows() -> dict[str, set[str]]:
    """Which module imports which."""
    found: dict[str, set[str]] = defaultdict(set)
    for name, path in MODULES.items():
        found[name] = set(imports_of(path, name)) - {name}
    return found


ARROWS = arrows()


def folder_of(module: str) -> str:
    """The folder of a module below the package, or its own name where it lies beside the folders."""
    _, *parts = module.split(".")
    return parts[0] if parts else "deixis"


def test_no_file_imports_in_a_circle() -> None:
    try:
        order = list(TopologicalSorter(ARROWS).static_order())
    except CycleError as fault:
        pytest.fail(" -> ".join(fault.args[1]))
    assert len(order) >= len(MODULES) > 200


def test_folders_import_what_the_table_allows() -> None:
    wrong = sorted(
        f"{module} imports {other}"
        for module, others in ARROWS.items()
        for other in others
        if folder_of(module) != folder_of(other)
        and folder_of(other) not in ALLOWED.get(folder_of(module), ())
    )
    assert not wrong, "\n".join(wrong)


def test_the_table_goes_from_low_to_high_and_names_what_is_there() -> None:
    below: list[str] = []
    for name, allowed in ALLOWED.items():
        assert set(allowed) <= set(below), f"{name} may import {sorted(set(allowed) - set(below))}, above it"
        below.append(name)
    assert set(ALLOWED) == {folder_of(module) for module in MODULES}


def test_no_folder_holds_too_many_files() -> None:
    counts: dict[str, int] = defaultdict(int)
    for path in MODULES.values():
        if path.name != "__init__.py":
            counts[path.parent.relative_to(ROOT).as_posix()] += 1
    assert not {name: count for name, count in counts.items() if count > MOST_FILES}


def test_only_commands_print() -> None:
    printing = [
        module
        for module, path in MODULES.items()
        if folder_of(module) != "cli"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not printing


def test_every_module_is_named_after_what_it_holds() -> None:
    assert not [module for module in MODULES if VAGUE & set(module.split(".")[1:])]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("import deixis.errors", "deixis.errors"),
        ("from deixis import errors", "deixis.errors"),
        ("from deixis.errors import UsageError", "deixis.errors"),
        ("def load():\n    from deixis.regions.shapes import Box", "deixis.regions.shapes"),
    ],
)
def test_imports_are_found_wherever_they_stand(tmp_path: Path, line: str, expected: str) -> None:
    path = tmp_path / "a.py"
    path.write_text(line)
    assert list(imports_of(path, "deixis.a")) == [expected]


def test_the_lazy_names_of_the_package_count() -> None:
    assert {"deixis.systems", "deixis.regions.shapes"} <= ARROWS["deixis"]
