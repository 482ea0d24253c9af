"""The detector: the only room that imports TensorFlow and the Object Detection API."""
