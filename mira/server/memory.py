"""What a service that rests holds of the machine's memory.

Knows nothing about what it was used for.
"""

import ctypes


def give_back() -> None:
    """Give what was freed back to the machine; takes some milliseconds, in which nobody allocates.

    Pieces of memory that streams freed lie between those that are in use, and the C library keeps
    them for the next streams. That is right for a busy hour, and wrong after it.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):  # glibc
        libc.malloc_trim(0)
