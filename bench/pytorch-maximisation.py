"""The loops of bench/maximisation.ts in PyTorch: one line of JSON a piece and turn.

Reads lines `network/layer/setting/pictures` from stdin, answers each with the milliseconds of one iteration, mean of a few.
"""

import json
import math
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(int(sys.argv[1]))
torch.manual_seed(1)


def caffenet():
    return {
        "conv3": nn.Sequential(
            nn.Conv2d(3, 96, 11, stride=4),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.LocalResponseNorm(5, 1e-4, 0.75, 1),
            nn.Conv2d(96, 256, 5, padding=2, groups=2),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.LocalResponseNorm(5, 1e-4, 0.75, 1),
            nn.Conv2d(256, 384, 3, padding=1),
        ),
        "fc8": nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(384, 384, 3, padding=1, groups=2),
            nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1, groups=2),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, ceil_mode=True),
            *classifier(256 * 6 * 6),
        ),
    }


def vgg16():
    layers = []
    channels = 3
    for block in ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)):
        for filters in block:
            layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.ReLU()]
            channels = filters
        layers.append(nn.MaxPool2d(2, 2))
    return {"fc8": nn.Sequential(*layers, *classifier(512 * 7 * 7))}


def classifier(inputs):
    return [nn.Flatten(), nn.Linear(inputs, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 1000)]


networks = {}
MAKERS = {"caffenet": (caffenet, 227), "vgg-16": (vgg16, 224)}


def network_to(name, layer):
    """The network cut at the layer, and the side of its pictures."""
    make, side = MAKERS[name]
    if name not in networks:
        networks[name] = {part: module.eval().requires_grad_(False) for part, module in make().items()}
    parts = networks[name]
    chosen = nn.Sequential(*(module for part, module in parts.items() if layer == "fc8" or part == layer))
    return chosen, side


def kernel(sigma):
    radius = int(4 * sigma + 0.5)
    weights = torch.exp(-torch.arange(-radius, radius + 1).float() ** 2 / (2 * sigma**2))
    return weights / weights.sum()


def blurred(x, weights):
    """Rows, then columns. Reflects without the edge, where scipy repeats it: as many operations."""
    radius = len(weights) // 2
    down = weights.view(1, 1, -1, 1).expand(3, 1, -1, 1)
    across = weights.view(1, 1, 1, -1).expand(3, 1, 1, -1)
    x = F.conv2d(F.pad(x, (0, 0, radius, radius), mode="reflect"), down, groups=3)
    return F.conv2d(F.pad(x, (radius, radius, 0, 0), mode="reflect"), across, groups=3)


def kept(x, measure, percentile):
    """Linear interpolation between order statistics, found by selection, which is faster than torch.quantile."""
    flat = measure.flatten(1)
    place = (flat.shape[1] - 1) * percentile / 100
    low = math.floor(place)
    lower = flat.kthvalue(low + 1, dim=1).values
    upper = flat.kthvalue(min(low + 2, flat.shape[1]), dim=1).values
    threshold = lower + (upper - lower) * (place - low)
    return x * (measure >= threshold.view(-1, 1, 1)).unsqueeze(1)


SETTINGS = {
    "blur": {"decay": 0.0001, "sigma": 1.0, "every": 4, "norm": 0, "contribution": 0},
    "percentiles": {"decay": 0, "sigma": 0.5, "every": 4, "norm": 50, "contribution": 90},
}


class Loop:
    def __init__(self, name, layer, setting, pictures):
        self.network, side = network_to(name, layer)
        self.setting = SETTINGS[setting]
        self.weights = kernel(self.setting["sigma"])
        self.x = 10 * torch.randn(pictures, 3, side, side)
        self.mean = torch.tensor([104.0, 117.0, 123.0]).view(1, 3, 1, 1)
        self.best = torch.full((pictures,), -math.inf)
        self.best_x = self.x
        self.iteration = 0

    def step(self):
        setting = self.setting
        x = torch.clamp(self.x + self.mean, 0, 255) - self.mean
        x.requires_grad_()
        activations = self.network(x)
        if activations.dim() == 4:
            activations = activations[:, :, activations.shape[2] // 2, activations.shape[3] // 2]
        units = activations[:, 100]
        (g,) = torch.autograd.grad(units.sum(), x)
        with torch.no_grad():
            x = x.detach()
            better = units.detach() > self.best
            self.best = torch.where(better, units.detach(), self.best)
            self.best_x = torch.where(better.view(-1, 1, 1, 1), x, self.best_x)
            rate = torch.clamp(2 / g.square().sum((1, 2, 3)), max=1e8)
            x = x + rate.view(-1, 1, 1, 1) * g
            if setting["decay"] > 0:
                x = x * (1 - setting["decay"])
            if self.iteration % setting["every"] == 0:
                x = blurred(x, self.weights)
            if setting["norm"] > 0:
                x = kept(x, x.square().sum(1).sqrt(), setting["norm"])
            if setting["contribution"] > 0:
                x = kept(x, (g * x).sum(1).abs(), setting["contribution"])
            self.x = x
        self.iteration += 1


def lucent_milliseconds(name, layer, pictures, iterations):
    """torch-lucent's own loop on the same network: Fourier and colours as it has them, no transforms. None where it is not installed."""
    try:
        from lucent.optvis import objectives, param, render
    except ImportError:
        return None
    network, side = network_to(name, layer)
    objective = objectives.channel(str(len(network) - 1), 100)
    started = time.perf_counter()
    render.render_vis(
        network,
        objective,
        lambda: param.image(side, batch=pictures),
        transforms=[],
        preprocess=False,
        thresholds=(iterations,),
        progress=False,
        show_image=False,
    )
    return (time.perf_counter() - started) * 1000 / iterations


loops = {}
for line in sys.stdin:
    piece = line.strip()
    if piece == "ready":
        print(0, flush=True)
        continue
    name, layer, setting, pictures, iterations = piece.split("/")
    if setting == "lucent":
        print(json.dumps(lucent_milliseconds(name, layer, int(pictures), int(iterations))), flush=True)
        continue
    key = piece.rpartition("/")[0]
    loop = loops.setdefault(key, Loop(name, layer, setting, int(pictures)))
    started = time.perf_counter()
    for _ in range(int(iterations)):
        loop.step()
    print(json.dumps((time.perf_counter() - started) * 1000 / int(iterations)), flush=True)
