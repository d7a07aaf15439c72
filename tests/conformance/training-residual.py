"""Writes training-residual.{json,safetensors}: `python training-residual.py` with torch, numpy, pillow and safetensors, from anywhere.

A residual network of three blocks (He et al. 2015, 32x32 pictures, projections as shortcuts) is trained in float64 on 20 pictures of the
CIFAR-10 sample: gradients, losses, weights and running statistics after every few steps, logits as in use.
"""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.numpy import save_file

HERE = Path(__file__).parent
SAMPLE = HERE / "../../resources/datasets/cifar-10-sample.zip"
INDEX = HERE / "../../resources/datasets/cifar-10-sample.index.json"
FILTERS = [8, 12, 16]
RATE, MOMENTUM, STEPS, EACH_CLASS = 0.05, 0.9, 6, 2

torch.manual_seed(1)
torch.set_default_dtype(torch.float64)


def block(name, source, inputs, filters, stride):
    conv = {"type": "conv2d", "filters": filters, "kernel": [3, 3], "padding": [1, 1, 1, 1], "bias": False}
    layers = [
        {"name": f"{name}.conv1", **conv, "stride": [stride, stride], "inputs": [source]},
        {"name": f"{name}.bn1", "type": "batch-norm"},
        {"name": f"{name}.relu1", "type": "relu"},
        {"name": f"{name}.conv2", **conv},
        {"name": f"{name}.bn2", "type": "batch-norm"},
    ]
    if inputs != filters:
        projection = {**conv, "kernel": [1, 1], "padding": [0, 0, 0, 0], "stride": [stride, stride]}
        layers.append({"name": f"{name}.shortcut", **projection, "inputs": [source]})
        layers.append({"name": f"{name}.bn3", "type": "batch-norm"})
        source = f"{name}.bn3"
    layers.append({"name": f"{name}.add", "type": "add", "inputs": [f"{name}.bn2", source]})
    layers.append({"name": f"{name}.relu", "type": "relu"})
    return layers


def network():
    first = {"type": "conv2d", "filters": FILTERS[0], "kernel": [3, 3], "padding": [1, 1, 1, 1], "bias": False}
    layers = [
        {"name": "input", "type": "input", "shape": [32, 32, 3]},
        {"name": "conv1", **first},
        {"name": "bn1", "type": "batch-norm"},
        {"name": "relu1", "type": "relu"},
    ]
    source, inputs = "relu1", FILTERS[0]
    for index, filters in enumerate(FILTERS):
        layers += block(f"block{index + 1}", source, inputs, filters, 1 if index == 0 else 2)
        source, inputs = f"block{index + 1}.relu", filters
    return layers + [
        {"name": "pool", "type": "global-avg-pool"},
        {"name": "fc", "type": "dense", "units": 10},
        {"name": "softmax", "type": "softmax"},
    ]


LAYERS = network()
LEARNED, RUNNING = {}, {}
channels = {"input": 3}
before = "input"
for layer in LAYERS[1:]:
    name, kind = layer["name"], layer["type"]
    size = channels[layer.get("inputs", [before])[0]]
    if kind == "conv2d":
        shape = (layer["filters"], size, *layer["kernel"])
        LEARNED[f"{name}/kernel"] = torch.randn(shape) * (2 / (size * layer["kernel"][0] ** 2)) ** 0.5
    if kind == "dense":
        LEARNED[f"{name}/kernel"] = torch.randn(layer["units"], size) * 0.2
        LEARNED[f"{name}/bias"] = torch.zeros(layer["units"])
    if kind == "batch-norm":
        LEARNED[f"{name}/scale"] = 1 + 0.1 * torch.randn(size)
        LEARNED[f"{name}/shift"] = 0.1 * torch.randn(size)
        RUNNING[f"{name}/mean"] = torch.zeros(size)
        RUNNING[f"{name}/variance"] = torch.ones(size)
    channels[name] = layer.get("filters", layer.get("units", size))
    before = name
# What is stored is what is computed with.
for tensors in (LEARNED, RUNNING):
    for name, value in tensors.items():
        tensors[name] = value.float().double()


def logits(x, training):
    values = {"input": x}
    last = "input"
    for layer in LAYERS[1:-1]:
        name, kind = layer["name"], layer["type"]
        inputs = [values[source] for source in layer.get("inputs", [last])]
        if kind == "conv2d":
            y = F.conv2d(inputs[0], LEARNED[f"{name}/kernel"], stride=layer.get("stride", 1), padding=layer["padding"][0])
        elif kind == "batch-norm":
            running = RUNNING[f"{name}/mean"], RUNNING[f"{name}/variance"]
            affine = LEARNED[f"{name}/scale"], LEARNED[f"{name}/shift"]
            y = F.batch_norm(inputs[0], *running, *affine, training=training, momentum=0.1, eps=1e-5)
        elif kind == "relu":
            y = F.relu(inputs[0])
        elif kind == "add":
            y = inputs[0] + inputs[1]
        elif kind == "global-avg-pool":
            y = inputs[0].mean((2, 3))
        else:
            y = F.linear(inputs[0], LEARNED[f"{name}/kernel"], LEARNED[f"{name}/bias"])
        values[name] = y
        last = name
    return values[last]


def stored(name, value):
    """In ConvScope's layouts: kernels [height, width, in, out] and [in, out]."""
    array = value.detach().float().numpy()
    if name.endswith("/kernel"):
        array = array.transpose(2, 3, 1, 0) if array.ndim == 4 else array.T
    return np.ascontiguousarray(array)


index = json.loads(INDEX.read_text())
archive = SAMPLE.read_bytes()
pictures, labels = [], []
for label in range(10):
    places = [place for place, value in enumerate(index["labels"]) if value == label][:EACH_CLASS]
    for place in places:
        start = index["offsets"][place]
        picture = Image.open(io.BytesIO(archive[start : start + index["bytes"][place]])).convert("RGB")
        pictures.append(np.asarray(picture))
        labels.append(label)
bytes_ = np.stack(pictures)
x = torch.tensor(bytes_.astype(np.float32)).double().permute(0, 3, 1, 2) / 255 - 0.5
y = torch.tensor(labels)

arrays = {"pictures": bytes_, "labels": np.array(labels, dtype=np.int32)}
arrays |= {f"start/{name}": stored(name, value) for name, value in {**LEARNED, **RUNNING}.items()}
arrays["logits/start"] = logits(x, False).detach().float().numpy()
for value in LEARNED.values():
    value.requires_grad_()
optimiser = torch.optim.SGD(LEARNED.values(), lr=RATE, momentum=MOMENTUM)
losses = []
for step in range(1, STEPS + 1):
    optimiser.zero_grad()
    loss = F.cross_entropy(logits(x, True), y)
    loss.backward()
    losses.append(loss.item())
    if step == 1:
        arrays |= {f"gradient/{name}": stored(name, value.grad) for name, value in LEARNED.items()}
    optimiser.step()
    if step in (1, STEPS):
        arrays |= {f"after/{step}/{name}": stored(name, value) for name, value in {**LEARNED, **RUNNING}.items()}
arrays["losses"] = np.array(losses, dtype=np.float64)
arrays["logits/end"] = logits(x, False).detach().float().numpy()

case = {
    "format": "convscope-conformance/1",
    "case": "training-residual",
    "title": "Six steps of a small residual network with batch normalisation",
    "description": "gradient/<weight>: at the start; after/<steps>/<weight>; losses: before each step; logits: with running statistics.",
    "conventions": [
        "input: bytes / 255 - 0.5, RGB",
        "batch statistics in training; running ones move by a tenth, variances with divisor n - 1 (torch.nn.functional.batch_norm, momentum 0.1)",
        "torch.optim.SGD: a = momentum * a + g; w -= rate * a",
    ],
    "parameters": {"rate": RATE, "momentum": MOMENTUM, "steps": STEPS},
    "tolerance": {"rtol": 1e-3, "atolRelativeToMax": 1e-4},
    "reference": f"PyTorch {torch.__version__}, float64",
    "network": {"name": "residual", "layers": LAYERS},
}
(HERE / "training-residual.json").write_text(json.dumps(case, indent=2) + "\n")
save_file(arrays, HERE / "training-residual.safetensors")
print(losses, sum(value.size for value in arrays.values()))
