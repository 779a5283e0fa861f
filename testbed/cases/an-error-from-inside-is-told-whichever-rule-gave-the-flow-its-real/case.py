"""A flow that a rule gave a real which its service's pool has not. The client's packet may have been a first fragment, which
shows its flow; a later one does not, and a flow that is not known is nobody's: the kernel has both.
"""

from golden import followed, frame, ip4, ipip, pieces4, tcp, tunnel_error, unreachable

API = "10.0.0.21"


def packets():
    came = frame(ip4() / tcp() / bytes(100))
    sent = ipip(came, API)
    yield came, sent
    yield tunnel_error(sent, 3, 1), unreachable(came)
    first, later = pieces4(ip4(flags=0) / tcp(sport=40002) / bytes(100), 64)
    yield first, followed(first, API)
    yield tunnel_error(ipip(first, API), 3, 1), unreachable(first)
    yield tunnel_error(ipip(later, API), 3, 1), None
    other = frame(ip4() / tcp(sport=40001) / bytes(100))
    yield tunnel_error(ipip(other, API), 3, 1), None
    web = frame(ip4(src="203.0.113.8") / tcp() / bytes(100))
    yield tunnel_error(ipip(web, API), 3, 1), None
