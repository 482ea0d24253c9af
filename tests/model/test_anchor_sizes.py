"""The report computes anchors without TensorFlow; here they are compared with those of the OD API's own generators."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from object_detection.builders import anchor_generator_builder, image_resizer_builder
from object_detection.protos import pipeline_pb2

from tasks.dataset.boxes import as_boxes, iou
from tasks.dataset.dataset import AnnotatedImage, flags
from tasks.detector.model_messages import detector_message
from tasks.detector.model_proto import pipeline_proto
from tasks.errors import ConfigError
from tasks.model.anchors import best_iou, sizes_at_input
from tasks.model.definitions import MODELS
from tasks.model.faster_rcnn_models import FASTER_RCNN_MODELS
from tasks.model.geometry import read_model_geometry, read_resizer
from tasks.model.ssd_models import SSD_MODELS
from tests.detector.zoo_fpn import zoo_fpn_config

SSD = "model { ssd { image_resizer { %s } anchor_generator { %s } matcher { argmax_matcher { %s } } } }"
FIXED = "fixed_shape_resizer { width: 320 height: 256 }"
PYRAMID = "multiscale_anchor_generator { aspect_ratios: 1.0 }"


def of_the_od_api(config, height, width):
    """`(N, 2)` sizes in pixels of the anchors in one place of each level, and the sizes level by level."""
    proposing = config.model.HasField("faster_rcnn")
    model = detector_message(config)
    generator = anchor_generator_builder.build(
        model.first_stage_anchor_generator if proposing else model.anchor_generator
    )
    shapes = [(2, 3)] * len(generator.num_anchors_per_location())
    levels = []
    # A grid's anchors are in pixels already.
    height, width = (1, 1) if proposing else (height, width)
    sides = {} if proposing else {"im_height": height, "im_width": width}
    for boxes, count in zip(generator.generate(shapes, **sides), generator.num_anchors_per_location(), strict=True):
        ymin, xmin, ymax, xmax = tf.unstack(boxes.get()[:count], axis=1)
        levels.append(np.stack([(xmax - xmin) * width, (ymax - ymin) * height], axis=1))
    return levels


def by_size(level):
    return level[np.lexsort(np.round(level, 2).T)]


def read(tmp_path, text):
    path = tmp_path / "pipeline.config"
    path.write_text(text)
    return read_model_geometry(path)


CONFIGS = {
    **{model.name: text_format.MessageToString(pipeline_proto(model)) for model in (*SSD_MODELS, *FASTER_RCNN_MODELS)},
    "a Faster R-CNN with an FPN": text_format.MessageToString(zoo_fpn_config()),
    "an oblong input": SSD % (FIXED, "ssd_anchor_generator { aspect_ratios: [1, 2, 0.5] }", ""),
    "scales and base of its own": SSD
    % (
        FIXED,
        "ssd_anchor_generator { num_layers: 3 scales: [0.1, 0.3, 0.7] aspect_ratios: [1.0, 3.0] base_anchor_height: 0.5"
        " reduce_boxes_in_lowest_layer: false interpolated_scale_aspect_ratio: 2.0 }",
        "",
    ),
    "no interpolated anchor": SSD
    % (FIXED, "ssd_anchor_generator { aspect_ratios: 1.0 interpolated_scale_aspect_ratio: 0.0 }", ""),
    "another pyramid": SSD
    % (
        FIXED,
        "multiscale_anchor_generator { min_level: 2 max_level: 4 anchor_scale: 3 aspect_ratios: [1.0, 0.3] "
        "scales_per_octave: 3 }",
        "",
    ),
}


@pytest.mark.parametrize("text", CONFIGS.values(), ids=CONFIGS)
def test_anchors_are_those_of_the_od_api(tmp_path, text):
    config = text_format.Parse(text, pipeline_pb2.TrainEvalPipelineConfig())
    geometry = read(tmp_path, text)
    expected = of_the_od_api(config, *geometry.resizer.canvas)
    assert len(geometry.anchors.levels) == len(expected)
    for ours, theirs in zip(geometry.anchors.levels, expected, strict=True):
        np.testing.assert_allclose(by_size(ours), by_size(theirs), rtol=2e-4)


@pytest.mark.parametrize("name", [model.name for model in (*SSD_MODELS, *FASTER_RCNN_MODELS)])
def test_input_size_and_matcher_are_those_of_the_config(tmp_path, name):
    geometry = read(tmp_path, CONFIGS[name])
    assert geometry.resizer.canvas == (MODELS[name].side_px,) * 2
    assert geometry.resizer.keeps_proportions == MODELS[name].keeps_proportions
    assert (geometry.matched_iou, geometry.force_match) == (0.5, True)


def test_the_grid_of_a_faster_rcnn_has_twelve_anchors_in_a_cell_of_16_pixels(tmp_path):
    geometry = read(tmp_path, CONFIGS["faster_rcnn_resnet50_v1_640x640"])
    assert geometry.finest_stride_px == 16
    sizes = geometry.anchors.sizes
    assert len(sizes) == 12
    # Scales are of 256 pixels, and keep their area in every proportion.
    np.testing.assert_allclose(sorted(set(np.sqrt(sizes.prod(axis=1)).round(6))), [64, 128, 256, 512])
    assert np.isclose(sizes, [64, 64]).all(axis=1).sum() == 1


def test_the_levels_of_a_faster_rcnn_with_an_fpn_begin_at_cells_of_4_pixels(tmp_path):
    geometry = read(tmp_path, CONFIGS["a Faster R-CNN with an FPN"])
    assert (geometry.finest_stride_px, geometry.matched_iou, geometry.force_match) == (4, 0.5, True)
    assert [len(level) for level in geometry.anchors.levels] == [6] * 5
    sides = np.sqrt(geometry.anchors.sizes.prod(axis=1))
    np.testing.assert_allclose([sides.min(), sides.max()], [16, 256 * np.sqrt(2)], rtol=1e-4)


@pytest.mark.parametrize("size", [(64, 48), (300, 900), (2000, 500), (100, 100)], ids=str)
@pytest.mark.parametrize(
    "resizer",
    [FIXED, "keep_aspect_ratio_resizer { min_dimension: 60 max_dimension: 128 }", "keep_aspect_ratio_resizer { }"],
)
def test_boxes_are_scaled_as_the_od_api_scales_the_image(tmp_path, size, resizer):
    width, height = size
    n = 1
    image = AnnotatedImage("a.jpg", width, height, as_boxes([[0, 0, width, height]]), ("cat",), flags(n), flags(n))
    text = SSD % (resizer, PYRAMID, "")
    config = text_format.Parse(text, pipeline_pb2.TrainEvalPipelineConfig())
    resize = image_resizer_builder.build(config.model.ssd.image_resizer)
    resized = resize(tf.zeros([height, width, 3]))[0]
    # The image's sides are rounded to pixels.
    expected = [[resized.shape[1], resized.shape[0]]]
    np.testing.assert_allclose(sizes_at_input(image, read(tmp_path, text).resizer), expected, atol=0.51)


def test_the_anchors_of_a_padded_input_are_fractions_of_the_padded_side(tmp_path):
    padded = "keep_aspect_ratio_resizer { min_dimension: 100 max_dimension: 200 pad_to_max_dimension: true }"
    geometry = read(tmp_path, SSD % (padded, "ssd_anchor_generator { scales: 0.5 num_layers: 1 aspect_ratios: 1 "
                                             "reduce_boxes_in_lowest_layer: false }", ""))  # fmt: skip
    assert geometry.anchors.sizes[0].tolist() == [100.0, 100.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model {", "not a pipeline.config"),
        ("\xff", "not a pipeline.config"),
        ("model { ssd { image_resizer { fixed_shape_resizer { } } } }", "no argmax_matcher"),
        ("model { faster_rcnn { num_classes: 3 } }", "neither a fixed_shape_resizer"),
        ("model { faster_rcnn { image_resizer { fixed_shape_resizer { } } } }", "nor a grid_anchor_generator"),
        (SSD % ("identity_resizer {}", PYRAMID, ""), "neither a fixed_shape_resizer"),
        (SSD % ("fixed_shape_resizer { width: 0 }", PYRAMID, ""), "neither a fixed_shape_resizer"),
        (SSD % (FIXED, "flexible_grid_anchor_generator { }", ""), "neither a multiscale_anchor_generator"),
        (
            SSD % (FIXED, "multiscale_anchor_generator { }", ""),
            "has no aspect_ratios, or one that is not above 0; write some",
        ),
        (SSD % (FIXED, "multiscale_anchor_generator { aspect_ratios: 1 max_level: 99 }", ""), "impossible levels"),
        (
            SSD % (FIXED, "ssd_anchor_generator { aspect_ratios: 1 num_layers: 0 }", ""),
            "has num_layers 0; write 1 to 100",
        ),
        (SSD % (FIXED, "ssd_anchor_generator { aspect_ratios: 1 num_layers: 1 scales: -1 }", ""), "a size above 0"),
        (SSD % (FIXED, "multiscale_anchor_generator { aspect_ratios: 1 anchor_scale: nan }", ""), "a size above 0"),
        (SSD % ("keep_aspect_ratio_resizer { }", "ssd_anchor_generator { aspect_ratios: 1 }", ""), "another size for"),
    ],
)
def test_an_unknown_setting_is_an_error_that_names_it(tmp_path, text, message):
    path = tmp_path / "pipeline.config"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=message):
        read_model_geometry(path)
    with pytest.raises(ConfigError, match="no such file"):
        read_model_geometry(Path("absent.config"))


def test_the_best_iou_compares_boxes_around_one_centre(tmp_path):
    anchors = read(tmp_path, CONFIGS["ssd_mobilenet_v2_fpnlite_320x320"]).anchors
    sizes = np.random.default_rng(1).uniform(1, 320, (40, 2))
    centred = [np.concatenate([-half, half], axis=1) for half in (sizes / 2, anchors.sizes / 2)]
    np.testing.assert_allclose(best_iou(sizes, anchors), iou(*centred).max(axis=1))
    assert best_iou(np.array([[0.0, 5.0]]), anchors).tolist() == [0.0]
    assert best_iou(np.zeros((0, 2)), anchors).tolist() == []


def test_a_center_net_has_no_anchors_and_cells_of_four_pixels(tmp_path):
    text = text_format.MessageToString(pipeline_proto(MODELS["centernet_resnet50_v2_512x512"]))
    geometry = read(tmp_path, text)
    assert not geometry.has_anchors
    assert (geometry.resizer.canvas, geometry.resizer.keeps_proportions) == ((512, 512), True)
    assert (geometry.finest_stride_px, geometry.matched_iou) == (4, 0.0)
    assert read_resizer(tmp_path / "pipeline.config") == geometry.resizer
