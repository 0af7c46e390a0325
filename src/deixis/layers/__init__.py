"""Network parts that several systems share, one idea a file.

Shape letters used in every module: ``B`` batch (pictures), ``T`` text tokens, ``N`` picture tokens,
``R`` regions, ``P`` places (queries), ``L`` locations of the place map, ``H W`` grid, ``D`` width.
"""
