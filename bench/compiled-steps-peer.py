"""The works of compiled-steps.ts in PyTorch, each in two memory formats.

Reads JSON lines and answers each with one: {"threads": N} -> {"version": "..."}; {"work": {...}} makes a work; {"format": "contiguous" or
"channels_last", "calls": N} -> {"ms": [...]}. Nothing is computed between the lines.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def autoencoder(work, memory_format):
    layers, channels = [], 3
    for index, outer in enumerate(work["encoder"] + work["decoder"]):
        kind = nn.Conv2d if index < len(work["encoder"]) else nn.ConvTranspose2d
        layers += [kind(channels, outer, work["kernel"], 2, (work["kernel"] - 1) // 2), nn.ReLU()]
        channels = outer
    network = nn.Sequential(*layers[:-1]).to(memory_format=memory_format)
    images = torch.rand(work["batch"], 3, 32, 32).contiguous(memory_format=memory_format)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.001)

    def step():
        optimiser.zero_grad()
        loss = F.mse_loss(network(images), images)
        loss.backward()
        optimiser.step()
        return loss.item()

    return step


def network(work, memory_format):
    layers, channels, size, flat = [], 3, work["size"], None
    for layer in work["layers"]:
        if layer["kind"] == "convolution":
            kernel, stride = layer["kernel"], layer["stride"]
            pad = kernel // 2 if stride == 1 else 0
            layers += [nn.Conv2d(channels, layer["channels"], kernel, stride, pad, groups=layer["groups"]), nn.ReLU()]
            channels, size = layer["channels"], (size + 2 * pad - kernel) // stride + 1
        elif layer["kind"] == "pool":
            layers.append(nn.MaxPool2d(layer["size"], layer["stride"]))
            size = (size - layer["size"]) // layer["stride"] + 1
        elif layer["kind"] == "normalisation":
            layers.append(nn.LocalResponseNorm(5, 1e-4, 0.75, 1.0))
        else:
            if flat is None:
                layers.append(nn.Flatten())
                flat = channels * size * size
            layers += [nn.Linear(flat, layer["channels"]), nn.ReLU()]
            flat = layer["channels"]
    model = nn.Sequential(*layers[:-1]).requires_grad_(False).to(memory_format=memory_format)
    picture = torch.rand(1, 3, work["size"], work["size"]).contiguous(memory_format=memory_format)

    def step():
        given = picture.detach().requires_grad_(True)
        model(given)[0, 3].backward()
        return given.grad

    return step


def dense(work, _):
    layers = []
    for inner, outer in zip(work["sizes"], work["sizes"][1:]):
        layers += [nn.Linear(inner, outer), nn.Sigmoid()]
    model = nn.Sequential(*layers[:-1]).requires_grad_(False)
    pictures = torch.rand(work["batch"], work["sizes"][0])
    labels = torch.zeros(work["batch"], dtype=torch.int64)

    def step():
        given = pictures.detach().requires_grad_(True)
        loss = F.cross_entropy(model(given), labels)
        loss.backward()
        return loss.item(), given.grad

    return step


MAKERS = {"autoencoder": autoencoder, "network": network, "dense": dense}


def answer(request, steps):
    if "threads" in request:
        torch.set_num_threads(request["threads"])
        return {"version": torch.__version__}
    if "work" in request:
        steps.clear()
        make = MAKERS[request["work"]["kind"]]
        steps.update({name: make(request["work"], memory_format) for name, memory_format in FORMATS.items()})
        return {}
    step = steps[request["format"]]
    times = []
    for _ in range(request["calls"]):
        started = time.perf_counter()
        step()
        times.append(1e3 * (time.perf_counter() - started))
    return {"ms": times}


torch.manual_seed(1)
made = {}
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line), made)), flush=True)
