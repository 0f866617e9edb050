#!/usr/bin/env python3
"""What was not measured is never met."""
import os
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import theatre_table as theatre  # noqa: E402


def quantiles(p99, count=100):
    return {"count": count, "p50": p99 / 2, "p99": p99, "most": p99}


def whole():
    modalities = [{"name": name, "results": 100, "of_sweep": name not in ("EMG_FREE_RUNNING", "EEG", "ECOG"), "added_ms": quantiles(2.0),
                   "added_by_wall_clock_ms": quantiles(3.0), "in_block_ms": quantiles(19.0)} for name in theatre.MODALITIES]
    return {"cpu_s": 9.0, "simulated_s": 180.0, "channels": 64, "sample_rate_hz": 20000, "peak_mb": 80.0, "modalities": modalities,
            "sweeps": {"added_ms": quantiles(2.0), "in_block_ms": quantiles(19.0)},
            "kinds": {kind: least for kind, least in theatre.BESIDE.values()}}


def of(one, name):
    return next(m for m in one["modalities"] if m["name"] == name)


PARTS = {"simulated_s": 60.0, "cpu_s": {"all": 3.0, **{name: 0.6 for name in theatre.MODALITIES}}}


def lines_of(rounds, word):
    return [line for line in theatre.table(rounds, PARTS).split("\n") if word in line]


class Theatre(unittest.TestCase):
    def test_all_is_met(self):
        rounds = [whole(), whole(), whole()]
        self.assertEqual(theatre.not_measured(rounds), [])
        self.assertEqual(len(lines_of(rounds, "| met |")), 4 + len(theatre.MODALITIES) - 3)
        self.assertEqual(len(lines_of(rounds, "| runs on |")), 3)
        self.assertIn("| of one core | at most 10 % | 5.0 (5.0-5.0) % | met |", theatre.table(rounds, PARTS))
        self.assertIn("| VEP | 100 | 100 of 100, 100 % | 1.00 | 1.0 | 2.0 (2.0-2.0) | 3.0 (3.0-3.0) | met |", theatre.table(rounds, PARTS))

    def test_a_modality_without_results_is_not_measured_and_nothing_is_met(self):
        def none(one):
            of(one, "VEP").update(results=0, added_ms=None, added_by_wall_clock_ms=None, in_block_ms=None, of_sweep=False)

        def few(one):
            of(one, "VEP").update(results=theatre.LEAST - 1)

        def no_times(one):
            of(one, "VEP").update(added_ms=quantiles(1.0, theatre.LEAST - 1))

        def no_wall_clock(one):
            of(one, "VEP").update(added_by_wall_clock_ms=None)

        def left_out(one):
            one["modalities"].remove(of(one, "VEP"))

        for spoil in (none, few, no_times, no_wall_clock, left_out):
            rounds = [whole(), whole()]
            spoil(rounds[1])
            self.assertEqual(theatre.not_measured(rounds), ["VEP"], spoil.__name__)
            self.assertTrue(lines_of(rounds, "| VEP |")[0].endswith("| not measured |"), spoil.__name__)
            for promise in ("| of one core |", "of the slowest modality", "by the wall clock", "| memory, peak"):
                self.assertTrue(lines_of(rounds, promise)[0].endswith("| not measured |"), spoil.__name__)
            self.assertIn("or records of it: VEP.", theatre.table(rounds, PARTS))

    def test_what_must_come_beside_results_is_asked_for(self):
        one = whole()
        del one["kinds"]["relation"]
        one["kinds"]["vitals"] = 1
        self.assertEqual(theatre.not_measured([whole(), one]), ["relations", "vital signs"])

    def test_nothing_at_all_is_still_a_table(self):
        one = whole()
        one.update(modalities=[], kinds={}, sweeps={"added_ms": None, "in_block_ms": None})
        self.assertEqual(len(theatre.not_measured([one])), len(theatre.MODALITIES) + len(theatre.BESIDE))
        self.assertEqual(lines_of([one], "| met |"), [])

    def test_one_slow_modality_misses_however_many_others_are_fast(self):
        rounds = [whole(), whole(), whole()]
        for one in rounds:
            of(one, "MAP_MIDLINE").update(added_ms=quantiles(480.0, 3))
        slowest = lines_of(rounds, "of the slowest modality")[0]
        self.assertIn("480.0 (480.0-480.0) ms (MAP_MIDLINE)", slowest)
        self.assertTrue(slowest.endswith("| **missed** |"))

    def test_one_modality_that_is_slow_by_the_wall_clock_is_not_hidden_by_the_others(self):
        rounds = [whole(), whole(), whole()]
        for one in rounds:
            of(one, "PEDICLE_SCREW").update(added_by_wall_clock_ms=quantiles(31.0, 3))
        wall = lines_of(rounds, "by the wall clock: with the disk")[0]
        self.assertIn("31.0 (31.0-31.0) ms (PEDICLE_SCREW)", wall)
        self.assertTrue(wall.endswith("| **missed** |"))
        self.assertTrue(lines_of(rounds, "to its record, p99")[0].endswith("| met |"))
        self.assertTrue(lines_of(rounds, "| PEDICLE_SCREW |")[0].endswith("| 31.0 (31.0-31.0) | **missed** |"))

    def test_a_small_part_that_was_timed_does_not_speak_for_the_others(self):
        for name in ("VEP", "EEG"):
            rounds = [whole(), whole()]
            of(rounds[1], name).update(results=100, added_ms=quantiles(1.0, 24))
            self.assertEqual(theatre.not_measured(rounds), [])
            self.assertEqual(theatre.too_few_timed(rounds, []), [name])
            row = lines_of(rounds, f"| {name} |")[0]
            self.assertIn("| 24 of 100, 24 % |", row)
            self.assertTrue(row.endswith("| **not met**: too few timed |"))
            for promise in lines_of(rounds, "of the slowest modality"):
                self.assertTrue(promise.endswith("| **not met**: too few timed |"))
            self.assertTrue(lines_of(rounds, "| of one core |")[0].endswith("| met |"))
            self.assertIn(f"is known: {name}.", theatre.table(rounds, PARTS))
            of(rounds[1], name).update(added_ms=quantiles(1.0, 25))
            self.assertEqual(theatre.too_few_timed(rounds, []), [])

    def test_what_runs_on_has_no_sweep_to_be_late(self):
        rounds = [whole()]
        of(rounds[0], "EEG").update(added_ms=quantiles(100.0))
        self.assertIn("| met |", lines_of(rounds, "of the slowest modality")[0])

    def test_what_is_too_much_is_missed(self):
        rounds = [whole(), whole(), whole()]
        for one in rounds:
            one.update(cpu_s=19.0, peak_mb=257.0)
            of(one, "BAEP")["added_by_wall_clock_ms"] = quantiles(6.0)
        self.assertTrue(lines_of(rounds, "| of one core |")[0].endswith("| **missed** |"))
        self.assertTrue(lines_of(rounds, "| memory, peak")[0].endswith("| **missed** |"))
        self.assertTrue(lines_of(rounds, "by the wall clock: with")[0].endswith("| 6.0 (6.0-6.0) ms (BAEP) | **missed** |"))
        rounds[:2] = [whole(), whole()]
        self.assertTrue(lines_of(rounds, "| of one core |")[0].endswith("| met |"))


if __name__ == "__main__":
    unittest.main()
