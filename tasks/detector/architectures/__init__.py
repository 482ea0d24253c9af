"""The OD API's meta-architectures (SSD with EfficientDet, CenterNet, Faster R-CNN), an adapter for each.

What training, restoring, freezing and exporting need of a model, and what differs between them, is here and nowhere
else: `architecture.py` has the questions, and a module for each meta-architecture the answers.
"""
