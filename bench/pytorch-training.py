"""The works of bench/training.ts in PyTorch: trainings, augmentation included, and CaffeNet forward.

Reads names of works from stdin, answers each with the images per second of one turn.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

BATCH = 128
FORWARD_BATCH = 16
FORWARD_CALLS = 4
steps = int(sys.argv[1])
torch.set_num_threads(int(sys.argv[2]))
torch.manual_seed(1)


def mnist_convnet():
    network = nn.Sequential(
        *(nn.Conv2d(1, 32, 5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(1024, 256), nn.ReLU(), nn.Dropout(0.5), nn.Linear(256, 10)),
    )
    return network, torch.optim.Adam(network.parameters(), lr=0.001), (1, 28, 28), 1, False


def cifar_alexnet():
    network = nn.Sequential(
        *(nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2), nn.LocalResponseNorm(5, 5e-4)),
        *(nn.Conv2d(32, 64, 3, padding=1, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2), nn.LocalResponseNorm(5, 5e-4)),
        *(nn.Conv2d(64, 128, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(128, 128, 3, padding=1, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Flatten(), nn.Dropout(0.1), nn.Linear(1152, 256), nn.ReLU(), nn.Dropout(0.1), nn.Linear(256, 10)),
    ).to(memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.03, momentum=0.9, nesterov=True, weight_decay=5e-4)
    return network, optimiser, (3, 32, 32), 4, True


def prepare(make):
    network, optimiser, shape, shift, flip = make()
    pictures = torch.randint(0, 256, (steps * BATCH, *shape), dtype=torch.uint8)
    labels = torch.randint(0, 10, (steps * BATCH,))

    def augmented(batch):
        channels, height, width = shape
        padded = F.pad(batch, (shift, shift, shift, shift))
        moves = torch.randint(0, 2 * shift + 1, (len(batch), 2))
        rows = moves[:, :1] + torch.arange(height)
        columns = moves[:, 1:] + torch.arange(width)
        if flip:
            columns = torch.where(torch.rand(len(batch), 1) < 0.5, columns.flip(1), columns)
        moved = padded[torch.arange(len(batch))[:, None, None], :, rows[:, :, None], columns[:, None, :]]
        # [batch, height, width, channels] seen as channels first: channels last in memory.
        return (moved.float() / 255 - 0.5).div(0.25).permute(0, 3, 1, 2)

    def epoch():
        order = torch.randperm(len(pictures))
        for start in range(0, len(pictures), BATCH):
            chosen = order[start : start + BATCH]
            optimiser.zero_grad()
            F.cross_entropy(network(augmented(pictures[chosen])), labels[chosen]).backward()
            optimiser.step()

    return epoch


def caffenet_forward(memory_format):
    def convolution(inputs, outputs, kernel, stride=1, pad=0, groups=1):
        return nn.Conv2d(inputs, outputs, kernel, stride, pad, groups=groups), nn.ReLU()

    def pooling():
        return nn.MaxPool2d(3, 2, ceil_mode=True)

    network = nn.Sequential(
        *(*convolution(3, 96, 11, 4), pooling(), nn.LocalResponseNorm(5, 1e-4)),
        *(*convolution(96, 256, 5, pad=2, groups=2), pooling(), nn.LocalResponseNorm(5, 1e-4)),
        *(*convolution(256, 384, 3, pad=1), *convolution(384, 384, 3, pad=1, groups=2)),
        *(*convolution(384, 256, 3, pad=1, groups=2), pooling(), nn.Flatten()),
        *(nn.Linear(9216, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 1000), nn.Softmax(1)),
    )
    network = network.eval().to(memory_format=memory_format)
    pictures = torch.rand(FORWARD_BATCH, 3, 227, 227).to(memory_format=memory_format)

    def turn():
        with torch.inference_mode():
            for _ in range(FORWARD_CALLS):
                network(pictures)

    return turn


def faster(turns):
    """Seconds of the fastest of several ways, each once warm."""
    for turn in turns:
        turn()
    best = float("inf")
    for turn in turns:
        started = time.perf_counter()
        turn()
        best = min(best, time.perf_counter() - started)
    return best


epochs = {"mnist-convnet": prepare(mnist_convnet), "cifar-alexnet": prepare(cifar_alexnet)}
warm = set()
forwards = None
for line in sys.stdin:
    name = line.strip()
    if name == "caffenet-forward":
        forwards = forwards or [caffenet_forward(way) for way in (torch.contiguous_format, torch.channels_last)]
        print(json.dumps(FORWARD_CALLS * FORWARD_BATCH / faster(forwards)), flush=True)
        continue
    if name not in warm:
        epochs[name]()
        warm.add(name)
    started = time.perf_counter()
    epochs[name]()
    print(json.dumps(steps * BATCH / (time.perf_counter() - started)), flush=True)
