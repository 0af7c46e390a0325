"""``python -m deixis`` is ``deixis``."""

import sys

from deixis.cli import main

sys.exit(main())
