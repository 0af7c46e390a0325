"""The table of tasks. A new one is a file here and a line in ``TASKS``."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from deixis.errors import UsageError
from deixis.evaluation.task import Task
from deixis.evaluation.tasks.attributes import ATTRIBUTES
from deixis.evaluation.tasks.calibration import CALIBRATION
from deixis.evaluation.tasks.choosing import CHOOSING
from deixis.evaluation.tasks.expressions import EXPRESSIONS, EXPRESSIONS_BARE
from deixis.evaluation.tasks.free import FREE
from deixis.evaluation.tasks.grounding import GROUNDING
from deixis.evaluation.tasks.naming import NAMING, NAMING_POINT, NAMING_SCRIBBLE
from deixis.evaluation.tasks.nowhere import NOWHERE
from deixis.evaluation.tasks.presence import PRESENCE
from deixis.evaluation.tasks.skills.activity import ACTIVITY
from deixis.evaluation.tasks.skills.colour import COLOUR
from deixis.evaluation.tasks.skills.relations import RELATIONS
from deixis.evaluation.tasks.skills.unanswerable import UNANSWERABLE
from deixis.evaluation.tasks.verification import VERIFICATION

TASKS: dict[str, Task[Any]] = {
    "grounding": GROUNDING,
    "expressions": EXPRESSIONS,
    "naming": NAMING,
    "naming_point": NAMING_POINT,
    "naming_scribble": NAMING_SCRIBBLE,
    "free": FREE,
    "expressions_bare": EXPRESSIONS_BARE,
    "presence": PRESENCE,
    "calibration": CALIBRATION,
    "nowhere": NOWHERE,
    "verification": VERIFICATION,
    "choosing": CHOOSING,
    "attributes": ATTRIBUTES,
    "colour": COLOUR,
    "activity": ACTIVITY,
    "relations": RELATIONS,
    "unanswerable": UNANSWERABLE,
}
ALL = "all"


def find_tasks(names: Iterable[str]) -> list[Task[Any]]:
    """Return the tasks of these names, each once, in the order given; UsageError for one that does not exist.

    ``ALL`` stands for every task of the table.

    >>> [task.name for task in find_tasks(["naming", "grounding", "naming"])]
    ['naming', 'grounding']
    """
    given = [name.strip() for name in names if name.strip()]
    wanted = list(dict.fromkeys(one for name in given for one in (TASKS if name == ALL else [name])))
    known = ", ".join([*TASKS, ALL])
    if not wanted:
        raise UsageError(f"no task was named; known tasks: {known}")
    for name in wanted:
        if name not in TASKS:
            near = difflib.get_close_matches(name, TASKS, n=1)
            hint = f". Did you mean {near[0]!r}? Known" if near else "; known"
            raise UsageError(f"there is no task {name!r}{hint} tasks: {known}")
    return [TASKS[name] for name in wanted]
