"""ITK starts a thread per core for each small image; on a busy machine that is twenty times slower than one thread."""

import os

os.environ.setdefault("ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", "1")
