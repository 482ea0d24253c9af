"""Which block of its backbone a variable belongs to, counted from 0 at the image; what `train.freeze: N` counts."""

import re

from tasks.errors import ConfigError

# The block number of a backbone layer, from its name in the OD API's Keras backbones.
_BLOCK_NAMES = (
    (re.compile(r"(?:bn_)?Conv1[_/]|expanded_conv_"), 0),  # MobileNet V2: stem, and its block without a number
    (re.compile(r"block_(\d+)_"), None),
    (re.compile(r"Conv_1[_/]"), 17),
    (re.compile(r"conv1[_/]"), 0),  # MobileNet V1's Conv2d_0, ResNet's stem
    (re.compile(r"conv_(?:dw|pw)_(\d+)"), None),
    (re.compile(r"conv(\d+)_block\d+_"), -1),  # ResNet counts its stages from conv2
    (re.compile(r"stem_"), 0),  # EfficientNet
    (re.compile(r"stack_(\d+)/"), None),
)


def block_of(variable_name: str) -> int:
    """The backbone block a variable belongs to, counted from 0 at the image.

    MobileNet V1 counts Conv2d_0..13, MobileNet V2 expanded_conv (with the stem) and block_1..16, ResNet its stem and
    stages conv2..conv5, EfficientNet stack_0 (with the stem) to stack_6.

    Raises:
        ConfigError: no backbone of the OD API has a variable of that name.
    """
    for pattern, block in _BLOCK_NAMES:
        match = pattern.match(variable_name)
        if match:
            if not match.groups():
                return int(block or 0)
            return int(match.group(1)) + (block or 0)
    raise ConfigError(
        f"backbone variable {variable_name} belongs to no known block: freeze `backbone` or `none` instead"
    )
