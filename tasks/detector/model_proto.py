"""From a `ModelDefinition` to the OD API's `model { ssd { ... } }` message. Imports protobuf, not TensorFlow.

The values here are those that all of the zoo's SSD models share. Names and meaning: object_detection/protos/*.proto.
"""

from object_detection.protos import (
    anchor_generator_pb2,
    box_predictor_pb2,
    hyperparams_pb2,
    losses_pb2,
    model_pb2,
    pipeline_pb2,
    post_processing_pb2,
    ssd_pb2,
)

from tasks.model.definitions import Initializer, ModelDefinition

_FPN_LEVELS = {"min_level": 3, "max_level": 7}
# -log((1 - p) / p) for p = 0.01: every anchor starts as "almost surely background" (Lin et al. 2017, section 4.1).
_RARE_CLASS_BIAS = -4.6
_HEAD_INITIALIZER = Initializer(stddev=0.01)


def pipeline_proto(definition: ModelDefinition) -> pipeline_pb2.TrainEvalPipelineConfig:
    """A pipeline.config for one class; `pipeline_config.fill_in` adds training settings and paths."""
    config = pipeline_pb2.TrainEvalPipelineConfig(model=model_proto(definition, num_classes=1))
    config.train_config.max_number_of_boxes = 100
    config.train_config.unpad_groundtruth_tensors = False
    config.eval_config.metrics_set.append("coco_detection_metrics")
    config.eval_config.use_moving_averages = False
    return config


def model_proto(definition: ModelDefinition, *, num_classes: int) -> model_pb2.DetectionModel:
    """The `model` message of a pipeline.config: the zoo's own values but for the definition's."""
    ssd = ssd_pb2.Ssd(
        num_classes=num_classes,
        feature_extractor=_feature_extractor(definition),
        box_predictor=_box_predictor(definition),
        anchor_generator=_anchor_generator(definition),
        post_processing=_post_processing(),
        loss=_loss(definition),
        encode_background_as_zeros=True,
        normalize_loss_by_num_matches=True,
        normalize_loc_loss_by_codesize=True,
        inplace_batchnorm_update=True,
        freeze_batchnorm=False,
    )
    ssd.image_resizer.fixed_shape_resizer.height = definition.side_px
    ssd.image_resizer.fixed_shape_resizer.width = definition.side_px
    coder = ssd.box_coder.faster_rcnn_box_coder
    coder.y_scale = coder.x_scale = 10.0
    coder.height_scale = coder.width_scale = 5.0
    matcher = ssd.matcher.argmax_matcher
    matcher.matched_threshold = matcher.unmatched_threshold = 0.5
    matcher.ignore_thresholds = False
    matcher.negatives_lower_than_unmatched = True
    matcher.force_match_for_each_row = True
    matcher.use_matmul_gather = True
    ssd.similarity_calculator.iou_similarity.SetInParent()
    return model_pb2.DetectionModel(ssd=ssd)


def _hyperparams(definition: ModelDefinition, initializer: Initializer) -> hyperparams_pb2.Hyperparams:
    hyperparams = hyperparams_pb2.Hyperparams(activation=hyperparams_pb2.Hyperparams.RELU_6)
    hyperparams.regularizer.l2_regularizer.weight = definition.l2_weight
    kind = "truncated_normal_initializer" if initializer.truncated else "random_normal_initializer"
    normal = getattr(hyperparams.initializer, kind)
    normal.mean = 0.0
    normal.stddev = initializer.stddev
    hyperparams.batch_norm.decay = definition.batchnorm_decay
    hyperparams.batch_norm.scale = True
    hyperparams.batch_norm.epsilon = 0.001
    return hyperparams


def _feature_extractor(definition: ModelDefinition) -> ssd_pb2.SsdFeatureExtractor:
    extractor = ssd_pb2.SsdFeatureExtractor(
        type=definition.feature_extractor,
        depth_multiplier=1.0,
        min_depth=16,
        conv_hyperparams=_hyperparams(definition, definition.initializer),
        use_depthwise=definition.depthwise,
        override_base_feature_extractor_hyperparams=True,
    )
    if definition.fpn_depth is not None:
        extractor.fpn.min_level = _FPN_LEVELS["min_level"]
        extractor.fpn.max_level = _FPN_LEVELS["max_level"]
        extractor.fpn.additional_layer_depth = definition.fpn_depth
    return extractor


def _box_predictor(definition: ModelDefinition) -> box_predictor_pb2.BoxPredictor:
    hyperparams = _hyperparams(definition, _HEAD_INITIALIZER)
    if definition.fpn_depth is None:
        return box_predictor_pb2.BoxPredictor(
            convolutional_box_predictor=box_predictor_pb2.ConvolutionalBoxPredictor(
                conv_hyperparams=hyperparams,
                min_depth=0,
                max_depth=0,
                num_layers_before_predictor=0,
                use_dropout=False,
                dropout_keep_probability=0.8,
                kernel_size=1,
                box_code_size=4,
                apply_sigmoid_to_scores=False,
                class_prediction_bias_init=_RARE_CLASS_BIAS,
            )
        )
    return box_predictor_pb2.BoxPredictor(
        weight_shared_convolutional_box_predictor=box_predictor_pb2.WeightSharedConvolutionalBoxPredictor(
            conv_hyperparams=hyperparams,
            depth=definition.fpn_depth,
            num_layers_before_predictor=4,
            kernel_size=3,
            class_prediction_bias_init=_RARE_CLASS_BIAS,
            share_prediction_tower=definition.depthwise,
            use_depthwise=definition.depthwise,
        )
    )


def _anchor_generator(definition: ModelDefinition) -> anchor_generator_pb2.AnchorGenerator:
    generator = anchor_generator_pb2.AnchorGenerator()
    if definition.fpn_depth is None:
        ssd = generator.ssd_anchor_generator
        ssd.num_layers = 6
        ssd.min_scale = 0.2
        ssd.max_scale = 0.95
        # The zoo wrote 1/3 with four digits; its weights were trained on anchors of that ratio.
        ssd.aspect_ratios.extend([1.0, 2.0, 0.5, 3.0, 0.3333])
    else:
        multiscale = generator.multiscale_anchor_generator
        multiscale.min_level = _FPN_LEVELS["min_level"]
        multiscale.max_level = _FPN_LEVELS["max_level"]
        multiscale.anchor_scale = 4.0
        multiscale.aspect_ratios.extend([1.0, 2.0, 0.5])
        multiscale.scales_per_octave = 2
    return generator


def _post_processing() -> post_processing_pb2.PostProcessing:
    post_processing = post_processing_pb2.PostProcessing(score_converter=post_processing_pb2.PostProcessing.SIGMOID)
    suppression = post_processing.batch_non_max_suppression
    suppression.score_threshold = 1e-8
    suppression.iou_threshold = 0.6
    suppression.max_detections_per_class = suppression.max_total_detections = 100
    suppression.use_static_shapes = False
    return post_processing


def _loss(definition: ModelDefinition) -> losses_pb2.Loss:
    loss = losses_pb2.Loss(classification_weight=1.0, localization_weight=1.0)
    loss.localization_loss.weighted_smooth_l1.SetInParent()
    loss.classification_loss.weighted_sigmoid_focal.gamma = 2.0
    loss.classification_loss.weighted_sigmoid_focal.alpha = definition.focal_alpha
    return loss
