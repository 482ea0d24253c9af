"""The domain: boxes, annotated images, data sets. numpy only; no file formats, no TensorFlow."""
