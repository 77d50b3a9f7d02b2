"""E-mail addresses as a mail server takes them."""

import idna


def with_ascii_domain(address: str) -> str:
    """Return the address with its domain in ASCII (UTS 46), which every mail server understands.

    Only a local part that is not ASCII then needs a server with SMTPUTF8 (RFC 6531).
    """
    local, at, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        return local + at + idna.encode(domain, uts46=True).decode()
    except UnicodeError:  # of which IDNAError is one: the server may know what to do with it
        return address
