#!/usr/bin/env python3
"""House rules that a machine can check (docs/contributing.md).

Checks: include arrows (arrows.txt), banned calls, budgets of files and functions, units in proto field names and a
comment on each proto message, no FFTW in hub and reader, shell scripts that parse, text hygiene.
Prints one line a finding, "FILE:LINE: what is wrong: what would be right", and exits 1 if there is any.
`--self-test` runs the rules against small wrong examples, so that the rules themselves are tested.
"""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CODE = (".h", ".cc")
TOP = ("proto", "common", "dsp", "acquisition-agent", "hub", "reader-client", "tests")

# Reading a clock, sleeping, drawing a random number: only where clocks and randomness are made.
BANNED = [
    (re.compile(r"\b(std::chrono::(system|steady|high_resolution)_clock::now|clock_gettime|gettimeofday|adjtimex|absl::Now)\b"),
     "reads a clock", "take a common/clock.h Clock as a parameter"),
    (re.compile(r"\b(std::this_thread::sleep_(for|until)|absl::SleepFor|usleep|nanosleep|sleep)\s*\("),
     "sleeps", "post a task on an Executor"),
    (re.compile(r"\b(std::random_device|s?rand(om)?\s*\(\s*\)|std::mt19937)\b"),
     "draws a random number", "take a common/random.h Random as a parameter"),
    (re.compile(r"\bassert\s*\("), "asserts", "return a Status, or REMORA_CHECK for an own invariant"),
    (re.compile(r"\bstd::string_view\b"), "std::string_view", "absl::string_view"),
    (re.compile(r"\bstd::(cout|cerr)\b"), "prints", "return text, or log in app/"),
]
# folder prefix or file -> (words of the rule that do not hold there, reason)
ALLOWED = {
    "common/clock.cc": "the system clock is made here",
    "common/clock_sync.cc": "whether that clock is right is asked here",
    "common/random.cc": "randomness is made here",
    "common/thread_executor.cc": "waits for its own deadline",
    "examples/": "programs of others, which have no executor",
    "tests/": "programs that drive real processes",
    "hub/app/": "the program's edge",
    "hub/ops/": "the program's edge",
    "acquisition-agent/app/": "the program's edge",
    "reader-client/cc/app/": "the program's edge",
}
FUNCTION_BUDGET = 70
BUDGET = {".h": 250, ".cc": 450, "_test.cc": 900, ".ts": 450, ".tsx": 450}
# file -> reason why it may be longer
LONGER = {}

UNITS = ("_ns", "_us", "_ms", "_s", "_hz", "_uv", "_uv_rms", "_ma", "_percent", "_bytes", "_count", "_ppb", "_db",
         "_mmhg", "_c", "_v", "_uv2", "_ratio", "_bytes_per_second", "_uv_per_count", "_uv_peak", "_samples", "_total",
         "_seconds", "uv_per_count")
# Numbers that have no unit: counters, places, versions, ids.
DIMENSIONLESS = re.compile(
    r"(^|_)(lane|lanes|seq|origin_seq|epoch|version|order|index|revision|id|count|kind|state|correlation|asymmetry|digest|episode|confidence|likelihood)$|_threshold$|_percent_of_(baseline|control)$|^contact_(before|after)$")


def relative(path):
    return os.path.relpath(path, ROOT)


def tracked_files():
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True,
                           capture_output=True, text=True).stdout.split("\n")
    return [n for n in names if n and os.path.isfile(os.path.join(ROOT, n))]


def load_arrows(text):
    arrows = {}
    for line in text.split("\n"):
        line = line.split("#")[0].strip()
        if line:
            folder, allowed = line.split(":")
            arrows[folder.strip()] = allowed.split()
    return arrows


def within(path, folder):
    return path == folder or path.startswith(folder + "/")


def check_arrows(name, text, arrows):
    owners = [f for f in arrows if within(name, f)]
    if not owners:
        return
    owner = max(owners, key=len)
    is_test = "_test" in os.path.basename(name) or "/testing/" in name or "_fuzz" in name
    for number, line in enumerate(text.split("\n"), 1):
        m = re.match(r'#include "([^"]+)"', line)
        if not m:
            continue
        target = m.group(1)
        if target.startswith(("remora/v1/", "remora/feed/")):
            target = "proto/" + target
        if not target.startswith(TOP) or "/" not in target:
            continue
        if within(target, owner) or any(within(target, a) for a in arrows[owner]):
            continue
        # Tests and fuzzers may use fakes, and what their own part's tests share.
        if is_test and (within(target, "common/testing") or
                        (within(target, owner.split("/")[0]) and "/testing/" in target)):
            continue
        yield number, f"{owner} may not include {target}", "see tests/lint/arrows.txt"


def check_banned(name, text):
    if "_test" in os.path.basename(name) or "/testing/" in name or "bench" in os.path.basename(name):
        return
    if any(name.startswith(p) for p in ALLOWED):
        return
    for number, line in enumerate(text.split("\n"), 1):
        code = line.split("//")[0]
        for pattern, what, right in BANNED:
            if pattern.search(code):
                yield number, what, right


def check_budget(name, text):
    lines = text.count("\n")
    suffix = "_test.cc" if name.endswith(("_test.cc", "_test.h")) else os.path.splitext(name)[1]
    limit = BUDGET.get(suffix)
    if limit and lines > limit and name not in LONGER:
        yield lines, f"{lines} lines, over {limit}", "split it, or give a reason in LONGER"


def check_functions(text):
    """Functions at the left margin: from the first line of the declaration to the closing brace."""
    start = None
    for number, line in enumerate(text.split("\n"), 1):
        if line == "}" and start is not None:
            if number - start + 1 > FUNCTION_BUDGET:
                yield start, f"a function of {number - start + 1} lines, over {FUNCTION_BUDGET}", "split it"
            start = None
        elif line[:1] in ("}", "#", "/") or re.match(r"(namespace|struct|class|enum|union|extern|using)\b", line):
            start = None
        elif start is None and re.match(r"\S", line) and not line.endswith(";"):
            start = number


def check_proto(name, text):
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        field = re.match(r"\s+(repeated )?(double|float|u?int32|u?int64|s?fixed64|s?fixed32|sint64)\s+(\w+)\s*=", line)
        if field and not field.group(3).endswith(UNITS) and not DIMENSIONLESS.search(field.group(3)):
            if not re.search(r"(origin_seq|_version|_milli)$", field.group(3)) and field.group(3) not in PROTO_PLAIN:
                yield number, f"number {field.group(3)} has no unit in its name", "end it with _ms, _uv, _hz, ..."
        if re.match(r"(message|enum|service) ", line):
            before = lines[number - 2].strip() if number > 1 else ""
            if not before.startswith("//"):
                yield number, f"{line.split()[1]} has no comment", "say what it is and who sets it"
    for number, line in enumerate(lines, 1):
        value = re.match(r"  ([A-Z0-9_]+) = 0;", line)
        if value and not value.group(1).endswith("_UNSPECIFIED"):
            yield number, f"{value.group(1)} is zero", "zero is ..._UNSPECIFIED"


PROTO_PLAIN = {"twitch_count", "amplitude_uv", "first_sample_index", "contact_index", "step_index", "ratio", "boot_id",
               "hub_boot_id", "first", "last", "minimum_version", "maximum_version", "monotonic_ns", "from_seq",
               "to_seq", "probe_id", "question_id", "answered_question_id", "request_id", "follow_id", "block_index", "head_seq", "lane_seq",
               "first_origin_seq", "last_origin_seq",
               # In the unit that the message itself names.
               "value", "amount", "value_per_count", "value_at_zero", "kohm", "protocol_version", "code", "intensity",
               "step", "maximum", "own_mean", "largest_without_response"}


def check_cmake_fftw(name, text):
    if within(name, "hub") or within(name, "reader-client"):
        for number, line in enumerate(text.split("\n"), 1):
            if "fftw" in line.lower() or "remora_dsp_spectral" in line:
                yield number, "links FFTW (GPL)", "only the agent may"


def check_text(name, text):
    for number, line in enumerate(text.split("\n"), 1):
        if line.rstrip() != line and not name.endswith(".md"):
            yield number, "trailing space", "remove it"
        if "\t" in line and name.endswith(CODE + (".proto", ".ts", ".tsx", ".py")):
            yield number, "tab", "use spaces"
        if name.endswith(CODE + (".proto",)) and len(line) > 100 and "http" not in line and "#include" not in line:
            yield number, f"{len(line)} columns", "100 at most"
    if name.endswith(".h") and "#pragma once" not in text:
        yield 1, "no #pragma once", "add it"


def check_file(name, text, arrows):
    findings = []
    if name.endswith(CODE):
        findings += list(check_arrows(name, text, arrows))
        findings += list(check_banned(name, text))
        findings += list(check_functions(text))
    if name.endswith(CODE + (".ts", ".tsx")):
        findings += list(check_budget(name, text))
    if name.endswith(".proto"):
        findings += list(check_proto(name, text))
    if os.path.basename(name) == "CMakeLists.txt":
        findings += list(check_cmake_fftw(name, text))
    if name.endswith(CODE + (".proto", ".py", ".ts", ".tsx", ".cmake")):
        findings += list(check_text(name, text))
    return findings


def check_binaries():
    """Built hub and reader must not load FFTW."""
    for binary in ("remora-hub", "remora"):
        path = os.path.join(os.environ.get("REMORA_BINARY_DIR", os.path.join(ROOT, "build")), "bin", binary)
        if os.path.isfile(path):
            out = subprocess.run(["ldd", path], capture_output=True, text=True).stdout
            if "fftw" in out:
                yield path, 1, "loads FFTW (GPL)", "only the agent may"


def check_scripts(names):
    for name in names:
        path = os.path.join(ROOT, name)
        with open(path, "rb") as f:
            first = f.readline()
        if b"bash" in first and first.startswith(b"#!"):
            result = subprocess.run(["bash", "-n", path], capture_output=True, text=True)
            if result.returncode:
                yield name, 1, result.stderr.strip(), "mend the syntax"


def self_test():
    arrows = load_arrows("dsp:\nhub/rooms: common\n")
    wrong = [
        ("dsp/filter/x.cc", '#include "common/time.h"\n', "may not include"),
        ("hub/rooms/x.cc", '#include "hub/fanout/y.h"\n', "may not include"),
        ("hub/rooms/x.cc", "auto t = std::chrono::steady_clock::now();\n", "reads a clock"),
        ("hub/rooms/x.cc", "std::this_thread::sleep_for(d);\n", "sleeps"),
        ("hub/rooms/x.h", "int x;\n", "no #pragma once"),
        ("hub/rooms/x.cc", "\n" * 500, "over 450"),
        ("hub/rooms/x.cc", "void F(int a,\n       int b) {\n" + "  G();\n" * 70 + "}\n", "over 70"),
        ("proto/remora/v1/x.proto", "// A.\nmessage A {\n  double amplitude = 1;\n}\n", "no unit"),
        ("proto/remora/v1/x.proto", "// A.\nenum A {\n  A_NONE = 0;\n}\n", "is zero"),
        ("hub/CMakeLists.txt", "target_link_libraries(x fftw3)\n", "FFTW"),
    ]
    right = [
        ("hub/rooms/x.cc", '#include "common/time.h"\n// steady_clock::now() is not read here\n'),
        ("proto/remora/v1/x.proto", "// A.\nmessage A {\n  double amplitude_uv = 1;\n}\n"),
    ]
    failed = 0
    for name, text, expected in wrong:
        if not any(expected in f[1] for f in check_file(name, text, arrows)):
            print(f"self-test: rule did not fire: {expected}")
            failed += 1
    for name, text in right:
        for finding in check_file(name, text, arrows):
            print(f"self-test: rule fired wrongly: {finding}")
            failed += 1
    return failed


def main():
    if "--self-test" in sys.argv:
        failed = self_test()
        print("lint self-test: " + ("ok" if not failed else f"{failed} failed"))
        return 1 if failed else 0
    with open(os.path.join(ROOT, "tests/lint/arrows.txt"), encoding="utf-8") as f:
        arrows = load_arrows(f.read())
    findings = []
    names = tracked_files()
    for name in names:
        if not name.endswith(CODE + (".proto", ".py", ".ts", ".tsx", ".cmake", "CMakeLists.txt")):
            continue
        with open(os.path.join(ROOT, name), encoding="utf-8") as f:
            text = f.read()
        findings += [(name, *f) for f in check_file(name, text, arrows)]
    findings += list(check_binaries())
    findings += list(check_scripts([n for n in names if "." not in os.path.basename(n) or n.endswith(".sh")]))
    for name, line, what, right in findings:
        print(f"{name}:{line}: {what}: {right}")
    print(f"lint: {len(names)} files, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
