"""What to say when a package of an extra is not installed."""


def server_extra_missing(needed_by: str, error: ModuleNotFoundError) -> str:
    """Return the sentence that says how to install what the service needs beyond the guard.

    Args:
        needed_by: what cannot run without it.
        error: what importing it raised; raised again if the missing module is ours, since then
            no extra would help.
    """
    if error.name is None or error.name.partition(".")[0] == "authsvc":
        raise error
    return (
        f"{needed_by} needs the [server] extra ({error.name} is not installed): run"
        " pip install '.[server]' in a checkout of authsvc, or install the wheel with [server]"
        " after its file name."
    )
