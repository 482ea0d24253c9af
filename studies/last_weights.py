"""What the last weights of a training detect. No checkpoint is chosen, so nothing is chosen by what is scored."""

from tasks.dataset.dataset import Dataset
from tasks.dataset.detections import Detections
from tasks.detector.network import build_network
from tasks.detector.pipeline_config import read_pipeline_config
from tasks.exporting.saved_model import load_weights
from tasks.model.label_map import read_label_map
from tasks.params import Params
from tasks.tfrecords.tf_example import read_split, shards_of
from tasks.training.validation import RecordsDetector


def detect_with_last_weights(params: Params, split: str) -> tuple[Dataset, list[Detections]]:
    """The images of `split` (train, val or test) in a run's records, and its detections in each of them."""
    paths = params.paths
    classes = read_label_map(paths.records / "label_map.pbtxt")
    images = Dataset(paths.records, classes, read_split(paths.records, split))
    network = build_network(read_pipeline_config(paths.pipeline_config), is_training=False)
    load_weights(network, paths.trained / "last" / "ckpt-0")
    return images, RecordsDetector(network, shards_of(paths.records, split), images.images, classes)()
