"""The trainings of bench/training.ts in PyTorch, augmentation included.

Reads names of networks from stdin, answers each with the images per second of one turn.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

BATCH = 128
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


epochs = {"mnist-convnet": prepare(mnist_convnet), "cifar-alexnet": prepare(cifar_alexnet)}
warm = set()
for line in sys.stdin:
    name = line.strip()
    if name not in warm:
        epochs[name]()
        warm.add(name)
    started = time.perf_counter()
    epochs[name]()
    print(json.dumps(steps * BATCH / (time.perf_counter() - started)), flush=True)
