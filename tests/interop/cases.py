"""What the clients' cases share: values of every datatype, and how a case is run and told.

Environment: MODELYARD_URL, MODELYARD_GRPC, MODELYARD_API_KEY. Endpoints: `only-<datatype>` gives back one tensor
[n, 3], `every` all datatypes, `floats` FP32.
"""
import asyncio
import json
import os
import traceback

import numpy as np
from tritonclient.utils import triton_to_np_dtype

URL = os.environ["MODELYARD_URL"]
GRPC = os.environ["MODELYARD_GRPC"]
HEADERS = {"authorization": "Bearer " + os.environ["MODELYARD_API_KEY"]}

DATATYPES = "BOOL UINT8 UINT16 UINT32 UINT64 INT8 INT16 INT32 INT64 FP16 FP32 FP64 BYTES".split()
NO_JSON = {"FP16"}


def sample(datatype, rows=2):
    """Values at the ends of their range, so that any loss shows."""
    if datatype == "BYTES":
        return np.array([["", "grüße", "a\nb"]] * rows, dtype=np.object_)
    dtype = triton_to_np_dtype(datatype)
    if datatype == "BOOL":
        return np.array([[True, False, True]] * rows)
    if datatype.startswith("FP"):
        return np.array([[0.1, -2.5, np.finfo(dtype).max]] * rows, dtype=dtype)
    info = np.iinfo(dtype)
    return np.array([[info.min, info.max, 1]] * rows, dtype=dtype)


def equal(got, wanted):
    assert got is not None, "the output is missing"
    if wanted.dtype == np.object_:
        got = np.array([x.decode() if isinstance(x, bytes) else x for x in got.ravel()]).reshape(got.shape)
    assert got.shape == wanted.shape, f"shape {got.shape}, not {wanted.shape}"
    assert (got == wanted).all(), f"{got.tolist()}, not {wanted.tolist()}"


def name_of(datatype):
    return f"only-{datatype.lower()}", f"{datatype.lower()}_out"


CASES = []


def case(client, name):
    def add(function):
        CASES.append((client, name, function))
        return function

    return add


def run():
    """Runs every case and prints one JSON line for each."""
    for client, name, function in CASES:
        error = None
        try:
            result = function()
            if asyncio.iscoroutine(result):
                asyncio.run(result)
        except Exception:
            error = traceback.format_exc(limit=-4)
        print(json.dumps({"client": client, "name": name, "error": error}), flush=True)
