"""Networks, trainings and metrics of an author's own, as pytest runs them."""

from pathlib import Path

import pytest

from tests.plugins.project import Project

OWN = """
import torch
from cvclaims import Training, dataset, measure, model, training

"""
FIT = """
@training
def fit(run):
    for epoch in range(run.settings.epochs):
        run.log(f1=run.settings.lr + 0.001 * run.seed)
    return {"cost": 5}

FIT = Training(fit, lr=0.5, epochs=3, light=True, smoke={"epochs": 1})

@about("1", recipes={"large": FIT, "small": FIT.but(lr=0.2)})
def test_it(runs, verdict):
    verdict.greater(runs.large["f1"], runs.small["f1"])
"""


def trained(project: Project, *options: str) -> int:
    """How many runs a session trains."""
    ran = project.run_alone(*options, "-p", "no:cacheprovider")
    (line,) = [line for line in ran.lines if line.endswith(" trained")]
    return int(line.split()[-2])


class TestTrainings:
    @pytest.mark.parametrize("mode", [("-n0",), ("-n2",)], ids=["n0", "n2"])
    def test_they_are_judged_stored_and_replayed(
        self, project: Project, mode: tuple[str, ...]
    ) -> None:
        project.write(OWN + FIT)
        assert project.run(*mode).verdicts() == {"1": "supported"}
        assert len(project.records()) == 6
        replayed = project.run("--claims-replay", *mode)
        assert replayed.verdicts() == {"1": "supported"}
        assert "6 runs read, 0 trained" in replayed.text

    def test_an_edit_trains_anew_and_a_comment_does_not(self, project: Project) -> None:
        (project.path / "helper.py").write_text("def half(x):\n    return x / 2\n")
        program = OWN + "from helper import half\n" + FIT.replace("0.001 *", "half(0.001) *")
        project.write(program)
        assert trained(project) == 6
        project.write(program.replace("    return {", "    # A comment.\n    return {"))
        assert trained(project) == 0
        (project.path / "helper.py").write_text("def half(x):\n    return x / 4\n")
        assert trained(project) == 6
        project.write(program.replace("run.seed)", "run.seed ** 2)"))
        assert trained(project) == 6

    def test_a_plan_counts_them_and_later_knows_their_time(self, project: Project) -> None:
        project.write(OWN + FIT)
        before = project.run("--claims-plan")
        assert "0 in the store, 6 left: not estimated" in before.text
        project.run()
        after = project.run("--claims-plan", "--claims-rerun")
        assert "not estimated" not in after.text

    def test_a_smaller_scale_has_to_be_said(self, project: Project) -> None:
        project.write(OWN + FIT)
        ran = project.run("--claims-scale", "reduced")
        assert ran.reason("1") == "fit has no reduced scale: give Training its `reduced` settings"
        assert project.run("--claims-scale", "smoke").verdicts() == {"1": "ran"}

    def test_data_are_given_and_belong_to_the_key(self, project: Project) -> None:
        body = """
@training
def fit(run):
    return {"samples": len(run.data.train_y)}

@about("1", recipes={"moons": Training(fit, data="moons", light=True)})
def test_it(runs, verdict):
    verdict.exact(runs.moons["samples"], 700)
"""
        project.write(OWN + body)
        assert project.run().verdicts() == {"1": "supported"}
        assert [path.parent.name for path in project.records()] == ["moons"] * 3

    def test_a_killed_run_finds_its_folder_again(self, project: Project) -> None:
        body = """
@training
def fit(run):
    kept = run.folder / "epoch"
    begun = int(kept.read_text()) if kept.exists() else 0
    for epoch in range(begun, 5):
        kept.write_text(str(epoch))
        if epoch == 3 and not begun and run.seed == 1:
            import os, signal
            os.kill(os.getpid(), signal.SIGKILL)
    return {"begun": begun}

@about("1", recipes={"it": Training(fit, light=True)})
def test_it(runs, verdict):
    verdict.level(runs.it["begun"], 1.0, 2.0)
"""
        project.monkeypatch.setenv("XDG_CACHE_HOME", str(project.path / "cache"))
        project.write(OWN + body)
        project.run_alone("-p", "no:cacheprovider")
        assert len(project.records()) == 1
        ran = project.run_alone("-p", "no:cacheprovider")
        assert ran.rows["1"]["measured"]["it"]["values"][:2] == [0, 3]
        assert not list((project.path / "cache").glob("**/*.own"))

    @pytest.mark.parametrize(
        ("body", "why"),
        [
            (
                "run.log(f1='high')",
                "training fit logs f1 as 'high', the 1. time; it has to be a number",
            ),
            (
                "run.log(f1=torch.zeros(2))",
                "training fit logs f1 as Tensor of (2,), the 1. time; it has to be a number",
            ),
            (
                "run.log(f1=1); run.log(f1=float('nan'))",
                "training fit logs f1 as nan, the 2. time; a run that goes no further says so by "
                "run.diverged()",
            ),
            (
                "pass",
                "training fit returned nothing and logged nothing: return numbers by name, as in "
                "{'f1': 0.8}, or run.log(f1=0.8)",
            ),
            (
                "return 5",
                "training fit returns 5; it returns numbers by name, or nothing where it logs",
            ),
            ("return {'f1': 'a'}", "training fit returns f1 as 'a'; it has to be a number"),
            (
                "run.log(f1=1); return {'f1': 1}",
                "training fit logs f1 and returns it: one of the two",
            ),
            (
                "return {f'f{run.seed}': 1}",
                "it gives f0 with seed 0 and not with seed 1: every run gives the same names",
            ),
            (
                "return {'f1': run.data}",
                "training fit has no data: name a set, Training(..., data=)",
            ),
        ],
    )
    def test_what_is_no_result_is_an_error_in_a_line(
        self, project: Project, body: str, why: str
    ) -> None:
        program = f"""
@training
def fit(run):
    {body}

@about("1", recipes={{"it": Training(fit, light=True)}})
def test_it(runs, verdict):
    verdict.above(runs.it["f1"], 0)
"""
        project.write(OWN + program)
        ran = project.run()
        assert ran.verdicts() == {"1": "error"}
        assert ran.reason("1").endswith(why)

    def test_a_run_may_say_that_it_diverged(self, project: Project) -> None:
        body = """
@training
def fit(run):
    run.log(f1=0.5)
    run.diverged()

@about("1", recipes={"it": Training(fit, light=True)})
def test_it(runs, verdict):
    verdict.share_above(runs.it.measure(measure.diverged), 0.5)
"""
        project.write(OWN + body)
        assert project.run().rows["1"]["measured"]["it"]["values"][:3] == [1, 1, 1]


@pytest.mark.parametrize(
    ("mark", "why"),
    [
        ("Training(lambda run: None)", "<lambda> is no training yet: put @training of cvclaims"),
        ("Training(fit, lr=float('nan'))", "training fit: setting lr is nan; settings are numbers"),
        ("Training(fit, lr=1, smoke={'epochs': 1})", "unknown setting of training fit in `smoke`:"),
        ("Training(fit, lr=1).but(lrr=2)", "unknown setting of training fit: 'lrr': did you mean"),
        ("Training(fit, data='digit')", "unknown data set 'digit': did you mean 'digits'?"),
        ("Recipe(data='moons', model=fit, lr=1, epochs=1)", "fit is no model yet: put @model of"),
        ("model(lambda shape, classes: 1)", "a model is a function or a class with a name"),
        ("model(fit)", "model fit takes the shape of a sample and the number of outputs first"),
        ("training(print)", "training print names its arguments: without *args or **kwargs"),
        ("Recipe(data='moons', lr=1, epochs=1, metrics={'lr': len})", "metric 'lr': every run has"),
        ("Recipe(data='moons', lr=1, epochs=1, metrics={'f1': 3})", "metric 'f1' is a function of"),
    ],
)
def test_what_cannot_be_meant_is_told_at_once(mark: str, why: str) -> None:
    from cvclaims import Recipe, Training, model, training

    @training
    def fit(run: object) -> None: ...

    scope = {"Recipe": Recipe, "Training": Training, "model": model, "training": training}
    with pytest.raises(ValueError) as caught:
        eval(mark, {**scope, "fit": fit})
    assert str(caught.value).startswith(why)


NET = """
@model(light=True, smoke={{"width": 1}})
def net(shape, classes, *, width=4):
    from torch import nn
    {body}

NET = Recipe(data="moons", model=net, optimizer="adam", lr=0.05, epochs=2, batch_size=100)

@about("1", recipes={{"it": NET}})
def test_it(runs, verdict):
    verdict.above(runs.it.test_accuracy, 0.6)
"""


class TestNetworks:
    def test_they_are_judged_and_replayed(self, project: Project) -> None:
        body = "return nn.Sequential(nn.Linear(2, width), nn.ReLU(), nn.Linear(width, classes))"
        project.write(OWN + NET.format(body=body))
        assert project.run("-n2").verdicts() == {"1": "supported"}
        replayed = project.run("--claims-replay")
        assert replayed.verdicts() == {"1": "supported"}
        assert " 0 trained" in replayed.text
        assert "1 ran" in project.run("--claims-scale", "smoke").told()

    @pytest.mark.parametrize(
        ("body", "why"),
        [
            (
                "return nn.Linear(2, 5)",
                "model 'net' gives (2, 5) for 2 samples, not (2, 2): its last layer has to have an "
                "output for each class or target, as its second argument says",
            ),
            ("return 5", "model 'net' gives 5, which is no nn.Module"),
            (
                "return nn.Linear(3, classes)",
                "model 'net' cannot take samples of shape (2,): RuntimeError: mat1 and mat2 shapes "
                "cannot be multiplied (2x2 and 3x2)",
            ),
            ("return nn.Flatten()", "model 'net' has no parameters to train"),
        ],
    )
    def test_what_is_no_network_is_an_error_in_a_line(
        self, project: Project, body: str, why: str
    ) -> None:
        project.write(OWN + NET.format(body=body))
        ran = project.run()
        assert ran.verdicts() == {"1": "error"}
        assert ran.reason("1").endswith(why)

    def test_smoke_shrinks_what_is_declared(self) -> None:
        from cvclaims import Recipe, model

        @model(smoke={"width": 1}, reduced={"width": 2})
        def net(shape: object, classes: int, *, width: int = 8, depth: int = 3) -> None: ...

        recipe = Recipe(data="cifar10", model=net, lr=0.1, epochs=60)
        assert recipe.at("smoke").model_args == {"width": 1, "depth": 3}
        assert recipe.at("reduced").model_args == {"width": 2, "depth": 3}
        assert recipe.at("reduced").epochs == 30
        assert recipe.at("full") is recipe

    def test_a_class_that_inherits_is_another_network(self) -> None:
        from torch import nn

        from cvclaims import Recipe, model

        @model
        class Net(nn.Module):
            def __init__(self, shape: object, classes: int) -> None: ...

        class Other(Net): ...

        assert Recipe(data="moons", model=Net, lr=1, epochs=1).network.stem == "Net"
        with pytest.raises(ValueError, match="Other is no model yet: put @model"):
            Recipe(data="moons", model=Other, lr=1, epochs=1)


METRIC = """
def f1(outputs, targets):
    {body}

ONE = Recipe(data="moons", lr=0.5, epochs=2, metrics={{"f1": f1}}, model_args={{"hidden": (4,)}})

@about("1", recipes={{"one": ONE, "two": ONE.but(lr=0.1)}})
def test_it(runs, verdict):
    verdict.greater(runs.one["{name}"], runs.two["{name}"])
"""


class TestMetrics:
    def test_they_are_measured_on_all_of_the_test_set(self, project: Project) -> None:
        body = "return (outputs.argmax(1) == targets).double().mean()"
        project.write(OWN + METRIC.format(body=body, name="f1"))
        project.run()
        from cvclaims.records import Record

        for path in project.records():
            record = Record.from_json(path.read_text())
            assert record.numbers["f1"] == pytest.approx(record.series["test_accuracy"][-1])

    @pytest.mark.parametrize(
        ("body", "why"),
        [
            ("return 'high'", "metric 'f1' gives 'high'; it has to give a number for outputs and"),
            (
                "return outputs",
                "gives a tensor of (300, 2); it has to give a number for outputs and targets",
            ),
            ("raise KeyError(5)", "crashed: KeyError: 5"),
        ],
    )
    def test_what_is_no_number_is_an_error(self, project: Project, body: str, why: str) -> None:
        project.write(OWN + METRIC.format(body=body, name="f1"))
        ran = project.run()
        assert ran.verdicts() == {"1": "error"}
        assert why in ran.reason("1")

    def test_times_of_a_stack_are_no_runs_own(self, project: Project) -> None:
        project.write(OWN + METRIC.format(body="return 0.5", name="seconds"))
        ran = project.run()
        assert ran.verdicts() == {"1": "not evaluated"}
        assert ran.reason("1").startswith("seconds of a run cannot be told from a stack, in which")

    def test_memory_is_counted_on_gpus(self, project: Project) -> None:
        patient = METRIC.replace("epochs=2", "epochs=2, patience=2")
        project.write(OWN + patient.format(body="return 0.5", name="peak_bytes"))
        assert project.run().reason("1") == "peak_bytes is counted on GPUs alone"


def test_logged_runs_are_judged_once_and_replayed(project: Project) -> None:
    rows = [
        f"{arm},{seed},{base + seed / 1000}"
        for arm, base in (("a", 0.8), ("b", 0.7))
        for seed in range(4)
    ]
    (project.path / "runs.csv").write_text("\n".join(["method,seed,f1", *rows]))
    project.write(
        """
from cvclaims import logged

@about("1", recipes=logged("runs.csv", arm="method").arms)
def test_it(runs, verdict):
    verdict.greater(runs.a["f1"], runs.b["f1"])
"""
    )
    for options in ((), ("-n2",), ("--claims-replay",)):
        ran = project.run(*options)
        assert ran.verdicts() == {"1": "supported"}
        assert ran.rows["1"]["measured"]["a"]["n"] == 4
        assert ran.rows["1"]["data"].startswith("runs.csv, SHA-256 ")
        assert "0 trained" in ran.text
    assert project.records() == []
    (project.path / "runs.csv").unlink()
    assert "runs.csv cannot be read (No such file or directory)" in project.run().text


def test_records_of_code_that_is_not_here_are_left_alone(project: Project) -> None:
    project.write(OWN + FIT)
    project.run()
    kept = {path: path.read_bytes() for path in project.records()}
    project.write(
        """
@about("2", recipes=BOTH)
def test_it(runs, verdict):
    verdict.greater(runs.good.test_accuracy, runs.bad.test_accuracy)
"""
    )
    ran = project.run()
    assert ran.verdicts()["2"] == "supported"
    assert not [line for line in ran.summary if "problem" in line]
    assert {path: Path(path).read_bytes() for path in kept} == kept
