"""A small flow table's buckets, restated for a configured key: which flows a full one takes, and who gives way.

The rule stands in words at the heads of dataplane/flow/src/lib.rs and room.rs: four flows a bucket, two buckets a
flow, and a flow's two numbers (the PRF of its tuple under the table's key) name both. What depends on which of
several flows is moved, or on a table that is nearly full, is not restated: a case that leans on it is refused.
"""

from collections.abc import Callable
from itertools import islice

from .frames import CLIENT4, VIP4, Flow
from .selection import prf

PER_BUCKET = 4
# The odd number next to 2^64 over the golden ratio: it spreads a tag before the tag names a bucket.
SPREAD = 0x9E37_79B9_7F4A_7C15


class Full(Exception):
    """Neither bucket takes one more flow."""


class Unsaid(Exception):
    """The case leans on what the rule leaves open."""


class Room:
    """The buckets of one worker's table."""

    def __init__(self, key: str, entries: int):
        self.key = bytes.fromhex(key)
        self.slots: list[list[Flow | None]] = [[None] * PER_BUCKET for _ in range(-(-entries // PER_BUCKET))]
        self.has_moved = False

    def buckets(self, flow: Flow) -> tuple[int, int]:
        """The first bucket, and the other one: they add up to a number that the tag alone gives."""
        tag, place = prf(self.key, flow)
        first, total = place * len(self.slots) >> 64, (tag * SPREAD % 2**64) * len(self.slots) >> 64
        return first, (total - first) % len(self.slots)

    def meeting(self, first: int, second: int, count: int) -> list[Flow]:
        """So many TCP flows from the client to the VIP whose buckets are these two, in this order."""
        every = (Flow(CLIENT4, VIP4, sport, 80, 6) for sport in range(1024, 65536))
        found = list(islice((flow for flow in every if self.buckets(flow) == (first, second)), count))
        if len(found) < count:
            raise Unsaid(f"there are only {len(found)} such flows")
        return found

    def forget(self, flow: Flow) -> None:
        """The flow's slot is free again."""
        for bucket in self.slots:
            bucket[:] = [None if holder == flow else holder for holder in bucket]

    def put(self, flow: Flow, is_gone: Callable[[Flow], bool],
            waits_since: Callable[[Flow], float | None]) -> Flow | None:
        """Puts a flow in, and gives the one that it displaced: a silent one (`is_gone`), or where nobody can move,
        the embryonic one that has waited longest (`waits_since` gives when it was last heard of)."""
        both = self.buckets(flow)
        if sum(holder is not None for bucket in self.slots for holder in bucket) * 8 > len(self.slots) * PER_BUCKET * 7:
            raise Unsaid("a crowded table decides in another order")
        for bucket in both:
            for is_free in (lambda holder: holder is None, lambda holder: holder is not None and is_gone(holder)):
                for at, holder in enumerate(self.slots[bucket]):
                    if is_free(holder):
                        self.slots[bucket][at] = flow
                        return holder
        if self.make_way(both):
            return self.put(flow, is_gone, waits_since)
        for bucket in both:
            since = [(waits_since(holder), at) for at, holder in enumerate(self.slots[bucket])]
            waiting = [(seen, at) for seen, at in since if seen is not None]
            if waiting:
                if self.has_moved:
                    raise Unsaid("who is evicted depends on who was moved")
                _, at = min(waiting)
                holder, self.slots[bucket][at] = self.slots[bucket][at], flow
                return holder
        raise Full

    def make_way(self, both: tuple[int, int]) -> bool:
        """Moves flows to their other buckets until one of two full ones has room, if that can be."""
        came_from: dict[int, tuple[int, int] | None] = dict.fromkeys(both)
        queue = list(came_from)
        for bucket in queue:
            if None in self.slots[bucket]:
                to, self.has_moved = bucket, True
                while came_from[to] is not None:
                    source, at = came_from[to]
                    self.slots[to][self.slots[to].index(None)] = self.slots[source][at]
                    self.slots[source][at], to = None, source
                return True
            for at, holder in enumerate(self.slots[bucket]):
                other = sum(self.buckets(holder)) - bucket
                if other not in came_from:
                    came_from[other] = (bucket, at)
                    queue.append(other)
        return False
