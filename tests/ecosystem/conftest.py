import pytest

from tiny_pipelines import a_pipeline


@pytest.fixture
def pipe():
    return a_pipeline()
