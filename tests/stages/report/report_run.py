"""A run's folder as the stages before `report` leave it, and the page made of it as a browser reads it."""

from html.parser import HTMLParser

from PIL import Image

from tasks.artifacts.evaluation import Evaluation, ModelFigures, SavedModelFigures, write_evaluation
from tasks.artifacts.model_detections import write_model_detections
from tasks.artifacts.precision_recall import write_precision_recall
from tasks.artifacts.training import write_training_figures
from tasks.dataset.boxes import as_boxes
from tasks.dataset.coco_json import write_coco
from tasks.dataset.dataset import AnnotatedImage, Dataset, flags
from tasks.ground.files import write_json
from tasks.metrics.coco import coco_figures, precision_recall
from tasks.params import ReportParams
from tasks.stages.report import report
from tests.artifacts.training_files import figures_of_a_run
from tests.metrics.cases import detect
from tests.stages.validate.gated import PARAMS

SQUARE = [10.0, 10.0, 50.0, 50.0]
ELSEWHERE = [100.0, 60.0, 140.0, 100.0]
PIPELINE_CONFIG = """model { ssd {
  image_resizer { fixed_shape_resizer { height: 320 width: 320 } }
  anchor_generator { multiscale_anchor_generator { aspect_ratios: [1.0, 2.0, 0.5] } }
  matcher { argmax_matcher { matched_threshold: 0.5 force_match_for_each_row: true } }
} }"""
HOSTILE = "<script>alert(\"1\")</script>' onload='x'\n\u202ecod.exe"


def annotated(name, boxes=(SQUARE,), classes=("cat",), crowd=()):
    return AnnotatedImage(
        file_name=name,
        width=160,
        height=120,
        boxes=as_boxes(list(boxes)),
        classes=tuple(classes),
        difficult=flags(len(classes)),
        iscrowd=flags(len(classes), (i in crowd for i in range(len(classes)))),
    )


class Run:
    """A run's folder as the stages before `report` leave it: two training images, one to validate, `tests` to test."""

    def __init__(self, root, *, tests=2, classes=("cat", "dog"), problems=()):
        self.root = root
        names = [f"{i}.jpg" for i in range(3 + tests)]
        for i, name in enumerate(names):
            (root / "images").mkdir(exist_ok=True)
            Image.new("RGB", (160, 120), (40 * i % 255, 90, 120)).save(root / "images" / name)
        images = tuple(annotated(name, classes=classes[:1]) for name in names)
        self.test = Dataset(root / "images", classes, images[3:])
        write_coco(Dataset(root / "images", classes, images), root / "ingested.json")
        write_coco(Dataset(root / "images", classes, images, tuple(problems)), root / "validated.json")
        (root / "pipeline.config").write_text(PIPELINE_CONFIG)
        write_json(root / "lint.json", [])
        for split, chosen in (("train", images[:2]), ("val", images[2:3]), ("test", images[3:])):
            write_coco(Dataset(root / "images", classes, chosen), root / "splits" / f"{split}.json")
        self.detect([detect((SQUARE, classes[0], 0.9)) for _ in range(tests)])
        write_json(root / "data.json", {"images": 3 + tests, "boxes": 3 + tests, "problems": {}})
        write_training_figures(root / "train.json", figures_of_a_run())

    def detect(self, detections):
        for model in ("saved_model", "tflite"):
            write_model_detections(self.root / "detections", model, self.test, detections)
        self.evaluate(detections)
        write_precision_recall(self.root / "plots", precision_recall(self.test, detections))

    def evaluate(self, detections, saved_model=(), tflite=()):
        """Write the figures of `detections`, for each model with other values for some of them."""
        figures = dict(coco_figures(self.test, detections))
        evaluation = Evaluation(
            images=len(self.test.images),
            saved_model=SavedModelFigures(**figures | dict(saved_model)),
            tflite=ModelFigures(**figures | dict(tflite)),
        )
        write_evaluation(self.root / "evaluate.json", evaluation)

    def curve(self, name, points):
        path = self.root / "dvclive" / "plots" / "metrics" / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"step\t{path.stem}\n" + "".join(f"{step}\t{value}\n" for step, value in points))

    def report(self, *, max_image_megapixels=1, policy=None, **params):
        root = self.root
        gate = PARAMS.model_copy(update={"max_image_megapixels": max_image_megapixels, "policy": policy or {}})
        return report(
            ReportParams(**{"score_threshold": 0.3, "gallery_images": 5, "thumbnail_px": 64, **params}),
            gate,
            ingested=root / "ingested.json",
            validated=root / "validated.json",
            splits=root / "splits",
            trained=root / "trained",
            detections=root / "detections",
            metrics_data=root / "data.json",
            metrics_train=root / "train.json",
            metrics_evaluate=root / "evaluate.json",
            speed=root / "speed.json",
            plots_train=root / "dvclive",
            plots_evaluate=root / "plots",
            pipeline_config=root / "pipeline.config",
            lint=root / "lint.json",
            report=root / "report",
        )

    def page(self, **params):
        self.report(**params)
        return Page((self.root / "report" / "index.html").read_text(encoding="utf-8"))


class Page(HTMLParser):
    """What a browser makes of the page: elements with their attributes, and the text that is shown."""

    VOID = frozenset({"meta", "link", "img", "input", "br", "rect", "path", "use", "line"})

    def __init__(self, html):
        super().__init__()
        self.html = html
        self.elements = []
        self.shown = []
        self.open = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"script", "style"} & set(self.open):
            self.shown.append(data)

    @property
    def text(self):
        return " ".join("".join(self.shown).split())

    def all(self, tag, **attributes):
        return [
            found
            for name, found in self.elements
            if name == tag and all(found.get(k) == v for k, v in attributes.items())
        ]
