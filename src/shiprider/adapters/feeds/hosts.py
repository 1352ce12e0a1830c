"""Names of hosts as an operator writes them."""

from shiprider.model.errors import UsageError


def checked_host(host: str, feed: str) -> str:
    """The host, without brackets around an IPv6 address. Raises UsageError where it cannot be a name or an address.

    What the resolver raises for such names is no OSError, and would end the node instead of the feed.
    """
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        encoded = bare.encode("idna")
    except UnicodeError:
        encoded = b""
    if not encoded or not bare.isprintable() or any(letter in bare for letter in " /@?#"):
        raise UsageError(
            f"Host {host!r} of feed {feed!r} is neither a name nor an address: write it without scheme, "
            "port or path, for example ais.example.org."
        )
    return bare
