from tasks.weights.coco_classes import coco_classes

# Of COCO's annotations, instances_val2017.json: first, last, and those before and after gaps.
IDS = {
    1: "person", 3: "car", 11: "fire hydrant", 13: "stop sign", 25: "giraffe", 27: "backpack", 28: "umbrella",
    31: "handbag", 44: "bottle", 46: "wine glass", 65: "bed", 67: "dining table", 70: "toilet", 72: "tv",
    82: "refrigerator", 84: "book", 90: "toothbrush",
}  # fmt: skip


def test_every_id_of_coco_has_its_name() -> None:
    classes = coco_classes()
    assert {number: classes[number - 1] for number in IDS} == IDS
    assert len(classes) == len(set(classes)) == 90
    assert sum(name.startswith("unused COCO id") for name in classes) == 10
