"""The C library's memory allocator: threads do not share the memory that they keep."""

import ctypes
import os

ARENAS = 64
_M_ARENA_MAX = -8  # glibc's malloc.h


def give_each_thread_its_own_arena() -> None:
    """Let no thread allocate behind the memory of the thread that hashes passwords.

    A hash needs 19 MiB. They stay with the arena of the hashing thread, since pages from the kernel
    would make the next hash half as fast. With glibc's default of 8 arenas for each core, threads
    of a busy worker share that arena: they allocate in the free 19 MiB, and the next hash takes 19
    more. MALLOC_ARENA_MAX in the environment comes first. Other C libraries have no arenas.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None and "MALLOC_ARENA_MAX" not in os.environ:
        mallopt(_M_ARENA_MAX, ARENAS)
