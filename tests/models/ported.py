"""The two public ports of Inception-v2, written down a second time: names, shapes and arithmetic.

Nothing here is taken from `benforge.models`: names and numbers are those of the ports' sources
(`bninception.py` of pretrained-models.pytorch; `research/slim/nets/inception_v2.py` of
tensorflow/models), and the networks are plain functions of a dict of tensors.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

Tensors = dict[str, Tensor]
Conv = Callable[[Tensor, str, int], Tensor]

# name: inputs, 1x1, 3x3 reduce, 3x3, double reduce, double, pool projection
CAFFE = {
    "3a": (192, 64, 64, 64, 64, 96, 32),
    "3b": (256, 64, 64, 96, 64, 96, 64),
    "3c": (320, 0, 128, 160, 64, 96, 0),
    "4a": (576, 224, 64, 96, 96, 128, 128),
    "4b": (576, 192, 96, 128, 96, 128, 128),
    "4c": (576, 160, 128, 160, 128, 160, 128),
    "4d": (608, 96, 128, 192, 160, 192, 128),
    "4e": (608, 0, 128, 192, 192, 256, 0),
    "5a": (1056, 352, 192, 320, 160, 224, 128),
    "5b": (1024, 352, 192, 320, 192, 224, 128),
}
SLIM = {
    "3b": (192, 64, 64, 64, 64, 96, 32),
    "3c": (256, 64, 64, 96, 64, 96, 64),
    "4a": (320, 0, 128, 160, 64, 96, 0),
    "4b": (576, 224, 64, 96, 96, 128, 128),
    "4c": (576, 192, 96, 128, 96, 128, 128),
    "4d": (576, 160, 128, 160, 128, 160, 96),
    "4e": (576, 96, 128, 192, 160, 192, 96),
    "5a": (576, 0, 128, 192, 192, 256, 0),
    "5b": (1024, 352, 192, 320, 160, 224, 128),
    "5c": (1024, 352, 192, 320, 192, 224, 128),
}


def caffe_weights(classes: int = 1000) -> Tensors:
    """Random weights under the Caffe port's names; batch norms as `1 filter`, as in 2017."""
    sizes = {"conv1_7x7_s2": (64, 3, 7), "conv2_3x3_reduce": (64, 64, 1), "conv2_3x3": (192, 64, 3)}
    for block, (held, one, reduce3, three, reduce2, double, project) in CAFFE.items():
        at = f"inception_{block}_"
        if one:
            sizes |= {at + "1x1": (one, held, 1), at + "pool_proj": (project, held, 1)}
        sizes |= {at + "3x3_reduce": (reduce3, held, 1), at + "3x3": (three, reduce3, 3)}
        sizes |= {
            at + "double_3x3_reduce": (reduce2, held, 1),
            at + "double_3x3_1": (double, reduce2, 3),
            at + "double_3x3_2": (double, double, 3),
        }
    made: Tensors = {}
    for name, (filters, bands, edge) in sizes.items():
        made[f"{name}.weight"] = _drawn(filters, bands, edge, edge)
        made[f"{name}.bias"] = 0.1 * torch.randn(filters)
        for part in ("weight", "bias", "running_mean", "running_var"):
            made[f"{name}_bn.{part}"] = _norm(part in ("weight", "running_var"), filters)[None]
    made["last_linear.weight"] = torch.randn(classes, 1024)
    made["last_linear.bias"] = torch.randn(classes)
    return made


def slim_weights() -> Tensors:
    """Random weights under TF-Slim's names, axes in TensorFlow's order."""
    sizes = {"Conv2d_2b_1x1": (1, 64, 64), "Conv2d_2c_3x3": (3, 64, 192)}
    for block, (held, one, reduce3, three, reduce2, double, project) in SLIM.items():
        at, first = f"Mixed_{block}/Branch_", 1 if one else 0
        if one:
            sizes[f"{at}0/Conv2d_0a_1x1"] = (1, held, one)
            sizes[f"{at}3/Conv2d_0b_1x1"] = (1, held, project)
        sizes[f"{at}{first}/Conv2d_0a_1x1"] = (1, held, reduce3)
        sizes[f"{at}{first}/Conv2d_{'0b' if one else '1a'}_3x3"] = (3, reduce3, three)
        sizes[f"{at}{first + 1}/Conv2d_0a_1x1"] = (1, held, reduce2)
        sizes[f"{at}{first + 1}/Conv2d_0b_3x3"] = (3, reduce2, double)
        sizes[f"{at}{first + 1}/Conv2d_{'0c' if one else '1a'}_3x3"] = (3, double, double)
    made: Tensors = {
        "Conv2d_1a_7x7/depthwise_weights": _drawn(3, 8, 7, 7).permute(2, 3, 0, 1),
        "Conv2d_1a_7x7/pointwise_weights": _drawn(64, 24, 1, 1).permute(2, 3, 1, 0),
        "Conv2d_1a_7x7/biases": 0.1 * torch.randn(64),
    }
    for name, (edge, bands, filters) in sizes.items():
        made[f"{name}/weights"] = _drawn(filters, bands, edge, edge).permute(2, 3, 1, 0)
    for name, (_, _, filters) in sizes.items():
        for part in ("beta", "moving_mean", "moving_variance"):
            made[f"{name}/BatchNorm/{part}"] = _norm(part == "moving_variance", filters)
    made["Logits/Conv2d_1c_1x1/weights"] = torch.randn(1, 1, 1024, 1001)
    made["Logits/Conv2d_1c_1x1/biases"] = torch.randn(1001)
    made = {f"InceptionV2/{name}": tensor.contiguous() for name, tensor in made.items()}
    return made | {"global_step": torch.tensor(7)}


def _drawn(filters: int, bands: int, *edges: int) -> Tensor:
    return torch.randn(filters, bands, *edges) * (2 / (bands * edges[0] * edges[1])) ** 0.5


def _norm(positive: bool, filters: int) -> Tensor:
    return 0.5 + torch.rand(filters) if positive else 0.1 * torch.randn(filters)


def caffe_features(w: Tensors, blue_green_red: Tensor) -> Tensor:
    """`patch 1024` of the Caffe port, for sizes that can be halved five times."""

    def conv(x: Tensor, name: str, stride: int = 1) -> Tensor:
        kernel, bn = w[f"{name}.weight"], f"{name}_bn."
        x = F.conv2d(x, kernel, w[f"{name}.bias"], stride, kernel.shape[-1] // 2)
        mean, var = w[bn + "running_mean"][0], w[bn + "running_var"][0]
        return F.relu(F.batch_norm(x, mean, var, w[bn + "weight"][0], w[bn + "bias"][0], eps=1e-5))

    def halve(x: Tensor) -> Tensor:
        return F.max_pool2d(x, 3, 2, ceil_mode=True)

    x = halve(conv(blue_green_red, "conv1_7x7_s2", 2))
    x = halve(conv(conv(x, "conv2_3x3_reduce"), "conv2_3x3"))
    for block in CAFFE:
        at, stride = f"inception_{block}_", 2 if block in ("3c", "4e") else 1
        three = conv(conv(x, at + "3x3_reduce"), at + "3x3", stride)
        double = conv(conv(x, at + "double_3x3_reduce"), at + "double_3x3_1")
        double = conv(double, at + "double_3x3_2", stride)
        if stride == 2:
            x = torch.cat([three, double, halve(x)], 1)
            continue
        pooled = F.max_pool2d(x, 3, 1, 1) if block == "5b" else F.avg_pool2d(x, 3, 1, 1)
        one, pool = conv(x, at + "1x1"), conv(pooled, at + "pool_proj")
        x = torch.cat([one, three, double, pool], 1)
    return x.mean((2, 3))


def slim_features(w: Tensors, red_green_blue: Tensor) -> Tensor:
    """`patch 1024` of TF-Slim, for any size, with TensorFlow's rule of SAME padding."""

    def pad(x: Tensor, kernel: int, stride: int, value: float = 0.0) -> Tensor:
        size = x.shape[-1]
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        return F.pad(x, [total // 2, total - total // 2] * 2, value=value)

    def norm(x: Tensor, name: str) -> Tensor:
        at = f"InceptionV2/{name}/BatchNorm/"
        scale = (w[at + "moving_variance"] + 1e-3).rsqrt()[:, None, None]
        mean, beta = w[at + "moving_mean"][:, None, None], w[at + "beta"][:, None, None]
        return F.relu((x - mean) * scale + beta)

    def conv(x: Tensor, name: str, stride: int = 1) -> Tensor:
        kernel = w[f"InceptionV2/{name}/weights"].permute(3, 2, 0, 1)
        return norm(F.conv2d(pad(x, kernel.shape[-1], stride), kernel, stride=stride), name)

    def largest(x: Tensor, stride: int) -> Tensor:
        return F.max_pool2d(pad(x, 3, stride, -torch.inf), 3, stride)

    def mean_within(x: Tensor) -> Tensor:
        ones = torch.ones_like(x)
        return F.avg_pool2d(pad(x, 3, 1), 3, 1) / F.avg_pool2d(pad(ones, 3, 1), 3, 1)

    deep = w["InceptionV2/Conv2d_1a_7x7/depthwise_weights"]  # row col band many
    x = pad(red_green_blue, 7, 2)
    alone = [
        F.conv2d(x[:, [b]], deep[:, :, b].permute(2, 0, 1)[:, None], stride=2) for b in (0, 1, 2)
    ]
    across = w["InceptionV2/Conv2d_1a_7x7/pointwise_weights"].permute(3, 2, 0, 1)
    bias = w["InceptionV2/Conv2d_1a_7x7/biases"]
    x = largest(F.relu(F.conv2d(torch.cat(alone, 1), across, bias)), 2)
    x = largest(conv(conv(x, "Conv2d_2b_1x1"), "Conv2d_2c_3x3"), 2)
    for block in SLIM:
        at, halves = f"Mixed_{block}/Branch_", block in ("4a", "5a")
        a, b, stride = ("0", "1", 2) if halves else ("1", "2", 1)
        three = conv(x, f"{at}{a}/Conv2d_0a_1x1")
        three = conv(three, f"{at}{a}/Conv2d_{'1a' if halves else '0b'}_3x3", stride)
        double = conv(conv(x, f"{at}{b}/Conv2d_0a_1x1"), f"{at}{b}/Conv2d_0b_3x3")
        double = conv(double, f"{at}{b}/Conv2d_{'1a' if halves else '0c'}_3x3", stride)
        if halves:
            x = torch.cat([three, double, largest(x, 2)], 1)
            continue
        pooled = largest(x, 1) if block == "5c" else mean_within(x)
        one = conv(x, f"{at}0/Conv2d_0a_1x1")
        x = torch.cat([one, three, double, conv(pooled, f"{at}3/Conv2d_0b_1x1")], 1)
    return x.mean((2, 3))
