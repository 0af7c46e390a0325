"""Answers that are kept by what was asked, so that a run that was killed goes on and asks nothing twice."""
