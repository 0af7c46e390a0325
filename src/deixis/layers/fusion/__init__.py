"""Several features of the same cells become one: the parts of depth-breadth fusion."""
