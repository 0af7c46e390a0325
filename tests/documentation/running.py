"""Running what a page shows: commands in a shell, Python sessions in one namespace."""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.documentation.blocks import commands_in
from tests.documentation.comparing import TIME

SECONDS = 300  # that a command may take
# Said once by every command that loads a system; where it computes differs from machine to machine.
DEVICE = re.compile(r"^deixis: \S+ on \S+ in \S+\n", re.MULTILINE)


class Runner:
    """Runs the blocks of one page, one after the other, in a folder. Times are shown as "…"."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[str, Any] = {}

    def output_of(self, shown: str) -> str:
        """Return a block as it reads today."""
        if shown.lstrip().startswith(">>> "):
            return self.session(shown)
        return "".join(f"$ {command}\n{self.shell(command)}" for command in commands_in(shown))

    def shell(self, command: str) -> str:
        """Return what a command prints, errors too, without the line about the device."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env={**os.environ, "PATH": path, "LC_ALL": "C.UTF-8", "COLUMNS": "100"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SECONDS,
        )
        return TIME.sub("…", DEVICE.sub("", done.stdout.decode()))

    def session(self, shown: str) -> str:
        """Return a Python session as it reads today."""
        lines = []
        here = Path.cwd()
        os.chdir(self.folder)
        try:
            for example in doctest.DocTestParser().get_examples(shown):
                first, *more = example.source.splitlines()
                lines += [f">>> {first}", *(f"... {line}" for line in more)]
                printed = io.StringIO()
                with contextlib.redirect_stdout(printed):
                    exec(compile(example.source, "<page>", "single"), self.names)
                lines += printed.getvalue().splitlines()
        finally:
            os.chdir(here)
        return "".join(f"{line}\n" for line in lines)
