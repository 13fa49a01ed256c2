"""KServe's Python client, over REST and gRPC. Its messages cannot be loaded beside tritonclient's in one process."""
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig

from cases import DATATYPES, GRPC, HEADERS, NO_JSON, URL, case, equal, name_of, run, sample


def kserve_request(datatype, values, binary):

    tensor = InferInput(datatype.lower(), list(values.shape), datatype)
    tensor.set_data_from_numpy(values, binary_data=binary)
    return InferRequest(model_name=name_of(datatype)[0], infer_inputs=[tensor], request_id="7")


for datatype in DATATYPES:
    for binary in [True, False]:
        if datatype in NO_JSON and not binary:
            continue

        @case("kserve REST", f"{datatype} {'binary' if binary else 'JSON'}")
        async def _(datatype=datatype, binary=binary):

            values = sample(datatype)
            request = kserve_request(datatype, values, binary)
            if datatype in NO_JSON:
                request.parameters = {"binary_data_output": True}
            client = InferenceRESTClient(RESTConfig(protocol="v2"))
            answer = await client.infer(URL, request, model_name=name_of(datatype)[0], headers=dict(HEADERS))
            assert answer.id == "7"
            equal(answer.outputs[0].as_numpy(), values)
            await client.close()

    @case("kserve gRPC", f"{datatype}")
    async def _(datatype=datatype):

        values = sample(datatype)
        request = kserve_request(datatype, values, datatype in NO_JSON)
        async with InferenceGRPCClient(GRPC) as client:
            answer = await client.infer(request, headers=[("authorization", HEADERS["authorization"])])
            equal(answer.outputs[0].as_numpy(), values)


@case("kserve REST", "TensorFlow Serving's predict, health")
async def _():

    v1 = InferenceRESTClient(RESTConfig(protocol="v1"))
    answer = await v1.infer(URL, {"instances": [[1, 2, 3]]}, model_name="floats", headers=dict(HEADERS))
    assert answer == {"predictions": [[1, 2, 3]]}, answer
    await v1.close()
    v2 = InferenceRESTClient(RESTConfig(protocol="v2"))
    assert await v2.is_server_live(URL) and await v2.is_server_ready(URL)
    assert await v2.is_model_ready(URL, "floats", headers=dict(HEADERS))
    await v2.close()


@case("kserve gRPC", "health")
async def _():

    headers = [("authorization", HEADERS["authorization"])]
    async with InferenceGRPCClient(GRPC) as client:
        assert await client.is_server_live() and await client.is_server_ready()
        assert await client.is_model_ready("floats", headers=headers)


run()
