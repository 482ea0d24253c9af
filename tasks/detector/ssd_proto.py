"""From the definition of an SSD to the OD API's `ssd { ... }` message. Imports protobuf, not TensorFlow.

The values here are those that the zoo's SSD models share.
"""

from object_detection.protos import (
    anchor_generator_pb2,
    box_predictor_pb2,
    hyperparams_pb2,
    losses_pb2,
    multiscale_anchor_generator_pb2,
    post_processing_pb2,
    ssd_pb2,
)

from tasks.detector.model_messages import keep_proportions
from tasks.model.definition import Initializer
from tasks.model.ssd_models import EfficientDetDefinition, SsdDefinition

_FPN_LEVELS = {"min_level": 3, "max_level": 7}
# -log((1 - p) / p) for p = 0.01: every anchor starts as "almost surely background" (Lin et al. 2017, section 4.1).
_RARE_CLASS_BIAS = -4.6
_HEAD_INITIALIZER = Initializer(stddev=0.01)
_EFFICIENTDET_INITIALIZER = Initializer(stddev=0.03, truncated=True)


def ssd_message(definition: SsdDefinition, num_classes: int) -> ssd_pb2.Ssd:
    """The model of an SSD with a MobileNet or a ResNet."""
    ssd = _common(num_classes)
    ssd.feature_extractor.CopyFrom(_feature_extractor(definition))
    ssd.box_predictor.CopyFrom(_box_predictor(definition))
    ssd.anchor_generator.CopyFrom(_anchor_generator(definition))
    ssd.loss.CopyFrom(_loss(alpha=definition.focal_alpha, gamma=2.0))
    ssd.image_resizer.fixed_shape_resizer.height = definition.side_px
    ssd.image_resizer.fixed_shape_resizer.width = definition.side_px
    return ssd


def efficientdet_message(definition: EfficientDetDefinition, num_classes: int) -> ssd_pb2.Ssd:
    """The model of an EfficientDet."""
    ssd = _common(num_classes)
    ssd.add_background_class = False
    ssd.feature_extractor.type = definition.feature_extractor
    pyramid = ssd.feature_extractor.bifpn
    pyramid.min_level, pyramid.max_level = _FPN_LEVELS["min_level"], _FPN_LEVELS["max_level"]
    pyramid.num_iterations, pyramid.num_filters = definition.bifpn_iterations, definition.bifpn_filters
    ssd.feature_extractor.conv_hyperparams.CopyFrom(_swish_hyperparams(_EFFICIENTDET_INITIALIZER))
    predictor = ssd.box_predictor.weight_shared_convolutional_box_predictor
    predictor.conv_hyperparams.CopyFrom(_swish_hyperparams(_HEAD_INITIALIZER))
    predictor.depth, predictor.num_layers_before_predictor, predictor.kernel_size = definition.bifpn_filters, 3, 3
    predictor.class_prediction_bias_init = _RARE_CLASS_BIAS
    predictor.use_depthwise = True
    _fill_pyramid_anchors(ssd.anchor_generator.multiscale_anchor_generator, scales_per_octave=3)
    ssd.loss.CopyFrom(_loss(alpha=0.25, gamma=1.5))
    ssd.post_processing.batch_non_max_suppression.iou_threshold = 0.5
    keep_proportions(ssd.image_resizer, definition.side_px)
    return ssd


def _common(num_classes: int) -> ssd_pb2.Ssd:
    """What all of them have: box coder, matcher, and how losses are normalised."""
    ssd = ssd_pb2.Ssd(
        num_classes=num_classes,
        post_processing=_post_processing(),
        encode_background_as_zeros=True,
        normalize_loss_by_num_matches=True,
        normalize_loc_loss_by_codesize=True,
        inplace_batchnorm_update=True,
        freeze_batchnorm=False,
    )
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
    return ssd


def _hyperparams(definition: SsdDefinition, initializer: Initializer) -> hyperparams_pb2.Hyperparams:
    hyperparams = _common_hyperparams(initializer, definition.l2_weight)
    hyperparams.activation = hyperparams_pb2.Hyperparams.RELU_6
    hyperparams.batch_norm.decay = definition.batchnorm_decay
    return hyperparams


def _swish_hyperparams(initializer: Initializer) -> hyperparams_pb2.Hyperparams:
    hyperparams = _common_hyperparams(initializer, 4e-5)
    hyperparams.force_use_bias = True
    hyperparams.activation = hyperparams_pb2.Hyperparams.SWISH
    hyperparams.batch_norm.decay = 0.99
    return hyperparams


def _common_hyperparams(initializer: Initializer, l2_weight: float) -> hyperparams_pb2.Hyperparams:
    hyperparams = hyperparams_pb2.Hyperparams()
    hyperparams.regularizer.l2_regularizer.weight = l2_weight
    kind = "truncated_normal_initializer" if initializer.truncated else "random_normal_initializer"
    normal = getattr(hyperparams.initializer, kind)
    normal.mean = 0.0
    normal.stddev = initializer.stddev
    hyperparams.batch_norm.scale = True
    hyperparams.batch_norm.epsilon = 0.001
    return hyperparams


def _feature_extractor(definition: SsdDefinition) -> ssd_pb2.SsdFeatureExtractor:
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


def _box_predictor(definition: SsdDefinition) -> box_predictor_pb2.BoxPredictor:
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


def _anchor_generator(definition: SsdDefinition) -> anchor_generator_pb2.AnchorGenerator:
    generator = anchor_generator_pb2.AnchorGenerator()
    if definition.fpn_depth is None:
        ssd = generator.ssd_anchor_generator
        ssd.num_layers = 6
        ssd.min_scale = 0.2
        ssd.max_scale = 0.95
        # The zoo wrote 1/3 with four digits; its weights were trained on anchors of that ratio.
        ssd.aspect_ratios.extend([1.0, 2.0, 0.5, 3.0, 0.3333])
    else:
        _fill_pyramid_anchors(generator.multiscale_anchor_generator, scales_per_octave=2)
    return generator


def _fill_pyramid_anchors(
    generator: multiscale_anchor_generator_pb2.MultiscaleAnchorGenerator, *, scales_per_octave: int
) -> None:
    generator.min_level, generator.max_level = _FPN_LEVELS["min_level"], _FPN_LEVELS["max_level"]
    generator.anchor_scale = 4.0
    generator.aspect_ratios.extend([1.0, 2.0, 0.5])
    generator.scales_per_octave = scales_per_octave


def _post_processing() -> post_processing_pb2.PostProcessing:
    post_processing = post_processing_pb2.PostProcessing(score_converter=post_processing_pb2.PostProcessing.SIGMOID)
    suppression = post_processing.batch_non_max_suppression
    suppression.score_threshold = 1e-8
    suppression.iou_threshold = 0.6
    suppression.max_detections_per_class = suppression.max_total_detections = 100
    suppression.use_static_shapes = False
    return post_processing


def _loss(*, alpha: float, gamma: float) -> losses_pb2.Loss:
    loss = losses_pb2.Loss(classification_weight=1.0, localization_weight=1.0)
    loss.localization_loss.weighted_smooth_l1.SetInParent()
    loss.classification_loss.weighted_sigmoid_focal.gamma = gamma
    loss.classification_loss.weighted_sigmoid_focal.alpha = alpha
    return loss
