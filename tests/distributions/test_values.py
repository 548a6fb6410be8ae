"""Golden values: every path gives the digests in tests/data/values.json, which change only on purpose."""

from __future__ import annotations

import json
from pathlib import Path

import make_values
import pytest
from cases import CASES, HAVE_BFLOAT16, Case, each_algorithm, each_case, each_law
from golden import VALUES, call_values, case_values, compare, values
from public_calls import CALLS, WITHOUT_VALUES

import keyrng
from keyrng import initializers
from keyrng._cli import selftest

# Without a path: the one that is used. NumPy's other values are those of test_paths_agree_for_every_algorithm.


@each_case
def test_values(case: Case) -> None:
    compare({name: make() for name, make in case_values(case).items()}, "the default path")


@each_law()
def test_values_by_path(case: Case, algorithm: str, any_path: str) -> None:
    compare({name: make() for name, make in case_values(case, [algorithm]).items()}, any_path)


@each_algorithm
def test_values_of_what_is_not_a_case(algorithm: str, every_path: str) -> None:
    compare({name: make() for name, make in call_values([algorithm]).items()}, every_path)


with_bfloat16 = pytest.mark.skipif(not HAVE_BFLOAT16, reason="ml_dtypes is not installed")


@with_bfloat16
def test_every_value_is_in_the_file() -> None:
    assert make_values.missing() == [], "python tests/data/make_values.py adds them"
    assert set(VALUES) == set(values())


def test_all_that_is_public_has_values() -> None:
    public = {*keyrng.__all__, *(f"initializers.{name}" for name in initializers.__all__)}
    have = {case.function or case.name for case in CASES} | {name.partition(" ")[0] for name in CALLS}

    assert sorted(public - have - WITHOUT_VALUES) == []
    assert sorted(WITHOUT_VALUES - public) == []


@with_bfloat16
class TestUpdate:
    """make_values.py adds, replaces and rejects values; the tests use copies of the files."""

    @pytest.fixture(autouse=True)
    def copies(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, file in (("FILE", make_values.FILE), ("SELFTEST", make_values.SELFTEST)):
            monkeypatch.setattr(make_values, name, tmp_path / file.name)
            (tmp_path / file.name).write_text(file.read_text())
        monkeypatch.setattr(make_values, "CHANGELOG", tmp_path / "CHANGELOG.md")
        make_values.CHANGELOG.write_text("### Values\n\n| `laplace` | all |\n\n### Added\n\n- `gamma`\n")
        self.before = make_values.FILE.read_text(), make_values.SELFTEST.read_text()

    def edit(self, **changed: str) -> None:
        table = json.loads(make_values.FILE.read_text())
        table.update({name.replace("_", " "): value for name, value in changed.items()})
        make_values.FILE.write_text(json.dumps({name: value for name, value in table.items() if value}))

    def files(self) -> tuple[str, str]:
        return make_values.FILE.read_text(), make_values.SELFTEST.read_text()

    def test_missing_values_are_added(self) -> None:
        self.edit(gamma_float32_philox4x32="")
        assert make_values.missing() == ["gamma float32 philox4x32"]

        assert make_values.update() == ["gamma float32 philox4x32"]
        assert self.files() == self.before

    def test_existing_values_stay(self) -> None:
        self.edit(laplace_float32_philox4x32="0" * 16)

        assert make_values.update() == []
        assert make_values.update(["gamma"]) == []
        assert "0" * 16 in make_values.FILE.read_text()

    def test_a_named_value_is_replaced_if_the_changelog_names_it(self) -> None:
        self.edit(laplace_float32_philox4x32="0" * 16)

        assert make_values.update(["laplace float32"]) == ["laplace float32 philox4x32"]
        assert self.files() == self.before

    def test_without_a_row_in_the_changelog_nothing_is_written(self) -> None:
        self.edit(gamma_float32_philox4x32="0" * 16)
        before = self.files()

        with pytest.raises(ValueError, match=r"CHANGELOG.md needs a row under Values that names `gamma`"):
            make_values.update(["gamma"])
        assert self.files() == before

    def test_removing_needs_the_name(self) -> None:
        self.edit(laplace_gone="0" * 16)

        with pytest.raises(ValueError, match="'laplace gone' is no longer in the tables"):
            make_values.update()
        assert make_values.update(["laplace gone"]) == ["laplace gone"]
        assert self.files() == self.before

    def test_the_selftest_has_the_same_rules(self) -> None:
        wrong = make_values.SELFTEST.read_text().replace(make_values.stored()["laplace float32 (selftest)"], "0")
        make_values.SELFTEST.write_text(wrong)

        assert make_values.update() == []
        assert make_values.SELFTEST.read_text() == wrong
        assert make_values.update(["laplace"]) == ["laplace float32 (selftest)"]
        assert self.files() == self.before


def test_the_table_of_the_selftest_is_that_of_the_cases() -> None:
    assert make_values.selftest_table(make_values.stored()) == json.loads(selftest.TABLE.read_text())
