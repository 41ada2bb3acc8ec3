"""``python -m tests.fuzz``."""

import sys

from tests.fuzz.fuzz_nifti import main

sys.exit(main())
