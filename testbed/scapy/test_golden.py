"""The second opinion's own tests, against published vectors and another decoder.

usage: /usr/bin/python3 -m unittest discover --start-directory testbed/scapy
"""

import random
import sys
import unittest

sys.dont_write_bytecode = True

from scapy.layers.l2 import Dot1AD, Dot1Q, Ether  # noqa: E402

from golden import (CLIENT4, IP, MPLS, REAL4, REAL6, VIP4, Ids, IPv6, Meter, Pool, Room, echo4,  # noqa: E402
                    echo_answer, entropy, flow_of, frame, ip4, ip6, ipip, ledger, linked, model, padded, pcap,
                    remarked, room, selection, tcp)
from golden.frames import Flow  # noqa: E402


def round_keys(key: bytes) -> list[bytes]:
    """The key expansion of FIPS 197 §5.2."""
    words, constant = [key[at:at + 4] for at in range(0, 16, 4)], 1
    while len(words) < 44:
        word = words[-1]
        if len(words) % 4 == 0:
            word = bytes(selection.SBOX[byte] for byte in word[1:] + word[:1])
            word = bytes([word[0] ^ constant]) + word[1:]
            constant = selection.xtime(constant)
        words.append(selection.xor(words[-4], word))
    return [b"".join(words[at:at + 4]) for at in range(0, 44, 4)]


class Golden(unittest.TestCase):
    """What the cases lean on."""

    def test_nine_bare_rounds_and_a_last_one_are_aes(self):
        """FIPS 197, appendix C.1."""
        key, block = bytes(range(16)), bytes.fromhex("00112233445566778899aabbccddeeff")
        keys = round_keys(key)
        state = selection.four_rounds(block, keys[:5])
        for each in keys[5:10]:
            state = selection.aes_round(state, each)
        last = bytes(selection.SBOX[state[(4 * (at // 4 + at % 4) + at % 4) % 16]] for at in range(16))
        self.assertEqual(selection.xor(last, keys[10]).hex(), "69c4e0d86a7b0430d8cdb78070b4c55a")
        self.assertEqual(selection.aes128(key, block).hex(), "69c4e0d86a7b0430d8cdb78070b4c55a")

    def test_connection_ids_are_the_drafts(self):
        """draft-ietf-quic-load-balancers-21 §5.4.2.4 and appendix B, two misprints mended, and the way back."""
        b2, example = "8f95f09245765f80256934e50c66207f", "fdf726a9893ec05c0632d3956680baf0"
        for server_id, nonce, key, made in [
                ("c4605e", "4504cc4f", "", "07c4605e4504cc4f"),
                ("350d28b420", "3487d9700b", "", "2a350d28b4203487d9700b"),
                ("ed793a", "ee080dbf", b2, "0720b1d07b359d3c"),
                ("ed793a51d49b8f5fab65", "ee080dbf48", b2, "2fcc381bc74cb4fbad2823a3d1f8fed2"),
                ("ed793a51d49b8f5f", "ee080dbf48c0d1e5", b2, "504dd2d05a7b0de9b2b9907afb5ecf8cc3"),
                ("ed793a51d49b8f5fab", "ee080dbf48c0d1e55d", b2, "725779c9cc86beb3a3a4a3ca96fce4bfe0cdbc"),
                ("31441a", "9c69c275", example, "0767947d29be054a")]:
            way = Ids(int(made[:2], 16) >> 5, len(server_id) // 2, len(nonce) // 2, bytes.fromhex(key), True)
            self.assertEqual(way.make(server_id, bytes.fromhex(nonce)).hex(), made)
            self.assertEqual(way.read(bytes.fromhex(made)), server_id)

    def test_scapy_takes_marks_apart(self):
        """A service tag in front of a tag, two labels, and an outer header whose checksum scapy makes too."""
        sent = frame(ip4(tos=1) / tcp(), tags=((0x8100, 0xB005),))
        mark = {"insert_vlan": 7, "priority": 6, "push_labels": [16, 17], "tc": 3, "ttl": 9}
        seen = Ether(linked(ipip(remarked(sent, 46), REAL4), mark))
        first, second = seen[Dot1AD], seen[Dot1Q]
        self.assertEqual((first.vlan, first.prio, second.vlan, second.prio, second.type), (7, 6, 5, 5, 0x8847))
        stack = [(label.label, label.cos, label.s, label.ttl) for label in (seen[MPLS], seen[MPLS].payload)]
        self.assertEqual(stack, [(16, 3, 0, 9), (17, 3, 1, 9)])
        outer, inner = seen[IP], seen[IP].payload
        for header in (outer, inner):
            again = header.copy()
            del again.chksum
            self.assertEqual((header.tos, header.chksum), (46 << 2 | 1, IP(bytes(again)).chksum))

    def test_no_more_is_green_than_rate_and_burst_allow(self):
        """RFC 2697 and RFC 2698: over any time from the start, whatever comes."""
        for kind, more in (("srtcm", {"ebs_bytes": 900}), ("trtcm", {"pir_kbit_s": 24, "pbs_bytes": 1200})):
            limit = {"kind": kind, "cir_kbit_s": 8, "cbs_bytes": 1000} | more
            meter, bytes_of, choices = Meter(limit), {"green": 0, "yellow": 0, "red": 0}, random.Random(7)
            for step in range(400):
                tick, size = step // 5, choices.randrange(40, 400)
                bytes_of[meter.colour(tick, size, 0)] += size
                come = 1000 * tick / 8
                self.assertLessEqual(bytes_of["green"], 1000 + come)
                most = 1900 + come if kind == "srtcm" else 1200 + 3 * come
                self.assertLessEqual(bytes_of["green"] + bytes_of["yellow"], most)
            self.assertTrue(all(bytes_of.values()))

    def test_shares_follow_weights_and_no_slot_is_empty(self):
        """Within two slots of the exact share, for each real."""
        weights = {REAL4: 100, "10.0.0.12": 37, REAL6: 200, "10.0.0.13": 0}
        table = Pool(weights, slots=5003).table
        for real, weight in weights.items():
            self.assertLessEqual(abs(table.count(real) - 5003 * weight / 337), 2)

    def test_scapy_takes_apart_what_was_put_together(self):
        """Both outer families, with tags and padding."""
        sent = padded(frame(ip4(tos=0xB9) / tcp(), tags=((0x8100, 5),)), 64)
        outer = Ether(ipip(sent, REAL4, identification=9))[IP]
        self.assertEqual((outer.dst, outer.tos, outer.proto, outer.len, outer.id), (REAL4, 0xB9, 4, 60, 0))
        self.assertEqual(bytes(outer.payload), sent[18:58])
        outer = Ether(ipip(sent, REAL6))[IPv6]
        self.assertEqual((outer.dst, outer.tc, outer.nh, outer.plen), (REAL6, 0xB9, 4, 40))
        self.assertEqual(outer.fl, entropy(flow_of(sent)))

    def test_entropy_is_the_product_rule(self):
        """One flow by hand: 0xcb007107 ^ 0xc633640a ^ 0x9c400050 times 0x9e3779b1."""
        folded = 0xCB007107 ^ 0xC633640A ^ 0x9C400050
        self.assertEqual(entropy(Flow(CLIENT4, VIP4, 40000, 80, 6)), folded * 0x9E3779B1 % 2**32 // 2**16)

    def test_an_echo_answer_is_an_echo_answer(self):
        """By scapy's own idea of question and answer, and its checksums."""
        request = frame(echo4(b"abc"))
        answer = echo_answer(request)
        self.assertTrue(Ether(answer)[IP].answers(Ether(request)[IP]))
        again = Ether(answer)[IP]
        del again.chksum, again.payload.chksum
        self.assertEqual(bytes(again), answer[14:])

    def test_the_ledger_sees_a_wrong_counter(self):
        """Sizes, names and the sum law."""
        self.assertEqual(ledger.faults('rx = 1\n"rx.bytes" = 3\n"drop.truncated" = 1\n', [b"abc"], []), [])
        right = 'rx = 1\n"rx.bytes" = 3\n'
        for wrong in (right.replace("rx = 1", "rx = 2"), right, right + '"drop.moon" = 1\n'):
            self.assertNotEqual(ledger.faults(wrong, [b"abc"], []), [])

    def test_the_model_reads_any_bytes(self):
        """Every prefix of a packet gives a verdict of drop or punt, and never another exception."""
        for packet in (ip4() / tcp(), ip6() / tcp()):
            whole = frame(packet, tags=((0x88A8, 1), (0x8100, 2)))
            for size in range(len(whole)):
                with self.assertRaisesRegex(model.Verdict, "^drop.truncated$"):
                    model.parse(whole[:size])

    def test_a_table_takes_what_its_buckets_hold_and_says_who_gave_way(self):
        """Two buckets full; then one who may be elsewhere moves; then what the rule leaves open is refused."""
        table = Room("00" * 16, 64)
        waiting, *crowd, late = table.meeting(3, 5, 9)
        since = {waiting: 7.0}
        for flow in [waiting, *crowd]:
            self.assertIsNone(table.put(flow, lambda _: False, since.get))
        self.assertEqual(table.put(late, lambda _: False, since.get), waiting)
        self.assertEqual(table.put(waiting, crowd[0].__eq__, since.get), crowd[0])
        table.forget(late)
        (mover,) = table.meeting(3, 9, 1)
        self.assertIsNone(table.put(mover, lambda _: False, since.get))
        self.assertIsNone(table.put(late, lambda _: False, {}.get))
        self.assertIn(mover, table.slots[9])
        with self.assertRaises(room.Unsaid):
            table.put(crowd[0], lambda _: False, since.get)
        with self.assertRaises(room.Full):
            table.put(crowd[0], lambda _: False, {}.get)

    def test_a_capture_is_literally_this(self):
        """One packet, every byte."""
        self.assertEqual(pcap.capture([(1.5, b"\xaa\xbb")]).hex(),
                         "d4c3b2a1020004000000000000000000000004000100000001f1536520a107000200000002000000aabb")


if __name__ == "__main__":
    unittest.main()
