"""How good detections are: figures from boxes, no model and no TensorFlow."""
