"""What is done with boxes and regions that stick out of their pictures: the rules, as users name them."""

from __future__ import annotations

REFUSE, CUT, PASS_OVER = OUTSIDE = ("refuse", "cut", "pass_over")
