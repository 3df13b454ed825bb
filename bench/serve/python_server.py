"""The policy of the bench behind FastAPI, in PyTorch or onnxruntime, or behind Ray Serve: POST /act {observation} -> {action}. Prints its port."""
import json
import os
import socket
import sys

kind, weights = sys.argv[1], sys.argv[2]


def torch_actor():
    import torch

    torch.set_num_threads(1)
    layers = json.load(open(weights))["layers"]
    modules = []
    for k, layer in enumerate(layers):
        linear = torch.nn.Linear(len(layer["kernel"]), len(layer["bias"]))
        linear.weight.data = torch.tensor(layer["kernel"], dtype=torch.float32).T.contiguous()
        linear.bias.data = torch.tensor(layer["bias"], dtype=torch.float32)
        modules += [linear] if k == len(layers) - 1 else [linear, torch.nn.Tanh()]
    network = torch.nn.Sequential(*modules).eval()

    def act(observation):
        with torch.inference_mode():
            return int(network(torch.tensor([observation])).argmax())

    return act


def onnx_actor():
    import numpy
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(weights, options)
    return lambda observation: int(session.run(["action"], {"observation": numpy.array([observation], numpy.float32)})[0][0][0])


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def serve_fastapi(act):
    import fastapi
    import pydantic
    import uvicorn

    class Request(pydantic.BaseModel):
        observation: list[float]

    app = fastapi.FastAPI()

    # Not `async`: FastAPI's own advice for what computes, and it keeps the loop free. A coroutine is faster for so small a network, so it is one.
    @app.post("/act")
    async def answer(request: Request):
        return {"action": act(request.observation)}

    port = free_port()
    print(port, flush=True)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", access_log=False)


def serve_ray():
    import time

    import ray
    from ray import serve

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    port = free_port()
    serve.start(http_options={"host": "127.0.0.1", "port": port})

    @serve.deployment(max_ongoing_requests=64, ray_actor_options={"num_cpus": 0})
    class Act:
        def __init__(self):
            # The matrices in numpy: the peer with the least to load.
            import numpy

            self.layers = [(numpy.array(x["kernel"]), numpy.array(x["bias"])) for x in json.load(open(weights))["layers"]]
            self.numpy = numpy

        async def __call__(self, request):
            x = self.numpy.array((await request.json())["observation"])
            for k, (kernel, bias) in enumerate(self.layers):
                x = x @ kernel + bias
                if k < len(self.layers) - 1:
                    x = self.numpy.tanh(x)
            return {"action": int(x.argmax())}

    serve.run(Act.bind(), route_prefix="/act")
    print(port, flush=True)
    while os.getppid() != 1:
        time.sleep(1)


if kind == "torch":
    serve_fastapi(torch_actor())
elif kind == "onnx":
    serve_fastapi(onnx_actor())
else:
    serve_ray()
