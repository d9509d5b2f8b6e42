"""The networks of src/model written in PyTorch, with the same parameter names, as functions of their tensors.

A network is called with a store `t` of tensors by name: parameters, and running statistics `NAME.norm.mean` and
`NAME.norm.variance`. While training, batch normalisation uses the batch and updates the running statistics.
"""
import torch
import torch.nn.functional as F


class Store:
    """Tensors by name, and the two layers that all networks share."""

    def __init__(self, tensors, training):
        self.tensors = tensors
        self.training = training
        self.masks = {}

    def conv(self, x, name, stride=1, padding=None):
        w = self.tensors[f"{name}.weight"]
        padding = w.shape[2] // 2 if padding is None else padding
        return F.conv2d(x, w, self.tensors.get(f"{name}.bias"), stride, padding)

    def norm(self, x, name):
        t = self.tensors
        mean, variance = t[f"{name}.mean"], t[f"{name}.variance"]
        return F.batch_norm(x, mean, variance, t[f"{name}.weight"], t[f"{name}.bias"], self.training, 0.1, 1e-5)

    def conv_norm(self, x, name, stride=1):
        return self.norm(self.conv(x, name, stride), f"{name}.norm")


def space_to_depth(x):
    n, c, h, w = x.shape
    return x.reshape(n, c, h // 2, 2, w // 2, 2).permute(0, 3, 5, 1, 2, 4).reshape(n, 4 * c, h // 2, w // 2)


def depth_to_space(x):
    n, c, h, w = x.shape
    return x.reshape(n, 2, 2, c // 4, h, w).permute(0, 3, 4, 1, 5, 2).reshape(n, c // 4, 2 * h, 2 * w)


def hrpn(t, x):
    def block(x, name):
        y = F.relu(t.conv_norm(x, f"{name}.first"))
        return F.relu(x + t.conv_norm(y, f"{name}.second"))

    def down(x, name):
        return t.conv(F.avg_pool2d(x, 2), name)

    def up(x, name):
        return F.interpolate(t.conv(x, name), scale_factor=2, mode="nearest")

    streams = [F.relu(t.conv_norm(space_to_depth(x).contiguous(memory_format=t.format), "stem"))]
    for i in (1, 2, 3):
        streams.append(F.relu(t.conv_norm(F.avg_pool2d(streams[-1], 2), f"enter{i}")))
    for stage in range(3):
        done = [x if i == 0 and stage > 0 else block(x, f"stage{stage}.stream{i}") for i, x in enumerate(streams)]
        if stage == 2:
            streams = done
            break
        streams = []
        for i, x in enumerate(done):
            if i > 0:
                x = x + down(done[i - 1], f"stage{stage}.down{i}")
            if i < 3:
                x = x + up(done[i + 1], f"stage{stage}.up{i}")
            streams.append(F.relu(x))
    x = streams[3]
    for i in (2, 1, 0):
        x = F.relu(streams[i] + up(x, f"head.up{i}"))
    return depth_to_space(t.conv(F.relu(t.conv_norm(x, "head.0")), "head.1"))


def hrpn_published(t, x):
    def bottleneck(x, name):
        y = F.relu(t.conv_norm(x, f"{name}.reduce"))
        y = F.relu(t.conv_norm(y, f"{name}.spatial"))
        y = t.conv_norm(y, f"{name}.expand")
        return F.relu(y + (x if x.shape[1] == 256 else t.conv_norm(x, f"{name}.shortcut")))

    def block(x, name):
        y = F.relu(t.conv_norm(x, f"{name}.first"))
        return F.relu(t.conv_norm(y, f"{name}.second") + x)

    def enlarge(x, factor):
        return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=True)

    def exchange(x, start, to, name):
        if start > to:
            return enlarge(t.conv_norm(x, name), 2 ** (start - to))
        for step in range(start, to):
            x = t.conv_norm(x, f"{name}.{step - start}", 2)
            x = x if step == to - 1 else F.relu(x)
        return x

    def module(branches, name):
        done = [block(x, f"{name}.branch{i}") for i, x in enumerate(branches)]
        fused = []
        for to in range(len(done)):
            parts = [x if start == to else exchange(x, start, to, f"{name}.fuse{to}from{start}")
                     for start, x in enumerate(done)]
            fused.append(F.relu(sum(parts[1:], parts[0])))
        return fused

    x = F.relu(t.conv_norm(x, "stem.0", 2))
    x = F.relu(t.conv_norm(x, "stem.1", 2))
    for i in range(4):
        x = bottleneck(x, f"layer1.{i}")
    branches = [F.relu(t.conv_norm(x, "transition1.0")), F.relu(t.conv_norm(x, "transition1.1", 2))]
    for stage in (2, 3, 4):
        if stage > 2:
            branches = [*branches, F.relu(t.conv_norm(branches[-1], f"transition{stage - 1}", 2))]
        branches = module(branches, f"stage{stage}")
    x = torch.cat([b if i == 0 else enlarge(b, 2**i) for i, b in enumerate(branches)], 1)
    x = F.relu(t.conv_norm(x, "head.0"))
    if t.training:
        x = x * t.masks["head.dropout"]
    return enlarge(t.conv(x, "head.1"), 4)


def ganda(t, x):
    kept = []
    for i in range(4):
        kept.append(F.relu(t.conv_norm(x, f"down{i}.0")))
        x = F.max_pool2d(kept[i], 2)
    for i in range(2):
        x = F.relu(t.conv_norm(x, f"bottom.{i}"))
    for i in (3, 2, 1, 0):
        x = F.conv_transpose2d(x, t.tensors[f"enlarge{i}.weight"], t.tensors[f"enlarge{i}.bias"], 2)
        x = F.relu(t.conv_norm(torch.cat([kept[i], x], 1), f"up{i}.0"))
    return torch.tanh(t.conv(x, "output"))


NETWORKS = {"hrpn": hrpn, "hrpn-published": hrpn_published, "ganda": ganda}
