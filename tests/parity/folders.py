"""The folders named with ``--parity-dir``, and the families whose cases wait there for a system."""

from __future__ import annotations

from pathlib import Path

import pytest

# Families with cases and without a system, with the number of their cases; filled when tests are collected.
PENDING = pytest.StashKey[dict[str, int]]()


def add_option(parser: pytest.Parser) -> None:
    """Register ``--parity-dir``."""
    parser.getgroup("parity").addoption(
        "--parity-dir",
        action="append",
        default=[],
        metavar="DIR",
        help="a folder of golden cases to test beside the small ones in tests/parity/cases; may be repeated",
    )


def given_folders(config: pytest.Config) -> list[Path]:
    """Return the folders given on the command line; a usage error if one isn't there."""
    folders = [config.invocation_params.dir / given for given in config.getoption("--parity-dir")]
    for folder in folders:
        if not folder.is_dir():
            raise pytest.UsageError(
                f"--parity-dir: there is no folder {folder}; expected one of golden cases"
            )
    return folders


def list_pending(reporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the families that nothing implements: they are neither passed nor skipped, but pending."""
    pending = config.stash.get(PENDING, {})
    if not pending:
        return
    reporter.section("parity: pending")
    for family, count in sorted(pending.items()):
        reporter.line(f"{family}: {count} case{'s' * (count != 1)} pending; no system implements it yet")
