"""Faces: detection, tracking between detections, steady crops; thermal radiometry and registration."""
