"""The pieces of bench/deconvnet-study.ts in PyTorch (and Captum, where it is installed): one line of JSON a piece and turn.

Reads lines `piece` from stdin, answers each with the milliseconds (or images/s for `scan`) of one turn, or null without Captum.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(int(sys.argv[1]))
torch.manual_seed(1)

try:
    from captum.attr import Deconvolution, Occlusion
except ImportError:
    Deconvolution = Occlusion = None


class CaffeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 96, 11, stride=4)
        self.relu1 = nn.ReLU()
        self.pool1 = nn.MaxPool2d(3, 2)
        self.norm1 = nn.LocalResponseNorm(5, 1e-4, 0.75, 1)
        self.conv2 = nn.Conv2d(96, 256, 5, padding=2, groups=2)
        self.relu2 = nn.ReLU()
        self.pool2 = nn.MaxPool2d(3, 2)
        self.norm2 = nn.LocalResponseNorm(5, 1e-4, 0.75, 1)
        self.conv3 = nn.Conv2d(256, 384, 3, padding=1)
        self.relu3 = nn.ReLU()
        self.conv4 = nn.Conv2d(384, 384, 3, padding=1, groups=2)
        self.relu4 = nn.ReLU()
        self.conv5 = nn.Conv2d(384, 256, 3, padding=1, groups=2)
        self.relu5 = nn.ReLU()
        self.pool5 = nn.MaxPool2d(3, 2)
        self.fc6 = nn.Linear(9216, 4096)
        self.relu6 = nn.ReLU()
        self.fc7 = nn.Linear(4096, 4096)
        self.relu7 = nn.ReLU()
        self.fc8 = nn.Linear(4096, 1000)

    def to_conv2(self, x):
        return self.conv2(self.norm1(self.pool1(self.relu1(self.conv1(x)))))

    def to_conv5(self, x):
        x = self.norm2(self.pool2(self.relu2(self.to_conv2(x))))
        return self.conv5(self.relu4(self.conv4(self.relu3(self.conv3(x)))))

    def forward(self, x):
        x = self.pool5(self.relu5(self.to_conv5(x))).flatten(1)
        return self.fc8(self.relu7(self.fc7(self.relu6(self.fc6(x)))))


class Below(nn.Module):
    """The network up to a layer, as Captum takes it."""

    def __init__(self, network, layer):
        super().__init__()
        self.network = network
        self.layer = layer

    def forward(self, x):
        return getattr(self.network, "to_" + self.layer)(x)


network = CaffeNet().eval()
image = torch.randn(1, 3, 227, 227)
units = [((index * 37) % 256, (index * 5) % 13, (index * 7) % 13) for index in range(32)]


def by_hand(x, seeds):
    """Forward once; then the transposed operations for all seeds at once, LRN passed through, as the deconvnet has it."""
    with torch.no_grad():
        maps1 = network.conv1(x)
        pooled1, switches1 = F.max_pool2d(F.relu(maps1), 3, 2, return_indices=True)
        maps2 = network.conv2(network.norm1(pooled1))
        pooled2, switches2 = F.max_pool2d(F.relu(maps2), 3, 2, return_indices=True)
        maps3 = F.relu(network.conv3(network.norm2(pooled2)))
        network.conv5(F.relu(network.conv4(maps3)))
        count = seeds.shape[0]
        signal = F.relu(F.conv_transpose2d(seeds, network.conv5.weight, padding=1, groups=2))
        signal = F.relu(F.conv_transpose2d(signal, network.conv4.weight, padding=1, groups=2))
        signal = F.conv_transpose2d(signal, network.conv3.weight, padding=1)
        signal = F.relu(unpool(signal, switches2, maps2.shape[2:], count))
        signal = F.conv_transpose2d(signal, network.conv2.weight, padding=2, groups=2)
        signal = F.relu(unpool(signal, switches1, maps1.shape[2:], count))
        return F.conv_transpose2d(signal, network.conv1.weight, stride=4)


def unpool(signal, switches, size, count):
    """Adds at shared switches, which max_unpool2d does not."""
    flat = torch.zeros(count, signal.shape[1], size[0] * size[1])
    index = switches.flatten(2).expand(count, -1, -1)
    return flat.scatter_add(2, index, signal.flatten(2)).view(count, signal.shape[1], *size)


def seeds_of(shape, chosen):
    seeds = torch.zeros(len(chosen), *shape)
    for index, (channel, row, column) in enumerate(chosen):
        seeds[index, channel, row, column] = 1
    return seeds


def timed(work):
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def conv5_captum():
    if Deconvolution is None:
        return None
    below = Deconvolution(Below(network, "conv5"))
    return timed(lambda: [below.attribute(image, target=unit) for unit in units])


def conv5_by_hand():
    seeds = seeds_of((256, 13, 13), units)
    return timed(lambda: by_hand(image, seeds))


occlusion_batch = None


def occlusion_captum():
    """With the batch that is fastest here, found in the first call."""
    global occlusion_batch
    if Occlusion is None:
        return None
    method = Occlusion(network)

    def run(batch):
        with torch.no_grad():
            method.attribute(
                image,
                sliding_window_shapes=(3, 32, 32),
                strides=(3, 16, 16),
                target=5,
                perturbations_per_eval=batch,
            )

    if occlusion_batch is None:
        occlusion_batch = min((8, 16, 32, 64), key=lambda batch: timed(lambda: run(batch)))
    return timed(lambda: run(occlusion_batch))


class Digits(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 5)
        self.conv2 = nn.Conv2d(32, 64, 5)
        self.dense1 = nn.Linear(1024, 200)
        self.dense2 = nn.Linear(200, 10)


digits = Digits().eval()
pixels = torch.randint(0, 256, (10000, 28, 28), dtype=torch.uint8)


def scan():
    """Largest activation of every channel of every layer and its picture: a running top 9."""
    tops = {}

    def keep(name, maxima, start):
        values, indices = tops.get(name, (torch.full((9, maxima.shape[1]), -1e30), torch.zeros(9, maxima.shape[1], dtype=torch.long)))
        numbers = torch.arange(start, start + maxima.shape[0]).unsqueeze(1).expand(-1, maxima.shape[1])
        values, order = torch.cat([values, maxima]).topk(9, dim=0)
        tops[name] = (values, torch.cat([indices, numbers]).gather(0, order))

    def run():
        with torch.no_grad():
            for start in range(0, 10000, 128):
                x = pixels[start : start + 128].unsqueeze(1).float() / 255
                one = F.relu(digits.conv1(x))
                keep("relu1", one.amax((2, 3)), start)
                two = F.relu(digits.conv2(F.max_pool2d(one, 2)))
                keep("relu2", two.amax((2, 3)), start)
                three = F.relu(digits.dense1(F.max_pool2d(two, 2).flatten(1)))
                keep("relu3", three, start)
                keep("dense2", digits.dense2(three), start)

    return 10000 / timed(run) * 1000


pieces = {
    "conv5-captum": conv5_captum,
    "conv5-by-hand": conv5_by_hand,
    "occlusion-captum": occlusion_captum,
    "scan": scan,
}
for line in sys.stdin:
    print(json.dumps(pieces[line.strip()]()), flush=True)
