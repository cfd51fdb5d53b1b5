"""The collector pauses while heavy packages come in, and goes on afterwards, whatever happened inside."""

import gc

import pytest

from common.course.base.quick_start import uncollected


@pytest.fixture(autouse=True)
def melted():
    yield
    gc.unfreeze()


def test_the_collector_pauses_inside_and_goes_on_after():
    with uncollected():
        assert not gc.isenabled()
    assert gc.isenabled() and gc.get_freeze_count() > 0


def test_it_goes_on_after_an_import_that_failed():
    with pytest.raises(ImportError), uncollected():
        raise ImportError
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off():
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
