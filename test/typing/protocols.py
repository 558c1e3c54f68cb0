"""What follows which protocol; mypy reads this, nothing runs it (see [tool.mypy] in pyproject.toml).

A line that mypy refuses is a class that has left the interface it is said to follow, or an interface that no longer fits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rppg_ros.datasets import bp4d, buaa, ibvp, mmpd, pure, scamps, ubfc
    from rppg_ros.datasets.base import DatasetReader
    from rppg_ros.datasets.frames import Frames
    from rppg_ros.inference.classical import ClassicalEngine
    from rppg_ros.inference.engine import Engine
    from rppg_ros.inference.network import NetworkEngine
    from rppg_ros.inference.streaming import StreamingEngine
    from rppg_ros.models.blocks import NetworkConfig
    from rppg_ros.models.efficientphys import EfficientPhys, EfficientPhysConfig
    from rppg_ros.models.factorizephys import FactorizePhys, FactorizePhysConfig
    from rppg_ros.models.mmrphys import MMRPhys, MMRPhysConfig
    from rppg_ros.models.network import Network, StreamingNetwork
    from rppg_ros.models.phasenet import PhaseNet, PhaseNetConfig
    from rppg_ros.models.physfsunet import PhysFSUNet, PhysFSUNetConfig
    from rppg_ros.sources.bag import Bag
    from rppg_ros.sources.base import FrameSource, Merged
    from rppg_ros.sources.demo import DemoSource
    from rppg_ros.sources.folder import ImageFolder
    from rppg_ros.sources.video import Camera, VideoFile
    from rppg_ros.vision.detect import Detector, HaarDetector, YuNetDetector

    def engines(pos: ClassicalEngine, windowed: NetworkEngine, streaming: StreamingEngine) -> list[Engine]:
        return [pos, windowed, streaming]

    def detectors(haar: HaarDetector, yunet: YuNetDetector) -> list[Detector]:
        return [haar, yunet]

    def sources(
        bag: Bag,
        images: ImageFolder,
        video: VideoFile,
        camera: Camera,
        demo: DemoSource,
        merged: Merged,
        frames: Frames,
    ) -> list[FrameSource]:
        return [bag, images, video, camera, demo, merged, frames]

    def readers() -> list[DatasetReader]:
        simple, realistic = ubfc.read_simple, ubfc.read_realistic
        return [bp4d.read, buaa.read, ibvp.read, mmpd.read, pure.read, scamps.read, simple, realistic]

    def networks(
        mmrphys: MMRPhys,
        factorizephys: FactorizePhys,
        efficientphys: EfficientPhys,
        phasenet: PhaseNet,
        physfsunet: PhysFSUNet,
    ) -> list[Network]:
        return [mmrphys, factorizephys, efficientphys, phasenet, physfsunet]

    def streaming_networks(phasenet: PhaseNet) -> list[StreamingNetwork]:
        return [phasenet]

    def configs(
        mmrphys: MMRPhysConfig,
        factorizephys: FactorizePhysConfig,
        efficientphys: EfficientPhysConfig,
        phasenet: PhaseNetConfig,
        physfsunet: PhysFSUNetConfig,
    ) -> list[NetworkConfig]:
        return [mmrphys, factorizephys, efficientphys, phasenet, physfsunet]
