"""The table of tasks. A new one is a file here and a line in ``TASKS``."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from deixis.errors import UsageError
from deixis.evaluation.task import Task
from deixis.evaluation.tasks.expressions import EXPRESSIONS
from deixis.evaluation.tasks.grounding import GROUNDING
from deixis.evaluation.tasks.naming import NAMING, NAMING_POINT, NAMING_SCRIBBLE

TASKS: dict[str, Task[Any]] = {
    "grounding": GROUNDING,
    "expressions": EXPRESSIONS,
    "naming": NAMING,
    "naming_point": NAMING_POINT,
    "naming_scribble": NAMING_SCRIBBLE,
}


def find_tasks(names: Iterable[str]) -> list[Task[Any]]:
    """Return the tasks of these names, each once, in the order given; UsageError for one that does not exist.

    >>> [task.name for task in find_tasks(["naming", "grounding", "naming"])]
    ['naming', 'grounding']
    """
    wanted = list(dict.fromkeys(name.strip() for name in names if name.strip()))
    known = ", ".join(TASKS)
    if not wanted:
        raise UsageError(f"no task was named; known tasks: {known}")
    for name in wanted:
        if name not in TASKS:
            near = difflib.get_close_matches(name, TASKS, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise UsageError(f"there is no task {name!r}; {hint}Known tasks: {known}")
    return [TASKS[name] for name in wanted]
