"""Makes lucid-parts.safetensors with PyTorch: what activation maximisation has beyond the paper, as lucid's sources write it down.

python lucid-parts.py, with torch and safetensors installed.
"""

import math
import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

torch.manual_seed(5)
tensors = {}

# Fourier parameterisation and decorrelated colour (misc/../param/spatial.py, color.py), with the whole spectrum: a gradient step on the
# coefficients, as a change of the picture. Scaled so that white noise keeps its variance.
COLOURS = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]], dtype=torch.float64)
height, width = 6, 9
gradient = torch.randn(height, width, 3, dtype=torch.float64)
tensors["slope"] = gradient
frequency = torch.sqrt(torch.fft.fftfreq(height)[:, None] ** 2 + torch.fft.fftfreq(width)[None, :] ** 2).double()
for power in (0.5, 1.0):
    for colour in (False, True):
        scale = torch.clamp(frequency, min=1 / max(height, width)) ** -power
        scale = scale / scale.square().mean().sqrt() * math.sqrt(height * width)
        colours = COLOURS / (COLOURS.square().sum() / 3).sqrt() if colour else torch.eye(3, dtype=torch.float64)
        spectrum = torch.zeros(height, width, 3, dtype=torch.complex128, requires_grad=True)

        def picture(z):
            return torch.fft.ifft2(z * scale[:, :, None], dim=(0, 1)).real @ colours.T

        (step,) = torch.autograd.grad((picture(spectrum) * gradient).sum(), spectrum)
        tensors[f"direction/{power}/{'colour' if colour else 'grey'}"] = picture(step)

# Transforms: the picture enlarged by `scale` and turned by `angle`, then moved; zeros outside.
image = torch.randn(7, 8, 2, dtype=torch.float64)
back = torch.randn(7, 8, 2, dtype=torch.float64)
tensors["image"], tensors["back"] = image, back
for name, (down, right, scale, angle) in {
    "moved": (2, -1, 1, 0),
    "enlarged": (0, 0, 1.3, 0),
    "turned": (0, 0, 1, 20),
    "all": (-1, 2, 0.85, -35),
}.items():
    x = image.clone().requires_grad_()
    middle = torch.tensor([3.0, 3.5], dtype=torch.float64)
    rows, columns = torch.meshgrid(torch.arange(7.0), torch.arange(8.0), indexing="ij")
    at = torch.stack([rows, columns], -1).double() - middle - torch.tensor([down, right])
    turn = math.radians(angle)
    turned = torch.stack(
        [
            math.cos(turn) * at[..., 0] + math.sin(turn) * at[..., 1],
            -math.sin(turn) * at[..., 0] + math.cos(turn) * at[..., 1],
        ],
        -1,
    )
    source = middle + turned / scale
    grid = torch.stack([2 * source[..., 1] / 7 - 1, 2 * source[..., 0] / 6 - 1], -1)
    seen = F.grid_sample(x.permute(2, 0, 1)[None], grid[None], mode="bilinear", padding_mode="zeros", align_corners=True)
    seen = seen[0].permute(1, 2, 0)
    (slope,) = torch.autograd.grad((seen * back).sum(), x)
    tensors[f"transformed/{name}"], tensors[f"transformed-back/{name}"] = seen, slope

# Diversity (optvis/objectives.py): weight 3 for the first three pictures, which are a group; the fourth is alone.
features = torch.randn(4, 3, 2, 5, dtype=torch.float64, requires_grad=True)
flat = features.reshape(4, -1, 5)
grams = flat.transpose(1, 2) @ flat
grams = grams / torch.sqrt(torch.clamp(grams.square().sum((1, 2), keepdim=True), min=1e-10))
group = range(3)
value = sum(sum((grams[i] * grams[j]).sum() for j in group if j != i) for i in group) / 3
(slope,) = torch.autograd.grad(-3 * value, features)
tensors["features"], tensors["diversity"] = features, slope

# Redirected gradient (misc/redirected_relu_grad.py), whose `grad` is of what is made smaller: here of what is made larger. The second
# picture's signal reaches nothing that is positive.
x = torch.randn(3, 4, 5, 2, dtype=torch.float64)
signal = torch.randn(3, 4, 5, 2, dtype=torch.float64)
signal[1] = torch.where(x[1] > 0, torch.zeros_like(signal[1]), signal[1])
down = -signal
relu_grad = torch.where(x < 0, torch.zeros_like(down), down)
redirected = torch.where((x < 0) & (down > 0), torch.zeros_like(down), down)
reaches = relu_grad.reshape(3, -1).norm(dim=1) > 0
tensors["rectified/x"], tensors["rectified/signal"] = x, signal
tensors["rectified/redirected"] = -torch.where(reaches[:, None, None, None], relu_grad, redirected)

folder = pathlib.Path(__file__).parent
save_file({name: tensor.detach().float().contiguous() for name, tensor in tensors.items()}, folder / "lucid-parts.safetensors")
