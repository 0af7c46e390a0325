"""What the documentation shows as output, run anew: ``python -m tests.documentation --check`` or ``--write``.

A comment in front of a fenced block says that it is output:

    <!-- output -->              lines that begin with "$ " are commands, what follows is what they print;
                                 or a Python session with ">>> "
    <!-- output: COMMAND -->     the same, after a command that isn't shown
    <!-- picture images/a.png: COMMAND -->
                                 on a line of its own: the picture beside the page is the a.png that COMMAND
                                 writes

All blocks of a page run in order in one new folder that holds the photographs of ``place``.
"""
