"""The peer of the scenario `serve`: FastAPI with ONNX Runtime, one thread a worker, no authentication."""
import os

import numpy
import onnxruntime
from fastapi import FastAPI, Request

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(os.environ["BENCH_MODEL"], options)
name = session.get_inputs()[0].name
app = FastAPI()


@app.get("/ready")
def ready():
    return {}


@app.post("/infer")
async def infer(request: Request):
    tensor = (await request.json())["inputs"][0]
    x = numpy.array(tensor["data"], dtype=numpy.float32).reshape(tensor["shape"])
    y = session.run(None, {name: x})[0]
    output = {"name": "prediction", "datatype": "FP32", "shape": list(y.shape), "data": y.ravel().tolist()}
    return {"model_name": "fashion", "outputs": [output]}
