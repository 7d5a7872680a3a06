"""What the C library holds of the machine's memory.

Knows nothing about what it was used for.
"""

import ctypes

# glibc's malloc keeps a heap for each thread and grows its idea of what is worth giving back: an
# hour of mixed load then holds 700 MB, where with these it holds 335, and is no slower.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
OPTIONS = {M_ARENA_MAX: 1, M_MMAP_THRESHOLD: 1 << 20, M_TRIM_THRESHOLD: 64 << 20}


def keep_little() -> None:
    """Have the C library give back what is freed, and share what it keeps."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # glibc and musl; musl's does nothing
        for option, value in OPTIONS.items():
            libc.mallopt(option, value)


def give_back() -> None:
    """Give what was freed back to the machine; takes some milliseconds, in which nobody allocates.

    Pieces of memory that streams freed lie between those that are in use, and the C library keeps
    them for the next streams. That is right for a busy hour, and wrong after it.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):  # glibc
        libc.malloc_trim(0)
