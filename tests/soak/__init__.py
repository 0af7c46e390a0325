"""A server under many clients: ``make soak``, or ``python -m tests.soak --minutes 10 --clients 16``.

The embedded model and a tiny random system of each other kind are asked with all kinds of regions; some
requests are hostile, some clients leave in the middle. Nothing but the expected errors may come, memory has
to stay as it is, and no place may stay taken. In the end the engine is killed: whoever waits has to hear.
"""
