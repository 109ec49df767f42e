#!/bin/sh
# safetensors 0.8.0 (PyPI): a file with one tensor of a type that this version does not know.
#
# Expected: the other tensors can be read, as the format gives each its own type and place; or at least the names can.
# Seen: safe_open and load refuse the whole file, names and metadata included, though it is valid but for that type's name: a file
# written by a later version with one new type is closed to this one.
# Needs pip. Fails where this changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv environment
environment/bin/pip install --quiet safetensors==0.8.0 numpy
cat >program.py <<'END'
import json, struct
from safetensors import safe_open
from safetensors.numpy import load

def file(dtype):
    header = json.dumps({"known": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
                         "other": {"dtype": dtype, "shape": [4], "data_offsets": [4, 8]}}).encode()
    return struct.pack("<Q", len(header)) + header + struct.pack("<f", 1.5) + b"\0\0\0\0"

for dtype in ("U8", "F8_E9M9"):
    content = file(dtype)
    open("file", "wb").write(content)
    for name, read in (("load", lambda: load(content)["known"][0]),
                       ("safe_open", lambda: sorted(safe_open("file", "numpy").keys()))):
        try:
            print(dtype, name, read())
        except Exception as error:
            print(dtype, name, type(error).__name__)
END
environment/bin/python program.py >seen
cat seen
