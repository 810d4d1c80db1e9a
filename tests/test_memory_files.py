"""The catalog's files: computed bytes beside the bytes that were published, and parameters beside those that were stated."""

from __future__ import annotations

import pytest
from memory_kit import catalog

from mrt.memory.shape import ModelShape
from mrt.memory.weights import elements, file_bytes

# Nothing is published that the rules could be held against, or the published file is another one, as the note of the row says.
CHECKED = [shape for shape in catalog().values() if shape.file_bytes and shape.confidence != "approximate"]


@pytest.mark.parametrize("shape", CHECKED, ids=[shape.name for shape in CHECKED])
def test_a_published_file_is_computed_to_six_parts_in_a_thousand(shape: ModelShape) -> None:
    computed = file_bytes(shape, shape.quantization) + shape.projector_bytes
    assert shape.file_bytes is not None
    assert computed == pytest.approx(shape.file_bytes, rel=0.006)


def test_the_files_that_are_checked_are_most_of_those_published() -> None:
    assert len(CHECKED) > 200


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("llama3.1:8b", 8_030_261_248),
        ("qwen3:30b", 30_532_122_624),
        ("deepseek-coder-v2:16b", 15_706_484_224),
        ("gpt-oss:20b", 20_914_757_184),
        ("nemotron-mini:4b", 4_190_509_056),
        ("command-r7b:7b", 8_028_033_024),
        ("granite4:tiny-h", 6_939_037_248),
    ],
)
def test_the_tensors_hold_as_many_parameters_as_the_makers_state(name: str, parameters: int) -> None:
    assert elements(catalog()[name], lambda tensor: not tensor.startswith("rope_")) == parameters
