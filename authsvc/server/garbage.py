"""Python's search for garbage: not while modules are imported, and never among what they hold."""

import gc


def pause() -> None:
    """Search for no garbage until `resume`: of what a boot allocates, nearly nothing is garbage.

    The searches take a tenth of the boot, and they find half a megabyte.
    """
    gc.disable()


def resume() -> None:
    """Search again, but not among what exists now, so that workers share it after the fork."""
    gc.freeze()
    gc.enable()
