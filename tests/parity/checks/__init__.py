"""The checks of golden cases: one explicit table, family by family, kind by kind.

A family that is not in the table is listed as pending at the end of a run. To implement one, write its checks
in a file of its own beside this one and add a line here.
"""

from __future__ import annotations

from tests.parity.checks import deixis
from tests.parity.planning import Families

FAMILIES: Families = {
    "deixis": deixis.FAMILY,
}
