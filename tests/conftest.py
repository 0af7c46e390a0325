"""What all tests share: the option that names folders of golden cases (CONTRIBUTING says more)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.parity import folders


def pytest_addoption(parser: pytest.Parser) -> None:
    folders.add_option(parser)


def pytest_configure(config: pytest.Config) -> None:
    folders.given_folders(config)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the process that started this one which families are pending."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["pending"] = dict(session.config.stash.get(folders.PENDING, {}))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a test process found pending; all of them found the same."""
    node.config.stash[folders.PENDING] = getattr(node, "workeroutput", {}).get("pending", {})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    folders.list_pending(terminalreporter, config)
