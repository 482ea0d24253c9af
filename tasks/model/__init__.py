"""What a detector is, without TensorFlow: definitions, geometry, anchors, label map, score thresholds."""
