"""What the page says of a training: its recipe, its phases, and how long it was expected to take."""

from tasks.artifacts.recipe import RecipeUse
from tasks.artifacts.training import EstimateFigures, PhaseFigures, write_freeze_audits, write_training_figures
from tests.artifacts.training_files import figures_of_a_run, module_audit
from tests.stages.report.report_run import Run


def phase(**changes):
    given = {
        "steps": 200,
        "freeze": "auto",
        "learning_rate": 0.001,
        "trainable_variables": 7,
        "frozen_variables": 5,
        "frozen_max_abs_change": 0.0,
        "frozen_statistics_max_abs_change": 0.0,
    }
    return PhaseFigures(**given | changes)


def test_the_recipe_and_what_it_gave_stand_on_the_page(tmp_path):
    run = Run(tmp_path)
    assert "recipe" not in run.page().text.split("How it learned")[1].split("Checkpoint")[0]
    use = RecipeUse(name="quick", values={"steps": 500, "freeze": "auto", "ema_decay": 0.0}, own=["steps"])
    write_training_figures(tmp_path / "train.json", figures_of_a_run(recipe=use))
    text = " ".join(run.page().text.split())
    assert "recipequick, but for steps 500" in text
    assert "The recipe quick gave freeze auto, ema_decay 0." in text
    none_left = RecipeUse(name="quick", values={"steps": 9}, own=["steps"])
    write_training_figures(tmp_path / "train.json", figures_of_a_run(recipe=none_left))
    assert "The recipe quick gave" not in run.page().text


def test_estimate_and_time_taken_stand_beside_each_other(tmp_path):
    run = Run(tmp_path)
    write_training_figures(
        tmp_path / "train.json", figures_of_a_run(estimate=EstimateFigures(seconds=100.4, took_s=93.0))
    )
    assert "and taken from then on100, 93" in " ".join(run.page().text.split())


def test_two_phases_have_a_row_each_a_table_of_modules_each_and_a_border_in_the_curves(tmp_path):
    run = Run(tmp_path)
    phases = [phase(), phase(steps=100, freeze=["^a/", "<b>"], learning_rate=0.0001, frozen_variables=0)]
    write_training_figures(tmp_path / "train.json", figures_of_a_run(phases=phases, frozen_variables=5))
    write_freeze_audits(tmp_path / "trained", [[module_audit()], [module_audit(module="class_head")]])
    curve = "step\tlearning_rate\n" + "".join(f"{step}\t0.1\n" for step in range(1, 301))
    table = tmp_path / "dvclive/plots/metrics/train/learning_rate.tsv"
    table.parent.mkdir(parents=True)
    table.write_text(curve)
    page = run.page()
    text = " ".join(page.text.split())
    assert "1200auto0.001750.0000" in text
    assert "2100^a/, <b>0.000170" in text
    assert "5 variables were frozen and 7 trained in the first phase." in text
    assert text.count("module by module, in phase") == 2
    assert "Dashed: where the second phase begins." in text
