import pytest

from tiny_pipelines import a_pipeline, an_identity


@pytest.fixture
def pipe():
    return a_pipeline()


@pytest.fixture(scope="package")
def identity():
    return an_identity()
