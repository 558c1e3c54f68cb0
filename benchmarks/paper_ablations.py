"""What each idea of the four papers is worth, trained and judged side by side; Markdown tables for docs/ablations.md.

    python benchmarks/paper_ablations.py FOLDER --reference REFERENCE [--study NAME...] [--seeds N] [--only-table]

Every variant of a study is trained on the same made-up windows, in the same order, from the same seed; judged on real people
who move with a pulse put in, and on hard made-up people. Resumable: a network that is trained, and a judgement that is made, is
not made again. FOLDER holds crops of faces.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import lightning
import numpy as np
import torch
from ablation_judged import WITHIN, judge
from ablation_studies import STUDIES, Study, Variant
from ablation_windows import KeptWindows
from lightning.pytorch.callbacks import EMAWeightAveraging
from torch.utils.data import DataLoader

from rppg_ros.models.export import export
from rppg_ros.models.saved import Provenance, Saved, card_of, load, save
from rppg_ros.training.config import TrainConfig
from rppg_ros.training.data import WindowSpec
from rppg_ros.training.module import Learner

DRAWS = 2000  # of the bootstrap


@dataclass(frozen=True, slots=True)
class Run:
    """One network to train: of a study, a variant, a seed."""

    study: str
    name: str
    seed: int

    @property
    def variant(self) -> Variant:
        return STUDIES[self.study].variants[self.name]

    def config(self) -> TrainConfig:
        """Its settings."""
        study = STUDIES[self.study]
        settings = {"loss": "pearson", "threads": 1} | study.base | self.variant.settings
        settings["options"] = study.base["options"] | self.variant.options
        return TrainConfig(**settings, epochs=1, steps=study.steps, seed=self.seed)

    def folder(self, root: Path) -> Path:
        safe = "".join(c if c.isalnum() else "-" for c in self.name)
        return root / self.study / f"{safe}-{self.seed}"


def trained(run: Run, root: Path) -> Path:
    """The exported network."""
    folder = run.folder(root)
    if (folder / "model.onnx").is_file():
        return folder / "model.onnx"
    folder.mkdir(parents=True, exist_ok=True)
    config = run.config()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    lightning.seed_everything(config.seed, workers=True, verbose=False)
    learner = Learner(config)
    shares = {"lifeless": config.lifeless, "rhythm": config.rhythm}
    spec = WindowSpec.of(config.network(), config.frames, rate_hz=config.rate_hz, **shares)
    kept = KeptWindows(spec, config.seed, config.steps * config.batch, root / "windows")
    if run.variant.truth:
        kept.change = run.variant.truth
    averaged = EMAWeightAveraging(decay=config.ema_decay)
    trainer = lightning.Trainer(
        accelerator="cpu", precision=config.precision, max_epochs=1, gradient_clip_val=config.clip_norm, logger=False,
        callbacks=[averaged], enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    if run.variant.change:
        run.variant.change(learner)
    trainer.fit(learner, DataLoader(kept, batch_size=config.batch))
    torch.set_flush_denormal(False)
    provenance = Provenance(frames=config.frames, rate_hz=config.rate_hz, training_data="made-up people")
    network = learner.network.eval()
    if run.variant.change is None:
        save(network, config.family, provenance, folder / "model.pt")
        saved = load(folder / "model.pt")
    else:  # the file would be read into a network without the change
        saved = Saved(network, config.family, provenance)
    export(saved.network, card_of(saved, name=run.name), folder / "part.onnx")
    (folder / "part.onnx").rename(folder / "model.onnx")
    return folder / "model.onnx"


def judged_run(run: Run, root: Path, reference: Path) -> list[dict]:
    """What it scored, clip by clip."""
    path = run.folder(root) / "scores.json"
    if not path.is_file():
        found = judge(trained(run, root), root / "judged", reference)
        path.write_text(json.dumps(found))
    return json.loads(path.read_text())


COLUMNS = (
    ("moving", "bvp", "real people who move: heart"),
    ("hard", "bvp", "hard made-up people: heart"),
    ("hard", "rsp", "hard made-up people: breath"),
)


def interval(values: np.ndarray) -> list[str]:
    """Mean, and its 95 % interval by resampling clips (columns) of all seeds (rows)."""
    rng = np.random.default_rng(0)
    drawn = [np.nanmean(values[:, rng.integers(0, values.shape[1], values.shape[1])]) for _ in range(DRAWS)]
    return [f"{number:.3g}" for number in (np.nanmean(values), *np.nanpercentile(drawn, [2.5, 97.5]))]


def table(study: str, found: dict[str, list[list[dict]]]) -> None:
    """Rows of a study: error of the whole clip, share within WITHIN, seconds given."""
    some = [one for seeds in found.values() for seed in seeds for one in seed]
    for group, vital, title in COLUMNS:
        mine = [one for one in some if one["group"] == group]
        if not any(np.isfinite(one.get(f"{vital}_error", np.nan)) for one in mine):
            continue
        print(f"\n{study}, {STUDIES[study].steps} steps of {STUDIES[study].base['batch']}; {title}:\n")
        heads = ["error", "from", "to", f"within {WITHIN:g}, %", "from", "to", "given, %"]
        print(f"| variant | seeds | {' | '.join(heads)} |\n|---|---:|{'---:|' * len(heads)}")
        for name, seeds in found.items():
            rows = [[one for one in seed if one["group"] == group] for seed in seeds]
            error = _values(rows, f"{vital}_error")
            near = np.where(np.isnan(error), 0.0, error <= WITHIN) * 100
            given = 100 * np.nansum(_values(rows, f"{vital}_given")) / np.nansum(_values(rows, f"{vital}_seconds"))
            print(
                f"| {name} | {len(seeds)} | {' | '.join([*interval(error), *interval(near), f'{given:.0f}'])} |",
                flush=True,
            )


def _values(rows: Sequence[Sequence[dict]], name: str) -> np.ndarray:
    return np.array([[one.get(name, np.nan) for one in row] for row in rows], float)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--reference", type=Path, required=True)
    parser.add_argument("--study", nargs="*", default=list(STUDIES), choices=STUDIES)
    parser.add_argument("--seeds", type=int, help="default: what the study asks for")
    parser.add_argument("--only-table", action="store_true", help="of what is there")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    for name in args.study:
        study: Study = STUDIES[name]
        found: dict[str, list[list[dict]]] = {}
        for seed in range(args.seeds or study.seeds):  # a whole comparison after each seed
            for variant in study.variants:
                run = Run(name, variant, seed)
                if args.only_table and not (run.folder(args.folder) / "scores.json").is_file():
                    continue
                found.setdefault(variant, []).append(judged_run(run, args.folder, args.reference))
                print(f"{name}: {variant}, seed {seed}: done", flush=True)
        if found:
            table(name, found)


if __name__ == "__main__":
    main()
