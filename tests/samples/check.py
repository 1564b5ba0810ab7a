#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Do the compiler, the JSON Schema and the expected messages agree?

usage: check.py VERDICT SOURCE_DIR [--regold]

  samples/good/*.json, topologies/*.json   both accept
  samples/bad/*.json                       both refuse
  samples/bad-semantic/*.json              the compiler refuses what a schema
                                           cannot express

Each sample that is refused has a .expect file with every message, word for word.
--regold writes them anew; read the difference before you keep it.
"""
import json
import pathlib
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    sys.exit("python3-jsonschema is missing: apt-get install python3-jsonschema")


def compiler_says(verdict, folder, files):
    """Per file name, the compiler's words about it."""
    names = [f.name for f in files]
    out = subprocess.run([verdict, *names], cwd=folder, check=True,
                         stdout=subprocess.PIPE).stdout.decode("utf-8")
    said = {}
    for part in out.split("== ")[1:]:
        name, _, words = part.partition("\n")
        said[name] = words.replace(str(folder.resolve()), "FOLDER")
    if list(said) != names:
        sys.exit(f"the compiler was asked about {names} and spoke of {list(said)}")
    return said


def schema_accepts(validator, path):
    try:
        return validator.is_valid(json.loads(path.read_bytes().decode("utf-8")))
    except (ValueError, UnicodeDecodeError):
        return False


def main():
    verdict, source = sys.argv[1], pathlib.Path(sys.argv[2])
    regold = "--regold" in sys.argv
    schema = json.loads((source / "docs/topology.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    samples = source / "tests/samples"
    wrong = files = 0
    for folder, compiler_ok, schema_ok in (
            (samples / "good", True, True), (source / "topologies", True, True),
            (samples / "bad", False, False), (samples / "bad-semantic", False, True)):
        paths = sorted(folder.glob("*.json"))
        if not paths:
            sys.exit(f"no samples in {folder}")
        said = compiler_says(verdict, folder, paths)
        for path in paths:
            files += 1
            words = said[path.name]
            expected = path.with_suffix(".expect")
            if (words == "ok\n") != compiler_ok:
                wrong += 1
                print(f"{path}: the compiler should {'accept' if compiler_ok else 'refuse'}"
                      f" it, and says:\n{words}")
            if schema_accepts(validator, path) != schema_ok:
                wrong += 1
                print(f"{path}: the schema should {'accept' if schema_ok else 'refuse'} it")
            if compiler_ok:
                continue
            if regold:
                expected.write_text(words)
            elif not expected.exists() or expected.read_text() != words:
                wrong += 1
                print(f"{path}: not the expected messages, but:\n{words}")
    print(f"{files} files, {wrong} wrong")
    return wrong != 0


sys.exit(main())
