"""Runs a network of networks.py on demand: one JSON request a line on stdin, one JSON reply a line on stdout.

setup: {network, layout: [[name, shape, "parameter" | "statistic"]...], tensors: file of float32, batch, roles,
        patch, threads, optimiser: {kind, ...}, clipNorm, averageDecay, masks: [[name, shape]...], dropout: file}
train / predict: {count} -> seconds and CPU seconds of each; check: {} -> prediction, loss and gradients in a file.
Of the memory formats named at setup the faster one is used, for training and prediction by themselves.
"""
import json
import resource
import sys
import time

import numpy as np
import torch

from networks import NETWORKS, Store


class Muon:
    """Muon for weights of convolutions, those of one shape in one stack, and AdamW for the rest; as src/engine/muon.ts."""

    def __init__(self, parameters, lr, weight_decay, momentum, foreach):
        self.parameters, self.lr, self.momentum = parameters, lr, momentum
        self.decay = 1 - lr * weight_decay
        is_matrix = lambda p: p.dim() == 4 and min(len(p), p[0].numel()) >= 8
        self.rest = torch.optim.AdamW(
            [p for p in parameters if not is_matrix(p)], lr=lr, weight_decay=weight_decay, foreach=foreach
        )
        self.stacks = {}
        for p in filter(is_matrix, parameters):
            self.stacks.setdefault((len(p), p[0].numel()), []).append(p)
        self.moments = {shape: torch.zeros(len(members), *shape) for shape, members in self.stacks.items()}

    def zero_grad(self, set_to_none):
        for p in self.parameters:
            p.grad = None

    @torch.no_grad()
    def step(self):
        self.rest.step()
        for shape, members in self.stacks.items():
            slope = torch.stack([p.grad.reshape(shape) for p in members])
            moment = self.moments[shape].mul_(self.momentum).add_(slope)
            x = slope.add_(moment, alpha=self.momentum)
            x /= x.norm(dim=(1, 2), keepdim=True) + 1e-12
            if shape[0] > shape[1]:
                x = x.mT
            for _ in range(5):
                gram = x @ x.mT
                x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=-4.775, alpha=2.0315), x, beta=3.4445)
            if shape[0] > shape[1]:
                x = x.mT
            torch._foreach_mul_(members, self.decay)
            steps = [step.reshape(p.shape) for step, p in zip(x, members)]
            torch._foreach_add_(members, steps, alpha=-self.lr * 0.2 * max(shape) ** 0.5)


class Bench:
    def __init__(self, request):
        self.request = request
        torch.set_num_threads(request["threads"])
        self.network = NETWORKS[request["network"]]
        values = np.fromfile(request["tensors"], dtype=np.float32)
        self.initial, at = {}, 0
        for name, shape, kind in request["layout"]:
            size = int(np.prod(shape))
            self.initial[name] = (torch.from_numpy(values[at:at + size].reshape(shape).copy()), kind)
            at += size
        n, p = request["batch"], request["patch"]
        data = np.fromfile(request["data"], dtype=np.float32)
        inputs = n * request["roles"] * p * p
        self.inputs = torch.from_numpy(data[:inputs].reshape(n, -1, p, p).copy())
        self.target = torch.from_numpy(data[inputs:inputs + n * p * p].reshape(n, 1, p, p).copy())
        self.masks, at = {}, inputs + n * p * p
        for name, shape in request["masks"]:
            size = int(np.prod(shape))
            self.masks[name] = torch.from_numpy(data[at:at + size].reshape(shape).copy())
            at += size
        self.formats = {}
        if request["what"] in ("train", "predict"):
            times = {}
            for name in request["formats"]:
                self.start(name)
                self.once(request["what"])
                times[name] = min(self.timed(request["what"])[0] for _ in range(2)) if len(request["formats"]) > 1 else 0
            self.format = min(times, key=times.get)
        else:
            self.format = "contiguous"
        self.start(self.format)

    def start(self, name):
        """Fresh tensors in the given memory format."""
        layout = torch.channels_last if name == "channels_last" else torch.contiguous_format
        place = lambda v: v.clone(memory_format=layout) if v.dim() == 4 else v.clone()
        self.store = Store({}, self.request["what"] != "predict")
        self.store.format = layout
        self.store.masks = self.masks
        self.parameters = []
        for key, (value, kind) in self.initial.items():
            tensor = place(value)
            if kind == "parameter" and self.request["what"] != "predict":
                tensor.requires_grad_(True)
                self.parameters.append(tensor)
            self.store.tensors[key] = tensor
        self.x = place(self.inputs)
        if self.request["what"] == "train":
            options = dict(self.request["optimiser"])
            make = {"adamw": torch.optim.AdamW, "rmsprop": torch.optim.RMSprop, "muon": Muon}[options.pop("kind")]
            self.optimiser = make(self.parameters, foreach=True, **options)
            self.average = [p.detach().clone() for p in self.parameters]

    def loss(self, prediction):
        return ((prediction - self.target) ** 2).mean()

    def once(self, what):
        if what == "predict":
            with torch.inference_mode():
                return self.network(self.store, self.x)
        self.optimiser.zero_grad(set_to_none=True)
        loss = self.loss(self.network(self.store, self.x))
        loss.backward()
        if self.request.get("clipNorm"):
            torch.nn.utils.clip_grad_norm_(self.parameters, self.request["clipNorm"])
        self.optimiser.step()
        if self.request["averageDecay"] > 0:
            with torch.no_grad():
                torch._foreach_mul_(self.average, self.request["averageDecay"])
                torch._foreach_add_(self.average, self.parameters, alpha=1 - self.request["averageDecay"])
        return loss.item()

    def timed(self, what):
        cpu, begin = time.process_time(), time.perf_counter()
        self.once(what)
        return time.perf_counter() - begin, time.process_time() - cpu

    def check(self, path):
        """Writes prediction and gradients in double precision; replies how far single precision is from them."""
        results = []
        for kind in (torch.float32, torch.float64):
            self.start(self.format)
            store = self.store
            for key, tensor in store.tensors.items():
                store.tensors[key] = tensor.detach().to(kind).requires_grad_(self.initial[key][1] == "parameter")
            parameters = [t for t in store.tensors.values() if t.requires_grad]
            store.masks = {name: mask.to(kind) for name, mask in self.masks.items()}
            prediction = self.network(store, self.x.to(kind))
            loss = ((prediction - self.target.to(kind)) ** 2).mean()
            gradients = torch.cat([g.flatten() for g in torch.autograd.grad(loss, parameters)]).double()
            results.append((prediction.detach().flatten().double(), gradients))
        gaps = [((a - b).norm() / b.norm()).item() for a, b in zip(*results)]
        torch.cat(results[1]).float().numpy().tofile(path)
        return {"gaps": gaps}

    def predict_to(self, path):
        self.once("predict").contiguous().numpy().tofile(path)
        return {}


bench = None
for line in sys.stdin:
    request = json.loads(line)
    kind = request["kind"]
    if kind == "setup":
        bench = Bench(request)
        reply = {"format": bench.format}
    elif kind == "check":
        reply = bench.check(request["path"])
    elif kind == "predict-to":
        reply = bench.predict_to(request["path"])
    else:
        times = [bench.timed(kind) for _ in range(request["count"])]
        reply = {"seconds": [t for t, _ in times], "cpuSeconds": [c for _, c in times]}
    reply["peakBytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(reply), flush=True)
