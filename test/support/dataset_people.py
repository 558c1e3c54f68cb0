"""Small data sets in the published layouts, with a made-up person's film and a pulse wave in each recording."""

import cv2
import numpy as np

from support import dataset_folders as folders
from support.recordings import person_film

SECONDS, WIDTH = 3.0, 200


def film(subject, fps=30):
    frames = person_film(seconds=SECONDS, width=WIDTH, heart_rate=60 + 10 * subject, seed=subject)
    return frames if fps == 30 else [frames[round(i * 30 / fps)] for i in range(int(SECONDS * fps) - 1)]


def pure(root, subjects=(1, 2, 3)):
    for subject in subjects:
        folders.pure(root, folder=f"{subject:02d}-01", film=film(subject))
    return root


def ubfc2(root, subjects=(8, 9, 10)):
    for subject in subjects:
        place = root / f"subject{subject}"
        frames = film(subject - 7)
        folders.video(place / "vid.avi", film=frames)
        times = np.arange(len(frames)) / 30
        rows = (folders.wave(len(frames)), np.full(len(frames), 72.0), times)
        (place / "ground_truth.txt").write_text("\n".join(" ".join(f"{v:.7e}" for v in row) for row in rows))
    return root


def bp4d(root, subjects=("F001", "F002", "M001")):
    for number, subject in enumerate(subjects):
        frames = film(number + 1, 25)
        pictures, sensors = root / "2D+3D" / subject / "T1", root / "Physiology" / subject / "T1"
        for folder in (pictures, sensors):
            folder.mkdir(parents=True)
        for index, frame in enumerate(frames):
            cv2.imwrite(str(pictures / f"{index}.jpg"), frame)
        count = len(frames) * 40
        for name, values in {
            "BP_mmHg.txt": 90 + 30 * folders.wave(count, rate=1000.0),
            "Resp_Volts.txt": folders.wave(count, 0.3, 1000.0),
            "Pulse Rate_BPM.txt": np.full(count, 72.0),
            "Respiration Rate_BPM.txt": np.full(count, 18.0),
        }.items():
            (sensors / name).write_text("\n".join(f"{v:.6f}" for v in values))
    return root
