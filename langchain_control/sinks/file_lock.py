"""The lock of an open file: shared by those who append, exclusive for who takes the file away.

It belongs to the descriptor, so that the kernel gives it back when the process ends, however it
ends. Nothing here waits.
"""

from __future__ import annotations

import errno
import sys

if sys.platform != "win32":
    import fcntl

__all__ = ["CAN_LOCK", "release", "try_exclusive", "try_shared"]

CAN_LOCK = sys.platform != "win32"

# Some network file systems have no locks. Appending there is as safe as it is without.
_UNSUPPORTED = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL)


def try_shared(fd: int) -> bool:
    """Lock against those who would take the file away. True also where there are no locks."""
    return sys.platform == "win32" or _try(fd, fcntl.LOCK_SH, without_locks=True)


def try_exclusive(fd: int) -> bool:
    """Lock against everybody. False where there are no locks."""
    return sys.platform != "win32" and _try(fd, fcntl.LOCK_EX, without_locks=False)


def release(fd: int) -> None:
    """Let others have the file."""
    if sys.platform != "win32":
        _try(fd, fcntl.LOCK_UN, without_locks=True)


def _try(fd: int, kind: int, *, without_locks: bool) -> bool:
    if sys.platform == "win32":
        return without_locks
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as exc:
        if exc.errno not in _UNSUPPORTED:
            raise
        return without_locks
    return True
