"""Networks: whose an address is, where tries and connections are counted against guessing and flooding.

Always true: what one customer of a provider is given counts as one, so that changing addresses buys nothing.
"""

import ipaddress


def network_of(address: str) -> str:
    """What one attacker has as cheaply as one address: of IPv6 the network that a customer is given (RFC 6177)."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))
