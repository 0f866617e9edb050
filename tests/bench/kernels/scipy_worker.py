#!/usr/bin/env python3
"""SciPy's part of tests/bench/dsp, in the same words as main.cc. One thread: what a core does."""
import json
import os
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np  # noqa: E402
from scipy import signal  # noqa: E402

CHANNELS, RATE_HZ, FRAMES = 32, 20000.0, 2000


def tones(channels, frames, rate_hz):
    t = 2 * np.pi * np.arange(frames) / rate_hz
    c = np.arange(channels)[:, None]
    return 50 * np.sin((37 + c) * t) + 20 * np.sin((1200 + 7 * c) * t)


def bandpass():
    sos = signal.butter(8, [30, 3000], "bandpass", fs=RATE_HZ, output="sos")
    x = tones(CHANNELS, FRAMES, RATE_HZ)
    state = [np.zeros((len(sos), CHANNELS, 2))]

    def once():
        y, state[0] = signal.sosfilt(sos, x, axis=1, zi=state[0])
        return y
    return once, x.size, float(np.sqrt(np.mean(once() ** 2)))


def average():
    x = tones(CHANNELS, 1000, RATE_HZ)
    means = np.zeros((3,) + x.shape)  # all, odd, even
    counts = [0, 0, 0]

    def once():
        if not np.isfinite(x).all():
            return
        for k in (0, 1 + counts[0] % 2):
            counts[k] += 1
            means[k] += (x - means[k]) / counts[k]
    once()
    return once, x.size, float(np.sqrt(np.mean(means[0][3] ** 2)))


def welch():
    x = tones(1, 2048, 512.0)[0]

    def once():
        return signal.welch(x, 512.0, nperseg=1024)
    f, density = once()
    return once, x.size, float(density.sum() * (f[1] - f[0]))


def detect():
    x = tones(1, 20000, RATE_HZ)[0]
    i = np.arange(x.size)
    x *= np.where((i > 8000) & (i < 12000), 4.0, 0.05)

    def once():
        return signal.find_peaks(np.abs(x), height=20.0, distance=60)
    once()
    return once, x.size, 0.0


def measure(once, samples, seconds):
    parts = []
    for _ in range(10):
        began, took, times = time.thread_time(), 0.0, 0
        while took < seconds / 10:
            once()
            times += 1
            took = time.thread_time() - began
        parts.append(1e9 * took / (times * samples))
    return sorted(parts)[5]


def main():
    made = {}
    for line in sys.stdin:
        task, seconds = line.split()
        if task not in made:
            made[task] = {"bandpass": bandpass, "average": average, "welch": welch, "detect": detect}[task]()
        once, samples, check = made[task]
        print(json.dumps({"task": task, "ns": measure(once, samples, float(seconds)), "check": check}), flush=True)


if __name__ == "__main__":
    main()
