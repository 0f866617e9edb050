#!/usr/bin/env python3
"""Packs the sources of a target into few files that include them, so that headers are read once a file and not once a
source: what sanitizers and the second compiler build (REMORA_BATCH). Sources that define the same name at the top
level never share a file, and one that is compiled for several processors (foreach_target) has its own. Prints the files, one a line; writes one only when it differs.

  batches.py OUT_PREFIX MOST SOURCE...      sources relative to the repository's root, where it is run
"""
import os
import re
import sys

# A definition at the top level stands at the left margin: namespaces are not indented.
TYPE = re.compile(r"^(?:template <[^>]*> )?(?:class|struct|enum class|enum|union)\s+(?:alignas\(\w+\) )?(\w+)[^;]*$")
ALIAS = re.compile(r"^using (\w+) =")
NAMED = re.compile(r"([\w:~]*\w)\s*[({=;\[]")
MACRO = re.compile(r"^#define (\w+)")
USING = re.compile(r"^using ([\w:]+::(\w+));")
# Their nested types have fields of types in unnamed namespaces, which gcc takes for a mistake in a file that is included.
ALONE = ("common/verify/record_file.cc", "hub/journal/sqlite/testing/crash_vfs.cc")
NO_NAMES = ("test", "test_f", "test_p", "instantiate_test_suite_p", "if", "for", "namespace", "extern", "return")


def names(path):
    """What a source defines at the top level, by a reading that rather names too much: each name with what it stands
    for, which two may share (using testing::Each), or with the source. None: it stays alone."""
    found = {}
    if path in ALONE:
        return None
    with open(path, encoding="utf-8") as f:
        for line in f:
            if "foreach_target" in line:
                return None
            macro = MACRO.match(line)
            if macro:
                found[macro.group(1)] = path
            using = USING.match(line)
            if using:
                found.setdefault(using.group(2), using.group(1))
                continue
            if not line.strip() or line[0] in " \t#/}*)" or line.startswith("namespace"):
                continue
            match = TYPE.match(line) or ALIAS.match(line) or NAMED.search(line)
            if match is None:
                continue
            name = match.group(1)
            if "::" in name or name.lower() in NO_NAMES:
                continue
            found[name] = path
    return found


def clash(some, others):
    return any(others.get(name, stands_for) != stands_for for name, stands_for in some.items())


def pack(sources, most):
    """Lists of sources, in order: each goes to the first that has room and none of its names."""
    batches = []
    for source in sources:
        own = names(source)
        for batch in batches:
            if own is None or batch["names"] is None:
                continue
            if len(batch["sources"]) < most and not clash(own, batch["names"]):
                break
        else:
            batch = {"sources": [], "names": None if own is None else {}}
            batches.append(batch)
        batch["sources"].append(source)
        if own:
            batch["names"].update(own)
    return [batch["sources"] for batch in batches]


def main():
    prefix, most, sources = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    os.makedirs(os.path.dirname(prefix), exist_ok=True)
    for number, batch in enumerate(pack(sources, most)):
        if len(batch) == 1:
            print(batch[0])
            continue
        path = f"{prefix}_{number}.cc"
        text = "".join(f'#include "{source}"\n' for source in batch)
        if not os.path.exists(path) or open(path, encoding="utf-8").read() != text:
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
        print(path)


if __name__ == "__main__":
    main()
