"""NVIDIA's tritonclient, over HTTP and gRPC: synchronous, asynchronous, streaming."""
import asyncio
import queue

import numpy as np
import tritonclient.grpc as grpc
import tritonclient.grpc.aio as grpc_aio
import tritonclient.http as http
import tritonclient.http.aio as http_aio
from tritonclient.utils import InferenceServerException

from cases import DATATYPES, GRPC, HEADERS, NO_JSON, URL, case, equal, name_of, run, sample

ADDRESS = URL.split("://")[1]


def infer_input(module, datatype, values, **options):
    tensor = module.InferInput(datatype.lower(), list(values.shape), datatype)
    tensor.set_data_from_numpy(values, **options)
    return tensor


# ---- tritonclient.http


def triton_http():
    return http.InferenceServerClient(ADDRESS, concurrency=4)


for datatype in DATATYPES:

    @case("tritonclient.http", f"{datatype} binary both ways")
    def _(datatype=datatype):
        model, output = name_of(datatype)
        values = sample(datatype)
        with triton_http() as client:
            answer = client.infer(model, [infer_input(http, datatype, values)], headers=dict(HEADERS), request_id="7")
            assert answer.get_response()["id"] == "7"
            equal(answer.as_numpy(output), values)

    if datatype not in NO_JSON:

        @case("tritonclient.http", f"{datatype} JSON both ways")
        def _(datatype=datatype):
            model, output = name_of(datatype)
            values = sample(datatype)
            with triton_http() as client:
                tensor = infer_input(http, datatype, values, binary_data=False)
                wanted = http.InferRequestedOutput(output, binary_data=False)
                equal(client.infer(model, [tensor], outputs=[wanted], headers=dict(HEADERS)).as_numpy(output), values)


for algorithm in ["gzip", "deflate"]:

    @case("tritonclient.http", f"{algorithm} both ways")
    def _(algorithm=algorithm):
        values = np.arange(3000, dtype=np.float32).reshape(1000, 3)
        with triton_http() as client:
            answer = client.infer(
                "floats",
                [infer_input(http, "FP32", values)],
                headers=dict(HEADERS),
                request_compression_algorithm=algorithm,
                response_compression_algorithm=algorithm,
            )
            equal(answer.as_numpy("fp32_out"), values)


@case("tritonclient.http", "every datatype in one request, some outputs")
def _():
    inputs = [infer_input(http, datatype, sample(datatype), binary_data=i % 2 == 0 or datatype in NO_JSON) for i, datatype in enumerate(DATATYPES)]
    outputs = [http.InferRequestedOutput(f"{datatype.lower()}_out", binary_data=i % 3 == 0 or datatype in NO_JSON) for i, datatype in enumerate(DATATYPES)]
    with triton_http() as client:
        answer = client.infer("every", inputs, outputs=outputs, headers=dict(HEADERS))
        for datatype in DATATYPES:
            equal(answer.as_numpy(f"{datatype.lower()}_out"), sample(datatype))


@case("tritonclient.http", "async_infer, 40 requests")
def _():
    with triton_http() as client:
        sent = []
        for i in range(40):
            values = np.full((1, 3), i, dtype=np.float32)
            sent.append((values, client.async_infer("floats", [infer_input(http, "FP32", values)], headers=dict(HEADERS))))
        for values, request in sent:
            equal(request.get_result().as_numpy("fp32_out"), values)


@case("tritonclient.http", "classification")
def _():
    with triton_http() as client:
        values = np.array([[0.1, 0.7, 0.2]], dtype=np.float32)
        wanted = http.InferRequestedOutput("fp32_out", class_count=2)
        answer = client.infer("floats", [infer_input(http, "FP32", values)], outputs=[wanted], headers=dict(HEADERS))
        got = [text.decode() for text in answer.as_numpy("fp32_out").ravel()]
        assert [text.split(":")[1] for text in got] == ["1", "2"], got


@case("tritonclient.http", "health, metadata, configuration, statistics, version")
def _():
    with triton_http() as client:
        assert client.is_server_live() and client.is_server_ready()
        assert client.get_server_metadata()["name"] in ("modelyard", "triton")
        assert client.is_model_ready("floats", headers=dict(HEADERS))
        assert client.is_model_ready("floats", "1", headers=dict(HEADERS))
        assert not client.is_model_ready("floats", "2", headers=dict(HEADERS))
        metadata = client.get_model_metadata("floats", headers=dict(HEADERS))
        assert metadata["inputs"] == [{"name": "fp32", "datatype": "FP32", "shape": [-1, 3]}], metadata
        assert client.get_model_config("floats", headers=dict(HEADERS))["max_batch_size"] > 0
        stats = client.get_inference_statistics("floats", headers=dict(HEADERS))["model_stats"][0]
        assert stats["inference_count"] > 0 and stats["inference_stats"]["success"]["ns"] > 0
        values = sample("FP32")
        answer = client.infer("floats", [infer_input(http, "FP32", values)], model_version="1", headers=dict(HEADERS))
        equal(answer.as_numpy("fp32_out"), values)


@case("tritonclient.http", "repository index, unload, load")
def _():
    repository(triton_http(), lambda model: model["state"], lambda index: {model["name"]: model for model in index})


def repository(client, state_of, by_name):
    import time

    def wait(wanted):
        for _ in range(400):
            model = by_name(client.get_model_repository_index(headers=dict(HEADERS)))["only-bool"]
            if state_of(model) == wanted:
                return
            time.sleep(0.05)
        raise AssertionError(f"only-bool did not become {wanted}")

    with client:
        wait("READY")
        client.unload_model("only-bool", headers=dict(HEADERS))
        wait("UNAVAILABLE")
        client.load_model("only-bool", headers=dict(HEADERS))
        wait("READY")


@case("tritonclient.http", "failures raise with the server's message")
def _():
    with triton_http() as client:
        refused(lambda: client.infer("nowhere", [infer_input(http, "FP32", sample("FP32"))], headers=dict(HEADERS)), "nowhere")
        refused(lambda: client.infer("floats", [infer_input(http, "FP64", sample("FP64"))], headers=dict(HEADERS)), "fp64")
        refused(lambda: client.infer("floats", [infer_input(http, "FP32", sample("FP32"))]), "API key")


def refused(call, text):
    try:
        call()
    except InferenceServerException as error:
        assert text in str(error), str(error)
        return
    raise AssertionError("it was not refused")


@case("tritonclient.http.aio", "infer, 40 at once")
async def _():
    async with http_aio.InferenceServerClient(ADDRESS) as client:
        async def one(i):
            values = np.full((1, 3), i, dtype=np.float32)
            answer = await client.infer("floats", [infer_input(http, "FP32", values)], headers=dict(HEADERS))
            equal(answer.as_numpy("fp32_out"), values)

        await asyncio.gather(*[one(i) for i in range(40)])


# ---- tritonclient.grpc


def triton_grpc():
    return grpc.InferenceServerClient(GRPC)


for datatype in DATATYPES:

    @case("tritonclient.grpc", f"{datatype}")
    def _(datatype=datatype):
        model, output = name_of(datatype)
        values = sample(datatype)
        with triton_grpc() as client:
            answer = client.infer(model, [infer_input(grpc, datatype, values)], headers=dict(HEADERS), request_id="7")
            assert answer.get_response().id == "7"
            equal(answer.as_numpy(output), values)


@case("tritonclient.grpc", "every datatype in one request")
def _():
    with triton_grpc() as client:
        answer = client.infer("every", [infer_input(grpc, one, sample(one)) for one in DATATYPES], headers=dict(HEADERS))
        for datatype in DATATYPES:
            equal(answer.as_numpy(f"{datatype.lower()}_out"), sample(datatype))


@case("tritonclient.grpc", "gzip both ways")
def _():
    with triton_grpc() as client:
        values = np.arange(3000, dtype=np.float32).reshape(1000, 3)
        answer = client.infer("floats", [infer_input(grpc, "FP32", values)], headers=dict(HEADERS), compression_algorithm="gzip")
        equal(answer.as_numpy("fp32_out"), values)


@case("tritonclient.grpc", "async_infer, 40 requests")
def _():
    with triton_grpc() as client:
        done = queue.Queue()
        for i in range(40):
            values = np.full((1, 3), i, dtype=np.float32)
            client.async_infer("floats", [infer_input(grpc, "FP32", values)], lambda result, error, i=i: done.put((i, result, error)), headers=dict(HEADERS))
        for _ in range(40):
            i, result, error = done.get(timeout=30)
            assert error is None, error
            equal(result.as_numpy("fp32_out"), np.full((1, 3), i, dtype=np.float32))


@case("tritonclient.grpc", "a stream of 100 requests, failures among them")
def _():
    with triton_grpc() as client:
        done = queue.Queue()
        client.start_stream(lambda result, error: done.put((result, error)), headers=dict(HEADERS))
        for i in range(100):
            model = "nowhere" if i % 10 == 9 else "floats"
            client.async_stream_infer(model, [infer_input(grpc, "FP32", np.full((1, 3), i, dtype=np.float32))], request_id=str(i))
        for i in range(100):
            result, error = done.get(timeout=30)
            if i % 10 == 9:
                assert error is not None and "nowhere" in str(error)
            else:
                assert error is None, error
                assert result.get_response().id == str(i)
                equal(result.as_numpy("fp32_out"), np.full((1, 3), i, dtype=np.float32))
        client.stop_stream()


@case("tritonclient.grpc", "health, metadata, configuration, statistics, version")
def _():
    with triton_grpc() as client:
        assert client.is_server_live() and client.is_server_ready()
        assert client.is_model_ready("floats", headers=dict(HEADERS))
        assert client.get_server_metadata().name in ("modelyard", "triton")
        metadata = client.get_model_metadata("floats", headers=dict(HEADERS))
        assert list(metadata.inputs[0].shape) == [-1, 3] and metadata.inputs[0].datatype == "FP32"
        config = client.get_model_config("floats", headers=dict(HEADERS)).config
        assert config.max_batch_size > 0 and config.backend == "onnxruntime" and list(config.input[0].dims) == [3]
        stats = client.get_inference_statistics("floats", headers=dict(HEADERS)).model_stats[0]
        assert stats.inference_count > 0 and stats.inference_stats.success.ns > 0
        values = sample("FP32")
        answer = client.infer("floats", [infer_input(grpc, "FP32", values)], model_version="1", headers=dict(HEADERS))
        equal(answer.as_numpy("fp32_out"), values)


@case("tritonclient.grpc", "repository index, unload, load")
def _():
    repository(triton_grpc(), lambda model: model.state, lambda index: {model.name: model for model in index.models})


@case("tritonclient.grpc", "failures raise with the server's message; a deadline is kept")
def _():
    with triton_grpc() as client:
        refused(lambda: client.infer("nowhere", [infer_input(grpc, "FP32", sample("FP32"))], headers=dict(HEADERS)), "nowhere")
        refused(lambda: client.infer("floats", [infer_input(grpc, "FP32", sample("FP32"))]), "API key")
        client.infer("floats", [infer_input(grpc, "FP32", sample("FP32"))], headers=dict(HEADERS), client_timeout=10)


@case("tritonclient.grpc.aio", "infer and stream")
async def _():
    async with grpc_aio.InferenceServerClient(GRPC) as client:
        values = sample("INT64")
        answer = await client.infer("only-int64", [infer_input(grpc, "INT64", values)], headers=dict(HEADERS))
        equal(answer.as_numpy("int64_out"), values)

        async def requests():
            for i in range(20):
                yield {"model_name": "floats", "inputs": [infer_input(grpc, "FP32", np.full((1, 3), i, dtype=np.float32))]}

        count = 0
        async for result, error in client.stream_infer(requests(), headers=dict(HEADERS)):
            assert error is None, error
            equal(result.as_numpy("fp32_out"), np.full((1, 3), count, dtype=np.float32))
            count += 1
        assert count == 20


run()
