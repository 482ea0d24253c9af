"""What an exported ONNX file promises, and the SavedModel with it: tensor names, operator set, keys of the metadata."""

# Of 2022: every runtime since onnxruntime 1.12 knows it, and it has all that an SSD needs.
OPSET = 17
INPUT = "input_tensor"
BOXES, SCORES, CLASSES, COUNT = OUTPUTS = (
    "detection_boxes",
    "detection_scores",
    "detection_classes",
    "num_detections",
)
# A JSON list of class names, in the order of their ids.
CLASS_NAMES = "classes"
FIRST_ID = 1
