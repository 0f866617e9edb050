#!/usr/bin/env python3
"""An amplifier for Remora in one file: two channels of a sine at 2 kHz, a stimulus four times a second.

    protoc --proto_path=proto --python_out=. proto/remora/feed/v1/feed.proto
    examples/feed/driver.py ENDPOINT [--key DEVICE.key_secret --allow FOLDER] [--seconds S]
                            [--skip-every N] [--ppm X]

Needs pyzmq and protobuf (Debian: python3-zmq, python3-protobuf) and the generated remora/feed/v1/feed_pb2.py on
PYTHONPATH. FOLDER holds the .key files of the agents that may listen. docs/feed-protocol.md says what each message
must hold; copy this and put your device's samples in.
"""
import argparse
import math
import secrets
import struct
import time

import zmq
import zmq.auth
from zmq.auth.thread import ThreadAuthenticator

from remora.feed.v1 import feed_pb2 as feed

RATE_HZ = 2000
BLOCK = 40  # 20 ms


class Device:
    def __init__(self, socket, ppm):
        self.socket = socket
        self.ppm = ppm
        self.start = time.monotonic_ns()
        self.session = secrets.randbits(63) | 1
        self.seq = 0

    def now_ns(self):
        """The device's clock: monotonic, here on purpose a little fast."""
        return int((time.monotonic_ns() - self.start) * (1 + self.ppm * 1e-6))

    def send(self, message, lost=False):
        self.seq += 1
        message.session_id = self.session
        message.seq = self.seq
        message.sent_ns = self.now_ns()
        if not lost:
            self.socket.send_multipart([b"remora.feed.1", message.SerializeToString()])

    def describe(self):
        message = feed.Envelope()
        describe = message.describe
        describe.protocol_version = 1
        describe.minimum_version = 1
        describe.device = "Example amplifier in Python"
        describe.serial = "0002"
        describe.firmware = "example 1"
        describe.tells_stimuli = True
        describe.rate_groups.add(sample_rate_hz=RATE_HZ)
        for label in ("C3'", "Fz"):
            describe.channels.add(label=label, unit="uV", value_per_count=0.1, lowest_count=-32767,
                                  highest_count=32767)
        self.send(message)

    def heartbeat(self, index):
        message = feed.Envelope()
        message.heartbeat.next_sample_index.append(index)
        self.send(message)

    def stimulus(self, at_ns):
        message = feed.Envelope()
        message.trigger.at_ns = at_ns
        message.trigger.code = 1
        message.trigger.label = "MED R"
        message.trigger.delivered_ma = 15
        self.send(message)

    def block(self, index, lost):
        message = feed.Envelope()
        samples = message.samples
        samples.first_sample_index = index
        samples.first_sample_ns = index * 1_000_000_000 // RATE_HZ
        samples.samples_count = BLOCK
        samples.format = feed.SAMPLE_FORMAT_INT16
        counts = []
        for i in range(index, index + BLOCK):
            count = int(200 * math.sin(2 * math.pi * 10 * i / RATE_HZ))
            counts += [count, count]
        samples.packed = struct.pack(f"<{len(counts)}h", *counts)
        self.send(message, lost)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("endpoint")
    parser.add_argument("--key", help="this device's certificate with its secret key")
    parser.add_argument("--allow", help="folder of the .key files of agents that may listen")
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--skip-every", type=int, default=0)
    parser.add_argument("--ppm", type=float, default=0)
    options = parser.parse_args()

    context = zmq.Context()
    socket = context.socket(zmq.PUB)
    socket.linger = 500
    if options.key:
        who_may = ThreadAuthenticator(context)
        who_may.start()
        who_may.configure_curve(domain="*", location=options.allow)
        socket.curve_publickey, socket.curve_secretkey = zmq.auth.load_certificate(options.key)
        socket.curve_server = True
    socket.bind(options.endpoint)
    device = Device(socket, options.ppm)
    index = 0
    blocks = 0
    while device.now_ns() < options.seconds * 1e9:
        if blocks % 50 == 0:
            device.describe()
            device.heartbeat(index)
        # A block is sent when its last sample was taken, and stimuli before the block they are in.
        end_ns = (index + BLOCK) * 1_000_000_000 // RATE_HZ
        time.sleep(max(0, end_ns - device.now_ns()) / 1e9)
        if blocks % 12 == 11:
            device.stimulus(end_ns - 10_000_000)
        device.block(index, options.skip_every > 0 and blocks % options.skip_every == options.skip_every - 1)
        index += BLOCK
        blocks += 1
    end = feed.Envelope()
    end.end.reason = "the example is over"
    device.send(end)
    socket.close()
    if options.key:
        who_may.stop()
    context.term()


if __name__ == "__main__":
    main()
