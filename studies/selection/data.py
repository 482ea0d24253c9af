"""What the rounds of one data set start from: its records, and vectors of its photos."""

from pathlib import Path

import numpy as np

from studies.selection.rounds import Pool
from studies.stages import prepare_data
from tasks.dataset.coco_json import read_coco
from tasks.ground.files import replacing
from tasks.images.image_file import read_rgb
from tasks.params import Params
from tasks.partition.similar import find_similar
from tasks.tfrecords.tf_example import read_split

_VECTORS = "vectors.npz"


def prepare(name: str, folder: Path) -> None:
    """Write data/`name`/records and data/`name`/vectors.npz, from the annotations and images in `folder`.

    Raises:
        PipelineError: as the stages raise it.
    """
    from tasks.detector.embedding import PhotoEmbedder  # noqa: PLC0415 - imports TensorFlow

    prepare_data(name, folder)
    photos = read_coco(Path("data") / name / "validated" / "annotations.json")
    vectors = PhotoEmbedder()(read_rgb(photos.image_path(image)) for image in photos.images)
    with replacing(Path("data") / name / _VECTORS) as beside, beside.open("wb") as file:
        np.savez(file, names=np.array([image.file_name for image in photos.images]), vectors=vectors)


def read_pool(params: Params) -> Pool:
    """The photos of the train split, in the order of their records."""
    names = [image.file_name for image in read_split(params.paths.records, "train")]
    with np.load(params.paths.records.parent / _VECTORS) as file:
        row = {str(name): number for number, name in enumerate(file["names"])}
        vectors = file["vectors"][[row[name] for name in names]]
    place = {name: number for number, name in enumerate(names)}
    similar = find_similar(
        [each for each in read_coco(params.paths.validated).images if each.file_name in place], params.split
    )
    pairs = [(place[similar.images[a].file_name], place[similar.images[b].file_name]) for a, b, _ in similar.pairs]
    return Pool(names, vectors, pairs)
