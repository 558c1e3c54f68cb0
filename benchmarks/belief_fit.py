"""Fits the observation model and the filter of the belief; writes the file that the package ships.

    python benchmarks/belief_fit.py DATA... --vital bvp -o rppg_ros/vitals/belief_bvp.npz [--epochs 12]

DATA: folders of belief_data.py and belief_films.py. One subject in five is held out of the network's fit: the best epoch is
chosen, and the filter's own numbers are fitted, on those. `trust.py --held-out` shows them; it judges nothing. Judge on others.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
from belief_set import DEAD, LIVE, Sequence, held_out, load
from torch import nn

from rppg_ros.types import Vital
from rppg_ros.vitals.observation import MOST
from rppg_ros.vitals.spectral_evidence import GRIDS

HIDDEN = (32, 16)
LAYERS = ("first", "second", "third")
DROPPED = 0.05  # share of the units that are left out while it learns
NOISE = 0.1  # deviation of what is added to the standardised features, alike at all rates, while it learns
KERNEL = {Vital.BVP: 2.0, Vital.RSP: 0.8}  # per minute: how sharply the truth is known
LIFELESS = 1.5  # weight of a second without life: a number there is the worst that can happen
EARLY, EARLY_LOOKS = 3.0, 4.0  # the first looks count so much more: a number that is right is wanted soon
WITHOUT = 5  # one file in so many is also heard without evidence
TIMES = {"film": 2, "finger": 6}  # how often those are shown whose names begin so


class Filter(nn.Module):
    """The observation model, and the forward filter around it, as vitals.belief runs them."""

    def __init__(self, vital: Vital, inputs: int, mean: np.ndarray, std: np.ndarray) -> None:
        super().__init__()
        grid = GRIDS[vital]
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32))
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32))
        wide, narrow = HIDDEN
        self.net = nn.ModuleDict({
            "first": nn.Linear(inputs, wide),
            "second": nn.Linear(wide, narrow),
            "context": nn.Linear(2 * wide, narrow, bias=False),
            "third": nn.Linear(narrow, 3),
        })  # fmt: skip
        self.scale, self.offset = nn.Parameter(torch.zeros(3)), nn.Parameter(torch.zeros(3))  # of scores, see settle
        self.register_buffer("rates", torch.tensor(grid.rates, dtype=torch.float32))
        self.log_drift = nn.Parameter(torch.tensor(math.log(1.5 if vital is Vital.BVP else 0.6)))
        self.jump = nn.Parameter(torch.tensor(-5.0))
        self.again = nn.Parameter(torch.tensor(-1.0))
        self.first = nn.Parameter(torch.tensor(0.0))
        self.prior = nn.Parameter(torch.tensor([0.0, 0.0, -1.0, -1.0]))
        self.switch = nn.Parameter(torch.eye(4) * 7.5)  # what is behind a rhythm stays that for minutes

    def transition(self) -> tuple[torch.Tensor, torch.Tensor]:
        distance = (self.rates[:, None] - self.rates[None]) / torch.exp(self.log_drift)
        drift = torch.softmax(-(distance**2) / 2, dim=1)
        jump = torch.sigmoid(self.jump)
        return (1 - jump) * drift + jump / len(self.rates), torch.softmax(self.switch, dim=1)

    def heard(self, standard: torch.Tensor) -> torch.Tensor:
        """The network: (..., G, F) to (..., G, 3)."""
        wide = torch.relu(self.net["first"](standard))
        of_all = torch.cat([wide.mean(-2), wide.amax(-2)], dim=-1)
        wide = nn.functional.dropout(wide, DROPPED, self.training)
        narrow = torch.relu(self.net["second"](wide) + self.net["context"](of_all)[..., None, :])
        return self.net["third"](nn.functional.dropout(narrow, DROPPED, self.training))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(N, T, G, F) to belief (N, T, 1 + 3 G)."""
        standard = (features.float() - self.mean) / self.std
        if self.training:
            standard = standard + NOISE * torch.randn(*standard.shape[:2], 1, standard.shape[3])
        scores = self.heard(standard) * self.scale.exp() + self.offset
        n, t, g, _ = scores.shape
        drift, switch = self.transition()
        prior = torch.softmax(self.prior, dim=0)
        none, rest = prior[0].expand(n, 1), (prior[1:, None] / g).expand(3, g).expand(n, 3, g)
        weight, out = self.first.exp(), []
        for second in range(t):
            if second:
                types = torch.cat([none, rest.sum(2)], dim=1)  # (N, 4)
                arrived = types @ (switch - torch.diag(torch.diagonal(switch)))
                none_next = none * switch[0, 0] + arrived[:, :1]
                rest = (rest @ drift) * torch.diagonal(switch)[1:, None] + arrived[:, 1:, None] / g
                none, weight = none_next, torch.sigmoid(self.again)
            likelihood = torch.exp(weight * scores[:, second].clamp(-MOST, MOST)).permute(0, 2, 1)
            rest = rest * likelihood
            total = none + rest.sum((1, 2))[:, None]
            none, rest = none / total, rest / total[..., None]
            out.append(torch.cat([none, rest.reshape(n, -1)], dim=1))
        return torch.stack(out, dim=1)


def loss_of(model: Filter, belief: torch.Tensor, label, truth, world_rate, world_row, kernel: float) -> torch.Tensor:
    g = len(model.rates)
    pulse = belief[..., 1 : 1 + g]
    near = torch.exp(-(((model.rates - truth[..., None]) / kernel) ** 2) / 2)
    right = (pulse * near.nan_to_num()).sum(-1)
    lifeless = 1 - pulse.sum(-1)
    live, dead = label == LIVE, label == DEAD
    look = torch.arange(label.shape[1], dtype=torch.float32, device=label.device).expand(label.shape)
    weight = 1 + EARLY * torch.exp(-look / EARLY_LOOKS)
    weight = torch.where(dead, LIFELESS * weight, weight)
    loss = -(weight * torch.log(right + 1e-6))[live].sum() - (weight * torch.log(lifeless + 1e-6))[dead].sum()
    for row in (0, 1):
        of_world = dead & (world_row == row)[:, None] & torch.isfinite(world_rate)[:, None]
        if of_world.any():
            part = belief[..., 1 + (row + 1) * g : 1 + (row + 2) * g]
            here = torch.exp(-(((model.rates - world_rate[:, None]) / (1.5 * kernel)) ** 2) / 2).nan_to_num()
            loss = loss - 0.2 * torch.log((part * here[:, None]).sum(-1)[of_world] + 1e-4).sum()
    return loss / max(float(weight[live | dead].sum()), 1.0)


def batches(sequences: list[Sequence], size: int, rng: np.random.Generator):
    order = sorted(rng.permutation(len(sequences)), key=lambda i: len(sequences[i].label) // 10)
    groups = [order[i : i + size] for i in range(0, len(order), size)]
    for i in rng.permutation(len(groups)):
        yield stacked([sequences[j] for j in groups[i]])


def stacked(group: list[Sequence]):
    longest = max(len(one.label) for one in group)
    grid, width = group[0].features.shape[1:]
    features = np.zeros((len(group), longest, grid, width), np.float16)
    label, truth = np.full((len(group), longest), -1), np.full((len(group), longest), np.nan, np.float32)
    for i, one in enumerate(group):
        features[i, : len(one.label)] = one.features
        label[i, : len(one.label)], truth[i, : len(one.label)] = one.label, one.truth
    rows = {"light": 0, "keyframes": 0, "motion": 1}
    world = [one.world_rate if one.world_strength > 0.4 else np.nan for one in group]
    return (
        torch.from_numpy(features), torch.tensor(label), torch.tensor(truth), torch.tensor(world, dtype=torch.float32),
        torch.tensor([rows.get(one.world, -1) for one in group]),
    )  # fmt: skip


def read(folders: list[Path], vital: Vital, jobs: int = 2) -> list[Sequence]:
    files = sorted(path for folder in folders for path in folder.glob("*.npz") if ".part" not in path.name)
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("fork")) as pool:
        found = list(pool.map(partial(load, vital=vital), files, chunksize=8))
        bare = list(pool.map(partial(load, vital=vital, with_evidence=False), files[::WITHOUT], chunksize=8))
    # Where nothing but a waveform is known, no rhythm of the world can be told from a pulse: it is not asked for.
    found += [one for one in bare if one is not None and not one.world]
    return [one for one in found if one is not None and (one.label >= 0).any()]


def weighted(sequences: list[Sequence]) -> list[Sequence]:
    """Those that are fitted on, the real ones several times: there are few of them, and they are what it is for."""
    return [one for one in sequences for _ in range(_times(one.name))]


def _times(name: str) -> int:
    return next((times for beginning, times in TIMES.items() if name.startswith(beginning)), 1)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--vital", type=Vital, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=12, help="default: %(default)s")
    parser.add_argument("--again", type=Path, help="do not fit a network; settle the one of this file")
    parser.add_argument("--kept", type=Path, help="file to keep the features in between fits")
    parser.add_argument("--batch", type=int, default=24, help="default: %(default)s")
    parser.add_argument("--threads", type=int, default=2, help="default: %(default)s")
    args = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(args.threads)
    if args.kept and args.kept.is_file():
        sequences = pickle.loads(args.kept.read_bytes())  # our own file
    else:
        sequences = read(args.data, args.vital, args.threads)
        if args.kept:
            args.kept.write_bytes(pickle.dumps(sequences))
    fitted = weighted([one for one in sequences if not held_out(one.name)])
    checked = [one for one in sequences if held_out(one.name)]
    print(len(fitted), "sequences fitted,", len(checked), "held out", flush=True)
    sample = np.concatenate([one.features[::7].reshape(-1, one.features.shape[2]) for one in fitted]).astype(np.float32)
    model = Filter(args.vital, sample.shape[1], sample.mean(0), np.maximum(sample.std(0), 0.05))
    rng = np.random.default_rng(0)
    if args.again:
        reread(model, args.again)
        settle(model, checked, args.vital, rng)
        write(model, args.vital, args.output)
        return
    optimiser = torch.optim.AdamW(model.parameters(), 3e-3, weight_decay=1e-2)
    steps = args.epochs * math.ceil(len(fitted) / args.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 6e-3, steps + 1)
    best, kept = math.inf, model.state_dict()
    for epoch in range(args.epochs):
        losses = []
        model.train()
        for features, *labels in batches(fitted, args.batch, rng):
            loss = loss_of(model, model(features), *labels, KERNEL[args.vital])
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
        model.eval()
        with torch.no_grad():
            held = [loss_of(model, model(f), *r, KERNEL[args.vital]).item() for f, *r in batches(checked, 24, rng)]
        print(f"epoch {epoch} loss {np.mean(losses):.3f} held out {np.mean(held):.3f}", flush=True)
        if np.mean(held) < best:
            best, kept = np.mean(held), {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict(kept)
    settle(model, checked, args.vital, rng)
    write(model, args.vital, args.output)


def settle(model: Filter, checked: list[Sequence], vital: Vital, rng: np.random.Generator, epochs: int = 8) -> None:
    """Fit the size of the scores and the filter's own numbers on those that the network never saw: of what it learnt it is too
    sure, and of what it learnt under noise not sure enough."""
    model.eval()
    of_network = {id(parameter) for parameter in model.net.parameters()}
    free = [parameter for parameter in model.parameters() if id(parameter) not in of_network]
    optimiser = torch.optim.Adam(free, 0.03)
    for epoch in range(epochs):
        losses = []
        for features, *labels in batches(checked, 24, rng):
            loss = loss_of(model, model(features), *labels, KERNEL[vital])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        print(f"settled {epoch} loss {np.mean(losses):.3f}", flush=True)


def reread(model: Filter, path: Path) -> None:
    """Take the weights of a file that `write` made; the filter's own numbers begin anew."""
    with np.load(path) as file, torch.no_grad():
        for i, name in enumerate(LAYERS):
            model.net[name].weight.copy_(torch.tensor(file[f"weight{i}"]))
            model.net[name].bias.copy_(torch.tensor(file[f"bias{i}"]))
        model.net["context"].weight.copy_(torch.tensor(file["context"]))
        model.mean.zero_()
        model.std.fill_(1.0)


def write(model: Filter, vital: Vital, path: Path) -> None:
    """The file that vitals.belief reads: standardisation is folded into the first layer."""
    layers = [model.net[name] for name in LAYERS]
    arrays = {"context": model.net["context"].weight.detach().numpy()}
    for i, layer in enumerate(layers):
        weight, bias = layer.weight.detach(), layer.bias.detach()
        if i == 0:
            bias = bias - weight @ (model.mean / model.std)
            weight = weight / model.std
        if i + 1 == len(layers):
            grow = model.scale.detach().exp()
            weight, bias = weight * grow[:, None], bias * grow + model.offset.detach()
        arrays[f"weight{i}"], arrays[f"bias{i}"] = weight.numpy().astype(np.float32), bias.numpy().astype(np.float32)
    _, switch = model.transition()
    arrays["switch"] = switch.detach().numpy()
    arrays["prior"] = torch.softmax(model.prior, 0).detach().numpy()
    scalars = {
        "drift": model.log_drift.exp(),
        "jump": model.jump.sigmoid(),
        "again": model.again.sigmoid(),
        "first": model.first.exp(),
    }
    arrays.update({name: np.float32(value.item()) for name, value in scalars.items()})
    np.savez(path, **arrays)


if __name__ == "__main__":
    main()
