#!/usr/bin/env python3
"""The report says what the rows say: ratios within a round, what does not count, what was missed."""
import json
import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import report  # noqa: E402
from plans import PLANS, SYSTEMS  # noqa: E402
from systems import REMORA, trouble_of  # noqa: E402


def row(system, number=0, got=1000, **more):
    return {"plan": "saturate", "system": system, "round": number, "size": 4096, "subs": 200, "topics": 1,
            "owed": got, "got": got, "span_s": 1.0, "cpu_hub": 0.1, "cpu_pub": 0.1, "cpu_sub": 0.1, "p50_us": 10,
            "p99_us": 20, "hub_rss_mib": 30, "load_before": 1.0, "fdatasync_p50_us": 100, "fdatasync_p99_us": 200,
            "loopback_p50_us": 40, "trouble": "", **more}


def text_of(rows):
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as f:
        f.writelines(json.dumps(r) + "\n" for r in rows)
        f.flush()
        return report.markdown([f.name])


def line_of(text, *words):
    found = [line for line in text.split("\n") if all(w in line for w in words)]
    return found[0] if found else ""


class Report(unittest.TestCase):
    def test_what_the_host_took_away_is_said(self):
        text = text_of([row("nats", n, stolen=share, tries=tries)
                        for n, (share, tries) in enumerate(((0.001, 1), (0.015, 3), (0.3, 4)))])
        self.assertIn("The host took 1.5 (0.1-30.0) % of the processors", text)
        self.assertIn("5 runs were made again", text)
        self.assertNotIn("The host took", text_of([row("nats")]))

    def test_ratios_are_within_a_round(self):
        # The machine is ten times slower in the second round: that is no ratio.
        rows = [r for n, rate in enumerate((1000, 100, 1000, 500, 100))
                for r in (row("nats", n, rate), row("remora-grpc-live", n, rate * 3 // 2))]
        promise = line_of(text_of(rows), "200 followers: remora-grpc-live ", "1.2 x nats")
        self.assertIn("1.50 (1.50-1.50)", promise)
        self.assertIn("| ok |", promise)

    def test_what_is_missed_is_said(self):
        rows = [r for n in range(5) for r in (row("nats", n), row("remora-grpc-live", n, 1100))]
        promise = line_of(text_of(rows), "200 followers: remora-grpc-live ", "1.2 x nats")
        self.assertIn("**missed**", promise)

    def test_few_rounds_prove_nothing(self):
        rows = [r for n in range(4) for r in (row("nats", n), row("remora-grpc-live", n, 1300))]
        promise = line_of(text_of(rows), "200 followers: remora-grpc-live ", "1.2 x nats")
        self.assertIn("| holds in 4 of 5 rounds |", promise)
        self.assertNotIn("ok", promise)

    def test_growth_is_judged_to_the_largest_size_that_was_tried(self):
        def of(topics, **more):
            return [row("remora-ws-live", n, plan="scale", topics=topics, **more) for n in range(5)]
        self.assertIn("| ok |", line_of(text_of(of(10) + of(400)), "10 to 400 theatres", "remora-ws-live"))
        fell_out = text_of(of(10) + of(200) + of(400, trouble="the hub ended"))
        self.assertIn("not measured", line_of(fell_out, "10 to 400 theatres", "remora-ws-live"))

    def test_a_follower_that_gets_nothing_again_is_no_age(self):
        rows = [row("remora-ws-live", n, plan="slow", stall=1, hub_rss_before_mib=30, first_age_ms=age,
                    first_age_after_gap_ms=age) for n, age in enumerate((5, 5, -1, -1, -1))]
        self.assertIn("**missed**", line_of(text_of(rows), "age of the first block, remora-ws-live"))

    def test_a_row_in_trouble_does_not_count(self):
        text = text_of([row("nats"), row("remora-grpc-live", got=9000, trouble="5 holes")])
        self.assertIn("not measured", line_of(text, "200 followers: remora-grpc-live ", "1.2 x nats"))
        self.assertIn("does not count: 5 holes", line_of(text, "| remora-grpc-live |"))

    def test_theatres_are_carried_up_to_where_blocks_are_left_out(self):
        def of(topics, got, **more):
            return row("remora-ws-live", plan="theatres", topics=topics, owed=1000, got=got, cpu_hub=got * 20e-6, **more)
        text = text_of([of(50, 1000), of(100, 995), of(200, 900), of(300, 1000, p99_us=2e6)])
        self.assertIn("| 100 |", line_of(text, "carried here", "remora-ws-live"))
        self.assertIn("| 0.89 |", line_of(text, "400 such theatres", "remora-ws-live"))

    def test_a_busy_machine_is_named(self):
        self.assertIn("busy with other work", text_of([row("nats", load_before=9.0)]))
        self.assertNotIn("busy with other work", text_of([row("nats")]))

    def test_two_builds_are_compared(self):
        text = text_of([row("remora-grpc-live", got=1200), row("remora-grpc-live@other")])
        self.assertIn("| 1.20 |", line_of(text, "| remora-grpc-live |"))


class Trouble(unittest.TestCase):
    def test_everything_that_is_missing_must_be_told(self):
        seen = row("remora-grpc-live", holes=5, reader_holes=5, told=5)
        self.assertIn("5 holes", trouble_of(seen, "remora-grpc-live", {}))
        self.assertEqual(trouble_of(seen, "remora-grpc-live", {"link_rate": "64 kbit/s"}), "")
        seen["told"] = 4
        self.assertIn("1 holes untold", trouble_of(seen, "remora-grpc-live", {"link_rate": "64 kbit/s"}))

    def test_what_was_not_delivered_does_not_count(self):
        self.assertIn("1 not delivered", trouble_of(row("nats", owed=1001), "nats", {}))
        self.assertIn("2 duplicates", trouble_of(row("remora-ws-live", duplicates=2), "remora-ws-live", {}))


class Plans(unittest.TestCase):
    def test_every_plan_has_remora(self):
        for plan in PLANS:
            self.assertTrue(set(SYSTEMS[plan]) & set(REMORA), plan)


if __name__ == "__main__":
    unittest.main()
