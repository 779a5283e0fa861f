"""Behind the labels stands a packet to a VIP, and what is wrong with it is told as of any; an echo request is answered."""

from golden import MPLS, cut, echo4, echo_answer, frame, ip4, labelled, tcp


def packets():
    label = MPLS(label=16, ttl=64)
    yield labelled(frame(ip4() / tcp(dport=99)), label), None
    yield labelled(frame(ip4(chksum=0x1234) / tcp()), label), None
    yield labelled(frame(ip4(ihl=4) / tcp()), label), None
    yield cut(labelled(frame(ip4() / tcp()), label), -1), None
    request = frame(echo4())
    yield labelled(request, label), echo_answer(request)
