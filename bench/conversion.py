"""From Pascal VOC to TFRecords: this pipeline beside `object_detection.dataset_tools.create_pascal_tf_record`."""

import shutil
from pathlib import Path

from lxml import etree

from bench.processes import Cost, cost_of, in_turns, line, ratio
from bench.run_folder import STAGES, prepare, stage
from tasks.formats.pascal_voc import read_voc, voc_files
from tasks.images.image_file import inspect_image, stored_size
from tasks.model.label_map import write_label_map

_STOCK = "object_detection.dataset_tools.create_pascal_tf_record"
# What the stock tool needs of each object.
_OBJECT_FIELDS = ("name", "pose", "truncated", "difficult", "bndbox")


def compare_conversion(data: Path, folder: Path, repeats: int) -> list[str]:
    """Lines for people: seconds, images a second, memory of both sides, and their ratio."""
    voc = folder / "voc"
    images, left_out = _copy_for_both(data, voc)
    prepare(folder, voc, {"split": {"author_split": "ignore"}, "records": {"images_per_shard": 256}})
    for name in STAGES:
        stage(folder, name)

    def run_anew(*names: str) -> Cost:
        # Otherwise the stage would keep finished shards of the run before.
        shutil.rmtree(folder / "data" / "records", ignore_errors=True)
        shutil.rmtree(folder / "data" / "records.partial", ignore_errors=True)
        total = stage(folder, names[0])
        for name in names[1:]:
            total += stage(folder, name)
        return total

    sides = {
        "stock": lambda: _stock(voc, folder),
        "records": lambda: run_anew("records"),
        "ingest and records": lambda: run_anew("ingest", "records"),
        "all four": lambda: run_anew(*STAGES),
    }
    costs = in_turns(sides, repeats, "conversion")
    labels = {
        "stock": "stock create_pascal_tf_record",
        "records": "records (also reads back, compares)",
        "ingest and records": "ingest + records (XML to TFRecord)",
        "all four": "ingest + validate + split + records",
    }
    head = f"conversion: {images} images of {data.name} that the stock tool accepts ({left_out} it does not)"
    rows = [line(labels[name], cost, images) for name, cost in costs.items()]
    return [head, *rows, *(f"  {labels[name]}: {ratio(costs['stock'], costs[name])}" for name in list(sides)[1:])]


def _copy_for_both(data: Path, voc: Path) -> tuple[int, int]:
    """Copy the images that the stock tool can read to the layout it wants; their number, and that of the others."""
    year = voc / "VOC2007"
    for folder in (year / "Annotations", year / "ImageSets" / "Main", year / "JPEGImages"):
        folder.mkdir(parents=True)
    files = {path.stem: path for path in sorted(data.rglob("*")) if path.suffix.lower() in (".jpg", ".jpeg", ".png")}
    names: list[str] = []
    classes: set[str] = set()
    sources = voc_files(data)
    for source in sources:
        image = files.get(source.stem)
        if image is None or not _readable_by_stock(source, image):
            continue
        name = f"{len(names):06d}"
        root = _root(source)
        for field, text in (("folder", "VOC2007"), ("filename", f"{name}.jpg")):
            for old in root.findall(field):
                root.remove(old)
            etree.SubElement(root, field).text = text
        (year / "Annotations" / f"{name}.xml").write_bytes(etree.tostring(root))
        shutil.copyfile(image, year / "JPEGImages" / f"{name}.jpg")
        classes.update(read_voc(source)[0].classes)
        names.append(name)
    listed = "".join(f"{name} 1\n" for name in names)
    (year / "ImageSets" / "Main" / "aeroplane_train.txt").write_text(listed, encoding="utf-8")
    write_label_map(tuple(sorted(classes)), voc / "label_map.pbtxt")
    return len(names), len(sources) - len(names)


def _readable_by_stock(source: Path, image: Path) -> bool:
    """It divides by the size in the XML, needs every field of each object, and reads JPEG only."""
    root = _root(source)
    complete = all(entry.find(field) is not None for entry in root.findall("object") for field in _OBJECT_FIELDS)
    stated = (root.findtext("size/width"), root.findtext("size/height"))
    real = tuple(str(side) for side in stored_size(image))
    jpeg = inspect_image(image, max_megapixels=100).format == "JPEG"
    return complete and jpeg and stated == real


def _root(source: Path) -> etree._Element:
    return etree.parse(source, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)).getroot()


def _stock(voc: Path, folder: Path) -> Cost:
    return cost_of(
        [
            *("-m", _STOCK, "--data_dir", str(voc), "--year", "VOC2007", "--set", "train"),
            *("--label_map_path", str(voc / "label_map.pbtxt"), "--output_path", str(folder / "stock.tfrecord")),
        ],
        folder,
    )
