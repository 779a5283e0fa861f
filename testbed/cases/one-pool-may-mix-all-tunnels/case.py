"""Each real has its own way; flows are spread as if they had one."""

from golden import door, flow_of, frame, Inner, ip4, ipip, Pool, tcp, tunnelled


WAYS = {"10.0.0.11": Inner("gre"), "10.0.0.12": Inner("gue"), "10.0.0.13": Inner("fou", port=7000),
        "10.0.0.14": Inner("vxlan", 7, mac="02:00:00:00:01:11"), "10.0.0.15": None}


def packets():
    pool = Pool({door(real, inner): 100 for real, inner in WAYS.items()}, 251)
    ends = {door(real, inner): real for real, inner in WAYS.items()}
    met = set()
    for sport in range(40000, 40030):
        packet = frame(ip4() / tcp(sport))
        real = ends[pool.choose(flow_of(packet))]
        met.add(real)
        yield packet, tunnelled(packet, real, WAYS[real]) if WAYS[real] else ipip(packet, real)
    assert met == set(WAYS)
