"""The domain: boxes, annotated images, data sets, detections, kinds of problems.

numpy only: no annotation formats, no TensorFlow.
Boxes are float64 `(N, 4)` in absolute pixels: `[xmin, ymin, xmax, ymax]`.
"""
