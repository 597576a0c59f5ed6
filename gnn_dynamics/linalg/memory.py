"""Keep freed memory in the process instead of handing it back to the system at every step.

A ReLU step on all nodes allocates some thirty arrays of a megabyte. glibc gives such arrays back
when they are freed, so that every page of the next one costs a page fault: 10 to 20 % of the step.
"""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # <malloc.h>
LARGEST_MMAP_THRESHOLD = 32 * 2**20  # glibc accepts no larger one
LARGEST_TRIM_THRESHOLD = 2**31 - 1


def keep_freed_memory() -> bool:
    """Whether the C library accepted the setting; only glibc has it."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    options = {M_MMAP_THRESHOLD: LARGEST_MMAP_THRESHOLD, M_TRIM_THRESHOLD: LARGEST_TRIM_THRESHOLD}
    return all(mallopt(name, value) == 1 for name, value in options.items())
