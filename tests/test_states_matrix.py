"""The matrix of named states: no model gets a wrong name, and hardly one that has a state goes without.

The committed figures (`python -m tests.bench.states`) are judged anew with the present rule; five cheap cells are
trained again, to see that the figures are those of real models.
"""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.bench.retell import CHECKPOINTS, states_of
from tests.bench.states import KEPT, Trained, judge
from tests.states_matrix import CELLS, DEAD, EARLY, OK, UNNAMED, WEAK, Cell
from vae_core.data import Images
from vae_core.metrics.states import EXPLAINED, Figures, rule
from vae_core.runs.run_record import RunRecord
from vae_core.runs.snapshot_file import read_frame
from vae_core.runs.storage import RECORD, frame_file

FIGURES = json.loads(KEPT.read_text())
AGAIN = ("usual, step 40", "usual, step 80", "alpha 0", "beta 8, step 150", "decoder frozen")
NUMBERS = ("mean_std", "spread", "outside", "variety", "deviance")


def test_every_cell_was_trained_and_expects_names_of_the_vocabulary() -> None:
    assert list(FIGURES) == [cell.name for cell in CELLS] and len(CELLS) <= 40
    for cell in CELLS:
        assert cell.allowed and set(cell.allowed) <= set(EXPLAINED), cell.name
        kept = FIGURES[cell.name]
        assert kept["failed"] or kept["snapshot"]["step"] == cell.step, cell.name


@pytest.mark.parametrize("source", ["snapshot", "metrics"])
@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_no_cell_gets_a_wrong_name(cell: Cell, source: str) -> None:
    found = judge(cell, FIGURES[cell.name], source)
    assert found.name in (*cell.allowed, *UNNAMED), f"{cell.because}: {found.sentence}"


def test_nine_in_ten_of_the_cells_that_have_a_state_are_named() -> None:
    asked = [cell for cell in CELLS if cell.has_state]
    named = [cell for cell in asked if judge(cell, FIGURES[cell.name], "snapshot").name in cell.allowed]
    assert len(asked) >= 25 and len(named) >= 0.9 * len(asked)


@pytest.mark.parametrize("name", sorted({cell.allowed[0] for cell in CELLS if len(cell.allowed) == 1} - {"learning"}))
def test_without_its_rule_a_state_is_missed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The matrix sees each rule: with one left out, a cell gets a neighbour's name or none."""
    monkeypatch.setattr(rule, "STATES", [state for state in rule.STATES if state.name != name])
    found = {cell.name: judge(cell, FIGURES[cell.name], "snapshot").name for cell in CELLS}
    assert any(found[cell.name] not in cell.allowed for cell in CELLS)


def shipped(*names: str) -> list[Path]:
    return [record.parent for record in CHECKPOINTS.rglob(RECORD) if not names or record.parent.name in names]


def test_the_shipped_films_say_what_the_present_rule_says() -> None:
    """Else `python -m tests.bench.retell` names them anew."""
    for folder in shipped():
        for step, diagnosis in states_of(folder).items():
            kept = read_frame(frame_file(RunRecord.load(folder).film_folder, step))[0]["diagnosis"]
            assert kept == asdict(diagnosis), (folder.name, step)


def test_the_usual_run_is_well_named_from_its_first_step_to_a_hundred_epochs() -> None:
    (folder,) = shipped("mnist-vae-mlp-2")
    for step, found in states_of(folder).items():
        allowed = (EARLY,) if step < 40 else (EARLY, OK) if step < 200 else (OK,)
        assert found.name in allowed, step


def test_ten_epochs_at_nine_betas() -> None:
    """From theory: a tenth of the KL hardly holds the codes, 32 times it closes them, between them both count."""
    found = {folder.name: [*states_of(folder).values()][-1].name for folder in shipped() if "dose" in folder.name}
    assert found.pop("dose-beta-0.1") == WEAK and found.pop("dose-beta-32") == DEAD
    assert len(found) == 7 and set(found.values()) == {OK}


def test_five_cells_come_out_again_on_this_machine(mnist: Images) -> None:
    torch.set_num_threads(1)
    trained = Trained(mnist)
    for cell in (cell for cell in CELLS if cell.name in AGAIN):
        again, kept = trained.figures(cell), FIGURES[cell.name]
        for source in ("snapshot", "metrics"):
            new, old = Figures.from_dict(again[source]), Figures.from_dict(kept[source])
            assert new.active == old.active and judge(cell, again, source) is not None
            assert judge(cell, again, source).name == judge(cell, kept, source).name, cell.name
            found, wanted = ([getattr(f, name) for name in NUMBERS] for f in (new, old))
            np.testing.assert_allclose(found, wanted, rtol=0.1, atol=0.01, err_msg=cell.name)
            assert new.terms == pytest.approx(dict(old.terms), rel=0.02, abs=0.05)
