"""Pictures of no face that a camera could have taken: neighbouring pixels have something in common."""

import cv2
import numpy as np


def a_view(rng, height=120, width=160, channels=3):
    """uint8 (H, W, 3), or (H, W) for one channel: large soft shapes and a little noise, another each time."""
    shape = (4, 5, channels) if channels > 1 else (4, 5)
    soft = cv2.resize(rng.uniform(20, 235, shape).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(soft + rng.normal(0, 4, soft.shape), 0, 255).astype(np.uint8)
