"""Reading what policies try out before an answer begins: on branches of a prompt's row, or on forks of it."""
