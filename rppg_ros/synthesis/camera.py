"""What a camera makes of light: exposure, white balance, noise, gamma, chroma subsampling, compression, uneven frames."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from rppg_ros.synthesis.codec import CodecConfig

GAMMA = 1 / 2.2
GREY = np.array([[0.299, 0.587, 0.114]], np.float32)
GREY_MIDDLE = 115.0
CHROMA_OPTIONS = {"444": "IMWRITE_JPEG_SAMPLING_FACTOR_444", "420": "IMWRITE_JPEG_SAMPLING_FACTOR_420"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraConfig:
    """What the camera is like.

    Attributes
    ----------
    fps : nominal. jitter_s : standard deviation of its frames' times. drop : share of frames lost. rate_drift : slow change
        of fps, share. repeats : share of frames that show the one before again, as of drivers and files that fill up.
    shot_noise, read_noise : standard deviation at full and at no light, grey levels of 8 bits.
    sharpening : of the camera's own processing, share.
    exposure_steps_per_minute, exposure_step : sudden changes of exposure, and their size, share.
    balance_steps_per_minute, balance_step : of white balance.
    gamma : of the transfer curve; 1 is linear. contrast, saturation : that the camera's processing adds, 1: none.
    jpeg_quality : of each frame by itself; 0: not compressed so. chroma : "444" or "420".
    codec : video compression, after JPEG if there is both.
    """

    fps: float = 30.0
    jitter_s: float = 0.002
    drop: float = 0.0
    rate_drift: float = 0.0
    repeats: float = 0.0
    shot_noise: float = 2.5
    read_noise: float = 1.0
    sharpening: float = 0.0
    exposure_steps_per_minute: float = 0.0
    exposure_step: float = 0.05
    balance_steps_per_minute: float = 0.0
    balance_step: float = 0.02
    gamma: float = GAMMA
    contrast: float = 1.0
    saturation: float = 1.0
    jpeg_quality: int = 0
    chroma: str = "420"
    codec: CodecConfig = field(default_factory=CodecConfig)


def frame_times(config: CameraConfig, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Acquisition times (T,) of the frames that arrive, seconds from 0, rising."""
    n = int(seconds * config.fps) + 1
    drift = 1 + config.rate_drift * np.sin(2 * np.pi * np.arange(n) / n * rng.uniform(0.3, 2) + rng.uniform(0, 6.28))
    times = np.concatenate([[0.0], np.cumsum(drift[1:] / config.fps)])
    times[1:-1] += rng.normal(0, config.jitter_s, n)[1:-1].clip(-0.4 / config.fps, 0.4 / config.fps)
    kept = rng.uniform(size=n) >= config.drop
    kept[0] = kept[-1] = True
    return times[kept]


def gains(config: CameraConfig, times_s: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Exposure times white balance (T, 3), in steps, about 1."""
    exposure = _steps(times_s, config.exposure_steps_per_minute, config.exposure_step, 1, rng)
    balance = _steps(times_s, config.balance_steps_per_minute, config.balance_step, 3, rng)
    return exposure * balance


def expose(config: CameraConfig, linear: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """An 8-bit RGB image (S, S, 3) of linear light, 1 white.

    Parameters
    ----------
    noise : (S, S, 3) standard normal.
    """
    light = np.clip(linear, 0.0, 1.2)
    curve = _processed(config, cv2.pow(light, config.gamma) * 255)
    deviation = np.sqrt(config.read_noise**2 + config.shot_noise**2 * np.clip(light, 0, 1))
    image = curve + deviation * noise
    if config.sharpening:
        image = image + config.sharpening * (image - cv2.GaussianBlur(image, (0, 0), 1.0))
    image = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    return _compressed(config, image) if config.jpeg_quality else image


def _processed(config: CameraConfig, image: np.ndarray) -> np.ndarray:
    """Grey levels with more contrast and colour."""
    if config.contrast == 1 and config.saturation == 1:
        return image
    grey = cv2.transform(image, GREY)[..., None]
    return (GREY_MIDDLE * (1 - config.contrast) + (config.contrast * (1 - config.saturation)) * grey) + (
        config.contrast * config.saturation
    ) * image


def _compressed(config: CameraConfig, image: np.ndarray) -> np.ndarray:
    options = [cv2.IMWRITE_JPEG_QUALITY, config.jpeg_quality]
    _, data = cv2.imencode(".jpg", image[..., ::-1], options + _chroma_options(config.chroma))
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None  # it has just been encoded
    return decoded[..., ::-1]


def _chroma_options(chroma: str) -> list[int]:
    """For cv2.imencode. OpenCV before 4.7 has no choice: it always halves the chroma."""
    code = getattr(cv2, CHROMA_OPTIONS[chroma], None)
    if code is not None:
        return [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, code]
    if chroma == "420":
        return []
    raise RuntimeError(f"a camera with chroma {chroma} needs OpenCV 4.7 or later; this is {cv2.__version__}")


def _steps(times_s: np.ndarray, per_minute: float, size: float, channels: int, rng: np.random.Generator) -> np.ndarray:
    """(T, channels) about 1; a step takes a few frames, as auto exposure does."""
    curve = np.ones((len(times_s), channels))
    for _ in range(rng.poisson(per_minute * times_s[-1] / 60)):
        start, length = rng.uniform(0, times_s[-1]), rng.uniform(0.03, 0.5)
        risen = np.clip((times_s - start) / length, 0, 1)[:, None]
        curve = curve * (1 + size * rng.normal(size=channels) * risen)
    return curve
