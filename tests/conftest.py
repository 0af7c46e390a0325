"""What all tests share: the option that names folders of golden cases (CONTRIBUTING says more)."""

from __future__ import annotations

import pytest

from tests.parity import folders


def pytest_addoption(parser: pytest.Parser) -> None:
    folders.add_option(parser)


def pytest_configure(config: pytest.Config) -> None:
    folders.given_folders(config)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    folders.list_pending(terminalreporter, config)
