"""Small folders in exactly the published layouts of the datasets, with pixels and waves that are known."""

import json
import zipfile

import cv2
import numpy as np
from scipy.io import savemat

FRAMES, SIDE = 12, 24


def image(index, side=SIDE):
    """A BGR image that is different for each index."""
    rng = np.random.default_rng(index)
    return rng.integers(0, 256, (side, side, 3), dtype=np.uint8)


def wave(count, hz=1.2, rate=30.0):
    return np.sin(2 * np.pi * hz * np.arange(count) / rate)


def video(path, frames=FRAMES, fps=30.0, side=64, film=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    film = [image(index, side) for index in range(frames)] if film is None else film
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"FFV1"), fps, film[0].shape[1::-1])
    for frame in film:
        writer.write(frame)
    writer.release()


def ubfc1(root, start_ms=0):
    video(root / "5-gt" / "vid.avi")
    rows = [f"{start_ms + i * 16},70,98,{v:.6f}" for i, v in enumerate(wave(25, rate=62.5))]
    (root / "5-gt" / "gtdump.xmp").write_text("\n".join(rows))


def ubfc2(root, stamps=None):
    video(root / "subject10" / "vid.avi")
    times = (np.arange(FRAMES) / 29.4 + 0.01) if stamps is None else stamps
    rows = (wave(len(times)), np.full(len(times), 81.0), times)
    text = "\n".join(" ".join(f"{v:.7e}" for v in row) for row in rows)
    (root / "subject10" / "ground_truth.txt").write_text(text + "\n")


def pure(root, start_ns=1_392_643_993_642_815_000, folder="01-02", film=None):
    """`film` : BGR frames; noise by default."""
    table, folder = root / f"{folder}.json", root / folder / folder
    folder.mkdir(parents=True)
    film = [image(index) for index in range(FRAMES)] if film is None else film
    stamps = [start_ns + i * 33_339_000 for i in range(len(film))]
    for frame, stamp in zip(film, stamps, strict=True):
        cv2.imwrite(str(folder / f"Image{stamp}.png"), frame)
    sensor = [start_ns + i * 16_666_667 for i in range(2 * len(film))]
    package = [
        {"Timestamp": t, "Value": {"waveform": int(50 + 40 * v), "pulseRate": 64, "o2saturation": 97}}
        for t, v in zip(sensor, wave(len(sensor), rate=60.0), strict=True)
    ]
    text = json.dumps({"/FullPackage": package, "/Image": [{"Timestamp": t, "Value": {}} for t in stamps]})
    table.write_text(text)
    return stamps


def ibvp(root, header="BVP,SQPhysMD,SQ1,SQ2,Perfusion_Value", first_ms=1_661_000_000_000, step_ms=34, counts=7500):
    """With step_ms 1 the images' names are mere numbers."""
    folder = root / "p01_a"
    for part in ("rgb", "t"):
        (folder / f"p01_a_{part}").mkdir(parents=True)
    for index in range(FRAMES):
        name = first_ms + index * step_ms
        cv2.imwrite(str(folder / "p01_a_rgb" / f"{name}.bmp"), image(index))
        (counts + np.full((512, 640), index)).astype("<u2").tofile(folder / "p01_a_t" / f"{name + 5}.raw")
    rows = [f"{v:.5f},0.9,1,{0.1 if i == 5 else 1.0},2.5" for i, v in enumerate(wave(FRAMES))]
    (folder / "p01_a_bvp.csv").write_text("\n".join([header, *rows] if header else rows))


def mmpd(root, scale=1.0, values=FRAMES):
    folder = root / "subject3"
    folder.mkdir(parents=True)
    frames = np.stack([image(i)[..., ::-1] for i in range(FRAMES)]) / 255.0 * scale
    words = dict(light="LED-low", motion="Watching Videos", exercise="False", gender="male", glasser="True")
    words |= dict(hair_cover="False", makeup="False")
    savemat(
        folder / "p3_7.mat", {"video": frames, "GT_ppg": wave(values)[None], "skin_color": np.array([[4]]), **words}
    )


def buaa(root, struct=False):
    """With the pulse wave in a table, or in a MATLAB struct."""
    folder = root / "Sub 01" / "lux 10.0"
    video(folder / "lux10.0_APH.avi")
    values = wave(24, rate=60.0)
    if struct:
        savemat(folder / "lux10.0_PPGData.mat", {"PPG": {"data": values[:, None], "fs": 60.0, "peaks": [3, 9]}})
    else:
        (folder / "lux10.0_APH_wave.csv").write_text("\n".join(f"{v:.5f}" for v in values))
    (folder / "lux10.0_APH.csv").write_text(
        "TIME,PULSE,SPO2\n10:00:01,72,98\n10:00:01,73,98\n10:00:02,0,0\n10:00:02,74,98\n"
    )


def scamps(root):
    import h5py

    root.mkdir(parents=True, exist_ok=True)
    frames = np.stack([image(i)[..., ::-1] for i in range(FRAMES)]) / 255.0
    with h5py.File(root / "P000001.mat", "w") as file:
        file["RawFrames"] = frames.transpose(3, 2, 1, 0)
        file["d_ppg"], file["d_br"] = wave(FRAMES)[:, None], wave(FRAMES, 0.3)[:, None]


def bp4d(root, zipped=True):
    sensors = root / "Physiology" / "F001" / "T2"
    sensors.mkdir(parents=True)
    for name, values in {
        "BP_mmHg.txt": 90 + 30 * wave(480, rate=1000.0),
        "Resp_Volts.txt": wave(480, 0.3, 1000.0),
        "Pulse Rate_BPM.txt": np.full(480, 75.0),
        "Respiration Rate_BPM.txt": np.full(480, 14.0),
    }.items():
        (sensors / name).write_text("\n".join(f"{v:.6f}" for v in values))
    (root / "2D+3D").mkdir()
    if not zipped:
        (root / "2D+3D" / "F001" / "T2").mkdir(parents=True)
    with zipfile.ZipFile(root / "2D+3D" / "F001.zip", "w") as archive:
        for index in range(FRAMES):
            data = cv2.imencode(".jpg", image(index), [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes()
            archive.writestr(f"F001/T2/{index:04d}.jpg", data)
            archive.writestr(f"F001/T1/{index:04d}.jpg", data)
            if not zipped:
                (root / "2D+3D" / "F001" / "T2" / f"{index}.jpg").write_bytes(data)


def bp4d_matrices(root, unit="celsius"):
    """As MMRPhys's authors keep it; `unit` of the thermal matrices: celsius, kelvin or counts."""
    folder = root / "F001_T02"
    for part in ("rgb", "t"):
        (folder / f"F001_T02_{part}").mkdir(parents=True)
    for index in range(FRAMES):
        np.save(folder / "F001_T02_rgb" / f"{index:04d}.npy", image(index)[..., ::-1])
        heat = 30 + 0.01 * index + np.zeros((24, 32))
        heat = {"celsius": heat, "kelvin": heat + 273.15, "counts": 7000 + 10 * index + np.zeros((24, 32))}[unit]
        np.save(folder / "F001_T02_t" / f"{index:04d}.npy", heat.astype(np.uint16 if unit == "counts" else np.float32))
    rows = [f"{a:.4f},{b:.4f},0,0,75.0,14.0,120,95,80" for a, b in zip(wave(FRAMES), wave(FRAMES, 0.3), strict=True)]
    (folder / "F001_T02_phys.csv").write_text("\n".join(["BVP,RSP,EDA,ECG,HR,RR,SysBP,MeanBP,DiaBP", *rows]))
