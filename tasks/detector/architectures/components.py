"""The components that every detector has, by which variables are counted, frozen and restored."""

BACKBONE, FEATURE_MAPS, TOWER, BOX_HEAD, CLASS_HEAD = "backbone", "feature_maps", "tower", "box_head", "class_head"
COMPONENTS = (BACKBONE, FEATURE_MAPS, TOWER, BOX_HEAD, CLASS_HEAD)
