"""Labels in front of a tunnel that ends here are off first (RFC 3032 §2.4), then the tunnel; what it carried goes on as its
service has it marked, and the outer header, behind a longer link header, has what is left of the TTL."""

from golden import MPLS, REAL4, frame, ip4, ip6, ipip, labelled, linked, nested, remarked, tcp, to_end


def packets():
    for packet in (ip4() / tcp(), ip6() / tcp()):
        sent, plain = frame(nested([to_end()], packet)), frame(packet)
        out = ipip(remarked(plain, 46), REAL4, hop_limit=48)
        yield sent, linked(out, {"insert_vlan": 7})
        label = MPLS(label=17, cos=5, ttl=9)
        yield labelled(sent, label), linked(labelled(out, MPLS(label=99, cos=5, ttl=8)), {"insert_vlan": 7})
