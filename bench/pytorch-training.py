"""Images per second of PyTorch for ConvScope's MNIST convnet: batch 128, Adam, dropout. Prints one number."""

import sys
import time

import torch
from torch import nn

steps = int(sys.argv[1])
torch.set_num_threads(int(sys.argv[2]))
torch.manual_seed(1)
network = nn.Sequential(
    nn.Conv2d(1, 32, 5),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(32, 64, 5),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(1024, 256),
    nn.ReLU(),
    nn.Dropout(0.5),
    nn.Linear(256, 10),
)
optimiser = torch.optim.Adam(network.parameters(), lr=0.001)
loss_of = nn.CrossEntropyLoss()
images = torch.rand(128, 1, 28, 28)
labels = torch.randint(0, 10, (128,))


def step():
    optimiser.zero_grad()
    loss_of(network(images), labels).backward()
    optimiser.step()


for _ in range(5):
    step()
started = time.perf_counter()
for _ in range(steps):
    step()
print(steps * 128 / (time.perf_counter() - started))
