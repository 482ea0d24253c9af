"""What the report page shows of freezing, the checkpoint, the configuration and the split."""

import pytest

from tasks.artifacts.lint import Finding, write_findings
from tasks.artifacts.split import DroppedImage, Leak, write_dropped, write_leaks
from tasks.artifacts.training import (
    RestoredComponent,
    RestoreSummary,
    write_freeze_audits,
    write_restore_summary,
    write_training_figures,
)
from tasks.dataset.dataset import Dataset
from tasks.report_page.splits import split_rows
from tests.artifacts.training_files import figures_of_a_run, module_audit
from tests.stages.report.report_run import ELSEWHERE, SQUARE, Run, annotated


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"frozen_variables": 0, "trainable_variables": 1366}, "Nothing was frozen: all 1 366 variables were trained."),
        (
            {"frozen_variables": 3, "trainable_variables": 7, "frozen_max_abs_change": 0.0},
            "3 variables were frozen and 7 trained. Compared before and after: no frozen value changed.",
        ),
        ({"frozen_variables": 2, "frozen_max_abs_change": 0.5}, "one of them changed by 0.500000"),
        ({"frozen_variables": 1, "frozen_max_abs_change": 1e-9}, "one of them changed by"),
    ],
    ids=["nothing", "three that stayed", "two that moved", "one that moved a little"],
)
def test_the_page_says_what_was_frozen_and_whether_that_held(tmp_path, changes, sentence):
    run = Run(tmp_path)
    write_training_figures(tmp_path / "train.json", figures_of_a_run(**changes))
    assert sentence in run.page().text


def test_the_checkpoint_table_counts_what_was_restored(tmp_path):
    run = Run(tmp_path)
    backbone = RestoredComponent(module="backbone", variables=260, restored=260, new=0, mismatched=0)
    heads = RestoredComponent(module="heads", variables=10, restored=0, new=8, mismatched=2)
    summary = RestoreSummary(
        source="imagenet",
        modules=[backbone, heads],
        mismatched=["heads/kernel: trained for other classes", "heads/bias: (2,) in the base, (3,) in the model"],
        left_over=["model/second_head/bias"],
        kept_classes={"<b>Person": "<b>Person"},
        new_classes=["Helmet"],
    )
    write_restore_summary(tmp_path / "trained", summary)
    page = run.page()
    assert (
        "Weights came from imagenet. They filled 260 of 270 variables; "
        "8 started new, and 2 of the checkpoint did not fit." in page.text
    )
    assert "Class head: rows of <b>Person kept by name; Helmet new." in page.text
    assert "did not fit, and why (2) heads/kernel: trained for other classes" in page.text
    assert "Variables of the checkpoint that this model does not have (1) model/second_head/bias" in page.text


def test_a_finding_about_the_configuration_is_shown_with_its_remedy(tmp_path):
    run = Run(tmp_path)
    assert "params.yaml, the model and the training data fit together" in run.page().text
    findings = [Finding("warning", "train.steps", "3", "<few>", "more"), Finding("info", "the val split", "", "", "")]
    write_findings(findings, tmp_path / "lint.json")
    text = run.page().text
    assert "train.steps3warning<few>more the val split\u2013info\u2013" in text.replace(" \u2013", "\u2013")
    assert "fit together" not in text


def test_the_split_table_counts_images_and_boxes_by_class_and_split(tmp_path):
    splits = {
        "train": Dataset(tmp_path, ("cat", "dog"), (annotated("a", [SQUARE, ELSEWHERE], ["cat", "cat"]),)),
        "test": Dataset(tmp_path, ("cat", "dog"), (annotated("b"), annotated("c", (), ()))),
    }
    assert [(row.name, row.counts) for row in split_rows(splits, {})] == [
        ("all", [(1, 2), (2, 1)]),
        ("cat", [(1, 2), (1, 1)]),
        ("dog", [(0, 0), (0, 0)]),
    ]


def test_similar_images_in_different_splits_are_listed(tmp_path):
    project = Run(tmp_path)
    assert "were not looked for" in project.page().text
    leaks = [Leak(train=f"t{i}.jpg", test="<b>.jpg", same_content=i == 0, differing_bits=i) for i in range(12)]
    write_leaks(leaks, tmp_path / "splits")
    text = project.page().text
    assert "12 pairs of similar images are in different splits" in text
    assert "t0.jpg (train), <b>.jpg (test): the same content" in text
    assert "t9.jpg (train), <b>.jpg (test): 9 of 256 bits differ" in text
    assert "t10.jpg" not in text
    write_leaks([], tmp_path / "splits")
    text = project.page().text
    assert "were kept in one split." in text
    assert "in no split" not in text


def test_images_in_no_split_are_listed_with_the_similar_image(tmp_path):
    project = Run(tmp_path)
    rows = [
        DroppedImage(
            image=f"t{i}.jpg",
            given_split="train",
            like="<b>.jpg",
            like_in="test",
            same_content=i == 0,
            differing_bits=i,
        )
        for i in range(12)
    ]
    write_leaks([], tmp_path / "splits")
    write_dropped(rows, tmp_path / "splits")
    text = project.page().text
    assert "were kept in one split, or left out." in text
    assert "12 images are in no split, because they are similar to images in test or val" in text
    assert "t0.jpg (train), similar to <b>.jpg (test): the same content" in text
    assert "t9.jpg (train), similar to <b>.jpg (test): 9 of 256 bits differ" in text
    assert "t10.jpg" not in text
    assert "Boxes that passed and are in no split (12 images" in text


def test_the_audit_of_freezing_is_a_table_by_module(tmp_path):
    run = Run(tmp_path)
    block = module_audit(
        module="backbone block 0",
        parameters=1500,
        frozen_parameters=1500,
        trained=0,
        frozen=9,
        frozen_statistics_max_abs_change=0.25,
    )
    head = module_audit(module="class_head", parameters=7, trained=2, unchanged=1)
    write_freeze_audits(tmp_path / "trained", [[block, head]])
    text = " ".join(run.page().text.split())
    dash = "\u2013"
    assert f"backbone block 01 5001 50009{dash}0.00000.2500" in text
    assert f"class_head70200.5000 (1 did not change){dash}{dash}" in text
