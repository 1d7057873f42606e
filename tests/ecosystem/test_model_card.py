"""The card of a saved pipeline."""

from huggingface_hub import ModelCard

from hifi_portrait.pipeline import HiFiPortraitPipeline
from tiny_pipelines import a_pipeline


def test_a_saved_pipeline_has_a_card_that_the_hub_understands(tmp_path):
    pipe = a_pipeline()
    pipe.save_pretrained(tmp_path)
    card = ModelCard.load(tmp_path / "README.md")
    assert (card.data.library_name, card.data.pipeline_tag) == ("diffusers", "text-to-image")
    assert "hifi-portrait" in card.data.tags
    millions = sum(p.numel() for p in pipe.hifi_net.parameters()) / 1e6
    assert f"| `hifi_net` | {millions:.1f} |" in card.text
    assert "embeddings of 128 numbers, as the default one does" in card.text
    assert HiFiPortraitPipeline.from_pretrained(tmp_path).hifi_net is not None


def test_a_card_that_somebody_wrote_stays(tmp_path):
    pipe = a_pipeline()
    for text in ("My own words", "---\nlicense: mit\n---\nMy own words"):
        (tmp_path / "README.md").write_text(text)
        pipe.save_pretrained(tmp_path)
        assert (tmp_path / "README.md").read_text() == text


def test_its_own_card_is_written_anew(tmp_path):
    a_pipeline().save_pretrained(tmp_path)
    before = (tmp_path / "README.md").read_text()
    a_pipeline(overrides={"face_encoder": {"recogniser_dim": 512}}).save_pretrained(tmp_path)
    after = (tmp_path / "README.md").read_text()
    assert "128" in before and "embeddings of 512 numbers (`faces.ArcFaceRecogniser`, say)" in after
