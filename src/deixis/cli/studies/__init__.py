"""The studies of ``deixis study``, one file each: HELP, EXAMPLE, add_arguments, run."""
