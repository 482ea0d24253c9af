"""Label Studio's exports, made up."""

import json

from tasks.formats.label_studio import read_label_studio


def value(x=10, y=20, width=30, height=40, rotation=0, labels=("cat",)):
    sides = {"x": x, "y": y, "width": width, "height": height}
    return {**sides, "rotation": rotation, "rectanglelabels": list(labels)}


def rectangle(size=(200, 100), **changes):
    sizes = {"original_width": size[0], "original_height": size[1], "image_rotation": 0} if size else {}
    return {"id": "r", "from_name": "label", "type": "rectanglelabels", "value": value(**changes), **sizes}


def annotation(*results, **changes):
    return {"id": 1, "was_cancelled": False, "result": list(results), "updated_at": "2024-01-01T00:00:00Z", **changes}


def task(*annotations, image="/data/upload/1/ab12cd34-a.jpg", **changes):
    return {"id": 7, "data": {"image": image}, "annotations": list(annotations), **changes}


def flat(*values, **changes):
    sizes = {"original_width": 200, "original_height": 100}
    return {"id": 7, "image": "a.jpg", "label": [{**each, **sizes} for each in values], **changes}


def read(tmp_path, content):
    path = tmp_path / "export.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_label_studio(path)


def kinds(problems):
    return [(problem.kind, problem.action) for problem in problems]
